//! The attempts of a job. Each is one POST, opened and closed in the same step that moves the job.

use chrono::{DateTime, Utc};

use crate::domain::{Doubt, JobId, JobState, TaskId};

use super::row::{note_doubt, set, step};
use crate::ledger::audit::{AuditEvent, Moved};
use crate::ledger::columns::format_time;
use crate::ledger::engine::{Connection, Question, Transaction, params};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{JobRecord, LedgerError};

/// The reason of a job with an earlier attempt in doubt, unless the job is done.
pub(crate) const IN_DOUBT: &str = "an earlier attempt may have been carried out";

/// The notes on a job with a task whose earlier POST may have made another task.
const MAY_BE_DOUBLE: &str =
    "possible duplicate: it was sent before, and Mixpanel may have accepted that, too";
const MAY_BE_DOUBLE_OF_LOST_TIME: &str =
    "possible duplicate: it may have been sent before, in the lost time";

/// The sender of an attempt that may have been made in a time that the ledger lacks.
pub(crate) const SET_BACK: &str = "set-back";

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// Proof that nothing was created, for a cause outside the job: it is planned again.
    NotCreated,
    Accepted(TaskId),
    /// Mixpanel named the task of an earlier, unanswered POST.
    Recovered(TaskId),
    /// Mixpanel accepted it without a readable task id.
    AcceptedUnread,
    Refused,
    /// Rate limit; the job and the whole project wait until then.
    Deferred(DateTime<Utc>),
    Unknown,
    /// Proof that this POST, made to settle the job, created nothing. Its own outcome is given; the
    /// job stays unknown.
    Unsettled(JobState),
    /// The same, but the earlier task may have ended, so another POST would be a second deletion.
    /// Only the operator's word settles the job.
    Undecided,
}

impl Outcome {
    /// The next state of the job, if nothing is in doubt.
    pub(crate) fn state(&self) -> JobState {
        match self {
            Self::NotCreated => JobState::Planned,
            Self::Accepted(_) | Self::Recovered(_) => JobState::Accepted,
            Self::Refused => JobState::Refused,
            Self::Deferred(_) => JobState::Deferred,
            Self::AcceptedUnread | Self::Unknown | Self::Unsettled(_) | Self::Undecided => {
                JobState::Unknown
            }
        }
    }

    fn of_attempt(&self) -> JobState {
        match self {
            Self::AcceptedUnread => JobState::Accepted,
            Self::Unsettled(state) => *state,
            Self::Undecided => JobState::Planned,
            Self::NotCreated
            | Self::Accepted(_)
            | Self::Recovered(_)
            | Self::Refused
            | Self::Deferred(_)
            | Self::Unknown => self.state(),
        }
    }

    /// Whether earlier attempts, `unclear` of which may have made a task, are now in doubt. An
    /// unknown job shows doubt by its state.
    fn doubt(&self, unclear: &Unclear) -> Doubt {
        let posts = unclear.posts;
        Doubt::of(match self {
            Self::Accepted(_) | Self::NotCreated | Self::Refused | Self::Deferred(_) => posts > 0,
            Self::Undecided => true,
            // The task explains only one of two lost answers; the other POST's task may already
            // have ended.
            Self::Recovered(_) => posts > 1 || unclear.has_lost_span,
            Self::AcceptedUnread | Self::Unknown | Self::Unsettled(_) => false,
        })
    }
}

/// Moves the job to `sending` and opens its next attempt, begun at `started`.
pub(crate) fn begin_attempt(
    tx: &Transaction<'_>,
    record: &JobRecord,
    sender: &str,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Moved, LedgerError> {
    let job = &record.id;
    let (request, attempt) = (job.request.as_str(), record.attempts + 1);
    let moved = step(tx, record, JobState::Sending, now)?;
    let sql = "UPDATE jobs SET attempts = $1 WHERE request = $2 AND number = $3";
    sql::execute(tx, sql, params![attempt, request, job.number])?;
    let sql = "INSERT INTO attempts (request, number, attempt, sender, started_at)
         VALUES ($1, $2, $3, $4, $5)";
    sql::execute(
        tx,
        sql,
        params![request, job.number, attempt, sender, format_time(started)],
    )?;
    Ok(moved)
}

/// Moves the job to its next state and closes its open attempt.
pub(crate) fn finish_attempt(
    tx: &Transaction<'_>,
    record: &JobRecord,
    outcome: &Outcome,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Moved, LedgerError> {
    let job = &record.id;
    let at = format_time(now);
    let unclear = count_unclear(tx, job, Of::AllButTheLast)?;
    let is_in_doubt = outcome.doubt(&unclear).is_there();
    if is_in_doubt {
        note_doubt(tx, job)?;
    }
    let record = JobRecord {
        may_be_double: record.may_be_double || is_in_doubt,
        ..record.clone()
    };
    let moved = step(tx, &record, outcome.state(), now)?;
    let task = match outcome {
        Outcome::Accepted(task) | Outcome::Recovered(task) => Some(task),
        Outcome::NotCreated
        | Outcome::AcceptedUnread
        | Outcome::Refused
        | Outcome::Deferred(_)
        | Outcome::Unknown
        | Outcome::Unsettled(_)
        | Outcome::Undecided => None,
    };
    let note = match task {
        Some(_) => record.may_be_double.then_some(unclear.note()),
        None => (moved.to() != outcome.state()).then_some(IN_DOUBT),
    };
    let noted = match (reason, note) {
        (Some(reason), Some(note)) => Some(format!("{reason}; {note}")),
        (reason, note) => reason.or(note).map(str::to_owned),
    };
    let submitted = task.map(|_| &at);
    let not_before = match outcome {
        Outcome::Deferred(until) => Some(format_time(*until)),
        _ => None,
    };
    set(
        tx,
        job,
        "task_id = $1, submitted_at = $2, not_before = $3, reason = $4",
        params![task.map(TaskId::as_str), submitted, not_before, noted],
    )?;
    let sql = "UPDATE attempts SET ended_at = $1, outcome = $2, reason = $3
         WHERE request = $4 AND number = $5 AND attempt = $6";
    sql::execute(
        tx,
        sql,
        params![
            at,
            outcome.of_attempt().as_str(),
            noted,
            job.request.as_str(),
            job.number,
            record.attempts
        ],
    )?;
    Ok(moved)
}

pub(crate) fn sender_of(tx: &Transaction<'_>, job: &JobId) -> Result<String, LedgerError> {
    let sql = "SELECT sender FROM attempts WHERE request = $1 AND number = $2
             ORDER BY attempt DESC LIMIT 1";
    sql::value(tx, sql, sql::of(job))
}

/// Which of a job's attempts to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    All,
    AllButTheLast,
}

/// The attempts of a job that made or may have made a task. A possible attempt in a time that the
/// ledger lacks counts only if there is no other.
pub(crate) struct Unclear {
    pub(crate) posts: u32,
    /// In a time that the ledger lacks, any number of tasks may have been made.
    has_lost_span: bool,
    /// No attempt is known to have been made.
    is_of_lost_span: bool,
}

impl Unclear {
    /// The note for a job with a task while these POSTs are in doubt.
    pub(crate) fn note(&self) -> &'static str {
        match self.is_of_lost_span {
            true => MAY_BE_DOUBLE_OF_LOST_TIME,
            false => MAY_BE_DOUBLE,
        }
    }
}

pub(crate) fn count_unclear(
    conn: &Connection,
    job: &JobId,
    which: Of,
) -> Result<Unclear, LedgerError> {
    let asked = unclear_question(job, which)?;
    let (certain, all): (u32, u32) =
        prepare(conn, &asked.sql)?.query_row(asked.values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_of_lost_span = certain == 0 && all > 0;
    Ok(Unclear {
        posts: certain.max(u32::from(is_of_lost_span)),
        has_lost_span: all > certain,
        is_of_lost_span,
    })
}

/// What [`count_unclear`] asks.
pub(crate) fn unclear_question(job: &JobId, which: Of) -> Result<Question, LedgerError> {
    let before = i64::from(which == Of::AllButTheLast);
    let sql = "SELECT COUNT(*) FILTER (WHERE sender <> $1), COUNT(*) FROM attempts
         WHERE request = $2 AND number = $3 AND outcome IN ('unknown', 'accepted')
           AND attempt <= (SELECT attempts FROM jobs WHERE request = $2 AND number = $3) - $4";
    let values = params![SET_BACK, job.request.as_str(), job.number, before];
    Ok(Question::new(sql, values)?)
}

/// Whether the operator asked to cancel the job's request, and not to send the job again since.
pub(crate) fn is_called_off(conn: &Connection, job: &JobId) -> Result<bool, LedgerError> {
    let sql = "SELECT event FROM audit
         WHERE request = $1 AND ((event = $2 AND job IS NULL) OR (event = $3 AND job = $4))
         ORDER BY seq DESC LIMIT 1";
    let asked = AuditEvent::CancellationAsked.as_str();
    let again = AuditEvent::SendAgainAsked.as_str();
    let values = params![job.request.as_str(), asked, again, job.number];
    let last: Option<String> = sql::find_value(conn, sql, values)?;
    Ok(last.as_deref() == Some(asked))
}
