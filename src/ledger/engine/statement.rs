use rusqlite::CachedStatement;

#[cfg(test)]
use super::order::RowOrder;
use super::postgres::ServerStatement;
use super::row::RowSource;
use super::{Answer, EngineError, Params, Row, Rows, sqlite};

/// A prepared statement.
pub(crate) struct Statement<'c> {
    prepared: EngineStatement<'c>,
    #[cfg(test)]
    order: RowOrder,
}

pub(super) enum EngineStatement<'c> {
    Sqlite(CachedStatement<'c>),
    Postgres(ServerStatement<'c>),
}

impl<'c> Statement<'c> {
    #[cfg_attr(not(test), expect(unused_variables, reason = "tests check the order"))]
    pub(super) fn new(prepared: EngineStatement<'c>, sql: &str) -> Self {
        Self {
            prepared,
            #[cfg(test)]
            order: RowOrder::of(sql),
        }
    }
}

impl Statement<'_> {
    /// Returns the number of rows that changed.
    pub(crate) fn execute(&mut self, values: impl Params) -> Answer<usize> {
        match &mut self.prepared {
            EngineStatement::Sqlite(statement) => {
                sqlite::bind(statement, &values)?;
                Ok(statement.raw_execute()?)
            }
            EngineStatement::Postgres(statement) => statement.execute(&values),
        }
    }

    /// See [`super::Connection::change`].
    pub(super) fn change(&mut self, values: impl Params) -> Answer<()> {
        match &mut self.prepared {
            EngineStatement::Sqlite(_) => self.execute(values).map(drop),
            EngineStatement::Postgres(statement) => statement.change(&values),
        }
    }

    pub(crate) fn query(&mut self, values: impl Params) -> Answer<Rows<'_>> {
        let source = match &mut self.prepared {
            EngineStatement::Sqlite(statement) => {
                sqlite::bind(statement, &values)?;
                RowSource::Sqlite(statement.raw_query())
            }
            EngineStatement::Postgres(statement) => RowSource::Postgres(statement.query(&values)?),
        };
        Ok(Rows {
            source,
            #[cfg(test)]
            order: self.order.clone(),
        })
    }

    /// The first row.
    ///
    /// # Errors
    /// [`rusqlite::Error::QueryReturnedNoRows`] if there is none; see [`OptionalExtension`].
    pub(crate) fn query_row<T>(
        &mut self,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Answer<T>,
    ) -> Answer<T> {
        match self.query(values)?.next()? {
            Some(row) => read(&row),
            None => Err(rusqlite::Error::QueryReturnedNoRows.into()),
        }
    }

    /// Reads all rows.
    pub(crate) fn list<T, E: From<EngineError>, C: FromIterator<T>>(
        &mut self,
        values: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, E>,
    ) -> Result<C, E> {
        let mut rows = self.query(values)?;
        #[cfg(test)]
        rows.order.collect_into::<C>();
        std::iter::from_fn(|| match rows.next() {
            Ok(row) => row.map(|row| read(&row)),
            Err(error) => Some(Err(error.into())),
        })
        .collect()
    }

    pub(crate) fn exists(&mut self, values: impl Params) -> Answer<bool> {
        Ok(self.query(values)?.next()?.is_some())
    }

    /// The names of the columns that the statement gives.
    pub(crate) fn column_names(&self) -> Vec<String> {
        match &self.prepared {
            EngineStatement::Sqlite(statement) => {
                statement.column_names().map(str::to_owned).collect()
            }
            EngineStatement::Postgres(statement) => statement.names().to_vec(),
        }
    }
}

/// Turns "no row" into `None`.
pub(crate) trait OptionalExtension<T> {
    fn optional(self) -> Answer<Option<T>>;
}

impl<T> OptionalExtension<T> for Answer<T> {
    fn optional(self) -> Answer<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(EngineError::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
