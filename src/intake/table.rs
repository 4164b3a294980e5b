//! Reads one table in bounded steps: bytes, text, rows, values.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;

use super::columns::{FirstRow, Layout, decide, recognise_delimiter, to_names};
use super::feed::Meter;
use super::lines::UniformLines;
use super::problem::{Damage, IntakeError, Place, Problems};
use super::{ReadOptions, Source};

/// A row of ours behind the source's last: if it does not come back whole, a quote swallowed it.
/// No id can hold a NUL.
const END_MARK: &[u8] = b"\0end of source\0";
/// How much of the first line is looked at to recognise the delimiter.
const FIRST_LINE_BYTES: u64 = 64 * 1024;

/// Reads `source` to its end and hands each value of its id column to `take`.
///
/// Returns what is wrong with the rows themselves; the values are `take`'s to judge.
pub(super) fn read(
    source: &Source,
    options: &ReadOptions,
    meter: &Meter,
    take: &mut dyn FnMut(Place<'_>, &[u8]),
) -> Result<Problems, IntakeError> {
    let label = source.label();
    let failed = |source| IntakeError::Read {
        label: label.clone(),
        source,
    };
    let mut bytes = BufReader::with_capacity(1 << 16, meter.measure(open(source)?));
    let beginning = bytes.fill_buf().map_err(failed)?;
    if let Some(what) = recognise_binary(beginning) {
        return Err(IntakeError::NotText { label, what });
    }
    let decoded = DecodeReaderBytesBuilder::new()
        .utf8_passthru(true)
        .strip_bom(true)
        .build(bytes);
    let mut text = BufReader::with_capacity(1 << 16, UniformLines::new(decoded));
    let mut first_line = Vec::new();
    text.by_ref()
        .take(FIRST_LINE_BYTES)
        .read_until(b'\n', &mut first_line)
        .map_err(failed)?;
    let delimiter = options
        .delimiter
        .unwrap_or_else(|| recognise_delimiter(&first_line, options));
    let marked = Cursor::new(first_line)
        .chain(text)
        .chain(Cursor::new([b"\n", END_MARK, b"\n"].concat()));
    let rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(marked);
    read_rows(rows, options, &label, take)
}

fn read_rows(
    mut rows: csv::Reader<impl Read>,
    options: &ReadOptions,
    label: &str,
    take: &mut dyn FnMut(Place<'_>, &[u8]),
) -> Result<Problems, IntakeError> {
    let mut problems = Problems::default();
    let mut layout: Option<Layout> = None;
    let mut row = csv::ByteRecord::new();
    while rows
        .read_byte_record(&mut row)
        .map_err(|error| read_error(error, label))?
    {
        if row.len() == 1 && row.get(0) == Some(END_MARK) {
            return Ok(problems);
        }
        let place = Place {
            label,
            line: Some(first_line_of(&row, rows.position().line())),
        };
        // Only a row with a NUL can hold the mark.
        let bytes = row.as_slice();
        if bytes.contains(&0) && bytes.windows(END_MARK.len()).any(|part| part == END_MARK) {
            problems.note(place, Damage::OpenQuote);
            return Ok(problems);
        }
        let known = match layout.take() {
            Some(known) => known,
            None => {
                let known = decide(&to_names(&row), options, label)?;
                if known.first_row == FirstRow::Header {
                    layout = Some(known);
                    continue;
                }
                known
            }
        };
        match row.get(known.column) {
            Some(value) if row.len() == known.width => take(place, value),
            Some(_) | None => problems.note(
                place,
                Damage::Ragged {
                    expected: known.width,
                    found: row.len(),
                },
            ),
        }
        layout = Some(known);
    }
    // The mark is always the last row, or inside it.
    Ok(problems)
}

/// The line a row begins on, from the line that follows it; the parser's own word for the
/// beginning counts blank lines before the row to it.
fn first_line_of(row: &csv::ByteRecord, next_line: u64) -> u64 {
    let inside = row.as_slice().iter().filter(|byte| **byte == b'\n').count();
    next_line.saturating_sub(1 + inside as u64).max(1)
}

fn open(source: &Source) -> Result<Box<dyn Read>, IntakeError> {
    match source {
        Source::File(path) => {
            let failed = |source| IntakeError::Open {
                path: path.clone(),
                source,
            };
            let file = File::open(path).map_err(failed)?;
            if file.metadata().map_err(failed)?.is_dir() {
                return Err(IntakeError::Folder { path: path.clone() });
            }
            Ok(Box::new(file))
        }
        Source::Stdin => Ok(Box::new(io::stdin().lock())),
        Source::Id(text) => Ok(Box::new(Cursor::new(text.clone().into_bytes()))),
    }
}

fn recognise_binary(beginning: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 5] = [
        (b"PK\x03\x04", "a zip archive or a spreadsheet file"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet file"),
        (b"\x1f\x8b", "a gzip file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"PAR1", "a Parquet file"),
    ];
    let known = kinds.iter().find(|(magic, _)| beginning.starts_with(magic));
    known.map(|(_, what)| *what)
}

fn read_error(error: csv::Error, label: &str) -> IntakeError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    };
    IntakeError::Read {
        label: label.to_owned(),
        source,
    }
}
