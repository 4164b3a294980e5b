//! Asks Mixpanel about a task that cannot exist: the one call that shows whether a project can be
//! worked on, and creates nothing.

use chrono::TimeDelta;

use crate::domain::{TaskId, TaskStatus};
use crate::ledger::LedgerError;
use crate::mixpanel::{Client, StatusAnswer};

use super::follow::take_slot;
use super::{RefreshTrouble, Run};

/// What an answer about a task that cannot exist shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// There is no such task, and we were allowed to ask.
    Welcome,
    /// 404: the same, or the project is elsewhere.
    NotHere,
    /// 401 or 403.
    NotAllowed {
        http_status: u16,
    },
    /// It is said to exist: whoever answers is not Mixpanel.
    Odd {
        status: TaskStatus,
    },
    /// The rate limit, now or from an earlier call.
    RateLimited,
    Unreachable {
        reason: String,
    },
    /// The operator ended the run.
    Interrupted,
}

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    pub probe: Probe,
    /// How far our clock is ahead of the server's, or behind, if it said what time it is; to the
    /// second.
    pub ahead: Option<TimeDelta>,
}

/// Asks once, within the project's pace; never anything but a GET.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn probe(run: &mut Run<'_>, client: &Client) -> Result<Probed, LedgerError> {
    let task = TaskId::random();
    let lane = client.project().lane();
    if let Err(trouble) = take_slot(run, &lane).await? {
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
    run.ledger.record_answered(&lane, now)?;
    run.record_standing(client);
    let probe = match answer {
        None => Probe::Interrupted,
        Some(StatusAnswer::NotFound) => Probe::NotHere,
        Some(StatusAnswer::Known { status, .. }) => match status {
            TaskStatus::NotFound => Probe::Welcome,
            // It could not look it up, which takes having been let in.
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
