//! What a request was answered with, and whether in time.

use chrono::NaiveDate;
use serde::Serialize;

use super::facts::IdCounts;

/// What came of a request, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// All that was asked for was carried out, on all ids that were given.
    Whole,
    /// Some of it was, and the rest never will be: refused, failed, cancelled, excluded or given up.
    Part,
    /// None of it was, which is certain.
    NotCarriedOut,
    /// The operator gave up on it, and nobody knows what became of it.
    Unknown,
    /// Something is still to happen: to be sent, settled, ended by Mixpanel, or fetched.
    Open,
}

/// A date held against the last day to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    InTime,
    Late,
    /// It is open, and its last day is not over.
    NotDue,
    /// It is open, and its last day is over.
    Overdue,
    /// There was no answer, and none is waited for.
    NoAnswer,
}

/// How and when a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub nature: Nature,
    /// The operator's day on which the last of it was carried out, or ended. None while it is open.
    pub day: Option<NaiveDate>,
    /// From the day of receipt. Only of what was carried out, in whole or in part.
    pub days: Option<i64>,
    pub timing: Timing,
}

impl Answer {
    /// `ended` is the day on which the last of it ended, or was fetched.
    pub fn of(
        ids: &IdCounts,
        received: NaiveDate,
        due: NaiveDate,
        ended: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Self {
        let nature = Nature::of(ids);
        let day = ended.filter(|_| nature != Nature::Open);
        let timing = match (nature, day) {
            (Nature::Open, _) if today > due => Timing::Overdue,
            (Nature::Open, _) => Timing::NotDue,
            (Nature::Whole | Nature::Part, Some(day)) if day <= due => Timing::InTime,
            (Nature::Whole | Nature::Part, Some(_)) => Timing::Late,
            (Nature::Whole | Nature::Part, None) => Timing::NoAnswer,
            (Nature::NotCarriedOut | Nature::Unknown, _) => Timing::NoAnswer,
        };
        let days = match nature {
            Nature::Whole | Nature::Part => day.map(|day| (day - received).num_days()),
            Nature::NotCarriedOut | Nature::Unknown | Nature::Open => None,
        };
        Self {
            nature,
            day,
            days,
            timing,
        }
    }
}

impl Nature {
    pub const ALL: [Self; 5] = [
        Self::Whole,
        Self::Part,
        Self::NotCarriedOut,
        Self::Unknown,
        Self::Open,
    ];

    pub(super) fn of(ids: &IdCounts) -> Self {
        let ended_otherwise = ids.refused + ids.failed + ids.revoked;
        match (ids.open + ids.not_fetched, ids.carried_out, ids.given_up) {
            (1.., _, _) => Self::Open,
            (0, 0, 1..) => Self::Unknown,
            (0, 0, 0) => Self::NotCarriedOut,
            (0, _, given_up) if ended_otherwise + given_up + ids.excluded > 0 => Self::Part,
            (0, _, _) => Self::Whole,
        }
    }

    /// As JSON and CSV have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::NotCarriedOut => "not_carried_out",
            Self::Unknown => "unknown",
            Self::Open => "open",
        }
    }
}

impl Timing {
    pub const ALL: [Self; 5] = [
        Self::InTime,
        Self::Late,
        Self::NotDue,
        Self::Overdue,
        Self::NoAnswer,
    ];

    /// As JSON and CSV have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InTime => "in_time",
            Self::Late => "late",
            Self::NotDue => "not_due",
            Self::Overdue => "overdue",
            Self::NoAnswer => "no_answer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn ids(carried_out: usize) -> IdCounts {
        IdCounts {
            carried_out,
            ..IdCounts::default()
        }
    }

    #[test]
    fn what_nobody_knows_is_never_taken_for_carried_out() {
        let given_up = |carried_out| IdCounts {
            given_up: 1,
            ..ids(carried_out)
        };
        assert_eq!(Nature::of(&given_up(0)), Nature::Unknown);
        assert_eq!(Nature::of(&given_up(9)), Nature::Part);
        let refused_too = IdCounts {
            refused: 5,
            ..given_up(0)
        };
        assert_eq!(Nature::of(&refused_too), Nature::Unknown);
    }

    #[test]
    fn one_id_that_waits_keeps_the_request_open() {
        for ids in [
            IdCounts { open: 1, ..ids(9) },
            IdCounts {
                not_fetched: 1,
                ..ids(9)
            },
        ] {
            assert_eq!(Nature::of(&ids), Nature::Open);
        }
    }

    #[test]
    fn whatever_was_left_out_makes_it_a_part() {
        assert_eq!(Nature::of(&ids(9)), Nature::Whole);
        let some = |change: fn(&mut IdCounts)| {
            let mut ids = ids(9);
            change(&mut ids);
            Nature::of(&ids)
        };
        assert_eq!(some(|ids| ids.excluded = 1), Nature::Part);
        assert_eq!(some(|ids| ids.refused = 1), Nature::Part);
        assert_eq!(some(|ids| ids.failed = 1), Nature::Part);
        assert_eq!(some(|ids| ids.revoked = 1), Nature::Part);
        let refused = IdCounts {
            refused: 9,
            ..ids(0)
        };
        assert_eq!(Nature::of(&refused), Nature::NotCarriedOut);
    }

    #[test]
    fn the_last_day_is_in_time_and_the_next_one_late() {
        let (received, due) = (day("2028-01-31"), day("2028-02-29"));
        let answer =
            |ended, today| Answer::of(&ids(1), received, due, Some(day(ended)), day(today));
        let in_time = answer("2028-02-29", "2028-03-31");
        assert_eq!((in_time.timing, in_time.days), (Timing::InTime, Some(29)));
        let late = answer("2028-03-01", "2028-03-31");
        assert_eq!((late.timing, late.days), (Timing::Late, Some(30)));
        let open = IdCounts { open: 1, ..ids(1) };
        for (today, timing) in [
            ("2028-02-29", Timing::NotDue),
            ("2028-03-01", Timing::Overdue),
        ] {
            let answer = Answer::of(&open, received, due, Some(due), day(today));
            let expected = (timing, None, None);
            assert_eq!((answer.timing, answer.day, answer.days), expected);
        }
    }
}
