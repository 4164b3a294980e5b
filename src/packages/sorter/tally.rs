//! Counts one person's events for the page and the manifest.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate};

/// How many bytes of event names are kept for all people; hostile names could fill the memory.
const NAMES_BYTES: usize = 16 << 20;
/// How many kinds of event are counted separately for one person.
const KINDS_A_PERSON: usize = 1000;
/// With more active days than this, events are counted by month.
const DAYS_A_PERSON: usize = 100;

/// Stores every event name once, as a number.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Names {
    /// The number of `name`; `None` if there is no more room.
    pub(crate) fn number(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(self.names.len()).ok()?;
        if self.bytes + name.len() > NAMES_BYTES {
            return None;
        }
        self.bytes += name.len();
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name)
    }
}

#[derive(Debug, Default)]
pub(crate) struct EventTally {
    kinds: BTreeMap<u32, u64>,
    /// Events of kinds that are not counted separately.
    pub(crate) further: u64,
    pub(crate) period: Option<(i64, i64)>,
    pub(crate) days: EventDays,
    /// Events without a readable time.
    pub(crate) timeless: u64,
    pub(crate) event_properties: Properties,
    pub(crate) profile_properties: Properties,
    /// Records of other people that were cut out of this person's.
    pub(crate) taken_out: u64,
    pub(crate) reduced: BTreeSet<&'static str>,
}

/// How many property names, and how many sets of them, are kept for one person.
const PROPERTIES_A_PERSON: usize = 2000;
const SHAPES_A_PERSON: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Properties {
    names: BTreeSet<u32>,
    /// The shapes of records whose names are already included.
    shapes: HashSet<u64>,
}

impl Properties {
    /// Adds the names of a record; calls `list` only if its shape is new.
    pub(crate) fn add<'t>(
        &mut self,
        shape: u64,
        known: &mut Names,
        list: impl FnOnce() -> Vec<Cow<'t, str>>,
    ) {
        if self.shapes.contains(&shape) || self.names.len() >= PROPERTIES_A_PERSON {
            return;
        }
        if self.shapes.len() < SHAPES_A_PERSON {
            self.shapes.insert(shape);
        }
        for name in list() {
            self.names.extend(known.number(&name));
        }
    }

    pub(crate) fn names<'n>(&self, known: &'n Names) -> Vec<&'n str> {
        let mut names: Vec<&str> = self
            .names
            .iter()
            .map(|number| known.name(*number))
            .collect();
        names.sort_unstable();
        names
    }
}

/// Events by day, or by month if there are many days.
#[derive(Debug)]
pub(crate) enum EventDays {
    Days(BTreeMap<NaiveDate, u64>),
    Months(BTreeMap<NaiveDate, u64>),
}

impl Default for EventDays {
    fn default() -> Self {
        Self::Days(BTreeMap::new())
    }
}

impl EventDays {
    fn add(&mut self, day: NaiveDate) {
        match self {
            Self::Days(days) if days.len() >= DAYS_A_PERSON && !days.contains_key(&day) => {
                let mut months = BTreeMap::new();
                for (day, count) in std::mem::take(days) {
                    *months.entry(first_of_month(day)).or_insert(0) += count;
                }
                *months.entry(first_of_month(day)).or_insert(0) += 1;
                *self = Self::Months(months);
            }
            Self::Days(days) => *days.entry(day).or_insert(0) += 1,
            Self::Months(months) => *months.entry(first_of_month(day)).or_insert(0) += 1,
        }
    }
}

pub(crate) fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

impl EventTally {
    /// Counts one event; `time` is in seconds by the project's clock.
    pub(crate) fn add(&mut self, name: Option<u32>, time: Option<i64>) {
        match name {
            Some(name) if self.kinds.len() < KINDS_A_PERSON || self.kinds.contains_key(&name) => {
                *self.kinds.entry(name).or_insert(0) += 1;
            }
            Some(_) | None => self.further += 1,
        }
        let Some((time, day)) = time.and_then(|time| Some((time, day_of(time)?))) else {
            self.timeless += 1;
            return;
        };
        let (first, last) = self.period.unwrap_or((time, time));
        self.period = Some((first.min(time), last.max(time)));
        self.days.add(day);
    }

    /// The kinds of event with their counts, the most frequent first, then by name.
    pub(crate) fn kinds<'n>(&self, names: &'n Names) -> Vec<(&'n str, u64)> {
        let mut kinds: Vec<(&str, u64)> = self
            .kinds
            .iter()
            .map(|(number, count)| (names.name(*number), *count))
            .collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        kinds
    }
}

fn day_of(time: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp(time, 0).map(|time| time.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    #[test]
    fn kinds_are_counted_and_the_most_frequent_comes_first() {
        let (mut names, mut tally) = (Names::default(), EventTally::default());
        for name in ["b", "a", "c", "c", "a", "d"] {
            tally.add(names.number(name), Some(DAY));
        }
        let kinds = tally.kinds(&names);
        assert_eq!(kinds, [("a", 2), ("c", 2), ("b", 1), ("d", 1)]);
    }

    #[test]
    fn more_kinds_than_are_counted_apart_are_counted_together() {
        let (mut names, mut tally) = (Names::default(), EventTally::default());
        for number in 0..KINDS_A_PERSON + 5 {
            tally.add(names.number(&format!("event {number}")), None);
        }
        tally.add(names.number("event 7"), None);
        assert_eq!(tally.kinds(&names).len(), KINDS_A_PERSON);
        assert_eq!(tally.kinds(&names)[0], ("event 7", 2));
        assert_eq!((tally.further, tally.timeless), (5, 1006));
    }

    #[test]
    fn names_take_no_more_than_their_room() {
        let mut names = Names::default();
        let long = "x".repeat(NAMES_BYTES);
        assert_eq!(names.number("a"), Some(0));
        assert_eq!(names.number(&long), None);
        assert_eq!(names.number("b"), Some(1));
    }

    #[test]
    fn many_days_become_months_and_lose_no_event() {
        let mut tally = EventTally::default();
        for day in 0..500 {
            tally.add(None, Some(day * DAY + 1));
        }
        let EventDays::Months(months) = tally.days else {
            panic!("500 days are too many");
        };
        assert_eq!(months.values().sum::<u64>(), 500);
        assert_eq!(months.len(), 17);
        assert_eq!(tally.period, Some((1, 499 * DAY + 1)));
    }
}
