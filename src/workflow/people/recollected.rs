//! Finds deleted people in events that exist all the same, and counts those events by time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::{Arrival, IdHasher, PersonHash, PersonHasher};
use crate::intake::{Event, NamedAs, Place};
use crate::ledger::ErasedJob;

use super::suppressed::SuppressedIndex;

/// How many unknown ids are remembered. One person's events come close together, and the keyed hash
/// is the slowest step.
const STRANGERS: usize = 1 << 19;

/// How Mixpanel writes an anonymous device id.
const DEVICE: &str = "$device:";

/// A deleted person with events.
#[derive(Debug)]
pub struct Recollected {
    pub hash: PersonHash,
    /// The person's last deletion that is done, or else the last one.
    pub deletion: ErasedJob,
    /// Events of the person, by time.
    pub events: Arrivals,
    /// When the first deletion was done that covers one of the events from before a deletion.
    pub covered_at: Option<DateTime<Utc>>,
    /// Events of other people from the person's device, not before the deletion.
    pub from_device: usize,
    /// The first event that is not from before the deletion, or else the first.
    pub first: SeenEvent,
    /// The time of the person's last event, if any has one.
    pub last_at: Option<DateTime<Utc>>,
}

/// Counts of events by time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Arrivals {
    pub after: usize,
    pub during: usize,
    pub before: usize,
    pub undated: usize,
}

/// The place of an event in a file.
#[derive(Debug, Clone, Serialize)]
pub struct SeenEvent {
    /// The file's name in messages.
    #[serde(rename = "source")]
    pub label: String,
    pub line: Option<u64>,
    pub element: Option<u64>,
}

impl Arrivals {
    fn add(&mut self, arrival: Arrival) {
        *match arrival {
            Arrival::After => &mut self.after,
            Arrival::During => &mut self.during,
            Arrival::Before => &mut self.before,
            Arrival::Undated => &mut self.undated,
        } += 1;
    }

    /// Events that are not certainly from before the deletion.
    pub fn again(self) -> usize {
        self.after + self.during + self.undated
    }
}

/// The search, fed one event at a time.
pub struct Search<'i> {
    index: &'i SuppressedIndex,
    hasher: PersonHasher,
    people: HashMap<PersonHash, Recollected>,
    plain: IdHasher,
    /// Hashes of ids that were not erased, each in the slot of its last bits.
    strangers: Vec<u128>,
}

impl<'i> Search<'i> {
    /// `hasher` has the key that the index was read with.
    pub fn new(index: &'i SuppressedIndex, hasher: PersonHasher) -> Self {
        Self {
            index,
            hasher,
            people: HashMap::new(),
            plain: IdHasher::random(),
            strangers: vec![0; STRANGERS],
        }
    }

    /// Looks up everyone an event names.
    pub fn take(&mut self, place: Place<'_>, event: &Event<'_>) {
        // An event may name a person twice; the first name counts.
        let mut counted: Vec<PersonHash> = Vec::new();
        for (named_as, id) in event.names() {
            let is_device = !id.starts_with(DEVICE) && event.is_device(id);
            let plain = self.plain.hash(id.as_bytes()) ^ u128::from(is_device);
            let slot = plain as usize % STRANGERS;
            if self.strangers[slot] == plain {
                continue;
            }
            let hash = self.hasher.hash(id);
            let mut is_known = self.look_up(hash, named_as, place, event, &mut counted);
            if is_device {
                let hash = self.hasher.hash(&format!("{DEVICE}{id}"));
                is_known |= self.look_up(hash, named_as, place, event, &mut counted);
            }
            if !is_known {
                self.strangers[slot] = plain;
            }
        }
    }

    /// Counts an event of a person; returns whether that person was erased.
    fn look_up(
        &mut self,
        hash: PersonHash,
        named_as: NamedAs,
        place: Place<'_>,
        event: &Event<'_>,
        counted: &mut Vec<PersonHash>,
    ) -> bool {
        let Some(deletions) = self.index.find(&hash) else {
            return false;
        };
        if counted.contains(&hash) {
            return true;
        }
        counted.push(hash);
        let arrival = deletions.arrival(event.time());
        let is_theirs = named_as == NamedAs::Person;
        if !is_theirs && arrival == Arrival::Before {
            return true;
        }
        let seen = || SeenEvent {
            label: place.label.to_owned(),
            line: place.line,
            element: place.element,
        };
        let person = self.people.entry(hash).or_insert_with(|| Recollected {
            hash,
            deletion: deletions.last().clone(),
            events: Arrivals::default(),
            covered_at: None,
            from_device: 0,
            first: seen(),
            last_at: None,
        });
        if !is_theirs {
            person.from_device += 1;
            return true;
        }
        if person.events.again() == 0 && arrival != Arrival::Before {
            person.first = seen();
        }
        person.events.add(arrival);
        if arrival == Arrival::Before {
            let covered = event.time().and_then(|time| deletions.covered_at(time));
            person.covered_at = covered.into_iter().chain(person.covered_at).min();
        }
        let at = event
            .time()
            .and_then(|time| DateTime::from_timestamp(time, 0));
        person.last_at = person.last_at.max(at);
        true
    }

    /// The people found, those with the most events after their deletion first.
    pub fn finish(self) -> Vec<Recollected> {
        let mut people: Vec<Recollected> = self.people.into_values().collect();
        people.sort_unstable_by_key(|person| {
            let Arrivals {
                after,
                during,
                undated,
                ..
            } = person.events;
            let rank = (after, during, undated, person.from_device);
            (std::cmp::Reverse(rank), person.hash)
        });
        people
    }
}
