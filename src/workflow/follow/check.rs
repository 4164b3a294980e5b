//! Asks Mixpanel for the state of one task, within the pace, and records the answer.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{Batch, JobId, Kind, Lane, ProjectKey, TaskId, TaskStatus};
use crate::ledger::{JobRecord, Ledger, LedgerError, NextCheck, RequestRecord, Slot};
use crate::mixpanel::{Client, StatusAnswer, TaskAnswer, TaskMade};

use crate::workflow::{Run, RunEvent};

/// Tries of a question without an answer.
const MAX_TRIES: u32 = 3;
/// Tries of a question that the rate limit rejects.
const MAX_LIMITED: u32 = 6;
/// The longest wait for the rate limit when only asking.
pub(crate) const MAX_LIMIT_WAIT: Duration = Duration::from_secs(60);

/// A job with a task to ask about.
#[derive(Debug, Clone)]
pub struct FollowedJob {
    job: JobId,
    task: TaskId,
    kind: Kind,
    project: ProjectKey,
}

/// Why answers are missing. The ledger's earlier facts still hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshTrouble {
    NotAllowed {
        http_status: u16,
    },
    Unreachable {
        reason: String,
    },
    RateLimited,
    /// The request's project is not configured, or has another token now.
    NoProject {
        project: String,
    },
    /// The operator ended the run.
    Interrupted,
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum NoAnswer {
    Ledger(LedgerError),
    Trouble(RefreshTrouble),
}

impl From<LedgerError> for NoAnswer {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<RefreshTrouble> for NoAnswer {
    fn from(trouble: RefreshTrouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Keeps the trouble for the caller, and passes on an error of the ledger.
pub fn apart<T>(asked: Result<T, NoAnswer>) -> Result<Result<T, RefreshTrouble>, LedgerError> {
    match asked {
        Ok(answer) => Ok(Ok(answer)),
        Err(NoAnswer::Trouble(trouble)) => Ok(Err(trouble)),
        Err(NoAnswer::Ledger(error)) => Err(error),
    }
}

impl FollowedJob {
    /// `None` for a job without a task.
    pub(crate) fn new(request: &RequestRecord, job: JobRecord) -> Option<Self> {
        Some(Self {
            job: job.id,
            task: job.task?,
            kind: request.asked.operation.kind(),
            project: request.asked.project_key.clone(),
        })
    }

    /// A job of another deletion, with its task.
    pub(crate) fn other(job: JobId, task: TaskId, project: ProjectKey) -> Self {
        Self {
            job,
            task,
            kind: Kind::Delete,
            project,
        }
    }

    pub(crate) fn job(&self) -> &JobId {
        &self.job
    }

    pub(crate) fn task(&self) -> &TaskId {
        &self.task
    }

    pub(crate) fn project(&self) -> &ProjectKey {
        &self.project
    }

    pub(crate) fn question(&self) -> TaskQuestion<'_> {
        TaskQuestion {
            task: &self.task,
            kind: self.kind,
        }
    }
}

impl From<NextCheck> for FollowedJob {
    fn from(next: NextCheck) -> Self {
        Self {
            job: next.job,
            task: next.task,
            kind: next.kind,
            project: next.project,
        }
    }
}

/// Whether the caller has already taken the slot for the first call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstSlot {
    Taken,
    ToTake,
}

/// Asks about one job, records the answer and returns it.
pub(crate) async fn look(run: &mut Run<'_>, item: &FollowedJob) -> Result<TaskAnswer, NoAnswer> {
    look_until(run, item, FirstSlot::ToTake, None).await
}

/// The same, until `end`.
pub(super) async fn look_until(
    run: &mut Run<'_>,
    item: &FollowedJob,
    slot: FirstSlot,
    end: Option<Instant>,
) -> Result<TaskAnswer, NoAnswer> {
    let clients = run.clients;
    let Some(client) = clients.get(&item.project) else {
        return Err(no_project(run, &item.job)?.into());
    };
    let question = item.question();
    let mut answer = ask_until(run, client, &question, slot, end).await?;
    if answer.status == TaskStatus::NotFound {
        // One answer is not enough: Mixpanel may need a moment to find a new task.
        answer = ask_until(run, client, &question, FirstSlot::ToTake, end).await?;
    }
    let before = run.job(&item.job)?;
    record(run, &before, &answer)?;
    let after = run.job(&item.job)?;
    run.observer.on(if moved(&before, &after) {
        RunEvent::Moved(&after)
    } else {
        RunEvent::Asked(&after)
    });
    Ok(answer)
}

/// Records Mixpanel's answer. A task with other ids says nothing about the job.
fn record(run: &mut Run<'_>, job: &JobRecord, answer: &TaskAnswer) -> Result<(), LedgerError> {
    let now = run.clock.now();
    match contradiction(run.ledger, job, answer.ids.as_ref())? {
        Some(reason) => run
            .ledger
            .record_contradiction(&job.id, &answer.status, &reason, now),
        None => run.ledger.record_check(&job.id, &answer.status, now),
    }
}

/// How the ids of a job's task differ from the job's ids, if that is a contradiction. A task may
/// have more ids if it was made by an earlier, larger POST or for another job.
fn contradiction(
    ledger: &Ledger,
    job: &JobRecord,
    named: Option<&HashSet<String>>,
) -> Result<Option<String>, LedgerError> {
    let (Some(named), true) = (named, job.state.is_followed()) else {
        return Ok(None);
    };
    let Some(batch) = ledger.find_kept_batch(&job.id)? else {
        return Ok(None);
    };
    let difference = Difference::between(&batch, named);
    let is_its_own = job.attempts == 1 && !job.is_linked && !job.may_be_double;
    let fits = difference.missing == 0 && (difference.more == 0 || !is_its_own);
    Ok((!fits).then(|| format!("{OTHER_IDS}: {difference}")))
}

/// How the reason begins if a job's task has other ids.
pub(crate) const OTHER_IDS: &str = "Mixpanel's task is about other ids";

/// The ids of a job compared with those of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    job: usize,
    task: usize,
    /// Ids that only the job has.
    pub(crate) missing: usize,
    /// Ids that only the task has.
    pub(crate) more: usize,
}

impl Difference {
    /// The two have no id in common.
    pub fn is_all(&self) -> bool {
        self.missing == self.job
    }

    pub(crate) fn between(batch: &Batch, named: &HashSet<String>) -> Self {
        let ids = batch.ids().iter();
        let missing = ids.filter(|id| !named.contains(id.expose())).count();
        Self {
            job: batch.count(),
            task: named.len(),
            missing,
            more: named.len() + missing - batch.count(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            job,
            task,
            missing,
            more,
        } = self;
        write!(
            f,
            "the job has {job}, {missing} of them not in the task; the task has {task}, {more} of them not in the job"
        )
    }
}

/// The error for a job whose project is not configured.
pub(crate) fn no_project(run: &Run<'_>, job: &JobId) -> Result<RefreshTrouble, LedgerError> {
    let request = run.ledger.find_request(&job.request)?;
    let project = request.map_or_else(String::new, |r| r.asked.project.to_string());
    Ok(RefreshTrouble::NoProject { project })
}

fn moved(before: &JobRecord, after: &JobRecord) -> bool {
    before.state != after.state || before.mixpanel_status != after.mixpanel_status
}

pub(crate) struct TaskQuestion<'a> {
    pub(crate) task: &'a TaskId,
    pub(crate) kind: Kind,
}

/// Asks one question, and repeats it a few times until an answer comes.
pub(crate) async fn ask(
    run: &mut Run<'_>,
    client: &Client,
    item: &TaskQuestion<'_>,
) -> Result<TaskAnswer, NoAnswer> {
    ask_until(run, client, item, FirstSlot::ToTake, None).await
}

async fn ask_until(
    run: &mut Run<'_>,
    client: &Client,
    item: &TaskQuestion<'_>,
    mut slot: FirstSlot,
    end: Option<Instant>,
) -> Result<TaskAnswer, NoAnswer> {
    // Without the ids no answer can be judged, so dsr does not even ask.
    run.ledger.demand_seal()?;
    let lane = client.project().lane();
    let mut tries = 0;
    loop {
        if slot == FirstSlot::ToTake {
            take_slot_until(run, &lane, end).await?;
        }
        slot = FirstSlot::ToTake;
        let ledger = &run.ledger;
        let sent = || ledger.find_ids_of_task(item.task).ok().flatten();
        let question = async {
            match item.kind {
                Kind::Export => client.get_retrieval(item.task, &sent).await,
                Kind::Delete => client.get_deletion(item.task, &sent).await,
            }
        };
        let answer = tokio::select! {
            answer = question => Ok(answer),
            () = run.interrupt.out_of_patience() => Err(RefreshTrouble::Interrupted),
            () = at(end) => Err(RefreshTrouble::Unreachable {
                reason: "no answer came in time".to_owned(),
            }),
        };
        run.compare_clocks(client);
        let now = run.clock.now();
        run.ledger.record_answered(&lane, None, now)?;
        run.record_standing(client);
        match answer? {
            StatusAnswer::Known(answer) => return Ok(answer),
            StatusAnswer::NotFound => {
                return Ok(TaskAnswer {
                    task: None,
                    status: TaskStatus::NotFound,
                    made: TaskMade::Unsaid,
                    ids: None,
                    link: None,
                });
            }
            StatusAnswer::NotAllowed { http_status } => {
                return Err(RefreshTrouble::NotAllowed { http_status }.into());
            }
            StatusAnswer::Deferred { .. } if tries + 1 >= MAX_LIMITED => {
                return Err(RefreshTrouble::RateLimited.into());
            }
            StatusAnswer::Deferred { retry_after } => {
                let wait = retry_after.unwrap_or(Duration::from_secs(1 << tries.min(5)));
                run.ledger.record_block(&lane.project, now + wait, now)?;
            }
            StatusAnswer::Unclear { reason } if tries + 1 >= MAX_TRIES => {
                let reason = reason.into();
                return Err(RefreshTrouble::Unreachable { reason }.into());
            }
            StatusAnswer::Unclear { .. } => run.sleep(Duration::from_millis(500 << tries)).await,
        }
        tries += 1;
    }
}

/// Ends at `end`; never if that is `None`.
async fn at(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Waits for the project's turn.
pub(crate) async fn take_slot(run: &mut Run<'_>, lane: &Lane) -> Result<(), NoAnswer> {
    take_slot_until(run, lane, None).await
}

async fn take_slot_until(
    run: &mut Run<'_>,
    lane: &Lane,
    end: Option<Instant>,
) -> Result<(), NoAnswer> {
    loop {
        let now = run.clock.now();
        let longest = MAX_LIMIT_WAIT.max(lane.rate.interval());
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let longest = left.map_or(longest, |left| longest.min(left));
        match run.ledger.record_slot(lane, now)? {
            Slot::Yours => return Ok(()),
            Slot::Wait(wait) if wait > longest => return Err(RefreshTrouble::RateLimited.into()),
            Slot::Wait(wait) => {
                run.sleep(wait).await;
                if run.interrupt.signal().is_some() {
                    return Err(RefreshTrouble::Interrupted.into());
                }
            }
        }
    }
}
