//! The ids of a job, one a line: a distinct_id cannot hold a line break.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{Batch, DistinctId, JobId};

use super::records::unreadable;
use super::{LedgerError, prepare};

pub(super) fn write(conn: &Connection, job: &JobId, batch: &Batch) -> Result<(), LedgerError> {
    let ids: Vec<&str> = batch.ids().iter().map(|id| id.expose()).collect();
    prepare(
        conn,
        "INSERT INTO payloads (request, number, ids) VALUES ($1, $2, $3)
         ON CONFLICT (request, number) DO UPDATE SET ids = excluded.ids",
    )?
    .execute(params![job.request.as_str(), job.number, ids.join("\n")])?;
    Ok(())
}

pub(super) fn read(conn: &Connection, job: &JobId) -> Result<Batch, LedgerError> {
    let text: String = prepare(
        conn,
        "SELECT ids FROM payloads WHERE request = $1 AND number = $2",
    )?
    .query_row(params![job.request.as_str(), job.number], |row| row.get(0))
    .optional()?
    .ok_or_else(|| unreadable("the ids of a job, which are not there"))?;
    let ids: Option<Vec<DistinctId>> = text.split('\n').map(DistinctId::restore).collect();
    ids.and_then(|ids| Batch::restore(ids).ok())
        .ok_or_else(|| unreadable("the ids of a job"))
}
