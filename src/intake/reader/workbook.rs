//! Reads the id column of an .xlsx or .ods file: texts as they are, and whole numbers of at most 15
//! digits.
//!
//! Such a file can only be read as a whole, so limits keep a small file from filling the memory.

use std::io::{self, Cursor, Read};

use calamine::{Data, Ods, Reader, Xlsx};
use memchr::memmem;
use zip::ZipArchive;

use super::columns::{MOST_ABOVE, is_title, names_ids};
use super::reading::{SourceName, ValueSink, Values};
use super::rows::Cells;
use super::table::TableReader;
use crate::intake::damage::Damage;
use crate::intake::judge::look::Look;
use crate::intake::problem::Fault;
use crate::intake::{HeaderRow, ReadOptions};

/// The largest file and the most that its members may unpack to, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;
const MAX_UNPACKED_BYTES: u64 = 512 << 20;
const MAX_MEMBERS: usize = 4096;
/// An .ods file can repeat cells and rows by a number.
const MAX_CELLS: usize = 16 << 20;
const MAX_COLUMNS: usize = 16_384;
/// Numbers from here on have more than the 15 digits that a spreadsheet keeps.
const INEXACT: f64 = 1e15;

const TOO_LARGE: &str = "it is too large";
const UNREADABLE: &str = "it is damaged, or another kind of zip archive";

/// Whether the file begins like a zip archive; .xlsx and .ods are zip archives.
pub(crate) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// A cell's text, or why it cannot be an id.
type Cell = Result<String, Damage>;

/// A row's number, from 1, and its cells.
type SheetRow = (u64, Vec<Cell>);

/// Passes each value of the id column to `sink`. Fails when the file cannot be read, is too large,
/// or it is not clear which sheet or column to take.
pub(crate) fn read(
    bytes: impl Read,
    options: &ReadOptions,
    name: &SourceName,
    sink: ValueSink<'_>,
) -> Result<Values, Fault> {
    let mut file = Vec::new();
    let mut bounded = bytes.take(MAX_FILE_BYTES + 1);
    bounded.read_to_end(&mut file)?;
    if file.len() as u64 > MAX_FILE_BYTES {
        return Err(Fault::Workbook(TOO_LARGE));
    }
    let is_open_document = check_members(&file).map_err(Fault::Workbook)?;
    let mut sheets = match is_open_document {
        true => open_document(file),
        false => workbook(file),
    }
    .map_err(Fault::Workbook)?;
    if sheets.len() > 1 {
        let names = sheets.into_iter().map(|(sheet, _)| sheet);
        return Err(Fault::SeveralSheets(names.collect()));
    }
    let rows = sheets.pop().map(|(_, rows)| rows).unwrap_or_default();
    let mut table = TableReader::new(options);
    let mut values = Values::default();
    for (number, cells) in &rows[lines_above(&rows, options)..] {
        let place = name.on_line(*number);
        table.take(&Cells::Sheet(cells), place, &mut values, sink)?;
    }
    Ok(values)
}

/// Unpacks each member once, to enforce the limits. Returns whether the file is an .ods file.
fn check_members(file: &[u8]) -> Result<bool, &'static str> {
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(|_| UNREADABLE)?;
    if archive.len() > MAX_MEMBERS {
        return Err(TOO_LARGE);
    }
    let mut left = MAX_UNPACKED_BYTES;
    let mut content = None;
    for number in 0..archive.len() {
        let member = archive.by_index(number).map_err(|_| UNREADABLE)?;
        let is_content = member.name().is_ok_and(|name| name == "content.xml");
        let mut bounded = member.take(left + 1);
        let count = if is_content {
            let mut text = Vec::new();
            let count = bounded.read_to_end(&mut text).map_err(|_| UNREADABLE)?;
            content = Some(text);
            count as u64
        } else {
            io::copy(&mut bounded, &mut io::sink()).map_err(|_| UNREADABLE)?
        };
        left = left.checked_sub(count).ok_or(TOO_LARGE)?;
    }
    if let Some(content) = &content
        && cells_of(content) > MAX_CELLS
    {
        return Err(TOO_LARGE);
    }
    Ok(content.is_some())
}

/// An upper bound of the cells in an .ods file, up to the last filled row and column.
fn cells_of(content: &[u8]) -> usize {
    let (mut rows, mut filled_rows, mut widest) = (0_usize, 0, 0);
    for row in parts(content, b"<table:table-row") {
        rows = rows.saturating_add(times(row, b"number-rows-repeated=\""));
        let (mut columns, mut filled) = (0_usize, 0);
        for cell in parts(row, b"table-cell") {
            columns = columns.saturating_add(times(cell, b"number-columns-repeated=\""));
            let is_filled = [
                &b"<text:p"[..],
                b"office:value",
                b"table:formula",
                b"-value=",
            ]
            .iter()
            .any(|mark| memmem::find(cell, mark).is_some());
            if is_filled {
                filled = columns;
            }
        }
        if filled > 0 {
            filled_rows = rows;
            widest = widest.max(filled);
        }
    }
    filled_rows.saturating_mul(widest)
}

/// The text after each `mark`, up to the next one.
fn parts<'t>(text: &'t [u8], mark: &'static [u8]) -> impl Iterator<Item = &'t [u8]> {
    let starts: Vec<usize> = memmem::find_iter(text, mark).collect();
    let ends: Vec<usize> = starts.iter().copied().skip(1).chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .map(|(start, end)| &text[start..end])
}

/// The value of a number attribute of the first tag; 1 if missing.
fn times(element: &[u8], attribute: &[u8]) -> usize {
    let tag = element
        .split(|byte| *byte == b'>')
        .next()
        .unwrap_or_default();
    let Some(start) = memmem::find(tag, attribute) else {
        return 1;
    };
    let digits = tag[start + attribute.len()..]
        .split(|byte| *byte == b'"')
        .next();
    let number = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    number.unwrap_or(usize::MAX)
}

/// The sheets that are not empty.
fn workbook(file: Vec<u8>) -> Result<Vec<(String, Vec<SheetRow>)>, &'static str> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).map_err(|_| UNREADABLE)?;
    let mut sheets = Vec::new();
    for sheet in book.sheet_names() {
        let mut cells = book
            .worksheet_cells_reader(&sheet)
            .map_err(|_| UNREADABLE)?;
        let mut rows: Vec<SheetRow> = Vec::new();
        while let Some(cell) = cells.next_cell().map_err(|_| UNREADABLE)? {
            let (row, column) = cell.get_position();
            let (number, column) = (u64::from(row) + 1, column as usize);
            let value = Data::from(cell.get_value().clone());
            if value == Data::Empty {
                continue;
            }
            let last = rows.last().map_or(0, |(number, _)| *number);
            if number < last || column >= MAX_COLUMNS {
                return Err(UNREADABLE);
            }
            if number > last {
                rows.push((number, Vec::new()));
            }
            if let Some((_, cells)) = rows.last_mut() {
                cells.resize(cells.len().max(column + 1), Ok(String::new()));
                cells[column] = text_of(&value);
            }
        }
        if !rows.is_empty() {
            sheets.push((sheet, rows));
        }
    }
    Ok(sheets)
}

fn open_document(file: Vec<u8>) -> Result<Vec<(String, Vec<SheetRow>)>, &'static str> {
    let mut book: Ods<_> = Ods::new(Cursor::new(file)).map_err(|_| UNREADABLE)?;
    let mut sheets = Vec::new();
    for sheet in book.sheet_names() {
        let range = book.worksheet_range(&sheet).map_err(|_| UNREADABLE)?;
        let Some((first, _)) = range.start() else {
            continue;
        };
        let rows = (u64::from(first) + 1..).zip(range.rows());
        let rows = rows.filter(|(_, cells)| cells.iter().any(|cell| *cell != Data::Empty));
        let rows: Vec<SheetRow> = rows
            .map(|(number, cells)| (number, cells.iter().map(text_of).collect()))
            .collect();
        if !rows.is_empty() {
            sheets.push((sheet, rows));
        }
    }
    Ok(sheets)
}

fn text_of(value: &Data) -> Cell {
    let not_an_id = |what| Err(Damage::NotAnId(what));
    match value {
        Data::Empty => Ok(String::new()),
        Data::String(text) => Ok(text.clone()),
        Data::Int(number) if number.unsigned_abs() < INEXACT as u64 => Ok(number.to_string()),
        Data::Float(number) if number.fract() != 0.0 => not_an_id("a number with a fraction"),
        Data::Float(number) if number.abs() < INEXACT => Ok(format!("{number:.0}")),
        Data::Int(_) | Data::Float(_) => {
            not_an_id("a number of more digits than a spreadsheet keeps")
        }
        Data::Bool(_) => not_an_id("true or false"),
        Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_) => {
            Err(Damage::Look(Look::Date))
        }
        Data::Error(_) => Err(Damage::Look(Look::SpreadsheetError)),
    }
}

/// How many lines are above the heading; 0 if there is no heading or they are not titles.
fn lines_above(rows: &[SheetRow], options: &ReadOptions) -> usize {
    let names = |row: &SheetRow| Cells::Sheet(&row.1).to_names();
    let is_heading = |row: &SheetRow| names_ids(&names(row), options);
    let heading = match options.header {
        HeaderRow::Expected => rows.iter().take(MOST_ABOVE).position(is_heading),
        HeaderRow::Absent => None,
    };
    let are_titles = |count: &usize| rows[..*count].iter().all(|row| is_title(&names(row)));
    heading.filter(are_titles).unwrap_or(0)
}
