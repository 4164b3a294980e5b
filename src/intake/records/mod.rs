//! Reads named fields of records: of JSON objects, of pages of them, and of the rows of tables.
//! Events, profiles and identities are such records.

pub(super) mod course;
pub(super) mod named;
pub(super) mod pages;

use std::borrow::Cow;
use std::cell::Cell;
use std::io::Read;

use serde_json::value::RawValue;

use super::ReadOptions;
use super::damage::Damage;
use super::place::Place;
use super::problem::Fault;
use super::reader::element::{is_object, parse, read_object};
use super::reader::format::Format;
use super::reader::json::{self, Opened};
use super::reader::reading::{SourceName, Values};
use super::reader::{columns, table};
use super::stream::lines::TextLines;
use crate::domain::{JsonObject, json_text};
use named::exactly_one;
use pages::{Page, Pages, RESULTS};

/// What a field of a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Person,
    Device,
    Happened,
    Received,
    /// The event's name.
    Name,
    /// All ids of a person.
    Ids,
    /// The id that Mixpanel uses in place of the person's.
    Resolved,
    /// The property that people are looked up by.
    Property,
}

/// How a name names a field. An exact name beats a displayed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// Such as `Email` for `$email`.
    Displayed,
    Exact,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub(crate) enum Content<'r> {
    Text(Cow<'r, str>),
    /// A field of a table, which may hold anything as text.
    Cell(&'r str),
    /// A JSON number, digit for digit.
    Number(&'r str),
    /// A JSON list.
    List(&'r str),
    /// null, true, false or an object.
    Other,
}

/// The named fields of one record.
pub(crate) type Record<'r> = Vec<(Field, Naming, Content<'r>)>;

/// Names the fields that it wants of records, and takes each record.
pub(crate) trait RecordTaker {
    /// What the records are, in messages.
    fn what(&self) -> &'static str;
    /// The field under this key: at the top of a record, or in the object `outer`.
    fn field(&self, outer: Option<&str>, key: &str) -> Option<(Field, Naming)>;
    /// Whether the object under this key may hold a field.
    fn leads(&self, key: &str) -> bool;
    /// The fields in the columns with these names. Fails if one is missing or ambiguous.
    fn columns(&self, names: &[String]) -> Result<Vec<(usize, Field)>, Fault>;
    /// Fails if the record is damaged.
    fn take(&mut self, place: Place<'_>, record: Record<'_>) -> Result<(), Damage>;
}

/// Reads the records of files one by one.
pub(crate) struct RecordReader<'s> {
    pub(crate) taker: &'s mut dyn RecordTaker,
    /// Given if every record matters: notes the pages, and refuses what may be cut off.
    pub(crate) pages: Option<&'s mut Pages>,
    /// Called for each record.
    pub(crate) step: &'s mut dyn FnMut(),
}

impl RecordReader<'_> {
    pub(crate) fn take_elements(
        &mut self,
        mut lines: TextLines<impl Read>,
        format: Format,
        name: &SourceName,
    ) -> Result<Values, Fault> {
        let results = Cell::new(None);
        let opened = self.pages.is_some().then_some(Opened {
            key: RESULTS,
            count: &results,
        });
        let is_whole = |line: &[u8]| {
            read_object(line).is_ok_and(|object: JsonObject<'_>| object.get(RESULTS).is_none())
        };
        // A page may be one line that does not fit into memory.
        let format = match format {
            Format::JsonLines
                if opened.is_some() && !is_whole(columns::first_line(lines.beginning()?)) =>
            {
                Format::JsonDocument
            }
            format => format,
        };
        json::each(
            lines,
            format,
            opened,
            name,
            &mut |element, place, values| {
                self.take_element(element, results.take(), place, values);
                Ok(())
            },
        )
    }

    /// Takes a record, or a page of records. `results` is the number of those of this page that
    /// were taken before.
    fn take_element(
        &mut self,
        element: &[u8],
        results: Option<u64>,
        place: Place<'_>,
        values: &mut Values,
    ) {
        if let Err(damage) = self.try_take(element, results, place, values) {
            values.problems.note(place, damage);
        }
    }

    pub(crate) fn try_take(
        &mut self,
        element: &[u8],
        results: Option<u64>,
        place: Place<'_>,
        values: &mut Values,
    ) -> Result<(), Damage> {
        if !is_object(element) {
            return Err(Damage::NotAnObject);
        }
        let object = read_object(element)?;
        let list = object.get(RESULTS).map(RawValue::get);
        let is_page = results.is_some() || list.is_some_and(|list| list.starts_with('['));
        if is_page && self.pages.is_some() {
            let inner: Vec<&RawValue> = match (results, list) {
                (None, Some(list)) => parse(list.as_bytes())?,
                _ => Vec::new(),
            };
            for (number, record) in (1..).zip(&inner) {
                let place = place.in_element(Some(number));
                self.take_element(record.get().as_bytes(), None, place, values);
            }
            if let Some(pages) = &mut self.pages {
                let results = results.unwrap_or(inner.len() as u64);
                pages.note(place.label, &Page::of(&object, results));
            }
            return Ok(());
        }
        let record = self.record_of(object)?;
        values.count += 1;
        (self.step)();
        self.taker.take(place, record)
    }

    fn record_of<'e>(&self, object: JsonObject<'e>) -> Result<Record<'e>, Damage> {
        let mut record = Record::new();
        for (name, value) in object.0 {
            let text = value.get();
            match self.taker.field(None, &name) {
                Some((field, naming)) => record.push((field, naming, content_of(text)?)),
                None if self.taker.leads(&name) && is_object(text.as_bytes()) => {
                    for (key, value) in read_object(text.as_bytes())?.0 {
                        if let Some((field, naming)) = self.taker.field(Some(&name), &key) {
                            record.push((field, naming, content_of(value.get())?));
                        }
                    }
                }
                None => {}
            }
        }
        Ok(record)
    }

    /// Takes the rows of a table; the first row must be the heading.
    pub(crate) fn take_rows(
        &mut self,
        lines: TextLines<impl Read>,
        options: &ReadOptions,
        name: &SourceName,
    ) -> Result<Values, Fault> {
        let (mut rows, mut values) = table::begin(lines, options, name)?;
        let mut known: Option<(usize, Vec<(usize, Field)>)> = None;
        table::each_row(&mut rows, &mut values, name, |cells, place, values| {
            let Some((width, columns)) = &known else {
                let names = cells.to_names();
                known = Some((names.len(), self.taker.columns(&names)?));
                return Ok(());
            };
            let mut record = Record::with_capacity(columns.len());
            for (column, field) in columns {
                let text = cells.pick(*column, *width).and_then(|cell| {
                    let undecodable = Damage::Undecodable { encoding: "UTF-8" };
                    std::str::from_utf8(cell).map_err(|_| undecodable)
                });
                match text {
                    Ok(text) => record.push((*field, Naming::Exact, Content::Cell(text))),
                    Err(damage) => {
                        values.problems.note(place, damage);
                        return Ok(());
                    }
                }
            }
            values.count += 1;
            (self.step)();
            if let Err(damage) = self.taker.take(place, record) {
                values.problems.note(place, damage);
            }
            Ok(())
        })?;
        if let Some(line) = rows.unended_line()
            && self.pages.is_some()
        {
            values.problems.note(name.on_line(line), Damage::NoLineEnd);
        }
        Ok(values)
    }
}

fn content_of(text: &str) -> Result<Content<'_>, Damage> {
    Ok(match text.as_bytes() {
        [b'"', ..] => Content::Text(json_text(text).ok_or(Damage::BadEscape)?),
        [b'-' | b'0'..=b'9', ..] => Content::Number(text),
        [b'[', ..] => Content::List(text),
        _ => Content::Other,
    })
}

impl<'r> Content<'r> {
    /// A string, a number's digits or a cell.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Cell(text) | Self::Number(text) => Some(text),
            Self::List(_) | Self::Other => None,
        }
    }
}

/// The content of a field: that of the exact name, or of the only displayed one. Fails if two
/// compete.
pub(crate) fn find<'a, 'r>(
    record: &'a Record<'r>,
    wanted: Field,
) -> Result<Option<&'a Content<'r>>, Damage> {
    let of_field = record.iter().filter(|(field, ..)| *field == wanted);
    let named = of_field.map(|(_, naming, content)| (*naming, content));
    exactly_one(named).map_err(|_| Damage::RepeatedKey)
}
