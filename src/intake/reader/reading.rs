//! What a reader is told about a source, and what it finds.

use std::borrow::Cow;

use super::format::Format;
use crate::intake::IntakeError;
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::{Fault, Problems};
use crate::intake::stream::unpack::Packing;

/// Receives each raw value with its place.
pub type ValueSink<'a> = &'a mut dyn FnMut(Place<'_>, &[u8]);

/// How a source was read and what it held; shown with the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The name of the source in messages; never an id.
    pub label: String,
    pub format: Format,
    /// The field separator of a table with several columns.
    pub delimiter: Option<u8>,
    /// The heading or number of the id column, or the key; `None` if whole lines or elements are
    /// ids.
    pub column: Option<String>,
    /// The WHATWG name.
    pub encoding: &'static str,
    pub packing: Packing,
    /// The number of values, including repeated and damaged ones.
    pub values: usize,
    /// Lines that are empty or hold only delimiters.
    pub blank_lines: usize,
    /// The last line of JSON lines or of a list has no line end: more may have followed.
    pub is_unended: bool,
}

/// What messages and format detection need to know about the source.
pub(crate) struct SourceName {
    pub(crate) label: String,
    /// The file's extension, without that of a packing.
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

#[derive(Default)]
pub(crate) struct Values {
    pub(crate) count: usize,
    pub(crate) blank_lines: usize,
    pub(crate) is_unended: bool,
    pub(crate) delimiter: Option<u8>,
    pub(crate) column: Option<String>,
    pub(crate) problems: Problems,
}

impl Values {
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
            is_unended: self.is_unended,
        };
        (reading, self.problems)
    }
}
