//! How a source is read: what its reader is told, and what it finds.

use std::borrow::Cow;

use super::format::Format;
use crate::intake::IntakeError;
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::{Fault, Problems};
use crate::intake::stream::unpack::Packing;

/// Where each raw value goes, with its place.
pub type ValueSink<'a> = &'a mut dyn FnMut(Place<'_>, &[u8]);

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
pub(crate) struct SourceName {
    pub(crate) label: String,
    /// Of the file's name, below that of a packing.
    pub(crate) extension: Option<String>,
    pub(crate) packing: Packing,
}

impl SourceName {
    pub(crate) fn on_line(&self, line: u64) -> Place<'_> {
        Place::on_line(&self.label, line)
    }

    pub(crate) fn fail(self, fault: Fault) -> IntakeError {
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
pub(crate) struct Values {
    pub(crate) count: usize,
    pub(crate) blank_lines: usize,
    pub(crate) delimiter: Option<u8>,
    pub(crate) column: Option<String>,
    pub(crate) problems: Problems,
}

impl Values {
    /// Hands an id on, or notes why there is none.
    pub(crate) fn hand(
        &mut self,
        place: Place<'_>,
        id: Result<Cow<'_, str>, Damage>,
        sink: ValueSink<'_>,
    ) {
        match id {
            Ok(id) => {
                self.count += 1;
                sink(place, id.as_bytes());
            }
            Err(damage) => self.problems.note(place, damage),
        }
    }

    pub(crate) fn into_reading(
        self,
        name: SourceName,
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
