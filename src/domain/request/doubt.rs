use crate::domain::JobState;

/// Whether an earlier POST with an unknown outcome may have been carried out. The job's state
/// describes the last POST only.
///
/// Doubt never goes away: later answers, cancellations or splits say nothing about an earlier POST.
/// Only the task of that POST settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    None,
    /// An earlier POST of the same ids was sent, and its task is unknown.
    EarlierAttempt,
}

/// Whether Mixpanel carried out a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedOut {
    Yes,
    UnderWay,
    Possibly,
    No,
}

impl Doubt {
    pub fn of(may_be_double: bool) -> Self {
        match may_be_double {
            true => Self::EarlierAttempt,
            false => Self::None,
        }
    }

    pub fn is_there(self) -> bool {
        self == Self::EarlierAttempt
    }

    /// The state that a step to `next` really leads to. "Nothing was carried out" holds for the
    /// last POST alone: if an earlier POST is in doubt, the job becomes unknown.
    pub fn leads_to(self, next: JobState) -> JobState {
        match (self, next) {
            (Self::EarlierAttempt, JobState::Refused | JobState::Failed | JobState::Revoked) => {
                JobState::Unknown
            }
            (Self::None | Self::EarlierAttempt, next) => next,
        }
    }

    /// Whether the people of a job in this state were affected.
    pub fn carried_out(self, state: JobState) -> CarriedOut {
        match (state, self) {
            (JobState::Done, _) => CarriedOut::Yes,
            (JobState::Accepted | JobState::Running, _) => CarriedOut::UnderWay,
            // A POST in progress has no answer yet.
            (JobState::Sending | JobState::Unknown, _) => CarriedOut::Possibly,
            (
                JobState::Planned
                | JobState::Deferred
                | JobState::Refused
                | JobState::Failed
                | JobState::Revoked,
                Self::EarlierAttempt,
            ) => CarriedOut::Possibly,
            (
                JobState::Planned
                | JobState::Deferred
                | JobState::Refused
                | JobState::Failed
                | JobState::Revoked,
                Self::None,
            ) => CarriedOut::No,
        }
    }
}

impl CarriedOut {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::UnderWay => "under_way",
            Self::Possibly => "possibly",
            Self::No => "no",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_of_a_job_in_doubt_says_that_nothing_was_carried_out() {
        for next in JobState::ALL {
            let led_to = Doubt::EarlierAttempt.leads_to(next);
            assert_ne!(Doubt::EarlierAttempt.carried_out(next), CarriedOut::No);
            assert!(led_to == next || led_to == JobState::Unknown, "{next:?}");
            assert!(!led_to.is_final() || led_to == JobState::Done, "{next:?}");
            assert_eq!(Doubt::None.leads_to(next), next);
        }
    }

    #[test]
    fn without_doubt_a_state_says_what_it_says() {
        let said = JobState::ALL.map(|state| Doubt::None.carried_out(state).as_str());
        assert_eq!(
            said,
            [
                "no",
                "possibly",
                "under_way",
                "under_way",
                "yes",
                "no",
                "no",
                "possibly",
                "no",
                "no"
            ]
        );
    }
}
