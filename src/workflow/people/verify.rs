//! Whether the events of a deletion's people are gone.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::{CheckedPeople, LedgerKey, words};
use crate::intake::{Event, EventsRead, Place};
use crate::ledger::RequestRecord;

use super::recollected::{Recollected, Search};
use super::suppressed::SuppressedIndex;

/// How long raw exports may still show the events of an erased person (Mixpanel's documentation).
const LINGER: TimeDelta = TimeDelta::days(30);

/// What the events show of a person whose deletion is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    Absent,
    /// From before the deletion, and Mixpanel may still show them.
    NotYet,
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

/// Searches events for the people of one request, fed one event at a time.
pub struct ErasureSearch<'i> {
    request: &'i RequestRecord,
    index: &'i SuppressedIndex,
    search: Search<'i>,
    events: usize,
    foreign: usize,
    /// In Unix seconds.
    times: Option<(i64, i64)>,
}

/// What a search found.
#[derive(Debug)]
pub struct ErasureFindings {
    pub counts: CheckedPeople,
    /// Everyone of whom an event was found.
    pub people: Vec<(Remains, Recollected)>,
    /// Lines that are not events of a raw export, which have a name and a time.
    pub foreign: usize,
    /// When the deletion was first sent, and when its last job was done; `None` if none is done.
    pub period: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl<'i> ErasureSearch<'i> {
    /// `index` has the request's people, read with `key`.
    pub fn new(request: &'i RequestRecord, index: &'i SuppressedIndex, key: &LedgerKey) -> Self {
        Self {
            request,
            index,
            search: Search::new(index, key),
            events: 0,
            foreign: 0,
            times: None,
        }
    }

    pub fn take(&mut self, place: Place<'_>, event: &Event<'_>) {
        self.events += 1;
        self.foreign += usize::from(!event.is_whole());
        if let Some(time) = event.time() {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        self.search.take(place, event);
    }

    /// Nobody is absent from files that may lack an event.
    pub fn finish(self, read: &[EventsRead], now: DateTime<Utc>) -> ErasureFindings {
        let is_whole = |read: &EventsRead| read.problems.count() == 0 && !read.reading.is_unended;
        let without = match self.foreign == 0 && read.iter().all(is_whole) {
            true => Remains::Absent,
            false => Remains::NotCheckable,
        };
        let day = |time| DateTime::from_timestamp(time, 0).map(|time| time.date_naive());
        let (from, to): (Option<NaiveDate>, Option<NaiveDate>) = match self.times {
            Some((first, last)) => (day(first), day(last)),
            None => (None, None),
        };
        let mut counts = CheckedPeople {
            events: self.events,
            from,
            to,
            ..CheckedPeople::default()
        };
        let id = &self.request.id;
        let judge = |person: Recollected| {
            let (_, done) = self.index.find(&person.hash)?.period_in(id)?;
            Some((remains_of(&person, done, now)?, person))
        };
        let people = self.search.finish().into_iter();
        let people: Vec<(Remains, Recollected)> = people.filter_map(judge).collect();
        for (remains, _) in &people {
            *count_of(&mut counts, *remains) += 1;
        }
        let ends = self.index.people();
        let ends = ends.filter_map(|deletions| deletions.period_in(id));
        let mut done = 0;
        let period = ends
            .inspect(|_| done += 1)
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        *count_of(&mut counts, without) += done - people.len();
        counts.not_done = self.request.asked.unique.saturating_sub(done);
        ErasureFindings {
            counts,
            people,
            foreign: self.foreign,
            period,
        }
    }
}

/// What a person's events show; `None` if all are other people's, from the person's device.
fn remains_of(person: &Recollected, done: DateTime<Utc>, now: DateTime<Utc>) -> Option<Remains> {
    let is_before = person.events.before > 0;
    if is_before && now - done >= LINGER {
        Some(Remains::Present)
    } else if person.events.again() > 0 {
        Some(Remains::Recollected)
    } else {
        is_before.then_some(Remains::NotYet)
    }
}

fn count_of(counts: &mut CheckedPeople, remains: Remains) -> &mut usize {
    match remains {
        Remains::Absent => &mut counts.absent,
        Remains::NotYet => &mut counts.not_yet,
        Remains::Present => &mut counts.present,
        Remains::Recollected => &mut counts.recollected,
        Remains::NotCheckable => &mut counts.not_checkable,
    }
}
