//! Submit, follow and cancel: Mixpanel's API and the ledger together. Prints nothing.
//!
//! Every step is in the ledger before it is told to anyone: intent, POST, outcome, event.

mod answer;
mod archive;
mod cancel;
mod download;
mod evidence;
mod extend;
mod fetched;
mod follow;
mod interrupt;
mod new_file;
mod plan;
mod plan_file;
mod poll;
mod probe;
mod queue;
mod recollected;
mod settle;
mod split;
mod submit;
mod submitted;
mod suppressed;
mod verdict;
mod waiting;

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::{Clock, JobId, ProjectKey, TaskId};
use crate::intake::IntakeError;
use crate::ledger::{JobRecord, Ledger, LedgerError, LinkTo, Linked, Purpose};
use crate::mixpanel::{Client, TokenStanding};

pub use answer::{AnswerError, record_answer};
pub use cancel::{
    CancelOutcome, CancelReport, Strangers, cancel, list_cancellable, list_strangers,
    list_taken_along,
};
pub use download::{OnBytes, download, list_untried};
pub use evidence::{audit_fact, job_facts, period_facts, request_facts, row_facts};
pub use extend::{ExtendError, extend};
pub use fetched::{
    DownloadError, DownloadOutcome, DownloadReport, Fetching, LinkAge, Look, Loss, Refetch, Untried,
};
pub use follow::{Difference, FollowedJob, RefreshTrouble};
pub use interrupt::{Interrupt, Signal};
pub use new_file::{NewFile, NewFileError, PlacedFile};
pub use plan::{NotReady, Plan, ReadyPlan, RequestTerms};
pub use plan_file::{Outdated, PlanningError, check_fit, restore_plan, write_plan};
pub use poll::{PollExtent, refresh, wait};
pub use probe::{Probe, Probed, probe};
pub use queue::Settle;
pub use recollected::{Arrivals, Recollected, Search, SeenEvent};
pub use settle::{Adopted, adopt};
pub use split::{SplitOutcome, SplitTrouble, Splitting, list_drafts, split};
pub use submit::{record, submit};
pub use submitted::{RunTally, SubmitReport, standing};
pub use suppressed::{Deletions, HashShare, HeldIds, Suppressed, SuppressedIndex};
pub use verdict::Stop;
pub use waiting::{Settles, Waiting, list_waiting};

/// Everything a run works with, handed from the command to each step.
pub struct Run<'a> {
    pub ledger: &'a mut Ledger,
    pub clients: &'a HashMap<ProjectKey, Client>,
    pub clock: &'a dyn Clock,
    pub interrupt: &'a Interrupt,
    pub observer: &'a dyn Observer,
    pub tally: RunTally,
}

/// Hears what happens, after it is in the ledger.
pub trait Observer {
    fn on(&self, event: RunEvent<'_>);
}

/// What can happen.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// A job's state, status or task changed.
    Moved(&'a JobRecord),
    /// A job was asked about and stands where it stood.
    Asked(&'a JobRecord),
    /// A job could not be sent or asked about for now; it will be tried again after so long.
    Held { reason: &'a str, wait: Duration },
    /// Our clock and the server's are far apart; ours is ahead by so much, or behind.
    ClocksDiffer { ahead: TimeDelta },
}

/// How far our clock may be from the server's. Due dates, ages and the time to settle hang on it.
pub const MAX_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Why a run could not go on. What happened to each job until then is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Ids(IntakeError),
    // The task id exists nowhere else: it must reach the screen.
    #[error("Mixpanel accepted job {job} as task `{task}`, and the ledger could not record it")]
    NotRecorded {
        job: JobId,
        task: TaskId,
        receipt: ReceiptState,
        source: Box<LedgerError>,
    },
}

/// Whether a task id that the ledger could not record is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptState {
    Kept,
    Lost,
}

impl Run<'_> {
    /// Keeps a task id beside the ledger, which could not record it.
    fn keep_receipt(&mut self, job: &JobId, task: &TaskId) -> ReceiptState {
        let now = self.clock.now();
        match self.ledger.record_receipt(job, task, now) {
            Ok(()) => ReceiptState::Kept,
            Err(error) => {
                tracing::error!(%job, %error, "no receipt could be kept");
                ReceiptState::Lost
            }
        }
    }

    /// Holds our clock against the server's, by what it said with its last answer.
    fn compare_clocks(&self, client: &Client) {
        let Some(theirs) = client.server_time() else {
            return;
        };
        let ahead = self.clock.now() - theirs;
        if ahead.abs() > MAX_SKEW {
            self.observer.on(RunEvent::ClocksDiffer { ahead });
        }
    }

    /// Records what the last answer showed about the client's token. It is a help for later
    /// commands: where it cannot be recorded, nothing is kept from going on.
    fn record_standing(&mut self, client: &Client) {
        let (token, api_url) = (client.token(), client.api_url());
        let recorded = match client.token_standing() {
            None => Ok(()),
            Some(TokenStanding::Accepted) => self.ledger.record_accepted(token, api_url),
            Some(TokenStanding::Rejected) => {
                let now = self.clock.now();
                self.ledger.record_rejected(token, api_url, now)
            }
        };
        if let Err(error) = recorded {
            tracing::warn!(%error, "the token's standing is not recorded");
        }
    }

    /// Takes ids out of a job that are in other tasks already.
    fn record_linked(&mut self, job: &JobId, groups: &[Linked]) -> Result<(), LedgerError> {
        let now = self.clock.now();
        self.ledger.record_linked(job, groups, now)?;
        let linked = groups
            .iter()
            .filter(|group| matches!(group.to, LinkTo::Task(_)));
        self.tally.linked += linked.count();
        Ok(())
    }

    /// Counts what became of a job that was just sent.
    fn count(&mut self, purpose: Purpose, after: &JobRecord) {
        let count = match purpose {
            Purpose::Submit => &mut self.tally.sent,
            Purpose::Settle => &mut self.tally.settled,
        };
        *count += usize::from(after.state.is_followed() && !after.is_linked);
    }

    /// Waits on the monotonic clock; returns early if the operator interrupts.
    async fn sleep(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = self.interrupt.raised() => {}
        }
    }

    /// The job as it stands in the ledger now.
    fn job(&self, id: &JobId) -> Result<JobRecord, LedgerError> {
        self.ledger.find_job(id)
    }
}
