//! People of deletions whose records were purged: they are not to be tracked again all the same, so
//! their keyed hashes stay, and with them what is needed to judge an event of theirs.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use crate::domain::{Cutoff, Erasure, ErasurePeriod, PersonHash, ProjectName, RequestId};

use super::erased::{self, ErasedBy, ErasedJob};
use super::records::{format_time, job_id, parse_time, unreadable};
use super::{Ledger, LedgerError, Wanted, people, prepare, purge};

/// Somebody who was in a deletion whose records are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillSuppressed {
    /// The place of the person among those who are wanted.
    pub person: u32,
    pub project: ProjectName,
    pub erasure: Erasure,
    pub period: ErasurePeriod,
}

/// Of every project, whenever it was sent.
const ALL: ErasedBy<'static> = ErasedBy {
    project: &|_| true,
    since: None,
};

impl Ledger {
    /// How many people of closed deletions stay suppressed when their records go; somebody in two
    /// deletions counts twice.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn count_to_stay(&self, cutoff: Cutoff) -> Result<usize, LedgerError> {
        let closed = purge::list_closed_ids(&self.conn, cutoff)?;
        let jobs = erased::list_jobs(&self.conn, &ALL)?;
        let of_closed = jobs.iter().filter(|job| closed.contains(&job.job.request));
        Ok(of_closed.map(|job| job.ids).sum())
    }

    /// Finds the wanted among people whose records are gone, oldest deletion first.
    ///
    /// # Errors
    /// When the ledger cannot be read, or hashes in it are damaged.
    pub fn find_still_suppressed(
        &self,
        wanted: &Wanted,
    ) -> Result<Vec<StillSuppressed>, LedgerError> {
        let sql = "SELECT hashes, project, erasure, begun, done FROM suppressed
                   ORDER BY begun, request, number";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            for hash in erased::read_hashes(row)? {
                if let Some(person) = wanted.place_of(&PersonHash::restore(*hash)) {
                    found.push(StillSuppressed {
                        person,
                        project: erased::project_of(row)?,
                        erasure: erasure_of(row)?,
                        period: period_of(row)?,
                    });
                }
            }
        }
        Ok(found)
    }
}

/// Keeps the people of deletions whose records are about to go; how many they are.
pub(super) fn keep(tx: &Connection, purged: &HashSet<RequestId>) -> Result<usize, LedgerError> {
    let mut kept = 0;
    for job in erased::list_jobs(tx, &ALL)? {
        let ErasedJob {
            job: id,
            project,
            erasure,
            period,
            ids,
            is_given_up: _,
        } = job;
        if !purged.contains(&id.request) {
            continue;
        }
        if !people::has_hashes(tx, &id)? {
            return Err(LedgerError::NotHashed(id));
        }
        prepare(
            tx,
            "INSERT INTO suppressed (project, erasure, begun, done, request, number, hashes)
             SELECT $1, $2, $3, $4, request, number, hashes FROM people
             WHERE request = $5 AND number = $6",
        )?
        .execute(params![
            project.as_str(),
            erasure.as_str(),
            format_time(period.begun),
            period.done.map(format_time),
            id.request.as_str(),
            id.number,
        ])?;
        kept += ids;
    }
    Ok(kept)
}

/// As [`erased::list_jobs`], of deletions whose records are gone.
pub(super) fn list_jobs(
    conn: &Connection,
    by: &ErasedBy<'_>,
) -> Result<Vec<ErasedJob>, LedgerError> {
    let sql = "SELECT request, number, project, erasure, begun, done, length(hashes) AS bytes
               FROM suppressed WHERE begun >= $1 ORDER BY request, number";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query([by.since.map(format_time).unwrap_or_default()])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        let project = erased::project_of(row)?;
        if (by.project)(&project) {
            jobs.push(ErasedJob {
                job: job_id(row)?,
                project,
                erasure: erasure_of(row)?,
                period: period_of(row)?,
                ids: super::records::count(row, "bytes")? / PersonHash::BYTES,
                is_given_up: true,
            });
        }
    }
    Ok(jobs)
}

fn erasure_of(row: &Row<'_>) -> Result<Erasure, LedgerError> {
    let text: String = row.get("erasure")?;
    Erasure::parse(&text).ok_or_else(|| unreadable("an erasure"))
}

fn period_of(row: &Row<'_>) -> Result<ErasurePeriod, LedgerError> {
    let (begun, done): (String, Option<String>) = (row.get("begun")?, row.get("done")?);
    let done: Option<DateTime<Utc>> = done.map(|text| parse_time(&text)).transpose()?;
    let begun = parse_time(&begun)?;
    Ok(ErasurePeriod { begun, done })
}
