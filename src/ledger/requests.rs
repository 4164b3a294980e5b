use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::{Batch, JobId, RequestId, SubjectRequestId};

use super::records::{JOB_COLUMNS, REQUEST_COLUMNS, format_time, read_job, read_request};
use super::{Ledger, LedgerError, NewRequest, RequestRecord, payload, prepare};

/// Which requests to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those with at least one job that still waits for something.
    Open,
    All,
}

/// Whether a request may be recorded that an open one asks for already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Allow,
    Refuse,
}

/// What came of the wish to record a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    New(Vec<RequestId>),
    /// This open request has the same kind, law, project and set of ids; nothing was recorded.
    There(RequestId),
}

/// What a name that a person typed stands for.
#[derive(Debug)]
pub enum Found {
    Nothing,
    One(Box<RequestRecord>),
    /// The beginning of several requests' ids.
    Several(Vec<RequestId>),
}

impl Ledger {
    /// Records the requests of one command with their jobs, all planned, in one transaction;
    /// unless an open request asks for the very same as one of them, and a second one is not
    /// wanted.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing of it is there.
    pub fn record_requests(
        &mut self,
        asked: &[(NewRequest, &[Batch])],
        again: Again,
        at: DateTime<Utc>,
    ) -> Result<Recorded, LedgerError> {
        let tx = self.write()?;
        let mut ids = Vec::new();
        for (request, batches) in asked {
            if again == Again::Refuse
                && let Some(same) = find_same(&tx, request)?
            {
                return Ok(Recorded::There(same));
            }
            ids.push(insert(&tx, request, batches, at)?);
        }
        tx.commit()?;
        Ok(Recorded::New(ids))
    }

    /// Lists requests with their jobs, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn list_requests(&self, which: Which) -> Result<Vec<RequestRecord>, LedgerError> {
        select(&self.conn, condition_of(which), &[])
    }

    /// Finds a request by its id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_request(&self, id: &RequestId) -> Result<Option<RequestRecord>, LedgerError> {
        let mut found = select(&self.conn, "id = $1", &[id.as_str()])?;
        Ok(found.pop())
    }

    /// Finds the request a person means: by the beginning of its id, a job's id, or the task id
    /// of one of its jobs.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_named(&self, name: &str) -> Result<Found, LedgerError> {
        // A task belongs to the request it was made for; others may be linked to it.
        let by_task = "id IN (SELECT request FROM jobs WHERE task_id = $1 AND linked = 0)";
        let by_link = "id IN (SELECT request FROM jobs WHERE task_id = $1)";
        let mut found = select(&self.conn, by_task, &[name])?;
        if found.is_empty() {
            found = select(&self.conn, by_link, &[name])?;
        }
        let is_prefix = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if found.is_empty() && is_prefix {
            found = select(&self.conn, "substr(id, 1, length($1)) = $1", &[name])?;
        }
        Ok(match found.len() {
            0 => Found::Nothing,
            1 => Found::One(Box::new(found.remove(0))),
            _ => Found::Several(found.into_iter().map(|request| request.id).collect()),
        })
    }
}

/// What holds for the requests that are meant, in SQL.
pub(super) fn condition_of(which: Which) -> &'static str {
    match which {
        Which::Open => {
            "EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                     AND state NOT IN ('done', 'refused', 'failed', 'revoked')
                     AND abandoned_at IS NULL)"
        }
        Which::All => "1 = 1",
    }
}

fn insert(
    tx: &Connection,
    asked: &NewRequest,
    batches: &[Batch],
    at: DateTime<Utc>,
) -> Result<RequestId, LedgerError> {
    let id = RequestId::random();
    prepare(
        tx,
        &format!(
            "INSERT INTO requests ({REQUEST_COLUMNS})
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        ),
    )?
    .execute(params![
        id.as_str(),
        asked.operation.kind().as_str(),
        asked.operation.law().as_str(),
        asked.operation.disclosure().map(|d| d.as_str()),
        asked.project.as_str(),
        asked.project_key.as_str(),
        asked.region.as_str(),
        asked.reference,
        asked.received.to_string(),
        asked.due.to_string(),
        format_time(at),
        asked.source,
        to_sql(asked.read),
        to_sql(asked.unique),
        asked.ids_digest,
    ])?;
    for (number, batch) in (1_u32..).zip(batches) {
        prepare(
            tx,
            "INSERT INTO jobs
                 (request, number, subject_request_id, ids_count, state, attempts)
             VALUES ($1, $2, $3, $4, 'planned', 0)",
        )?
        .execute(params![
            id.as_str(),
            number,
            SubjectRequestId::random().to_string(),
            to_sql(batch.count()),
        ])?;
        let job = JobId {
            request: id.clone(),
            number,
        };
        payload::write(tx, &job, batch)?;
    }
    Ok(id)
}

fn find_same(conn: &Connection, asked: &NewRequest) -> Result<Option<RequestId>, LedgerError> {
    let operation = asked.operation;
    let mut statement = prepare(
        conn,
        "SELECT id FROM requests
         WHERE ids_digest = $1 AND project_key = $2 AND kind = $3 AND law = $4
           AND COALESCE(disclosure, '') = $5
           AND EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                       AND state NOT IN ('done', 'refused', 'failed', 'revoked')
                       AND abandoned_at IS NULL)
         ORDER BY created DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![
        asked.ids_digest,
        asked.project_key.as_str(),
        operation.kind().as_str(),
        operation.law().as_str(),
        operation.disclosure().map_or("", |d| d.as_str()),
    ])?;
    match rows.next()? {
        Some(row) => Ok(Some(RequestId::restore(row.get(0)?))),
        None => Ok(None),
    }
}

fn select(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<Vec<RequestRecord>, LedgerError> {
    let mut requests = Vec::new();
    let mut places = HashMap::new();
    let mut statement = prepare(
        conn,
        &format!(
            "SELECT {REQUEST_COLUMNS} FROM requests WHERE {condition} ORDER BY created DESC, id"
        ),
    )?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let request = read_request(row)?;
        places.insert(request.id.clone(), requests.len());
        requests.push(request);
    }
    let mut statement = prepare(
        conn,
        &format!(
            "SELECT {JOB_COLUMNS} FROM jobs
         WHERE request IN (SELECT id FROM requests WHERE {condition}) ORDER BY request, number"
        ),
    )?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let job = read_job(row)?;
        if let Some(place) = places.get(&job.id.request) {
            requests[*place].jobs.push(job);
        }
    }
    // A request that another process records between the two reads has no jobs here yet.
    requests.retain(|request| !request.jobs.is_empty());
    Ok(requests)
}

fn to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
