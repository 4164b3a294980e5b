//! The outcome of a request, and whether the person was answered in time.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::timestamp::time_or_none;
use crate::domain::words;

/// The outcome of a request, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Everything was carried out, on all ids.
    Whole,
    /// Some of it was; the rest never will be: refused, failed, revoked, excluded or given up.
    Part,
    /// Certainly none of it was.
    NotCarriedOut,
    /// The operator abandoned it, and the outcome is unknown.
    Unknown,
    /// Not finished: to be sent, of unknown outcome, running, or not fetched.
    Open,
}

/// Where the ids of a request are. Each unique id counts in exactly one field from `carried_out` to
/// `open`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IdCounts {
    pub read: usize,
    pub unique: usize,
    pub duplicates: usize,
    /// Left out by the operator; not among the unique ids.
    pub excluded: usize,
    /// Mixpanel reports success and, for an export, the archive was fetched.
    pub carried_out: usize,
    /// Mixpanel has finished the export, but dsr has not fetched it.
    pub not_fetched: usize,
    pub refused: usize,
    pub failed: usize,
    pub revoked: usize,
    /// Of unknown outcome; the operator abandoned them.
    pub given_up: usize,
    /// Not finished: to be sent, of unknown outcome, or with Mixpanel.
    pub open: usize,
    /// The open ids of unknown outcome.
    pub unsettled: usize,
    /// The ids, among all of these, in tasks made for other requests.
    pub linked: usize,
}

/// The day of the answer, compared with the due date. Does not depend on today: a report of the
/// same facts is the same every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    InTime,
    Late,
    NoAnswer,
    /// The answer is dated before the receipt. dsr never records that: somebody changed the ledger.
    DatesContradict,
}

/// The outcome of a request, and when the person was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub nature: Nature,
    /// The day of the answer, as the operator recorded it.
    pub day: Option<NaiveDate>,
    /// Days from receipt to answer; `None` if the dates contradict each other.
    pub days: Option<i64>,
    pub timing: Timing,
    /// How the person was answered, in the operator's words.
    pub manner: Option<String>,
    /// When the last job was carried out or ended; `None` while the request is open.
    #[serde(serialize_with = "time_or_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Mixpanel has finished every job, and only the fetching is left.
    #[serde(skip)]
    pub(super) only_to_fetch: bool,
}

/// The answer to the person, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub day: NaiveDate,
    pub manner: Option<String>,
}

impl Answer {
    /// `ended_at` is when the last job ended or was fetched.
    pub fn of(
        ids: &IdCounts,
        received: NaiveDate,
        due: NaiveDate,
        ended_at: Option<DateTime<Utc>>,
        told: Option<Told>,
    ) -> Self {
        let nature = Nature::of(ids);
        let day = told.as_ref().map(|told| told.day);
        Self {
            nature,
            day,
            days: day
                .map(|day| (day - received).num_days())
                .filter(|days| *days >= 0),
            timing: match day {
                Some(day) if day < received => Timing::DatesContradict,
                Some(day) if day <= due => Timing::InTime,
                Some(_) => Timing::Late,
                None => Timing::NoAnswer,
            },
            manner: told.and_then(|told| told.manner),
            ended_at: ended_at.filter(|_| nature != Nature::Open),
            only_to_fetch: ids.open == 0 && ids.not_fetched > 0,
        }
    }

    /// The nature, or what is left to do of an open request that Mixpanel has finished.
    pub(super) fn nature_words(&self) -> &'static str {
        match self.only_to_fetch {
            true => "Finished, not fetched",
            false => self.nature.words(),
        }
    }

    /// For example `carried out in whole, answer not recorded`.
    pub(super) fn words(&self) -> String {
        let nature = self.nature_words();
        let then = if self.only_to_fetch { ";" } else { "," };
        match (self.nature, self.timing) {
            (Nature::Open, Timing::NoAnswer) => nature.to_owned(),
            (_, Timing::NoAnswer | Timing::DatesContradict) => {
                format!("{nature}{then} {}", self.timing.words())
            }
            (_, timing) => format!("{nature}{then} answered {}", timing.words()),
        }
    }
}

words!(Nature {
    Whole => "whole",
    Part => "part",
    NotCarriedOut => "not_carried_out",
    Unknown => "unknown",
    Open => "open",
});

impl Nature {
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

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Whole => "Carried out in whole",
            Self::Part => "Carried out in part",
            Self::NotCarriedOut => "Not carried out",
            Self::Unknown => "Unknown",
            Self::Open => "Open",
        }
    }
}

words!(Timing {
    InTime => "in_time",
    Late => "late",
    NoAnswer => "no_answer",
    DatesContradict => "dates_contradict",
});

impl Timing {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::InTime => "in time",
            Self::Late => "late",
            Self::NoAnswer => "answer not recorded",
            Self::DatesContradict => "the dates contradict each other",
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
    fn an_unknown_outcome_never_counts_as_carried_out() {
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
    fn a_finished_export_that_is_not_fetched_is_not_called_open() {
        let ids = IdCounts {
            not_fetched: 1,
            ..ids(0)
        };
        let (received, due) = (day("2026-03-01"), day("2026-04-01"));
        let told = Told {
            day: day("2026-04-02"),
            manner: None,
        };
        let late = Answer::of(&ids, received, due, None, Some(told.clone()));
        assert_eq!(late.words(), "Finished, not fetched; answered late");
        let waits = IdCounts { open: 1, ..ids };
        let open = Answer::of(&waits, received, due, None, Some(told));
        assert_eq!(open.words(), "Open, answered late");
    }

    #[test]
    fn excluded_or_refused_ids_make_it_a_part() {
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
        let ended = Some("2028-02-01T10:00:00Z".parse().unwrap());
        let answer = |ids: &IdCounts, told: Option<&str>| {
            let manner = None;
            let told = told.map(|on| Told {
                day: day(on),
                manner,
            });
            let answer = Answer::of(ids, received, due, ended, told);
            (answer.timing, answer.days, answer.ended_at)
        };
        let in_time = answer(&ids(1), Some("2028-02-29"));
        assert_eq!(in_time, (Timing::InTime, Some(29), ended));
        let late = answer(&ids(1), Some("2028-03-01"));
        assert_eq!(late, (Timing::Late, Some(30), ended));
        let before = answer(&ids(1), Some("2028-01-30"));
        assert_eq!(before, (Timing::DatesContradict, None, ended));
        // That Mixpanel is done is not an answer to the person.
        assert_eq!(answer(&ids(1), None), (Timing::NoAnswer, None, ended));
        let open = IdCounts { open: 1, ..ids(1) };
        assert_eq!(answer(&open, None), (Timing::NoAnswer, None, None));
    }
}
