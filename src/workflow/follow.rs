//! Asks Mixpanel how tasks stand, within the pace, and records what it says.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::domain::{JobId, Kind, ProjectKey, TaskId, TaskStatus};
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord, Slot, Standing};
use crate::mixpanel::{Client, StatusAnswer};

use super::{Event, Run};

/// How often a question is asked again that brought no answer.
const MAX_TRIES: u32 = 3;
/// How often a question is asked again that the rate limit kept out.
const MAX_LIMITED: u32 = 6;
/// How long a rate limit is waited for while only asking.
const MAX_LIMIT_WAIT: Duration = Duration::from_secs(60);

/// A job that has a task to ask about.
#[derive(Debug, Clone)]
pub struct Followed {
    job: JobId,
    task: TaskId,
    kind: Kind,
    project: ProjectKey,
    submitted_at: Option<DateTime<Utc>>,
    checked_at: Option<DateTime<Utc>>,
}

/// Why some answers are missing; what the ledger knew before still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshTrouble {
    NotAllowed {
        http_status: u16,
    },
    Unreachable {
        reason: String,
    },
    RateLimited,
    /// The project of a request is not set up (any more), or has another token now.
    NoProject {
        project: String,
    },
    /// The operator ended the run.
    Interrupted,
}

/// The jobs of the requests that Mixpanel has a task for which has not ended.
///
/// # Errors
/// When the ledger cannot be read.
pub fn list_followed(
    ledger: &Ledger,
    requests: &[RequestRecord],
) -> Result<Vec<Followed>, LedgerError> {
    let mut followed = Vec::new();
    for request in requests {
        for job in ledger.jobs(&request.id, Standing::Followed) {
            followed.extend(Followed::new(request, job?));
        }
    }
    Ok(followed)
}

/// Asks about each job once. Stops at the first trouble of a project, goes on with the others.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn refresh(
    run: &mut Run<'_>,
    followed: &[Followed],
) -> Result<Vec<RefreshTrouble>, LedgerError> {
    let mut troubles: Vec<(ProjectKey, RefreshTrouble)> = Vec::new();
    for item in followed {
        if run.interrupt.signal().is_some() {
            break;
        }
        if troubles.iter().any(|(project, _)| *project == item.project) {
            continue;
        }
        match check(run, item).await? {
            Ok(()) | Err(RefreshTrouble::Interrupted) => {}
            Err(trouble) => troubles.push((item.project.clone(), trouble)),
        }
    }
    Ok(troubles.into_iter().map(|(_, trouble)| trouble).collect())
}

/// Asks about the jobs, each the less often the older it is, until all have ended, `deadline` is
/// over or the operator interrupts.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn wait(
    run: &mut Run<'_>,
    mut followed: Vec<Followed>,
    timeout: Option<Duration>,
) -> Result<Vec<RefreshTrouble>, LedgerError> {
    let end = timeout.and_then(|timeout| tokio::time::Instant::now().checked_add(timeout));
    while run.interrupt.signal().is_none() {
        followed = still_open(run, followed)?;
        let now = run.clock.now();
        let Some(next) = followed.iter().min_by_key(|item| item.due(now)).cloned() else {
            return Ok(Vec::new());
        };
        let left = end.map(|end| end.saturating_duration_since(tokio::time::Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Vec::new());
        }
        let due = next.due(now);
        if !due.is_zero() {
            run.sleep(left.map_or(due, |left| due.min(left))).await;
            continue;
        }
        match check(run, &next).await? {
            Ok(()) => {}
            // A network that fails today may work tomorrow; a job takes weeks.
            Err(RefreshTrouble::Unreachable { .. } | RefreshTrouble::RateLimited) => {
                run.sleep(MAX_LIMIT_WAIT.min(left.unwrap_or(MAX_LIMIT_WAIT)))
                    .await;
            }
            Err(RefreshTrouble::Interrupted) => {}
            Err(trouble) => return Ok(vec![trouble]),
        }
    }
    Ok(Vec::new())
}

/// Drops the jobs that have ended, and those Mixpanel does not know; renews the others.
fn still_open(run: &Run<'_>, followed: Vec<Followed>) -> Result<Vec<Followed>, LedgerError> {
    let mut open = Vec::new();
    for mut item in followed {
        let job = run.job(&item.job)?;
        let not_found = job.mixpanel_status.as_deref() == Some(TaskStatus::NotFound.as_str());
        if job.state.is_followed() && !not_found {
            item.checked_at = job.checked_at;
            open.push(item);
        }
    }
    Ok(open)
}

impl Followed {
    /// `None` for a job without a task.
    pub(super) fn new(request: &RequestRecord, job: JobRecord) -> Option<Self> {
        Some(Self {
            job: job.id,
            task: job.task?,
            kind: request.asked.operation.kind(),
            project: request.asked.project_key.clone(),
            submitted_at: job.submitted_at,
            checked_at: job.checked_at,
        })
    }

    pub(super) fn job(&self) -> &JobId {
        &self.job
    }

    pub(super) fn task(&self) -> &TaskId {
        &self.task
    }

    pub(super) fn project(&self) -> &ProjectKey {
        &self.project
    }

    pub(super) fn question(&self) -> Question<'_> {
        Question {
            task: &self.task,
            kind: self.kind,
            project: &self.project,
        }
    }

    /// How long until it should be asked about: a tenth of its age after the last time, at least
    /// one second and at most an hour.
    fn due(&self, now: DateTime<Utc>) -> Duration {
        let Some(checked) = self.checked_at else {
            return Duration::ZERO;
        };
        let age = now - self.submitted_at.unwrap_or(checked);
        let tenth = (age / 10).to_std().unwrap_or_default();
        let pause = tenth.clamp(Duration::from_secs(1), Duration::from_secs(3600));
        let since = (now - checked).to_std().unwrap_or_default();
        pause.saturating_sub(since)
    }
}

/// Asks about one job and records the answer.
pub(super) async fn check(
    run: &mut Run<'_>,
    item: &Followed,
) -> Result<Result<(), RefreshTrouble>, LedgerError> {
    let clients = run.clients;
    let Some(client) = clients.get(&item.project) else {
        let request = run.ledger.find_request(&item.job.request)?;
        let project = request.map_or_else(String::new, |r| r.asked.project.to_string());
        return Ok(Err(RefreshTrouble::NoProject { project }));
    };
    let question = item.question();
    let mut status = match ask(run, client, &question).await? {
        Ok(answer) => answer.status,
        Err(trouble) => return Ok(Err(trouble)),
    };
    if status == TaskStatus::NotFound {
        // Not said on one answer alone: a task may take a moment to be found.
        status = match ask(run, client, &question).await? {
            Ok(answer) => answer.status,
            Err(trouble) => return Ok(Err(trouble)),
        };
    }
    let before = run.job(&item.job)?;
    let now = run.clock.now();
    run.ledger.record_check(&item.job, &status, now)?;
    let after = run.job(&item.job)?;
    run.observer.on(if moved(&before, &after) {
        Event::Moved(&after)
    } else {
        Event::Asked(&after)
    });
    Ok(Ok(()))
}

fn moved(before: &JobRecord, after: &JobRecord) -> bool {
    before.state != after.state || before.mixpanel_status != after.mixpanel_status
}

/// A question about one task.
pub(super) struct Question<'a> {
    pub(super) task: &'a TaskId,
    pub(super) kind: Kind,
    pub(super) project: &'a ProjectKey,
}

/// What Mixpanel says of a task.
pub(super) struct Answer {
    pub(super) status: TaskStatus,
    /// The ids it is about, if the answer names them.
    pub(super) ids: Option<HashSet<String>>,
    /// Where the export is.
    pub(super) link: Option<SecretString>,
}

/// One question, as often as it takes to get an answer within reason.
pub(super) async fn ask(
    run: &mut Run<'_>,
    client: &Client,
    item: &Question<'_>,
) -> Result<Result<Answer, RefreshTrouble>, LedgerError> {
    let mut tries = 0;
    loop {
        if let Err(trouble) = take_slot(run, client, item).await? {
            return Ok(Err(trouble));
        }
        let question = async {
            match item.kind {
                Kind::Export => client.get_retrieval(item.task).await,
                Kind::Delete => client.get_deletion(item.task).await,
            }
        };
        let answer = tokio::select! {
            answer = question => Some(answer),
            () = run.interrupt.out_of_patience() => None,
        };
        run.compare_clocks(client);
        let now = run.clock.now();
        let rate = client.project().rate;
        run.ledger.record_answered(item.project, rate, now)?;
        let Some(answer) = answer else {
            return Ok(Err(RefreshTrouble::Interrupted));
        };
        match answer {
            StatusAnswer::Known { status, ids, link } => {
                return Ok(Ok(Answer { status, ids, link }));
            }
            StatusAnswer::NotFound => {
                let (status, ids, link) = (TaskStatus::NotFound, None, None);
                return Ok(Ok(Answer { status, ids, link }));
            }
            StatusAnswer::NotAllowed { http_status } => {
                return Ok(Err(RefreshTrouble::NotAllowed { http_status }));
            }
            StatusAnswer::Deferred { .. } if tries + 1 >= MAX_LIMITED => {
                return Ok(Err(RefreshTrouble::RateLimited));
            }
            StatusAnswer::Deferred { retry_after } => {
                let wait = retry_after.unwrap_or(Duration::from_secs(1 << tries.min(5)));
                run.ledger.record_block(item.project, now + wait)?;
            }
            StatusAnswer::Unclear { reason } if tries + 1 >= MAX_TRIES => {
                return Ok(Err(RefreshTrouble::Unreachable { reason }));
            }
            StatusAnswer::Unclear { .. } => run.sleep(Duration::from_millis(500 << tries)).await,
        }
        tries += 1;
    }
}

/// Waits for the project's turn.
pub(super) async fn take_slot(
    run: &mut Run<'_>,
    client: &Client,
    item: &Question<'_>,
) -> Result<Result<(), RefreshTrouble>, LedgerError> {
    let rate = client.project().rate;
    loop {
        let now = run.clock.now();
        match run.ledger.record_slot(item.project, rate, now)? {
            Slot::Yours => return Ok(Ok(())),
            Slot::Wait(wait) if wait > MAX_LIMIT_WAIT.max(rate.interval()) => {
                return Ok(Err(RefreshTrouble::RateLimited));
            }
            Slot::Wait(wait) => {
                run.sleep(wait).await;
                if run.interrupt.signal().is_some() {
                    return Ok(Err(RefreshTrouble::Interrupted));
                }
            }
        }
    }
}
