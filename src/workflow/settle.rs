//! Conflicts and lost answers: which task has an id, found out by asking about the tasks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;

use crate::domain::{
    Batch, DistinctId, JobId, JobState, Kind, ProjectKey, RequestId, TaskId, TaskStatus,
};
use crate::ledger::{
    Ledger, LedgerError, LinkTo, Linked, MadeFor, Owner, RequestRecord, Settling, Shared, Standing,
};
use crate::mixpanel::Client;

use super::follow::{self, Difference, Followed, Question, RefreshTrouble, ask};
use super::{Run, WorkflowError};

/// What is known of a task's ids.
type TaskIds = Option<HashSet<String>>;

/// A task that a conflict named, and what Mixpanel says of it.
struct Named<'t> {
    task: &'t TaskId,
    status: TaskStatus,
    ids: TaskIds,
}

impl Named<'_> {
    /// Mixpanel could look it up.
    fn is_known(&self) -> bool {
        !matches!(self.status, TaskStatus::NotFound | TaskStatus::Unknown)
    }

    fn has_ended(&self) -> bool {
        use TaskStatus::{Failure, Revoked, Success};
        matches!(self.status, Success | Failure | Revoked)
    }
}

/// Links an unsent job's ids to the tasks that have them already. The job itself keeps the rest.
///
/// Each task is asked which ids it has. Ids that no task owns up to are unknown, naming the tasks.
pub(super) async fn link(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobId,
    ids: Vec<DistinctId>,
    tasks: &[TaskId],
) -> Result<Result<(), RefreshTrouble>, LedgerError> {
    let named = match ask_each(run, client, tasks).await? {
        Ok(named) => named,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let (mut groups, left) = group_by_task(ids, &named);
    let reason = format!(
        "Mixpanel says that {} are being deleted already (409), and {} they are in does not name them",
        count_of(left.len()),
        tasks_text(tasks)
    );
    groups.extend(linked(left, LinkTo::Nobody, reason));
    run.record_linked(job, &groups)?;
    Ok(Ok(()))
}

fn count_of(ids: usize) -> String {
    match ids {
        1 => "1 of its ids".to_owned(),
        _ => format!("{ids} of its ids"),
    }
}

fn tasks_text(tasks: &[TaskId]) -> String {
    let names: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
    format!("the task ({})", names.join(", "))
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
    (job, batch): (&JobId, &Batch),
    ids: &[DistinctId],
    tasks: &[TaskId],
) -> Result<Result<Owners, RefreshTrouble>, LedgerError> {
    let named = match ask_each(run, client, tasks).await? {
        Ok(named) => named,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let found = owners(batch, ids, &named);
    let Owners::One(task) = &found else {
        return Ok(Ok(found));
    };
    // A task that was made for another job of ours was not made for this one.
    let others = run
        .ledger
        .find_owner(task)?
        .is_some_and(|own| own.id != *job);
    let all = linked(
        batch.ids().to_vec(),
        LinkTo::Task(task.clone()),
        linked_reason(task),
    );
    Ok(Ok(match all {
        Some(all) if others => Owners::Others(vec![all]),
        _ => found,
    }))
}

fn owners(batch: &Batch, ids: &[DistinctId], named: &[Named<'_>]) -> Owners {
    let over_all = ids.len() == batch.count();
    let difference = |one: &Named<'_>| one.ids.as_ref().map(|ids| Difference::between(batch, ids));
    let made_for_it = |one: &&Named<'_>| match difference(one) {
        // A task of more ids than were sent is somebody else's.
        Some(difference) => difference.missing == 0 && difference.more == 0,
        // It was named for all of our ids, and no other task was.
        None => over_all && named.len() == 1 && one.is_known(),
    };
    if let Some(own) = named.iter().find(made_for_it) {
        return Owners::One(own.task.clone());
    }
    // One that does not say, or says less than the conflict, may be the one that was made for it.
    let says_less = |one: &Named<'_>| difference(one).is_none_or(|known| known.missing > 0);
    let may_be_ours = match named {
        [only] => says_less(only),
        several => several.iter().any(|one| one.ids.is_none()),
    };
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
            Some(known) => known.contains(id.expose()),
            // The conflict is Mixpanel's word that it has them, unless the task contradicts that.
            None => named.len() == 1 && one.is_known() && !one.has_ended(),
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
            Ok((status, ids)) => named.push(Named { task, status, ids }),
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    Ok(Ok(named))
}

fn linked_reason(task: &TaskId) -> String {
    format!("linked: task {task} is deleting its ids already")
}

/// Takes out of an unsent deletion what other deletions in the ledger have: linked to their tasks,
/// where Mixpanel says that those are active and have these ids, or, where an earlier request has
/// no task yet, kept back until it has. Anything else is sent: Mixpanel names a conflict if there
/// is one.
///
/// Returns the jobs that are kept back. Where the token is turned away, nothing is to be sent.
pub(super) async fn keep_apart(
    run: &mut Run<'_>,
    request: &RequestRecord,
    shared: &Shared,
) -> Result<Result<Vec<JobId>, RefreshTrouble>, LedgerError> {
    let elsewhere = shared.elsewhere(&request.id);
    let mut kept_back = Vec::new();
    if elsewhere.is_empty() {
        return Ok(Ok(kept_back));
    }
    let mut asked: BTreeMap<usize, OtherTask> = BTreeMap::new();
    for job in list_unsent(run.ledger, &request.id)? {
        let mut by_owner: BTreeMap<usize, Vec<DistinctId>> = BTreeMap::new();
        let batch = LedgerError::unless_overtaken(run.ledger.find_batch(&job))?;
        let Some(batch) = batch else { continue };
        for id in batch.ids() {
            if let Some(owner) = elsewhere.owner_of(id) {
                by_owner.entry(owner).or_default().push(id.clone());
            }
        }
        let mut groups: Vec<Linked> = Vec::new();
        for (place, ids) in by_owner {
            let owner = elsewhere.owner(place);
            if let Entry::Vacant(entry) = asked.entry(place) {
                match ask_owner(run, request, owner).await? {
                    Ok(other) => entry.insert(other),
                    Err(trouble) => return Ok(Err(trouble)),
                };
            }
            groups.extend(kept_apart(ids, owner, &asked[&place]));
        }
        if !groups.is_empty() {
            LedgerError::unless_overtaken(run.record_linked(&job, &groups))?;
        }
    }
    for job in list_unsent(run.ledger, &request.id)? {
        let batch = LedgerError::unless_overtaken(run.ledger.find_batch(&job))?;
        let ids = batch.iter().flat_map(|batch| batch.ids());
        let mut owners = ids.filter_map(|id| elsewhere.owner_of(id));
        if owners.any(|owner| elsewhere.owner(owner).task.is_none()) {
            kept_back.push(job);
        }
    }
    Ok(Ok(kept_back))
}

/// What is known of another deletion that has ids of ours.
enum OtherTask {
    /// Mixpanel has not ended its task; with the task's ids, where Mixpanel names them.
    Active(TaskIds),
    /// It has no task yet.
    Unsent,
    /// It has ended, or Mixpanel could not be asked.
    Over,
}

async fn ask_owner(
    run: &mut Run<'_>,
    request: &RequestRecord,
    owner: &Owner,
) -> Result<Result<OtherTask, RefreshTrouble>, LedgerError> {
    let Some(task) = &owner.task else {
        return Ok(Ok(OtherTask::Unsent));
    };
    let project = request.asked.project_key.clone();
    let item = Followed::other(owner.job.clone(), task.clone(), project);
    Ok(match follow::look(run, &item).await? {
        Ok(answer) if answer.status.is_active() => Ok(OtherTask::Active(answer.ids)),
        Err(trouble @ RefreshTrouble::NotAllowed { .. }) => Err(trouble),
        Ok(_) | Err(_) => Ok(OtherTask::Over),
    })
}

fn kept_apart(ids: Vec<DistinctId>, owner: &Owner, standing: &OtherTask) -> Option<Linked> {
    let short = owner.job.request.short();
    match (standing, &owner.task) {
        (OtherTask::Active(known), Some(task)) => {
            let has = |id: &DistinctId| known.as_ref().is_none_or(|k| k.contains(id.expose()));
            let reason = format!("{}, for request {short}", linked_reason(task));
            let ids = ids.into_iter().filter(has).collect();
            linked(ids, LinkTo::Task(task.clone()), reason)
        }
        (OtherTask::Unsent, _) => linked(
            ids,
            LinkTo::Later,
            format!("request {short} has its ids and no task yet"),
        ),
        (OtherTask::Active(_) | OtherTask::Over, _) => None,
    }
}

pub(super) fn list_unsent(ledger: &Ledger, request: &RequestId) -> Result<Vec<JobId>, LedgerError> {
    let unsent = ledger.jobs(request, Standing::Unsent);
    unsent.map(|job| job.map(|job| job.id)).collect()
}

/// What came of the operator's word that a job became a certain task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    Yes,
    /// Mixpanel knows no such task in the project.
    NotFound,
    /// Mixpanel could not look the task up.
    NotSaid,
    /// The task does not have all of the job's ids.
    OtherIds(Difference),
    /// The task was made for this other job, and Mixpanel does not say that it has these ids, too.
    OtherJob(JobId),
    /// The job was settled or given up on meanwhile.
    Taken(JobState),
}

/// Takes the operator's word that a job of unknown outcome became `task`, if Mixpanel knows the
/// task and nothing that Mixpanel or the ledger says of it contradicts that.
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
    match status {
        TaskStatus::NotFound => return Ok(Ok(Adopted::NotFound)),
        TaskStatus::Unknown => return Ok(Ok(Adopted::NotSaid)),
        _ => {}
    }
    let batch = run.ledger.find_batch(job)?;
    let difference = known
        .as_ref()
        .map(|known| Difference::between(&batch, known));
    let owner = run.ledger.find_owner(task)?.filter(|own| own.id != *job);
    let made_for = match (difference, owner) {
        (Some(difference), _) if difference.missing > 0 => {
            return Ok(Ok(Adopted::OtherIds(difference)));
        }
        (None, Some(owner)) => return Ok(Ok(Adopted::OtherJob(owner.id))),
        (Some(_), Some(_)) => MadeFor::Another,
        (Some(difference), None) if difference.more > 0 => MadeFor::Another,
        (_, None) => MadeFor::TheJob,
    };
    let now = run.clock.now();
    let reason = "the operator named its task";
    let settling = run
        .ledger
        .record_settled(job, task, made_for, reason, now)?;
    match settling {
        Settling::Taken(state) => Ok(Ok(Adopted::Taken(state))),
        Settling::Recorded => {
            run.ledger.record_check(job, &status, now)?;
            run.tally.settled += 1;
            Ok(Ok(Adopted::Yes))
        }
    }
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
