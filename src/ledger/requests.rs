use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::{Batch, JobId, RequestId, SubjectRequestId};

use super::records::{REQUEST_COLUMNS, format_time};
use super::{Ledger, LedgerError, NewRequest, payload, prepare};

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

fn to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
