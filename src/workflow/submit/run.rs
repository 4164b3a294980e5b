//! Sends planned jobs, one POST at a time, each recorded before and after.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::{Batch, DistinctId, JobId, JobState, RequestId, TaskId};
use crate::ledger::{
    Again, Claim, ClaimedJob, LearnedLimit, LedgerError, Outcome, Purpose, Recorded,
};
use crate::mixpanel::{Client, CreateAnswer, Words};

use super::queue::{Item, Offer, Queue, SETTLE_AFTER, Settle, may_tell};
use super::settle::{self, Linking, Owners};
use super::submitted::SubmitReport;
use super::verdict::{Act, Next, Stop, Verdict};
use super::waiting::{Settles, list_waiting};
use crate::workflow::apart;
use crate::workflow::{ReadyPlan, RefreshTrouble, Run, RunEvent, WorkflowError};

/// Records the approved plans of one command as requests with unsent jobs.
///
/// # Errors
/// When the ledger cannot be written, or the ids cannot be read. Then nothing is recorded or sent.
pub fn record(
    run: &mut Run<'_>,
    plans: &[ReadyPlan],
    again: Again,
) -> Result<Recorded, WorkflowError> {
    let asked = plans.iter().map(|ready| {
        let batches = ready
            .batches()
            .map(|batch| batch.map_err(WorkflowError::Ids));
        (ready.plan().to_request(), batches)
    });
    run.ledger.record_requests(asked, again, run.clock.now())
}

/// Sends each planned or deferred job of the requests and settles unknown ones, with the projects
/// in turn. Ends when all are sent or something prevents sending. `max_wait` limits a wait for the
/// rate limit.
///
/// # Errors
/// When the ledger cannot be written. Then dsr sends nothing more.
pub async fn submit(
    run: &mut Run<'_>,
    requests: &[RequestId],
    settle: &Settle,
    max_wait: Duration,
) -> Result<SubmitReport, WorkflowError> {
    for id in requests {
        run.ledger.demand_recorded_ids(id)?;
    }
    let mut stops = Vec::new();
    let mut settle = settle.clone();
    let mut waiting = usize::MAX;
    loop {
        let (mut queues, barred) = list_queues(run, requests, &settle, max_wait).await?;
        stops.extend(barred);
        let before = waiting;
        waiting = queues.iter().map(Queue::count_kept_back).sum();
        let sent = send_all(run, &mut queues, max_wait).await?;
        stops.extend(sent.stops);
        // Sent jobs may free jobs that waited for them: look again until none is freed.
        let may_go_on = sent.any && (1..before).contains(&waiting) && stops.is_empty();
        if !may_go_on || run.interrupt.signal().is_some() {
            break;
        }
        // The first round tried each unknown job as often as allowed.
        settle = Settle::Chosen(Vec::new());
    }
    let mut records = Vec::new();
    for id in requests {
        records.extend(run.ledger.find_request(id)?);
    }
    let now = run.clock.now();
    Ok(SubmitReport {
        waiting: match waiting {
            0 => Vec::new(),
            _ => list_waiting(run.ledger, &records, now)?,
        },
        settling: Settles::of(run.ledger, &records, now)?,
        requests: records,
        stops,
        tally: run.tally,
        signal: run.interrupt.signal(),
    })
}

struct RoundResult {
    any: bool,
    stops: Vec<Stop>,
}

async fn send_all(
    run: &mut Run<'_>,
    queues: &mut Vec<Queue>,
    max_wait: Duration,
) -> Result<RoundResult, WorkflowError> {
    let (mut any, mut stops) = (false, Vec::new());
    while run.interrupt.signal().is_none() {
        let mut shortest = Duration::MAX;
        let mut place = 0;
        while place < queues.len() && run.interrupt.signal().is_none() {
            match send_next(run, &mut queues[place], max_wait).await? {
                SendStep::Sent => {
                    any = true;
                    shortest = Duration::ZERO;
                }
                SendStep::Wait(wait) => shortest = shortest.min(wait),
                SendStep::Over(stop) => {
                    let queue = queues.remove(place);
                    run.ledger.record_all_sent(&queue.project)?;
                    stops.extend(stop);
                    continue;
                }
            }
            place += 1;
        }
        if queues.is_empty() {
            break;
        }
        if !shortest.is_zero() {
            run.sleep(shortest).await;
        }
    }
    // An interruption leaves queues.
    for queue in &*queues {
        run.ledger.record_all_sent(&queue.project)?;
    }
    Ok(RoundResult { any, stops })
}

enum SendStep {
    Sent,
    Wait(Duration),
    /// Nothing is left to send, or something prevents it.
    Over(Option<Stop>),
}

async fn list_queues(
    run: &mut Run<'_>,
    requests: &[RequestId],
    settle: &Settle,
    max_wait: Duration,
) -> Result<(Vec<Queue>, Vec<Stop>), LedgerError> {
    let mut queues: Vec<Queue> = Vec::new();
    let (mut barred, mut stops) = (HashSet::new(), Vec::new());
    let shared = run.ledger.find_shared(requests)?;
    for id in requests {
        let Some(request) = run.ledger.find_request(id)? else {
            continue;
        };
        let key = request.asked.project_key.clone();
        let place = match queues.iter().position(|queue| queue.project == key) {
            Some(place) => place,
            None => {
                queues.push(Queue::new(key, max_wait));
                queues.len() - 1
            }
        };
        if barred.contains(&queues[place].project) {
            continue;
        }
        match apart(settle::keep_apart(run, &request, &shared).await)? {
            Ok(kept_back) => {
                let now = run.clock.now();
                queues[place].add(run.ledger, &request, kept_back, settle, now)?;
            }
            Err(trouble) => {
                barred.insert(queues[place].project.clone());
                stops.push(stop_of(trouble));
            }
        }
    }
    queues.retain(|queue| !barred.contains(&queue.project));
    Ok((queues, stops))
}

async fn send_next(
    run: &mut Run<'_>,
    queue: &mut Queue,
    max_wait: Duration,
) -> Result<SendStep, WorkflowError> {
    let item = match queue.offer(run.ledger)? {
        Offer::Send(item) => item,
        Offer::Wait(wait) => return Ok(SendStep::Wait(wait)),
        Offer::Nothing => return Ok(SendStep::Over(None)),
    };
    match send(run, queue, &item, max_wait).await {
        // Another dsr was faster. The ledger has what is left to do.
        Err(WorkflowError::Ledger(LedgerError::Overtaken(job))) if queue.looks_again(&job) => {
            tracing::info!(%job, "overtaken");
            Ok(SendStep::Sent)
        }
        sent => sent,
    }
}

async fn send(
    run: &mut Run<'_>,
    queue: &mut Queue,
    item: &Item,
    max_wait: Duration,
) -> Result<SendStep, WorkflowError> {
    let clients = run.clients;
    let Some(client) = clients.get(&queue.project) else {
        return Ok(SendStep::Over(Some(Stop::NoProject)));
    };
    if cut_to_learned(run, queue, item)? {
        return Ok(SendStep::Sent);
    }
    let lane = client.project().lane();
    let now = run.clock.now();
    if item.is_too_late(run.ledger, now)? {
        queue.remove(&item.job);
        return Ok(SendStep::Sent);
    }
    let claim = run
        .ledger
        .record_sending(&item.job, item.purpose, &lane, now)?;
    match claim {
        Claim::Wait(wait) if wait > max_wait.max(lane.rate.interval()) => {
            Ok(SendStep::Over(Some(Stop::RateLimited)))
        }
        Claim::Wait(wait) => Ok(SendStep::Wait(wait)),
        Claim::Taken(_) => {
            queue.remove(&item.job);
            Ok(SendStep::Sent)
        }
        Claim::Send(claimed) => {
            tracing::info!(job = %item.job, attempt = claimed.attempt(), "sending");
            let (answer, batch) = post(run, client, item, claimed).await;
            run.compare_clocks(client);
            let now = run.clock.now();
            let verdict = match item.purpose {
                Purpose::Submit => queue.temper.judge(answer, now),
                Purpose::Settle => queue.temper.judge_again(answer, item.word, now),
            };
            let step = carry_out(run, queue, client, (item, &batch), verdict).await?;
            run.record_standing(client);
            Ok(step)
        }
    }
}

/// Cuts a job that is larger than the server's known limit; returns whether it did.
fn cut_to_learned(run: &mut Run<'_>, queue: &mut Queue, item: &Item) -> Result<bool, LedgerError> {
    let kind = item.operation.kind();
    let now = run.clock.now();
    let Some(learned) = run.ledger.find_learned_limit(&queue.project, kind, now)? else {
        return Ok(false);
    };
    let job = run.job(&item.job)?;
    if !job.state.is_sendable() || job.ids <= learned.limit.get() {
        return Ok(false);
    }
    run.ledger.record_cut(&item.job, learned.limit, now)?;
    Ok(true)
}

/// The only place that makes a POST. It spends the claim, which exists only after the intent is
/// committed, and returns the ids that were sent.
async fn post(
    run: &Run<'_>,
    client: &Client,
    item: &Item,
    claimed: ClaimedJob,
) -> (CreateAnswer, Batch) {
    tokio::time::sleep_until(claimed.slot().into()).await;
    let (batch, subject, fence) = claimed.into_parts();
    let interrupted = || CreateAnswer::Unknown {
        reason: Words::ours("interrupted before the answer came"),
    };
    let answer = tokio::select! {
        answer = client.create(item.operation, &batch, subject, move || fence.is_open()) => answer,
        () = run.interrupt.out_of_patience() => interrupted(),
    };
    (answer, batch)
}

/// Carries out a verdict: records it, reports it and returns the next step.
async fn carry_out(
    run: &mut Run<'_>,
    queue: &mut Queue,
    client: &Client,
    (item, batch): (&Item, &Batch),
    verdict: Verdict,
) -> Result<SendStep, WorkflowError> {
    let job = &item.job;
    let reason = verdict.reason.as_deref();
    let mut next = verdict.next;
    match verdict.act {
        Act::Record(outcome) => {
            record_outcome(run, client, job, &outcome, reason)?;
            if matches!(outcome, Outcome::Accepted(_)) {
                learn(run, queue, (item, batch))?;
            }
        }
        Act::Cut => cut(run, queue, client, (item, batch), reason)?,
        Act::Link { ids, tasks } => {
            // Nothing was created, so the job is planned again before dsr asks the tasks.
            record_outcome(run, client, job, &Outcome::NotCreated, reason)?;
            let sent_after = queue.sent_after(job);
            match apart(settle::link(run, client, job, ids, &tasks, sent_after).await)? {
                Ok(Linking::Done) => {}
                Ok(Linking::SendsAgain) => {
                    queue.note_sent_after(job);
                    next = Next::Pause(SETTLE_AFTER);
                }
                Err(trouble) => next = Next::Stop(stop_of(trouble)),
            }
        }
        Act::Adopt { ids, tasks } => {
            let told = adopt_or_link(run, client, (job, batch), &ids, &tasks, reason).await?;
            if let Err(trouble @ RefreshTrouble::NotAllowed { .. }) = told {
                next = Next::Stop(stop_of(trouble));
            }
        }
    }
    if let Some(until) = verdict.closed_until {
        let now = run.clock.now();
        run.ledger.record_block(&queue.project, until, now)?;
    }
    let after = run.job(job)?;
    let kind = item.operation.kind();
    run.count(item.purpose, &after);
    run.observer.on(RunEvent::Moved(&after));
    match after.state {
        JobState::Unknown => match may_tell(&after, run.ledger.find_tried(job)?, kind) {
            true => queue.settle_later(item),
            false => queue.remove(job),
        },
        state if state.is_sendable() => queue.send_anew(job),
        _ => queue.remove(job),
    }
    Ok(match next {
        Next::GoOn => SendStep::Sent,
        Next::Pause(wait) => {
            let reason = reason.unwrap_or_default();
            run.observer.on(RunEvent::Held { reason, wait });
            queue.pause(wait);
            SendStep::Sent
        }
        Next::Stop(stop) => SendStep::Over(Some(stop)),
    })
}

/// Settles an unknown job by a conflict over its ids, as far as the conflict can.
async fn adopt_or_link(
    run: &mut Run<'_>,
    client: &Client,
    (job, batch): (&JobId, &Batch),
    ids: &[DistinctId],
    tasks: &[TaskId],
    reason: Option<&str>,
) -> Result<Result<(), RefreshTrouble>, WorkflowError> {
    let now = run.clock.now();
    let lane = client.project().lane();
    run.ledger.record_answered(&lane, Some(job), now)?;
    let owners = settle::find_owners(run, client, (job, batch), ids, tasks).await;
    // A conflict creates nothing; only the earlier POSTs remain unknown.
    let not_taken = Outcome::Unsettled(JobState::Planned);
    match apart(owners)? {
        Ok(Owners::One(task)) => {
            let doubt = run.ledger.find_tried(job)?.doubt();
            let reason = format!("recovered: {doubt}, and Mixpanel named its task");
            let outcome = Outcome::Recovered(task);
            record_outcome(run, client, job, &outcome, Some(&reason))?;
        }
        Ok(Owners::Others(groups)) => {
            // The rest remains unknown. The next identical POST shows more.
            record_outcome(run, client, job, &not_taken, reason)?;
            run.record_linked(job, &groups)?;
        }
        Ok(Owners::Ended(why)) => {
            record_outcome(run, client, job, &Outcome::Undecided, Some(&why))?;
        }
        Ok(Owners::NotSaid(why)) => record_outcome(run, client, job, &not_taken, Some(&why))?,
        Err(trouble) => {
            record_outcome(run, client, job, &not_taken, Some(settle::NOT_SAID))?;
            return Ok(Err(trouble));
        }
    }
    Ok(Ok(()))
}

fn cut(
    run: &mut Run<'_>,
    queue: &mut Queue,
    client: &Client,
    (item, batch): (&Item, &Batch),
    reason: Option<&str>,
) -> Result<(), WorkflowError> {
    let job = &item.job;
    let ids = batch.count();
    let Some(limit) = settle::half(ids) else {
        return record_outcome(run, client, job, &Outcome::Refused, reason);
    };
    record_outcome(run, client, job, &Outcome::NotCreated, reason)?;
    run.ledger.record_cut(job, limit, run.clock.now())?;
    queue.refused = Some((item.operation.kind(), ids));
    Ok(())
}

/// Remembers how many ids the server accepted after it refused twice as many. Only that shows that
/// the number was the problem.
fn learn(
    run: &mut Run<'_>,
    queue: &mut Queue,
    (item, batch): (&Item, &Batch),
) -> Result<(), WorkflowError> {
    let kind = item.operation.kind();
    let ids = batch.count();
    let refused = queue.refused.filter(|(of, _)| *of == kind);
    if let Some((_, refused)) = refused
        && let Some(limit) = settle::half(refused).filter(|half| half.get() == ids)
    {
        let at = run.clock.now();
        let learned = LearnedLimit { limit, refused, at };
        run.ledger.record_learned(&queue.project, kind, learned)?;
        queue.refused = None;
    }
    Ok(())
}

fn record_outcome(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobId,
    outcome: &Outcome,
    reason: Option<&str>,
) -> Result<(), WorkflowError> {
    let lane = client.project().lane();
    let now = run.clock.now();
    let recorded = run.ledger.record_outcome(job, &lane, outcome, reason, now);
    tracing::info!(%job, ?outcome, recorded = recorded.is_ok(), "answered");
    recorded.map_err(|source| match outcome {
        Outcome::Accepted(task) | Outcome::Recovered(task) => WorkflowError::NotRecorded {
            job: job.clone(),
            receipt: run.keep_receipt(job, task),
            task: task.clone(),
            source: Box::new(source),
        },
        _ => source.into(),
    })
}

fn stop_of(trouble: RefreshTrouble) -> Stop {
    match trouble {
        RefreshTrouble::NotAllowed { http_status } => Stop::NotAllowed {
            http_status,
            message: "while asking about a task".to_owned(),
        },
        RefreshTrouble::Unreachable { reason } => Stop::Unreachable { reason },
        RefreshTrouble::RateLimited | RefreshTrouble::Interrupted => Stop::RateLimited,
        RefreshTrouble::NoProject { .. } => Stop::NoProject,
    }
}
