//! The ids of a job, one a line (a distinct_id cannot hold a line break), packed by zstd.
//!
//! Ledgers from before they were packed have them as text; both are read here and nowhere else.

use std::io::{self, Read};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::{Batch, DEFAULT_EXPORT_BATCH, DistinctId, IdLines, JobId, MAX_ID_BYTES};

use super::records::unreadable;
use super::{LedgerError, prepare};

/// zstd's quickest level that still writes letters in fewer than eight bits: half the size of
/// UUIDs at 300 MB a second, where level 3 takes twice the time for nothing more.
const LEVEL: i32 = 1;

/// No job has more: a ledger that says so is damaged, and may unpack to anything.
const MAX_BYTES: u64 = (DEFAULT_EXPORT_BATCH.get() * (MAX_ID_BYTES + 1)) as u64;

/// The ids of a job as they are stored.
pub(super) struct Packed {
    pub(super) count: usize,
    bytes: Vec<u8>,
}

/// Packs the ids of jobs; what it works with is used again for the next.
pub(super) struct Packer {
    zstd: zstd::bulk::Compressor<'static>,
}

impl Packer {
    pub(super) fn new() -> Result<Self, LedgerError> {
        let mut zstd = zstd::bulk::Compressor::new(LEVEL).map_err(LedgerError::Packing)?;
        // SQLite has no checksums, and a changed byte would make another person's id.
        zstd.include_checksum(true).map_err(LedgerError::Packing)?;
        Ok(Self { zstd })
    }

    pub(super) fn pack(&mut self, ids: &IdLines) -> Result<Packed, LedgerError> {
        let packed = self.zstd.compress(ids.expose().as_bytes());
        Ok(Packed {
            count: ids.count(),
            bytes: packed.map_err(LedgerError::Packing)?,
        })
    }
}

/// Writes the ids of a job, in place of those it had.
pub(super) fn write(conn: &Connection, job: &JobId, batch: &Batch) -> Result<(), LedgerError> {
    write_packed(conn, job, &Packer::new()?.pack(&batch.into())?)
}

pub(super) fn write_packed(
    conn: &Connection,
    job: &JobId,
    packed: &Packed,
) -> Result<(), LedgerError> {
    prepare(
        conn,
        "INSERT INTO payloads (request, number, ids, packed) VALUES ($1, $2, '', $3)
         ON CONFLICT (request, number)
         DO UPDATE SET ids = excluded.ids, packed = excluded.packed",
    )?
    .execute(params![job.request.as_str(), job.number, packed.bytes])?;
    Ok(())
}

pub(super) fn read(conn: &Connection, job: &JobId) -> Result<Batch, LedgerError> {
    find(conn, job)?.ok_or_else(|| unreadable("the ids of a job, which are not there"))
}

/// The ids of a job; none where they are not kept any more.
pub(super) fn find(conn: &Connection, job: &JobId) -> Result<Option<Batch>, LedgerError> {
    let found = prepare(
        conn,
        "SELECT ids_count, ids, packed FROM payloads JOIN jobs USING (request, number)
         WHERE request = $1 AND number = $2",
    )?
    .query_row(params![job.request.as_str(), job.number], |row| {
        Ok((row.get::<_, i64>("ids_count")?, unpack(row)?))
    })
    .optional()?;
    let Some((count, text)) = found else {
        return Ok(None);
    };
    let text = text.map_err(|_| unreadable("the ids of a job"))?;
    let lines = text.split_terminator('\n');
    let ids: Option<Vec<DistinctId>> = lines.map(DistinctId::restore).collect();
    ids.filter(|ids| i64::try_from(ids.len()) == Ok(count))
        .and_then(|ids| Batch::restore(ids).ok())
        .map(Some)
        .ok_or_else(|| unreadable("the ids of a job"))
}

/// The ids of a row, one a line; an inner error where they are damaged.
fn unpack(row: &Row<'_>) -> rusqlite::Result<io::Result<String>> {
    let packed: Option<Vec<u8>> = row.get("packed")?;
    match packed {
        None => row.get("ids").map(Ok),
        Some(packed) => {
            let mut text = String::new();
            let unpacked = zstd::Decoder::with_buffer(packed.as_slice())
                .and_then(|zstd| zstd.take(MAX_BYTES).read_to_string(&mut text));
            Ok(unpacked.map(|_| text))
        }
    }
}
