//! Submits, follows and cancels: Mixpanel's API and the ledger together. Prints nothing. The ledger
//! records every step before an observer hears of it. Every function fails if the ledger does;
//! `# Errors` sections name other causes.

mod fetch;
mod follow;
mod import;
mod people;
mod plan;
mod request;
mod submit;

mod interrupt;
mod new_file;

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::{Clock, JobId, ProjectKey, TaskId};
use crate::intake::IntakeError;
use crate::ledger::{JobRecord, Ledger, LedgerError, LinkTo, Linked, Purpose};
use crate::mixpanel::{Client, TokenStanding};

pub use fetch::download::{OnBytes, download, list_untried};
pub use fetch::fetched::{
    DownloadError, DownloadOutcome, DownloadReport, Fetching, LinkAge, Look, Loss, Refetch, Untried,
};
pub use fetch::split::{
    FetchedJob, SplitOutcome, SplitTrouble, Splitting, find_split, list_drafts, split,
};
pub use follow::check::{Difference, FollowedJob, NoAnswer, RefreshTrouble, apart};
pub use follow::poll::{PollExtent, refresh, wait};
pub use follow::probe::{Probe, Probed, probe};
pub use import::{
    BatchSource, EventSource, ImportError, ImportObserver, ImportReport, ImportRun, ImportStop,
    ProfileSource, UNCOUNTED, import, import_lane, profiles_lane,
};
pub use interrupt::{GRACE, Interrupt, Signal};
pub use new_file::{NewFile, NewFileError, PlacedFile};
pub use people::expiry::{Expired, Expiry, ExpiryCounts, ExpiryRule, find_expired};
pub use people::export::{ExportError, search_export};
pub use people::holders::{QueriedValues, ValueBatches, find_holders, find_joined_profiles};
pub use people::known::KnownIds;
pub use people::lookup::{AnsweredLine, ListedAs, ListedId, LookedUp, Lookup, LookupAnswer};
pub use people::profiles::{
    Preflight, PreflightError, check_account, count_queries, find_profiles, list_copies,
};
pub use people::queries::{Queries, QueryCourse, QueryError, QueryWait};
pub use people::recollected::{Arrivals, Recollected, Search, SeenEvent};
pub use people::suppressed::{Deletions, HashShare, HeldIds, Suppressed, SuppressedIndex};
pub use people::verify::{
    ErasureFindings, ErasureSearch, Examined, ExportGap, FoundPerson, MissingDays, Remains,
    Searched,
};
pub use plan::plan_file::{Outdated, PlanningError, check_fit, restore_plan, write_plan};
pub use plan::ready::{Earlier, NotReady, Plan, ReadyPlan, RequestTerms};
pub use request::answer::{AnswerError, record_answer};
pub use request::cancel::{
    CancelOutcome, CancelReport, Strangers, cancel, list_cancellable, list_strangers,
    list_taken_along,
};
pub use request::evidence::{audit_fact, job_facts, period_facts, request_facts, row_facts};
pub use request::extend::{ExtendError, extend};
pub use submit::queue::Settle;
pub use submit::run::{record, submit};
pub use submit::settle::{Adopted, adopt};
pub use submit::submitted::{RunTally, SubmitReport, standing};
pub use submit::verdict::Stop;
pub use submit::waiting::{Settles, Waiting, list_seen_waiting};

/// What every step of a run needs.
pub struct Run<'a> {
    pub ledger: &'a mut Ledger,
    pub clients: &'a HashMap<ProjectKey, Client>,
    pub clock: &'a dyn Clock,
    pub interrupt: &'a Interrupt,
    pub observer: &'a dyn Observer,
    pub tally: RunTally,
}

/// Hears of an event once the ledger has it.
pub trait Observer {
    fn on(&self, event: RunEvent<'_>);
}

/// What an observer hears of.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// A job's state, status or task changed.
    Moved(&'a JobRecord),
    /// dsr asked about a job, and its state did not change.
    Asked(&'a JobRecord),
    /// A job cannot be sent or checked for now; dsr tries again after `wait`.
    Held { reason: &'a str, wait: Duration },
    /// Our clock and the server's differ too much; negative if ours is behind.
    ClocksDiffer { ahead: TimeDelta },
}

/// The largest allowed difference of the two clocks. Due dates, ages and settling depend on ours.
pub const MAX_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Why a run stopped. The ledger has what happened to each job until then.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Ids(IntakeError),
    // The task id exists nowhere else, so the screen must show it.
    #[error("Mixpanel accepted job {job} as task `{task}`, and the ledger could not record it")]
    NotRecorded {
        job: JobId,
        task: TaskId,
        receipt: ReceiptState,
        source: Box<LedgerError>,
    },
}

/// Whether a receipt keeps a task id that the ledger could not record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptState {
    Kept,
    Lost,
}

impl Run<'_> {
    /// Keeps a task id in a file beside the ledger.
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

    /// Compares our clock with the time in the server's last answer.
    fn compare_clocks(&self, client: &Client) {
        let Some(theirs) = client.server_time() else {
            return;
        };
        let ahead = self.clock.now() - theirs;
        if ahead.abs() > MAX_SKEW {
            self.observer.on(RunEvent::ClocksDiffer { ahead });
        }
    }

    /// Records whether Mixpanel accepts the token. Only a help for later commands, so a failure is
    /// ignored.
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

    /// Moves ids that other tasks already have out of a job.
    fn record_linked(&mut self, job: &JobId, groups: &[Linked]) -> Result<(), LedgerError> {
        let now = self.clock.now();
        self.ledger.record_linked(job, groups, now)?;
        let linked = groups
            .iter()
            .filter(|group| matches!(group.to, LinkTo::Task(_)));
        self.tally.linked += linked.count();
        Ok(())
    }

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

    fn job(&self, id: &JobId) -> Result<JobRecord, LedgerError> {
        self.ledger.find_job(id)
    }
}
