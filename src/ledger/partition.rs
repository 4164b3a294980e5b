//! Jobs taken apart: too large for the server, or with ids that are in another task already.
//!
//! Each step is one transaction, so an id is in exactly one job before and after it.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::json;

use crate::domain::{
    Batch, DistinctId, JobId, JobState, Kind, ProjectKey, SubjectRequestId, TaskId,
};

use super::audit::{self, AuditEvent, Why};
use super::jobs::{count_unclear, read_one, step};
use super::records::{format_time, unreadable};
use super::{Ledger, LedgerError, Write, payload, prepare};

/// Ids that another deletion has already.
#[derive(Debug)]
pub struct Linked {
    pub batch: Batch,
    pub to: LinkTo,
    /// In words for the operator.
    pub reason: String,
}

/// What becomes of ids that another deletion has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTo {
    /// They are followed as part of this task.
    Task(TaskId),
    /// The server does not say which of several tasks has them: refused.
    Nobody,
    /// An earlier request of ours has them and no task yet: they stay planned until it has.
    Later,
}

impl Ledger {
    /// Cuts a job that was not sent into jobs of at most `limit` ids, and remembers the limit for
    /// the project, if it is smaller than what was known.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Overtaken`] when the job may have been sent
    /// since.
    pub fn record_cut(
        &mut self,
        job: &JobId,
        kind: Kind,
        project: &ProjectKey,
        limit: NonZeroUsize,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        demand_unsent(&tx, job)?;
        let whole = payload::read(&tx, job)?;
        // What may have become of the whole may have become of each part of it.
        let may_be_double = read_one(&tx, job)?.may_be_double || count_unclear(&tx, job)? > 0;
        let mut added = Vec::new();
        for (place, ids) in whole.ids().chunks(limit.get()).enumerate() {
            let batch = restore(ids.to_vec())?;
            let part = match place {
                0 => {
                    shrink(&tx, job, &batch)?;
                    job.clone()
                }
                _ => {
                    let part = insert_planned(&tx, job, &batch)?;
                    added.push((part.clone(), batch.count()));
                    part
                }
            };
            if may_be_double {
                note_may_be_double(&tx, &part)?;
            }
        }
        tell_cut(&tx, job, &added, now)?;
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
    /// its own, linked to its task. What is left stays as it is: to be sent, or to be settled.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Overtaken`] when the job has a task of its
    /// own, is being sent, or has other ids by now.
    pub fn record_linked(
        &mut self,
        job: &JobId,
        groups: &[Linked],
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        if !read_one(&tx, job)?.is_unsettled() {
            demand_unsent(&tx, job)?;
        }
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
            // Another dsr has taken some of them out since they were read.
            return Err(LedgerError::Overtaken(job.clone()));
        }
        let mut others = groups;
        let mut own = None;
        if rest.is_empty() {
            let Some((first, more)) = groups.split_first() else {
                return Ok(());
            };
            shrink(&tx, job, &first.batch)?;
            own = Some(first);
            others = more;
        } else {
            shrink(&tx, job, &restore(rest)?)?;
        }
        let mut added = Vec::new();
        for group in others {
            let number = insert_planned(&tx, job, &group.batch)?;
            added.push((number, group.batch.count()));
        }
        tell_cut(&tx, job, &added, now)?;
        if let Some(own) = own {
            become_linked(&tx, job, own, now)?;
        }
        for ((number, _), group) in added.iter().zip(others) {
            become_linked(&tx, number, group, now)?;
        }
        tx.commit()?;
        Ok(())
    }
}

fn demand_unsent(tx: &Transaction<'_>, job: &JobId) -> Result<(), LedgerError> {
    match read_one(tx, job)?.state {
        JobState::Planned | JobState::Deferred => Ok(()),
        _ => Err(LedgerError::Overtaken(job.clone())),
    }
}

fn restore(ids: Vec<DistinctId>) -> Result<Batch, LedgerError> {
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

/// Notes that a POST of its ids may have been taken before it is sent.
fn note_may_be_double(tx: &Transaction<'_>, job: &JobId) -> Result<(), LedgerError> {
    prepare(
        tx,
        "UPDATE jobs SET may_be_double = 1 WHERE request = $1 AND number = $2",
    )?
    .execute(params![job.request.as_str(), job.number])?;
    Ok(())
}

/// Puts an unsent job where its ids are: no POST is made for it.
fn become_linked(
    tx: &Write<'_>,
    job: &JobId,
    group: &Linked,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let from = read_one(tx, job)?.state;
    let (next, task) = match &group.to {
        LinkTo::Task(task) => (Some(JobState::Accepted), Some(task.as_str())),
        LinkTo::Nobody => (Some(JobState::Refused), None),
        LinkTo::Later => (None, None),
    };
    let moved = next
        .map(|next| step(tx, job, from, next, now))
        .transpose()?;
    prepare(
        tx,
        "UPDATE jobs SET task_id = $1, submitted_at = $2, reason = $3, linked = $4, not_before = NULL
         WHERE request = $5 AND number = $6",
    )?
    .execute(params![
        task,
        task.map(|_| format_time(now)),
        group.reason,
        i64::from(task.is_some()),
        job.request.as_str(),
        job.number
    ])?;
    moved.map_or(Ok(()), |moved| moved.tell(tx, Why::Linked))
}

/// Tells of jobs that were taken out of another, each still planned.
fn tell_cut(
    tx: &Write<'_>,
    job: &JobId,
    added: &[(JobId, usize)],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    if added.is_empty() {
        return Ok(());
    }
    let added = added.iter();
    let added = added.map(|(job, ids)| json!({ "job": job.number, "ids": ids }));
    let details = json!({ "added": added.collect::<Vec<_>>() });
    audit::tell_job(tx, AuditEvent::JobCut, job, details, now)
}

/// Adds a planned job to the request of `beside`, behind its last.
fn insert_planned(
    tx: &Transaction<'_>,
    beside: &JobId,
    batch: &Batch,
) -> Result<JobId, LedgerError> {
    let request = beside.request.as_str();
    let number: u32 = prepare(tx, "SELECT MAX(number) + 1 FROM jobs WHERE request = $1")?
        .query_row([request], |row| row.get(0))?;
    prepare(
        tx,
        "INSERT INTO jobs (request, number, subject_request_id, ids_count, state, attempts)
         VALUES ($1, $2, $3, $4, 'planned', 0)",
    )?
    .execute(params![
        request,
        number,
        SubjectRequestId::random().to_string(),
        to_sql(batch.count()),
    ])?;
    let job = JobId {
        request: beside.request.clone(),
        number,
    };
    payload::write(tx, &job, batch)?;
    Ok(job)
}

fn to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
