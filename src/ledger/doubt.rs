//! What is in doubt about a job: POSTs whose task nobody knows, and answers that contradict what the
//! ledger has. A job whose state would say more than is known becomes `unknown`.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::{Doubt, JobId, JobState, TaskId, TaskStatus};

use super::accept::SENDER;
use super::audit::{self, Moved, Why};
use super::history::state;
use super::jobs::{note_status, read_one, step};
use super::records::{JOB_COLUMNS, read_job};
use super::{JobRecord, Ledger, LedgerError, Write, prepare};

/// What is said of a job that ended otherwise than done, with an earlier attempt in doubt.
pub(super) const IN_DOUBT: &str = "an earlier attempt may have been carried out";

/// What a job's attempts came to, as far as it decides whether to make another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// How the last one ended.
    pub last: Option<JobState>,
    /// How many made a task, or may have made one.
    pub unclear: u32,
    /// How many Mixpanel accepted without saying as which task.
    pub unread: u32,
    /// Whether nobody knows when, or whether, it was sent: the ledger was set back.
    pub is_of_lost_span: bool,
}

impl Tried {
    /// Why nobody knows what became of it.
    pub fn doubt(&self) -> &'static str {
        match self {
            Self {
                is_of_lost_span: true,
                ..
            } => "the ledger was set back",
            Self { unclear: 0, .. } => "there is no answer yet",
            Self {
                unclear, unread, ..
            } if unclear > unread => "an answer was lost",
            _ => "Mixpanel's answers are unclear or contradictory",
        }
    }
}

/// Whether a step was taken that others may have taken, or barred, meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    Recorded,
    /// Another dsr came first; the job stands as it left it.
    Taken(JobState),
}

impl Ledger {
    /// What a job's attempts came to.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_tried(&self, job: &JobId) -> Result<Tried, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            // What may have been sent in a lost span is no further POST where one is unclear anyway.
            "SELECT COUNT(*) FILTER (WHERE outcome IN ('unknown', 'accepted')
                        AND sender <> 'set-back') AS unclear,
                    COUNT(*) FILTER (WHERE outcome = 'accepted') AS unread,
                    -- As `accept.rs` calls it.
                    COUNT(*) FILTER (WHERE sender = 'set-back') > 0 AS lost_span,
                    (SELECT outcome FROM attempts WHERE request = $1 AND number = $2
                     ORDER BY attempt DESC LIMIT 1) AS last
             FROM attempts WHERE request = $1 AND number = $2",
        )?;
        let values = params![job.request.as_str(), job.number];
        let mut rows = statement.query(values)?;
        let row = rows
            .next()?
            .ok_or_else(|| LedgerError::NoJob(job.clone()))?;
        let last: Option<String> = row.get("last")?;
        let is_of_lost_span: bool = row.get("lost_span")?;
        Ok(Tried {
            last: last.map(|_| state(row, "last")).transpose()?,
            unclear: row
                .get::<_, u32>("unclear")?
                .max(u32::from(is_of_lost_span)),
            unread: row.get("unread")?,
            is_of_lost_span,
        })
    }

    /// The job that a task was made for, if the ledger has it; never one that is linked to it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_owner(&self, task: &TaskId) -> Result<Option<JobRecord>, LedgerError> {
        find_owner(&self.conn, task)
    }

    /// The jobs that have this task without being `job`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn list_sharing(&self, task: &TaskId, job: &JobId) -> Result<Vec<JobRecord>, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            &format!(
                "SELECT {JOB_COLUMNS} FROM jobs
                 WHERE task_id = $1 AND NOT (request = $2 AND number = $3)
                 ORDER BY request, number"
            ),
        )?;
        let values = params![task.as_str(), job.request.as_str(), job.number];
        let mut rows = statement.query(values)?;
        let mut jobs = Vec::new();
        while let Some(row) = rows.next()? {
            jobs.push(read_job(row)?);
        }
        Ok(jobs)
    }

    /// Commits that what Mixpanel says of a job's task contradicts the ledger: the job is unknown,
    /// whatever the status. One that has ended stays as it ended.
    ///
    /// # Errors
    /// When the ledger cannot be written.
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

/// Where one job has a task that another one is given, neither is certain: the other one becomes
/// unknown, and the reason why this one is, too, is returned.
pub(super) fn share(
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

/// The trail hears of it from the caller, once the job's row has all that changes.
fn contradict(
    tx: &Write<'_>,
    job: &JobId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Option<Moved>, LedgerError> {
    let from = read_one(tx, job)?.state;
    if !from.is_followed() {
        return Ok(None);
    }
    let moved = step(tx, job, from, JobState::Unknown, now)?;
    note_reason(tx, job, reason)?;
    Ok(Some(moved))
}

pub(super) fn note_reason(tx: &Connection, job: &JobId, reason: &str) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET reason = $1 WHERE request = $2 AND number = $3",
    )?
    .execute(params![reason, job.request.as_str(), job.number])?;
    Ok(())
}

/// Notes that a POST of its ids may have been carried out beside what its state will say.
pub(super) fn note_doubt(tx: &Connection, job: &JobId) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET may_be_double = 1 WHERE request = $1 AND number = $2",
    )?
    .execute(params![job.request.as_str(), job.number])?;
    Ok(())
}

pub(super) fn doubt_of(conn: &Connection, job: &JobId) -> Result<Doubt, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT may_be_double <> 0 FROM jobs WHERE request = $1 AND number = $2",
    )?;
    let values = params![job.request.as_str(), job.number];
    Ok(Doubt::of(statement.query_row(values, |row| row.get(0))?))
}

fn find_owner(conn: &Connection, task: &TaskId) -> Result<Option<JobRecord>, LedgerError> {
    let mut statement = prepare(
        conn,
        &format!("SELECT {JOB_COLUMNS} FROM jobs WHERE task_id = $1 AND linked = 0 LIMIT 1"),
    )?;
    let mut rows = statement.query([task.as_str()])?;
    rows.next()?.map(read_job).transpose()
}

/// Which of a job's attempts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    All,
    AllButTheLast,
}

/// What is unclear about a job's attempts: how many made a task, or may have made one. That it may
/// have been sent in a time that the ledger lacks counts where nothing else is unclear.
pub(super) struct Unclear {
    pub(super) posts: u32,
    /// None of them is known to have been made.
    pub(super) is_of_lost_span: bool,
}

pub(super) fn count_unclear(
    conn: &Connection,
    job: &JobId,
    which: Of,
) -> Result<Unclear, LedgerError> {
    let before = i64::from(which == Of::AllButTheLast);
    let mut statement = prepare(
        conn,
        "SELECT COUNT(*) FILTER (WHERE sender <> $1), COUNT(*) FROM attempts
         WHERE request = $2 AND number = $3 AND outcome IN ('unknown', 'accepted')
           AND attempt <= (SELECT attempts FROM jobs WHERE request = $2 AND number = $3) - $4",
    )?;
    let values = params![SENDER, job.request.as_str(), job.number, before];
    let (certain, all): (u32, u32) =
        statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_of_lost_span = certain == 0 && all > 0;
    Ok(Unclear {
        posts: certain.max(u32::from(is_of_lost_span)),
        is_of_lost_span,
    })
}
