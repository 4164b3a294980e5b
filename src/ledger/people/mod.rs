//! Replaces the ids of final jobs by keyed hashes, and leaves no copy of them in the ledger's
//! files. One transaction deletes ids and adds their hashes. A process may die after any step, and
//! two processes may take the same step.

pub(super) mod deletions;
pub(super) mod elsewhere;
pub(super) mod erased;
pub(super) mod key;
pub(super) mod purge;
pub(super) mod search;
pub(super) mod suppressed;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use serde_json::json;

use crate::domain::{
    EXPORT_IDS_DAYS, JobId, LedgerKey, PersonHash, PersonHasher, RequestId, VERIFY_IDS_DAYS,
};
use crate::ledger::engine::{Access, Answer, Connection, params, params_from_iter};

use super::audit::{self, AuditEvent, EntrySubject, Why};
use super::columns::{format_time, job_id};
use super::jobs::payload;
use super::jobs::row::read_to_change;
use super::seal::Seal;
use super::sql;
use super::{Ledger, LedgerError, Write};

use key::demand_key;

/// How many jobs one transaction hashes, while others wait.
const AT_ONCE: usize = 64;

/// How long to wait for readers of the log.
const LOG_PATIENCE: Duration = Duration::from_millis(250);

/// The condition of a job of which nothing more is sent.
pub(crate) const ENDED: &str = "(jobs.state IN ('done', 'refused', 'failed', 'revoked')
     OR (jobs.state = 'unknown' AND jobs.abandoned_at IS NOT NULL))";

/// Whether an open job has no ids any more. They are needed to send it and to find its people.
pub(crate) fn lacks_ids(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<bool, LedgerError> {
    let kept = |table| {
        format!(
            "EXISTS (SELECT 1 FROM {table} WHERE request = jobs.request AND number = jobs.number)"
        )
    };
    let sql = format!(
        "SELECT 1 FROM jobs WHERE {condition} AND NOT {ENDED} AND NOT {} AND NOT {}",
        kept("payloads"),
        kept("people")
    );
    sql::exists(conn, &sql, params_from_iter(values))
}

/// The condition of a done job whose ids are still needed: an export whose link may live, so that it
/// may be split again, if it ended after `$1`; a deletion to be verified, if it ended after `$2`. An
/// end after `$3`, which is now, is of a wrong clock, and extends nothing.
const STILL_NEEDED: &str = "(jobs.state = 'done'
     AND EXISTS (SELECT 1 FROM requests JOIN steps ON steps.request = requests.id
                 WHERE requests.id = jobs.request AND steps.number = jobs.number
                   AND to_state = 'done'
                   AND ((kind = 'export' AND steps.at > $1)
                     OR (kind = 'delete' AND to_verify <> 0 AND steps.at > $2
                         AND steps.at <= $3))))";

/// The condition of a done deletion whose ids were kept to be verified, and no longer are.
const OVERDUE: &str = "jobs.state = 'done' AND EXISTS (SELECT 1 FROM requests
     WHERE id = jobs.request AND kind = 'delete' AND to_verify <> 0)";

/// The condition of a blank digest: zeros, written over the old value.
const BLANK: &str = "REPLACE(ids_digest, '0', '') = ''";

/// The result of hashing the ids of jobs in a final state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub jobs: usize,
    pub ids: usize,
    /// Jobs with damaged ids, which stay as they are.
    pub unreadable: usize,
}

#[derive(Default)]
struct HashedRequest {
    jobs: Vec<u32>,
    ids: usize,
}

impl Ledger {
    /// The jobs whose ids were kept to be verified, and are there although their days have passed.
    pub fn list_overdue_ids(&self) -> Result<HashSet<JobId>, LedgerError> {
        let sql = format!(
            "SELECT request, number FROM payloads JOIN jobs USING (request, number)
                 WHERE {OVERDUE} AND NOT {STILL_NEEDED}"
        );
        let needed = needed_after(self.opening.now);
        sql::list(&self.conn, &sql, needed, |row| Ok(job_id(row)?))
    }

    /// Whether a job's ids are among [`Self::list_overdue_ids`].
    pub(crate) fn has_overdue_ids(&self, job: &JobId) -> Result<bool, LedgerError> {
        let sql = format!(
            "SELECT 1 FROM jobs
                 WHERE {OVERDUE} AND NOT {STILL_NEEDED} AND request = $4 AND number = $5"
        );
        let [split, verified, now] = needed_after(self.opening.now);
        let values = params![split, verified, now, job.request.as_str(), job.number];
        sql::exists(&self.conn, &sql, values)
    }

    /// The number of final jobs whose ids are kept although nothing needs them.
    pub fn count_ids_to_hash(&self, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        count_to_hash(&self.conn, now)
    }

    /// Replaces the ids of every final job that does not need them by keyed hashes, a few jobs a
    /// transaction. Then removes all copies of the ids from the ledger's files.
    ///
    /// # Errors
    /// When the ledger cannot be written, or its people are hashed with another key.
    pub fn record_hashed(
        &mut self,
        key: &LedgerKey,
        now: DateTime<Utc>,
    ) -> Result<Swept, LedgerError> {
        let mut swept = Swept::default();
        let hasher = key.hasher();
        let mut last = None;
        // Their ids stay; everyone else's are replaced all the same.
        let mut altered = BTreeSet::new();
        loop {
            let jobs = self.list_to_hash(last.as_ref(), now)?;
            let Some(newest) = jobs.last().cloned() else {
                break;
            };
            last = Some(newest);
            let tx = self.write()?;
            remember_key(&tx, &key.fingerprint(), now)?;
            if tx.lazy_seal().is_none() {
                tx.execute_batch("UPDATE people_key SET unclean = 1")?;
            }
            let mut hashed: BTreeMap<&RequestId, HashedRequest> = BTreeMap::new();
            for job in &jobs {
                if altered.contains(&job.request) {
                    continue;
                }
                if !hashed.contains_key(&job.request) {
                    match audit::demand_held(&tx, &job.request) {
                        Err(LedgerError::OtherRequest(request)) => {
                            altered.insert(request);
                            continue;
                        }
                        held => held?,
                    }
                }
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
        match altered.pop_first() {
            Some(request) => Err(LedgerError::OtherRequest(request)),
            None => Ok(swept),
        }
    }

    /// Removes possible copies of deleted ids from the ledger's files, such as after a kill or
    /// while others were reading. On a server every copy is sealed, and none is marked.
    pub fn record_clean(&mut self) -> Result<(), LedgerError> {
        let unclean = "SELECT 1 FROM people_key WHERE unclean = 1";
        if !sql::exists(&self.conn, unclean, [])? {
            return Ok(());
        }
        let tx = self.write()?;
        payload::rewrite(&tx)?;
        tx.commit()?;
        // Last, so that an interrupted cleanup starts again.
        if self.empty_log() == Log::Empty {
            let tx = self.write()?;
            tx.execute_batch("UPDATE people_key SET unclean = 0")?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Blanks the digest of a request's ids once all jobs are final and some ids are gone: the
    /// digest of a few ids could be guessed.
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
        // The same length, since a row of another length may move and leave a copy.
        tx.execute_batch(&format!(
            "UPDATE requests SET ids_digest = substr('{zeros}', 1, length(ids_digest)),
                     ids_salt = substr('{zeros}', 1, length(ids_salt))
                 WHERE {condition}",
            zeros = "0".repeat(256)
        ))?;
        tx.rewrite_index("requests_by_ids")?;
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
                 WHERE {ENDED} AND NOT {STILL_NEEDED}
                   AND (request > $4 OR (request = $4 AND number > $5))
                 ORDER BY request, number LIMIT {AT_ONCE}"
        );
        let [split, verified, now] = needed_after(now);
        let values = params![split, verified, now, request, number];
        sql::list(&self.conn, &sql, values, |row| Ok(job_id(row)?))
    }

    /// Writes the log back and empties it, since it holds old pages. If someone is reading it, it
    /// stays until the last dsr closes the ledger.
    pub(crate) fn empty_log(&self) -> Log {
        empty_log(&self.path).unwrap_or_else(|error| {
            tracing::info!(%error, "the ledger's log stays for now");
            Log::InUse
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    Empty,
    /// Someone is reading it.
    InUse,
}

/// Uses its own connection, with a shorter wait.
fn empty_log(path: &Path) -> Answer<Log> {
    let conn = Connection::open(path, Access::ReadWrite)?;
    conn.wait_up_to(LOG_PATIENCE)?;
    Ok(match conn.empty_log()? {
        true => Log::Empty,
        false => Log::InUse,
    })
}

pub(crate) fn count_to_hash(conn: &Connection, now: DateTime<Utc>) -> Result<usize, LedgerError> {
    let sql = format!(
        "SELECT COUNT(*) FROM payloads JOIN jobs USING (request, number)
         WHERE {ENDED} AND NOT {STILL_NEEDED}"
    );
    let count: i64 = sql::value(conn, &sql, needed_after(now))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The times of [`STILL_NEEDED`].
fn needed_after(now: DateTime<Utc>) -> [String; 3] {
    [EXPORT_IDS_DAYS, VERIFY_IDS_DAYS, 0].map(|days| {
        let after = now.checked_sub_days(Days::new(days));
        format_time(after.unwrap_or(DateTime::<Utc>::MIN_UTC))
    })
}

/// The seal for the first ids of a transaction; `None` for a file. Records whose it is, if the ledger
/// has no key yet.
///
/// # Errors
/// [`LedgerError::NoKey`], [`LedgerError::OtherKey`], or when the ledger cannot be written.
pub(crate) fn begin_sealing<'t>(
    tx: &'t Write<'_>,
    now: DateTime<Utc>,
) -> Result<Option<&'t Seal>, LedgerError> {
    let Some(lazy) = tx.lazy_seal() else {
        return Ok(None);
    };
    let seal = lazy.get().map_err(LedgerError::NoKey)?;
    remember_key(tx, &seal.fingerprint, now)?;
    Ok(Some(seal))
}

fn remember_key(tx: &Write<'_>, given: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
    if !demand_key(tx, given)? {
        let sql = "INSERT INTO people_key (fingerprint, since, unclean) VALUES ($1, $2, 0)";
        sql::execute(tx, sql, params![given, format_time(now)])?;
        let details = json!({ "fingerprint": given });
        let event = AuditEvent::LedgerKeyRecorded;
        audit::tell(tx, event, EntrySubject::Ledger, details, now)?;
    }
    Ok(())
}

/// The number of ids hashed; `None` if they stay or were hashed before.
fn hash_one(
    tx: &Connection,
    job: &JobId,
    hasher: &PersonHasher,
    swept: &mut Swept,
) -> Result<Option<usize>, LedgerError> {
    // Another dsr may have been faster. A final job stays final.
    if !payload::exists(tx, job)? {
        return Ok(None);
    }
    read_to_change(tx, job)?;
    let lines = match payload::read_lines(tx, job) {
        Err(LedgerError::Unreadable { .. }) => {
            swept.unreadable += 1;
            return Ok(None);
        }
        lines => lines?,
    };
    let mut hashes: Vec<PersonHash> = lines.ids().map(|id| hasher.hash(id)).collect();
    // The original order would show who was next to whom in the source.
    hashes.sort_unstable();
    let hashes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    let sql = "INSERT INTO people (request, number, hashes) VALUES ($1, $2, $3)";
    sql::execute(tx, sql, params![job.request.as_str(), job.number, hashes])?;
    payload::delete(tx, job)?;
    swept.jobs += 1;
    swept.ids += lines.count();
    Ok(Some(lines.count()))
}
