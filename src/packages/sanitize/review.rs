//! What a person must see before anything is sent: counts, samples and findings.

use std::collections::{BTreeMap, HashMap};

use super::finding::{FindingCounts, FindingSet};
use super::names::{KnownNames, NameList};

/// Names of events that are counted apart; the others are summed up.
const MOST_NAMES: usize = 10_000;
/// Days with their events that are counted apart.
const MOST_DAYS: usize = 200_000;
/// What each event of the output has, and so is not dropped.
const SET_ANEW: [&str; 4] = ["distinct_id", "time", "$insert_id", "ip"];
/// Samples of a property, and characters of the longest.
const SAMPLES: usize = 5;
const SAMPLE_CHARS: usize = 100;

/// What becomes of a property.
#[derive(Debug, Default)]
enum PropertyFate {
    /// Its place among the kept properties.
    Kept(usize),
    #[default]
    SetAnew,
    /// How often.
    Dropped(u64),
}

/// Records that became no event of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotWritten {
    /// Parts of a file that are not JSON, or events without a name or properties.
    pub unreadable: u64,
    /// Events that name no person.
    pub nobody: u64,
    /// Events that name several people, or repeat a field with another value.
    pub several: u64,
    /// Events without a readable time.
    pub no_time: u64,
    /// Files that packages hold back from everybody.
    pub held_back: u64,
}

impl NotWritten {
    pub fn total(&self) -> u64 {
        self.unreadable + self.nobody + self.several + self.no_time + self.held_back
    }
}

/// One property of the list of names to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptProperty {
    pub name: String,
    /// Its line in the list, from 1.
    pub line: usize,
    /// Events that have it.
    pub events: u64,
    pub findings: FindingCounts,
    /// Values with a finding, then others; each cut to a length that fits a page.
    pub(crate) samples: Vec<(String, FindingSet)>,
}

/// An event's name, and how often it is in the source and in the output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventCounts {
    pub name: String,
    pub before: u64,
    pub after: u64,
    pub(crate) found: FindingSet,
}

/// Everything about one run.
#[derive(Debug, Default)]
pub struct SanitizeReview {
    pub left_out: NotWritten,
    /// Events in the source that can be read.
    pub read: u64,
    pub written: u64,
    /// Events of the output that have the `$insert_id` of an earlier one: Mixpanel counts them once.
    pub repeats: u64,
    /// Files and folders of the sources that were not read, since others hold the same events.
    pub copies: u64,
    /// Events that only join ids.
    pub identity_events: u64,
    /// Events that the list of events does not name.
    pub not_listed: u64,
    /// Events that are older than Mixpanel's import takes.
    pub too_old: u64,
    /// People with an event in the output.
    pub people: u64,
    /// The ids of the source.
    pub ids: u64,
    pub shared_devices: u64,
    pub kept: Vec<KeptProperty>,
    fates: KnownNames<PropertyFate>,
    more_dropped: u64,
    pub events: Vec<EventCounts>,
    event_places: HashMap<Box<str>, usize>,
    days: BTreeMap<(i64, usize), (u64, u64)>,
    /// Days that are in no table.
    pub more_days: u64,
    /// Some values of profiles were not searched for.
    pub is_search_partial: bool,
}

impl SanitizeReview {
    pub(super) fn of(keep: &NameList) -> Self {
        let names = || keep.names().iter();
        let set_anew = SET_ANEW.map(|name| (name, PropertyFate::SetAnew));
        let fates = names().zip(0..);
        let fates = fates.map(|(name, place)| (name.as_str(), PropertyFate::Kept(place)));
        let kept = names().zip(keep.lines()).map(|(name, line)| KeptProperty {
            name: name.clone(),
            line: *line,
            ..KeptProperty::default()
        });
        Self {
            kept: kept.collect(),
            fates: KnownNames::of(set_anew.into_iter().chain(fates)),
            ..Self::default()
        }
    }

    /// The place of a kept property; `None` for any other, which is counted if it is dropped.
    pub(super) fn kept_place(&mut self, name: &str) -> Option<usize> {
        match self.fates.find(name, |_| PropertyFate::Dropped(0)) {
            Some(PropertyFate::Kept(place)) => return Some(*place),
            Some(PropertyFate::Dropped(count)) => *count += 1,
            Some(PropertyFate::SetAnew) => {}
            None => self.more_dropped += 1,
        }
        None
    }

    /// Where the event of this name is counted; `None` the first time. With too many names, the
    /// last place is of all others.
    pub(super) fn event_place(&self, name: &str) -> Option<usize> {
        let known = self.event_places.get(name).copied();
        known.or_else(|| (self.events.len() > MOST_NAMES).then_some(MOST_NAMES))
    }

    pub(super) fn add_event(&mut self, name: &str, found: FindingSet) -> usize {
        let place = self.events.len();
        let name = match place == MOST_NAMES {
            true => "(other names)",
            false => name,
        };
        self.event_places.insert(name.into(), place);
        self.events.push(EventCounts {
            name: name.to_owned(),
            found,
            ..EventCounts::default()
        });
        place
    }

    /// `counted` is 1 for an event that Mixpanel counts, and otherwise 0.
    pub(super) fn count_event(&mut self, place: usize, day: Option<i64>, counted: u64) {
        self.read += 1;
        self.events[place].before += 1;
        self.events[place].after += counted;
        let Some(day) = day else {
            return;
        };
        let is_full = self.days.len() >= MOST_DAYS;
        match self.days.get_mut(&(day, place)) {
            Some((before, after)) => {
                *before += 1;
                *after += counted;
            }
            None if is_full => self.more_days += 1,
            None => drop(self.days.insert((day, place), (1, counted))),
        }
    }

    /// Names and counts, most frequent first. The last may sum up the rest.
    pub fn dropped(&self) -> Vec<(&str, u64)> {
        let dropped = self.fates.iter().filter_map(|(name, fate)| match fate {
            PropertyFate::Dropped(count) => Some((name, *count)),
            PropertyFate::Kept(_) | PropertyFate::SetAnew => None,
        });
        let mut all: Vec<(&str, u64)> = dropped.collect();
        all.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        if self.more_dropped > 0 {
            all.push(("(other names)", self.more_dropped));
        }
        all
    }

    /// The days from 1 January 1970, each with an event's name and its number before and after.
    pub(super) fn days(&self) -> impl Iterator<Item = (i64, &str, u64, u64)> {
        let days = self.days.iter();
        days.map(|((day, place), (before, after))| {
            (*day, &*self.events[*place].name, *before, *after)
        })
    }

    /// The lines of names in the list of properties that no event has. The names are not shown:
    /// the list may be another, such as one of ids.
    pub fn absent_lines(&self) -> Vec<usize> {
        let absent = self.kept.iter().filter(|kept| kept.events == 0);
        absent.map(|kept| kept.line).collect()
    }

    /// No event has any of the names to keep: the list may be another.
    pub fn is_keep_list_odd(&self) -> bool {
        !self.kept.is_empty() && self.absent_lines().len() == self.kept.len()
    }

    /// Names of events with a finding.
    pub fn odd_events(&self) -> u64 {
        let odd = self.events.iter().filter(|event| !event.found.is_empty());
        odd.count() as u64
    }

    /// Whether somebody must look before the events are sent.
    pub fn has_findings(&self) -> bool {
        self.kept.iter().any(|kept| !kept.findings.is_empty())
            || self.odd_events() > 0
            || self.is_keep_list_odd()
            || self.left_out.total() > 0
            || self.too_old > 0
            || self.is_search_partial
    }
}

impl KeptProperty {
    /// Keeps the first values as samples, those with findings before others.
    pub(super) fn sample(&mut self, value: &str, found: FindingSet) {
        let odd = self
            .samples
            .iter()
            .take_while(|(_, found)| !found.is_empty());
        let odd = odd.count();
        let place = match found.is_empty() {
            true => self.samples.len(),
            false => odd,
        };
        if place >= SAMPLES {
            return;
        }
        let end = value.char_indices().nth(SAMPLE_CHARS);
        let shown = match end {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value.to_owned(),
        };
        if self.samples.iter().all(|(known, _)| *known != shown) {
            self.samples.insert(place, (shown, found));
            self.samples.truncate(SAMPLES);
        }
    }
}
