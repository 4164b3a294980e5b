//! The history of a job: steps, attempts, downloads.

use chrono::{DateTime, Utc};

use crate::domain::{Attempt, Deed, HistoryStep, JobId, Passage, RequestId};

use crate::ledger::columns::{count, moment, state, time, unreadable};
use crate::ledger::engine::Row;
use crate::ledger::jobs::attempts::SET_BACK;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{DownloadRecord, JobRecord, Ledger, LedgerError, PackagesRecord};

/// A job with its whole history.
#[derive(Debug, Clone)]
pub struct JobHistory {
    pub job: JobRecord,
    pub steps: Vec<HistoryStep>,
    pub attempts: Vec<Attempt>,
    pub download: Option<DownloadRecord>,
    /// The last packages made of its download, and when.
    pub packages: Option<(DateTime<Utc>, PackagesRecord)>,
    pub first_fetched_at: Option<DateTime<Utc>>,
    pub kept: KeptIds,
}

/// What the ledger keeps of a job's people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIds {
    /// The ids, since they may be needed again.
    Raw,
    Hashed,
    None,
}

impl Ledger {
    /// The history of a job.
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
                    (SELECT first_fetched_at FROM downloads
                     WHERE request = $1 AND number = $2) AS first_fetched_at";
        let kept = sql::find(&self.conn, sql, sql::of(id), |row| {
            let kept = match (row.get("raw")?, row.get("hashed")?) {
                (true, _) => KeptIds::Raw,
                (false, true) => KeptIds::Hashed,
                (false, false) => KeptIds::None,
            };
            Ok((kept, time(row, "first_fetched_at")?))
        })?;
        kept.ok_or_else(|| unreadable("a job's people"))
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
                command: row.get("command")?,
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
                is_certain: row.get::<Option<String>>("sender")?.as_deref() != Some(SET_BACK),
            })
        })
    }

    /// The first `most` audit entries of a request and its jobs, without steps, and the number of
    /// further ones.
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
        while let Some(row) = &rows.next()? {
            if deeds.len() == most {
                more += 1;
                continue;
            }
            let damaged = || unreadable("an entry of the audit trail");
            deeds.push(Deed {
                entry: count(row, "seq")?,
                at: time(row, "at")?.ok_or_else(damaged)?,
                event: row.get("event")?,
                job: row.get("job")?,
                by: doer(row)?.ok_or_else(damaged)?,
                command: row.get("command")?,
            });
        }
        Ok((deeds, more))
    }

    /// The states that a request's jobs passed through, and when. A possible POST in a lost time
    /// does not count, nor does the operator's naming of a task.
    pub fn list_passages(&self, request: &RequestId) -> Result<Vec<Passage>, LedgerError> {
        let sql =
            "SELECT to_state, COUNT(DISTINCT number) AS jobs, MIN(at) AS first, MAX(at) AS last
             FROM steps WHERE request = $1 AND NOT (to_state = 'sending' AND EXISTS (
                 SELECT 1 FROM attempts WHERE request = steps.request AND number = steps.number
                     AND sender = $2 AND ended_at = steps.at))
             AND NOT (to_state = 'accepted' AND EXISTS (
                 SELECT 1 FROM jobs WHERE request = steps.request AND number = steps.number
                     AND submitted_at IS NULL))
             GROUP BY to_state ORDER BY first, last, to_state";
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

/// `user@host`
pub(super) fn doer(row: &Row<'_>) -> Result<Option<String>, LedgerError> {
    let user: Option<String> = row.get("actor_user")?;
    let host: Option<String> = row.get("actor_host")?;
    Ok(user.zip(host).map(|(user, host)| format!("{user}@{host}")))
}
