//! Conflicts and lost answers: which task has an id, found out by asking about the tasks.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use crate::domain::{Batch, DistinctId, JobId, Kind, ProjectKey, TaskId, TaskStatus};
use crate::ledger::{LedgerError, Linked};
use crate::mixpanel::Client;

use super::follow::{Question, RefreshTrouble, ask};
use super::verdict::conflict_reason;
use super::{Run, WorkflowError};

/// What is known of a task's ids.
type TaskIds = Option<HashSet<String>>;

/// Links a job's ids to the tasks that have them already. The job itself keeps the rest.
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
    let mut groups = Vec::new();
    let mut left = ids;
    for task in tasks {
        let known = match tasks {
            [_] => None,
            _ => match task_ids(run, client, Kind::Delete, task).await? {
                Ok((_, known)) => known,
                Err(trouble) => return Ok(Err(trouble)),
            },
        };
        let is_its = |id: &DistinctId| match &known {
            Some(known) => known.contains(id.expose()),
            None => tasks.len() == 1,
        };
        let (its, others) = left.into_iter().partition(is_its);
        left = others;
        groups.extend(group(its, Some(task), tasks));
    }
    groups.extend(group(left, None, tasks));
    run.ledger.record_linked(job, &groups, run.clock.now())?;
    Ok(Ok(()))
}

fn group(ids: Vec<DistinctId>, task: Option<&TaskId>, tasks: &[TaskId]) -> Option<Linked> {
    let reason = match task {
        Some(task) => format!("linked: task {task} is deleting its ids already"),
        None => conflict_reason(ids.len(), tasks),
    };
    Some(Linked {
        batch: Batch::restore(ids).ok()?,
        task: task.cloned(),
        reason,
    })
}

/// The task among `tasks` that has all of the batch's ids: the one whose answer was lost.
pub(super) async fn find_owner(
    run: &mut Run<'_>,
    client: &Client,
    batch: &Batch,
    tasks: &[TaskId],
) -> Result<Result<Option<TaskId>, RefreshTrouble>, LedgerError> {
    for task in tasks {
        let (_, known) = match task_ids(run, client, Kind::Delete, task).await? {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let covers = match &known {
            Some(known) => batch.ids().iter().all(|id| known.contains(id.expose())),
            // It was named for all of our ids, and no other task was.
            None => tasks.len() == 1,
        };
        if covers {
            return Ok(Ok(Some(task.clone())));
        }
    }
    Ok(Ok(None))
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
    let reason = "the operator named its task";
    let now = run.clock.now();
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
    ask(run, client, &question).await
}

/// Half of a job's ids, rounded up: what is tried when the whole is too large.
pub(super) fn half(ids: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(ids.div_ceil(2)).filter(|_| ids > 1)
}
