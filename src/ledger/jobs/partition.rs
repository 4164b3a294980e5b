//! Splits jobs that are too large for the server, or have ids that another task already has. Each
//! step is one transaction, so an id is in exactly one job before and after it.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{Batch, DistinctId, JobId, JobState, SubjectRequestId, TaskId};

use super::attempts::IN_DOUBT;
use super::payload;
use super::row::{note_doubt, note_reason, read_one, read_to_change, set, step};
use crate::ledger::audit::{self, AuditEvent, EntrySubject, Why};
use crate::ledger::columns::{format_time, to_sql, unreadable};
use crate::ledger::engine::{Transaction, params};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, Write};

/// Ids that another deletion already has.
#[derive(Debug)]
pub struct Linked {
    pub batch: Batch,
    pub to: LinkTo,
    pub reason: String,
}

/// What to do with ids that another deletion has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTo {
    /// Follow them as part of this task.
    Task(TaskId),
    /// Unknown: the server names tasks for them, but no task has them.
    Nobody,
    /// They stay planned: an earlier request has them but no task yet, or the task with them has
    /// ended.
    Later,
}

impl Ledger {
    /// Cuts an unsent job into jobs of at most `limit` ids.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Overtaken`] if the job may have been sent
    /// meanwhile.
    pub fn record_cut(
        &mut self,
        job: &JobId,
        limit: NonZeroUsize,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        demand_unsent(&tx, job)?;
        let whole = payload::read(&tx, job)?;
        // A doubt about the whole job is a doubt about each part.
        let may_be_double = read_to_change(&tx, job)?.may_be_double;
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
                note_doubt(&tx, &part)?;
                note_reason(&tx, &part, IN_DOUBT)?;
            }
        }
        match added.is_empty() {
            true => audit::note(&tx, job, Why::Submit, now)?,
            false => tell_cut(&tx, job, &added, now)?,
        }
        tx.commit()
    }

    /// Moves ids that other tasks have out of a job: each group becomes its own job, linked to its
    /// task. The rest stays in the job.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Overtaken`] if the job has its own task,
    /// is being sent, or has other ids now.
    pub fn record_linked(
        &mut self,
        job: &JobId,
        groups: &[Linked],
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let record = read_to_change(&tx, job)?;
        if !record.is_unsettled() {
            demand_unsent(&tx, job)?;
        }
        let is_in_doubt = record.may_be_double || record.is_unsettled();
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
            // Another dsr moved some ids out meanwhile.
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
        if is_in_doubt && own.is_some() {
            note_doubt(&tx, job)?;
        }
        let mut added = Vec::new();
        for group in others {
            let number = insert_planned(&tx, job, &group.batch)?;
            if is_in_doubt {
                note_doubt(&tx, &number)?;
            }
            added.push((number, group.batch.count()));
        }
        tell_cut(&tx, job, &added, now)?;
        if let Some(own) = own {
            become_linked(&tx, job, own, now)?;
        }
        for ((number, _), group) in added.iter().zip(others) {
            become_linked(&tx, number, group, now)?;
        }
        tx.commit()
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

fn shrink(tx: &Transaction<'_>, job: &JobId, batch: &Batch) -> Result<(), LedgerError> {
    payload::write(tx, job, batch)?;
    set(tx, job, "ids_count = $1", params![to_sql(batch.count())])
}

/// Links an unsent job to the task that has its ids; no POST is made for it.
fn become_linked(
    tx: &Write<'_>,
    job: &JobId,
    group: &Linked,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let record = read_one(tx, job)?;
    let (next, task) = match &group.to {
        LinkTo::Task(task) => (Some(JobState::Accepted), Some(task.as_str())),
        LinkTo::Nobody => (Some(JobState::Unknown), None),
        LinkTo::Later => (None, None),
    };
    let moved = next.map(|next| step(tx, &record, next, now)).transpose()?;
    set(
        tx,
        job,
        "task_id = $1, submitted_at = $2, reason = $3, linked = $4, not_before = NULL",
        params![
            task,
            task.map(|_| format_time(now)),
            group.reason,
            i64::from(task.is_some())
        ],
    )?;
    match moved {
        Some(moved) => moved.tell(tx, Why::Linked),
        None => audit::note(tx, job, Why::Linked, now),
    }
}

/// Adds the audit entries of a job that was split and of its new, planned parts.
fn tell_cut(
    tx: &Write<'_>,
    job: &JobId,
    added: &[(JobId, usize)],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    if added.is_empty() {
        return Ok(());
    }
    let listed = added.iter();
    let listed = listed.map(|(job, ids)| json!({ "job": job.number, "ids": ids }));
    let details = json!({ "added": listed.collect::<Vec<_>>() });
    audit::tell(tx, AuditEvent::JobCut, EntrySubject::Job(job), details, now)?;
    let mut added = added.iter();
    added.try_for_each(|(job, _)| audit::note(tx, job, Why::Added, now))
}

/// Adds a planned job at the end of the request of `beside`.
fn insert_planned(
    tx: &Transaction<'_>,
    beside: &JobId,
    batch: &Batch,
) -> Result<JobId, LedgerError> {
    let request = beside.request.as_str();
    let sql = "SELECT MAX(number) + 1 FROM jobs WHERE request = $1";
    let number: u32 = sql::value(tx, sql, [request])?;
    let sql = "INSERT INTO jobs (request, number, subject_request_id, ids_count, state, attempts)
         VALUES ($1, $2, $3, $4, 'planned', 0)";
    prepare(tx, sql)?.execute(params![
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
