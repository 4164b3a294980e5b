//! Doubt about a job: POSTs with an unknown task, and answers that contradict the ledger. A job
//! whose state would claim more than is known becomes `unknown`.

use chrono::{DateTime, Utc};

use crate::domain::{JobId, JobState, TaskId, TaskStatus};

use super::attempts::is_called_off;
use super::row::{note_reason, note_status, read_to_change, step};
use crate::ledger::audit::{self, Moved, Why};
use crate::ledger::columns::state;
use crate::ledger::engine::{Connection, Question, params};
use crate::ledger::requests::records::{JOB_COLUMNS, read_job};
use crate::ledger::sql;
use crate::ledger::{JobRecord, Ledger, LedgerError, Write};

/// The results of a job's attempts that decide whether to make another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    pub last: Option<JobState>,
    /// Attempts that made or may have made a task.
    pub unclear: u32,
    /// Attempts that Mixpanel accepted without a readable task id.
    pub unread: u32,
    /// Whether the job may have been sent in a time that a set-back ledger lacks.
    pub is_of_lost_span: bool,
    /// Whether the operator cancelled the request, and has not asked to send the job again.
    pub is_called_off: bool,
}

impl Tried {
    /// Why the outcome is unknown.
    pub fn doubt(&self) -> &'static str {
        match self {
            Self {
                is_of_lost_span: true,
                ..
            } => "the ledger was restored from an older copy",
            Self { unclear: 0, .. } => "there is no answer yet",
            Self {
                unclear, unread, ..
            } if unclear > unread => "an answer was lost",
            _ => "Mixpanel's answers are unclear or contradictory",
        }
    }
}

/// Whether the step was recorded, or another dsr was faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    Recorded,
    /// Another dsr was faster and left the job in this state.
    Taken(JobState),
}

impl Ledger {
    /// The results of a job's attempts.
    pub fn find_tried(&self, job: &JobId) -> Result<Tried, LedgerError> {
        // A possible POST in a lost span does not count beside an unclear one.
        let sql = "SELECT COUNT(*) FILTER (WHERE outcome IN ('unknown', 'accepted')
                        AND sender <> 'set-back') AS unclear,
                    COUNT(*) FILTER (WHERE outcome = 'accepted') AS unread,
                    -- As `attempts.rs` calls it.
                    COUNT(*) FILTER (WHERE sender = 'set-back') > 0 AS lost_span,
                    (SELECT outcome FROM attempts WHERE request = $1 AND number = $2
                     ORDER BY attempt DESC LIMIT 1) AS last
             FROM attempts WHERE request = $1 AND number = $2";
        let is_called_off = is_called_off(&self.conn, job)?;
        let tried = sql::find(&self.conn, sql, sql::of(job), |row| {
            let last: Option<String> = row.get("last")?;
            let is_of_lost_span: bool = row.get("lost_span")?;
            let unclear: u32 = row.get("unclear")?;
            Ok(Tried {
                last: last.map(|_| state(row, "last")).transpose()?,
                unclear: unclear.max(u32::from(is_of_lost_span)),
                unread: row.get("unread")?,
                is_of_lost_span,
                is_called_off,
            })
        })?;
        tried.ok_or_else(|| LedgerError::NoJob(job.clone()))
    }

    /// The job that a task was made for, if the ledger has it; not a job linked to the task.
    pub fn find_owner(&self, task: &TaskId) -> Result<Option<JobRecord>, LedgerError> {
        find_owner(&self.conn, task)
    }

    /// The other jobs with this task.
    pub fn list_sharing(&self, task: &TaskId, job: &JobId) -> Result<Vec<JobRecord>, LedgerError> {
        let values = params![task.as_str(), job.request.as_str(), job.number];
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs
                 WHERE task_id = $1 AND NOT (request = $2 AND number = $3)
                 ORDER BY request, number"
        );
        sql::list(&self.conn, &sql, values, read_job)
    }

    /// Commits that Mixpanel's answer about a job's task contradicts the ledger: the job becomes
    /// unknown, whatever the status. A job in a final state stays in it.
    pub fn record_contradiction(
        &mut self,
        job: &JobId,
        status: &TaskStatus,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let moved = contradict(&tx, job, reason, now)?;
        note_status(&tx, job, status, now)?;
        match moved {
            Some(moved) => moved.tell(&tx, Why::Contradiction)?,
            None => audit::note(&tx, job, Why::Contradiction, now)?,
        }
        tx.commit()
    }
}

/// If another job already has `task`, neither job is certain. The other job becomes unknown, and
/// the reason for this one is returned.
pub(crate) fn share(
    tx: &Write<'_>,
    job: &JobId,
    task: &TaskId,
    now: DateTime<Utc>,
) -> Result<Option<String>, LedgerError> {
    let Some(other) = find_owner(tx, task)?.filter(|other| other.id != *job) else {
        return Ok(None);
    };
    let reason = format!(
        "Mixpanel named one task ({task}) for job {} of request {} and job {} of request {}",
        other.id.number,
        other.id.request.short(),
        job.number,
        job.request.short()
    );
    if let Some(moved) = contradict(tx, &other.id, &reason, now)? {
        moved.tell(tx, Why::Contradiction)?;
    }
    Ok(Some(reason))
}

/// The caller adds the audit entry once the job's row is complete.
fn contradict(
    tx: &Write<'_>,
    job: &JobId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Option<Moved>, LedgerError> {
    let record = read_to_change(tx, job)?;
    if !record.state.is_followed() {
        return Ok(None);
    }
    let moved = step(tx, &record, JobState::Unknown, now)?;
    note_reason(tx, job, reason)?;
    Ok(Some(moved))
}

fn find_owner(conn: &Connection, task: &TaskId) -> Result<Option<JobRecord>, LedgerError> {
    let asked = owner_question(task)?;
    sql::find(conn, &asked.sql, asked.values, read_job)
}

/// What [`find_owner`] asks.
pub(crate) fn owner_question(task: &TaskId) -> Result<Question, LedgerError> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE task_id = $1 AND linked = 0 LIMIT 1");
    Ok(Question::new(sql, [task.as_str()])?)
}
