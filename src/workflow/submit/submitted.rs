//! The result of a submission: the jobs' states, what stopped it, and what is left to do.

use crate::domain::{ExitStatus, JobState};
use crate::ledger::{JobGroup, RequestRecord};

use super::verdict::Stop;
use super::waiting::{Settles, Waiting};
use crate::workflow::Signal;

/// The result of a submission. The requests are as the ledger has them now.
#[derive(Debug)]
pub struct SubmitReport {
    pub requests: Vec<RequestRecord>,
    pub stops: Vec<Stop>,
    pub waiting: Vec<Waiting>,
    pub settling: Settles,
    pub tally: RunTally,
    pub signal: Option<Signal>,
}

/// How many jobs this run changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Sent and accepted.
    pub sent: usize,
    /// Unknown jobs whose task was found or created.
    pub settled: usize,
    /// Not sent, because other tasks already have the ids.
    pub linked: usize,
}

impl SubmitReport {
    /// The exit status of the run, by the jobs' states and what stopped it.
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
        // Jobs being sent or open at Mixpanel are no trouble of this run.
        let is_left =
            |group: &&JobGroup| group.state != JobState::Sending && !group.state.is_followed();
        let states = groups.filter(is_left).map(standing);
        ExitStatus::most_pressing(signal.into_iter().chain(stops).chain(states))
    }
}

/// The exit status for the state of some jobs.
pub fn standing(group: &JobGroup) -> ExitStatus {
    match group.state {
        JobState::Failed | JobState::Revoked | JobState::Refused if group.is_lost() => {
            ExitStatus::Unknown
        }
        // The operator abandoned the job: nothing is left to do.
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
