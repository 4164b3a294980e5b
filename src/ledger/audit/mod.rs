//! The audit trail: one entry for each step of each request, written in the step's transaction.
//! Each entry is sealed by a hash over itself and the entry before. Only ever appended to; purging
//! and hashing leave it unchanged. So it must never hold an id, a token, or words of a server or
//! person that may hold one. A class gives the reason instead.

mod anchor;
mod chain;
mod entries;
mod events;
mod evidence;
mod finding;
mod job_rows;
mod rows;
mod said;
mod start;
mod verify;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{Actor, BatchId, JobId, JobState, RequestId};
use crate::ledger::engine::{
    Answer, Connection, EngineTrouble, OptionalExtension, Question, Row, ValueRef, params,
};

use super::columns::{format_time, parse_time, unreadable};
use super::owed::OwedReceipt;
use super::seal::KeySource;
use super::sql::{self, prepare};
use super::{LedgerError, ServerClock, SteadyClock, Write};
use chain::RawEntry;

pub use anchor::{Anchor, AnchorError, KeptHead};
pub use entries::{AuditEntry, Chosen, Entries};
pub use events::AuditEvent;
pub use finding::{Audit, Finding, Glance, LostHead};

#[cfg(test)]
pub(crate) use evidence::{NOT_EVIDENCE, OTHER_TABLES, tables};
pub(crate) use job_rows::{LAST_OF_JOB, demand_sealed};
pub(crate) use rows::{demand_open_rows, details_of, reseal};
pub(crate) use said::{demand_held, is_held, last_entry, object};
pub(crate) use start::start;
pub(crate) use verify::{look, verify, verify_chain};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who opens the ledger, when and for which command, as this process's entries say.
#[derive(Debug, Clone)]
pub struct Opening {
    pub actor: Actor,
    /// Only the command, such as `dsr delete`, without arguments.
    pub command: String,
    pub now: DateTime<Utc>,
    pub steady: SteadyClock,
    /// Set once the ledger of a server is open.
    pub server_clock: ServerClock,
    /// Only a ledger on a server asks it.
    pub key: KeySource,
    /// Written before this process waits for the ledger.
    pub owed: OwedReceipt,
}

/// No named actor, for tests.
impl Default for Opening {
    fn default() -> Self {
        Self {
            actor: Actor::default(),
            command: "dsr".to_owned(),
            now: DateTime::UNIX_EPOCH,
            steady: SteadyClock::default(),
            server_clock: ServerClock::default(),
            key: KeySource::default(),
            owed: OwedReceipt::default(),
        }
    }
}

/// The end of the trail. Save it elsewhere, so that nobody can rewrite the trail unnoticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of entries, which is also the last entry's number.
    pub count: u64,
    /// The last entry's hash: 64 lower-case hex digits.
    pub hash: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum EntrySubject<'a> {
    Ledger,
    Request(&'a RequestId),
    Job(&'a JobId),
    /// In the trail, the id of an ingestion is in the place of a request's.
    Ingestion(&'a RequestId),
    /// In the trail, the number of a batch is in the place of a job's.
    Batch(&'a BatchId),
}

impl<'a> EntrySubject<'a> {
    /// What stands in the trail in the places of a request and of a job.
    fn places(self) -> (Option<&'a RequestId>, Option<u32>) {
        match self {
            Self::Ledger => (None, None),
            Self::Request(id) | Self::Ingestion(id) => (Some(id), None),
            Self::Job(job) => (Some(&job.request), Some(job.number)),
            Self::Batch(batch) => (Some(&batch.ingestion), Some(batch.number)),
        }
    }
}

/// Why a job changed, as a class: the words of the reason may be a server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// About to be sent for the first time, or the last POST was certainly not accepted.
    Submit,
    /// About to be sent again, since its outcome is unknown.
    Settle,
    /// Its POST was answered, or certainly will not be.
    Answer,
    /// Mixpanel reported its task's status.
    Status,
    /// The dsr that was sending it died.
    Interrupted,
    /// A receipt had the task that Mixpanel accepted.
    Receipt,
    /// The operator named its task.
    Operator,
    /// Its ids are in another task, or a conflict over them is unclear.
    Linked,
    Cancelled,
    /// The ledger was set back, and the lost time may include a POST of it.
    SetBack,
    /// Split off another job.
    Added,
    /// Keyed hashes replaced its ids.
    Hashed,
    /// Mixpanel's answer about its task contradicts the ledger.
    Contradiction,
}

impl Why {
    fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Settle => "settle",
            Self::Answer => "answer",
            Self::Status => "status",
            Self::Interrupted => "interrupted",
            Self::Receipt => "receipt",
            Self::Operator => "operator",
            Self::Linked => "linked",
            Self::Cancelled => "cancelled",
            Self::SetBack => "set_back",
            Self::Added => "added",
            Self::Hashed => "hashed",
            Self::Contradiction => "contradiction",
        }
    }
}

/// A job that just changed state, without an audit entry yet.
#[must_use = "the trail has to hear of it, once the job's row has all that changed"]
pub(crate) struct Moved {
    job: JobId,
    from: JobState,
    to: JobState,
    at: DateTime<Utc>,
}

impl Moved {
    pub(crate) fn new(job: &JobId, from: JobState, to: JobState, at: DateTime<Utc>) -> Self {
        Self {
            job: job.clone(),
            from,
            to,
            at,
        }
    }

    /// The new state; see [`crate::domain::Doubt::leads_to`].
    pub(crate) fn to(&self) -> JobState {
        self.to
    }

    pub(crate) fn tell(self, tx: &Write<'_>, why: Why) -> Result<(), LedgerError> {
        let details = json!({ "from": self.from.as_str(), "why": why.as_str() });
        let (event, subject) = (AuditEvent::JobMoved, EntrySubject::Job(&self.job));
        tell(tx, event, subject, details, self.at)
    }
}

/// Appends an entry about a job that changes but keeps its state.
pub(crate) fn note(
    tx: &Write<'_>,
    job: &JobId,
    why: Why,
    at: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let details = json!({ "why": why.as_str() });
    tell(
        tx,
        AuditEvent::JobNoted,
        EntrySubject::Job(job),
        details,
        at,
    )
}

/// The columns of [`facts`].
const FACTS: &str = "SELECT state, ids_count, attempts, task_id, linked, abandoned_at IS NOT NULL
     FROM jobs WHERE request = $1 AND number = $2";

const HEAD: &str = "SELECT count, hash FROM audit_head";
const BEHIND_HEAD: &str = "SELECT 1 FROM audit WHERE seq = (SELECT count + 1 FROM audit_head)";

/// The facts of a job, from six columns starting at `first`.
fn facts(row: &Row<'_>, first: usize) -> Answer<Value> {
    let is = |place| -> Answer<bool> {
        let value = row.get_ref(place)?;
        Ok(!matches!(value, ValueRef::Integer(0) | ValueRef::Null))
    };
    Ok(json!({
        "state": value(row.get_ref(first)?),
        "ids": value(row.get_ref(first + 1)?),
        "attempts": value(row.get_ref(first + 2)?),
        "task_id": value(row.get_ref(first + 3)?),
        "linked": is(first + 4)?,
        "abandoned": is(first + 5)?,
    }))
}

fn facts_of(conn: &Connection, job: &JobId) -> Result<Option<Value>, LedgerError> {
    sql::find(conn, FACTS, sql::of(job), |row| Ok(facts(row, 0)?))
}

/// What the digest over a job's rows asks.
pub(crate) fn questions_of(job: &JobId) -> Result<Vec<Question>, LedgerError> {
    let rows = evidence::questions(EntrySubject::Job(job))?;
    Ok(rows.into_iter().map(|(_, question)| question).collect())
}

/// A stored value. A type that dsr never writes simply counts as a different value.
pub(crate) fn value(stored: ValueRef<'_>) -> Value {
    match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(_) => json!([]),
    }
}

/// Appends an entry in the transaction of the change that it records. All rows must be final: the
/// job's facts and the digest of the subject's rows go into the details.
pub(crate) fn tell(
    tx: &Write<'_>,
    event: AuditEvent,
    subject: EntrySubject<'_>,
    mut details: Value,
    at: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let mut asked = vec![Question::new(HEAD, [])?, Question::new(BEHIND_HEAD, [])?];
    if let EntrySubject::Job(job) = subject {
        asked.push(Question::new(FACTS, sql::of(job))?);
    }
    let rows = evidence::questions(subject)?;
    asked.extend(rows.into_iter().map(|(_, question)| question));
    tx.ask_ahead(&asked)?;
    let Some((count, before)) = head_row(tx)? else {
        return Err(LedgerError::Trail("its head is gone".to_owned()));
    };
    if sql::exists(tx, BEHIND_HEAD, [])? {
        let what = format!("entry {} stands behind its head", count.saturating_add(1));
        return Err(LedgerError::Trail(what));
    }
    if let (EntrySubject::Job(job), Value::Object(details)) = (subject, &mut details) {
        let facts = facts_of(tx, job)?.ok_or_else(|| LedgerError::NoJob(job.clone()))?;
        details.extend(facts.as_object().cloned().unwrap_or_default());
    }
    details[evidence::KEY] = json!(evidence::digest_of(tx, subject)?);
    let raw = sealed(tx.opening, event, subject, &details, at, count);
    tx.head.replace(Some(append(tx, &raw, &before)?));
    Ok(())
}

/// The entry after `count` others, not written yet.
fn sealed(
    opening: &Opening,
    event: AuditEvent,
    subject: EntrySubject<'_>,
    details: &Value,
    at: DateTime<Utc>,
    count: i64,
) -> RawEntry {
    let (request, job) = subject.places();
    RawEntry {
        seq: count.saturating_add(1),
        at: format_time(at),
        user: opening.actor.user().to_owned(),
        host: opening.actor.host().to_owned(),
        command: opening.command.clone(),
        version: VERSION.to_owned(),
        event: event.as_str().to_owned(),
        request: request.map(|request| request.as_str().to_owned()),
        job: job.map(i64::from),
        details: details.to_string(),
    }
}

/// Returns the new head.
fn append(conn: &Connection, raw: &RawEntry, before: &str) -> Result<Anchor, LedgerError> {
    let hash = raw.hash(before);
    let sql =
        "INSERT INTO audit (seq, at, actor_user, actor_host, command, version, event, request,
             job, details, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sql::execute(
        conn,
        sql,
        params![
            raw.seq,
            raw.at,
            raw.user,
            raw.host,
            raw.command,
            raw.version,
            raw.event,
            raw.request,
            raw.job,
            raw.details,
            hash
        ],
    )?;
    let sql = "UPDATE audit_head SET count = $1, hash = $2";
    sql::execute(conn, sql, params![raw.seq, hash])?;
    anchor(raw.seq, hash)
}

fn anchor(count: i64, hash: String) -> Result<Anchor, LedgerError> {
    let count = u64::try_from(count).map_err(|_| unreadable("the audit trail's head"))?;
    Ok(Anchor { count, hash })
}

fn head_row(conn: &Connection) -> Result<Option<(i64, String)>, LedgerError> {
    let mut statement = prepare(conn, HEAD)?;
    let row = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
    match row.optional() {
        // A type that dsr never writes.
        Err(error) if matches!(error.trouble(), EngineTrouble::WrongType(_)) => {
            Err(LedgerError::Trail("its head cannot be read".to_owned()))
        }
        row => Ok(row?),
    }
}

/// The head by its own row; `None` if there is none.
pub(crate) fn find_head(conn: &Connection) -> Result<Option<Anchor>, LedgerError> {
    let head = head_row(conn)?;
    head.map(|(count, hash)| anchor(count, hash)).transpose()
}

impl super::Ledger {
    /// The head of the trail.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the last entry does not match the head.
    pub fn audit_head(&self) -> Result<AuditHead, LedgerError> {
        let damaged = |what: &str| LedgerError::Trail(what.to_owned());
        let view = self.conn.view()?;
        let (count, hash) = head_row(&view)?.ok_or_else(|| damaged("its head is gone"))?;
        let sql = "SELECT at, hash, (SELECT MAX(seq) FROM audit) FROM audit WHERE seq = $1";
        let mut statement = prepare(&view, sql)?;
        let mut rows = statement.query([count])?;
        let Some(row) = &rows.next()? else {
            return Err(damaged("the entry that its head names is gone"));
        };
        let (at, sealed, last): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if sealed != hash || last != count {
            return Err(damaged("its last entry is not the one that its head names"));
        }
        Ok(AuditHead {
            count: u64::try_from(count).map_err(|_| unreadable("the audit trail's head"))?,
            hash,
            at: parse_time(&at)?,
        })
    }
}
