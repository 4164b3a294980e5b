//! The second reading: writes each event without what identifies its person, and reviews what stays.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};
use std::path::Path;

use serde_json::Value;

use super::coarse::EventMoment;
use super::fields::{each_part, text_of};
use super::finding::{FindingSet, ReviewFinding};
use super::identities::NewIds;
use super::record::{ExportRecord, ExportedEvent, NoOwner};
use super::review::SanitizeReview;
use super::search::forms::each_form;
use super::search::looks::add_looks;
use super::search::needles::{PersonTexts, folded_name, is_telling};
use super::source::is_beside;
use super::{LONGEST_NAME, SanitizeOrder};
use crate::domain::{HashedMap, IdHasher, PersonHasher, ProjectZone, json_text};
use crate::packages::archive::documented::{JobMember, RecordedNames};
use crate::packages::archive::sink::{MemberFault, MemberSink, PiecePlace, RecordRow, RecordSink};
use crate::packages::sorter::on_one_line;
use crate::packages::{Limits, SplitError};

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
    folder: &'a Path,
    out: &'a mut dyn Write,
    key: PersonHasher,
    new_ids: &'a NewIds,
    search: ValueSearch<'a>,
    /// The places of kept properties in the review, and their names as JSON.
    kept: HashMap<&'a str, (usize, String)>,
    events: Option<HashSet<&'a str>>,
    people: HashSet<u32>,
    pub(crate) review: SanitizeReview,
    /// Events of a person whom the first reading did not see.
    pub(crate) strangers: u64,
    is_beside: bool,
    line: Vec<u8>,
    /// The `$insert_id` of the event in `line`, and hashes of the earlier ones.
    insert_id: String,
    insert_ids: HashSet<u64>,
}

/// What was found in values before.
struct ValueSearch<'a> {
    needles: &'a PersonTexts,
    hasher: IdHasher,
    known: HashedMap<FindingSet>,
    /// Folded names of the kept properties.
    folded: Vec<String>,
}

/// Adds what is in a text, also where it is encoded.
fn search_text(needles: &PersonTexts, text: &str, folded: &str, found: &mut FindingSet) {
    let ended = each_form(text, &mut |form| {
        add_looks(form, found);
        needles.search(form, folded, found);
    });
    if ended.is_err() {
        found.add(ReviewFinding::Encoded);
    }
}

impl ValueSearch<'_> {
    /// The findings in a value of the kept property at `place`, and whether it is new.
    fn search(&mut self, place: usize, value: &str) -> (FindingSet, bool) {
        let hash = self.hasher.hash(value.as_bytes()) ^ place as u128;
        if let Some(found) = self.known.get(&hash) {
            return (*found, false);
        }
        let mut found = FindingSet::default();
        let folded = &self.folded[place];
        each_part(value, &mut |_, part| {
            search_text(self.needles, &part, folded, &mut found);
        });
        if self.known.len() < MOST_REMEMBERED {
            self.known.insert(hash, found);
        }
        (found, true)
    }
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(
        order: &'a SanitizeOrder<'a>,
        folder: &'a Path,
        out: &'a mut dyn Write,
        (new_ids, needles): (&'a NewIds, &'a PersonTexts),
    ) -> Self {
        let names = order.keep.names();
        let json = |name: &str| Value::from(name).to_string();
        let kept = names.iter().zip(0..);
        let kept = kept.map(|(name, place)| (name.as_str(), (place, json(name))));
        let listed = |list: &'a super::NameList| list.names().iter().map(String::as_str).collect();
        let mut review = SanitizeReview::of(order.keep);
        review.is_search_partial = needles.is_full;
        review.shared_devices = new_ids.shared_devices;
        review.ids = new_ids.ids() as u64;
        Self {
            order,
            folder,
            out,
            key: order.key.hasher(),
            new_ids,
            search: ValueSearch {
                needles,
                hasher: IdHasher::random(),
                known: HashedMap::default(),
                folded: names.iter().map(|name| folded_name(name)).collect(),
            },
            kept: kept.collect(),
            events: order.events.map(listed),
            people: HashSet::new(),
            review,
            strangers: 0,
            is_beside: false,
            line: Vec::new(),
            insert_id: String::new(),
            insert_ids: HashSet::new(),
        }
    }

    fn event(&mut self, event: &ExportedEvent<'_>) -> Result<(), SplitError> {
        let name = text_of(event.name);
        let place = match self.review.event_place(&name) {
            Some(place) => place,
            None => {
                let found = self.findings_in_name(&name);
                self.review.add_event(&name, found)
            }
        };
        let moment = event.time.as_deref();
        let moment = moment.and_then(|time| self.order.time.moment(time, self.order.zone));
        let day = moment.map(|moment| moment.day);
        let Some((owner, moment)) = self.owner_and_moment(event, &name, moment) else {
            self.review.count_event(place, day, 0);
            return Ok(());
        };
        if !self.put(event, &owner, moment) {
            self.strangers += 1;
            return Ok(());
        }
        let oldest = self.order.now.timestamp() - OLDEST_DAYS * 86_400;
        self.review.too_old += u64::from(moment.utc < oldest);
        self.review.written += 1;
        let is_repeat = self.is_repeat();
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
    fn put(&mut self, event: &ExportedEvent<'_>, owner: &str, moment: EventMoment) -> bool {
        let Some((person, new_id)) = self.new_ids.find(owner) else {
            return false;
        };
        self.insert_id = self.key.hash_bytes(&event.identity(owner)).hex();
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
            &self.insert_id,
            "\",\"ip\":0",
        ] {
            line.extend_from_slice(part.as_bytes());
        }
        self.people.insert(person);
        self.review.people = self.people.len() as u64;
        for (number, (name, value)) in event.properties.iter().enumerate() {
            let Some((place, name_as_json)) = self.kept.get(&**name) else {
                self.review.drop_property(name);
                continue;
            };
            // A reader takes the last value of a repeated name.
            if event.properties[number + 1..]
                .iter()
                .any(|(other, _)| other == name)
            {
                continue;
            }
            for part in [",", name_as_json, ":", value] {
                self.line.extend_from_slice(part.as_bytes());
            }
            self.look_at(*place, value, moment);
        }
        self.line.extend_from_slice(b"}}");
        true
    }

    /// Whether the event just made has the `$insert_id` of an earlier one.
    fn is_repeat(&mut self) -> bool {
        let hash = self.search.hasher.hash(self.insert_id.as_bytes()) as u64;
        match self.insert_ids.len() < MOST_COMPARED {
            true => !self.insert_ids.insert(hash),
            false => self.insert_ids.contains(&hash),
        }
    }

    fn look_at(&mut self, place: usize, value: &str, moment: EventMoment) {
        let (mut found, is_new) = self.search.search(place, value);
        if self.order.time.is_undone_by(value, moment, self.order.zone) {
            found.add(ReviewFinding::ExactTime);
        }
        let kept = &mut self.review.kept[place];
        if kept.events == 0 && is_telling(&kept.name) {
            found.add(ReviewFinding::TellingName);
        }
        kept.events += 1;
        kept.findings.add(found);
        if is_new || !found.is_empty() {
            kept.sample(&text_of(value), found);
        }
    }

    fn findings_in_name(&self, name: &str) -> FindingSet {
        let mut found = FindingSet::default();
        search_text(self.search.needles, name, "", &mut found);
        if name.chars().count() > LONGEST_NAME {
            found.add(ReviewFinding::LongName);
        }
        found
    }
}

impl RecordSink for Rewriter<'_> {
    fn zone(&self) -> ProjectZone {
        self.order.zone
    }

    fn record(&mut self, text: &[u8]) -> Result<(), SplitError> {
        if self.is_beside {
            return Ok(());
        }
        match ExportRecord::of(text) {
            ExportRecord::Event(event) => self.event(&event),
            ExportRecord::Profile(..) | ExportRecord::Other => Ok(()),
            ExportRecord::Unreadable => {
                self.review.left_out.unreadable += 1;
                Ok(())
            }
        }
    }

    fn row(&mut self, _: RecordRow<'_>) -> Result<(), SplitError> {
        Ok(())
    }

    fn broken(&mut self, _: &[u8], piece: PiecePlace) -> Result<(), SplitError> {
        let begins = matches!(piece, PiecePlace::Whole | PiecePlace::First);
        self.review.left_out.unreadable += u64::from(begins && !self.is_beside);
        Ok(())
    }

    fn aside(&mut self, _: &[u8]) -> Result<(), SplitError> {
        Ok(())
    }
}

impl MemberSink for Rewriter<'_> {
    fn record_limit(&self) -> usize {
        Limits::default().record_bytes
    }

    fn root(&self) -> &Path {
        self.folder
    }

    fn begin_member(&mut self, name: &str, _: &'static str) {
        self.is_beside = is_beside(name);
    }

    fn keep_member(&mut self, _: &mut dyn BufRead) -> Result<(), MemberFault> {
        self.review.left_out.unreadable += u64::from(!self.is_beside);
        Ok(())
    }

    fn add_job_facts(
        &mut self,
        _: JobMember,
        _: RecordedNames,
        _: &[u8],
    ) -> Result<(), SplitError> {
        Ok(())
    }
}
