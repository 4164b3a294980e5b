//! How a job came to stand where it stands: each step, each attempt, what was fetched.

use chrono::{DateTime, Utc};
use rusqlite::Row;

use crate::domain::{JobId, JobState, RequestId};

use crate::ledger::columns::{count, moment, state, time, unreadable};
use crate::ledger::jobs::attempts::SET_BACK;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{DownloadRecord, JobRecord, Ledger, LedgerError, PackagesRecord};

/// A job with all that the ledger knows of its past.
#[derive(Debug, Clone)]
pub struct JobHistory {
    pub job: JobRecord,
    /// In their order.
    pub steps: Vec<HistoryStep>,
    /// In their order.
    pub attempts: Vec<Attempt>,
    pub download: Option<DownloadRecord>,
    /// The last that were made of what was fetched, and when.
    pub packages: Option<(DateTime<Utc>, PackagesRecord)>,
    /// When its export was fetched for the first time.
    pub first_fetched_at: Option<DateTime<Utc>>,
    pub kept: KeptIds,
}

/// One step from state to state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryStep {
    pub from: JobState,
    pub to: JobState,
    pub at: DateTime<Utc>,
    /// None for steps from before there was an audit trail.
    pub by: Option<Doer>,
}

/// Who took a step, as the audit trail has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    pub user: String,
    pub host: String,
    /// The command alone, such as `dsr delete`.
    pub command: String,
}

/// Something that was done to a request or a job, other than a step, as the audit trail has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The entry's number in the trail.
    pub entry: usize,
    pub at: DateTime<Utc>,
    pub by: Doer,
    /// As [`crate::ledger::AuditEvent::as_str`] has it, or what a newer dsr says.
    pub event: String,
    /// The number of the job in its request.
    pub job: Option<u32>,
}

/// One POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    pub started_at: DateTime<Utc>,
    /// When its answer came; for a killed dsr, when that was noticed.
    pub ended_at: Option<DateTime<Utc>>,
    /// The state it led to.
    pub outcome: Option<JobState>,
    /// In words for the operator; no secret, no id.
    pub reason: Option<String>,
    /// This ledger made it. Otherwise it may have been made in the span that a ledger which was set back
    /// lacks, and its times say no more than between when.
    pub is_certain: bool,
}

/// What the ledger has of a job's people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIds {
    /// The ids themselves, since they may be needed again.
    Raw,
    /// Keyed hashes in their place.
    Hashed,
    None,
}

/// How many of a request's jobs came to a state, and when the first and the last of them did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub to: JobState,
    pub jobs: usize,
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
}

impl Ledger {
    /// What the ledger knows of a job's past.
    pub fn find_history(&self, job: JobRecord) -> Result<JobHistory, LedgerError> {
        let id = job.id.clone();
        let (kept, first_fetched_at) = self.find_kept(&id)?;
        Ok(JobHistory {
            steps: self.list_steps(&id)?,
            attempts: self.list_attempts(&id)?,
            download: self.find_download(&id)?,
            packages: self.find_packages(&id)?,
            first_fetched_at,
            kept,
            job,
        })
    }

    fn find_kept(&self, id: &JobId) -> Result<(KeptIds, Option<DateTime<Utc>>), LedgerError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM payloads WHERE request = $1 AND number = $2) AS raw,
                    EXISTS (SELECT 1 FROM people WHERE request = $1 AND number = $2) AS hashed,
                    (SELECT COALESCE(first_fetched_at, fetched_at) FROM downloads
                     WHERE request = $1 AND number = $2) AS first_fetched_at";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query(sql::of(id))?;
        let row = rows.next()?.ok_or_else(|| unreadable("a job's people"))?;
        let kept = match (row.get("raw")?, row.get("hashed")?) {
            (true, _) => KeptIds::Raw,
            (false, true) => KeptIds::Hashed,
            (false, false) => KeptIds::None,
        };
        Ok((kept, time(row, "first_fetched_at")?))
    }

    fn list_steps(&self, id: &JobId) -> Result<Vec<HistoryStep>, LedgerError> {
        let sql = "SELECT from_state, to_state, steps.at AS at, actor_user, actor_host, command
             FROM steps LEFT JOIN audit ON seq = (
                 SELECT MIN(seq) FROM audit AS entry
                 WHERE entry.request = steps.request AND entry.job = steps.number
                     AND entry.event = 'job_moved' AND entry.at = steps.at)
             WHERE steps.request = $1 AND steps.number = $2 ORDER BY step";
        sql::list(&self.conn, sql, sql::of(id), |row| {
            Ok(HistoryStep {
                from: state(row, "from_state")?,
                to: state(row, "to_state")?,
                at: moment(row, "at")?,
                by: doer(row)?,
            })
        })
    }

    fn list_attempts(&self, id: &JobId) -> Result<Vec<Attempt>, LedgerError> {
        let sql = "SELECT attempt, started_at, ended_at, outcome, reason, sender FROM attempts
             WHERE request = $1 AND number = $2 ORDER BY attempt";
        sql::list(&self.conn, sql, sql::of(id), |row| {
            let outcome: Option<String> = row.get("outcome")?;
            Ok(Attempt {
                number: row.get("attempt")?,
                started_at: moment(row, "started_at")?,
                ended_at: time(row, "ended_at")?,
                outcome: match outcome {
                    Some(_) => Some(state(row, "outcome")?),
                    None => None,
                },
                reason: row.get("reason")?,
                is_certain: row.get::<_, Option<String>>("sender")?.as_deref() != Some(SET_BACK),
            })
        })
    }

    /// What the audit trail has of a request and its jobs beside their steps, the first `most` of it,
    /// and how much more there is.
    pub fn list_deeds(
        &self,
        request: &RequestId,
        most: usize,
    ) -> Result<(Vec<Deed>, usize), LedgerError> {
        let sql = "SELECT seq, at, actor_user, actor_host, command, event, job FROM audit
             WHERE request = $1 AND event NOT IN ('job_moved', 'job_noted') ORDER BY seq";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query([request.as_str()])?;
        let (mut deeds, mut more) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            if deeds.len() == most {
                more += 1;
                continue;
            }
            let damaged = || unreadable("an entry of the audit trail");
            deeds.push(Deed {
                entry: count(row, "seq")?,
                at: time(row, "at")?.ok_or_else(damaged)?,
                by: doer(row)?.ok_or_else(damaged)?,
                event: row.get("event")?,
                job: row.get("job")?,
            });
        }
        Ok((deeds, more))
    }

    /// Through which states a request's jobs passed, and when; one for each state. That a job may have
    /// been sent before the ledger was set back is no passage, nor that the operator named its task.
    pub fn list_passages(&self, request: &RequestId) -> Result<Vec<Passage>, LedgerError> {
        let sql =
            "SELECT to_state, COUNT(DISTINCT number) AS jobs, MIN(at) AS first, MAX(at) AS last
             FROM steps WHERE request = $1 AND NOT (to_state = 'sending' AND EXISTS (
                 SELECT 1 FROM attempts WHERE request = steps.request AND number = steps.number
                     AND sender = $2 AND ended_at = steps.at))
             AND NOT (to_state = 'accepted' AND EXISTS (
                 SELECT 1 FROM jobs WHERE request = steps.request AND number = steps.number
                     AND submitted_at IS NULL))
             GROUP BY to_state ORDER BY first, last";
        sql::list(&self.conn, sql, [request.as_str(), SET_BACK], |row| {
            Ok(Passage {
                to: state(row, "to_state")?,
                jobs: count(row, "jobs")?,
                first: moment(row, "first")?,
                last: moment(row, "last")?,
            })
        })
    }
}

fn doer(row: &Row<'_>) -> Result<Option<Doer>, LedgerError> {
    let user: Option<String> = row.get("actor_user")?;
    Ok(match user {
        Some(user) => Some(Doer {
            user,
            host: row.get("actor_host")?,
            command: row.get("command")?,
        }),
        None => None,
    })
}
