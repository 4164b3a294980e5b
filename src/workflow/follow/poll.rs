//! Checks many jobs, each when it is due by the ledger's schedule, which all processes share.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use tokio::time::Instant;

use crate::domain::ProjectKey;
use crate::ledger::{Asking, Ledger, LedgerError, Scope, Turn};

use super::check::{
    FirstSlot, FollowedJob, MAX_LIMIT_WAIT, RefreshTrouble, apart, look_until, no_project,
};
use crate::workflow::{Run, RunEvent};

/// How long to wait for an answer after the time for new questions is over.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The longest sleep before reading the ledger again: another process may have sent something.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Which jobs to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollExtent {
    /// The jobs that are due. No question begins after `within`.
    Due { within: Duration },
    /// Every job, due or not.
    All,
}

/// Checks each job at most once. Trouble with one project does not stop the others.
pub async fn refresh(
    run: &mut Run<'_>,
    scope: &Scope,
    extent: PollExtent,
) -> Result<Vec<RefreshTrouble>, LedgerError> {
    let now = run.clock.now();
    let (turn, end) = match extent {
        PollExtent::Due { within } => (Turn::Due, Instant::now().checked_add(within)),
        // The ledger keeps milliseconds.
        PollExtent::All => (Turn::AfterAll(now.trunc_subsecs(3)), None),
    };
    // Counted now, so that a clock set back cannot bring a second round.
    let mut left = count(run.ledger, scope, turn, now)?;
    let patience = end.and_then(|end| end.checked_add(ANSWER_TIME));
    let mut questions = Questions::new(scope, turn, patience);
    let mut troubles = Vec::new();
    while left > 0 && run.interrupt.signal().is_none() {
        let over_at = |after| end.is_some_and(|end| Instant::now() + after >= end);
        if over_at(Duration::ZERO) {
            break;
        }
        match questions.put_next(run).await? {
            PollStep::Asked => left -= 1,
            PollStep::Troubled(project, trouble) => {
                questions.hold(project, None);
                troubles.push(trouble);
            }
            PollStep::Wait {
                slot: Some(slot), ..
            } if !over_at(slot) => run.sleep(slot).await,
            PollStep::Wait { .. } => break,
        }
    }
    Ok(troubles)
}

/// Checks each job when it is due, until all are done, `timeout` is over or the operator
/// interrupts. Waits through a failing network or a rate limit. Other trouble ends the checks of
/// that project.
pub async fn wait(
    run: &mut Run<'_>,
    scope: &Scope,
    timeout: Option<Duration>,
) -> Result<Vec<RefreshTrouble>, LedgerError> {
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let left = || end.map_or(Duration::MAX, |end| end - Instant::now());
    let mut questions = Questions::new(scope, Turn::Due, end);
    let mut troubles = Vec::new();
    while run.interrupt.signal().is_none() && !left().is_zero() {
        let has_followed = run.ledger.has_followed(scope)?;
        if !has_followed && !run.ledger.is_being_sent(scope)? {
            break;
        }
        match questions.put_next(run).await? {
            PollStep::Asked => {}
            PollStep::Troubled(project, trouble) => match will_pass(&trouble) {
                Some(reason) => {
                    let wait = MAX_LIMIT_WAIT;
                    run.observer.on(RunEvent::Held { reason, wait });
                    questions.hold(project, Some(wait));
                }
                None => {
                    questions.hold(project, None);
                    troubles.push(trouble);
                }
            },
            PollStep::Wait { slot, due } => match slot.into_iter().chain(due).min() {
                // Only jobs with lasting trouble are left.
                None if has_followed => break,
                wait => {
                    let wait = wait.map_or(LOOK_AGAIN, |wait| wait.min(LOOK_AGAIN));
                    run.sleep(wait.min(left())).await;
                }
            },
        }
    }
    Ok(troubles)
}

fn count(
    ledger: &Ledger,
    scope: &Scope,
    turn: Turn,
    now: DateTime<Utc>,
) -> Result<usize, LedgerError> {
    let backlogs = ledger.list_backlogs(scope, turn, now)?;
    Ok(backlogs.iter().map(|backlog| backlog.jobs).sum())
}

/// Why asking again later may help, if so. A network recovers, and a job takes weeks.
fn will_pass(trouble: &RefreshTrouble) -> Option<&str> {
    match trouble {
        RefreshTrouble::Unreachable { reason } => Some(reason),
        RefreshTrouble::RateLimited => Some("Mixpanel's rate limit keeps dsr from asking"),
        RefreshTrouble::NotAllowed { .. }
        | RefreshTrouble::NoProject { .. }
        | RefreshTrouble::Interrupted => None,
    }
}

enum PollStep {
    Asked,
    Troubled(ProjectKey, RefreshTrouble),
    /// Nothing can be asked now.
    Wait {
        /// Until a waiting project may be asked again.
        slot: Option<Duration>,
        /// Until a job of another project is due.
        due: Option<Duration>,
    },
}

/// The checks of a scope's jobs, in the order of the schedule.
struct Questions<'s> {
    scope: &'s Scope,
    turn: Turn,
    /// How long to wait for answers.
    end: Option<Instant>,
    holds: Vec<Hold>,
}

/// A project that is not asked for now.
struct Hold {
    project: ProjectKey,
    /// `None` for the rest of the run.
    until: Option<Instant>,
}

impl<'s> Questions<'s> {
    fn new(scope: &'s Scope, turn: Turn, end: Option<Instant>) -> Self {
        Self {
            scope,
            turn,
            end,
            holds: Vec::new(),
        }
    }

    fn hold(&mut self, project: ProjectKey, wait: Option<Duration>) {
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        self.holds.push(Hold { project, until });
    }

    /// Checks the first due job whose project has a free slot.
    async fn put_next(&mut self, run: &mut Run<'_>) -> Result<PollStep, LedgerError> {
        loop {
            let start = Instant::now();
            self.holds
                .retain(|hold| hold.until.is_none_or(|until| until > start));
            let held: Vec<ProjectKey> = self.holds.iter().map(|h| h.project.clone()).collect();
            let now = run.clock.now();
            let found = run
                .ledger
                .find_next_check(self.scope, self.turn, &held, now)?;
            let is_due = |at| self.turn != Turn::Due || at <= now;
            let next = match found {
                Some(next) if is_due(next.at) => next,
                later => {
                    let due = later.and_then(|next| (next.at - now).to_std().ok());
                    let ends = self.holds.iter().filter_map(|hold| hold.until);
                    let slot = ends.min().map(|until| until.duration_since(start));
                    return Ok(PollStep::Wait { slot, due });
                }
            };
            let clients = run.clients;
            let Some(client) = clients.get(&next.project) else {
                let trouble = no_project(run, &next.job)?;
                return Ok(PollStep::Troubled(next.project, trouble));
            };
            let lane = client.project().lane();
            let item = FollowedJob::from(next);
            let asking = run
                .ledger
                .record_asking(item.job(), self.turn, &lane, now)?;
            match asking {
                Asking::Yours => {
                    let looked = look_until(run, &item, FirstSlot::Taken, self.end).await;
                    return Ok(match apart(looked)? {
                        Ok(_) | Err(RefreshTrouble::Interrupted) => PollStep::Asked,
                        Err(trouble) => PollStep::Troubled(item.project().clone(), trouble),
                    });
                }
                Asking::Taken => {}
                Asking::Wait(wait) if wait > MAX_LIMIT_WAIT.max(lane.rate.interval()) => {
                    let trouble = RefreshTrouble::RateLimited;
                    return Ok(PollStep::Troubled(item.project().clone(), trouble));
                }
                Asking::Wait(wait) => self.hold(item.project().clone(), Some(wait)),
            }
        }
    }
}
