//! Takes ids from JSON lines and from JSON documents, an element at a time; other readers may have
//! the elements, too.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::element::Shape;
use super::lines::{Lines, MAX_LINE_BYTES, Step};
use super::problem::{LineDamage, Place};
use super::reader::{Name, Sink, Values};
use super::{IntakeError, ReadOptions};

/// What an element is taken by; it may note problems and count.
pub(super) type Take<'t> =
    &'t mut dyn FnMut(&[u8], Place<'_>, &mut Values) -> Result<(), IntakeError>;

/// The ids in one JSON value a line.
///
/// # Errors
/// When the text cannot be read, or it is not clear which key holds the ids.
pub(super) fn read_lines(
    lines: Lines<impl Read>,
    options: &ReadOptions,
    name: &Name,
    sink: Sink<'_>,
) -> Result<Values, IntakeError> {
    let mut elements = Elements::new(options, name, sink);
    each_line(lines, name, &mut |element, place, values| {
        elements.take(element, place, values)
    })
}

/// The ids in one array of values, or in values one after the other, on as many lines as they like.
///
/// # Errors
/// As [`read_lines`].
pub(super) fn read_document(
    text: impl Read,
    options: &ReadOptions,
    name: &Name,
    sink: Sink<'_>,
) -> Result<Values, IntakeError> {
    let mut elements = Elements::new(options, name, sink);
    each_in_document(text, name, &mut |element, place, values| {
        elements.take(element, place, values)
    })
}

/// Hands out each line that is not blank.
///
/// # Errors
/// When the text cannot be read, and those of `take`.
pub(super) fn each_line(
    mut lines: Lines<impl Read>,
    name: &Name,
    take: Take<'_>,
) -> Result<Values, IntakeError> {
    let mut values = Values::default();
    loop {
        let step = lines.advance().map_err(|error| name.failed(error))?;
        let place = name.on_line(lines.number());
        match step {
            Step::Line if lines.line().trim_ascii().is_empty() => values.blank_lines += 1,
            Step::Line => take(lines.line(), place, &mut values)?,
            Step::Damaged(damage) => values.problems.note_line(place, damage),
            Step::TooLong => {
                values.problems.note_line(place, LineDamage::TooLong);
                return Ok(values);
            }
            Step::End => return Ok(values),
        }
    }
}

/// Hands out each element of an array, or each value where there is none.
///
/// # Errors
/// When the text cannot be read, and those of `take`.
pub(super) fn each_in_document(
    text: impl Read,
    name: &Name,
    take: Take<'_>,
) -> Result<Values, IntakeError> {
    let count = Count::default();
    let metered = Metered {
        inner: BufReader::with_capacity(64 << 10, text),
        count: &count,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(metered);
    let mut document = Document {
        take,
        name,
        values: Values::default(),
        count: &count,
        list: List::Outside,
        fatal: None,
    };
    let error = loop {
        match deserializer.end() {
            Ok(()) => return Ok(document.values),
            Err(error) if error.classify() == Category::Io => break error,
            // Something follows, and its first byte was looked at.
            Err(error) if document.list == List::Closed => break error,
            Err(_) => {}
        }
        let read = match count.last.get() {
            b'[' => deserializer.deserialize_seq(&mut document),
            _ => (&mut document).deserialize(&mut deserializer),
        };
        if let Err(error) = read {
            break error;
        }
    };
    let is_in_list = matches!(document.list, List::Open(_));
    let damage = match (document.fatal, error.classify()) {
        (Some(fatal), _) => return Err(fatal),
        (None, Category::Io) if count.is_exceeded() => LineDamage::TooLong,
        (None, Category::Io) => return Err(name.failed(error.into())),
        (None, _) if document.list == List::Closed => LineDamage::TextAfterList,
        (None, Category::Eof) if is_in_list => LineDamage::UnfinishedList,
        (None, Category::Eof) => LineDamage::UnfinishedJson,
        (None, Category::Syntax | Category::Data) => LineDamage::BrokenJson {
            column: error.column(),
        },
    };
    let mut values = document.values;
    let element = match document.list {
        List::Open(number) => Some(number + 1),
        List::Outside | List::Closed => None,
    };
    let place = Place {
        element,
        ..name.on_line(count.line.get())
    };
    values.problems.note_line(place, damage);
    Ok(values)
}

/// Judges elements one after the other; the first one decides where the ids are.
struct Elements<'a, 's> {
    column: Option<&'a str>,
    name: &'a Name,
    sink: Sink<'s>,
    shape: Option<Shape>,
}

impl<'a, 's> Elements<'a, 's> {
    fn new(options: &'a ReadOptions, name: &'a Name, sink: Sink<'s>) -> Self {
        Self {
            column: options.column.as_deref(),
            name,
            sink,
            shape: None,
        }
    }

    fn take(
        &mut self,
        element: &[u8],
        place: Place<'_>,
        values: &mut Values,
    ) -> Result<(), IntakeError> {
        let shape = match &self.shape {
            Some(shape) => shape,
            None => match Shape::decide(element, self.column, &self.name.label)? {
                Ok(Some(shape)) => {
                    values.column = shape.key_name();
                    self.shape.insert(shape)
                }
                Ok(None) => return Ok(()),
                // A later one may tell; the source is refused anyway.
                Err(damage) => {
                    values.problems.note_line(place, damage);
                    return Ok(());
                }
            },
        };
        let sink = &mut *self.sink;
        shape.each_id(element, &mut |number, id| {
            let element = number.or(place.element);
            let place = Place { element, ..place };
            match id {
                Ok(id) => {
                    values.count += 1;
                    sink(place, id.as_bytes());
                }
                Err(damage) => values.problems.note_line(place, damage),
            }
        });
        Ok(())
    }
}

/// Whether the values are elements of an array.
#[derive(Debug, PartialEq, Eq)]
enum List {
    Outside,
    /// So many elements were taken.
    Open(u64),
    Closed,
}

struct Document<'a, 't> {
    take: Take<'t>,
    name: &'a Name,
    values: Values,
    count: &'a Count,
    list: List,
    fatal: Option<IntakeError>,
}

impl<'de> Visitor<'de> for &mut Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.list = List::Open(0);
        while elements.next_element_seed(&mut *self)?.is_some() {}
        self.list = List::Closed;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // The parser has looked at the element's first byte, and no further.
        let line = self.count.line.get();
        self.count.bytes.set(0);
        let element = <Box<RawValue> as serde::Deserialize>::deserialize(deserializer)?;
        self.count.bytes.set(0);
        let number = match &mut self.list {
            List::Open(number) => {
                *number += 1;
                Some(*number)
            }
            List::Outside | List::Closed => None,
        };
        let place = Place {
            element: number,
            ..self.name.on_line(line)
        };
        let taken = (self.take)(element.get().as_bytes(), place, &mut self.values);
        taken.map_err(|error| {
            self.fatal = Some(error);
            // Never shown: the one above is.
            D::Error::custom("")
        })
    }
}

/// What the parser has been given so far.
struct Count {
    /// The line of the last byte, counted from 1.
    line: Cell<u64>,
    /// Since the last element.
    bytes: Cell<usize>,
    last: Cell<u8>,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            line: Cell::new(1),
            bytes: Cell::new(0),
            last: Cell::new(0),
        }
    }
}

impl Count {
    fn is_exceeded(&self) -> bool {
        self.bytes.get() > MAX_LINE_BYTES
    }
}

/// Counts what is read, and stops at an element that would not fit into memory.
struct Metered<'a, R> {
    inner: BufReader<R>,
    count: &'a Count,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.inner.fill_buf()?;
        let count = available.len().min(buffer.len());
        let given = &available[..count];
        buffer[..count].copy_from_slice(given);
        let ends = given.iter().filter(|byte| **byte == b'\n').count();
        self.count
            .last
            .set(given.last().copied().unwrap_or_default());
        self.inner.consume(count);
        self.count.line.set(self.count.line.get() + ends as u64);
        self.count.bytes.set(self.count.bytes.get() + count);
        if self.count.is_exceeded() {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(count)
    }
}
