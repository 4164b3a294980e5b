//! The ids of a job, one a line (an id cannot hold a line break), compressed by zstd, and sealed on
//! a server. Only this module reads them.

use std::io::Read;

use crate::domain::{Batch, DEFAULT_EXPORT_BATCH, DistinctId, IdLines, JobId, MAX_ID_BYTES};

use crate::ledger::LedgerError;
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Connection, OptionalExtension, params};
use crate::ledger::people::key::find_seal;
use crate::ledger::seal::{Seal, looks_sealed};
use crate::ledger::sql::{self, prepare};

/// zstd's fastest level that stores letters in fewer than eight bits. It halves UUIDs at 300 MB a
/// second; level 3 takes twice the time and gains nothing.
const LEVEL: i32 = 1;

/// The most bytes of a job. A ledger that claims more is damaged, and could unpack to anything.
const MAX_BYTES: u64 = (DEFAULT_EXPORT_BATCH.get() * (MAX_ID_BYTES + 1)) as u64;

pub(crate) const COLUMNS: [&str; 3] = ["request", "number", "packed"];

pub(crate) struct PackedIds {
    pub(crate) count: usize,
    bytes: Vec<u8>,
}

impl PackedIds {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Compresses and seals the ids of jobs, with buffers that are used again.
pub(crate) struct Packer<'s> {
    zstd: zstd::bulk::Compressor<'static>,
    seal: Option<&'s Seal>,
}

impl<'s> Packer<'s> {
    pub(crate) fn new(seal: Option<&'s Seal>) -> Result<Self, LedgerError> {
        let mut zstd = zstd::bulk::Compressor::new(LEVEL).map_err(LedgerError::Packing)?;
        // SQLite has no checksums, and a changed byte would be another person's id.
        zstd.include_checksum(true).map_err(LedgerError::Packing)?;
        Ok(Self { zstd, seal })
    }

    pub(crate) fn pack(&mut self, job: &JobId, ids: &IdLines) -> Result<PackedIds, LedgerError> {
        let packed = self.zstd.compress(ids.expose().as_bytes());
        let packed = packed.map_err(LedgerError::Packing)?;
        Ok(PackedIds {
            count: ids.count(),
            bytes: match self.seal {
                Some(seal) => seal.seal(job, packed),
                None => packed,
            },
        })
    }
}

pub(crate) fn write(conn: &Connection, job: &JobId, batch: &Batch) -> Result<(), LedgerError> {
    let mut packer = Packer::new(find_seal(conn)?)?;
    write_packed(conn, job, &packer.pack(job, &batch.into())?)
}

pub(crate) fn write_packed(
    conn: &Connection,
    job: &JobId,
    packed: &PackedIds,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO payloads (request, number, packed) VALUES ($1, $2, $3)
         ON CONFLICT (request, number) DO UPDATE SET packed = excluded.packed";
    sql::execute(
        conn,
        sql,
        params![job.request.as_str(), job.number, packed.bytes],
    )
}

pub(crate) fn read(conn: &Connection, job: &JobId) -> Result<Batch, LedgerError> {
    let lines = read_lines(conn, job)?;
    let ids: Option<Vec<DistinctId>> = lines.ids().map(DistinctId::restore).collect();
    ids.and_then(|ids| Batch::restore(ids).ok())
        .ok_or_else(|| unreadable("the ids of a job"))
}

/// The ids of a job; `None` if only their hashes are kept.
pub(crate) fn find(conn: &Connection, job: &JobId) -> Result<Option<Batch>, LedgerError> {
    match read(conn, job) {
        Ok(batch) => Ok(Some(batch)),
        Err(LedgerError::IdsHashed(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ids of a job; their number must match the job's.
pub(crate) fn read_lines(conn: &Connection, job: &JobId) -> Result<IdLines, LedgerError> {
    let sql = "SELECT ids_count, packed FROM payloads JOIN jobs USING (request, number)
         WHERE request = $1 AND number = $2";
    let found = prepare(conn, sql)?
        .query_row(sql::of(job), |row| {
            Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
        })
        .optional()?;
    let Some((count, packed)) = found else {
        return Err(match has_hashes(conn, job)? {
            true => LedgerError::IdsHashed(job.clone()),
            false => unreadable("the ids of a job, which are missing"),
        });
    };
    let packed = match find_seal(conn)? {
        Some(seal) => seal.open(job, &packed),
        None if looks_sealed(&packed) => return Err(LedgerError::Sealed(job.clone())),
        None => Some(packed),
    };
    let packed = packed.ok_or_else(|| unreadable("the ids of a job"))?;
    let mut text = String::new();
    let unpacked = zstd::Decoder::with_buffer(packed.as_slice())
        .and_then(|zstd| zstd.take(MAX_BYTES).read_to_string(&mut text));
    let lines = unpacked.ok().and_then(|_| IdLines::new(text).ok());
    lines
        .filter(|lines| lines.expose().ends_with('\n'))
        .filter(|lines| i64::try_from(lines.count()) == Ok(count))
        .ok_or_else(|| unreadable("the ids of a job"))
}

pub(crate) fn exists(conn: &Connection, job: &JobId) -> Result<bool, LedgerError> {
    let sql = "SELECT 1 FROM payloads WHERE request = $1 AND number = $2";
    sql::exists(conn, sql, sql::of(job))
}

pub(crate) fn has_hashes(conn: &Connection, job: &JobId) -> Result<bool, LedgerError> {
    let sql = "SELECT 1 FROM people WHERE request = $1 AND number = $2";
    sql::exists(conn, sql, sql::of(job))
}

pub(crate) fn delete(conn: &Connection, job: &JobId) -> Result<(), LedgerError> {
    let sql = "DELETE FROM payloads WHERE request = $1 AND number = $2";
    sql::execute(conn, sql, sql::of(job))
}

/// Writes all remaining ids to new pages. `secure_delete` blanks deleted rows, but SQLite may have
/// copied them between pages before. Such a copy stays until its page is free; an empty table frees
/// all pages.
pub(crate) fn rewrite(conn: &Connection) -> Result<(), LedgerError> {
    let columns = COLUMNS.join(", ");
    conn.execute_batch(&format!(
        "INSERT INTO payloads_aside ({columns})
             SELECT {columns} FROM payloads ORDER BY request, number;
         DELETE FROM payloads;
         INSERT INTO payloads ({columns})
             SELECT {columns} FROM payloads_aside ORDER BY request, number;
         DELETE FROM payloads_aside;"
    ))?;
    Ok(())
}
