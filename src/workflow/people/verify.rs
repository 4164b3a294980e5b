//! Whether the people of deletions are gone.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::{
    CheckedPeople, ExportWindow, PersonHash, PersonHasher, ProjectZone, RequestId, words,
};
use crate::intake::{Event, EventsRead, Place};
use crate::ledger::{RequestRecord, Spared};

use super::recollected::{Recollected, Search};
use super::suppressed::SuppressedIndex;

/// How long raw exports may still show the events of an erased person (Mixpanel's documentation).
const LINGER: TimeDelta = TimeDelta::days(30);

/// Events that end longer before a deletion show nothing of it, whatever days were asked for: the
/// project may be another one.
const LONGEST_BEFORE: TimeDelta = TimeDelta::days(8);

/// An event that is dated further ahead shows nothing of any day: a clock was wrong. Times of a
/// project whose time zone is not known are ahead by up to 14 hours.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// What Mixpanel still has of a person whose deletion is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    Absent,
    /// From before the deletion, and Mixpanel may still show them.
    NotYet,
    /// Events from before the deletion or without a time, or a profile.
    Present,
    Recollected,
    /// No event, and some may be missing.
    NotCheckable,
}

words!(Remains {
    Absent => "absent",
    NotYet => "not_yet",
    Present => "present",
    Recollected => "recollected",
    NotCheckable => "not_checkable",
});

/// Why events may be missing although everything that came was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportGap {
    /// The export has no event. It may be of another project.
    NoEvent,
    /// Nothing told where the export ended.
    NoEnd,
}

/// Searches events for the people of deletions, fed one event at a time.
pub struct ErasureSearch<'i> {
    search: Search<'i>,
    events: usize,
    foreign: usize,
    /// In Unix seconds.
    times: Option<(i64, i64)>,
    /// The latest time that counts as a time, in Unix seconds.
    latest: i64,
}

/// What a search saw.
#[derive(Debug, Default)]
pub struct Searched {
    /// Everyone of whom an event was found.
    pub people: Vec<Recollected>,
    pub events: usize,
    /// Lines that are not events of a raw export, which have a name and a time.
    pub foreign: usize,
    /// The times of the first and the last event, without events of the future.
    pub times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// How the events were read.
    pub read: Vec<EventsRead>,
    pub gap: Option<ExportGap>,
}

/// Everything that the checks of some requests judge by.
pub struct Examined<'a> {
    /// The people of the requests, read with the key of the search.
    pub index: &'a SuppressedIndex,
    pub searched: &'a Searched,
    /// The days that Mixpanel was asked for; `None` if the events were in files.
    pub window: Option<ExportWindow>,
    /// The days that the files cover, as the operator says.
    pub covers: Option<ExportWindow>,
    /// The zone of those days.
    pub zone: ProjectZone,
    /// Of each request, the people whom it did not erase.
    pub spared: &'a HashMap<RequestId, Spared>,
    /// Whether Mixpanel has a profile of each person it was asked about.
    pub profiles: &'a HashMap<PersonHash, bool>,
    pub now: DateTime<Utc>,
}

/// What is known of the people of one request.
#[derive(Debug)]
pub struct ErasureFindings<'a> {
    pub request: &'a RequestRecord,
    pub counts: CheckedPeople,
    /// Everyone who has an event or a profile.
    pub people: Vec<FoundPerson<'a>>,
    /// When the deletion was first sent, and when its last job was done; `None` if none is done.
    pub period: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The events that are missing for someone.
    pub missing: Option<MissingDays>,
    pub spared: Spared,
}

/// Which days of a deletion the events leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingDays {
    /// They end before it was sent.
    Sent,
    /// They end more than eight days before it was sent, whatever days were asked for.
    LongBefore,
    /// They begin after it was sent.
    Before,
}

/// A person of a deletion who is not absent.
#[derive(Debug)]
pub struct FoundPerson<'a> {
    pub hash: PersonHash,
    pub remains: Remains,
    pub events: Option<&'a Recollected>,
    /// `None` if Mixpanel was not asked.
    pub has_profile: Option<bool>,
}

impl<'i> ErasureSearch<'i> {
    /// `hasher` has the key that the index was read with.
    pub fn new(index: &'i SuppressedIndex, hasher: PersonHasher, now: DateTime<Utc>) -> Self {
        Self {
            search: Search::new(index, hasher),
            events: 0,
            foreign: 0,
            times: None,
            latest: (now + AHEAD).timestamp(),
        }
    }

    pub fn take(&mut self, place: Place<'_>, event: &Event<'_>) {
        self.events += 1;
        self.foreign += usize::from(!event.is_whole());
        if let Some(time) = event.time().filter(|time| *time <= self.latest) {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        self.search.take(place, event);
    }

    pub fn finish(self, read: Vec<EventsRead>) -> Searched {
        let time = |seconds| DateTime::from_timestamp(seconds, 0);
        let times = self.times.map(|(first, last)| time(first).zip(time(last)));
        Searched {
            people: self.search.finish(),
            events: self.events,
            foreign: self.foreign,
            times: times.flatten(),
            read,
            gap: None,
        }
    }
}

impl Searched {
    /// The days (UTC) of the first and the last event.
    pub fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        let day = |time: DateTime<Utc>| time.date_naive();
        self.times.map(|(first, last)| (day(first), day(last)))
    }

    /// Nobody is absent from an export that may lack an event.
    fn is_whole(&self) -> bool {
        let is_whole = |read: &EventsRead| read.problems.count() == 0 && !read.reading.is_unended;
        self.gap.is_none() && self.foreign == 0 && self.read.iter().all(is_whole)
    }
}

impl ErasureFindings<'_> {
    /// The people whose deletion is not done, and may still be.
    pub fn waiting(&self) -> usize {
        let ended = self.spared.failed + self.spared.erased_later;
        self.counts.not_done.saturating_sub(ended)
    }
}

impl<'a> Examined<'a> {
    /// The findings of each request, in their order.
    pub fn findings(&self, requests: &'a [RequestRecord]) -> Vec<ErasureFindings<'a>> {
        let (from, to) = self.searched.days().unzip();
        let start = |request: &'a RequestRecord| ErasureFindings {
            request,
            spared: self.spared.get(&request.id).copied().unwrap_or_default(),
            counts: CheckedPeople {
                events: self.searched.events,
                from,
                to,
                window: self.window,
                covers: self.covers,
                ..CheckedPeople::default()
            },
            people: Vec::new(),
            period: None,
            missing: None,
        };
        let mut all: Vec<ErasureFindings<'a>> = requests.iter().map(start).collect();
        let ids = requests.iter().map(|request| &request.id);
        let places: HashMap<&RequestId, usize> = ids.zip(0..).collect();
        let seen = self.searched.people.iter().zip(0..);
        let seen: HashMap<PersonHash, (usize, &Recollected)> = seen
            .map(|(person, place)| (person.hash, (place, person)))
            .collect();
        for deletions in self.index.people() {
            let hash = deletions.hash();
            let events = seen.get(&hash).map(|(_, person)| *person);
            let has_profile = self.profiles.get(&hash).copied();
            for request in deletions.requests() {
                let (Some(place), Some(period)) =
                    (places.get(request), deletions.period_in(request))
                else {
                    continue;
                };
                let findings = &mut all[*place];
                findings.period = Some(match findings.period {
                    Some((sent, done)) => (sent.min(period.0), done.max(period.1)),
                    None => period,
                });
                let missing = self.missing_days(period.0);
                if self.searched.events > self.searched.foreign {
                    findings.missing = findings.missing.or(missing);
                }
                let remains = match self.remains(events, has_profile) {
                    Remains::Absent if missing.is_some() => Remains::NotCheckable,
                    remains => remains,
                };
                let is_found = findings.counts.add(remains, has_profile);
                if is_found {
                    findings.people.push(FoundPerson {
                        hash,
                        remains,
                        events,
                        has_profile,
                    });
                }
            }
        }
        for findings in &mut all {
            let asked = findings.request.asked.unique;
            findings.counts.not_done = asked.saturating_sub(findings.counts.done());
            findings.people.sort_by_key(|person| {
                let seen = seen.get(&person.hash);
                (seen.map_or(usize::MAX, |(place, _)| *place), person.hash)
            });
        }
        all
    }

    /// The days that show whether a deletion erased events: until it was sent.
    fn missing_days(&self, sent: DateTime<Utc>) -> Option<MissingDays> {
        let Some((first, last)) = self.searched.times else {
            return Some(MissingDays::Sent);
        };
        let day = self.zone.day(sent);
        let (begins, ends) = match self.window.or(self.covers) {
            // Between its days, Mixpanel may have no event.
            Some(window) => (window.from <= day, window.to >= day),
            None => (first <= sent, last >= sent),
        };
        match (begins, ends) {
            (_, false) => Some(MissingDays::Sent),
            _ if last + LONGEST_BEFORE < sent => Some(MissingDays::LongBefore),
            (false, true) => Some(MissingDays::Before),
            (true, true) => None,
        }
    }

    fn remains(&self, events: Option<&Recollected>, has_profile: Option<bool>) -> Remains {
        let by_events = events.and_then(|events| remains_of(events, self.now));
        match (by_events, has_profile) {
            (Some(Remains::Recollected), _) => Remains::Recollected,
            (_, Some(true)) => Remains::Present,
            (Some(remains), _) => remains,
            (None, _) if self.searched.is_whole() => Remains::Absent,
            (None, _) => Remains::NotCheckable,
        }
    }
}

/// What a person's events show; `None` if all are other people's, from the person's device.
fn remains_of(person: &Recollected, now: DateTime<Utc>) -> Option<Remains> {
    let covered_at = person.covered_at;
    if covered_at.is_some_and(|done| now - done >= LINGER) {
        Some(Remains::Present)
    } else if person.events.after + person.events.during > 0 {
        Some(Remains::Recollected)
    } else if person.events.undated > 0 {
        Some(Remains::Present)
    } else {
        covered_at.map(|_| Remains::NotYet)
    }
}

impl CheckedPeople {
    /// Counts a person; returns whether Mixpanel still has something of them.
    fn add(&mut self, remains: Remains, has_profile: Option<bool>) -> bool {
        let (count, is_found) = match remains {
            Remains::Absent => (&mut self.absent, false),
            Remains::NotYet => (&mut self.not_yet, true),
            Remains::Present => (&mut self.present, true),
            Remains::Recollected => (&mut self.recollected, true),
            Remains::NotCheckable => (&mut self.not_checkable, false),
        };
        *count += 1;
        match has_profile {
            Some(true) => self.with_profile += 1,
            Some(false) => self.without_profile += 1,
            None => {}
        }
        is_found
    }
}
