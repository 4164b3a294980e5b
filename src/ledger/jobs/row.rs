//! The row of one job: read, and changed one column after the other, in the caller's transaction.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, params};

use crate::domain::{Doubt, JobId, JobState, RequestId, TaskStatus};

use crate::ledger::audit::Moved;
use crate::ledger::columns::format_time;
use crate::ledger::requests::records::{JOB_COLUMNS, read_job};
use crate::ledger::{JobRecord, LedgerError, prepare};

pub(crate) fn read_one(conn: &Connection, job: &JobId) -> Result<JobRecord, LedgerError> {
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

/// Notes Mixpanel's word on a job's task. Notes on how the job came by its task stay.
pub(crate) fn note_status(
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

pub(crate) fn note_reason(tx: &Connection, job: &JobId, reason: &str) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET reason = $1 WHERE request = $2 AND number = $3",
    )?
    .execute(params![reason, job.request.as_str(), job.number])?;
    Ok(())
}

/// Notes that a POST of its ids may have been carried out beside what its state will say.
pub(crate) fn note_doubt(tx: &Connection, job: &JobId) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET may_be_double = 1 WHERE request = $1 AND number = $2",
    )?
    .execute(params![job.request.as_str(), job.number])?;
    Ok(())
}

pub(crate) fn doubt_of(conn: &Connection, job: &JobId) -> Result<Doubt, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT may_be_double <> 0 FROM jobs WHERE request = $1 AND number = $2",
    )?;
    let values = params![job.request.as_str(), job.number];
    Ok(Doubt::of(statement.query_row(values, |row| row.get(0))?))
}

/// Sets when a job is asked about that has just come into `state`.
pub(crate) fn follow(
    tx: &Transaction<'_>,
    job: &JobId,
    state: JobState,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    match state {
        JobState::Accepted => schedule(tx, job, Some(now)),
        // It is followed already.
        JobState::Running => Ok(()),
        JobState::Planned
        | JobState::Sending
        | JobState::Done
        | JobState::Refused
        | JobState::Deferred
        | JobState::Unknown
        | JobState::Failed
        | JobState::Revoked => schedule(tx, job, None),
    }
}

pub(crate) fn schedule(
    tx: &Transaction<'_>,
    job: &JobId,
    next: Option<DateTime<Utc>>,
) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET next_check = $1 WHERE request = $2 AND number = $3",
    )?
    .execute(params![
        next.map(format_time),
        job.request.as_str(),
        job.number
    ])?;
    Ok(())
}

/// Moves a job to `next`, or to where doubt about it leads, and appends the step to its history,
/// inside the caller's transaction, so the history explains the state even after a crash.
pub(crate) fn step(
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
