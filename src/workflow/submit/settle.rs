//! Conflicts and lost answers: finds out from the tasks which of them has an id.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;

use chrono::{NaiveDate, TimeDelta};

use crate::domain::{
    Batch, DistinctId, JobId, JobState, Kind, ProjectKey, RequestId, TaskId, TaskStatus,
};
use crate::ledger::{
    DeletionJob, Ledger, LedgerError, LinkTo, Linked, MadeFor, RequestRecord, Settling, Shared,
    Standing, Tried,
};
use crate::mixpanel::{Client, TaskMade};

use super::queue::SentAfter;
use crate::workflow::Run;
use crate::workflow::follow::check::{
    self, Difference, FollowedJob, NoAnswer, RefreshTrouble, TaskQuestion, ask,
};

type TaskIds = Option<HashSet<String>>;

/// A task that a conflict named, and Mixpanel's answer about it.
struct NamedTask<'t> {
    task: &'t TaskId,
    status: TaskStatus,
    made: TaskMade,
    ids: TaskIds,
}

impl NamedTask<'_> {
    fn is_known(&self) -> bool {
        !matches!(self.status, TaskStatus::NotFound | TaskStatus::Unknown)
    }

    fn has_ended(&self) -> bool {
        self.status.has_ended()
    }
}

/// The result of linking a job's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linking {
    Done,
    /// Some ids are in a task that has ended, so dsr sends them again.
    SendsAgain,
}

/// Links an unsent job's ids to the tasks that have them; the job keeps the rest. Asks each task
/// for its ids. Ids that no task has become unknown, with the tasks in the reason. A task that has
/// ended does nothing for a new request, so its ids stay unsent. After a second such answer
/// (`sent_after`) they become unknown.
pub(crate) async fn link(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobId,
    ids: Vec<DistinctId>,
    tasks: &[TaskId],
    sent_after: SentAfter,
) -> Result<Linking, NoAnswer> {
    let named = ask_each(run, client, tasks).await?;
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
            let reason = format!("{ended}, so dsr sends {count} again");
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
    Ok(linking)
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
        (true, _) => format!("{says}, but names no task"),
        (false, true) => format!("{says}, but does not know the task that it names ({tasks})"),
        (false, false) => format!("{says}, but the task ({tasks}) does not name them"),
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

/// How far apart a POST and the task it made may be: the zone of Mixpanel's time is not known.
const ABOUT_THAT_TIME: TimeDelta = TimeDelta::hours(15);

/// What a conflict shows about a job with a lost answer.
pub(crate) enum Owners {
    /// This task has all of the job's ids, so it was made for the job.
    One(TaskId),
    /// No task has all ids, so none was made for the job. These ids are in other tasks.
    Others(Vec<Linked>),
    /// This task has all ids and has ended. It may be older than the job; dsr cannot tell.
    Ended(String),
    /// Why it is not known which task has the ids.
    NotSaid(String),
}

pub(crate) const NOT_SAID: &str =
    "Mixpanel has its ids in several tasks, or could not say in which";

/// Asks the tasks named in a conflict over `ids` whether one was made for the whole `batch`.
pub(crate) async fn find_owners(
    run: &mut Run<'_>,
    client: &Client,
    (job, batch): (&JobId, &Batch),
    ids: &[DistinctId],
    tasks: &[TaskId],
) -> Result<Owners, NoAnswer> {
    let named = ask_each(run, client, tasks).await?;
    let tried = run.ledger.find_tried(job)?;
    let found = owners(batch, ids, &named, tried);
    let Owners::One(task) = &found else {
        return Ok(found);
    };
    // The task of another job of ours is not this job's. Nor is a task of another day: the job's
    // own task may have ended since, and someone else may have made this one.
    let owner = run.ledger.find_owner(task)?;
    let is_own = owner.is_none_or(|own| own.id == *job);
    let own = named.iter().find(|one| one.task == task);
    let posted = run.job(job)?.unclear_since;
    let now = run.clock.now();
    let may_be_of_that_day = own.zip(posted).is_some_and(|(own, posted)| {
        let made = match own.made {
            TaskMade::At(made) => made,
            TaskMade::Unsaid => now.naive_utc(),
            TaskMade::Unreadable => return false,
        };
        (made - posted.naive_utc()).abs() <= ABOUT_THAT_TIME
    });
    // No day is known for a POST in a lost span; the task is the job's, and the doubt stays.
    if is_own && (may_be_of_that_day || tried.is_of_lost_span) {
        return Ok(found);
    }
    if own.is_some_and(NamedTask::has_ended) {
        return Ok(Owners::Ended(ended_text(&named)));
    }
    let all = linked(
        batch.ids().to_vec(),
        LinkTo::Task(task.clone()),
        linked_reason(task),
    );
    Ok(match all {
        Some(all) => Owners::Others(vec![all]),
        None => found,
    })
}

fn owners(batch: &Batch, ids: &[DistinctId], named: &[NamedTask<'_>], tried: Tried) -> Owners {
    let over_all = ids.len() == batch.count();
    let difference =
        |one: &NamedTask<'_>| one.ids.as_ref().map(|ids| Difference::between(batch, ids));
    let made_for_it = |one: &&NamedTask<'_>| match difference(one) {
        // A task with more ids than dsr sent belongs to someone else.
        Some(difference) => difference.missing == 0 && difference.more == 0,
        // The conflict named this task alone, and for all ids.
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
    // A task that hides its ids, or names fewer than the conflict, may be the job's own.
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

/// Groups ids by the active task that has them; returns the rest as well.
fn group_by_task(ids: Vec<DistinctId>, named: &[NamedTask<'_>]) -> (Vec<Linked>, Vec<DistinctId>) {
    let mut groups = Vec::new();
    let mut left = ids;
    for one in named.iter().filter(|one| !one.has_ended()) {
        let is_its = |id: &DistinctId| match &one.ids {
            Some(known) => known.contains(id.expose()),
            // The conflict itself says that the task has the ids.
            None => named.len() == 1 && one.is_known(),
        };
        let (its, others) = left.into_iter().partition(is_its);
        left = others;
        let to = LinkTo::Task(one.task.clone());
        groups.extend(linked(its, to, linked_reason(one.task)));
    }
    (groups, left)
}

/// A group of ids to link; `None` if there are no ids.
fn linked(ids: Vec<DistinctId>, to: LinkTo, reason: String) -> Option<Linked> {
    let batch = Batch::restore(ids).ok()?;
    Some(Linked { batch, to, reason })
}

async fn ask_each<'t>(
    run: &mut Run<'_>,
    client: &Client,
    tasks: &'t [TaskId],
) -> Result<Vec<NamedTask<'t>>, NoAnswer> {
    let mut named = Vec::new();
    for task in tasks {
        let kind = Kind::Delete;
        let answer = ask(run, client, &TaskQuestion { task, kind }).await?;
        named.push(NamedTask {
            task,
            status: answer.status,
            made: answer.made,
            ids: answer.ids,
        });
    }
    Ok(named)
}

fn linked_reason(task: &TaskId) -> String {
    format!("linked: task {task} had its ids already")
}

/// Keeps ids of other deletions in the ledger out of an unsent deletion. They are linked to the
/// other task if Mixpanel says that it is active and has them. They wait if an earlier request has
/// no task yet. All other ids are sent: Mixpanel names a conflict if there is one. Returns the
/// jobs that wait. If Mixpanel refuses the token, the caller must send nothing.
pub(crate) async fn keep_apart(
    run: &mut Run<'_>,
    request: &RequestRecord,
    shared: &Shared,
) -> Result<Vec<JobId>, NoAnswer> {
    let elsewhere = shared.elsewhere(&request.id);
    let mut kept_back = Vec::new();
    if elsewhere.is_empty() {
        return Ok(kept_back);
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
                entry.insert(ask_owner(run, request, owner).await?);
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
    Ok(kept_back)
}

enum OtherTask {
    /// Its task is open; with the task's ids if Mixpanel names them.
    Active(TaskIds),
    Unsent,
    /// It is over, or Mixpanel could not be asked.
    Over,
}

async fn ask_owner(
    run: &mut Run<'_>,
    request: &RequestRecord,
    owner: &DeletionJob,
) -> Result<OtherTask, NoAnswer> {
    let Some(task) = &owner.task else {
        return Ok(OtherTask::Unsent);
    };
    let project = request.asked.project_key.clone();
    let item = FollowedJob::other(owner.job.clone(), task.clone(), project);
    match check::look(run, &item).await {
        Ok(answer) if answer.status.is_active() => Ok(OtherTask::Active(answer.ids)),
        Err(why @ (NoAnswer::Ledger(_) | NoAnswer::Trouble(RefreshTrouble::NotAllowed { .. }))) => {
            Err(why)
        }
        Ok(_) | Err(NoAnswer::Trouble(_)) => Ok(OtherTask::Over),
    }
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

pub(crate) fn list_unsent(ledger: &Ledger, request: &RequestId) -> Result<Vec<JobId>, LedgerError> {
    let unsent = ledger.jobs(request, Standing::Unsent);
    unsent.map(|job| job.map(|job| job.id)).collect()
}

/// The result when the operator names the task of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    Yes,
    /// Mixpanel knows no such task in the project.
    NotFound,
    /// Mixpanel could not look the task up.
    NotSaid,
    /// The task lacks some of the job's ids.
    OtherIds(Difference),
    OtherTask,
    /// The task was made on this day, before the job was first sent.
    TooOld(NaiveDate),
    /// The task was made for this other job, and Mixpanel does not say that it also has these ids.
    OtherJob(JobId),
    /// The job was settled or abandoned meanwhile.
    Taken(JobState),
}

/// Adopts the task that the operator names for a job of unknown outcome. Mixpanel must know the
/// task, and neither Mixpanel nor the ledger may contradict.
///
/// # Errors
/// When the ledger cannot be written, or Mixpanel could not be asked.
pub async fn adopt(
    run: &mut Run<'_>,
    job: &JobId,
    kind: Kind,
    project: &ProjectKey,
    task: &TaskId,
) -> Result<Adopted, NoAnswer> {
    let clients = run.clients;
    let Some(client) = clients.get(project) else {
        let project = String::new();
        return Err(RefreshTrouble::NoProject { project }.into());
    };
    let answer = ask(run, client, &TaskQuestion { task, kind }).await?;
    let (status, known, made) = (answer.status, answer.ids, answer.made);
    match status {
        _ if answer.task.is_some_and(|named| named != *task) => {
            return Ok(Adopted::OtherTask);
        }
        TaskStatus::NotFound => return Ok(Adopted::NotFound),
        TaskStatus::Unknown => return Ok(Adopted::NotSaid),
        _ => {}
    }
    let posted = run.job(job)?.unclear_since;
    if let (TaskMade::At(made), Some(posted)) = (made, posted)
        && posted.naive_utc() - made > ABOUT_THAT_TIME
    {
        return Ok(Adopted::TooOld(made.date()));
    }
    let batch = run.ledger.find_batch(job)?;
    let difference = known
        .as_ref()
        .map(|known| Difference::between(&batch, known));
    let owner = run.ledger.find_owner(task)?.filter(|own| own.id != *job);
    let made_for = match (difference, owner) {
        (Some(difference), _) if difference.missing > 0 => {
            return Ok(Adopted::OtherIds(difference));
        }
        (None, Some(owner)) => return Ok(Adopted::OtherJob(owner.id)),
        (Some(_), Some(_)) => MadeFor::Another,
        (Some(difference), None) if difference.more > 0 => MadeFor::Another,
        (_, None) => MadeFor::TheJob,
    };
    let now = run.clock.now();
    let settling = run.ledger.record_settled(job, task, made_for, now)?;
    match settling {
        Settling::Taken(state) => Ok(Adopted::Taken(state)),
        Settling::Recorded => {
            run.ledger.record_check(job, &status, now)?;
            // A revoked task leaves the job unknown if its other POSTs are in doubt.
            run.tally.settled += usize::from(!run.job(job)?.is_unsettled());
            Ok(Adopted::Yes)
        }
    }
}

/// Half of a job's ids, rounded up, to try when the whole is too large.
pub(crate) fn half(ids: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(ids.div_ceil(2)).filter(|_| ids > 1)
}
