//! Cancels deletions that Mixpanel has not started: a DELETE, then a GET whose answer is recorded.
//! Never creates anything.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use crate::domain::{ExitStatus, JobState, TaskId, TaskStatus};
use crate::ledger::{AuditEvent, JobRecord, Ledger, LedgerError, RequestRecord, Standing};
use crate::mixpanel::{CancelAnswer, Client, Words};

use crate::workflow::follow::check::{self, FollowedJob, NoAnswer, RefreshTrouble, apart};
use crate::workflow::{Run, Signal};

/// Tries of a DELETE without a clear answer, and of a GET that does not show its effect yet.
const MAX_TRIES: u32 = 3;
/// Waits for the rate limit for one job: about two minutes if the server names no time.
const MAX_LIMITED: u32 = 8;

/// The result of cancelling one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Mixpanel reports it revoked.
    Revoked,
    /// Mixpanel has started it or carried it out.
    Started,
    /// Mixpanel reports that it failed.
    Failed,
    /// Mixpanel does not know the task in this project.
    NotFound,
    /// It may be cancelled, but Mixpanel does not report it as revoked.
    Unconfirmed { reason: String },
    /// Nothing changed; the operator can try again.
    NotCancelled { reason: String },
    /// A running dsr is sending it: it has no task id yet.
    Sending,
    /// Its task id is unknown, so Mixpanel cannot be asked to cancel it.
    Unknown,
    /// The known part is cancelled, but an earlier attempt may have been carried out.
    InDoubt,
    /// Mixpanel refused to create it.
    NothingCreated,
    /// Its ids are in a task made for something else, which others may need.
    Linked,
}

impl CancelOutcome {
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Revoked | Self::NothingCreated => ExitStatus::Done,
            Self::Started | Self::Linked => ExitStatus::Refused,
            Self::Failed | Self::NotFound => ExitStatus::Failed,
            Self::Unconfirmed { .. } | Self::Unknown | Self::InDoubt => ExitStatus::Unknown,
            Self::NotCancelled { .. } | Self::Sending => ExitStatus::Temporary,
        }
    }

    /// The outcome that the ledger alone shows for a job.
    fn of_state(state: JobState) -> Self {
        match state {
            JobState::Planned | JobState::Deferred => Self::NotCancelled {
                reason: "it is now ready to be sent".to_owned(),
            },
            JobState::Sending => Self::Sending,
            JobState::Accepted => Self::NotCancelled {
                reason: "dsr did not ask Mixpanel".to_owned(),
            },
            JobState::Running | JobState::Done => Self::Started,
            JobState::Refused => Self::NothingCreated,
            JobState::Unknown => Self::Unknown,
            JobState::Failed => Self::Failed,
            JobState::Revoked => Self::Revoked,
        }
    }
}

/// The result of a cancellation. Request and jobs are as the ledger has them now.
#[derive(Debug)]
pub struct CancelReport {
    pub request: RequestRecord,
    pub jobs: Vec<(JobRecord, CancelOutcome)>,
    /// Why the other jobs were not tried.
    pub trouble: Option<RefreshTrouble>,
    pub signal: Option<Signal>,
}

/// Cancels the deletions of a request, or only the one with the task id `only`. Withdraws jobs that
/// were never sent, and asks Mixpanel to cancel open tasks.
pub async fn cancel(
    run: &mut Run<'_>,
    request: &RequestRecord,
    only: Option<&str>,
) -> Result<CancelReport, LedgerError> {
    record_asked(run, request, only)?;
    let mut tried = Vec::new();
    if only.is_none() {
        // First, since another dsr could send a job meanwhile.
        let in_doubt = run.ledger.record_withdrawn(&request.id, run.clock.now())?;
        tried.extend(
            in_doubt
                .into_iter()
                .map(|job| (job, CancelOutcome::InDoubt)),
        );
    }
    let mut trouble = None;
    for item in list_cancellable(run.ledger, request, only)? {
        if run.interrupt.signal().is_some() || trouble.is_some() {
            break;
        }
        let outcome;
        (outcome, trouble) = cancel_one(run, &item).await?;
        tried.extend(outcome.map(|outcome| (item.job().clone(), outcome)));
    }
    let found = run.ledger.find_request(&request.id)?;
    let request = found.unwrap_or_else(|| request.clone());
    let meant = list_meant(run.ledger, &request, only)?.into_iter();
    let jobs = meant.map(|job| {
        let outcome = tried.iter().find(|(id, _)| *id == job.id);
        let outcome = outcome.map(|(_, outcome)| outcome.clone());
        let outcome = outcome.unwrap_or_else(|| match job.is_linked && job.state.is_followed() {
            true => CancelOutcome::Linked,
            false => CancelOutcome::of_state(job.state),
        });
        (job, outcome)
    });
    Ok(CancelReport {
        jobs: jobs.collect(),
        request,
        trouble,
        signal: run.interrupt.signal(),
    })
}

/// Records that the operator asked, whatever the result.
fn record_asked(
    run: &mut Run<'_>,
    request: &RequestRecord,
    only: Option<&str>,
) -> Result<(), LedgerError> {
    let (event, now) = (AuditEvent::CancellationAsked, run.clock.now());
    let meant = list_meant(run.ledger, request, only)?;
    match only {
        Some(_) => {
            let jobs = meant.iter().map(|job| &job.id);
            run.ledger.record_job_events(event, jobs, now)
        }
        None => {
            let details = json!({ "jobs": meant.len() });
            run.ledger
                .record_event(event, Some(&request.id), &details, now)
        }
    }
}

/// The jobs that Mixpanel can be asked to cancel.
pub fn list_cancellable(
    ledger: &Ledger,
    request: &RequestRecord,
    only: Option<&str>,
) -> Result<Vec<FollowedJob>, LedgerError> {
    let meant = list_meant(ledger, request, only)?.into_iter();
    // A task that was made for another job is cancelled only by its own id.
    let own = meant.filter(|job| only.is_some() || !job.is_linked);
    let followed = own.filter(|job| job.state.is_followed());
    Ok(followed
        .filter_map(|job| FollowedJob::new(request, job))
        .collect())
}

/// The jobs of other requests that are linked to the tasks to cancel. Cancelling a task cancels
/// their deletions too.
pub fn list_taken_along(
    ledger: &Ledger,
    items: &[FollowedJob],
) -> Result<Vec<JobRecord>, LedgerError> {
    let mut along = Vec::new();
    for item in items {
        let sharing = ledger.list_sharing(item.task(), item.job())?.into_iter();
        along.extend(
            sharing.filter(|job| job.state.is_followed() && job.id.request != item.job().request),
        );
    }
    Ok(along)
}

/// A task made for another job, with ids that this ledger does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strangers {
    pub task: TaskId,
    /// Their number; `None` if Mixpanel does not name the task's ids.
    pub ids: Option<usize>,
}

/// Asks which tasks that may belong to others have ids unknown to this ledger.
///
/// # Errors
/// When the ledger cannot be read, or Mixpanel could not be asked.
pub async fn list_strangers(
    run: &mut Run<'_>,
    items: &[FollowedJob],
) -> Result<Vec<Strangers>, NoAnswer> {
    let mut strangers = Vec::new();
    for item in items {
        let job = run.job(item.job())?;
        if !job.is_linked && job.attempts == 1 && !job.may_be_double {
            continue;
        }
        let clients = run.clients;
        let Some(client) = clients.get(item.project()) else {
            return Err(check::no_project(run, item.job())?.into());
        };
        let answer = check::ask(run, client, &item.question()).await?;
        let is_about_it = answer.task.is_none_or(|named| named == *item.task());
        let ids = match answer.ids.filter(|_| is_about_it) {
            Some(named) => Some(count_strangers(run.ledger, item, named)?),
            None if answer.status.has_ended() && is_about_it => Some(0),
            None if job.is_linked => {
                let owner = run.ledger.find_owner(item.task())?;
                owner.map(|_| 0)
            }
            None => Some(0),
        };
        strangers.extend((ids != Some(0)).then(|| Strangers {
            task: item.task().clone(),
            ids,
        }));
    }
    Ok(strangers)
}

fn count_strangers(
    ledger: &Ledger,
    item: &FollowedJob,
    mut named: HashSet<String>,
) -> Result<usize, LedgerError> {
    let mut hashed = 0;
    let own = ledger.find_job(item.job())?;
    let sharing = ledger.list_sharing(item.task(), item.job())?;
    for job in sharing.iter().chain([&own]) {
        match ledger.find_kept_batch(&job.id)? {
            Some(batch) => {
                for id in batch.ids() {
                    named.remove(id.expose());
                }
            }
            None => hashed += job.ids,
        }
    }
    Ok(named.len().saturating_sub(hashed))
}

fn list_meant(
    ledger: &Ledger,
    request: &RequestRecord,
    only: Option<&str>,
) -> Result<Vec<JobRecord>, LedgerError> {
    match only {
        Some(task) => ledger.list_jobs_of_task(&request.id, task),
        None => ledger.jobs(&request.id, Standing::Any).collect(),
    }
}

/// Mixpanel's answer to a DELETE. None proves what happened to the task.
enum Said {
    /// 204
    Taken,
    /// 405
    TooLate,
    /// An unhelpful answer, and why.
    Nothing(String),
}

type One = (Option<CancelOutcome>, Option<RefreshTrouble>);

/// Cancels one job: DELETE, then GET, and both again while neither gives the outcome.
async fn cancel_one(run: &mut Run<'_>, item: &FollowedJob) -> Result<One, LedgerError> {
    let clients = run.clients;
    let Some(client) = clients.get(item.project()) else {
        return Ok((None, Some(check::no_project(run, item.job())?)));
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let said = match apart(delete(run, client, item).await)? {
            Ok(said) => said,
            Err(trouble) => return Ok((not_cancelled(&trouble), Some(trouble))),
        };
        let (job, trouble) = look(run, item, &said).await?;
        if is_revoked(&job) && !is_about_other_ids(&job) {
            take_along(run, item)?;
        }
        let outcome = judge(&job, &said, trouble.as_ref());
        let may_try_again = matches!(outcome, CancelOutcome::NotCancelled { .. })
            && tries < MAX_TRIES
            && run.interrupt.signal().is_none();
        if !may_try_again {
            return Ok((Some(outcome), trouble));
        }
    }
}

/// The outcome of a job whose DELETE was refused or not delivered; `None` if none was made.
fn not_cancelled(trouble: &RefreshTrouble) -> Option<CancelOutcome> {
    let reason = match trouble {
        RefreshTrouble::NotAllowed { http_status } => {
            format!("Mixpanel refused ({http_status})")
        }
        RefreshTrouble::Unreachable { .. } => "dsr could not reach Mixpanel".to_owned(),
        RefreshTrouble::RateLimited => "Mixpanel's rate limit lasted too long".to_owned(),
        RefreshTrouble::NoProject { .. } | RefreshTrouble::Interrupted => return None,
    };
    Some(CancelOutcome::NotCancelled { reason })
}

/// The task is revoked, and so is every job linked to it.
fn take_along(run: &mut Run<'_>, item: &FollowedJob) -> Result<(), LedgerError> {
    for job in run.ledger.list_sharing(item.task(), item.job())? {
        let now = run.clock.now();
        run.ledger.record_taken_along(&job.id, item.job(), now)?;
    }
    Ok(())
}

/// The deciding GET, repeated while Mixpanel accepted the DELETE and does not show it yet.
async fn look(
    run: &mut Run<'_>,
    item: &FollowedJob,
    said: &Said,
) -> Result<(JobRecord, Option<RefreshTrouble>), LedgerError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let trouble = apart(check::look(run, item).await)?.err();
        let job = run.job(item.job())?;
        let waits = matches!(said, Said::Taken) && job.state == JobState::Accepted;
        if !waits || trouble.is_some() || tries >= MAX_TRIES || run.interrupt.signal().is_some() {
            return Ok((job, trouble));
        }
        run.sleep(Duration::from_millis(500)).await;
    }
}

/// The outcome of a job, by its record after the GET.
fn judge(job: &JobRecord, said: &Said, trouble: Option<&RefreshTrouble>) -> CancelOutcome {
    let not_found = job.mixpanel_status.as_deref() == Some(TaskStatus::NotFound.as_str());
    match (job.state, said) {
        (JobState::Accepted, Said::TooLate) => CancelOutcome::Started,
        // Without an answer to the GET, the ledger's state is from before the DELETE.
        (JobState::Accepted | JobState::Running, Said::Taken) if trouble.is_some() => {
            CancelOutcome::Unconfirmed {
                reason: "Mixpanel accepted the cancellation, but dsr could not ask for the result"
                    .to_owned(),
            }
        }
        (JobState::Accepted | JobState::Running, Said::Nothing(reason)) if trouble.is_some() => {
            CancelOutcome::Unconfirmed {
                reason: reason.clone(),
            }
        }
        (JobState::Accepted, _) if not_found => CancelOutcome::NotFound,
        (JobState::Accepted, Said::Taken) => {
            let status = job.mixpanel_status.as_deref().unwrap_or("nothing");
            CancelOutcome::Unconfirmed {
                reason: format!("Mixpanel accepted the cancellation, but still reports {status}"),
            }
        }
        (JobState::Accepted, Said::Nothing(reason)) => CancelOutcome::NotCancelled {
            reason: reason.clone(),
        },
        (JobState::Unknown, _) if is_about_other_ids(job) => CancelOutcome::Unconfirmed {
            reason: job.reason.clone().unwrap_or_default(),
        },
        (JobState::Unknown, _) if is_revoked(job) => CancelOutcome::InDoubt,
        (state, _) => CancelOutcome::of_state(state),
    }
}

fn is_revoked(job: &JobRecord) -> bool {
    job.mixpanel_status.as_deref() == Some(TaskStatus::Revoked.as_str())
}

/// The task has other ids, so its status says nothing about the job.
fn is_about_other_ids(job: &JobRecord) -> bool {
    let mut reason = job.reason.iter();
    job.state == JobState::Unknown && reason.any(|reason| reason.starts_with(check::OTHER_IDS))
}

/// One DELETE that reached Mixpanel, within the pace.
async fn delete(run: &mut Run<'_>, client: &Client, item: &FollowedJob) -> Result<Said, NoAnswer> {
    let lane = client.project().lane();
    let (mut limited, mut unreached) = (0, 0);
    loop {
        check::take_slot(run, &lane).await?;
        if run.interrupt.signal().is_some() {
            return Err(RefreshTrouble::Interrupted.into());
        }
        let answer = tokio::select! {
            answer = client.delete_deletion(item.task()) => answer,
            () = run.interrupt.out_of_patience() => CancelAnswer::Unclear {
                reason: Words::ours("interrupted before the answer came"),
            },
        };
        let now = run.clock.now();
        run.ledger.record_answered(&lane, None, now)?;
        run.record_standing(client);
        match answer {
            CancelAnswer::Cancelled => return Ok(Said::Taken),
            CancelAnswer::AlreadyStarted => return Ok(Said::TooLate),
            CancelAnswer::NotFound => {
                let reason = "Mixpanel knows no such task in this project (404)";
                return Ok(Said::Nothing(reason.to_owned()));
            }
            CancelAnswer::Unclear { reason } => return Ok(Said::Nothing(reason.into())),
            CancelAnswer::NotAllowed { http_status } => {
                return Err(RefreshTrouble::NotAllowed { http_status }.into());
            }
            CancelAnswer::NotSent { reason } => {
                unreached += 1;
                if unreached >= MAX_TRIES {
                    let reason = reason.into();
                    return Err(RefreshTrouble::Unreachable { reason }.into());
                }
                run.sleep(Duration::from_millis(500 << unreached)).await;
            }
            CancelAnswer::Deferred { retry_after } => {
                limited += 1;
                let wait = retry_after.unwrap_or(Duration::from_secs(1 << limited.min(5)));
                run.ledger.record_block(&lane.project, now + wait, now)?;
                if limited >= MAX_LIMITED {
                    return Err(RefreshTrouble::RateLimited.into());
                }
            }
        }
    }
}
