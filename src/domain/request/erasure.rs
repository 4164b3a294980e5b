use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::words;
use crate::domain::{CarriedOut, Doubt, JobState};

/// Whether a deletion erased its people. Everyone with a value here must not be tracked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Erasure {
    /// Mixpanel reports success.
    Done,
    /// Mixpanel accepted it; it is not done.
    UnderWay,
    /// It was or may have been sent, and no readable answer came.
    Unknown,
}

words!(Erasure {
    Done => "done",
    UnderWay => "under_way",
    Unknown => "unknown",
});

impl Erasure {
    /// What the state of a deletion's job means for its people. `None` if nothing is erased: not
    /// sent, refused, failed or cancelled.
    pub fn of(state: JobState, doubt: Doubt) -> Option<Self> {
        match doubt.carried_out(state) {
            CarriedOut::Yes => Some(Self::Done),
            CarriedOut::UnderWay => Some(Self::UnderWay),
            CarriedOut::Possibly => Some(Self::Unknown),
            CarriedOut::No => None,
        }
    }
}

/// When a deletion ran, as far as dsr saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasurePeriod {
    pub begun: DateTime<Utc>,
    /// When dsr heard that it was done; the deletion may have ended earlier. `None` if dsr never
    /// heard so.
    pub done: Option<DateTime<Utc>>,
}

impl ErasurePeriod {
    /// Whether an event of this time (Unix seconds) is from before the deletion was sent.
    pub fn covers(self, time: i64) -> bool {
        time <= self.begun.timestamp()
    }
}

/// When an event came, compared with the deletions of its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arrival {
    /// After a deletion was done: the person's data is back.
    After,
    /// While a deletion was in progress. Mixpanel does not say whether it erases such an event.
    During,
    /// Before a deletion was sent, so the deletion covers the event.
    Before,
    Undated,
}

impl Arrival {
    /// Judges the time of an event, in Unix seconds, against the deletions of its person.
    ///
    /// A deletion that is done covers every event before it was sent, whatever the other deletions
    /// did.
    pub fn of(time: Option<i64>, periods: impl Iterator<Item = ErasurePeriod> + Clone) -> Self {
        let Some(time) = time else {
            return Self::Undated;
        };
        let is_behind = |moment: DateTime<Utc>| time > moment.timestamp();
        let done = periods.clone().filter(|period| period.done.is_some());
        if done.clone().any(|period| period.covers(time)) {
            Self::Before
        } else if done.filter_map(|period| period.done).any(is_behind) {
            Self::After
        } else if periods.clone().any(|period| is_behind(period.begun)) {
            Self::During
        } else {
            Self::Before
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(begun: i64, done: Option<i64>) -> ErasurePeriod {
        let at = |second| DateTime::from_timestamp(second, 500_000_000).unwrap();
        ErasurePeriod {
            begun: at(begun),
            done: done.map(at),
        }
    }

    #[test]
    fn only_what_was_sent_and_not_ended_otherwise_may_have_erased_somebody() {
        let erased = |state: &JobState| Erasure::of(*state, Doubt::None).is_some();
        let listed: Vec<&str> = JobState::ALL
            .iter()
            .filter(|state| erased(state))
            .map(|state| state.as_str())
            .collect();
        assert_eq!(
            listed,
            ["sending", "accepted", "running", "done", "unknown"]
        );
        for erasure in Erasure::ALL {
            let word = serde_json::to_value(erasure).unwrap();
            assert_eq!(word, erasure.as_str());
        }
    }

    #[test]
    fn an_event_is_judged_by_the_deletions_of_its_person() {
        let once = [period(100, Some(200))];
        let open = [period(100, None)];
        let twice = [period(100, Some(200)), period(400, Some(500))];
        let and_open = [period(100, Some(200)), period(400, None)];
        use Arrival::{After, Before, During, Undated};
        for (periods, time, arrival) in [
            (&once[..], Some(99), Before),
            (&once, Some(100), Before),
            (&once, Some(101), During),
            (&once, Some(200), During),
            (&once, Some(201), After),
            (&once, None, Undated),
            (&open, Some(100), Before),
            (&open, Some(9_999), During),
            // The second deletion erased the event.
            (&twice, Some(300), Before),
            (&twice, Some(450), After),
            (&twice, Some(501), After),
            // The second deletion may not erase the event.
            (&and_open, Some(300), After),
            (&and_open, Some(450), After),
            (&and_open, Some(50), Before),
        ] {
            let judged = Arrival::of(time, periods.iter().copied());
            assert_eq!(judged, arrival, "{periods:?} at {time:?}");
        }
    }
}
