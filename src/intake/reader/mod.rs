//! Reads one source: opens, unpacks and decodes it, and passes on each raw value or record. Judges
//! no value and keeps none.

pub(super) mod columns;
pub(super) mod element;
pub(super) mod format;
pub(super) mod json;
pub(super) mod list;
pub(super) mod reading;
pub(super) mod rows;
pub(super) mod table;
pub(super) mod workbook;

use std::io::{self, Read};

use super::place::Place;
use super::problem::{Fault, Problems};
use super::records::RecordReader;
use super::stream::lines::TextLines;
use super::stream::meter::Meter;
use super::stream::open::open;
use super::stream::text;
use super::stream::unpack::{Packing, peek, unpack};
use super::{IntakeError, ReadOptions, Source};
use format::{Format, extension_of, recognise};
use reading::{Reading, SourceName, ValueSink, Values};

/// The name of an id or a value from the command line in messages.
pub(crate) fn argument(options: &ReadOptions) -> &'static str {
    match options.property {
        Some(_) => "the value on the command line",
        None => "the id on the command line",
    }
}

pub(crate) enum Wanted<'w, 's> {
    Values(ValueSink<'s>),
    Records(&'w mut RecordReader<'s>),
}

/// Reads a source to its end and passes each value to `sink`. Holds only a few lines in memory.
///
/// Returns how the source was read (`None` for an id on the command line), and its damaged lines.
///
/// # Errors
/// When the source cannot be read to its end, or it is not clear where the ids are.
pub(crate) fn read(
    source: &Source,
    options: &ReadOptions,
    meter: &Meter,
    sink: ValueSink<'_>,
) -> Result<(Option<Reading>, Problems), IntakeError> {
    if let Source::Id(text) = source {
        sink(Place::nowhere_in(argument(options)), text.as_bytes());
        return Ok((None, Problems::default()));
    }
    let (reading, problems) = read_file(source, options, meter, Wanted::Values(sink))?;
    Ok((Some(reading), problems))
}

/// Reads a file or standard input to its end.
///
/// # Errors
/// The same as [`read`].
pub(crate) fn read_file(
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

/// Reads bytes like a file with this name.
///
/// # Errors
/// When the bytes cannot be read to their end, or it is not clear where the ids are.
pub fn read_bytes(
    bytes: &[u8],
    name: &str,
    options: &ReadOptions,
    sink: ValueSink<'_>,
) -> Result<(Reading, Problems), IntakeError> {
    let wanted = Wanted::Values(sink);
    let label = format!("`{name}`");
    read_stream(Box::new(bytes), label, extension_of(name), options, wanted)
}

pub(crate) fn read_stream(
    bytes: Box<dyn Read + '_>,
    label: String,
    extension: Option<String>,
    options: &ReadOptions,
    wanted: Wanted<'_, '_>,
) -> Result<(Reading, Problems), IntakeError> {
    let mut name = SourceName {
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
    name: &mut SourceName,
    options: &ReadOptions,
    wanted: Wanted<'_, '_>,
) -> Result<(Values, Format, &'static str), Fault> {
    let (head, bytes) = peek(bytes)?;
    let wanted = match wanted {
        Wanted::Values(sink) if workbook::is_archive(&head) && options.format.is_none() => {
            let values = workbook::read(bytes, options, name, sink)?;
            return Ok((values, Format::Spreadsheet, "UTF-8"));
        }
        wanted => wanted,
    };
    let bytes = unpack(bytes, &mut name.packing)?;
    let (text, encoding) = text::decode(bytes, options.encoding)?;
    let mut lines = TextLines::new(text, encoding);
    let format = recognise(lines.beginning()?, name.extension.as_deref(), options)?;
    let values = match (wanted, format) {
        (Wanted::Values(sink), Format::Table) => table::read(lines, options, name, sink)?,
        (Wanted::Values(sink), Format::List) => list::read(lines, options, name, sink)?,
        (Wanted::Records(reader), Format::Table) => reader.take_rows(lines, options, name)?,
        (Wanted::Values(sink), Format::JsonLines | Format::JsonArray | Format::JsonDocument) => {
            json::read(lines, format, options, name, sink)?
        }
        (Wanted::Records(reader), Format::JsonLines | Format::JsonArray | Format::JsonDocument) => {
            reader.take_elements(lines, format, name)?
        }
        (Wanted::Values(_), Format::Spreadsheet) => return Err(Fault::Workbook("it is text")),
        (Wanted::Records(reader), Format::List | Format::Spreadsheet) => {
            return Err(Fault::NoRecords(reader.taker.what()));
        }
    };
    Ok((values, format, encoding))
}
