//! The deletion jobs that erased, will erase or may have erased people: those in the ledger, and
//! those whose records were purged.

use chrono::{DateTime, Utc};

use crate::domain::{Doubt, Erasure, ErasurePeriod, JobId, PersonHash, ProjectName};

use crate::ledger::LedgerError;
use crate::ledger::columns::{
    count, format_time, job_id, moment, project, state, time, unreadable,
};
use crate::ledger::engine::{Connection, Row};
use crate::ledger::sql::prepare;

/// Which deletions to list.
pub struct ErasedBy<'a> {
    pub project: &'a dyn Fn(&ProjectName) -> bool,
    /// Last sent at this time or later.
    pub since: Option<DateTime<Utc>>,
}

/// A job whose people were erased, will be or may have been.
#[derive(Debug, Clone)]
pub struct ErasedJob {
    pub job: JobId,
    pub project: ProjectName,
    pub erasure: Erasure,
    pub period: ErasurePeriod,
    pub ids: usize,
    /// Its outcome stays unknown forever.
    pub is_given_up: bool,
}

pub(crate) const ALL: ErasedBy<'static> = ErasedBy {
    project: &|_| true,
    since: None,
};

pub(crate) fn read_hashes<'r>(
    row: &'r Row<'_>,
) -> Result<&'r [[u8; PersonHash::BYTES]], LedgerError> {
    let damaged = || unreadable("the hashes of a job's people");
    let hashes = row.get_ref("hashes")?.as_blob().map_err(|_| damaged())?;
    match hashes.as_chunks() {
        (hashes, []) => Ok(hashes),
        _ => Err(damaged()),
    }
}

pub(crate) fn list_jobs(
    conn: &Connection,
    by: &ErasedBy<'_>,
) -> Result<Vec<ErasedJob>, LedgerError> {
    let attempts = "FROM attempts WHERE attempts.request = jobs.request
                    AND attempts.number = jobs.number";
    let sql = format!(
        "SELECT request, number, project, state, may_be_double <> 0 AS doubt, ids_count,
                 abandoned_at IS NOT NULL AS given_up,
                 COALESCE(submitted_at,
                     (SELECT MIN(started_at) {attempts} AND outcome IN ('unknown', 'accepted')),
                     (SELECT MAX(started_at) {attempts}), created) AS begun,
                 (SELECT MAX(at) FROM steps WHERE steps.request = jobs.request
                  AND steps.number = jobs.number AND to_state = 'done') AS done
             FROM jobs JOIN requests ON requests.id = jobs.request
             WHERE kind = 'delete'
               AND COALESCE(submitted_at, (SELECT MAX(started_at) {attempts}), created) >= $1
             ORDER BY request, number"
    );
    let mut statement = prepare(conn, &sql)?;
    let since = by.since.map(format_time).unwrap_or_default();
    let mut rows = statement.query([since])?;
    let mut jobs = Vec::new();
    while let Some(row) = &rows.next()? {
        let project = project(row)?;
        let Some(erasure) =
            Erasure::of(state(row, "state")?, doubt_of(row)?).filter(|_| (by.project)(&project))
        else {
            continue;
        };
        jobs.push(ErasedJob {
            job: job_id(row)?,
            project,
            erasure,
            period: period_of(row)?,
            ids: count(row, "ids_count")?,
            is_given_up: row.get("given_up")?,
        });
    }
    Ok(jobs)
}

pub(crate) fn doubt_of(row: &Row<'_>) -> Result<Doubt, LedgerError> {
    Ok(Doubt::of(row.get("doubt")?))
}

/// Like [`list_jobs`], for deletions whose records were purged.
pub(crate) fn list_gone(
    conn: &Connection,
    by: &ErasedBy<'_>,
) -> Result<Vec<ErasedJob>, LedgerError> {
    let sql = "SELECT request, number, project, erasure, begun, done, length(hashes) AS bytes
               FROM suppressed WHERE begun >= $1 ORDER BY request, number";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query([by.since.map(format_time).unwrap_or_default()])?;
    let mut jobs = Vec::new();
    while let Some(row) = &rows.next()? {
        let project = project(row)?;
        if (by.project)(&project) {
            jobs.push(ErasedJob {
                job: job_id(row)?,
                project,
                erasure: erasure_of(row)?,
                period: period_of(row)?,
                ids: count(row, "bytes")? / PersonHash::BYTES,
                is_given_up: true,
            });
        }
    }
    Ok(jobs)
}

pub(crate) fn erasure_of(row: &Row<'_>) -> Result<Erasure, LedgerError> {
    let text: String = row.get("erasure")?;
    Erasure::parse(&text).ok_or_else(|| unreadable("an erasure"))
}

pub(crate) fn period_of(row: &Row<'_>) -> Result<ErasurePeriod, LedgerError> {
    Ok(ErasurePeriod {
        begun: moment(row, "begun")?,
        done: time(row, "done")?,
    })
}
