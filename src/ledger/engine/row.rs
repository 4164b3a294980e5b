use std::rc::Rc;

use rusqlite::types::{FromSql, Type, Value, ValueRef};

#[cfg(test)]
use super::order::RowOrder;
use super::{Answer, EngineError};

/// The rows of an answer, one after the other.
pub(crate) struct Rows<'s> {
    pub(super) source: RowSource<'s>,
    #[cfg(test)]
    pub(super) order: RowOrder,
}

pub(super) enum RowSource<'s> {
    Sqlite(rusqlite::Rows<'s>),
    Postgres(std::vec::IntoIter<ServerRow>),
}

impl Rows<'_> {
    pub(crate) fn next(&mut self) -> Answer<Option<Row<'_>>> {
        let row = match &mut self.source {
            RowSource::Sqlite(rows) => rows.next()?.map(Row::Sqlite),
            RowSource::Postgres(rows) => rows.next().map(Row::Postgres),
        };
        #[cfg(test)]
        self.order.saw(row.is_some());
        Ok(row)
    }
}

/// One row, until the next one is asked for.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(ServerRow),
}

/// A row that a server sent.
#[derive(Clone)]
pub(crate) struct ServerRow {
    pub(super) names: Rc<[String]>,
    pub(super) values: Vec<Value>,
}

/// A column by its place or its name.
pub(crate) trait Place: rusqlite::RowIndex + Copy {
    fn among(self, names: &[String]) -> Result<usize, rusqlite::Error>;
}

impl Place for usize {
    fn among(self, names: &[String]) -> Result<usize, rusqlite::Error> {
        let place = (self < names.len()).then_some(self);
        place.ok_or(rusqlite::Error::InvalidColumnIndex(self))
    }
}

impl Place for &str {
    fn among(self, names: &[String]) -> Result<usize, rusqlite::Error> {
        let place = names.iter().position(|name| name == self);
        place.ok_or_else(|| rusqlite::Error::InvalidColumnName(self.to_owned()))
    }
}

impl Row<'_> {
    /// # Errors
    /// When there is no such column, or its value is of another type.
    pub(crate) fn get<T: FromSql>(&self, column: impl Place) -> Answer<T> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => {
                let place = column.among(&row.names)?;
                let value = ValueRef::from(&row.values[place]);
                T::column_result(value).map_err(|_| wrong_type(place, row, value.data_type()))
            }
        }
    }

    /// # Errors
    /// When there is no such column.
    pub(crate) fn get_ref(&self, column: impl Place) -> Answer<ValueRef<'_>> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(column)?),
            Self::Postgres(row) => Ok((&row.values[column.among(&row.names)?]).into()),
        }
    }
}

fn wrong_type(place: usize, row: &ServerRow, found: Type) -> EngineError {
    rusqlite::Error::InvalidColumnType(place, row.names[place].clone(), found).into()
}
