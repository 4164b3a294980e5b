//! One vocabulary for the databases that can hold a ledger. The rest of the ledger writes SQL once,
//! in a form that each engine takes: parameters `$1`, `$2`, … in the order of their appearance, TEXT
//! and BIGINT, RFC 3339 times in UTC. Values are rusqlite's types, whichever engine they come from.

mod bulk;
mod error;
#[cfg(test)]
mod order;
mod params;
mod postgres;
mod row;
mod sqlite;
mod statement;
#[cfg(test)]
mod testing;

use std::cell::Cell;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub(crate) use error::{EngineError, EngineTrouble};
pub(crate) use params::{Params, Question, params_from_iter};
pub(crate) use row::{Row, Rows};
pub(crate) use rusqlite::params;
pub(crate) use rusqlite::types::{FromSql, ToSql, Value, ValueRef};
pub(crate) use sqlite::Access;
pub(crate) use statement::{OptionalExtension, Statement};

pub(crate) use postgres::place::password::{PasswordError, PasswordOrigin, PasswordSources};
pub(crate) use postgres::place::{PlaceError, ServerPlace};
pub(crate) use postgres::{PlaceLock, TrustedRoots};
pub use postgres::{ServerReport, ServerRights, StandbyState, TlsFault};

use crate::ledger::seal::LazySeal;
use postgres::LedgerServer;
use secrecy::SecretString;
use statement::EngineStatement;

/// What a statement of an engine gives.
pub(crate) type Answer<T> = Result<T, EngineError>;

/// An open database.
pub(crate) enum Connection {
    /// A file, and what opens the ids of a copy of a server's ledger.
    Sqlite(rusqlite::Connection, Option<Box<LazySeal>>),
    Postgres(Box<LedgerServer>),
}

impl Connection {
    pub(crate) fn open(path: &Path, access: Access) -> Answer<Self> {
        #[cfg(test)]
        if let Some(server) = testing::server_for(path) {
            return Ok(Self::Postgres(Box::new(server)));
        }
        Ok(Self::Sqlite(sqlite::open(path, access)?, None))
    }

    /// Opens a session with a server; `application_name` is what the server shows of it.
    pub(crate) fn open_server(
        place: &ServerPlace,
        password: Option<&SecretString>,
        roots: &TrustedRoots,
        application_name: &str,
    ) -> Answer<Self> {
        let server = LedgerServer::open(place, password, roots, application_name)?;
        Ok(Self::Postgres(Box::new(server)))
    }

    pub(crate) fn server(&self) -> Option<&LedgerServer> {
        match self {
            Self::Sqlite(..) => None,
            Self::Postgres(server) => Some(server.as_ref()),
        }
    }

    /// The file's path; `None` without a file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(conn, _) => conn.path().map(Path::new),
            Self::Postgres(_) => None,
        }
    }

    /// The server's clock in microseconds since 1970, read by the last write and counted on since.
    /// `None` without a server.
    pub(crate) fn clock(&self) -> Option<i64> {
        self.server()?.clock()
    }

    /// The same as a time.
    pub(crate) fn time(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.clock()?)
    }

    /// Whether other hosts use this ledger, too.
    pub(crate) fn is_shared(&self) -> bool {
        self.server().is_some_and(LedgerServer::is_shared)
    }

    /// Whether a ledger is there that this user may not see.
    pub(crate) fn has_hidden_schema(&self) -> Answer<bool> {
        match self {
            Self::Sqlite(..) => Ok(false),
            Self::Postgres(server) => server.has_hidden_schema(),
        }
    }

    /// Reads the server's clock now.
    pub(crate) fn read_clock(&self) -> Answer<()> {
        match self {
            Self::Sqlite(..) => Ok(()),
            Self::Postgres(server) => server.read_clock(),
        }
    }

    /// Makes the place for the tables of a new ledger.
    pub(crate) fn make_schema(&self) -> Answer<()> {
        match self {
            Self::Sqlite(..) => Ok(()),
            Self::Postgres(server) => server.make_schema(),
        }
    }

    /// Opens a file for reading by an SQLite address (`file:…?mode=ro`).
    pub(crate) fn open_address(address: &str) -> Answer<Self> {
        Ok(Self::Sqlite(sqlite::open_address(address)?, None))
    }

    pub(crate) fn open_in_memory() -> Answer<Self> {
        Ok(Self::Sqlite(rusqlite::Connection::open_in_memory()?, None))
    }

    /// How long a statement waits for another process.
    pub(crate) fn wait_up_to(&self, patience: Duration) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.busy_timeout(patience)?),
            Self::Postgres(server) => server.wait_up_to(patience),
        }
    }

    /// Asks `goes_on` before each new try to get a lock; it gets the number of tries so far.
    pub(crate) fn wait_while(
        &mut self,
        goes_on: impl FnMut(i32) -> bool + Send + 'static,
    ) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.busy_handler(Some(goes_on))?),
            Self::Postgres(server) => {
                server.wait_while(goes_on);
                Ok(())
            }
        }
    }

    /// Makes every commit survive a power cut, and deleted rows unreadable where the engine can.
    /// `goes_on` is asked as for [`Self::wait_while`].
    pub(crate) fn make_durable(&self, goes_on: impl FnMut(i32) -> bool) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => sqlite::make_durable(conn, goes_on),
            // Each session is made so when it opens.
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Checks references between tables at each write, and keeps prepared statements.
    pub(crate) fn make_ready(&self) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => sqlite::make_ready(conn),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// What seals ids; `None` for a file, which is private and rewrites what it deletes. A copy of a
    /// server's ledger keeps its ids sealed.
    pub(crate) fn lazy_seal(&self) -> Option<&LazySeal> {
        match self {
            Self::Sqlite(_, seal) => seal.as_deref(),
            Self::Postgres(server) => Some(server.lazy_seal()),
        }
    }

    /// This file is a copy of a server's ledger.
    pub(crate) fn expect_sealed_ids(&mut self) {
        if let Self::Sqlite(_, seal) = self {
            *seal = Some(Box::default());
        }
    }

    /// Prepares a statement, or takes it from the connection's cache.
    pub(crate) fn prepare(&self, sql: &str) -> Answer<Statement<'_>> {
        let prepared = match self {
            Self::Sqlite(conn, _) => EngineStatement::Sqlite(sqlite::prepare(conn, sql)?),
            Self::Postgres(server) => EngineStatement::Postgres(server.prepare(sql)?),
        };
        Ok(Statement::new(prepared, sql))
    }

    /// Executes a statement. In a write, a server's answer is not waited for: its error is that of
    /// the next statement that is, or of the commit.
    pub(crate) fn change(&self, sql: &str, values: impl Params) -> Answer<()> {
        self.prepare(sql)?.change(values)
    }

    /// Asks a server in one round trip what the transaction will ask next, each question by the
    /// same text and values. A write in between makes it ask again. Outside a transaction, and for a
    /// file, this does nothing.
    pub(crate) fn ask_ahead(&self, questions: &[Question]) -> Answer<()> {
        self.server()
            .map_or(Ok(()), |server| server.ask_ahead(questions))
    }

    /// Executes statements without parameters, separated by semicolons.
    pub(crate) fn execute_batch(&self, sql: &str) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.execute_batch(sql)?),
            Self::Postgres(server) => server.execute_batch(sql),
        }
    }

    /// Begins a transaction that sees one snapshot and writes nothing.
    pub(crate) fn view(&self) -> Answer<Transaction<'_>> {
        match self {
            Self::Sqlite(conn, _) => conn.execute_batch("BEGIN DEFERRED")?,
            Self::Postgres(server) => server.begin_view()?,
        }
        Ok(Transaction::begun(self))
    }

    /// Begins a transaction that holds the write lock from the start. A read that upgrades to a
    /// write would fail at once, whatever the patience.
    pub(crate) fn write(&self) -> Answer<Transaction<'_>> {
        self.write_asking(&[])
    }

    /// The same, with [`Self::ask_ahead`] in the round trip of its begin.
    pub(crate) fn write_asking(&self, questions: &[Question]) -> Answer<Transaction<'_>> {
        match self {
            Self::Sqlite(conn, _) => conn.execute_batch("BEGIN IMMEDIATE")?,
            Self::Postgres(server) => server.begin_write(questions)?,
        }
        Ok(Transaction::begun(self))
    }

    fn rollback(&self) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.execute_batch("ROLLBACK")?),
            Self::Postgres(server) => server.rollback(),
        }
    }

    fn commit(&self) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.execute_batch("COMMIT")?),
            Self::Postgres(server) => server.commit(),
        }
    }

    /// Executes the statements of a migration.
    pub(crate) fn migrate(&self, sql: &str) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.execute_batch(sql)?),
            Self::Postgres(server) => server.migrate(sql),
        }
    }

    /// The number of migrations that made the schema; 0 without one.
    pub(crate) fn schema_version(&self) -> Answer<i64> {
        match self {
            Self::Sqlite(conn, _) => sqlite::number(conn, "user_version"),
            Self::Postgres(server) => server.schema_version(),
        }
    }

    pub(crate) fn set_schema_version(&self, version: i64) -> Answer<()> {
        match self {
            Self::Sqlite(conn, _) => Ok(conn.pragma_update(None, "user_version", version)?),
            Self::Postgres(server) => server.set_schema_version(version),
        }
    }

    /// Whether there is no table or anything else yet.
    pub(crate) fn is_empty(&self) -> Answer<bool> {
        let sql = match self {
            Self::Sqlite(..) => "SELECT 1 FROM sqlite_master",
            Self::Postgres(_) => postgres::ANY_TABLE,
        };
        Ok(!self.prepare(sql)?.exists([])?)
    }

    pub(crate) fn has_table(&self, name: &str) -> Answer<bool> {
        let sql = match self {
            Self::Sqlite(..) => "SELECT 1 FROM sqlite_master WHERE name = $1",
            Self::Postgres(_) => postgres::ONE_TABLE,
        };
        self.prepare(sql)?.exists([name])
    }

    /// A number that changes whenever another connection changes the database.
    pub(crate) fn data_version(&self) -> Answer<i64> {
        match self {
            Self::Sqlite(conn, _) => sqlite::number(conn, "data_version"),
            Self::Postgres(server) => server.data_version(),
        }
    }

    /// The first `most` damages in SQLite's words, which name tables and pages but hold no value.
    /// Empty if the file is whole. A server checks itself.
    pub(crate) fn list_damage(&self, most: usize) -> Answer<Vec<String>> {
        match self {
            Self::Sqlite(conn, _) => sqlite::list_damage(conn, most),
            Self::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// Writes a copy into the empty file at `path`. It has no erased data and no free pages.
    ///
    /// # Errors
    /// On a server: it makes its own copies.
    pub(crate) fn copy_into(&self, path: &str) -> Answer<()> {
        self.prepare("VACUUM INTO $1")?.execute([path])?;
        Ok(())
    }

    /// Frees the space of deleted rows. SQLite needs as much memory as the file is large: a
    /// temporary file elsewhere would hold ids.
    pub(crate) fn compact(&self) -> Answer<()> {
        match self {
            Self::Sqlite(..) => self.execute_batch("PRAGMA temp_store = memory; VACUUM;"),
            // The server frees space by itself.
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Writes the log back and empties it. Returns whether nobody was reading it.
    pub(crate) fn empty_log(&self) -> Answer<bool> {
        match self {
            Self::Sqlite(conn, _) => sqlite::empty_log(conn),
            // No id can be read in a server's log, so there is nothing to empty.
            Self::Postgres(_) => Ok(true),
        }
    }

    /// Writes an index anew, since its pages may hold deleted values.
    pub(crate) fn rewrite_index(&self, name: &str) -> Answer<()> {
        match self {
            Self::Sqlite(..) => self.execute_batch(&format!("REINDEX {name}")),
            Self::Postgres(_) => Ok(()),
        }
    }
}

/// A transaction, rolled back unless it is committed.
pub(crate) struct Transaction<'c> {
    conn: &'c Connection,
    is_open: Cell<bool>,
}

impl<'c> Transaction<'c> {
    fn begun(conn: &'c Connection) -> Self {
        Self {
            conn,
            is_open: Cell::new(true),
        }
    }

    /// # Errors
    /// When the commit failed; the drop then rolls back. When a server's answer was lost, nobody
    /// knows whether it failed ([`EngineTrouble::Gone`]).
    pub(crate) fn commit(self) -> Answer<()> {
        self.conn.commit()?;
        self.is_open.set(false);
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open.get()
            && let Err(error) = self.conn.rollback()
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
