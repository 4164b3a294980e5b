//! The second reading: writes each event without what identifies its person, and reviews what stays.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write;

use serde_json::Value;

use super::coarse::{EventMoment, TimeStep};
use super::fields::{JsonPart, each_part, text_of};
use super::finding::{FindingSet, ReviewFinding};
use super::identities::NewIds;
use super::names::KnownNames;
use super::record::{ExportRecord, ExportedEvent, NoOwner};
use super::review::SanitizeReview;
use super::search::forms::each_form;
use super::search::looks::add_looks;
use super::search::needles::{PersonTexts, folded_name, is_telling, tells_inside};
use super::{LONGEST_NAME, SanitizeOrder};
use crate::domain::{HashedMap, IdHasher, PersonHash, PersonHasher, ProjectZone, json_text};
use crate::packages::SplitError;
use crate::packages::sorter::on_one_line;

/// Events that only join or name ids. They go.
const IDENTITY_EVENTS: [&str; 3] = ["$identify", "$create_alias", "$merge"];
/// How many values are remembered, so that a repeated value is searched once.
const MOST_REMEMBERED: usize = 1 << 18;
/// How many events are compared with later ones, so that memory has an end.
const MOST_COMPARED: usize = 1 << 24;
/// The age that Mixpanel's import takes, in days: five years.
const OLDEST_DAYS: i64 = 5 * 365;

pub(crate) struct Rewriter<'a> {
    order: &'a SanitizeOrder<'a>,
    out: &'a mut dyn Write,
    key: PersonHasher,
    new_ids: &'a NewIds,
    search: ValueSearch<'a>,
    /// The names of kept properties as JSON, each with its comma and colon.
    kept: Vec<String>,
    /// Which of them are named like personal data.
    telling: Vec<bool>,
    events: Option<HashSet<&'a str>>,
    people: HashSet<u32>,
    pub(crate) review: SanitizeReview,
    /// Events of a person whom the first reading did not see.
    pub(crate) strangers: u64,
    line: Vec<u8>,
    /// Halves of the `$insert_id`s so far.
    insert_ids: HashSet<u64>,
}

/// Searches values, and remembers what was found in them.
struct ValueSearch<'a> {
    needles: &'a PersonTexts,
    time: TimeStep,
    zone: ProjectZone,
    hasher: IdHasher,
    known: HashedMap<FoundInValue>,
    /// Folded names of the kept properties.
    folded: Vec<String>,
    /// Whether a key inside a value is named like personal data.
    keys: KnownNames<bool>,
}

#[derive(Clone, Default)]
struct FoundInValue {
    findings: FindingSet,
    /// Times that are finer than the events' own, in seconds by the project's clock.
    times: Vec<i64>,
}

impl ValueSearch<'_> {
    /// The findings in a value of the kept property at `place`, and whether it is new.
    fn search(&mut self, place: usize, value: &str, moment: EventMoment) -> (FindingSet, bool) {
        let hash = self.hasher.hash(value.as_bytes()) ^ place as u128;
        if let Some(found) = self.known.get(&hash) {
            return (found.at(moment), false);
        }
        let mut found = FoundInValue::default();
        each_part(value, &mut |part, text| {
            if part == JsonPart::Key && self.keys.check(&text, tells_inside) {
                found.findings.add(ReviewFinding::TellingName);
            }
            self.search_text(&text, &self.folded[place], &mut found);
        });
        let at = found.at(moment);
        if self.known.len() < MOST_REMEMBERED {
            self.known.insert(hash, found);
        }
        (at, true)
    }

    /// Adds what is in a text, also where it is encoded.
    fn search_text(&self, text: &str, folded: &str, found: &mut FoundInValue) {
        let ended = each_form(text, &mut |form| {
            add_looks(form, &mut found.findings);
            self.needles.search(form, folded, &mut found.findings);
            self.time.add_finer(form, self.zone, &mut found.times);
        });
        if ended.is_err() {
            found.findings.add(ReviewFinding::Encoded);
        }
    }
}

impl FoundInValue {
    /// The findings in an event of this moment.
    fn at(&self, moment: EventMoment) -> FindingSet {
        let mut findings = self.findings;
        if self.times.iter().any(|time| moment.is_near(*time)) {
            findings.add(ReviewFinding::ExactTime);
        }
        findings
    }
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(
        order: &'a SanitizeOrder<'a>,
        out: &'a mut dyn Write,
        (new_ids, needles): (&'a NewIds, &'a PersonTexts),
    ) -> Self {
        let names = order.keep.names();
        let json = |name: &String| format!(",{}:", Value::from(name.as_str()));
        let listed = |list: &'a super::NameList| list.names().iter().map(String::as_str).collect();
        let mut review = SanitizeReview::of(order.keep);
        review.is_search_partial = needles.is_full;
        review.shared_devices = new_ids.shared_devices;
        review.ids = new_ids.ids() as u64;
        Self {
            order,
            out,
            key: order.key.hasher(),
            new_ids,
            search: ValueSearch {
                needles,
                time: order.time,
                zone: order.zone,
                hasher: IdHasher::random(),
                known: HashedMap::default(),
                folded: names.iter().map(|name| folded_name(name)).collect(),
                keys: KnownNames::default(),
            },
            kept: names.iter().map(json).collect(),
            telling: names.iter().map(|name| is_telling(name)).collect(),
            events: order.events.map(listed),
            people: HashSet::new(),
            review,
            strangers: 0,
            line: Vec::new(),
            insert_ids: HashSet::new(),
        }
    }

    pub(crate) fn record(&mut self, record: &ExportRecord<'_>) -> Result<(), SplitError> {
        match record {
            ExportRecord::Event(event) => return self.event(event),
            ExportRecord::Unreadable => self.review.left_out.unreadable += 1,
            ExportRecord::Profile(..) | ExportRecord::Other | ExportRecord::Row => {}
        }
        Ok(())
    }

    fn event(&mut self, event: &ExportedEvent<'_>) -> Result<(), SplitError> {
        let name = text_of(event.name);
        let moment = event.time.as_deref();
        let moment = moment.and_then(|time| self.order.time.moment(time, self.order.zone));
        let place = match self.review.event_place(&name) {
            Some(place) => place,
            None => {
                let found = self.findings_in_name(&name, moment);
                self.review.add_event(&name, found)
            }
        };
        let day = moment.map(|moment| moment.day);
        let Some((owner, moment)) = self.owner_and_moment(event, &name, moment) else {
            self.review.count_event(place, day, 0);
            return Ok(());
        };
        let insert_id = self.key.hash_bytes(&event.identity(&owner));
        if !self.put(event, &owner, moment, insert_id) {
            self.strangers += 1;
            return Ok(());
        }
        let oldest = self.order.now.timestamp() - OLDEST_DAYS * 86_400;
        self.review.too_old += u64::from(moment.utc < oldest);
        self.review.written += 1;
        let is_repeat = self.is_repeat(insert_id);
        self.review.repeats += u64::from(is_repeat);
        self.review.count_event(place, day, u64::from(!is_repeat));
        let written = self.out.write_all(&on_one_line(&self.line));
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(SplitError::write(self.order.output))
    }

    /// What an event of the output needs; `None` if the event is left out, which is counted.
    fn owner_and_moment<'e>(
        &mut self,
        event: &'e ExportedEvent<'_>,
        name: &str,
        moment: Option<EventMoment>,
    ) -> Option<(Cow<'e, str>, EventMoment)> {
        let is_listed = |listed: &HashSet<&str>| listed.contains(name);
        let review = &mut self.review;
        let count = if IDENTITY_EVENTS.contains(&name) {
            &mut review.identity_events
        } else if !self.events.as_ref().is_none_or(is_listed) {
            &mut review.not_listed
        } else {
            match (event.owner(), moment) {
                (Ok(owner), Some(moment)) => return Some((owner, moment)),
                (Err(NoOwner::Nobody), _) => &mut review.left_out.nobody,
                (Err(NoOwner::Several), _) => &mut review.left_out.several,
                (Ok(_), None) => &mut review.left_out.no_time,
            }
        };
        *count += 1;
        None
    }

    /// Makes the line of an event. False if its person is unknown.
    fn put(
        &mut self,
        event: &ExportedEvent<'_>,
        owner: &str,
        moment: EventMoment,
        insert_id: PersonHash,
    ) -> bool {
        let Some((person, new_id)) = self.new_ids.find(owner) else {
            return false;
        };
        // An import takes no name with half a surrogate pair.
        let name = match json_text(event.name) {
            Some(_) => Cow::Borrowed(event.name),
            None => Value::from(&*text_of(event.name)).to_string().into(),
        };
        let line = &mut self.line;
        line.clear();
        for part in [
            "{\"event\":",
            &name,
            ",\"properties\":{\"time\":",
            &moment.utc.to_string(),
            ",\"distinct_id\":\"",
            new_id,
            "\",\"$insert_id\":\"",
            &insert_id.hex(),
            "\",\"ip\":0",
        ] {
            line.extend_from_slice(part.as_bytes());
        }
        self.people.insert(person);
        self.review.people = self.people.len() as u64;
        for (number, (name, value)) in event.properties.iter().enumerate() {
            let Some(place) = self.review.kept_place(name) else {
                continue;
            };
            // A reader takes the last value of a repeated name.
            if event.properties[number + 1..]
                .iter()
                .any(|(other, _)| other == name)
            {
                continue;
            }
            self.line.extend_from_slice(self.kept[place].as_bytes());
            self.line.extend_from_slice(value.as_bytes());
            self.look_at(place, value, moment);
        }
        self.line.extend_from_slice(b"}}");
        true
    }

    /// Whether an earlier event had this `$insert_id`.
    fn is_repeat(&mut self, insert_id: PersonHash) -> bool {
        let half = insert_id.as_bytes().first_chunk().expect("16 bytes");
        let half = u64::from_le_bytes(*half);
        match self.insert_ids.len() < MOST_COMPARED {
            true => !self.insert_ids.insert(half),
            false => self.insert_ids.contains(&half),
        }
    }

    fn look_at(&mut self, place: usize, value: &str, moment: EventMoment) {
        let (mut found, is_new) = self.search.search(place, value, moment);
        let kept = &mut self.review.kept[place];
        kept.events += 1;
        if is_new || !found.is_empty() {
            kept.sample(&text_of(value), found);
        }
        if self.telling[place] {
            found.add(ReviewFinding::TellingName);
        }
        kept.findings.add(found);
    }

    fn findings_in_name(&self, name: &str, moment: Option<EventMoment>) -> FindingSet {
        let mut found = FoundInValue::default();
        self.search.search_text(name, "", &mut found);
        if name.chars().count() > LONGEST_NAME {
            found.findings.add(ReviewFinding::LongName);
        }
        moment.map_or(found.findings, |moment| found.at(moment))
    }
}
