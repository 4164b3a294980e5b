//! Reads lines as ids, byte for byte, including delimiters and quotes. Other readers reuse the
//! loop.

use std::io::Read;

use super::columns::is_heading;
use super::reading::{Name, Sink, Values};
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::stream::lines::{Lines, Step};
use crate::intake::{Header, ReadOptions};

/// Passes each line that is not blank to `sink`. Fails when the text cannot be read, or its first
/// line is certainly a heading.
pub(crate) fn read(
    lines: Lines<impl Read>,
    options: &ReadOptions,
    name: &Name,
    sink: Sink<'_>,
) -> Result<Values, Fault> {
    each_line(lines, name, |line, place, values| {
        let is_first = values.count == 0 && options.header == Header::Expected;
        if is_first && is_heading(line) {
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
    mut lines: Lines<impl Read>,
    name: &Name,
    mut take: impl FnMut(&[u8], Place<'_>, &mut Values) -> Result<(), Fault>,
) -> Result<Values, Fault> {
    let mut values = Values::default();
    loop {
        let step = lines.advance()?;
        let place = name.on_line(lines.number());
        match step {
            Step::Line if lines.line().trim_ascii().is_empty() => values.blank_lines += 1,
            Step::Line => take(lines.line(), place, &mut values)?,
            Step::Damaged(damage) => values.problems.note(place, damage),
            Step::TooLong => {
                values.problems.note(place, Damage::TooLong);
                return Ok(values);
            }
            Step::End => return Ok(values),
        }
    }
}
