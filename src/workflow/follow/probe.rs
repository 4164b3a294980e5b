//! Asks Mixpanel about a task that cannot exist. This shows whether a project works, and creates
//! nothing.

use chrono::TimeDelta;

use crate::domain::{TaskId, TaskStatus};
use crate::ledger::LedgerError;
use crate::mixpanel::{Client, StatusAnswer};

use super::check::{apart, take_slot};
use crate::workflow::{RefreshTrouble, Run};

/// What the answer about a task that cannot exist shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Mixpanel has no such task, and allowed the question.
    Welcome,
    /// 404: no such task, or no such project here.
    NotHere,
    /// 401 or 403.
    NotAllowed {
        http_status: u16,
    },
    /// The task is said to exist, so the server is not Mixpanel.
    Odd {
        status: TaskStatus,
    },
    /// The rate limit, now or from an earlier call.
    RateLimited,
    Unreachable {
        reason: String,
    },
    Interrupted,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    pub probe: Probe,
    /// How far our clock is ahead of the server's, in whole seconds; negative if behind. `None` if
    /// the server named no time.
    pub ahead: Option<TimeDelta>,
}

/// Sends one GET, within the project's pace.
pub async fn probe(run: &mut Run<'_>, client: &Client) -> Result<Probed, LedgerError> {
    let task = TaskId::random();
    let lane = client.project().lane();
    if let Err(trouble) = apart(take_slot(run, &lane).await)? {
        return Ok(Probed {
            probe: of_trouble(trouble),
            ahead: None,
        });
    }
    let answer = tokio::select! {
        answer = client.get_deletion(&task, &|| None) => Some(answer),
        () = run.interrupt.out_of_patience() => None,
    };
    let now = run.clock.now();
    run.ledger.record_answered(&lane, None, now)?;
    run.record_standing(client);
    let probe = match answer {
        None => Probe::Interrupted,
        Some(StatusAnswer::NotFound) => Probe::NotHere,
        Some(StatusAnswer::Known(answer)) => match answer.status {
            TaskStatus::NotFound => Probe::Welcome,
            // Mixpanel could not look it up, but accepted the token.
            TaskStatus::Unknown => Probe::Welcome,
            status => Probe::Odd { status },
        },
        Some(StatusAnswer::NotAllowed { http_status }) => Probe::NotAllowed { http_status },
        Some(StatusAnswer::Deferred { retry_after }) => {
            if let Some(wait) = retry_after {
                run.ledger.record_block(&lane.project, now + wait, now)?;
            }
            Probe::RateLimited
        }
        Some(StatusAnswer::Unclear { reason }) => Probe::Unreachable {
            reason: reason.into(),
        },
    };
    let ahead = client.server_time().map(|theirs| now - theirs);
    Ok(Probed { probe, ahead })
}

fn of_trouble(trouble: RefreshTrouble) -> Probe {
    match trouble {
        RefreshTrouble::NotAllowed { http_status } => Probe::NotAllowed { http_status },
        RefreshTrouble::Unreachable { reason } => Probe::Unreachable { reason },
        RefreshTrouble::RateLimited => Probe::RateLimited,
        RefreshTrouble::NoProject { .. } | RefreshTrouble::Interrupted => Probe::Interrupted,
    }
}
