//! Takes the column of ids from a table.

use std::io::Read;

use super::columns::{FirstRow, Layout, decide, find_heading, likeliest_delimiter};
use super::element::{each_in_list, is_plural};
use super::format::first_line;
use super::lines::Lines;
use super::problem::{Damage, LineDamage, Place};
use super::program;
use super::reader::{Name, Sink, Values};
use super::rows::{Cells, Row, Rows};
use super::rule::Look;
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
    let (delimiter, blank_lines) = begin(&mut lines, options, name)?;
    let mut rows = Rows::new(lines, delimiter);
    let mut table = Table {
        options,
        name,
        known: None,
        values: Values::default(),
    };
    table.values.blank_lines = blank_lines;
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

/// Decides what parts the fields; takes away the lines above the heading, and counts the blank ones.
///
/// # Errors
/// When the text cannot be read, or a program drew it.
pub(super) fn begin(
    lines: &mut Lines<impl Read>,
    options: &ReadOptions,
    name: &Name,
) -> Result<(u8, usize), IntakeError> {
    let failed = |error| name.failed(error);
    let beginning = lines.beginning().map_err(failed)?;
    let found = find_heading(beginning, options).map_err(|(line, program)| IntakeError::Drawn {
        label: name.label.clone(),
        line,
        program,
    })?;
    let first = first_line(beginning);
    let by_name = match name.extension.as_deref() {
        Some("tsv" | "tab") if first.contains(&b'\t') => Some(b'\t'),
        Some(_) | None => None,
    };
    let delimiter = match found.has_heading {
        true => found.delimiter,
        false => found.delimiter.or(by_name),
    };
    let delimiter = delimiter.unwrap_or_else(|| likeliest_delimiter(first));
    let mut blank_lines = 0;
    for _ in 0..found.above {
        lines.advance().map_err(failed)?;
        blank_lines += usize::from(lines.line().trim_ascii().is_empty());
    }
    Ok((delimiter, blank_lines))
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
    /// Whether a cell may hold a JSON list of ids.
    is_plural: bool,
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
            Ok(value) if known.is_plural && value.starts_with(b"[") => {
                let values = &mut self.values;
                let list = String::from_utf8_lossy(value);
                let each = each_in_list(&list, &mut |number, id| {
                    let element = Some(number);
                    let place = Place { element, ..place };
                    match id {
                        Ok(id) => {
                            values.count += 1;
                            sink(place, id.as_bytes());
                        }
                        Err(damage) => values.problems.note_line(place, damage),
                    }
                });
                if let Err(damage) = each {
                    self.values.problems.note_line(place, damage);
                }
            }
            Ok(value) => {
                self.values.count += 1;
                sink(place, value);
            }
            Err(damage) => {
                // What a program says stands across the columns.
                let program = cells.single_line().and_then(program::of);
                let look = program.map(|program| Damage::Look(Look::Program(program)));
                let problems = &mut self.values.problems;
                problems.note(place, look.unwrap_or(Damage::Line(damage)));
            }
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
    let is_plural = heading.as_deref().is_some_and(is_plural);
    Ok(Known {
        layout,
        heading,
        is_plural,
    })
}

impl Known {
    /// The heading, or the column's number counted from 1.
    fn column_name(&self) -> String {
        let number = || (self.layout.column + 1).to_string();
        self.heading.clone().unwrap_or_else(number)
    }
}
