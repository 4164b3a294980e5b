//! The time of an anonymous event.

use std::borrow::Cow;

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
/// Digits of the shortest exact time of this century, as Unix seconds.
const FEWEST_DIGITS: usize = 10;
/// Characters of `2026-11-20T12:30`.
const MINUTE_CHARS: usize = 16;

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

    /// Adds the times in a text, such as `1700000000` or `2026-11-20 12:30`, that are finer than this
    /// step, in seconds by the project's clock.
    pub(crate) fn add_finer(self, text: &str, zone: ProjectZone, times: &mut Vec<i64>) {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        if self == Self::Exact || digits(text) < FEWEST_DIGITS {
            return;
        }
        let is_part = |c: char| c.is_ascii_digit() || "-:.+TZ".contains(c);
        let words: Vec<&str> = text.split(|c| !is_part(c)).collect();
        let pairs = words.windows(2).map(|pair| pair.join(" "));
        let words = words.iter().copied().map(Cow::Borrowed);
        let all = words.chain(pairs.map(Cow::Owned));
        for word in all.filter(|word| digits(word) >= FEWEST_DIGITS) {
            let word = word.trim_matches(['-', ':', '.', '+', 'T']);
            let time = event_time(word, zone).or_else(|| {
                // Without seconds.
                let (minute, rest) = word.split_at_checked(MINUTE_CHARS)?;
                event_time(&[minute, ":00", rest].concat(), zone)
            });
            times.extend(time.filter(|time| time.rem_euclid(self.seconds()) != 0));
        }
    }
}

impl EventMoment {
    /// Whether a time by the project's clock is at most a day away: clocks differ by hours.
    pub(crate) fn is_near(self, time: i64) -> bool {
        (time - self.shown).abs() <= DAY
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
        let undone = |step: TimeStep, value| {
            let mut times = Vec::new();
            step.add_finer(value, zone, &mut times);
            times.into_iter().any(|time| moment.is_near(time))
        };
        assert!(undone(TimeStep::Day, "1700000123"));
        assert!(undone(TimeStep::Hour, "1700000123456"));
        assert!(undone(TimeStep::Day, "2023-11-14T22:00:00Z"));
        assert!(undone(TimeStep::Day, "2023-11-14T22:00Z"));
        assert!(undone(TimeStep::Day, "on 2023-11-14 22:05, at home"));
        assert!(undone(TimeStep::Hour, "2023-11-14T23:05+01:00"));
        assert!(!undone(TimeStep::Day, "2023-11-14"));
        assert!(!undone(TimeStep::Hour, "2023-11-14T22:00:00Z"));
        assert!(!undone(TimeStep::Day, "1600000123"));
        assert!(!undone(TimeStep::Exact, "1700000123"));
        assert!(!undone(TimeStep::Day, "1700 things"));
    }
}
