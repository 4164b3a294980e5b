//! Checks ingestions and their batches against the trail: each batch against its own last entry, so
//! that a step of one batch reads no other.

use crate::domain::{BatchId, RequestId};
use crate::ledger::LedgerError;
use crate::ledger::audit::{Audit, AuditEvent, EntrySubject, Finding, is_held, last_entry, object};
use crate::ledger::engine::Connection;
use crate::ledger::sql;

/// A batch without an entry: nothing has happened to it.
const UNTOUCHED: &str = "SELECT 1 FROM ingestion_batches
     WHERE ingestion = $1 AND number = $2 AND state = 'planned' AND attempts = 0
         AND sender IS NULL AND started_at IS NULL AND ended_at IS NULL AND reason IS NULL
         AND refused IS NULL AND refused_count = 0";

/// Whether the batches have each record of the source once: they begin at 0, follow each other and
/// end with the last record. Their numbers count from 1.
const HAS_EACH_ONCE: &str = "WITH spans AS (
         SELECT number, first, records, first + records AS behind,
             COALESCE(LAG(first + records) OVER (ORDER BY first, number), 0) AS expected
         FROM ingestion_batches WHERE ingestion = $1)
     SELECT COALESCE(MAX(behind), 0) = (SELECT records FROM ingestions WHERE id = $1)
         AND COALESCE(SUM(CASE WHEN first = expected AND records > 0 THEN 0 ELSE 1 END), 0) = 0
         AND COALESCE(MIN(number), 1) = 1 AND COALESCE(MAX(number), 0) = COUNT(*)
     FROM spans";

/// Fails if a batch is not as its last entry has it. The next entry would seal whatever was changed
/// behind the ledger's back.
pub(super) fn demand_batch_held(conn: &Connection, batch: &BatchId) -> Result<(), LedgerError> {
    match is_batch_held(conn, batch)? {
        true => Ok(()),
        false => Err(LedgerError::OtherRequest(batch.ingestion.clone())),
    }
}

/// The same for an ingestion and all its batches.
pub(super) fn demand_ingestion_held(conn: &Connection, id: &RequestId) -> Result<(), LedgerError> {
    match is_ingestion_held(conn, id)? {
        true => Ok(()),
        false => Err(LedgerError::OtherRequest(id.clone())),
    }
}

/// Each ingestion must be as the trail has it, and no recorded one may be missing.
pub(crate) fn check_ingestions(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let sql = "SELECT id FROM ingestions
         UNION SELECT request FROM audit WHERE event = $1 ORDER BY id";
    let recorded = [AuditEvent::IngestionRecorded.as_str()];
    let ids: Vec<String> = sql::list(conn, sql, recorded, |row| Ok(row.get(0)?))?;
    for id in ids {
        let request = RequestId::restore(id);
        if !is_ingestion_held(conn, &request)? {
            let what = "its batches are different".to_owned();
            audit.find(Finding::RequestDiffers { request, what });
        }
    }
    Ok(())
}

fn is_ingestion_held(conn: &Connection, id: &RequestId) -> Result<bool, LedgerError> {
    let subject = EntrySubject::Ingestion(id);
    if !is_held(conn, subject, last_entry(conn, subject)?.as_ref())?
        || !sql::value::<bool>(conn, HAS_EACH_ONCE, [id.as_str()])?
    {
        return Ok(false);
    }
    let sql = "SELECT number FROM ingestion_batches WHERE ingestion = $1
         UNION SELECT job FROM audit WHERE request = $1 AND job IS NOT NULL ORDER BY number";
    let numbers: Vec<u32> = sql::list(conn, sql, [id.as_str()], |row| Ok(row.get(0)?))?;
    for number in numbers {
        let ingestion = id.clone();
        if !is_batch_held(conn, &BatchId { ingestion, number })? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_batch_held(conn: &Connection, batch: &BatchId) -> Result<bool, LedgerError> {
    let values = (batch.ingestion.as_str(), batch.number);
    // By index on each engine.
    let sql = "SELECT details FROM audit WHERE request = $1 AND job = $2 ORDER BY seq DESC LIMIT 1";
    match sql::find(conn, sql, values, |row| Ok(object(row, 0)))? {
        Some(last) => is_held(conn, EntrySubject::Batch(batch), Some(&last)),
        None => sql::exists(conn, UNTOUCHED, values),
    }
}
