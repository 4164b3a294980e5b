//! Reads JSON lines and JSON documents one element at a time, for ids and for other readers.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
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

/// Opens each object whose list under `key` may not fit into memory. The elements of that list are
/// taken one by one, then the object without them; `count` is then their number.
#[derive(Clone, Copy)]
pub(crate) struct Opened<'o> {
    pub(crate) key: &'static str,
    pub(crate) count: &'o Cell<Option<u64>>,
    /// Whether the element is of such a list.
    pub(crate) is_inside: &'o Cell<bool>,
}

/// Passes the ids of each JSON value to `sink`. Fails when the text cannot be read, or it is not
/// clear which key holds the ids.
pub(crate) fn read(
    lines: TextLines<impl Read>,
    format: Format,
    options: &ReadOptions,
    name: &SourceName,
    sink: ValueSink<'_>,
) -> Result<Values, Fault> {
    let mut known: Option<KeyPath> = None;
    each(lines, format, None, name, &mut |element, place, values| {
        let shape = match &known {
            Some(shape) => shape,
            // The first element with a record decides where the ids are.
            None => match KeyPath::decide(element, options) {
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

/// Calls `take` for each line, array element or value, as the format says; lines are not opened.
/// Fails when the text cannot be read, or `take` fails.
pub(crate) fn each(
    lines: TextLines<impl Read>,
    format: Format,
    opened: Option<Opened<'_>>,
    name: &SourceName,
    take: Take<'_>,
) -> Result<Values, Fault> {
    match format {
        Format::JsonLines => each_line(lines, name, take),
        _ => each_in_document(lines.into_rest(), opened, name, take),
    }
}

fn each_in_document(
    text: impl Read,
    opened: Option<Opened<'_>>,
    name: &SourceName,
    take: Take<'_>,
) -> Result<Values, Fault> {
    let count = Count::default();
    let metered = MeteredReader {
        inner: BufReader::with_capacity(64 << 10, text),
        count: &count,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(metered);
    let mut document = SourceDocument {
        take,
        opened,
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
    opened: Option<Opened<'a>>,
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
        match self.opened {
            Some(opened) if self.count.last.get() == b'{' => {
                let document = &mut *self;
                let rest = deserializer.deserialize_map(OpenedObject { document, opened })?;
                self.hand(line, rest.as_bytes())
            }
            Some(_) | None => {
                let element = <Box<RawValue> as serde::Deserialize>::deserialize(deserializer)?;
                self.hand(line, element.get().as_bytes())
            }
        }
    }
}

impl SourceDocument<'_, '_> {
    fn hand<E: serde::de::Error>(&mut self, line: u64, element: &[u8]) -> Result<(), E> {
        self.count.bytes.set(0);
        let number = match &mut self.list {
            ListState::Open(number) => {
                *number += 1;
                Some(*number)
            }
            ListState::Outside | ListState::Closed => None,
        };
        let place = self.name.on_line(line).in_element(number);
        let taken = (self.take)(element, place, &mut self.values);
        taken.map_err(|error| {
            self.fatal = Some(error);
            // Never shown: `fatal` holds the error to show.
            E::custom("")
        })
    }
}

/// Takes the elements of the opened list, and returns the object with null in its place.
struct OpenedObject<'d, 'a, 't> {
    document: &'d mut SourceDocument<'a, 't>,
    opened: Opened<'a>,
}

impl<'de> Visitor<'de> for OpenedObject<'_, '_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<String, A::Error> {
        let Self { document, opened } = self;
        let mut rest = String::new();
        let mut count = None;
        while let Some(key) = members.next_key::<String>()? {
            let value = if key == opened.key {
                let outer = std::mem::replace(&mut document.list, ListState::Open(0));
                opened.is_inside.set(true);
                let is_list = members.next_value_seed(OpenedList(&mut *document))?;
                opened.is_inside.set(false);
                if let ListState::Open(taken) = std::mem::replace(&mut document.list, outer)
                    && is_list
                {
                    count = Some(count.unwrap_or(0) + taken);
                }
                RawValue::NULL.to_owned()
            } else {
                members.next_value::<Box<RawValue>>()?
            };
            rest.push(if rest.is_empty() { '{' } else { ',' });
            rest.push_str(&Value::String(key).to_string());
            rest.push(':');
            rest.push_str(value.get());
        }
        rest.push_str(if rest.is_empty() { "{}" } else { "}" });
        opened.count.set(count);
        Ok(rest)
    }
}

/// Takes the elements of a list; any other value has none. Returns whether it is a list.
struct OpenedList<'d, 'a, 't>(&'d mut SourceDocument<'a, 't>);

impl<'de> DeserializeSeed<'de> for OpenedList<'_, '_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OpenedList<'_, '_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<bool, A::Error> {
        while elements.next_element_seed(&mut *self.0)?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
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
