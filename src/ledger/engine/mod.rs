//! One vocabulary for the databases that can hold a ledger. The rooms above write SQL once, in a
//! form that each engine takes: parameters `$1`, `$2`, … in the order of their appearance, TEXT and
//! BIGINT, RFC 3339 times in UTC. Values are rusqlite's types, whichever engine they come from.

mod error;
mod params;
mod row;
pub(crate) mod sqlite;
mod statement;

use std::cell::Cell;
use std::ops::Deref;

pub(crate) use error::EngineError;
pub(crate) use error::EngineTrouble;
pub(crate) use params::{Params, params_from_iter};
pub(crate) use row::{Row, Rows};
pub(crate) use rusqlite::params;
pub(crate) use rusqlite::types::{FromSql, ToSql, ValueRef};
pub(crate) use statement::{OptionalExtension, Statement};

/// What a statement of an engine gives.
pub(crate) type Answer<T> = Result<T, EngineError>;

/// An open database.
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
}

impl Connection {
    /// Prepares a statement, or takes it from the connection's cache.
    pub(crate) fn prepare(&self, sql: &str) -> Answer<Statement<'_>> {
        match self {
            Self::Sqlite(conn) => {
                let statement = conn.prepare_cached(sql)?;
                // SQLite takes `$2` as a *name* and counts by first appearance. PostgreSQL goes by
                // the number. Any other order would bind wrong values in one of them.
                debug_assert!(
                    (1..=statement.parameter_count()).all(|place| {
                        statement.parameter_name(place) == Some(format!("${place}").as_str())
                    }),
                    "parameters out of order in: {sql}"
                );
                Ok(Statement::Sqlite(statement))
            }
        }
    }

    /// Executes statements without parameters, separated by semicolons.
    pub(crate) fn execute_batch(&self, sql: &str) -> Answer<()> {
        match self {
            Self::Sqlite(conn) => Ok(conn.execute_batch(sql)?),
        }
    }

    /// Begins a transaction that sees one snapshot and writes nothing.
    pub(crate) fn view(&self) -> Answer<Transaction<'_>> {
        match self {
            Self::Sqlite(_) => Transaction::begin(self, "BEGIN DEFERRED"),
        }
    }

    /// Begins a transaction that holds the write lock from the start. A read that upgrades to a
    /// write would fail at once, whatever the patience.
    pub(crate) fn write(&self) -> Answer<Transaction<'_>> {
        match self {
            Self::Sqlite(_) => Transaction::begin(self, "BEGIN IMMEDIATE"),
        }
    }

    /// Whether there is no table or anything else yet.
    pub(crate) fn is_empty(&self) -> Answer<bool> {
        let sql = match self {
            Self::Sqlite(_) => "SELECT 1 FROM sqlite_master",
        };
        Ok(!self.prepare(sql)?.exists([])?)
    }

    pub(crate) fn has_table(&self, name: &str) -> Answer<bool> {
        let sql = match self {
            Self::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE name = $1",
        };
        self.prepare(sql)?.exists([name])
    }
}

/// A transaction, rolled back unless it is committed.
pub(crate) struct Transaction<'c> {
    conn: &'c Connection,
    is_open: Cell<bool>,
}

impl<'c> Transaction<'c> {
    fn begin(conn: &'c Connection, sql: &str) -> Answer<Self> {
        conn.execute_batch(sql)?;
        Ok(Self {
            conn,
            is_open: Cell::new(true),
        })
    }

    /// # Errors
    /// When the commit failed. The drop then rolls back.
    pub(crate) fn commit(self) -> Answer<()> {
        self.conn.execute_batch("COMMIT")?;
        self.is_open.set(false);
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open.get()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            // SQLite itself rolls back on a full disk, for example.
            tracing::debug!(%error, "no transaction to roll back");
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}

/// Shortcuts for tests, which change rows behind the ledger's back.
#[cfg(test)]
impl Connection {
    pub(crate) fn list_tables(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        };
        self.prepare(sql)
            .unwrap()
            .list([], |row| row.get(0))
            .unwrap()
    }

    /// No longer checks references between tables.
    pub(crate) fn allow_orphans(&self) {
        match self {
            Self::Sqlite(conn) => conn.pragma_update(None, "foreign_keys", "off").unwrap(),
        }
    }

    pub(crate) fn execute(&self, sql: &str, values: impl Params) -> Answer<usize> {
        self.prepare(sql)?.execute(values)
    }

    pub(crate) fn query_row<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Answer<T>,
    ) -> Answer<T> {
        self.prepare(sql)?.query_row(values, read)
    }
}
