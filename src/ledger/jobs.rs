use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, params};
use serde_json::json;

use crate::domain::{Batch, JobId, JobState, ProjectKey, Rate, RequestId, TaskId, TaskStatus};

use super::audit::{self, AuditEvent, Moved, Why};
use super::records::{JOB_COLUMNS, format_time, job_id, read_job};
use super::schedule::{after_question, follow, schedule};
use super::sender;
use super::{JobRecord, Ledger, LedgerError, Slot, pace, payload, prepare};

/// The note on a job that has a task, although an earlier POST of it may have made another one.
const MAY_BE_DOUBLE: &str = "possible duplicate: it was sent before, no answer came, and that POST may have been taken as well";

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
    Refused,
    /// The rate limit kept it out; it and the whole project wait until then.
    Deferred(DateTime<Utc>),
    Unknown,
}

impl Outcome {
    fn state(&self) -> JobState {
        match self {
            Self::NotCreated => JobState::Planned,
            Self::Accepted(_) | Self::Recovered(_) => JobState::Accepted,
            Self::Refused => JobState::Refused,
            Self::Deferred(_) => JobState::Deferred,
            Self::Unknown => JobState::Unknown,
        }
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
        if let Some(wait) = record.not_before.and_then(|at| (at - now).to_std().ok())
            && wait > Duration::ZERO
        {
            return Ok(Claim::Wait(wait));
        }
        if let Slot::Wait(wait) = pace::take(&tx, project, rate, now)? {
            tx.commit()?;
            return Ok(Claim::Wait(wait));
        }
        let moved = step(&tx, job, record.state, JobState::Sending, now)?;
        let attempt = record.attempts + 1;
        prepare(
            &tx,
            "UPDATE jobs SET attempts = $1 WHERE request = $2 AND number = $3",
        )?
        .execute(params![attempt, job.request.as_str(), job.number])?;
        prepare(
            &tx,
            "INSERT INTO attempts (request, number, attempt, sender, started_at)
             VALUES ($1, $2, $3, $4, $5)",
        )?
        .execute(params![
            job.request.as_str(),
            job.number,
            attempt,
            sender,
            format_time(now)
        ])?;
        moved.tell(&tx, purpose.why())?;
        tx.commit()?;
        Ok(Claim::Send { attempt })
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
        finish_attempt(&tx, job, outcome, reason, now)?.tell(&tx, Why::Answer)?;
        if let Outcome::Deferred(until) = outcome {
            pace::block(&tx, project, *until)?;
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
        let from = read_one(&tx, job)?.state;
        if let Some(next) = status.job_state()
            && from.may_become(next)
        {
            step(&tx, job, from, next, now)?.tell(&tx, Why::Status)?;
        }
        let record = read_one(&tx, job)?;
        if record.state.is_followed() {
            let next = after_question(&tx, &record, status.heard(), now)?;
            schedule(&tx, job, Some(next))?;
        }
        // Notes on how the job came by its task, such as a possible duplicate, stay.
        prepare(
            &tx,
            "UPDATE jobs SET mixpanel_status = $1, checked_at = $2
             WHERE request = $3 AND number = $4",
        )?
        .execute(params![
            status.as_str(),
            format_time(now),
            job.request.as_str(),
            job.number
        ])?;
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

    /// Takes the operator's word that a job of unknown outcome became this task.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the job's outcome is not unknown.
    pub fn record_settled(
        &mut self,
        job: &JobId,
        task: &TaskId,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let outcome = Outcome::Accepted(task.clone());
        finish_attempt(&tx, job, &outcome, Some(reason), now)?.tell(&tx, Why::Operator)?;
        tx.commit()?;
        Ok(())
    }

    /// Cancels what was never sent of a request: it is revoked, and nothing will send it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_withdrawn(
        &mut self,
        request: &RequestId,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let mut numbers: Vec<u32> = Vec::new();
        {
            let mut statement = prepare(
                &tx,
                "SELECT number FROM jobs
                 WHERE request = $1 AND state IN ('planned', 'deferred')",
            )?;
            let mut rows = statement.query([request.as_str()])?;
            while let Some(row) = rows.next()? {
                numbers.push(row.get(0)?);
            }
        }
        for number in numbers {
            let job = JobId {
                request: request.clone(),
                number,
            };
            let from = read_one(&tx, &job)?.state;
            let moved = step(&tx, &job, from, JobState::Revoked, now)?;
            prepare(
                &tx,
                "UPDATE jobs SET reason = 'cancelled before it was sent', not_before = NULL
                 WHERE request = $1 AND number = $2",
            )?
            .execute(params![request.as_str(), number])?;
            moved.tell(&tx, Why::Cancelled)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Notes that the operator gives up on a job of unknown outcome. It stays unknown: nobody
    /// will ever take it for done or failed.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_abandoned(&mut self, job: &JobId, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let abandoned = prepare(
            &tx,
            "UPDATE jobs SET abandoned_at = $1
             WHERE request = $2 AND number = $3 AND state = 'unknown' AND abandoned_at IS NULL",
        )?
        .execute(params![format_time(now), job.request.as_str(), job.number])?;
        if abandoned > 0 {
            audit::tell_job(&tx, AuditEvent::JobAbandoned, job, json!({}), now)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// A job as it stands now.
    ///
    /// # Errors
    /// When the ledger cannot be read, or there is no such job.
    pub fn find_job(&self, job: &JobId) -> Result<JobRecord, LedgerError> {
        read_one(&self.conn, job)
    }

    /// How many of a job's attempts before its last ended without anybody knowing how.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn count_unclear(&self, job: &JobId) -> Result<u32, LedgerError> {
        count_unclear(&self.conn, job)
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
    let moved = step(tx, job, record.state, outcome.state(), now)?;
    let unclear = count_unclear(tx, job)?;
    let (task, is_double) = match outcome {
        Outcome::Accepted(task) => (Some(task), unclear > 0),
        // Of two lost answers the task tells one; the other's may have run and ended before.
        Outcome::Recovered(task) => (Some(task), unclear > 1),
        Outcome::NotCreated | Outcome::Refused | Outcome::Deferred(_) | Outcome::Unknown => {
            (None, false)
        }
    };
    let is_double = record.may_be_double || is_double;
    let noted = match (task, is_double) {
        (Some(_), true) => reason.map_or_else(
            || Some(MAY_BE_DOUBLE.to_owned()),
            |reason| Some(format!("{reason}; {MAY_BE_DOUBLE}")),
        ),
        _ => reason.map(str::to_owned),
    };
    let submitted = task.map(|_| &at);
    let not_before = match outcome {
        Outcome::Deferred(until) => Some(format_time(*until)),
        _ => None,
    };
    prepare(
        tx,
        "UPDATE jobs SET task_id = $1, submitted_at = $2, not_before = $3, reason = $4,
             may_be_double = $5
         WHERE request = $6 AND number = $7",
    )?
    .execute(params![
        task.map(TaskId::as_str),
        submitted,
        not_before,
        noted,
        i64::from(is_double),
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
        outcome.state().as_str(),
        noted,
        job.request.as_str(),
        job.number,
        record.attempts
    ])?;
    Ok(moved)
}

/// Moves a job to `next` and appends the step to its history, inside the caller's transaction,
/// so the history explains the state even after a crash.
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
    Ok(Moved::new(job, from, at))
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

pub(super) fn count_unclear(conn: &Connection, job: &JobId) -> Result<u32, LedgerError> {
    Ok(prepare(
        conn,
        "SELECT COUNT(*) FROM attempts
         WHERE request = $1 AND number = $2 AND outcome = 'unknown'
           AND attempt < (SELECT attempts FROM jobs WHERE request = $1 AND number = $2)",
    )?
    .query_row(params![job.request.as_str(), job.number], |row| row.get(0))?)
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
