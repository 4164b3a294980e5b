//! The sandbox's only access to the time. Wall-clock time, since processes compare it through
//! `server.db`. In microseconds, so that a caller that keeps the pace exactly is never early.

use chrono::{DateTime, Utc};

/// Microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox is a server of its own, with its own clock"
    )]
    pub(crate) fn now() -> Self {
        Self(Utc::now().timestamp_micros())
    }

    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    pub(crate) fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// `2026-01-02T03:04:05`: UTC without a zone, like Mixpanel's status replies.
    pub(crate) fn without_zone(self) -> String {
        self.date_time().format("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// `2026-01-02T03:04:05.678901`, like Mixpanel's list replies.
    pub(crate) fn with_micros(self) -> String {
        self.date_time().format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    }

    fn date_time(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

/// `seconds` in whole microseconds, rounded down.
pub(crate) fn micros(seconds: f64) -> i64 {
    // `as` saturates, and the start has refused NaN.
    (seconds * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_carry_no_zone() {
        let moment = Moment(1_767_323_045_678_901);
        assert_eq!(moment.without_zone(), "2026-01-02T03:04:05");
        assert_eq!(moment.with_micros(), "2026-01-02T03:04:05.678901");
    }
}
