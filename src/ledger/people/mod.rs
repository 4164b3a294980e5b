//! The people of jobs that have ended: their ids give way to keyed hashes, and nothing of them is
//! left in the ledger's files.
//!
//! Ids go only in the transaction that brings their hashes. Every step may be the last of a
//! process, and may be taken by two at once.

pub(super) mod deletions;
pub(super) mod elsewhere;
pub(super) mod erased;
pub(super) mod purge;
pub(super) mod search;
pub(super) mod suppressed;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde_json::json;

use crate::domain::{EXPORT_IDS_DAYS, JobId, LedgerKey, PersonHash, PersonHasher, RequestId};

use super::audit::{self, AuditEvent, EntrySubject, Why};
use super::columns::{format_time, job_id};
use super::jobs::payload;
use super::sql::{self, prepare};
use super::{Ledger, LedgerError, Write};

/// How many jobs are hashed in one transaction: others wait for it.
const AT_ONCE: usize = 64;

/// How long the log may stay as it is because others read from it.
const LOG_PATIENCE: Duration = Duration::from_millis(250);

/// A job nothing more is sent of.
pub(crate) const ENDED: &str = "(jobs.state IN ('done', 'refused', 'failed', 'revoked')
     OR (jobs.state = 'unknown' AND jobs.abandoned_at IS NOT NULL))";

/// A finished export whose link may live, and which may be split among its people, again and in
/// another form: it ended after `$1`.
const TO_BE_SPLIT: &str = "(jobs.state = 'done'
     AND EXISTS (SELECT 1 FROM requests WHERE id = jobs.request AND kind = 'export')
     AND EXISTS (SELECT 1 FROM steps WHERE steps.request = jobs.request
                 AND steps.number = jobs.number AND to_state = 'done' AND at > $1))";

/// A digest of ids that is blank: zeros, so that it is overwritten where it stands.
const BLANK: &str = "REPLACE(ids_digest, '0', '') = ''";

/// What came of the ids of ended jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub jobs: usize,
    pub ids: usize,
    /// Jobs whose ids are damaged: they stay as they are.
    pub unreadable: usize,
}

/// What was hashed of a request in one transaction.
#[derive(Default)]
struct HashedRequest {
    jobs: Vec<u32>,
    ids: usize,
}

impl Ledger {
    /// How many jobs have ended whose ids are still there although nothing needs them.
    pub fn count_ids_to_hash(&self, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        count_to_hash(&self.conn, now)
    }

    /// What tells the key from others under which people are remembered, once there are some.
    pub fn find_people_key(&self) -> Result<Option<String>, LedgerError> {
        find_key(&self.conn)
    }

    /// Fails unless people are remembered under this key, or there are none yet.
    ///
    /// # Errors
    /// [`LedgerError::OtherKey`], and when the ledger cannot be read.
    pub fn demand_people_key(&self, key: &LedgerKey) -> Result<(), LedgerError> {
        demand_key(&self.conn, &key.fingerprint()).map(drop)
    }

    /// Puts keyed hashes in the place of the ids of every job that has ended and does not need
    /// them, a few jobs a transaction, and sees to it that no copy of the ids is left in the
    /// ledger's files.
    ///
    /// # Errors
    /// When the ledger cannot be written, or people are remembered under another key.
    pub fn record_hashed(
        &mut self,
        key: &LedgerKey,
        now: DateTime<Utc>,
    ) -> Result<Swept, LedgerError> {
        let mut swept = Swept::default();
        let hasher = key.hasher();
        let mut last = None;
        loop {
            let jobs = self.list_to_hash(last.as_ref(), now)?;
            let Some(newest) = jobs.last().cloned() else {
                break;
            };
            last = Some(newest);
            let tx = self.write()?;
            remember_key(&tx, &key.fingerprint(), now)?;
            let mut hashed: BTreeMap<&RequestId, HashedRequest> = BTreeMap::new();
            for job in &jobs {
                if let Some(ids) = hash_one(&tx, job, &hasher, &mut swept)? {
                    audit::note(&tx, job, Why::Hashed, now)?;
                    let of_request = hashed.entry(&job.request).or_default();
                    of_request.jobs.push(job.number);
                    of_request.ids += ids;
                }
            }
            for (request, HashedRequest { jobs, ids }) in hashed {
                let (event, subject) = (AuditEvent::IdsHashed, EntrySubject::Request(request));
                let details = json!({ "jobs": jobs, "ids": ids });
                audit::tell(&tx, event, subject, details, now)?;
            }
            tx.commit()?;
        }
        self.record_clean()?;
        Ok(swept)
    }

    /// Sees to it that no copy of an id that is gone is left in the ledger's files, if one may be:
    /// also where a dsr was killed before it could, or others were reading.
    pub fn record_clean(&mut self) -> Result<(), LedgerError> {
        let unclean = "SELECT 1 FROM people_key WHERE unclean = 1";
        if !sql::exists(&self.conn, unclean, [])? {
            return Ok(());
        }
        let tx = self.write()?;
        payload::rewrite(&tx)?;
        tx.commit()?;
        // Only now: whatever happens until here, it is done once more.
        if self.empty_log() == Log::Empty {
            let tx = self.write()?;
            tx.execute_batch("UPDATE people_key SET unclean = 0")?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Blanks what tells the ids of a request from others' once all of its jobs have ended and some
    /// of its ids are gone: of a few ids it could be guessed from.
    pub fn record_digests_blank(&mut self) -> Result<(), LedgerError> {
        let condition = format!(
            "ids_digest <> '' AND NOT {BLANK}
             AND NOT EXISTS (SELECT 1 FROM jobs WHERE request = requests.id AND NOT {ENDED})
             -- While all of its ids are there it tells nothing more, and holds them.
             AND EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                         AND NOT EXISTS (SELECT 1 FROM payloads WHERE request = jobs.request
                                         AND number = jobs.number))"
        );
        let some = format!("SELECT 1 FROM requests WHERE {condition} LIMIT 1");
        if !sql::exists(&self.conn, &some, [])? {
            return Ok(());
        }
        let tx = self.write()?;
        // As long as before: a row of another length may move, and leave a copy behind.
        tx.execute_batch(&format!(
            "UPDATE requests SET ids_digest = substr('{zeros}', 1, length(ids_digest)),
                     ids_salt = substr('{zeros}', 1, length(ids_salt))
                 WHERE {condition};
             REINDEX requests_by_ids;",
            zeros = "0".repeat(256)
        ))?;
        tx.commit()?;
        self.empty_log();
        Ok(())
    }

    fn list_to_hash(
        &self,
        after: Option<&JobId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>, LedgerError> {
        let (request, number) = after.map_or(("", 0), |job| (job.request.as_str(), job.number));
        let sql = format!(
            "SELECT request, number FROM payloads JOIN jobs USING (request, number)
                 WHERE {ENDED} AND NOT {TO_BE_SPLIT}
                   AND (request > $2 OR (request = $2 AND number > $3))
                 ORDER BY request, number LIMIT {AT_ONCE}"
        );
        sql::list(
            &self.conn,
            &sql,
            params![format_time(fresh_after(now)), request, number],
            |row| Ok(job_id(row)?),
        )
    }

    /// Writes the log back and empties it: it holds the pages as they were. Where somebody reads
    /// from it just now it stays, and goes when the last dsr closes the ledger.
    pub(crate) fn empty_log(&self) -> Log {
        empty_log(&self.path).unwrap_or_else(|error| {
            tracing::info!(%error, "the ledger's log stays for now");
            Log::InUse
        })
    }
}

/// What became of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    Empty,
    /// Somebody reads from it.
    InUse,
}

/// On a connection of its own, which does not wait as long as the others do.
fn empty_log(path: &Path) -> rusqlite::Result<Log> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(LOG_PATIENCE)?;
    let is_busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(match is_busy {
        true => Log::InUse,
        false => Log::Empty,
    })
}

pub(crate) fn count_to_hash(conn: &Connection, now: DateTime<Utc>) -> Result<usize, LedgerError> {
    let sql = format!(
        "SELECT COUNT(*) FROM payloads JOIN jobs USING (request, number)
         WHERE {ENDED} AND NOT {TO_BE_SPLIT}"
    );
    let count: i64 = sql::value(conn, &sql, [format_time(fresh_after(now))])?;
    Ok(usize::try_from(count).unwrap_or(0))
}

fn fresh_after(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_sub_days(Days::new(EXPORT_IDS_DAYS))
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn find_key(conn: &Connection) -> Result<Option<String>, LedgerError> {
    let mut statement = prepare(conn, "SELECT fingerprint FROM people_key")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Whether there is a key yet.
fn demand_key(conn: &Connection, given: &str) -> Result<bool, LedgerError> {
    match find_key(conn)? {
        Some(known) if known != given => Err(LedgerError::OtherKey {
            known,
            given: given.to_owned(),
        }),
        known => Ok(known.is_some()),
    }
}

fn remember_key(tx: &Write<'_>, given: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
    if !demand_key(tx, given)? {
        let sql = "INSERT INTO people_key (fingerprint, since, unclean) VALUES ($1, $2, 0)";
        sql::execute(tx, sql, params![given, format_time(now)])?;
        let details = json!({ "fingerprint": given });
        let event = AuditEvent::LedgerKeyRecorded;
        audit::tell(tx, event, EntrySubject::Ledger, details, now)?;
    }
    tx.execute_batch("UPDATE people_key SET unclean = 1")?;
    Ok(())
}

/// How many ids were hashed; `None` if they stay, or were hashed before.
fn hash_one(
    tx: &Connection,
    job: &JobId,
    hasher: &PersonHasher,
    swept: &mut Swept,
) -> Result<Option<usize>, LedgerError> {
    // Another dsr may have come first. A job that has ended stays so.
    if !payload::exists(tx, job)? {
        return Ok(None);
    }
    let lines = match payload::read_lines(tx, job) {
        Err(LedgerError::Unreadable { .. }) => {
            swept.unreadable += 1;
            return Ok(None);
        }
        lines => lines?,
    };
    let mut hashes: Vec<PersonHash> = lines.ids().map(|id| hasher.hash(id)).collect();
    // Their order would tell who stood beside whom in the source.
    hashes.sort_unstable();
    let hashes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    let sql = "INSERT INTO people (request, number, hashes) VALUES ($1, $2, $3)";
    sql::execute(tx, sql, params![job.request.as_str(), job.number, hashes])?;
    payload::delete(tx, job)?;
    swept.jobs += 1;
    swept.ids += lines.count();
    Ok(Some(lines.count()))
}
