//! Sends what is planned, one POST at a time, each recorded before and after.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{ExitStatus, JobId, JobState, Operation, ProjectKey, RequestId};
use crate::ledger::{Claim, LedgerError, Outcome, RequestRecord};
use crate::mixpanel::{Client, CreateAnswer};

use super::{Approved, Event, Run, Signal, WorkflowError};

/// How often a connection is tried that cannot be made.
const MAX_CONNECTION_TRIES: u32 = 5;
/// After so many answers in a row that say nothing, the service is left alone.
const MAX_UNKNOWN_IN_A_ROW: u32 = 3;

/// Why the sending of a project's jobs ended before all were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// 401 or 403; nothing that was not sent yet will be.
    NotAllowed { http_status: u16, message: String },
    /// The connection could not be made.
    Unreachable { reason: String },
    /// The rate limit kept us out for longer than there was time.
    RateLimited,
    /// Answers that say nothing, one after the other.
    Unclear { reason: String },
    /// There is no client for the request's project.
    NoProject,
}

/// What came of a submission. The requests are as the ledger has them now.
#[derive(Debug)]
pub struct SubmitReport {
    pub requests: Vec<RequestRecord>,
    pub stops: Vec<Stop>,
    pub signal: Option<Signal>,
}

impl SubmitReport {
    /// The status of the whole run, by the jobs' states and what stopped it.
    pub fn exit_status(&self) -> ExitStatus {
        let signal = self.signal.map(|signal| match signal {
            Signal::Interrupt => ExitStatus::Interrupted,
            Signal::Terminate => ExitStatus::Terminated,
        });
        let stops = self.stops.iter().map(|stop| match stop {
            Stop::NotAllowed { .. } => ExitStatus::Auth,
            Stop::Unreachable { .. } | Stop::RateLimited | Stop::Unclear { .. } => {
                ExitStatus::Temporary
            }
            Stop::NoProject => ExitStatus::Usage,
        });
        let jobs = self.requests.iter().flat_map(|request| &request.jobs);
        let states = jobs.map(|job| match job.state {
            JobState::Unknown => ExitStatus::Unknown,
            JobState::Failed | JobState::Revoked => ExitStatus::Failed,
            JobState::Refused => ExitStatus::Refused,
            JobState::Planned | JobState::Deferred => ExitStatus::Temporary,
            JobState::Sending | JobState::Accepted | JobState::Running | JobState::Done => {
                ExitStatus::Done
            }
        });
        ExitStatus::most_pressing(signal.into_iter().chain(stops).chain(states))
    }
}

/// Records an approved plan as a request with its jobs, all still to be sent.
///
/// # Errors
/// When the ledger cannot be written; then nothing will be sent.
pub fn record(run: &mut Run<'_>, approved: &Approved) -> Result<RequestId, LedgerError> {
    let plan = approved.plan();
    let now = run.clock.now();
    run.ledger
        .record_request(&plan.to_request(), &plan.batches, now)
}

/// Sends each planned or deferred job of the requests, projects in turn, until all are sent or
/// something stands in the way. `max_wait` bounds how long a rate limit is waited for.
///
/// # Errors
/// When the ledger cannot be written. Then nothing more is sent.
pub async fn submit(
    run: &mut Run<'_>,
    requests: &[RequestId],
    max_wait: Duration,
) -> Result<SubmitReport, WorkflowError> {
    let mut queues = list_queues(run, requests)?;
    let mut stops = Vec::new();
    while run.interrupt.signal().is_none() {
        queues.retain(|queue| !queue.jobs.is_empty());
        if queues.is_empty() {
            break;
        }
        let mut shortest = Duration::MAX;
        let mut place = 0;
        while place < queues.len() && run.interrupt.signal().is_none() {
            match send_next(run, &mut queues[place], max_wait).await? {
                Step::Sent => shortest = Duration::ZERO,
                Step::Wait(wait) => shortest = shortest.min(wait),
                Step::Stopped(stop) => {
                    queues.remove(place);
                    stops.push(stop);
                    shortest = Duration::ZERO;
                    continue;
                }
            }
            place += 1;
        }
        if !shortest.is_zero() {
            run.sleep(shortest).await;
        }
    }
    let mut records = Vec::new();
    for id in requests {
        records.extend(run.ledger.find_request(id)?);
    }
    Ok(SubmitReport {
        requests: records,
        stops,
        signal: run.interrupt.signal(),
    })
}

/// The jobs of one project that are still to be sent, and how its service has behaved.
struct Queue {
    project: ProjectKey,
    jobs: VecDeque<(JobId, Operation)>,
    /// Not before, for a reason that concerns this process only.
    retry_at: Option<tokio::time::Instant>,
    connection_waits: ExponentialBackoff,
    connection_tries: u32,
    limit_waits: ExponentialBackoff,
    /// Since when the rate limit has kept us out.
    limited_since: Option<DateTime<Utc>>,
    unknown_in_a_row: u32,
}

/// What came of one try to send the next job of a queue.
enum Step {
    Sent,
    Wait(Duration),
    Stopped(Stop),
}

fn list_queues(run: &Run<'_>, requests: &[RequestId]) -> Result<Vec<Queue>, LedgerError> {
    let mut jobs: HashMap<ProjectKey, VecDeque<(JobId, Operation)>> = HashMap::new();
    let mut order = Vec::new();
    for id in requests {
        let Some(request) = run.ledger.find_request(id)? else {
            continue;
        };
        let key = request.asked.project_key;
        if !order.contains(&key) {
            order.push(key.clone());
        }
        let sendable = request
            .jobs
            .into_iter()
            .filter(|job| job.state.is_sendable());
        let sendable = sendable.map(|job| (job.id, request.asked.operation));
        jobs.entry(key).or_default().extend(sendable);
    }
    let queue = |key: ProjectKey| Queue {
        jobs: jobs.remove(&key).unwrap_or_default(),
        project: key,
        retry_at: None,
        connection_waits: waits(Duration::from_millis(500), Duration::from_secs(10)),
        connection_tries: 0,
        limit_waits: waits(Duration::from_secs(1), Duration::from_secs(15 * 60)),
        limited_since: None,
        unknown_in_a_row: 0,
    };
    Ok(order.into_iter().map(queue).collect())
}

fn waits(shortest: Duration, longest: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(shortest)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

async fn send_next(
    run: &mut Run<'_>,
    queue: &mut Queue,
    max_wait: Duration,
) -> Result<Step, WorkflowError> {
    let clients = run.clients;
    let Some(client) = clients.get(&queue.project) else {
        return Ok(Step::Stopped(Stop::NoProject));
    };
    if let Some(at) = queue.retry_at {
        let wait = at.saturating_duration_since(tokio::time::Instant::now());
        if !wait.is_zero() {
            return Ok(Step::Wait(wait));
        }
    }
    let Some((job, operation)) = queue.jobs.front().cloned() else {
        return Ok(Step::Sent);
    };
    let rate = client.project().rate;
    let now = run.clock.now();
    match run.ledger.record_sending(&job, &queue.project, rate, now)? {
        Claim::Wait(wait) if wait > max_wait.max(rate.interval()) => {
            Ok(Step::Stopped(Stop::RateLimited))
        }
        Claim::Wait(wait) => Ok(Step::Wait(wait)),
        Claim::Taken(_) => {
            queue.jobs.pop_front();
            Ok(Step::Sent)
        }
        Claim::Send { attempt } => {
            tracing::info!(%job, attempt, "sending");
            let answer = post(run, client, &job, operation).await?;
            let step = settle(run, queue, client, &job, answer, max_wait)?;
            if run.job(&job).is_ok_and(|job| !job.state.is_sendable()) {
                queue.jobs.pop_front();
            }
            Ok(step)
        }
    }
}

/// The one place a POST is made from: the intent has been committed.
async fn post(
    run: &Run<'_>,
    client: &Client,
    job: &JobId,
    operation: Operation,
) -> Result<CreateAnswer, LedgerError> {
    let batch = run.ledger.find_batch(job)?;
    let subject = run.job(job)?.subject;
    let interrupted = || CreateAnswer::Unknown {
        reason: "interrupted before the answer came".to_owned(),
    };
    Ok(tokio::select! {
        answer = client.create(operation, &batch, subject) => answer,
        () = run.interrupt.out_of_patience() => interrupted(),
    })
}

/// Records what an answer means, then tells it, then says how to go on.
fn settle(
    run: &mut Run<'_>,
    queue: &mut Queue,
    client: &Client,
    job: &JobId,
    answer: CreateAnswer,
    max_wait: Duration,
) -> Result<Step, WorkflowError> {
    let now = run.clock.now();
    let verdict = queue.judge(answer, now, max_wait);
    let reason = verdict.reason.as_deref();
    let rate = client.project().rate;
    let recorded =
        run.ledger
            .record_outcome(job, &queue.project, rate, &verdict.outcome, reason, now);
    if let Err(source) = recorded {
        return Err(match verdict.outcome {
            Outcome::Accepted(task) => WorkflowError::NotRecorded {
                job: job.clone(),
                task,
                source: Box::new(source),
            },
            _ => source.into(),
        });
    }
    tracing::info!(%job, outcome = ?verdict.outcome, "recorded");
    run.observer.on(Event::Moved(&run.job(job)?));
    if let (Some(wait), Step::Sent) = (verdict.wait, &verdict.step) {
        let reason = reason.unwrap_or_default();
        run.observer.on(Event::Held { reason, wait });
    }
    Ok(verdict.step)
}

/// What an answer means for its job and for the rest of the queue.
struct Verdict {
    outcome: Outcome,
    reason: Option<String>,
    step: Step,
    wait: Option<Duration>,
}

impl Verdict {
    fn go_on(outcome: Outcome, reason: Option<String>) -> Self {
        Self {
            outcome,
            reason,
            step: Step::Sent,
            wait: None,
        }
    }

    fn stop(outcome: Outcome, reason: String, stop: Stop) -> Self {
        Self {
            outcome,
            reason: Some(reason),
            step: Step::Stopped(stop),
            wait: None,
        }
    }
}

impl Queue {
    fn judge(&mut self, answer: CreateAnswer, now: DateTime<Utc>, max_wait: Duration) -> Verdict {
        if !matches!(answer, CreateAnswer::Unknown { .. }) {
            self.unknown_in_a_row = 0;
        }
        if !matches!(answer, CreateAnswer::NotSent { .. }) {
            self.connection_tries = 0;
        }
        if !matches!(answer, CreateAnswer::Deferred { .. }) {
            self.limited_since = None;
            self.limit_waits = waits(Duration::from_secs(1), Duration::from_secs(15 * 60));
        }
        match answer {
            CreateAnswer::Accepted { task } => Verdict::go_on(Outcome::Accepted(task), None),
            CreateAnswer::NotSent { reason } => self.not_sent(reason),
            CreateAnswer::Deferred { retry_after } => self.deferred(retry_after, now, max_wait),
            CreateAnswer::TooLarge { message } => {
                let hint = "more ids than Mixpanel takes at once; set a smaller batch for the project and send these ids again";
                Verdict::go_on(Outcome::Refused, Some(format!("{hint}: {message}")))
            }
            CreateAnswer::Conflict { tasks, ids } => {
                let tasks: Vec<&str> = tasks.iter().map(|task| task.as_str()).collect();
                let tasks = tasks.join(", ");
                let reason = format!(
                    "{ids} of its ids are being deleted already (task {tasks}), so none of the job was taken"
                );
                Verdict::go_on(Outcome::Refused, Some(reason))
            }
            CreateAnswer::Refused {
                http_status,
                message,
            } => {
                let reason = format!("Mixpanel refused it ({http_status}): {message}");
                Verdict::go_on(Outcome::Refused, Some(reason))
            }
            CreateAnswer::NotAllowed {
                http_status,
                message,
            } => Verdict::stop(
                Outcome::NotCreated,
                format!("Mixpanel turned the token away ({http_status}): {message}"),
                Stop::NotAllowed {
                    http_status,
                    message,
                },
            ),
            CreateAnswer::Unknown { reason } => self.unknown(reason),
        }
    }

    fn not_sent(&mut self, reason: String) -> Verdict {
        self.connection_tries += 1;
        if self.connection_tries > MAX_CONNECTION_TRIES {
            let stop = Stop::Unreachable {
                reason: reason.clone(),
            };
            return Verdict::stop(Outcome::NotCreated, reason, stop);
        }
        let wait = self.connection_waits.next().unwrap_or_default();
        self.retry_at = Some(tokio::time::Instant::now() + wait);
        Verdict {
            wait: Some(wait),
            ..Verdict::go_on(Outcome::NotCreated, Some(reason))
        }
    }

    fn deferred(
        &mut self,
        retry_after: Option<Duration>,
        now: DateTime<Utc>,
        max_wait: Duration,
    ) -> Verdict {
        let doubled = self.limit_waits.next().unwrap_or_default();
        let wait = retry_after.unwrap_or(doubled);
        let since = *self.limited_since.get_or_insert(now);
        let until = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(24));
        let reason = "Mixpanel's rate limit (429)".to_owned();
        let spent = (until - since).to_std().unwrap_or_default();
        if spent > max_wait {
            let outcome = Outcome::Deferred(until);
            return Verdict::stop(outcome, reason, Stop::RateLimited);
        }
        Verdict {
            wait: Some(wait),
            ..Verdict::go_on(Outcome::Deferred(until), Some(reason))
        }
    }

    fn unknown(&mut self, reason: String) -> Verdict {
        self.unknown_in_a_row += 1;
        if self.unknown_in_a_row >= MAX_UNKNOWN_IN_A_ROW {
            let stop = Stop::Unclear {
                reason: reason.clone(),
            };
            return Verdict::stop(Outcome::Unknown, reason, stop);
        }
        Verdict::go_on(Outcome::Unknown, Some(reason))
    }
}
