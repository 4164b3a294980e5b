//! Deletes old records of closed requests with everything that belongs to them, and leaves a note.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{Closed, Cutoff, Purge, RequestId};

use super::deletions::{ALL, ErasedJob, list_jobs};
use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{count, format_time, moment, parse_time, to_sql, unreadable};
use crate::ledger::engine::{Connection, params};
use crate::ledger::jobs::payload;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// Every table with rows of requests; tables that others refer to come last.
const TABLES: [(&str, &str); 12] = [
    ("answers", "request"),
    ("attempts", "request"),
    ("steps", "request"),
    ("downloads", "request"),
    ("extensions", "request"),
    ("approvals", "request"),
    ("plans", "request"),
    ("people", "request"),
    ("payloads", "request"),
    ("payloads_aside", "request"),
    ("jobs", "request"),
    ("requests", "id"),
];

impl Ledger {
    /// The requests closed before a day: nothing has happened to any of their jobs since, and no
    /// job waits. `None` if there are none.
    pub fn find_closed(&self, cutoff: Cutoff) -> Result<Option<Closed>, LedgerError> {
        sum_up(&list_closed(&self.conn, cutoff)?)
    }

    /// Deletes those records in one transaction and notes their number. Selects them within that
    /// transaction.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing is deleted.
    pub fn record_purged(
        &mut self,
        cutoff: Cutoff,
        now: DateTime<Utc>,
    ) -> Result<Option<Closed>, LedgerError> {
        let tx = self.write()?;
        let list = list_closed(&tx, cutoff)?;
        let Some(closed) = sum_up(&list)? else {
            return Ok(None);
        };
        let ids = list.iter().map(|row| RequestId::restore(row.0.clone()));
        let kept = keep(&tx, &ids.collect())?;
        for (table, column) in TABLES {
            let sql = format!("DELETE FROM {table} WHERE {column} = $1");
            let mut statement = prepare(&tx, &sql)?;
            for (request, ..) in &list {
                statement.execute([request])?;
            }
        }
        for (request, ids, closed) in &list {
            let request = RequestId::restore(request.clone());
            let (event, subject) = (AuditEvent::RequestPurged, EntrySubject::Request(&request));
            let details = json!({ "ids": ids, "closed": closed });
            audit::tell(&tx, event, subject, details, now)?;
        }
        let details = json!({
            "closed_before": format_time(cutoff.moment()),
            "requests": closed.requests,
            "ids": closed.ids,
            "suppressed": kept,
        });
        let sql = "INSERT INTO purges (at, closed_before, requests, ids, first_closed, last_closed,
                 suppressed)
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        prepare(&tx, sql)?.execute(params![
            format_time(now),
            format_time(cutoff.moment()),
            to_sql(closed.requests),
            to_sql(closed.ids),
            format_time(closed.first),
            format_time(closed.last),
            to_sql(kept),
        ])?;
        let event = AuditEvent::RecordsPurged;
        audit::tell(&tx, event, EntrySubject::Ledger, details, now)?;
        tx.commit()?;
        Ok(Some(closed))
    }

    /// Frees the space of deleted records, and removes copies in it. Needs as much memory as the
    /// ledger is large: a temporary file elsewhere would hold ids.
    ///
    /// # Errors
    /// When another dsr uses the ledger, or the disk is full; nothing is lost.
    pub fn compact(&mut self) -> Result<(), LedgerError> {
        self.conn.compact()?;
        // Otherwise the last dsr to close the ledger empties it.
        let _ = self.empty_log();
        Ok(())
    }

    /// All purges, in order.
    pub fn list_purges(&self) -> Result<Vec<Purge>, LedgerError> {
        let sql = "SELECT at, closed_before, requests, ids, first_closed, last_closed, suppressed
             FROM purges ORDER BY at";
        sql::list(&self.conn, sql, [], |row| {
            Ok(Purge {
                at: moment(row, "at")?,
                closed_before: moment(row, "closed_before")?,
                closed: Closed {
                    requests: count(row, "requests")?,
                    ids: count(row, "ids")?,
                    first: moment(row, "first_closed")?,
                    last: moment(row, "last_closed")?,
                },
                suppressed: count(row, "suppressed")?,
            })
        })
    }
}

type ClosedRequest = (String, usize, String);

/// The requests closed before the day: the last thing that happened to a request closed it.
fn list_closed(conn: &Connection, cutoff: Cutoff) -> Result<Vec<ClosedRequest>, LedgerError> {
    let sql = "SELECT id, ids_unique, MAX(at) AS closed FROM (
             SELECT id AS request, created AS at FROM requests
             UNION ALL SELECT request, at FROM steps
             UNION ALL SELECT request, at FROM extensions
             UNION ALL SELECT request, fetched_at FROM downloads
             UNION ALL SELECT request, at FROM answers
             UNION ALL SELECT request, checked_at FROM jobs WHERE checked_at IS NOT NULL
             UNION ALL SELECT request, abandoned_at FROM jobs WHERE abandoned_at IS NOT NULL
         ) AS happened JOIN requests ON id = request
         WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.request = id
             AND NOT (state IN ('done', 'refused', 'failed', 'revoked')
                      OR (state = 'unknown' AND abandoned_at IS NOT NULL)))
         GROUP BY id, ids_unique HAVING MAX(at) < $1
         ORDER BY closed, id";
    sql::list(conn, sql, [format_time(cutoff.moment())], |row| {
        Ok((row.get(0)?, count(row, "ids_unique")?, row.get(2)?))
    })
}

pub(crate) fn list_closed_ids(
    conn: &Connection,
    cutoff: Cutoff,
) -> Result<HashSet<RequestId>, LedgerError> {
    let closed = list_closed(conn, cutoff)?.into_iter();
    Ok(closed.map(|row| RequestId::restore(row.0)).collect())
}

fn sum_up(list: &[ClosedRequest]) -> Result<Option<Closed>, LedgerError> {
    let (Some((_, _, first)), Some((_, _, last))) = (list.first(), list.last()) else {
        return Ok(None);
    };
    let ids = list
        .iter()
        .try_fold(0, |sum: usize, row| sum.checked_add(row.1));
    Ok(Some(Closed {
        requests: list.len(),
        ids: ids.ok_or_else(|| unreadable("a count"))?,
        first: parse_time(first)?,
        last: parse_time(last)?,
    }))
}

/// Keeps the people of deletions whose records will be deleted; returns their number.
fn keep(tx: &Connection, purged: &HashSet<RequestId>) -> Result<usize, LedgerError> {
    let mut kept = 0;
    for job in list_jobs(tx, &ALL)? {
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
        if !payload::has_hashes(tx, &id)? {
            return Err(LedgerError::NotHashed(id));
        }
        let sql = "INSERT INTO suppressed (project, erasure, begun, done, request, number, hashes)
             SELECT $1, $2, $3, $4, request, number, hashes FROM people
             WHERE request = $5 AND number = $6";
        prepare(tx, sql)?.execute(params![
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
