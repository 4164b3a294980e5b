//! Reads the id column of a table.

use std::io::Read;

use super::columns::{ColumnLayout, decide, find_heading, first_line, likeliest_delimiter};
use super::element::each_in_list;
use super::reading::{SourceName, ValueSink, Values};
use super::rows::{Cells, TableRow, TableRows};
use crate::intake::ReadOptions;
use crate::intake::damage::Damage;
use crate::intake::judge::look::Look;
use crate::intake::judge::{program, words};
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::stream::lines::TextLines;

/// Passes each value of the id column to `sink`. Fails when the text cannot be read, or it is not
/// clear which column to take.
pub(crate) fn read(
    lines: TextLines<impl Read>,
    options: &ReadOptions,
    name: &SourceName,
    sink: ValueSink<'_>,
) -> Result<Values, Fault> {
    let (mut rows, mut values) = begin(lines, options, name)?;
    let mut table = TableReader::new(options);
    each_row(&mut rows, &mut values, name, |cells, place, values| {
        table.take(cells, place, values, sink)
    })?;
    let is_wide = table.layout.is_some_and(|layout| layout.width > 1);
    values.delimiter = is_wide.then_some(rows.delimiter);
    Ok(values)
}

/// Finds the field separator, and skips and counts the lines above the heading. Fails when the text
/// cannot be read, or a program drew the table.
pub(crate) fn begin<R: Read>(
    mut lines: TextLines<R>,
    options: &ReadOptions,
    name: &SourceName,
) -> Result<(TableRows<R>, Values), Fault> {
    let beginning = lines.beginning()?;
    let found = find_heading(beginning, options)?;
    let first = first_line(beginning);
    let is_named = matches!(name.extension.as_deref(), Some("tsv" | "tab"));
    let by_name = (is_named && first.contains(&b'\t')).then_some(b'\t');
    let delimiter = found.delimiter.or(by_name);
    let delimiter = delimiter.unwrap_or_else(|| likeliest_delimiter(first));
    let mut values = Values::default();
    for _ in 0..found.above {
        lines.advance()?;
        values.blank_lines += usize::from(lines.line().trim_ascii().is_empty());
    }
    Ok((TableRows::new(lines, delimiter), values))
}

/// Calls `take` for each undamaged row; `take` may note problems and count. Fails when the text
/// cannot be read, or `take` fails.
#[inline]
pub(crate) fn each_row(
    rows: &mut TableRows<impl Read>,
    values: &mut Values,
    name: &SourceName,
    mut take: impl FnMut(&Cells<'_>, Place<'_>, &mut Values) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut is_first = true;
    loop {
        let (number, row) = rows.advance()?;
        let place = name.on_line(number);
        match row {
            TableRow::End => return Ok(()),
            TableRow::Blank => values.blank_lines += 1,
            TableRow::Whole(cells) => {
                take(&cells, place, values)?;
                is_first = false;
            }
            // Without the first row the columns are unknown.
            TableRow::Damaged(damage) if !is_first => values.problems.note(place, damage),
            TableRow::Damaged(damage) | TableRow::Broken(damage) => {
                values.problems.note(place, damage);
                return Ok(());
            }
        }
    }
}

/// Takes rows one by one; the first row decides which column holds the ids.
pub(crate) struct TableReader<'a> {
    options: &'a ReadOptions,
    layout: Option<ColumnLayout>,
}

impl<'a> TableReader<'a> {
    pub(crate) fn new(options: &'a ReadOptions) -> Self {
        let layout = None;
        Self { options, layout }
    }

    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        cells: &Cells<'_>,
        place: Place<'_>,
        values: &mut Values,
        sink: ValueSink<'_>,
    ) -> Result<(), Fault> {
        if self.layout.is_none() {
            let layout = decide(&cells.to_names(), self.options)?;
            values.column = Some(layout.column_name());
            if self.layout.insert(layout).heading.is_some() {
                return Ok(());
            }
        }
        let Some(layout) = &self.layout else {
            return Ok(());
        };
        let heading = layout.heading.as_deref().map(str::as_bytes);
        match cells.pick(layout.column, layout.width) {
            Ok(value) if heading == Some(value) => {
                values.problems.note(place, Damage::RepeatedHeading);
            }
            Ok(value) if layout.is_plural && value.starts_with(b"[") => {
                each_in_list(&String::from_utf8_lossy(value), &mut |number, id| {
                    values.hand(place.in_element(number), id, sink);
                });
            }
            Ok(value) if layout.width > 1 && is_number(value) && self.is_total(cells, value) => {
                values.problems.note(place, Damage::Look(Look::Total));
            }
            Ok(value) => {
                values.count += 1;
                sink(place, value);
            }
            Err(damage) => {
                // A program's message goes across the columns.
                let look = cells.single_line().and_then(program::of).map(Damage::Look);
                values.problems.note(place, look.unwrap_or(damage));
            }
        }
        Ok(())
    }

    /// Whether the row holds only numbers and a word for a total.
    #[cold]
    fn is_total(&self, cells: &Cells<'_>, value: &[u8]) -> bool {
        let says = |field: &[u8]| words::look_of(text_of(field)) == Some(Look::Total);
        let is_bare = |field: &[u8]| is_number(field) || field.trim_ascii().is_empty();
        cells.all(|field| is_bare(field) || says(field))
            && !cells.all(is_bare)
            && !self.options.check.allowed.contains(text_of(value))
    }
}

fn text_of(field: &[u8]) -> &str {
    std::str::from_utf8(field).unwrap_or_default()
}

fn is_number(field: &[u8]) -> bool {
    let digits = field.trim_ascii();
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}
