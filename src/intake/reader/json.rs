//! Reads JSON lines and JSON documents one element at a time, for ids and for other readers.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::element::{KeyPath, Undecided};
use super::list::each_line;
use super::reading::{SourceName, ValueSink, Values};
use crate::intake::damage::Damage;
use crate::intake::damage::MAX_LINE_BYTES;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::stream::lines::TextLines;
use crate::intake::{Format, ReadOptions};

pub(crate) type Take<'t> = &'t mut dyn FnMut(&[u8], Place<'_>, &mut Values) -> Result<(), Fault>;

/// Passes the ids of each JSON value to `sink`. Fails when the text cannot be read, or it is not
/// clear which key holds the ids.
pub(crate) fn read(
    lines: TextLines<impl Read>,
    format: Format,
    options: &ReadOptions,
    name: &SourceName,
    sink: ValueSink<'_>,
) -> Result<Values, Fault> {
    let column = options.column.as_deref();
    let mut known: Option<KeyPath> = None;
    each(lines, format, name, &mut |element, place, values| {
        let shape = match &known {
            Some(shape) => shape,
            // The first element with a record decides where the ids are.
            None => match KeyPath::decide(element, column) {
                Ok(shape) => {
                    values.column = shape.key_name();
                    known.insert(shape)
                }
                Err(Undecided::SaysNothing) => return Ok(()),
                // A later element may decide; the source is refused anyway.
                Err(Undecided::Damaged(damage)) => {
                    values.problems.note(place, damage);
                    return Ok(());
                }
                Err(Undecided::Unclear(error)) => return Err(error),
            },
        };
        shape.each_id(element, &mut |number, id| {
            values.hand(place.in_element(number), id, sink);
        });
        Ok(())
    })
}

/// Calls `take` for each line, array element or value, as the format says. Fails when the text
/// cannot be read, or `take` fails.
pub(crate) fn each(
    lines: TextLines<impl Read>,
    format: Format,
    name: &SourceName,
    take: Take<'_>,
) -> Result<Values, Fault> {
    match format {
        Format::JsonLines => each_line(lines, name, take),
        _ => each_in_document(lines.into_rest(), name, take),
    }
}

fn each_in_document(text: impl Read, name: &SourceName, take: Take<'_>) -> Result<Values, Fault> {
    let count = Count::default();
    let metered = MeteredReader {
        inner: BufReader::with_capacity(64 << 10, text),
        count: &count,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(metered);
    let mut document = SourceDocument {
        take,
        name,
        values: Values::default(),
        count: &count,
        list: ListState::Outside,
        fatal: None,
    };
    let error = loop {
        match deserializer.end() {
            Ok(()) => return Ok(document.values),
            Err(error) if error.classify() == Category::Io => break error,
            // Another value follows; the parser has read its first byte.
            Err(error) if document.list == ListState::Closed => break error,
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
    let is_in_list = matches!(document.list, ListState::Open(_));
    let damage = match (document.fatal, error.classify()) {
        (Some(fatal), _) => return Err(fatal),
        (None, Category::Io) if count.is_exceeded() => Damage::TooLong,
        (None, Category::Io) => return Err(Fault::Io(error.into())),
        (None, _) if document.list == ListState::Closed => Damage::TextAfterList,
        (None, Category::Eof) if is_in_list => Damage::UnfinishedList,
        (None, Category::Eof) => Damage::UnfinishedJson,
        (None, Category::Syntax | Category::Data) => Damage::BrokenJson {
            column: error.column(),
        },
    };
    let mut values = document.values;
    let element = match document.list {
        ListState::Open(number) => Some(number + 1),
        ListState::Outside | ListState::Closed => None,
    };
    let place = name.on_line(count.line.get()).in_element(element);
    values.problems.note(place, damage);
    Ok(values)
}

#[derive(Debug, PartialEq, Eq)]
enum ListState {
    Outside,
    /// Holds the number of elements taken.
    Open(u64),
    Closed,
}

struct SourceDocument<'a, 't> {
    take: Take<'t>,
    name: &'a SourceName,
    values: Values,
    count: &'a Count,
    list: ListState,
    fatal: Option<Fault>,
}

impl<'de> Visitor<'de> for &mut SourceDocument<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.list = ListState::Open(0);
        while elements.next_element_seed(&mut *self)?.is_some() {}
        self.list = ListState::Closed;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut SourceDocument<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // So far the parser has read only the element's first byte.
        let line = self.count.line.get();
        self.count.bytes.set(0);
        let element = <Box<RawValue> as serde::Deserialize>::deserialize(deserializer)?;
        self.count.bytes.set(0);
        let number = match &mut self.list {
            ListState::Open(number) => {
                *number += 1;
                Some(*number)
            }
            ListState::Outside | ListState::Closed => None,
        };
        let place = self.name.on_line(line).in_element(number);
        let taken = (self.take)(element.get().as_bytes(), place, &mut self.values);
        taken.map_err(|error| {
            self.fatal = Some(error);
            // Never shown: `fatal` holds the error to show.
            D::Error::custom("")
        })
    }
}

struct Count {
    /// The line of the last byte, from 1.
    line: Cell<u64>,
    /// Bytes since the last element.
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

/// Counts the bytes, and fails at an element that is too long for memory.
struct MeteredReader<'a, R> {
    inner: BufReader<R>,
    count: &'a Count,
}

impl<R: Read> Read for MeteredReader<'_, R> {
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
