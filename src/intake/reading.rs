//! How a source is read: what its reader is told, and what it finds.

use std::borrow::Cow;

use super::IntakeError;
use super::damage::Damage;
use super::format::Format;
use super::place::Place;
use super::problem::{Fault, Problems};
use super::unpack::Packing;

/// Where each raw value goes, with its place.
pub type Sink<'a> = &'a mut dyn FnMut(Place<'_>, &[u8]);

/// How a source was read, and what was in it; shown with the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What messages call the source; never an id.
    pub label: String,
    pub format: Format,
    /// The byte between two fields of a table, if it has several columns.
    pub delimiter: Option<u8>,
    /// The id column's heading, or its number, or the key; `None` where whole lines or elements
    /// are ids.
    pub column: Option<String>,
    /// As the WHATWG calls it.
    pub encoding: &'static str,
    pub packing: Packing,
    /// How many values it held, repeated and damaged ones included.
    pub values: usize,
    /// Lines without anything on them, or with delimiters only.
    pub blank_lines: usize,
}

/// What messages need to know of the source that is read.
pub(super) struct Name {
    pub(super) label: String,
    /// Of the file's name, below that of a packing.
    pub(super) extension: Option<String>,
    pub(super) packing: Packing,
}

impl Name {
    pub(super) fn on_line(&self, line: u64) -> Place<'_> {
        Place::on_line(&self.label, line)
    }

    pub(super) fn fail(self, fault: Fault) -> IntakeError {
        let label = self.label;
        match (fault, self.packing) {
            (Fault::Io(source), Packing::None) => IntakeError::Read { label, source },
            (Fault::Io(source), _) => IntakeError::Unpack { label, source },
            (fault, _) => fault.of(label),
        }
    }
}

/// What the reader of a format found.
#[derive(Default)]
pub(super) struct Values {
    pub(super) count: usize,
    pub(super) blank_lines: usize,
    pub(super) delimiter: Option<u8>,
    pub(super) column: Option<String>,
    pub(super) problems: Problems,
}

impl Values {
    /// Hands an id on, or notes why there is none.
    pub(super) fn hand(
        &mut self,
        place: Place<'_>,
        id: Result<Cow<'_, str>, Damage>,
        sink: Sink<'_>,
    ) {
        match id {
            Ok(id) => {
                self.count += 1;
                sink(place, id.as_bytes());
            }
            Err(damage) => self.problems.note(place, damage),
        }
    }

    pub(super) fn into_reading(
        self,
        name: Name,
        format: Format,
        encoding: &'static str,
    ) -> (Reading, Problems) {
        let reading = Reading {
            label: name.label,
            format,
            delimiter: self.delimiter,
            column: self.column,
            encoding,
            packing: name.packing,
            values: self.count,
            blank_lines: self.blank_lines,
        };
        (reading, self.problems)
    }
}
