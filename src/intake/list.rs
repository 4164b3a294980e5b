//! Takes each line as an id, byte for byte: delimiters and quotes are part of it.

use std::io::Read;

use super::columns::is_heading;
use super::lines::{Lines, Step};
use super::problem::LineDamage;
use super::reader::{Name, Sink, Values};
use super::{Header, IntakeError, ReadOptions};

/// Hands each line that is not blank to `sink`.
///
/// # Errors
/// When the text cannot be read, or its first line is surely a heading.
pub(super) fn read(
    mut lines: Lines<impl Read>,
    options: &ReadOptions,
    name: &Name,
    sink: Sink<'_>,
) -> Result<Values, IntakeError> {
    let mut values = Values::default();
    loop {
        let step = lines.advance().map_err(|error| name.failed(error))?;
        let place = name.on_line(lines.number());
        match step {
            Step::Line if lines.line().trim_ascii().is_empty() => values.blank_lines += 1,
            Step::Line => {
                let is_first = values.count == 0 && options.header == Header::Expected;
                if is_first && is_heading(lines.line()) {
                    let label = name.label.clone();
                    return Err(IntakeError::HeadingInList { label });
                }
                values.count += 1;
                sink(place, lines.line());
            }
            Step::Damaged(damage) => values.problems.note_line(place, damage),
            Step::TooLong => {
                values.problems.note_line(place, LineDamage::TooLong);
                return Ok(values);
            }
            Step::End => return Ok(values),
        }
    }
}
