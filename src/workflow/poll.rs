//! Asks about many jobs, each when its time has come by the schedule in the ledger, which all
//! processes share.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use tokio::time::Instant;

use crate::domain::ProjectKey;
use crate::ledger::{Asking, Ledger, LedgerError, Scope, Turn};

use super::follow::{
    FirstSlot, FollowedJob, MAX_LIMIT_WAIT, RefreshTrouble, check_until, no_project,
};
use super::{Run, RunEvent};

/// How long an answer is waited for beyond the time in which questions begin.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The longest sleep before the ledger is looked at again: another process may have sent something.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollExtent {
    /// About the jobs whose time has come; no question begins after so long.
    Due { within: Duration },
    /// About each job, whether its time has come or not.
    All,
}

/// Asks about each job once at most. What troubles a project ends the questions about its jobs,
/// and those about others go on.
///
/// # Errors
/// When the ledger cannot be read or written.
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
    // Once each, even if the clock is set back meanwhile.
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

/// Asks about the jobs, each when it is due, until all have ended, `timeout` is over or the
/// operator interrupts. A failing network or a rate limit is waited out; any other trouble ends
/// the questions about a project's jobs.
///
/// # Errors
/// When the ledger cannot be read or written.
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
                // All that is left is in trouble that does not pass.
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

/// Why it is worth asking again a little later, if it is: a network that fails today may work
/// tomorrow, and a job takes weeks.
fn will_pass(trouble: &RefreshTrouble) -> Option<&str> {
    match trouble {
        RefreshTrouble::Unreachable { reason } => Some(reason),
        RefreshTrouble::RateLimited => Some("Mixpanel's rate limit keeps dsr from asking"),
        RefreshTrouble::NotAllowed { .. }
        | RefreshTrouble::NoProject { .. }
        | RefreshTrouble::Interrupted => None,
    }
}

/// What came of the wish to ask about the next job.
enum PollStep {
    Asked,
    Troubled(ProjectKey, RefreshTrouble),
    /// Nothing can be asked just now.
    Wait {
        /// Until a project may be asked again that had no slot, or trouble that passes.
        slot: Option<Duration>,
        /// Until the time of a job of any other project has come.
        due: Option<Duration>,
    },
}

/// The questions about the jobs of a scope, in the order of the schedule.
struct Questions<'s> {
    scope: &'s Scope,
    turn: Turn,
    /// Until when answers are waited for.
    end: Option<Instant>,
    holds: Vec<Hold>,
}

/// A project that is not asked about: the others go on meanwhile.
struct Hold {
    project: ProjectKey,
    /// `None` for good.
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

    /// Asks about the first job whose time has come and whose project has its slot free.
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
                    let checked = check_until(run, &item, FirstSlot::Taken, self.end).await?;
                    return Ok(match checked {
                        Ok(()) | Err(RefreshTrouble::Interrupted) => PollStep::Asked,
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
