//! Reads one source: opens it, unpacks it, decodes it, and has the reader of its format hand out
//! each raw value, or each event. Judges no value and keeps none.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::Encoding;

use super::events::EventTaker;
use super::feed::Meter;
use super::format::{Format, extension_of, recognise};
use super::lines::Lines;
use super::open::open;
use super::problem::{Damage, Fault, Place, Problems};
use super::unpack::{Packing, peek, unpack};
use super::{IntakeError, ReadOptions, Source, json, list, table, text, workbook};

/// What messages call the id on the command line.
pub(super) const ARGUMENT: &str = "the id on the command line";

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
    packing: Packing,
}

impl Name {
    pub(super) fn on_line(&self, line: u64) -> Place<'_> {
        Place::on_line(&self.label, line)
    }

    fn fail(self, fault: Fault) -> IntakeError {
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

    fn into_reading(
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

/// What is taken from a source.
pub(super) enum Wanted<'w, 's> {
    Ids(Sink<'s>),
    Events(&'w mut EventTaker<'s>),
}

/// Reads a source to its end and hands each value to `sink`, which is to judge it.
///
/// Returns how it was read (`None` for an id on the command line), and what is wrong with lines as
/// such. Holds no more than a few lines of it at a time, whatever its size.
///
/// # Errors
/// When it cannot be read to its end, or it is not clear what of it is an id.
pub(super) fn read(
    source: &Source,
    options: &ReadOptions,
    meter: &Meter,
    sink: Sink<'_>,
) -> Result<(Option<Reading>, Problems), IntakeError> {
    if let Source::Id(text) = source {
        sink(Place::nowhere_in(ARGUMENT), text.as_bytes());
        return Ok((None, Problems::default()));
    }
    let (reading, problems) = read_file(source, options, meter, Wanted::Ids(sink))?;
    Ok((Some(reading), problems))
}

/// Reads a file or standard input to its end.
///
/// # Errors
/// As [`read`].
pub(super) fn read_file(
    source: &Source,
    options: &ReadOptions,
    meter: &Meter,
    wanted: Wanted<'_, '_>,
) -> Result<(Reading, Problems), IntakeError> {
    let (bytes, extension): (Box<dyn Read>, _) = match source {
        Source::File(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (Box::new(meter.measure(open(path)?)), extension_of(&name))
        }
        Source::Stdin => (Box::new(meter.measure(io::stdin().lock())), None),
        Source::Id(_) => (Box::new(io::empty()), None),
    };
    read_stream(bytes, source.label(), extension, options, wanted)
}

/// Reads bytes as a file of this name is read.
///
/// # Errors
/// When they cannot be read to their end, or it is not clear what of them is an id.
pub fn read_bytes(
    bytes: &[u8],
    name: &str,
    options: &ReadOptions,
    sink: Sink<'_>,
) -> Result<(Reading, Problems), IntakeError> {
    let wanted = Wanted::Ids(sink);
    let label = format!("`{name}`");
    read_stream(Box::new(bytes), label, extension_of(name), options, wanted)
}

pub(super) fn read_stream(
    bytes: Box<dyn Read + '_>,
    label: String,
    extension: Option<String>,
    options: &ReadOptions,
    wanted: Wanted<'_, '_>,
) -> Result<(Reading, Problems), IntakeError> {
    let mut name = Name {
        label,
        extension,
        packing: Packing::None,
    };
    match read_named(bytes, &mut name, options, wanted) {
        Ok((values, format, encoding)) => Ok(values.into_reading(name, format, encoding)),
        Err(fault) => Err(name.fail(fault)),
    }
}

fn read_named(
    bytes: Box<dyn Read + '_>,
    name: &mut Name,
    options: &ReadOptions,
    wanted: Wanted<'_, '_>,
) -> Result<(Values, Format, &'static str), Fault> {
    let (head, bytes) = peek(bytes)?;
    let wanted = match wanted {
        Wanted::Ids(sink) if workbook::is_archive(&head) && options.format.is_none() => {
            let values = workbook::read(bytes, options, name, sink)?;
            return Ok((values, Format::Spreadsheet, "UTF-8"));
        }
        wanted => wanted,
    };
    let bytes = unpack(bytes, &mut name.packing)?;
    let (text, encoding) = text::decode(bytes, options.encoding)?;
    let mut lines = Lines::new(text, encoding);
    let format = recognise(lines.beginning()?, name.extension.as_deref(), options)?;
    let values = match (wanted, format) {
        (Wanted::Ids(sink), Format::Table) => table::read(lines, options, name, sink)?,
        (Wanted::Ids(sink), Format::List) => list::read(lines, options, name, sink)?,
        (Wanted::Events(taker), Format::Table) => taker.take_rows(lines, options, name)?,
        (Wanted::Ids(sink), Format::JsonLines | Format::JsonArray | Format::JsonDocument) => {
            json::read(lines, format, options, name, sink)?
        }
        (Wanted::Events(taker), Format::JsonLines | Format::JsonArray | Format::JsonDocument) => {
            taker.take_elements(lines, format, name)?
        }
        (Wanted::Ids(_) | Wanted::Events(_), Format::Spreadsheet)
        | (Wanted::Events(_), Format::List) => return Err(Fault::NoEvents),
    };
    Ok((values, format, encoding))
}

/// An encoding by any of the names that the WHATWG's standard has for it.
///
/// # Errors
/// When there is none of that name.
pub fn parse_encoding(label: &str) -> Result<&'static Encoding, String> {
    let found = Encoding::for_label_no_replacement(label.as_bytes());
    found.ok_or_else(|| {
        "no known encoding; try utf-8, utf-16le, windows-1252 or shift_jis".to_owned()
    })
}
