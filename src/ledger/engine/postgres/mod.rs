//! PostgreSQL: one session with a server, and how the ledger's statements run there.

#![cfg_attr(
    not(test),
    expect(dead_code, reason = "tests open a session, and `dsr ledger init` will")
)]

mod cause;
mod error;
mod place;
mod session;
mod value;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use rusqlite::types::Value;

use super::row::ServerRow;
use super::{Answer, EngineError, EngineTrouble, Params};
use crate::ledger::seal::LazySeal;
use session::Session;

pub(super) use error::ServerError;
use value::{Bound, Taken};

/// Any table of the ledger's schema.
pub(super) const ANY_TABLE: &str = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema()";
/// The table `$1` of the ledger's schema.
pub(super) const ONE_TABLE: &str =
    "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";
/// How long one try to get the write lock waits in the server's queue.
const IN_QUEUE: Duration = Duration::from_millis(250);

type GoesOn = Box<dyn FnMut(i32) -> bool + Send>;

/// A session with the server that holds the ledger.
pub(crate) struct LedgerServer {
    session: Session,
    goes_on: RefCell<GoesOn>,
    /// The row that every write locks is there.
    has_head: Cell<bool>,
    lazy_seal: LazySeal,
}

impl LedgerServer {
    fn new(session: Session) -> Answer<Self> {
        let server = Self {
            session,
            goes_on: RefCell::new(Box::new(|_| false)),
            has_head: Cell::new(false),
            lazy_seal: LazySeal::default(),
        };
        server.wait_up_to(IN_QUEUE)?;
        Ok(server)
    }

    pub(super) fn lazy_seal(&self) -> &LazySeal {
        &self.lazy_seal
    }

    pub(super) fn wait_up_to(&self, patience: Duration) -> Answer<()> {
        // 0 would wait for ever.
        let patience = patience.as_millis().max(1);
        self.execute_batch(&format!("SET lock_timeout = {patience}"))
    }

    pub(super) fn wait_while(&self, goes_on: impl FnMut(i32) -> bool + Send + 'static) {
        drop(self.goes_on.replace(Box::new(goes_on)));
    }

    /// Begins a transaction and locks the trail's head, which every write does. So there is one
    /// writer at a time, as with SQLite, and each reads what the one before it committed.
    pub(super) fn begin_write(&self) -> Answer<()> {
        let mut tries = 0;
        loop {
            self.execute_batch("BEGIN ISOLATION LEVEL READ COMMITTED")?;
            let error = match self.lock_head() {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            self.execute_batch("ROLLBACK")?;
            let is_busy = error.trouble() == EngineTrouble::Busy;
            if !is_busy || !(self.goes_on.borrow_mut())(tries) {
                return Err(error);
            }
            tries += 1;
        }
    }

    fn lock_head(&self) -> Answer<()> {
        if !self.has_head.get() {
            // Two hosts may make the schema at once.
            self.execute_batch("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")?;
            let mut found = self.prepare(ONE_TABLE)?;
            self.has_head.set(found.exists("audit_head")?);
        }
        match self.has_head.get() {
            true => self.execute_batch("SELECT count FROM audit_head FOR UPDATE"),
            false => Ok(()),
        }
    }

    /// # Errors
    /// [`EngineTrouble::Gone`] if nobody knows whether the transaction was committed: the answer
    /// was lost, or the server gave up its wait for a synchronous standby.
    pub(super) fn commit(&self) -> Answer<()> {
        Ok(self.session.commit()?)
    }

    pub(super) fn prepare(&self, sql: &str) -> Answer<ServerStatement<'_>> {
        let statement = self.session.prepare(sql)?;
        let names = statement.columns().iter();
        Ok(ServerStatement {
            session: &self.session,
            names: names.map(|column| column.name().to_owned()).collect(),
            statement,
        })
    }

    pub(super) fn execute_batch(&self, sql: &str) -> Answer<()> {
        Ok(self.session.batch(sql)?)
    }

    /// Text is compared byte by byte, as in SQLite: other rules call different ids equal, and order
    /// them differently on another server.
    pub(super) fn migrate(&self, sql: &str) -> Answer<()> {
        let sql = sql.replace(" TEXT", " TEXT COLLATE \"C\"");
        self.execute_batch(&sql.replace(" INTEGER PRIMARY KEY", " BIGINT PRIMARY KEY"))
    }

    pub(super) fn schema_version(&self) -> Answer<i64> {
        match self.prepare(ONE_TABLE)?.exists("ledger_schema")? {
            true => self.number("SELECT version FROM ledger_schema"),
            false => Ok(0),
        }
    }

    pub(super) fn set_schema_version(&self, version: i64) -> Answer<()> {
        self.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS ledger_schema (version BIGINT NOT NULL);
             DELETE FROM ledger_schema;
             INSERT INTO ledger_schema (version) VALUES ({version});"
        ))
    }

    /// Changes with each transaction of the server, so also for other reasons than a change.
    pub(super) fn data_version(&self) -> Answer<i64> {
        self.number("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    }

    fn number(&self, sql: &str) -> Answer<i64> {
        match self.prepare(sql)?.list(Vec::new())?.pop() {
            Some(ServerRow { values, .. }) => match values.first() {
                Some(Value::Integer(number)) => Ok(*number),
                _ => Err(rusqlite::Error::InvalidColumnIndex(0).into()),
            },
            None => Err(rusqlite::Error::QueryReturnedNoRows.into()),
        }
    }
}

/// A statement that the server has prepared.
pub(crate) struct ServerStatement<'c> {
    session: &'c Session,
    statement: tokio_postgres::Statement,
    names: Rc<[String]>,
}

impl ServerStatement<'_> {
    pub(super) fn execute(&mut self, values: &impl Params) -> Answer<usize> {
        let values = self.bind(values)?;
        let changed = self.session.execute(&self.statement, &as_refs(&values))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(super) fn query(&mut self, values: &impl Params) -> Answer<std::vec::IntoIter<ServerRow>> {
        Ok(self.list(self.bind(values)?)?.into_iter())
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    fn exists(&mut self, name: &str) -> Answer<bool> {
        let name = Bound(Value::Text(name.to_owned()));
        Ok(!self.list(vec![name])?.is_empty())
    }

    fn bind(&self, values: &impl Params) -> Answer<Vec<Bound>> {
        let mut bound = Vec::new();
        values.each(&mut |value| {
            bound.push(Bound(owned(value)?));
            Ok(())
        })?;
        let expected = self.statement.params().len();
        match bound.len() == expected {
            true => Ok(bound),
            false => Err(rusqlite::Error::InvalidParameterCount(bound.len(), expected).into()),
        }
    }

    fn list(&self, values: Vec<Bound>) -> Answer<Vec<ServerRow>> {
        let rows = self.session.query(&self.statement, &as_refs(&values))?;
        let read = |row: tokio_postgres::Row| -> Answer<ServerRow> {
            let values = (0..row.len()).map(|place| {
                let taken: Taken = row
                    .try_get(place)
                    .map_err(|error| ServerError::in_session(&error))?;
                Ok(taken.0)
            });
            Ok(ServerRow {
                names: Rc::clone(&self.names),
                values: values.collect::<Answer<_>>()?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

fn owned(value: &dyn rusqlite::ToSql) -> Answer<Value> {
    use rusqlite::types::ToSqlOutput;
    match value.to_sql()? {
        ToSqlOutput::Borrowed(value) => Value::try_from(value).map_err(|_| not_a_value()),
        ToSqlOutput::Owned(value) => Ok(value),
        _ => Err(not_a_value()),
    }
}

fn not_a_value() -> EngineError {
    rusqlite::Error::ToSqlConversionFailure("a text that is not UTF-8".into()).into()
}

fn as_refs(values: &[Bound]) -> Vec<&(dyn tokio_postgres::types::ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

impl ServerError {
    pub(super) fn trouble(&self) -> EngineTrouble {
        match self {
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::Password { .. }
            | Self::NoDatabase { .. }
            | Self::Standby { .. }
            | Self::Encoding { .. }
            | Self::TooOld { .. }
            | Self::Gone { .. }
            | Self::Unconfirmed { .. } => EngineTrouble::Gone,
            Self::Busy { .. } => EngineTrouble::Busy,
            Self::Full { .. } | Self::ReadOnly { .. } | Self::NotAllowed { .. } => {
                EngineTrouble::Disk
            }
            Self::Damaged { .. } => EngineTrouble::Damaged,
            Self::Conflict { .. } => EngineTrouble::Conflict,
            Self::Other { .. } => EngineTrouble::Other,
        }
    }
}

/// A session with the server for tests, in a schema for each path.
#[cfg(test)]
pub(super) fn open_for_test(url: &str, path: &std::path::Path) -> LedgerServer {
    use sha2::{Digest, Sha256};

    let place = place::ServerPlace::parse(url).unwrap();
    let deadlines = session::Deadlines {
        connect: Duration::from_secs(30),
        answer: Duration::from_secs(60),
        lock: IN_QUEUE,
    };
    let roots = session::tls::TrustedRoots::Bundled;
    let session = Session::open(&place, None, &roots, "dsr test", deadlines).unwrap();
    let name = crate::domain::to_hex(&Sha256::digest(path.to_str().unwrap())[..12]);
    session
        .batch(&format!(
            "CREATE SCHEMA IF NOT EXISTS t{name}; SET search_path = t{name}"
        ))
        .unwrap();
    LedgerServer::new(session).unwrap()
}

#[cfg(test)]
mod tests;
