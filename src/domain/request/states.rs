use serde::Serialize;

use crate::domain::Heard;
use crate::domain::words;

/// The state of one job: `planned → sending → accepted → running → done`; the others are side
/// exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Nothing of it has been sent.
    Planned,
    /// A POST may be in progress in a running dsr.
    Sending,
    /// Mixpanel returned a task id.
    Accepted,
    /// Mixpanel has started it; a deletion can no longer be cancelled.
    Running,
    /// Mixpanel reports success.
    Done,
    /// Mixpanel refused the POST; nothing was created.
    Refused,
    /// Mixpanel's rate limit rejected it; nothing was created, and dsr sends it later.
    Deferred,
    /// It was or may have been sent, and no readable answer came.
    Unknown,
    /// Mixpanel reports failure.
    Failed,
    Revoked,
}

words!(JobState {
    Planned => "planned",
    Sending => "sending",
    Accepted => "accepted",
    Running => "running",
    Done => "done",
    Refused => "refused",
    Deferred => "deferred",
    Unknown => "unknown",
    Failed => "failed",
    Revoked => "revoked",
});

impl JobState {
    /// The only way from state to state. Staying is not a step.
    ///
    /// `sending` returns to `planned` only on proof that nothing was created, for a reason outside
    /// the job: no connection was made, or Mixpanel refused the token (401, 403). `unknown` never
    /// becomes `planned` or `refused`. A job that was never sent becomes `accepted` only by a link
    /// to a task with the same ids. It becomes `revoked` only if the operator cancels it. Every job
    /// that is not final becomes `unknown` if Mixpanel contradicts itself, or an earlier POST is in
    /// doubt ([`super::Doubt`]).
    pub fn may_become(self, next: Self) -> bool {
        use JobState::{
            Accepted, Deferred, Done, Failed, Planned, Refused, Revoked, Running, Sending, Unknown,
        };
        match self {
            Planned | Deferred => matches!(next, Sending | Accepted | Revoked | Unknown),
            Sending => matches!(next, Planned | Accepted | Refused | Deferred | Unknown),
            Unknown => matches!(next, Sending | Accepted),
            Accepted => matches!(next, Running | Done | Failed | Revoked | Unknown),
            Running => matches!(next, Done | Failed | Revoked | Unknown),
            Done | Refused | Failed | Revoked => false,
        }
    }

    /// Nothing more will happen to it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Done | Self::Refused | Self::Failed | Self::Revoked => true,
            Self::Planned
            | Self::Sending
            | Self::Accepted
            | Self::Running
            | Self::Deferred
            | Self::Unknown => false,
        }
    }

    /// Mixpanel has an open task for it.
    pub fn is_followed(self) -> bool {
        matches!(self, Self::Accepted | Self::Running)
    }

    /// dsr may send it without asking anyone.
    pub fn is_sendable(self) -> bool {
        matches!(self, Self::Planned | Self::Deferred)
    }
}

/// The state of a request: that of the job that most needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RequestState(JobState);

impl RequestState {
    /// From most to least pressing.
    pub const PRESSING: [JobState; 10] = [
        JobState::Unknown,
        JobState::Sending,
        JobState::Deferred,
        JobState::Planned,
        JobState::Running,
        JobState::Accepted,
        JobState::Failed,
        JobState::Refused,
        JobState::Revoked,
        JobState::Done,
    ];

    /// `None` only for a request without jobs, which cannot exist.
    pub fn of(jobs: impl IntoIterator<Item = JobState>) -> Option<Self> {
        let rank = |state: &JobState| Self::PRESSING.iter().position(|s| s == state);
        jobs.into_iter().min_by_key(rank).map(Self)
    }

    pub fn as_str(self) -> &'static str {
        self.0.as_str()
    }

    /// The state of the most pressing job.
    pub fn job_state(self) -> JobState {
        self.0
    }

    /// At least one job is not final.
    pub fn is_open(self) -> bool {
        !self.0.is_final()
    }
}

/// Mixpanel's own word for a task. Compared without case, space, `-`, `_`.
///
/// Source: Mixpanel's GDPR API reference, "status".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskStatus {
    Pending,
    Staging,
    Started,
    Success,
    Failure,
    Revoked,
    NotFound,
    /// Mixpanel could not look it up; says nothing about the task.
    Unknown,
    /// A word that dsr does not know, as far as it may be shown; not final.
    Other(String),
}

impl TaskStatus {
    pub fn parse(text: &str) -> Self {
        let folded: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-' && *c != '_')
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match folded.as_str() {
            "pending" => Self::Pending,
            "staging" => Self::Staging,
            "started" => Self::Started,
            "success" => Self::Success,
            "failure" => Self::Failure,
            "revoked" => Self::Revoked,
            "notfound" => Self::NotFound,
            "unknown" => Self::Unknown,
            _ => Self::Other(text.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Staging => "STAGING",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Revoked => "REVOKED",
            Self::NotFound => "NOT_FOUND",
            Self::Unknown => "UNKNOWN",
            Self::Other(text) => text,
        }
    }

    /// Whether the status says anything of the task.
    pub fn heard(&self) -> Heard {
        match self {
            Self::NotFound | Self::Unknown => Heard::Nothing,
            Self::Pending
            | Self::Staging
            | Self::Started
            | Self::Success
            | Self::Failure
            | Self::Revoked
            | Self::Other(_) => Heard::Standing,
        }
    }

    /// Mixpanel has the task and has certainly not finished it.
    pub fn is_active(&self) -> bool {
        match self {
            Self::Pending | Self::Staging | Self::Started => true,
            Self::Success
            | Self::Failure
            | Self::Revoked
            | Self::NotFound
            | Self::Unknown
            | Self::Other(_) => false,
        }
    }

    /// Mixpanel has finished the task, in one way or another.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Revoked)
    }

    /// The job's state, if the status shows one.
    pub fn job_state(&self) -> Option<JobState> {
        match self {
            Self::Started => Some(JobState::Running),
            Self::Success => Some(JobState::Done),
            Self::Failure => Some(JobState::Failed),
            Self::Revoked => Some(JobState::Revoked),
            Self::Pending | Self::Staging | Self::NotFound | Self::Unknown | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_sent_never_returns_to_planned() {
        for state in JobState::ALL {
            let returns = state.may_become(JobState::Planned);
            assert_eq!(returns, state == JobState::Sending, "{state:?}");
        }
        assert!(!JobState::Unknown.may_become(JobState::Refused));
    }

    #[test]
    fn a_final_state_is_left_by_no_step() {
        for state in JobState::ALL.into_iter().filter(|s| s.is_final()) {
            assert!(
                JobState::ALL
                    .into_iter()
                    .all(|next| !state.may_become(next))
            );
        }
    }

    #[test]
    fn each_state_has_a_word_of_its_own() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn one_unknown_job_makes_the_request_unknown() {
        let jobs = [JobState::Done, JobState::Unknown, JobState::Planned];
        assert_eq!(RequestState::of(jobs).unwrap().as_str(), "unknown");
        assert!(RequestState::of([]).is_none());
    }

    #[test]
    fn a_request_is_closed_when_each_job_is_final() {
        let of = |jobs: &[JobState]| RequestState::of(jobs.iter().copied()).unwrap();
        assert!(!of(&[JobState::Done, JobState::Refused]).is_open());
        assert!(of(&[JobState::Done, JobState::Accepted]).is_open());
        assert_eq!(of(&[JobState::Done, JobState::Refused]).as_str(), "refused");
    }

    #[test]
    fn statuses_are_read_without_regard_to_case_and_separators() {
        for text in ["NOT_FOUND", "not found", "Not-Found", "NotFound"] {
            assert_eq!(TaskStatus::parse(text), TaskStatus::NotFound);
        }
        let odd = TaskStatus::parse("Half Done");
        assert_eq!(odd.as_str(), "Half Done");
        assert_eq!(odd.job_state(), None);
    }
}
