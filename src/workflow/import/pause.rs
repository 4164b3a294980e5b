//! How long to wait while Mixpanel cannot take events: 2 s, doubling to 60 s, with jitter (Mixpanel's
//! import reference), or what Mixpanel asks for if that is longer.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// The waits of one import.
pub(super) struct Pauses {
    growing: ExponentialBackoff,
    /// What is left of the time that the operator waits.
    left: Duration,
}

impl Pauses {
    pub(super) fn new(left: Duration) -> Self {
        Self {
            growing: growing(),
            left,
        }
    }

    /// The next batch begins with the shortest wait again.
    pub(super) fn begin(&mut self) {
        self.growing = growing();
    }

    /// How long to wait before the same batch is sent again.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let own = self.growing.next().unwrap_or(LONGEST);
        own.max(retry_after.unwrap_or_default())
    }

    /// Takes a wait from the time that is left; false if it is longer.
    pub(super) fn take(&mut self, wait: Duration) -> bool {
        let left = self.left.checked_sub(wait);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

fn growing() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_never_undercut_what_mixpanel_asks_for() {
        let mut pauses = Pauses::new(Duration::from_secs(100));
        let mut before = Duration::ZERO;
        for _ in 0..5 {
            let wait = pauses.next(None);
            assert!(wait >= SHORTEST && wait >= before / 2, "{wait:?}");
            before = wait;
        }
        for _ in 0..20 {
            assert!(pauses.next(None) >= SHORTEST);
        }
        let asked = Duration::from_secs(500);
        assert_eq!(pauses.next(Some(asked)), asked);
        pauses.begin();
        assert!(pauses.next(None) <= SHORTEST * 2);
        assert!(!pauses.take(asked));
        assert!(pauses.take(Duration::from_secs(60)));
        assert!(!pauses.take(Duration::from_secs(60)));
        assert!(pauses.take(Duration::from_secs(40)));
    }
}
