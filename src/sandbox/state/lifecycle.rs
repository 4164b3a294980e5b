//! The state of a task over time: pure arithmetic on its stored times. Nothing moves a task; each
//! look computes its state. Must not read the clock.

use super::clock::Moment;

/// How long an export's link works, in microseconds.
pub(crate) const LINK_LIFETIME: i64 = 14 * 24 * 3600 * 1_000_000;

/// The statuses that the sandbox reports. No task fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Staging,
    Started,
    Success,
    Revoked,
    NotFound,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Staging => "STAGING",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
            Self::Revoked => "REVOKED",
            Self::NotFound => "NOT_FOUND",
        }
    }

    /// Whether a deletion in this status can be cancelled.
    pub(crate) fn can_cancel(self) -> bool {
        match self {
            Self::Pending | Self::Staging => true,
            Self::Started | Self::Success | Self::Revoked | Self::NotFound => false,
        }
    }
}

/// The times of one task, which give its state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) created: Moment,
    /// Microseconds from creation to SUCCESS.
    pub(crate) duration: i64,
    pub(crate) cancelled: Option<Moment>,
}

impl Times {
    pub(crate) fn status(&self, now: Moment) -> Status {
        if self.cancelled.is_some() {
            return Status::Revoked;
        }
        let elapsed = now.0.saturating_sub(self.created.0);
        // After a clock was set back, a task is before its creation: pending, even if it takes no
        // time.
        if elapsed < self.duration / 4 || elapsed < 0 {
            Status::Pending
        } else if elapsed < self.duration / 2 {
            Status::Staging
        } else if elapsed < self.duration {
            Status::Started
        } else {
            Status::Success
        }
    }

    /// When the task succeeds unless it is cancelled; then it is no longer active.
    pub(crate) fn completion(&self) -> Moment {
        self.created.plus(self.duration)
    }

    pub(crate) fn link_has_expired(&self, now: Moment) -> bool {
        now >= self.completion().plus(LINK_LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: Moment = Moment(1_000_000_000);

    fn times(duration: i64) -> Times {
        Times {
            created: CREATED,
            duration,
            cancelled: None,
        }
    }

    fn status_after(elapsed: i64) -> Status {
        times(4_000_000).status(CREATED.plus(elapsed))
    }

    #[test]
    fn each_status_begins_exactly_at_its_share_of_the_time() {
        assert_eq!(status_after(0), Status::Pending);
        assert_eq!(status_after(999_999), Status::Pending);
        assert_eq!(status_after(1_000_000), Status::Staging);
        assert_eq!(status_after(1_999_999), Status::Staging);
        assert_eq!(status_after(2_000_000), Status::Started);
        assert_eq!(status_after(3_999_999), Status::Started);
        assert_eq!(status_after(4_000_000), Status::Success);
        assert_eq!(status_after(i64::MAX / 2), Status::Success);
    }

    #[test]
    fn a_task_that_takes_no_time_is_done_at_once() {
        assert_eq!(times(0).status(CREATED), Status::Success);
    }

    #[test]
    fn a_clock_set_back_leaves_a_task_pending() {
        assert_eq!(status_after(-60_000_000), Status::Pending);
        assert_eq!(times(0).status(CREATED.plus(-1)), Status::Pending);
    }

    #[test]
    fn a_cancelled_task_stays_revoked_for_ever() {
        let times = Times {
            cancelled: Some(CREATED.plus(1)),
            ..times(4_000_000)
        };
        assert_eq!(times.status(CREATED.plus(2)), Status::Revoked);
        assert_eq!(times.status(CREATED.plus(9_000_000)), Status::Revoked);
    }

    #[test]
    fn only_what_has_not_started_can_be_cancelled() {
        assert!(Status::Pending.can_cancel() && Status::Staging.can_cancel());
        for status in [
            Status::Started,
            Status::Success,
            Status::Revoked,
            Status::NotFound,
        ] {
            assert!(!status.can_cancel(), "{status:?}");
        }
    }

    #[test]
    fn a_link_expires_fourteen_days_after_completion_not_creation() {
        let times = times(4_000_000);
        let end = CREATED.plus(4_000_000 + 14 * 86_400 * 1_000_000);
        assert!(!times.link_has_expired(end.plus(-1)));
        assert!(times.link_has_expired(end));
    }
}
