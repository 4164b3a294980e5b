//! Reads lines as ids, byte for byte, including delimiters and quotes. Other readers reuse the
//! loop.

use std::io::Read;

use super::columns::is_heading;
use super::reading::{SourceName, ValueSink, Values};
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::stream::lines::{LineStep, TextLines};
use crate::intake::{HeaderRow, ReadOptions};

/// Passes each line that is not blank to `sink`. Fails when the text cannot be read, or its first
/// line is certainly a heading.
pub(crate) fn read(
    lines: TextLines<impl Read>,
    options: &ReadOptions,
    name: &SourceName,
    sink: ValueSink<'_>,
) -> Result<Values, Fault> {
    each_line(lines, name, |line, place, values| {
        let is_first = values.count == 0 && options.header == HeaderRow::Expected;
        if is_first && is_heading(line, options) {
            return Err(Fault::HeadingInList);
        }
        values.count += 1;
        sink(place, line);
        Ok(())
    })
}

/// Calls `take` for each line that is not blank; `take` may note problems and count. Fails when the
/// text cannot be read, or `take` fails.
pub(crate) fn each_line(
    mut lines: TextLines<impl Read>,
    name: &SourceName,
    mut take: impl FnMut(&[u8], Place<'_>, &mut Values) -> Result<(), Fault>,
) -> Result<Values, Fault> {
    let mut values = Values::default();
    loop {
        let step = lines.advance()?;
        let place = name.on_line(lines.number());
        match step {
            LineStep::Line if lines.line().trim_ascii().is_empty() => values.blank_lines += 1,
            LineStep::Line => take(lines.line(), place, &mut values)?,
            LineStep::Damaged(damage) => values.problems.note(place, damage),
            LineStep::TooLong => {
                values.problems.note(place, Damage::TooLong);
                return Ok(values);
            }
            LineStep::End => {
                values.is_unended = lines.is_unended();
                return Ok(values);
            }
        }
    }
}
