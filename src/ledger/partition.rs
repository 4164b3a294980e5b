//! Jobs taken apart: too large for the server, or with ids that are in another task already.
//!
//! Each step is one transaction, so an id is in exactly one job before and after it.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{Batch, JobId, JobState, Kind, ProjectKey, SubjectRequestId, TaskId};

use super::jobs::read_one;
use super::records::{format_time, unreadable};
use super::{Ledger, LedgerError, payload, prepare};

/// Ids that a deletion of somebody else's has already.
#[derive(Debug)]
pub struct Linked {
    pub batch: Batch,
    /// The task that has them; `None` when the server does not say which of several.
    pub task: Option<TaskId>,
    /// In words for the operator.
    pub reason: String,
}

impl Ledger {
    /// Cuts a job that was not sent into jobs of at most `limit` ids, and remembers the limit for
    /// the project, if it is smaller than what was known.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the job may have been sent.
    pub fn record_cut(
        &mut self,
        job: &JobId,
        kind: Kind,
        project: &ProjectKey,
        limit: NonZeroUsize,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        demand_unsent(&tx, job)?;
        let whole = payload::read(&tx, job)?;
        for (place, ids) in whole.ids().chunks(limit.get()).enumerate() {
            let batch = restore(ids.to_vec())?;
            if place == 0 {
                shrink(&tx, job, &batch)?;
            } else {
                insert(&tx, job, &batch, JobState::Planned, None, None, None)?;
            }
        }
        prepare(
            &tx,
            "INSERT INTO learned (project_key, kind, batch) VALUES ($1, $2, $3)
             ON CONFLICT (project_key, kind) DO UPDATE SET batch =
                 CASE WHEN learned.batch < excluded.batch
                      THEN learned.batch ELSE excluded.batch END",
        )?
        .execute(params![
            project.as_str(),
            kind.as_str(),
            to_sql(limit.get())
        ])?;
        tx.commit()?;
        Ok(())
    }

    /// The batch limit the server taught us, if it did.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_learned_limit(
        &self,
        project: &ProjectKey,
        kind: Kind,
    ) -> Result<Option<NonZeroUsize>, LedgerError> {
        let found: Option<i64> = prepare(
            &self.conn,
            "SELECT batch FROM learned WHERE project_key = $1 AND kind = $2",
        )?
        .query_row(params![project.as_str(), kind.as_str()], |row| row.get(0))
        .optional()?;
        let limit = found.and_then(|batch| usize::try_from(batch).ok());
        Ok(limit.and_then(NonZeroUsize::new))
    }

    /// Takes out of a job the ids that are in other tasks already: each group becomes a job of
    /// its own, linked to its task, and what is left stays to be sent.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the job may have been sent.
    pub fn record_linked(
        &mut self,
        job: &JobId,
        groups: &[Linked],
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        demand_unsent(&tx, job)?;
        let whole = payload::read(&tx, job)?;
        let linked = |id| groups.iter().any(|group| group.batch.ids().contains(id));
        let rest: Vec<_> = whole
            .ids()
            .iter()
            .filter(|id| !linked(id))
            .cloned()
            .collect();
        let taken: usize = groups.iter().map(|group| group.batch.count()).sum();
        if taken + rest.len() != whole.count() {
            return Err(unreadable("a conflict over ids that are not in the job"));
        }
        let at = format_time(now);
        let mut others = groups;
        if rest.is_empty() {
            let Some((first, more)) = groups.split_first() else {
                return Ok(());
            };
            shrink(&tx, job, &first.batch)?;
            become_linked(&tx, job, first, &at)?;
            others = more;
        } else {
            shrink(&tx, job, &restore(rest)?)?;
        }
        for group in others {
            let (task, reason) = (group.task.as_ref(), Some(group.reason.as_str()));
            insert(
                &tx,
                job,
                &group.batch,
                state_of(group),
                task,
                reason,
                Some(&at),
            )?;
        }
        tx.commit()?;
        Ok(())
    }
}

fn state_of(group: &Linked) -> JobState {
    match group.task {
        Some(_) => JobState::Accepted,
        None => JobState::Refused,
    }
}

fn demand_unsent(tx: &Transaction<'_>, job: &JobId) -> Result<(), LedgerError> {
    match read_one(tx, job)?.state {
        JobState::Planned | JobState::Deferred => Ok(()),
        from => Err(LedgerError::IllegalStep {
            job: job.clone(),
            from,
            to: JobState::Planned,
        }),
    }
}

fn restore(ids: Vec<crate::domain::DistinctId>) -> Result<Batch, LedgerError> {
    Batch::restore(ids).map_err(|_| unreadable("the ids of a job"))
}

/// Leaves the job with these ids only.
fn shrink(tx: &Transaction<'_>, job: &JobId, batch: &Batch) -> Result<(), LedgerError> {
    payload::write(tx, job, batch)?;
    prepare(
        tx,
        "UPDATE jobs SET ids_count = $1 WHERE request = $2 AND number = $3",
    )?
    .execute(params![
        to_sql(batch.count()),
        job.request.as_str(),
        job.number
    ])?;
    Ok(())
}

fn become_linked(
    tx: &Transaction<'_>,
    job: &JobId,
    group: &Linked,
    at: &str,
) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET state = $1, task_id = $2, reason = $3, submitted_at = $4, not_before = NULL
         WHERE request = $5 AND number = $6",
    )?
    .execute(params![
        state_of(group).as_str(),
        group.task.as_ref().map(|task| task.as_str()),
        group.reason,
        at,
        job.request.as_str(),
        job.number
    ])?;
    Ok(())
}

/// Adds a job to the request of `beside`, behind its last.
fn insert(
    tx: &Transaction<'_>,
    beside: &JobId,
    batch: &Batch,
    state: JobState,
    task: Option<&TaskId>,
    reason: Option<&str>,
    submitted_at: Option<&str>,
) -> Result<(), LedgerError> {
    let number: u32 = prepare(tx, "SELECT MAX(number) + 1 FROM jobs WHERE request = $1")?
        .query_row([beside.request.as_str()], |row| row.get(0))?;
    prepare(
        tx,
        "INSERT INTO jobs (request, number, subject_request_id, ids_count, state, attempts,
                           task_id, reason, submitted_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8)",
    )?
    .execute(params![
        beside.request.as_str(),
        number,
        SubjectRequestId::random().to_string(),
        to_sql(batch.count()),
        state.as_str(),
        task.map(TaskId::as_str),
        reason,
        submitted_at
    ])?;
    let job = JobId {
        request: beside.request.clone(),
        number,
    };
    payload::write(tx, &job, batch)
}

fn to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
