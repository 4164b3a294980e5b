//! Takes the column of ids from a table.

use std::io::{self, Read};

use super::columns::{FirstRow, Layout, decide, declared_delimiter, recognise_delimiter};
use super::format::first_line;
use super::lines::{Lines, Step};
use super::problem::{LineDamage, Place};
use super::reader::{Name, Sink, Values};
use super::rows::{Cells, Row, Rows};
use super::{IntakeError, ReadOptions};

/// Hands each value of the id column to `sink`.
///
/// # Errors
/// When the text cannot be read, or it is not clear which column to take.
pub(super) fn read(
    mut lines: Lines<impl Read>,
    options: &ReadOptions,
    name: &Name,
    sink: Sink<'_>,
) -> Result<Values, IntakeError> {
    let delimiter = begin(&mut lines, options, name).map_err(|error| name.failed(error))?;
    let mut rows = Rows::new(lines, delimiter);
    let mut table = Table {
        options,
        name,
        known: None,
        values: Values::default(),
    };
    loop {
        let (number, row) = rows.advance().map_err(|error| name.failed(error))?;
        let place = name.on_line(number);
        match row {
            Row::End => break,
            Row::Blank => table.values.blank_lines += 1,
            Row::Whole(cells) => table.take(&cells, place, sink)?,
            Row::Damaged(damage) => {
                table.values.problems.note_line(place, damage);
                // Without the first row nothing is known of the others.
                if table.known.is_none() {
                    break;
                }
            }
            Row::Broken(damage) => {
                table.values.problems.note_line(place, damage);
                break;
            }
        }
    }
    let is_wide = table.known.is_some_and(|known| known.layout.width > 1);
    table.values.delimiter = is_wide.then_some(delimiter);
    Ok(table.values)
}

/// Decides what parts the fields; takes away a line that says so.
pub(super) fn begin(
    lines: &mut Lines<impl Read>,
    options: &ReadOptions,
    name: &Name,
) -> io::Result<u8> {
    let first = first_line(lines.beginning()?);
    if let Some(given) = options.delimiter {
        return Ok(given);
    }
    if let Some(declared) = declared_delimiter(first) {
        // Blank lines may stand before it.
        while lines.advance()? == Step::Line && lines.line().is_empty() {}
        return Ok(declared);
    }
    let by_name = match name.extension.as_deref() {
        Some("tsv" | "tab") if first.contains(&b'\t') => Some(b'\t'),
        Some(_) | None => None,
    };
    Ok(by_name.unwrap_or_else(|| recognise_delimiter(first, options)))
}

struct Table<'a> {
    options: &'a ReadOptions,
    name: &'a Name,
    /// From the first row on.
    known: Option<Known>,
    values: Values,
}

struct Known {
    layout: Layout,
    /// What the id column's heading says; `None` where there is no header.
    heading: Option<String>,
}

impl Table<'_> {
    #[inline]
    fn take(
        &mut self,
        cells: &Cells<'_>,
        place: Place<'_>,
        sink: Sink<'_>,
    ) -> Result<(), IntakeError> {
        let known = match &self.known {
            Some(known) => known,
            None => {
                let known = self
                    .known
                    .insert(first_row(cells, self.options, &self.name.label)?);
                self.values.column = Some(known.column_name());
                if known.heading.is_some() {
                    return Ok(());
                }
                known
            }
        };
        match cells.pick(known.layout.column, known.layout.width) {
            Ok(value)
                if known
                    .heading
                    .as_deref()
                    .is_some_and(|h| h.as_bytes() == value) =>
            {
                let problems = &mut self.values.problems;
                problems.note_line(place, LineDamage::RepeatedHeading);
            }
            Ok(value) => {
                self.values.count += 1;
                sink(place, value);
            }
            Err(damage) => self.values.problems.note_line(place, damage),
        }
        Ok(())
    }
}

fn first_row(cells: &Cells<'_>, options: &ReadOptions, label: &str) -> Result<Known, IntakeError> {
    let mut names = cells.to_names();
    let layout = decide(&names, options, label)?;
    let heading = match layout.first_row {
        FirstRow::Header => Some(names.swap_remove(layout.column)),
        FirstRow::Data => None,
    };
    Ok(Known { layout, heading })
}

impl Known {
    /// The heading, or the column's number counted from 1.
    fn column_name(&self) -> String {
        let number = || (self.layout.column + 1).to_string();
        self.heading.clone().unwrap_or_else(number)
    }
}
