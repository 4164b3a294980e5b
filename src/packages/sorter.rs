//! Files each record with its person, and the rest under `unassigned/`.

use std::borrow::Cow;
use std::io::BufRead;
use std::path::Path;

use super::content::Content;
use super::member::{Fault, Piece, Sink};
use super::owner::{Reason, owner};
use super::people::People;
use super::record::{self, Facts, Kind};
use super::spool::{Shelf, Spool};
use super::table::Row;
use super::tally::Names;
use super::{Limits, SplitError, Unassigned, unassigned};

pub(super) struct Sorter<'a> {
    people: &'a People<'a>,
    spool: Spool,
    unassigned: unassigned::Writer,
    record_limit: usize,
}

/// What the people have, sorted.
pub(super) struct Sorted {
    pub(super) shelves: Vec<Shelf>,
    pub(super) names: Names,
    pub(super) unassigned: Unassigned,
    pub(super) members: usize,
}

impl<'a> Sorter<'a> {
    pub(super) fn new(
        people: &'a People<'a>,
        root: &Path,
        limits: &Limits,
    ) -> Result<Self, SplitError> {
        Ok(Self {
            people,
            spool: Spool::new(people, root, limits.rows)?,
            unassigned: unassigned::Writer::new(root)?,
            record_limit: limits.record_bytes,
        })
    }

    /// The longest record that is read, in bytes.
    pub(super) fn record_limit(&self) -> usize {
        self.record_limit
    }

    pub(super) fn begin_member(&mut self, name: &str, content: Content) {
        self.unassigned.begin_member(name, content);
    }

    pub(super) fn keep_member(&mut self, bytes: &mut dyn BufRead) -> Result<(), Fault> {
        Ok(self.unassigned.add_member(bytes)??)
    }

    pub(super) fn finish(self) -> Result<Sorted, SplitError> {
        let members = self.unassigned.members();
        let (shelves, names) = self.spool.into_shelves();
        Ok(Sorted {
            shelves,
            names,
            unassigned: self.unassigned.finish()?,
            members,
        })
    }

    fn file(&mut self, facts: &Facts<'_>, line: &[u8]) -> Result<(), SplitError> {
        self.unassigned.count_record();
        let person = match owner(&facts.claims, self.people) {
            Ok(person) => person,
            Err(reason @ (Reason::NotAskedFor | Reason::NoOwner | Reason::Contradictory)) => {
                return self.unassigned.add_record(reason, line);
            }
        };
        match facts.kind {
            Kind::Event => self.spool.add_event(person, line, &facts.name, facts.time),
            Kind::Profile => self.spool.add_profile(person, line),
            Kind::Other => self.spool.add_other(person, line),
        }
    }
}

impl Sink for Sorter<'_> {
    fn record(&mut self, text: &[u8]) -> Result<(), SplitError> {
        let facts = std::str::from_utf8(text).ok().and_then(record::read);
        match facts {
            Some(facts) => self.file(&facts, &on_one_line(text)),
            None => self.unassigned.add_broken(text, Piece::Whole),
        }
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), SplitError> {
        self.file(&row.facts, row.json)
    }

    fn broken(&mut self, bytes: &[u8], piece: Piece) -> Result<(), SplitError> {
        self.unassigned.add_broken(bytes, piece)
    }

    fn aside(&mut self, bytes: &[u8]) -> Result<(), SplitError> {
        self.unassigned.add_aside(bytes)
    }
}

/// A record that goes over several lines, without the line ends and what indents its lines.
///
/// A text in JSON holds no raw line end, so nothing of the record's content is touched.
fn on_one_line(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\n') && !text.contains(&b'\r') {
        return Cow::Borrowed(text);
    }
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let lines: Vec<&[u8]> = lines.map(<[u8]>::trim_ascii).collect();
    Cow::Owned(lines.concat())
}
