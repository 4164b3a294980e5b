use rusqlite::types::{FromSql, ValueRef};

use super::{Answer, EngineError};

/// The rows of an answer, one after the other.
pub(crate) enum Rows<'s> {
    Sqlite(rusqlite::Rows<'s>),
}

impl Rows<'_> {
    pub(crate) fn next(&mut self) -> Answer<Option<Row<'_>>> {
        match self {
            Self::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
        }
    }
}

/// One row, until the next one is asked for.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
}

/// A column by its place or its name.
pub(crate) trait Place: rusqlite::RowIndex + Copy {}

impl Place for usize {}
impl Place for &str {}

impl Row<'_> {
    /// # Errors
    /// When there is no such column, or its value is of another type.
    pub(crate) fn get<T: FromSql>(&self, column: impl Place) -> Answer<T> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
        }
    }

    /// # Errors
    /// When there is no such column.
    pub(crate) fn get_ref(&self, column: impl Place) -> Answer<ValueRef<'_>> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(column)?),
        }
    }
}

/// An error of reading a value that an engine gave.
impl From<rusqlite::types::FromSqlError> for EngineError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        rusqlite::Error::from(error).into()
    }
}
