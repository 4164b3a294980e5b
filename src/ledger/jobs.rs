use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, params};

use crate::domain::{
    Batch, Doubt, JobId, JobState, ProjectKey, Rate, RequestId, TaskId, TaskStatus,
};

use super::audit::{self, Moved, Why};
use super::doubt::{self, IN_DOUBT, Of, Unclear, count_unclear, doubt_of, note_doubt, note_reason};
use super::records::{JOB_COLUMNS, format_time, job_id, read_job};
use super::schedule::{after_question, follow, schedule};
use super::sender;
use super::{JobRecord, Ledger, LedgerError, Slot, pace, payload, prepare};

/// The notes on a job that has a task, although an earlier POST of it may have made another one.
const MAY_BE_DOUBLE: &str =
    "possible duplicate: it was sent before, and that POST may have been taken as well";
const MAY_BE_DOUBLE_OF_LOST_TIME: &str =
    "possible duplicate: it may have been sent before, in the time the ledger lacks";

/// Why a job is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It was not sent yet, or was certainly not taken.
    Submit,
    /// Its outcome is unknown, and the same POST once more tells, or the operator said so.
    Settle,
}

impl Purpose {
    fn why(self) -> Why {
        match self {
            Self::Submit => Why::Submit,
            Self::Settle => Why::Settle,
        }
    }
}

/// What came of the wish to send a job.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The intent is on disk and the slot taken: send it now, as this attempt (counted from 1).
    Send { attempt: u32 },
    /// Not yet; ask again after this long.
    Wait(Duration),
    /// It is not to be sent (any more): another dsr has it, or has sent it.
    Taken(JobState),
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// Proof that nothing was created, for a cause that is not the job's: it is planned again.
    NotCreated,
    Accepted(TaskId),
    /// Mixpanel named the task of an earlier POST, to which no answer had come.
    Recovered(TaskId),
    /// Mixpanel accepted it, and did not say as which task.
    AcceptedUnread,
    Refused,
    /// The rate limit kept it out; it and the whole project wait until then.
    Deferred(DateTime<Utc>),
    Unknown,
    /// Proof that this POST, made to settle the job, created nothing; it would have been this. The
    /// job stays unknown.
    Unsettled(JobState),
    /// The same, and the task of the POSTs before may have ended: another POST would be a second
    /// deletion, so only the operator's word settles it.
    Undecided,
}

impl Outcome {
    /// Where the job goes, if nothing is in doubt.
    fn state(&self) -> JobState {
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

    /// What the answer says of this attempt.
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

    /// Whether attempts before it, `unclear` of which made a task or may have made one, are in doubt
    /// from now on. An unknown job says so by its state.
    fn doubt(&self, unclear: u32) -> Doubt {
        Doubt::of(match self {
            Self::Accepted(_) | Self::NotCreated | Self::Refused | Self::Deferred(_) => unclear > 0,
            Self::Undecided => true,
            // Of two lost answers the task tells one; the other's may have run and ended before.
            Self::Recovered(_) => unclear > 1,
            Self::AcceptedUnread | Self::Unknown | Self::Unsettled(_) => false,
        })
    }
}

impl Ledger {
    /// Commits the intent to send a job, together with the project's slot.
    ///
    /// When this returns [`Claim::Send`], the intent is durable: if the process dies from here
    /// on, the job is found `sending` and becomes `unknown`, never `planned`.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing may be sent.
    pub fn record_sending(
        &mut self,
        job: &JobId,
        purpose: Purpose,
        project: &ProjectKey,
        rate: Rate,
        now: DateTime<Utc>,
    ) -> Result<Claim, LedgerError> {
        let sender = self.start_sending(now)?;
        let tx = self.write()?;
        let record = read_one(&tx, job)?;
        let fits = match purpose {
            Purpose::Submit => record.state.is_sendable(),
            Purpose::Settle => record.is_unsettled(),
        };
        if !fits {
            return Ok(Claim::Taken(record.state));
        }
        let slot = pace::take(&tx, project, rate, now)?;
        pace::reserve(&tx, project, rate, now)?;
        if let Slot::Wait(wait) = slot {
            tx.commit()?;
            return Ok(Claim::Wait(wait));
        }
        begin_attempt(&tx, &record, &sender, now, now)?.tell(&tx, purpose.why())?;
        tx.commit_seen()?;
        Ok(Claim::Send {
            attempt: record.attempts + 1,
        })
    }

    /// Commits how the attempt under way ended; only then may it be told to anyone.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the job was not being sent.
    pub fn record_outcome(
        &mut self,
        job: &JobId,
        project: &ProjectKey,
        rate: Rate,
        outcome: &Outcome,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let from = read_one(&tx, job)?.state;
        if from != JobState::Sending {
            return Err(LedgerError::IllegalStep {
                job: job.clone(),
                from,
                to: outcome.state(),
            });
        }
        pace::push_back(&tx, project, rate, now)?;
        let shared = match outcome {
            Outcome::Accepted(task) => doubt::share(&tx, job, task, now)?,
            _ => None,
        };
        let (outcome, reason) = match &shared {
            Some(shared) => (&Outcome::AcceptedUnread, Some(shared.as_str())),
            None => (outcome, reason),
        };
        finish_attempt(&tx, job, outcome, reason, now)?.tell(&tx, Why::Answer)?;
        if let Outcome::Deferred(until) = outcome {
            pace::block(&tx, project, *until, now)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Commits what Mixpanel says of a job's task. A status that says nothing moves nothing.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_check(
        &mut self,
        job: &JobId,
        status: &TaskStatus,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let before = read_one(&tx, job)?;
        let next = status.job_state();
        let next = next.filter(|next| before.state.may_become(*next));
        let moved = next
            .map(|next| step(&tx, job, before.state, next, now))
            .transpose()?;
        if moved.as_ref().map(Moved::to) != next {
            let status = status.as_str();
            note_reason(&tx, job, &format!("its task is {status}; {IN_DOUBT}"))?;
        }
        note_status(&tx, job, status, now)?;
        let record = read_one(&tx, job)?;
        if record.state.is_followed() {
            let next = after_question(&tx, &record, status.heard(), now)?;
            schedule(&tx, job, Some(next))?;
        }
        let is_news = record.mixpanel_status != before.mixpanel_status;
        match moved {
            Some(moved) => moved.tell(&tx, Why::Status)?,
            // The same answer once more is no evidence while others follow.
            None if is_news || !record.state.is_followed() => {
                audit::note(&tx, job, Why::Status, now)?;
            }
            None => {}
        }
        tx.commit()?;
        Ok(())
    }

    /// Marks as unknown what a dsr that no longer lives was sending; how many jobs that were.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_interrupted(&mut self, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        let mut left = Vec::new();
        for (job, sender) in list_sending(self)? {
            let own = self.sender.as_ref().is_some_and(|own| own.id() == sender);
            if !own && !sender::is_alive(&self.path, &sender).map_err(LedgerError::Sender)? {
                left.push((job, sender));
            }
        }
        if left.is_empty() {
            return Ok(0);
        }
        let reason = "the dsr that sent it ended before the answer was recorded";
        let tx = self.write()?;
        let mut count = 0;
        for (job, sender) in left {
            // Another dsr may have come first.
            if read_one(&tx, &job)?.state == JobState::Sending && sender_of(&tx, &job)? == sender {
                finish_attempt(&tx, &job, &Outcome::Unknown, Some(reason), now)?
                    .tell(&tx, Why::Interrupted)?;
                count += 1;
            }
        }
        tx.commit()?;
        Ok(count)
    }

    /// A job as it stands now.
    ///
    /// # Errors
    /// When the ledger cannot be read, or there is no such job.
    pub fn find_job(&self, job: &JobId) -> Result<JobRecord, LedgerError> {
        read_one(&self.conn, job)
    }

    /// The ids of a job, where they are still kept.
    ///
    /// # Errors
    /// When they are damaged, or the ledger cannot be read.
    pub fn find_kept_batch(&self, job: &JobId) -> Result<Option<Batch>, LedgerError> {
        payload::find(&self.conn, job)
    }

    /// The ids of a job.
    ///
    /// # Errors
    /// When they are not there or damaged.
    pub fn find_batch(&self, job: &JobId) -> Result<Batch, LedgerError> {
        payload::read(&self.conn, job)
    }
}

impl Unclear {
    /// What is said of a job that has a task, with these POSTs in doubt.
    pub(super) fn note(&self) -> &'static str {
        match self.is_of_lost_span {
            true => MAY_BE_DOUBLE_OF_LOST_TIME,
            false => MAY_BE_DOUBLE,
        }
    }
}

/// Moves the job to `sending` and opens its next attempt, which began at `started`.
pub(super) fn begin_attempt(
    tx: &Transaction<'_>,
    record: &JobRecord,
    sender: &str,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Moved, LedgerError> {
    let job = &record.id;
    let (request, attempt) = (job.request.as_str(), record.attempts + 1);
    let moved = step(tx, job, record.state, JobState::Sending, now)?;
    prepare(
        tx,
        "UPDATE jobs SET attempts = $1 WHERE request = $2 AND number = $3",
    )?
    .execute(params![attempt, request, job.number])?;
    prepare(
        tx,
        "INSERT INTO attempts (request, number, attempt, sender, started_at)
         VALUES ($1, $2, $3, $4, $5)",
    )?
    .execute(params![
        request,
        job.number,
        attempt,
        sender,
        format_time(started)
    ])?;
    Ok(moved)
}

/// Moves the job on and closes its open attempt.
pub(super) fn finish_attempt(
    tx: &Transaction<'_>,
    job: &JobId,
    outcome: &Outcome,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Moved, LedgerError> {
    let record = read_one(tx, job)?;
    let at = format_time(now);
    let unclear = count_unclear(tx, job, Of::AllButTheLast)?;
    if outcome.doubt(unclear.posts).is_there() {
        note_doubt(tx, job)?;
    }
    let is_double = doubt_of(tx, job)?.is_there();
    let moved = step(tx, job, record.state, outcome.state(), now)?;
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
        Some(_) => is_double.then_some(unclear.note()),
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
    prepare(
        tx,
        "UPDATE jobs SET task_id = $1, submitted_at = $2, not_before = $3, reason = $4
         WHERE request = $5 AND number = $6",
    )?
    .execute(params![
        task.map(TaskId::as_str),
        submitted,
        not_before,
        noted,
        job.request.as_str(),
        job.number
    ])?;
    prepare(
        tx,
        "UPDATE attempts SET ended_at = $1, outcome = $2, reason = $3
         WHERE request = $4 AND number = $5 AND attempt = $6",
    )?
    .execute(params![
        at,
        outcome.of_attempt().as_str(),
        noted,
        job.request.as_str(),
        job.number,
        record.attempts
    ])?;
    Ok(moved)
}

/// Notes Mixpanel's word on a job's task. Notes on how the job came by its task stay.
pub(super) fn note_status(
    tx: &Transaction<'_>,
    job: &JobId,
    status: &TaskStatus,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET mixpanel_status = $1, checked_at = $2
         WHERE request = $3 AND number = $4",
    )?
    .execute(params![
        status.as_str(),
        format_time(now),
        job.request.as_str(),
        job.number
    ])?;
    Ok(())
}

/// Moves a job to `next`, or to where doubt about it leads, and appends the step to its history,
/// inside the caller's transaction, so the history explains the state even after a crash.
pub(super) fn step(
    tx: &Transaction<'_>,
    job: &JobId,
    from: JobState,
    next: JobState,
    at: DateTime<Utc>,
) -> Result<Moved, LedgerError> {
    if !from.may_become(next) {
        return Err(LedgerError::IllegalStep {
            job: job.clone(),
            from,
            to: next,
        });
    }
    let next = doubt_of(tx, job)?.leads_to(next);
    let request: &RequestId = &job.request;
    prepare(
        tx,
        "UPDATE jobs SET state = $1 WHERE request = $2 AND number = $3",
    )?
    .execute(params![next.as_str(), request.as_str(), job.number])?;
    follow(tx, job, next, at)?;
    prepare(
        tx,
        "INSERT INTO steps (request, number, step, from_state, to_state, at)
         SELECT $1, $2, COALESCE(MAX(step), 0) + 1, $3, $4, $5
         FROM steps WHERE request = $1 AND number = $2",
    )?
    .execute(params![
        request.as_str(),
        job.number,
        from.as_str(),
        next.as_str(),
        format_time(at)
    ])?;
    Ok(Moved::new(job, from, next, at))
}

pub(super) fn read_one(conn: &Connection, job: &JobId) -> Result<JobRecord, LedgerError> {
    let mut statement = prepare(
        conn,
        &format!("SELECT {JOB_COLUMNS} FROM jobs WHERE request = $1 AND number = $2"),
    )?;
    let mut rows = statement.query(params![job.request.as_str(), job.number])?;
    match rows.next()? {
        Some(row) => read_job(row),
        None => Err(LedgerError::NoJob(job.clone())),
    }
}

pub(super) fn sender_of(tx: &Transaction<'_>, job: &JobId) -> Result<String, LedgerError> {
    Ok(prepare(
        tx,
        "SELECT sender FROM attempts WHERE request = $1 AND number = $2
             ORDER BY attempt DESC LIMIT 1",
    )?
    .query_row(params![job.request.as_str(), job.number], |row| row.get(0))?)
}

fn list_sending(ledger: &Ledger) -> Result<Vec<(JobId, String)>, LedgerError> {
    let mut statement = prepare(
        &ledger.conn,
        "SELECT request, number, sender FROM attempts
         WHERE ended_at IS NULL
           AND EXISTS (SELECT 1 FROM jobs WHERE request = attempts.request
                       AND number = attempts.number AND state = 'sending')",
    )?;
    let rows = statement.query_map([], |row| Ok((job_id(row)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
