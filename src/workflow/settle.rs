//! Conflicts and lost answers: which task has an id, found out by asking about the tasks.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};

use crate::domain::{Batch, DistinctId, JobId, Kind, ProjectKey, RequestId, TaskId, TaskStatus};
use crate::ledger::{Ledger, LedgerError, LinkTo, Linked, Owner, Shared, Standing};
use crate::mixpanel::Client;

use super::follow::{Question, RefreshTrouble, ask};
use super::verdict::conflict_reason;
use super::{Run, WorkflowError};

/// What is known of a task's ids.
type TaskIds = Option<HashSet<String>>;

/// A task that a conflict named, and its ids where it was worth asking for them.
struct Named<'t> {
    task: &'t TaskId,
    ids: TaskIds,
}

/// Links an unsent job's ids to the tasks that have them already. The job itself keeps the rest.
///
/// With one task there is nothing to ask; with several each is asked which ids it has. Ids that
/// no task owns up to are refused, naming the tasks.
pub(super) async fn link(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobId,
    ids: Vec<DistinctId>,
    tasks: &[TaskId],
) -> Result<Result<(), RefreshTrouble>, LedgerError> {
    let named = match tasks {
        [task] => vec![Named { task, ids: None }],
        several => match ask_each(run, client, several).await? {
            Ok(named) => named,
            Err(trouble) => return Ok(Err(trouble)),
        },
    };
    let (mut groups, left) = group_by_task(ids, &named);
    let reason = conflict_reason(left.len(), tasks);
    groups.extend(linked(left, LinkTo::Nobody, reason));
    run.ledger.record_linked(job, &groups, run.clock.now())?;
    Ok(Ok(()))
}

/// What a conflict shows about a job whose first answer was lost.
pub(super) enum Owners {
    /// This task has all of the job's ids: it is the one that was made for it.
    One(TaskId),
    /// No task has all of them, so none was made for the job: these ids are in others.
    Others(Vec<Linked>),
    /// Mixpanel does not say which of several tasks has which ids.
    NotSaid,
}

/// Finds out by the tasks that a conflict over `ids` named whether one of them was made for the
/// whole `batch`.
pub(super) async fn find_owners(
    run: &mut Run<'_>,
    client: &Client,
    batch: &Batch,
    ids: &[DistinctId],
    tasks: &[TaskId],
) -> Result<Result<Owners, RefreshTrouble>, LedgerError> {
    let named = ask_each(run, client, tasks).await?;
    Ok(named.map(|named| owners(batch, ids, &named)))
}

fn owners(batch: &Batch, ids: &[DistinctId], named: &[Named<'_>]) -> Owners {
    let over_all = ids.len() == batch.count();
    let made_for_it = |named_one: &&Named<'_>| match &named_one.ids {
        Some(known) => batch.ids().iter().all(|id| known.contains(id.expose())),
        // It was named for all of our ids, and no other task was.
        None => over_all && named.len() == 1,
    };
    if let Some(own) = named.iter().find(made_for_it) {
        return Owners::One(own.task.clone());
    }
    // One that does not say, or says less than the conflict, may be the one that was made for it.
    let may_be_ours = named.len() == 1 || named.iter().any(|one| one.ids.is_none());
    if over_all && may_be_ours {
        return Owners::NotSaid;
    }
    let (groups, _) = group_by_task(ids.to_vec(), named);
    match groups.is_empty() {
        true => Owners::NotSaid,
        false => Owners::Others(groups),
    }
}

/// Shares ids out among the tasks that have them; what no task owns up to is left.
fn group_by_task(ids: Vec<DistinctId>, named: &[Named<'_>]) -> (Vec<Linked>, Vec<DistinctId>) {
    let mut groups = Vec::new();
    let mut left = ids;
    for one in named {
        let is_its = |id: &DistinctId| match &one.ids {
            _ if named.len() == 1 => true,
            Some(known) => known.contains(id.expose()),
            None => false,
        };
        let (its, others) = left.into_iter().partition(is_its);
        left = others;
        let to = LinkTo::Task(one.task.clone());
        groups.extend(linked(its, to, linked_reason(one.task)));
    }
    (groups, left)
}

/// A group of ids to link, if there are any.
fn linked(ids: Vec<DistinctId>, to: LinkTo, reason: String) -> Option<Linked> {
    let batch = Batch::restore(ids).ok()?;
    Some(Linked { batch, to, reason })
}

async fn ask_each<'t>(
    run: &mut Run<'_>,
    client: &Client,
    tasks: &'t [TaskId],
) -> Result<Result<Vec<Named<'t>>, RefreshTrouble>, LedgerError> {
    let mut named = Vec::new();
    for task in tasks {
        match task_ids(run, client, Kind::Delete, task).await? {
            Ok((_, ids)) => named.push(Named { task, ids }),
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    Ok(Ok(named))
}

fn linked_reason(task: &TaskId) -> String {
    format!("linked: task {task} is deleting its ids already")
}

/// Takes out of an unsent deletion what other deletions in the ledger have: linked to their
/// tasks, or, where an earlier request has no task yet, kept back until it has.
///
/// Returns the jobs that are kept back.
pub(super) fn keep_apart(
    ledger: &mut Ledger,
    request: &RequestId,
    shared: &Shared,
    now: DateTime<Utc>,
) -> Result<Vec<JobId>, LedgerError> {
    let elsewhere = shared.elsewhere(request);
    let mut kept_back = Vec::new();
    if elsewhere.is_empty() {
        return Ok(kept_back);
    }
    for job in list_unsent(ledger, request)? {
        let mut by_owner: BTreeMap<usize, Vec<DistinctId>> = BTreeMap::new();
        let batch = LedgerError::unless_overtaken(ledger.find_batch(&job))?;
        let Some(batch) = batch else { continue };
        for id in batch.ids() {
            if let Some(owner) = elsewhere.owner_of(id) {
                by_owner.entry(owner).or_default().push(id.clone());
            }
        }
        let groups = by_owner.into_iter();
        let groups: Vec<Linked> = groups
            .filter_map(|(owner, ids)| kept_apart(ids, elsewhere.owner(owner)))
            .collect();
        if !groups.is_empty() {
            LedgerError::unless_overtaken(ledger.record_linked(&job, &groups, now))?;
        }
    }
    // What is still unsent and stands elsewhere was kept back.
    for job in list_unsent(ledger, request)? {
        let batch = LedgerError::unless_overtaken(ledger.find_batch(&job))?;
        let mut ids = batch.iter().flat_map(|batch| batch.ids());
        if ids.any(|id| elsewhere.owner_of(id).is_some()) {
            kept_back.push(job);
        }
    }
    Ok(kept_back)
}

fn kept_apart(ids: Vec<DistinctId>, other: &Owner) -> Option<Linked> {
    let short = other.job.request.short();
    let (to, reason) = match &other.task {
        Some(task) => (
            LinkTo::Task(task.clone()),
            format!("{}, for request {short}", linked_reason(task)),
        ),
        None => (
            LinkTo::Later,
            format!("request {short} has its ids and no task yet"),
        ),
    };
    linked(ids, to, reason)
}

fn list_unsent(ledger: &Ledger, request: &RequestId) -> Result<Vec<JobId>, LedgerError> {
    let unsent = ledger.jobs(request, Standing::Unsent);
    unsent.map(|job| job.map(|job| job.id)).collect()
}

/// What came of the operator's word that a job became a certain task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    Yes,
    /// Mixpanel knows no such task in the project.
    NotFound,
    /// The task is about other ids.
    OtherIds,
}

/// Takes the operator's word that a job of unknown outcome became `task`, if Mixpanel knows the
/// task and does not say that it is about other ids.
///
/// # Errors
/// When the ledger cannot be written. What keeps Mixpanel from being asked is the inner error.
pub async fn adopt(
    run: &mut Run<'_>,
    job: &JobId,
    kind: Kind,
    project: &ProjectKey,
    task: &TaskId,
) -> Result<Result<Adopted, RefreshTrouble>, WorkflowError> {
    let clients = run.clients;
    let Some(client) = clients.get(project) else {
        let project = String::new();
        return Ok(Err(RefreshTrouble::NoProject { project }));
    };
    let (status, known) = match task_ids(run, client, kind, task).await? {
        Ok(answer) => answer,
        Err(trouble) => return Ok(Err(trouble)),
    };
    if status == TaskStatus::NotFound {
        return Ok(Ok(Adopted::NotFound));
    }
    let batch = run.ledger.find_batch(job)?;
    let covers = known.is_none_or(|known| {
        let mut ids = batch.ids().iter();
        ids.all(|id| known.contains(id.expose()))
    });
    if !covers {
        return Ok(Ok(Adopted::OtherIds));
    }
    let now = run.clock.now();
    let reason = "the operator named its task";
    run.ledger.record_settled(job, task, reason, now)?;
    run.ledger.record_check(job, &status, now)?;
    Ok(Ok(Adopted::Yes))
}

async fn task_ids(
    run: &mut Run<'_>,
    client: &Client,
    kind: Kind,
    task: &TaskId,
) -> Result<Result<(TaskStatus, TaskIds), RefreshTrouble>, LedgerError> {
    let project = client.project().key();
    let question = Question {
        task,
        kind,
        project: &project,
    };
    let answer = ask(run, client, &question).await?;
    Ok(answer.map(|answer| (answer.status, answer.ids)))
}

/// Half of a job's ids, rounded up: what is tried when the whole is too large.
pub(super) fn half(ids: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(ids.div_ceil(2)).filter(|_| ids > 1)
}
