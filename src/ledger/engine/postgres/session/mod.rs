//! One session on the ledger's server, for callers that do not await.
//!
//! Every call ends by its deadline. A session that missed one is lost: its answers can no longer be told
//! from those of the next statement's.
//!
//! A message to the server and its answer take a round trip. So what needs no answer yet is sent without
//! waiting (`…_later`), and its error is that of the next call. Only for statements of a transaction,
//! which the server refuses to commit after such an error.

mod connect;
mod driver;
mod server;
mod statements;
pub(super) mod tls;

use std::cell::{Cell, RefCell};
use std::future::{poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_sink::Sink;
use secrecy::SecretString;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage, Statement};

use super::cause::{Cause, ServerWord};
use super::error::{Sent, ServerError};
use super::place::{ServerPlace, ServerRoute};
use connect::{KEEPALIVE_COUNT, KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, Login, TCP_USER_TIMEOUT};
use driver::{Driver, wait};
use server::{CHECK, ServerFacts};
use statements::Statements;
use tls::TrustedRoots;

/// A name in `pg_stat_activity` is cut there.
const MAX_APPLICATION_NAME: usize = 63;

/// COMMIT of a transaction that has failed rolls back, and reports success. `SET` fails there, and then
/// the server does not run the COMMIT.
const COMMIT: &str = "SET LOCAL synchronous_commit = on; COMMIT";

/// So many statements are under way at most, since each is held in memory.
const MOST_UNANSWERED: usize = 16;

/// A statement under way.
type Begun<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// How long to wait for the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// From the name's resolution until the session is ready.
    pub(crate) connect: Duration,
    /// For one statement's answer. Longer than `lock`, or a wait for a lock costs the session.
    pub(crate) answer: Duration,
    /// For one lock, counted by the server.
    pub(crate) lock: Duration,
}

/// A session. It belongs to one thread at a time, because a transaction does.
pub(crate) struct Session {
    // These first: the driver says goodbye only when no client is left.
    unanswered: RefCell<Vec<Begun<'static, ()>>>,
    client: Arc<Client>,
    driver: Driver,
    statements: RefCell<Statements>,
    answer: Cell<Duration>,
    lost: RefCell<Option<Cause>>,
    backend_pid: i32,
    #[cfg(test)]
    round_trips: Cell<u32>,
}

/// Gives a session lock back when it is dropped, unless the session has ended.
#[derive(Debug)]
pub(crate) struct Unlocking {
    client: Weak<Client>,
    class: i64,
    key: i64,
}

impl Drop for Unlocking {
    fn drop(&mut self) {
        if let Some(client) = self.client.upgrade() {
            let sql = format!("SELECT pg_advisory_unlock({}, {})", self.class, self.key);
            // The first poll sends it, and nothing depends on the answer.
            drop(poll_once(pin!(client.batch_execute(&sql))));
        }
    }
}

impl Session {
    /// Connects, logs in, and checks that the server can hold a ledger.
    ///
    /// # Errors
    /// All but `Gone`, `Unconfirmed` and `Conflict`.
    pub(crate) fn open(
        place: &ServerPlace,
        password: Option<&SecretString>,
        roots: &TrustedRoots,
        application_name: &str,
        deadlines: Deadlines,
    ) -> Result<Self, ServerError> {
        let started = Instant::now();
        let tls = match place.route() {
            ServerRoute::Socket(_) | ServerRoute::Loopback(_) => None,
            ServerRoute::Tls(_) => {
                Some(roots.client_config().map_err(|source| ServerError::Tls {
                    place: place.to_string(),
                    source,
                })?)
            }
        };
        let (client, driver) = Driver::start(Login {
            place: place.clone(),
            password: password.cloned(),
            tls,
            application_name: shown_name(application_name),
            deadline: deadlines.connect,
        })?;
        let mut session = Self {
            unanswered: RefCell::default(),
            client: Arc::new(client),
            driver,
            statements: RefCell::new(Statements::new()),
            answer: Cell::new(deadlines.connect.saturating_sub(started.elapsed())),
            lost: RefCell::new(None),
            backend_pid: 0,
            #[cfg(test)]
            round_trips: Cell::default(),
        };
        match session.prepare_server(place, deadlines.lock) {
            Ok(()) => {
                session.answer.set(deadlines.answer);
                Ok(session)
            }
            // Nothing of the caller's was under way.
            Err(ServerError::Gone { source, .. }) => Err(ServerError::Unreachable {
                place: place.to_string(),
                source,
            }),
            Err(error) => Err(error),
        }
    }

    fn prepare_server(&mut self, place: &ServerPlace, lock: Duration) -> Result<(), ServerError> {
        let messages = self.call(self.client.simple_query(CHECK))?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let found = row.and_then(ServerFacts::read).ok_or_else(|| {
            let text = "the server does not say what it is".to_owned();
            ServerError::Other {
                source: Cause::Text(text),
            }
        })?;
        found.check(place)?;
        self.backend_pid = found.backend_pid;
        // A lock timeout of zero would be none. The rest makes the server notice a client that is gone,
        // so that its session locks are free again within 11 s.
        self.batch(&format!(
            "SET lock_timeout = {}; SET idle_in_transaction_session_timeout = '30s'; \
             SET synchronous_commit = on; SET tcp_keepalives_idle = {}; \
             SET tcp_keepalives_interval = {}; SET tcp_keepalives_count = {KEEPALIVE_COUNT}; \
             SET tcp_user_timeout = {}",
            lock.as_millis().clamp(1, i32::MAX as u128),
            KEEPALIVE_IDLE.as_secs(),
            KEEPALIVE_INTERVAL.as_secs(),
            TCP_USER_TIMEOUT.as_millis(),
        ))
    }

    /// Changes the deadline of the statements that follow, such as for a check of the whole ledger.
    #[cfg(all(test, unix))]
    pub(crate) fn set_answer_deadline(&self, deadline: Duration) {
        self.answer.set(deadline);
    }

    /// The server's process for this session. Another one later means a pooler in between.
    pub(crate) fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    /// Whether every call would fail. The server may be gone without this being known yet.
    pub(crate) fn is_closed(&self) -> bool {
        self.lost.borrow().is_some() || self.client.is_closed()
    }

    /// For a session lock that this session has taken.
    pub(crate) fn unlocking(&self, class: i64, key: i64) -> Unlocking {
        let client = Arc::downgrade(&self.client);
        Unlocking { client, class, key }
    }

    /// How often it has waited for the server.
    #[cfg(test)]
    pub(crate) fn round_trips(&self) -> u32 {
        self.round_trips.get()
    }

    /// The notices since the last call, oldest first, at most the newest 64.
    #[cfg(all(test, unix))]
    pub(crate) fn notices(&self) -> Vec<ServerWord> {
        self.driver.take_notices()
    }

    /// Prepares a statement, or finds the one of an earlier call. Cloning it is cheap.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement, ServerError> {
        if let Some(statement) = self.statements.borrow_mut().get(sql) {
            return Ok(statement);
        }
        check_sql(sql)?;
        let statement = self.call(self.client.prepare(sql))?;
        self.statements.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }

    pub(crate) fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ServerError> {
        check_count(statement, parameters.len())?;
        self.call(self.client.query(statement, parameters))
    }

    /// Runs several queries in one round trip.
    pub(crate) fn query_all(
        &self,
        queries: &[(&Statement, Vec<&(dyn ToSql + Sync)>)],
    ) -> Result<Vec<Vec<Row>>, ServerError> {
        for (statement, parameters) in queries {
            check_count(statement, parameters.len())?;
        }
        self.demand_open()?;
        let begun = queries
            .iter()
            .map(|(statement, parameters)| begin(self.client.query(*statement, parameters)));
        let begun: Vec<Begun<'_, _>> = begun.collect();
        let mut begun = begun.into_iter();
        let Some(first) = begun.next() else {
            return Ok(Vec::new());
        };
        let deadline = Instant::now() + self.answer.get();
        let first = self.call(first)?;
        let rest = begun.map(|query| self.judge(wait(query, deadline)));
        std::iter::once(Ok(first)).chain(rest).collect()
    }

    /// Runs a statement, and returns how many rows it has changed.
    pub(crate) fn execute(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, ServerError> {
        check_count(statement, parameters.len())?;
        self.call(self.client.execute(statement, parameters))
    }

    /// As `execute`, without waiting for the answer.
    pub(crate) fn execute_later(
        &self,
        statement: Statement,
        parameters: Vec<impl ToSql + Send + Sync + 'static>,
    ) -> Result<(), ServerError> {
        check_count(&statement, parameters.len())?;
        let client = Arc::clone(&self.client);
        self.later(async move {
            client.execute_raw(&statement, parameters).await?;
            Ok(())
        })
    }

    /// Runs statements without parameters. To end a transaction, use `commit`.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), ServerError> {
        check_sql(sql)?;
        self.call(self.client.batch_execute(sql))
    }

    /// As `batch`, without waiting for the answer.
    pub(crate) fn batch_later(&self, sql: &'static str) -> Result<(), ServerError> {
        let client = Arc::clone(&self.client);
        self.later(async move { client.batch_execute(sql).await })
    }

    /// Ends the transaction, and makes sure that the server means it.
    ///
    /// # Errors
    /// `Gone` with `Sent::Maybe`: unknown whether it is committed. `Unconfirmed`: committed here, maybe
    /// not on the standby. Any other: not committed.
    pub(crate) fn commit(&self) -> Result<(), ServerError> {
        let before = self.driver.notice_count();
        self.call(self.client.batch_execute(COMMIT))?;
        let notices = self.driver.notices_since(before);
        let is_told = |sqlstate| {
            notices
                .iter()
                .find(|notice| notice.sqlstate == sqlstate)
                .cloned()
        };
        if let Some(notice) = is_told(ServerWord::NO_TRANSACTION) {
            return Err(ServerError::Other {
                source: Cause::ServerWord(Box::new(notice)),
            });
        }
        match is_told(ServerWord::WARNING) {
            Some(notice) => Err(ServerError::Unconfirmed {
                source: Cause::ServerWord(Box::new(notice)),
            }),
            None => Ok(()),
        }
    }

    /// Runs `COPY … FROM STDIN` with the bytes of `chunks`, and returns the number of rows. Making a
    /// chunk must not use this session.
    ///
    /// A copy that fails costs the session: tokio-postgres sends a Sync too many, and the server's
    /// answer to it could pass for the answer to the next statement, even to a COMMIT
    /// (rust-postgres #789).
    pub(crate) fn copy_in<E: From<ServerError>>(
        &self,
        sql: &str,
        chunks: impl IntoIterator<Item = Result<Bytes, E>>,
    ) -> Result<u64, E> {
        let statement = self.prepare(sql)?;
        self.copy(&statement, chunks).inspect_err(|_| {
            if !self.is_closed() {
                self.lose(Sent::No, Cause::Text("a copy failed".to_owned()));
            }
        })
    }

    fn copy<E: From<ServerError>>(
        &self,
        statement: &Statement,
        chunks: impl IntoIterator<Item = Result<Bytes, E>>,
    ) -> Result<u64, E> {
        let sink = self.call(self.client.copy_in::<_, Bytes>(statement))?;
        let mut sink = pin!(sink);
        for chunk in chunks {
            let chunk = chunk?;
            self.call(poll_fn(|cx| sink.as_mut().poll_ready(cx)))?;
            self.call(ready(sink.as_mut().start_send(chunk)))?;
        }
        Ok(self.call(poll_fn(|cx| sink.as_mut().poll_finish(cx)))?)
    }

    fn later(
        &self,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Result<(), ServerError> {
        self.demand_open()?;
        if self.unanswered.borrow().len() >= MOST_UNANSWERED {
            self.call(ready(Ok(())))?;
        }
        let mut work = Box::pin(work);
        match poll_once(work.as_mut()) {
            // It was not sent, so the server would commit without it.
            Poll::Ready(ended) => self.judge(Some(ended)),
            Poll::Pending => {
                self.unanswered.borrow_mut().push(work);
                Ok(())
            }
        }
    }

    /// Sends a message and waits for its answer, and for those before it. The first error counts.
    fn call<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, ServerError> {
        self.demand_open()?;
        let deadline = Instant::now() + self.answer.get();
        let mut work = pin!(work);
        let begun = poll_once(work.as_mut());
        #[cfg(test)]
        self.round_trips.update(|count| count + 1);
        let earlier = self.hear(deadline);
        let ended = match begun {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending => wait(work, deadline),
        };
        let answer = self.judge(ended);
        earlier.and(answer)
    }

    /// The first error of what is under way.
    fn hear(&self, deadline: Instant) -> Result<(), ServerError> {
        let mut first = Ok(());
        for work in self.unanswered.take() {
            let answer = self.judge(wait(work, deadline));
            first = first.and(answer);
        }
        first
    }

    fn demand_open(&self) -> Result<(), ServerError> {
        if let Some(source) = self.lost.borrow().clone() {
            return Err(ServerError::Gone {
                sent: Sent::No,
                source,
            });
        }
        match self.client.is_closed() {
            true => Err(self.lose(Sent::No, Cause::Closed)),
            false => Ok(()),
        }
    }

    /// Forgets the statements when the server no longer has them as they were, such as after a
    /// migration by another dsr: the next try prepares them again.
    fn judge<T>(&self, ended: Option<Result<T, Error>>) -> Result<T, ServerError> {
        let error = match ended {
            None => return Err(self.lose(Sent::Maybe, Cause::TimedOut(self.answer.get()))),
            Some(Ok(output)) => return Ok(output),
            Some(Err(error)) => ServerError::in_session(&error),
        };
        if matches!(error.sqlstate(), Some("0A000" | "26000")) {
            self.statements.borrow_mut().clear();
        }
        match error {
            ServerError::Gone { sent, source } => Err(self.lose(sent, source)),
            error => Err(error),
        }
    }

    fn lose(&self, sent: Sent, cause: Cause) -> ServerError {
        let source = match cause {
            // The driver knows what the connection died of.
            Cause::Closed => self.driver.end().unwrap_or(Cause::Closed),
            cause => cause,
        };
        self.driver.hang_up();
        *self.lost.borrow_mut() = Some(source.clone());
        ServerError::Gone { sent, source }
    }
}

/// Sends what a future has to send, and returns it.
fn begin<'a, T: Send + 'a>(
    work: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> Begun<'a, T> {
    let mut work: Begun<'a, T> = Box::pin(work);
    match poll_once(work.as_mut()) {
        Poll::Ready(ended) => Box::pin(ready(ended)),
        Poll::Pending => work,
    }
}

fn poll_once<F: Future + ?Sized>(work: Pin<&mut F>) -> Poll<F::Output> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

/// The protocol ends a text at its first NUL, and the driver's error for it looks like a lost connection.
fn check_sql(sql: &str) -> Result<(), ServerError> {
    match sql.contains('\0') {
        true => Err(ServerError::Other {
            source: Cause::Text("a statement holds a NUL".to_owned()),
        }),
        false => Ok(()),
    }
}

fn check_count(statement: &Statement, found: usize) -> Result<(), ServerError> {
    let expected = statement.params().len();
    if expected == found {
        return Ok(());
    }
    let text = format!("a statement has {expected} parameters and got {found}");
    Err(ServerError::Other {
        source: Cause::Text(text),
    })
}

/// The server replaces all but ASCII in it by `?`.
fn shown_name(name: &str) -> String {
    let shown = |letter: char| {
        if letter.is_ascii_graphic() {
            letter
        } else {
            '?'
        }
    };
    name.chars().map(shown).take(MAX_APPLICATION_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_the_servers_list() {
        assert_eq!(shown_name("dsr\0 é/42"), "dsr???/42");
        assert_eq!(shown_name(&"a".repeat(100)).len(), 63);
    }
}
