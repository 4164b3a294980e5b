//! PostgreSQL: one session with a server, and how the ledger's statements run there.

mod cause;
mod error;
pub(in crate::ledger) mod place;
mod presence;
mod report;
mod session;
mod value;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::types::Value;
use secrecy::SecretString;

use super::params::owned;
use super::row::ServerRow;
use super::{Answer, EngineTrouble, Params, Question};
use crate::ledger::seal::LazySeal;
use place::ServerPlace;
pub(crate) use presence::PlaceLock;
use session::{Deadlines, Session};

pub(super) use error::ServerError;
pub use report::{ServerReport, ServerRights, StandbyState};
pub use session::tls::TlsFault;
pub(crate) use session::tls::TrustedRoots;
use value::{Bound, Taken};

/// Any table of the ledger's schema.
pub(super) const ANY_TABLE: &str = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema()";
/// The table `$1` of the ledger's schema.
pub(super) const ONE_TABLE: &str =
    "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";
/// How long one try to get the write lock waits in the server's queue.
const IN_QUEUE: Duration = Duration::from_millis(250);
/// The schema that holds a ledger's tables.
pub(super) const SCHEMA: &str = "dsr";
/// The server's clock in microseconds since 1970.
const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(30),
    lock: IN_QUEUE,
};

/// Begins a write, and waits for its turn. The lock lasts until the end of the transaction.
const LOCK_HEAD: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT count FROM audit_head FOR UPDATE";

type GoesOn = Box<dyn FnMut(i32) -> bool + Send>;

/// A session with the server that holds the ledger.
pub(crate) struct LedgerServer {
    session: Session,
    goes_on: RefCell<GoesOn>,
    /// The row that every write locks is there.
    has_head: Cell<bool>,
    /// The format that this dsr has found; no write may find another one.
    version: Cell<i64>,
    /// The server's clock in microseconds, and when it was read.
    clock: Cell<Option<(i64, Instant)>>,
    lazy_seal: LazySeal,
    transaction: Cell<Option<Within>>,
    /// Answers to questions that the transaction will ask. Its next write makes them stale.
    answered: RefCell<Vec<(Question, Vec<ServerRow>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    View,
    Write,
}

impl LedgerServer {
    pub(super) fn open(
        place: &ServerPlace,
        password: Option<&SecretString>,
        roots: &TrustedRoots,
        application_name: &str,
    ) -> Answer<Self> {
        let session = Session::open(place, password, roots, application_name, DEADLINES)?;
        session.batch(&format!("SET search_path = {SCHEMA}"))?;
        Self::new(session)
    }

    fn new(session: Session) -> Answer<Self> {
        let server = Self {
            session,
            goes_on: RefCell::new(Box::new(|_| false)),
            has_head: Cell::new(false),
            version: Cell::new(0),
            clock: Cell::new(None),
            lazy_seal: LazySeal::default(),
            transaction: Cell::new(None),
            answered: RefCell::default(),
        };
        server.wait_up_to(IN_QUEUE)?;
        Ok(server)
    }

    /// See [`Session::round_trips`].
    #[cfg(test)]
    pub(crate) fn round_trips(&self) -> u32 {
        self.session.round_trips()
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

    /// Begins a transaction that sees one snapshot.
    pub(super) fn begin_view(&self) -> Answer<()> {
        self.execute_batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.transaction.set(Some(Within::View));
        Ok(())
    }

    /// Begins a transaction and locks the trail's head, which every write does. So there is one
    /// writer at a time, as with SQLite, and each reads what the one before it committed.
    pub(super) fn begin_write(&self, questions: &[Question]) -> Answer<()> {
        let mut tries = 0;
        loop {
            self.transaction.set(Some(Within::Write));
            let begun = match self.is_shared() {
                true => self.lock_and_check(questions),
                false => self.lock_head(),
            };
            let Err(error) = begun else {
                return Ok(());
            };
            self.rollback()?;
            let is_busy = error.trouble() == EngineTrouble::Busy;
            if !is_busy || !(self.goes_on.borrow_mut())(tries) {
                return Err(error);
            }
            tries += 1;
        }
    }

    fn lock_head(&self) -> Answer<()> {
        if self.has_head.get() {
            return self.execute_batch(LOCK_HEAD);
        }
        // Two hosts may make the schema at once.
        let first = "SELECT pg_advisory_xact_lock(hashtext(current_schema()))";
        self.execute_batch(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {first}"))?;
        self.has_head
            .set(self.prepare(ONE_TABLE)?.exists("audit_head")?);
        match self.has_head.get() {
            true => self.execute_batch("SELECT count FROM audit_head FOR UPDATE"),
            false => Ok(()),
        }
    }

    /// Locks the head, and reads the clock, the format and `questions` with the lock held: the
    /// statement that waits for the lock sees both as they were before the wait.
    fn lock_and_check(&self, questions: &[Question]) -> Answer<()> {
        let sql = format!("{CLOCK}, pg_backend_pid()::bigint, version FROM ledger_schema");
        self.session.batch_later(LOCK_HEAD)?;
        let check = Question::new(sql.as_str(), [])?;
        self.ask_ahead(&[&[check], questions].concat())?;
        let found = self.prepare(&sql)?.query(&[])?.next();
        let found = found.as_ref().map(|row| &row.values[..]);
        let Some(
            [
                Value::Integer(clock),
                Value::Integer(process),
                Value::Integer(version),
            ],
        ) = found
        else {
            return Err(rusqlite::Error::QueryReturnedNoRows.into());
        };
        self.clock.set(Some((*clock, Instant::now())));
        if *process != i64::from(self.session.backend_pid()) {
            return Err(ServerError::Pooler.into());
        }
        match *version == self.version.get() {
            true => Ok(()),
            false => Err(ServerError::Migrated { found: *version }.into()),
        }
    }

    /// Asks in one round trip what the transaction will ask next.
    pub(super) fn ask_ahead(&self, questions: &[Question]) -> Answer<()> {
        if self.transaction.get().is_none() {
            return Ok(());
        }
        let mut answered = self.answered.borrow_mut();
        let new = questions
            .iter()
            .filter(|question| !answered.iter().any(|(known, _)| known == *question));
        let asked: Vec<(&Question, ServerStatement<'_>, Vec<Bound>)> = new
            .map(|question| {
                let statement = self.prepare(&question.sql)?;
                let values = statement.bind(&question.values)?;
                Ok((question, statement, values))
            })
            .collect::<Answer<_>>()?;
        let queries = asked.iter();
        let queries = queries.map(|(_, statement, values)| (&statement.statement, as_refs(values)));
        let answers = self.session.query_all(&queries.collect::<Vec<_>>())?;
        for ((question, statement, _), rows) in asked.iter().zip(answers) {
            answered.push(((*question).clone(), statement.read(rows)?));
        }
        Ok(())
    }

    fn find_answer(&self, sql: &str, values: &[Bound]) -> Option<Vec<ServerRow>> {
        let answered = self.answered.borrow();
        let found = answered.iter().find(|(known, _)| {
            known.sql == sql
                && known
                    .values
                    .iter()
                    .eq(values.iter().map(|Bound(value)| value))
        });
        Some(found?.1.clone())
    }

    /// The server's clock, in microseconds since 1970, as of the last write.
    pub(super) fn clock(&self) -> Option<i64> {
        let (micros, read) = self.clock.get()?;
        let since = i64::try_from(read.elapsed().as_micros()).unwrap_or(i64::MAX);
        Some(micros.saturating_add(since))
    }

    pub(super) fn has_hidden_schema(&self) -> Answer<bool> {
        let sql = format!(
            "SELECT COUNT(*) FROM pg_namespace WHERE nspname = '{SCHEMA}'
                 AND NOT has_schema_privilege(oid, 'USAGE')"
        );
        Ok(self.number(&sql)? > 0)
    }

    pub(super) fn make_schema(&self) -> Answer<()> {
        self.execute_batch(&format!("CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    }

    /// The ledger of this format is open for this host, and may be for others. From now on each
    /// write demands the format.
    pub(crate) fn share(&self, version: i64) {
        self.version.set(version);
    }

    pub(super) fn is_shared(&self) -> bool {
        self.version.get() != 0
    }

    pub(super) fn read_clock(&self) -> Answer<()> {
        let clock = self.number(CLOCK)?;
        self.clock.set(Some((clock, Instant::now())));
        Ok(())
    }

    /// # Errors
    /// [`EngineTrouble::Gone`] if nobody knows whether the transaction was committed: the answer
    /// was lost, or the server gave up its wait for a synchronous standby.
    pub(super) fn commit(&self) -> Answer<()> {
        self.end();
        Ok(self.session.commit()?)
    }

    pub(super) fn rollback(&self) -> Answer<()> {
        self.end();
        self.execute_batch("ROLLBACK")
    }

    fn end(&self) {
        self.transaction.set(None);
        self.answered.borrow_mut().clear();
    }

    pub(super) fn prepare(&self, sql: &str) -> Answer<ServerStatement<'_>> {
        let statement = self.session.prepare(sql)?;
        let names = statement.columns().iter();
        Ok(ServerStatement {
            server: self,
            sql: sql.into(),
            names: names.map(|column| column.name().to_owned()).collect(),
            statement,
        })
    }

    /// See [`Session::copy_in`].
    pub(super) fn copy_in<E: From<ServerError>>(
        &self,
        sql: &str,
        chunks: impl IntoIterator<Item = Result<Bytes, E>>,
    ) -> Result<u64, E> {
        self.answered.borrow_mut().clear();
        self.session.copy_in(sql, chunks)
    }

    pub(super) fn execute_batch(&self, sql: &str) -> Answer<()> {
        self.answered.borrow_mut().clear();
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

    /// The size of the ledger's tables with their indexes, in bytes.
    pub(crate) fn size(&self) -> Answer<u64> {
        let sql = "SELECT COALESCE(SUM(pg_total_relation_size(pg_class.oid)), 0)::bigint
             FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = current_schema() AND relkind = 'r'";
        Ok(u64::try_from(self.number(sql)?).unwrap_or(0))
    }

    fn number(&self, sql: &str) -> Answer<i64> {
        match self.prepare(sql)?.query(&[])?.next() {
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
    server: &'c LedgerServer,
    sql: Box<str>,
    statement: tokio_postgres::Statement,
    names: Rc<[String]>,
}

impl ServerStatement<'_> {
    pub(super) fn execute(&mut self, values: &impl Params) -> Answer<usize> {
        let values = self.bind(values)?;
        self.server.answered.borrow_mut().clear();
        let session = &self.server.session;
        let changed = session.execute(&self.statement, &as_refs(&values))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// As `execute`. In a write the next question hears of an error, or else the commit.
    pub(super) fn change(&mut self, values: &impl Params) -> Answer<()> {
        if self.server.transaction.get() != Some(Within::Write) {
            return self.execute(values).map(drop);
        }
        let values = self.bind(values)?;
        self.server.answered.borrow_mut().clear();
        let session = &self.server.session;
        Ok(session.execute_later(self.statement.clone(), values)?)
    }

    pub(super) fn query(&mut self, values: &impl Params) -> Answer<std::vec::IntoIter<ServerRow>> {
        let values = self.bind(values)?;
        let rows = match self.server.find_answer(&self.sql, &values) {
            Some(rows) => rows,
            None => {
                let session = &self.server.session;
                self.read(session.query(&self.statement, &as_refs(&values))?)?
            }
        };
        Ok(rows.into_iter())
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    fn exists(&mut self, name: &str) -> Answer<bool> {
        Ok(self.query(&[name])?.len() > 0)
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

    fn read(&self, rows: Vec<tokio_postgres::Row>) -> Answer<Vec<ServerRow>> {
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

fn as_refs(values: &[Bound]) -> Vec<&(dyn tokio_postgres::types::ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

impl ServerError {
    pub(super) fn trouble(&self) -> EngineTrouble {
        match self {
            Self::Password { .. } => EngineTrouble::Login,
            Self::Tls { source, .. } => EngineTrouble::Untrusted(source.fault()),
            Self::Migrated { .. } => EngineTrouble::Migrated,
            Self::NoDatabase { .. } => EngineTrouble::NoDatabase,
            Self::Dropped { .. } => EngineTrouble::Dropped,
            Self::Standby { .. } | Self::Encoding { .. } | Self::TooOld { .. } | Self::Pooler => {
                EngineTrouble::Unfit
            }
            Self::ReadOnly { .. } => EngineTrouble::ReadOnly,
            Self::NotAllowed { .. } => EngineTrouble::NotAllowed,
            Self::Unreachable { .. } | Self::Gone { .. } | Self::Unconfirmed { .. } => {
                EngineTrouble::Gone
            }
            Self::Busy { .. } => EngineTrouble::Busy,
            Self::Full { .. } => EngineTrouble::Disk,
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

    let place = ServerPlace::parse(url).unwrap();
    let deadlines = Deadlines {
        connect: Duration::from_secs(30),
        answer: Duration::from_secs(60),
        lock: IN_QUEUE,
    };
    let roots = TrustedRoots::Bundled;
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
#[cfg(unix)]
mod tests;
