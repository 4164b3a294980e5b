//! Reads the row of one job, and changes its columns in the caller's transaction.

use chrono::{DateTime, Utc};

use crate::domain::{Doubt, JobId, JobState, RequestId, TaskStatus};

use crate::ledger::audit::{self, Moved};
use crate::ledger::columns::format_time;
use crate::ledger::engine::{Connection, Question, Row, ToSql, Transaction, params};
use crate::ledger::requests::records::{JOB_COLUMNS, read_job};
use crate::ledger::sql;
use crate::ledger::{JobRecord, LedgerError};

pub(crate) fn read_one(conn: &Connection, job: &JobId) -> Result<JobRecord, LedgerError> {
    let found = sql::find(conn, &select_one(), sql::of(job), read_job)?;
    found.ok_or_else(|| LedgerError::NoJob(job.clone()))
}

/// What [`read_one`] asks.
pub(crate) fn question(job: &JobId) -> Result<Question, LedgerError> {
    Ok(Question::new(select_one(), sql::of(job))?)
}

fn select_one() -> String {
    format!("SELECT {JOB_COLUMNS} FROM jobs WHERE request = $1 AND number = $2")
}

/// The same for a change, which seals the job's rows again: fails if they are not as they were sealed
/// last.
pub(crate) fn read_to_change(conn: &Connection, job: &JobId) -> Result<JobRecord, LedgerError> {
    let sql = select_to_change();
    let read = |row: &Row<'_>| Ok((read_job(row)?, row.get("sealed")?));
    let found: Option<(JobRecord, Option<String>)> = sql::find(conn, &sql, sql::of(job), read)?;
    let (record, last) = found.ok_or_else(|| LedgerError::NoJob(job.clone()))?;
    audit::demand_sealed(conn, job, last.as_deref())?;
    Ok(record)
}

/// What [`read_to_change`] asks.
pub(crate) fn questions_to_change(job: &JobId) -> Result<Vec<Question>, LedgerError> {
    let mut questions = audit::questions_of(job)?;
    questions.push(Question::new(select_to_change(), sql::of(job))?);
    Ok(questions)
}

fn select_to_change() -> String {
    format!(
        "SELECT {JOB_COLUMNS}, {LAST_OF_JOB} AS sealed FROM jobs WHERE request = $1 AND number = $2",
        LAST_OF_JOB = audit::LAST_OF_JOB,
    )
}

/// Sets columns of a job's row. `columns` is the SQL after `SET`.
pub(crate) fn set(
    conn: &Connection,
    job: &JobId,
    columns: &str,
    values: &[&dyn ToSql],
) -> Result<(), LedgerError> {
    let (request, number) = (job.request.as_str(), job.number);
    let (first, second) = (values.len() + 1, values.len() + 2);
    let sql = format!("UPDATE jobs SET {columns} WHERE request = ${first} AND number = ${second}");
    sql::execute(conn, &sql, &*[values, params![request, number]].concat())
}

/// Records Mixpanel's status of a job's task. Notes on how the job got its task stay.
pub(crate) fn note_status(
    tx: &Transaction<'_>,
    job: &JobId,
    status: &TaskStatus,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    set(
        tx,
        job,
        "mixpanel_status = $1, checked_at = $2",
        params![status.as_str(), format_time(now)],
    )
}

pub(crate) fn note_reason(tx: &Connection, job: &JobId, reason: &str) -> Result<(), LedgerError> {
    set(tx, job, "reason = $1", params![reason])
}

/// Records that another POST of the job's ids may have been carried out.
pub(crate) fn note_doubt(tx: &Connection, job: &JobId) -> Result<(), LedgerError> {
    set(tx, job, "may_be_double = 1", params![])
}

pub(crate) fn schedule(
    tx: &Transaction<'_>,
    job: &JobId,
    next: Option<DateTime<Utc>>,
) -> Result<(), LedgerError> {
    set(tx, job, "next_check = $1", params![next.map(format_time)])
}

/// Moves a job, as its row is now, to `next`, or to where doubt leads, and appends the step to its history. Uses the
/// caller's transaction, so the history explains the state even after a crash.
pub(crate) fn step(
    tx: &Transaction<'_>,
    record: &JobRecord,
    next: JobState,
    at: DateTime<Utc>,
) -> Result<Moved, LedgerError> {
    let (job, from) = (&record.id, record.state);
    if !from.may_become(next) {
        return Err(LedgerError::IllegalStep {
            job: job.clone(),
            from,
            to: next,
        });
    }
    let next = Doubt::of(record.may_be_double).leads_to(next);
    let request: &RequestId = &job.request;
    let check = (next == JobState::Accepted).then(|| format_time(at));
    match next {
        // It already has a next check.
        JobState::Running => set(tx, job, "state = $1", params![next.as_str()])?,
        _ => set(
            tx,
            job,
            "state = $1, next_check = $2",
            params![next.as_str(), check],
        )?,
    }
    let sql = "INSERT INTO steps (request, number, step, from_state, to_state, at)
         SELECT $1, $2, COALESCE(MAX(step), 0) + 1, $3, $4, $5
         FROM steps WHERE request = $1 AND number = $2";
    sql::execute(
        tx,
        sql,
        params![
            request.as_str(),
            job.number,
            from.as_str(),
            next.as_str(),
            format_time(at)
        ],
    )?;
    Ok(Moved::new(job, from, next, at))
}
