//! The time of an anonymous event.

use crate::domain::{ProjectZone, event_time, words};

/// How exact the times of events stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeStep {
    #[default]
    Exact,
    Hour,
    Day,
}

words!(TimeStep {
    Exact => "exact",
    Hour => "hour",
    Day => "day",
});

/// When an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventMoment {
    /// Seconds by the project's clock, before they are made coarse.
    pub(crate) shown: i64,
    /// The day by the project's clock, counted from 1 January 1970.
    pub(crate) day: i64,
    /// Unix seconds, in UTC, as the import expects them.
    pub(crate) utc: i64,
}

const DAY: i64 = 86_400;

impl TimeStep {
    fn seconds(self) -> i64 {
        match self {
            Self::Exact => 1,
            Self::Hour => 3_600,
            Self::Day => DAY,
        }
    }

    /// Reads the JSON of `time`, whose clock is the project's. `None` if it is not a time.
    pub(crate) fn moment(self, time: &str, zone: ProjectZone) -> Option<EventMoment> {
        let shown = event_time(time, zone)?;
        let coarse = shown - shown.rem_euclid(self.seconds());
        Some(EventMoment {
            shown,
            day: shown.div_euclid(DAY),
            utc: zone.moment(coarse)?.timestamp(),
        })
    }

    /// Whether a value, such as `1700000000` or `2026-11-20T12:30:00Z`, tells a time near `moment`
    /// that is finer than this step.
    pub(crate) fn is_undone_by(self, value: &str, moment: EventMoment, zone: ProjectZone) -> bool {
        if self == Self::Exact || !value.starts_with(['"', '1', '2']) {
            return false;
        }
        let told = event_time(value, zone);
        told.is_some_and(|told| {
            (told - moment.shown).abs() <= DAY && told.rem_euclid(self.seconds()) != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(step: TimeStep, time: &str, zone: &str) -> Option<i64> {
        let zone = ProjectZone::parse(zone).unwrap();
        step.moment(time, zone).map(|moment| moment.utc)
    }

    #[test]
    fn a_time_is_in_utc_and_as_coarse_as_asked() {
        // 2023-11-14T22:13:20
        for (step, zone, expected) in [
            (TimeStep::Exact, "UTC", 1_700_000_000),
            (TimeStep::Hour, "UTC", 1_699_999_200),
            (TimeStep::Day, "UTC", 1_699_920_000),
            (TimeStep::Exact, "Europe/Berlin", 1_700_000_000 - 3_600),
            (TimeStep::Day, "Europe/Berlin", 1_699_920_000 - 3_600),
            (TimeStep::Hour, "Asia/Kolkata", 1_699_999_200 - 19_800),
        ] {
            assert_eq!(
                utc(step, "1700000000", zone),
                Some(expected),
                "{step:?} {zone}"
            );
            assert_eq!(utc(step, "\"1700000000\"", zone), Some(expected));
            assert_eq!(utc(step, "1700000000123", zone), Some(expected));
        }
        for time in ["1e400", "null", "-5", "\"soon\"", "{}", "0"] {
            assert_eq!(utc(TimeStep::Exact, time, "UTC"), None, "{time}");
        }
    }

    #[test]
    fn a_finer_time_near_the_event_undoes_the_step() {
        let zone = ProjectZone::default();
        let moment = TimeStep::Day.moment("1700000000", zone).unwrap();
        let undone = |step: TimeStep, value| step.is_undone_by(value, moment, zone);
        assert!(undone(TimeStep::Day, "1700000123"));
        assert!(undone(TimeStep::Hour, "1700000123456"));
        assert!(undone(TimeStep::Day, "\"2023-11-14T22:00:00Z\""));
        assert!(!undone(TimeStep::Day, "\"2023-11-14\""));
        assert!(!undone(TimeStep::Hour, "\"2023-11-14T22:00:00Z\""));
        assert!(!undone(TimeStep::Day, "1600000123"));
        assert!(!undone(TimeStep::Exact, "1700000123"));
        assert!(!undone(TimeStep::Day, "\"1700 things\""));
    }
}
