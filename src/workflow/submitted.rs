//! What came of a submission: how the jobs stand, what stopped it, and what is left to do.

use crate::domain::{ExitStatus, JobState};
use crate::ledger::{JobGroup, RequestRecord};

use super::Signal;
use super::verdict::Stop;
use super::waiting::{Settles, Waiting};

/// What came of a submission. The requests are as the ledger has them now.
#[derive(Debug)]
pub struct SubmitReport {
    pub requests: Vec<RequestRecord>,
    pub stops: Vec<Stop>,
    /// The unsent jobs that wait for other requests.
    pub waiting: Vec<Waiting>,
    pub settling: Settles,
    pub tally: RunTally,
    pub signal: Option<Signal>,
}

/// How many jobs this run moved on, whatever was done to the same requests before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Sent and accepted.
    pub sent: usize,
    /// Of unknown outcome until their task was found or made.
    pub settled: usize,
    /// Not sent: their ids are in tasks that were not made for them.
    pub linked: usize,
}

impl SubmitReport {
    /// The status of the whole run, by the jobs' states and what stopped it.
    pub fn exit_status(&self) -> ExitStatus {
        let signal = self.signal.map(Signal::exit_status);
        let stops = self.stops.iter().map(|stop| match stop {
            Stop::NotAllowed { .. } => ExitStatus::Auth,
            Stop::Unreachable { .. } | Stop::RateLimited | Stop::Unclear { .. } => {
                ExitStatus::Temporary
            }
            Stop::NoProject => ExitStatus::Usage,
            Stop::Contradiction => ExitStatus::Refused,
        });
        let groups = self.requests.iter().flat_map(|request| &request.groups);
        // What is on its way or with Mixpanel now is no trouble of this run.
        let is_left =
            |group: &&JobGroup| group.state != JobState::Sending && !group.state.is_followed();
        let states = groups.filter(is_left).map(standing);
        ExitStatus::most_pressing(signal.into_iter().chain(stops).chain(states))
    }
}

/// How jobs stand, as a status for scripts.
pub fn standing(group: &JobGroup) -> ExitStatus {
    match group.state {
        JobState::Failed | JobState::Revoked | JobState::Refused if group.is_lost() => {
            ExitStatus::Unknown
        }
        // The operator gave up on it: nothing more is to be done.
        JobState::Unknown if group.is_abandoned => ExitStatus::Done,
        JobState::Unknown => ExitStatus::Unknown,
        JobState::Failed | JobState::Revoked => ExitStatus::Failed,
        JobState::Refused => ExitStatus::Refused,
        JobState::Planned | JobState::Deferred => ExitStatus::Temporary,
        JobState::Accepted | JobState::Running if group.is_not_found() => ExitStatus::Failed,
        JobState::Sending | JobState::Accepted | JobState::Running => ExitStatus::Running,
        JobState::Done => ExitStatus::Done,
    }
}
