//! Files each record with its person, and the rest under `unassigned/`.

mod asked;
pub(super) mod job;
pub(super) mod newest;
pub(super) mod owner;
pub(super) mod spool;
pub(super) mod tally;
pub(super) mod unassigned;
pub(super) mod whole;

use std::borrow::Cow;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::archive::documented::{JobMember, RecordedNames};
use super::archive::sink::{MemberFault, MemberSink, PiecePlace, RecordRow, RecordSink};
use super::people::People;
use super::record::naming::{self, Unsure};
use super::record::nested::{self, Apart, Own};
use super::record::{self, RecordFacts, RecordKind, table};
use super::{Limits, SplitError, Unassigned};
use crate::domain::{DistinctId, ProjectZone};
use asked::AskedForms;
use job::{JobLists, JobWriter};
use owner::{Claims, Reason, owner};
use spool::{Shelf, ShelfSpool};
use tally::Names;
use unassigned::MemberReport;
use whole::ArchiveCounts;

/// How often the records of other ids are searched for ties. A longer chain makes all of them
/// doubtful.
const MOST_LOOKS: usize = 16;

pub(crate) struct Sorter<'a> {
    people: &'a People<'a>,
    root: PathBuf,
    spool: ShelfSpool,
    unassigned: unassigned::UnassignedWriter,
    job: JobWriter,
    record_limit: usize,
    zone: ProjectZone,
    taken_out: u64,
    /// Lists the people of the request's other jobs. Called once, at the first record of somebody
    /// else.
    elsewhere: &'a dyn Fn() -> Vec<DistinctId>,
    asked: AskedForms,
    /// Whether `asked` has the people already.
    knows_people: bool,
    seen: ArchiveCounts,
}

pub(crate) struct Sorted {
    pub(crate) shelves: Vec<Shelf>,
    pub(crate) names: Names,
    pub(crate) unassigned: Unassigned,
    pub(crate) members: Vec<MemberReport>,
    pub(crate) lists: JobLists,
    /// Records that were cut out of other people's records.
    pub(crate) taken_out: u64,
    pub(crate) seen: ArchiveCounts,
}

impl<'a> Sorter<'a> {
    pub(crate) fn new(
        people: &'a People<'a>,
        root: &Path,
        limits: &Limits,
        zone: ProjectZone,
        elsewhere: &'a dyn Fn() -> Vec<DistinctId>,
    ) -> Result<Self, SplitError> {
        Ok(Self {
            people,
            root: root.to_owned(),
            spool: ShelfSpool::new(people, root, limits.rows)?,
            unassigned: unassigned::UnassignedWriter::new(root)?,
            job: JobWriter::new(root),
            record_limit: limits.record_bytes,
            zone,
            taken_out: 0,
            elsewhere,
            asked: AskedForms::new(),
            knows_people: false,
            seen: ArchiveCounts::default(),
        })
    }

    pub(crate) fn finish(mut self) -> Result<Sorted, SplitError> {
        self.look_again()?;
        let (mut unassigned, members) = self.unassigned.finish()?;
        if self.spool.is_empty() {
            unassigned.others_only = std::mem::take(&mut unassigned.not_asked_for);
        }
        let (shelves, names) = self.spool.into_shelves();
        Ok(Sorted {
            shelves,
            names,
            unassigned,
            members,
            lists: self.job.into_lists(),
            taken_out: self.taken_out,
            seen: self.seen,
        })
    }

    fn file(&mut self, facts: &RecordFacts<'_>, line: &[u8]) -> Result<(), SplitError> {
        self.unassigned.count_record();
        self.seen.count(facts.kind);
        let person = match owner(&facts.claims, self.people) {
            Ok(person) => person,
            Err(Reason::NotAskedFor | Reason::NoOwner) if self.may_be_asked_for(line) => {
                return self.unassigned.add_record(Reason::MayBeAskedFor, line);
            }
            Err(reason) => return self.unassigned.add_record(reason, line),
        };
        self.asked.learn(facts, line);
        match facts.kind {
            RecordKind::Event => self.spool.add_event(person, line, facts),
            RecordKind::Profile => self.spool.add_profile(person, line, facts),
            RecordKind::Other => self.spool.add_other(person, line),
        }
    }

    /// Whether a record of no person here names a person of the request, exactly or nearly.
    fn may_be_asked_for(&mut self, line: &[u8]) -> bool {
        if !std::mem::replace(&mut self.knows_people, true) {
            let here = (0..self.people.count()).map(|person| self.people.id(person));
            here.for_each(|id| self.asked.ask_for(id));
            let elsewhere = (self.elsewhere)();
            elsewhere.iter().for_each(|id| self.asked.ask_for(id));
        }
        self.asked.are_named_in(&String::from_utf8_lossy(line))
    }

    /// Moves the records whose ids the archive ties to a person. A tie may come after its record,
    /// and may lead to another tie.
    fn look_again(&mut self) -> Result<(), SplitError> {
        let Self {
            asked, unassigned, ..
        } = self;
        for _ in 0..MOST_LOOKS {
            let before = asked.ties();
            let mut is_tied = |line: &[u8]| asked.are_tied_to(&String::from_utf8_lossy(line));
            if before == 0 || !unassigned.look_again(&mut is_tied)? || asked.ties() == before {
                return Ok(());
            }
        }
        unassigned.look_again(&mut |_| true)?;
        Ok(())
    }

    /// Files the inner records of other people, and returns the rest of the record. `None` if the
    /// owner of a part is uncertain.
    fn take_apart(
        &mut self,
        apart: Result<Apart, Unsure>,
        (claims, kind): (&Claims<'_>, RecordKind),
    ) -> Result<Option<String>, SplitError> {
        let Ok(Apart { outer, cut }) = apart else {
            return Ok(None);
        };
        if let Ok(person) = owner(claims, self.people) {
            self.spool.count_taken_out(person, kind, cut.len() as u64);
        }
        for inner in cut {
            self.taken_out += 1;
            self.record(inner.as_bytes())?;
        }
        Ok(Some(outer))
    }

    /// The same for the values of a row.
    fn take_row_apart(&mut self, row: &RecordRow<'_>) -> Result<Option<Vec<u8>>, SplitError> {
        let text = String::from_utf8_lossy(row.json);
        let own = Own::of(&text, &row.facts.claims, self.people);
        let mut left = serde_json::Map::new();
        let fields = serde_json::from_str::<serde_json::Map<String, Value>>(&text);
        for (name, value) in fields.unwrap_or_default() {
            if nested::is_foreign_name(table::without_number(&name), &own) {
                return Ok(None);
            }
            let value = match &value {
                Value::String(text) if naming::names_a_field(text) => {
                    let apart = nested::take_text_apart(text, &own);
                    match self.take_apart(apart, (&row.facts.claims, row.facts.kind))? {
                        Some(left) => Value::String(left),
                        None => return Ok(None),
                    }
                }
                _ => value,
            };
            left.insert(name, value);
        }
        Ok(Some(Value::Object(left).to_string().into_bytes()))
    }
}

impl RecordSink for Sorter<'_> {
    fn zone(&self) -> ProjectZone {
        self.zone
    }

    fn record(&mut self, text: &[u8]) -> Result<(), SplitError> {
        let zone = self.zone;
        let read = |text| Some((text, record::read(text, zone)?));
        let Some((whole, facts)) = std::str::from_utf8(text).ok().and_then(read) else {
            return self.unassigned.add_broken(text, PiecePlace::Whole);
        };
        if !facts.may_nest {
            return self.file(&facts, &on_one_line(text));
        }
        let own = Own::of(whole, &facts.claims, self.people);
        match self.take_apart(nested::take_apart(whole, &own), (&facts.claims, facts.kind))? {
            Some(left) => {
                // The cut may have removed the event's name. The owner is still that of the whole
                // record.
                let facts = match record::read(&left, zone) {
                    Some(left) => RecordFacts {
                        claims: facts.claims,
                        ..left
                    },
                    None => facts,
                };
                self.file(&facts, &on_one_line(left.as_bytes()))
            }
            None => self.unassigned.add_broken(text, PiecePlace::Whole),
        }
    }

    fn row(&mut self, mut row: RecordRow<'_>) -> Result<(), SplitError> {
        if !row.facts.may_nest {
            return self.file(&row.facts, row.json);
        }
        let left = self.take_row_apart(&row)?;
        let own = Own::of("", &row.facts.claims, self.people);
        let name = nested::take_text_apart(&row.facts.name, &own);
        if name.is_ok_and(|name| !name.cut.is_empty()) {
            row.facts.name = Cow::Borrowed("");
        }
        match left {
            Some(left) => self.file(&row.facts, &left),
            None => self.unassigned.add_broken(row.json, PiecePlace::Whole),
        }
    }

    fn broken(&mut self, bytes: &[u8], piece: PiecePlace) -> Result<(), SplitError> {
        self.unassigned.add_broken(bytes, piece)
    }

    fn aside(&mut self, bytes: &[u8]) -> Result<(), SplitError> {
        // Bytes that name a person are not just a page number.
        match memchr::memmem::find(bytes, b"distinct_id") {
            Some(_) => self.unassigned.add_broken(bytes, PiecePlace::Whole),
            None => self.unassigned.add_aside(bytes),
        }
    }
}

impl MemberSink for Sorter<'_> {
    fn record_limit(&self) -> usize {
        self.record_limit
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn begin_member(&mut self, name: &str, read_as: &'static str) {
        self.unassigned.begin_member(name, read_as);
    }

    fn keep_member(&mut self, bytes: &mut dyn BufRead) -> Result<(), MemberFault> {
        Ok(self.unassigned.add_member(bytes)??)
    }

    fn add_job_facts(
        &mut self,
        member: JobMember,
        facts: RecordedNames,
        text: &[u8],
    ) -> Result<(), SplitError> {
        let kept_as = self.job.add(member, facts, text)?;
        self.unassigned.kept(kept_as);
        Ok(())
    }
}

/// Joins the lines of a record without their indentation. A JSON string holds no raw line end, so
/// the content does not change.
pub(crate) fn on_one_line(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\n') && !text.contains(&b'\r') {
        return Cow::Borrowed(text);
    }
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let lines: Vec<&[u8]> = lines.map(<[u8]>::trim_ascii).collect();
    Cow::Owned(lines.concat())
}
