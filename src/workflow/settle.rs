//! Conflicts and lost answers: which task has an id, found out by asking about the tasks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;

use crate::domain::{
    Batch, DistinctId, JobId, JobState, Kind, ProjectKey, RequestId, TaskId, TaskStatus,
};
use crate::ledger::{
    DeletionJob, Ledger, LedgerError, LinkTo, Linked, MadeFor, RequestRecord, Settling, Shared,
    Standing, Tried,
};
use crate::mixpanel::Client;

use super::follow::{self, Difference, FollowedJob, Question, RefreshTrouble, TaskAnswer, ask};
use super::queue::SentAfter;
use super::{Run, WorkflowError};

/// What is known of a task's ids.
type TaskIds = Option<HashSet<String>>;

/// A task that a conflict named, and what Mixpanel says of it.
struct NamedTask<'t> {
    task: &'t TaskId,
    status: TaskStatus,
    ids: TaskIds,
}

impl NamedTask<'_> {
    /// Mixpanel could look it up.
    fn is_known(&self) -> bool {
        !matches!(self.status, TaskStatus::NotFound | TaskStatus::Unknown)
    }

    fn has_ended(&self) -> bool {
        use TaskStatus::{Failure, Revoked, Success};
        matches!(self.status, Success | Failure | Revoked)
    }
}

/// What came of the wish to link a job's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Linking {
    Done,
    /// Some ids are in a task that has ended: they are to be sent again after it.
    SendsAgain,
}

/// Links an unsent job's ids to the tasks that have them already. The job itself keeps the rest.
///
/// Each task is asked which ids it has. Ids that no task owns up to are unknown, naming the tasks.
/// A task that has ended does nothing for what was asked since: its ids stay unsent, and where they
/// were `sent_after` it already, they are unknown.
pub(super) async fn link(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobId,
    ids: Vec<DistinctId>,
    tasks: &[TaskId],
    sent_after: SentAfter,
) -> Result<Result<Linking, RefreshTrouble>, LedgerError> {
    let named = match ask_each(run, client, tasks).await? {
        Ok(named) => named,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let (mut groups, left) = group_by_task(ids, &named);
    let is_only = named.len() == 1;
    let is_over = |id: &DistinctId| {
        let mut ended = named.iter().filter(|one| one.has_ended());
        ended.any(|one| match &one.ids {
            Some(known) => known.contains(id.expose()),
            None => is_only,
        })
    };
    let (over, left): (Vec<_>, Vec<_>) = left.into_iter().partition(is_over);
    let linking = match sent_after {
        SentAfter::NotYet if !over.is_empty() => Linking::SendsAgain,
        SentAfter::NotYet | SentAfter::Already => Linking::Done,
    };
    let count = count_of(over.len());
    let ended = ended_text(&named);
    groups.extend(match linking {
        Linking::SendsAgain => {
            let reason = format!("{ended}, so {count} are to be sent again");
            linked(over, LinkTo::Later, reason)
        }
        Linking::Done => {
            let reason =
                format!("Mixpanel says that {count} are being deleted already (409), but {ended}");
            linked(over, LinkTo::Nobody, reason)
        }
    });
    let reason = unowned_reason(left.len(), &named);
    groups.extend(linked(left, LinkTo::Nobody, reason));
    run.record_linked(job, &groups)?;
    Ok(Ok(linking))
}

fn unowned_reason(ids: usize, named: &[NamedTask<'_>]) -> String {
    let says = format!(
        "Mixpanel says that {} are being deleted already (409)",
        count_of(ids)
    );
    let tasks: Vec<&str> = named.iter().map(|one| one.task.as_str()).collect();
    let tasks = tasks.join(", ");
    let is_gone = |one: &NamedTask<'_>| one.status == TaskStatus::NotFound;
    match (tasks.is_empty(), named.iter().all(is_gone)) {
        (true, _) => format!("{says}, and names no task"),
        (false, true) => format!("{says}, and does not know the task that it names ({tasks})"),
        (false, false) => format!("{says}, and the task ({tasks}) they are in does not name them"),
    }
}

/// Such as `task 3e0b7f52, which Mixpanel named, has ended (SUCCESS)`.
fn ended_text(named: &[NamedTask<'_>]) -> String {
    let ended = named.iter().filter(|one| one.has_ended());
    let ended = ended.map(|one| {
        let (task, status) = (one.task, one.status.as_str());
        format!("task {task}, which Mixpanel named, has ended ({status})")
    });
    ended.collect::<Vec<_>>().join(", and ")
}

fn count_of(ids: usize) -> String {
    match ids {
        1 => "1 of its ids".to_owned(),
        _ => format!("{ids} of its ids"),
    }
}

/// What a conflict shows about a job whose first answer was lost.
pub(super) enum Owners {
    /// This task has all of the job's ids: it is the one that was made for it.
    One(TaskId),
    /// No task has all of them, so none was made for the job: these ids are in others.
    Others(Vec<Linked>),
    /// This task has all of them and has ended, and may be older than the job: nobody can tell.
    Ended(String),
    /// Why no task is known to have them.
    NotSaid(String),
}

/// Why a conflict settles nothing.
pub(super) const NOT_SAID: &str =
    "Mixpanel has its ids in several tasks, or could not say in which";

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
    let tried = run.ledger.find_tried(job)?;
    let found = owners(batch, ids, &named, tried);
    let Owners::One(task) = &found else {
        return Ok(Ok(found));
    };
    // A task that was made for another job of ours was not made for this one.
    let owner = run.ledger.find_owner(task)?;
    if owner.is_none_or(|own| own.id == *job) {
        return Ok(Ok(found));
    }
    if named.iter().any(|one| one.task == task && one.has_ended()) {
        return Ok(Ok(Owners::Ended(ended_text(&named))));
    }
    let all = linked(
        batch.ids().to_vec(),
        LinkTo::Task(task.clone()),
        linked_reason(task),
    );
    Ok(Ok(match all {
        Some(all) => Owners::Others(vec![all]),
        None => found,
    }))
}

fn owners(batch: &Batch, ids: &[DistinctId], named: &[NamedTask<'_>], tried: Tried) -> Owners {
    let over_all = ids.len() == batch.count();
    let difference =
        |one: &NamedTask<'_>| one.ids.as_ref().map(|ids| Difference::between(batch, ids));
    let made_for_it = |one: &&NamedTask<'_>| match difference(one) {
        // A task of more ids than were sent is somebody else's.
        Some(difference) => difference.missing == 0 && difference.more == 0,
        // It was named for all of our ids, and no other task was.
        None => over_all && named.len() == 1 && one.is_known(),
    };
    if let Some(own) = named.iter().find(made_for_it) {
        // Mixpanel accepts nothing while a task has the ids: one that is named later is not older.
        let was_accepted = tried.unread > 0;
        return match own.has_ended() && !was_accepted {
            true => Owners::Ended(ended_text(named)),
            false => Owners::One(own.task.clone()),
        };
    }
    let not_said = || {
        Owners::NotSaid(match ended_text(named) {
            ended if ended.is_empty() => NOT_SAID.to_owned(),
            ended => ended,
        })
    };
    // One that does not say, or says less than the conflict, may be the one that was made for it.
    let says_less = |one: &NamedTask<'_>| difference(one).is_none_or(|known| known.missing > 0);
    let may_be_ours = match named {
        [only] => says_less(only),
        several => several.iter().any(|one| one.ids.is_none()),
    };
    if over_all && may_be_ours {
        return not_said();
    }
    let (groups, _) = group_by_task(ids.to_vec(), named);
    match groups.is_empty() {
        true => not_said(),
        false => Owners::Others(groups),
    }
}

/// Shares ids out among the active tasks that have them; what no such task owns up to is left.
fn group_by_task(ids: Vec<DistinctId>, named: &[NamedTask<'_>]) -> (Vec<Linked>, Vec<DistinctId>) {
    let mut groups = Vec::new();
    let mut left = ids;
    for one in named.iter().filter(|one| !one.has_ended()) {
        let is_its = |id: &DistinctId| match &one.ids {
            Some(known) => known.contains(id.expose()),
            // The conflict is Mixpanel's word that it has them, unless the task contradicts that.
            None => named.len() == 1 && one.is_known(),
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
) -> Result<Result<Vec<NamedTask<'t>>, RefreshTrouble>, LedgerError> {
    let mut named = Vec::new();
    for task in tasks {
        match ask_about(run, client, Kind::Delete, task).await? {
            Ok(TaskAnswer { status, ids, .. }) => named.push(NamedTask { task, status, ids }),
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    Ok(Ok(named))
}

fn linked_reason(task: &TaskId) -> String {
    format!("linked: task {task} had its ids already")
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
    owner: &DeletionJob,
) -> Result<Result<OtherTask, RefreshTrouble>, LedgerError> {
    let Some(task) = &owner.task else {
        return Ok(Ok(OtherTask::Unsent));
    };
    let project = request.asked.project_key.clone();
    let item = FollowedJob::other(owner.job.clone(), task.clone(), project);
    Ok(match follow::look(run, &item).await? {
        Ok(answer) if answer.status.is_active() => Ok(OtherTask::Active(answer.ids)),
        Err(trouble @ RefreshTrouble::NotAllowed { .. }) => Err(trouble),
        Ok(_) | Err(_) => Ok(OtherTask::Over),
    })
}

fn kept_apart(ids: Vec<DistinctId>, owner: &DeletionJob, standing: &OtherTask) -> Option<Linked> {
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
            format!("request {short} had its ids and no task yet"),
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
    /// Mixpanel's answer is about another task.
    OtherTask,
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
    let answer = match ask_about(run, client, kind, task).await? {
        Ok(answer) => answer,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let (status, known) = (answer.status, answer.ids);
    match status {
        _ if answer.task.is_some_and(|named| named != *task) => {
            return Ok(Ok(Adopted::OtherTask));
        }
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
    let settling = run.ledger.record_settled(job, task, made_for, now)?;
    match settling {
        Settling::Taken(state) => Ok(Ok(Adopted::Taken(state))),
        Settling::Recorded => {
            run.ledger.record_check(job, &status, now)?;
            // A task that was revoked leaves a job unknown whose other POSTs are in doubt.
            run.tally.settled += usize::from(!run.job(job)?.is_unsettled());
            Ok(Ok(Adopted::Yes))
        }
    }
}

async fn ask_about(
    run: &mut Run<'_>,
    client: &Client,
    kind: Kind,
    task: &TaskId,
) -> Result<Result<TaskAnswer, RefreshTrouble>, LedgerError> {
    ask(run, client, &Question { task, kind }).await
}

/// Half of a job's ids, rounded up: what is tried when the whole is too large.
pub(super) fn half(ids: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(ids.div_ceil(2)).filter(|_| ids > 1)
}
