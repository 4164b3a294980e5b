//! Reads named fields of records: of JSON objects, of pages of them, and of the rows of tables.
//! Events, profiles and identities are such records.

pub(super) mod course;
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
    /// Another id of the person, in an event that joins ids.
    Joined,
    /// The same, if the event creates an alias.
    Alias,
    /// The id that Mixpanel uses in place of the person's.
    Resolved,
    /// The property that people are looked up by, or that has a profile's time.
    Property,
    /// A property that must have a value, by its number.
    Equal(usize),
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content<'r> {
    Text(Cow<'r, str>),
    /// A field of a table, which may hold anything as text.
    Cell(&'r str),
    /// A JSON number, digit for digit.
    Number(&'r str),
    /// A JSON list.
    List(&'r str),
    /// null, true, false or an object.
    Other(&'r str),
}

/// The named fields of one record.
pub(crate) type Record<'r> = Vec<(Field, Content<'r>)>;

/// How many records a file has, without those of pages.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: usize,
    /// Those with what the taker looks for.
    pub(crate) having: usize,
    /// Whether the last line of a table has no line end.
    pub(crate) is_unended: bool,
}

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    /// A record, or a page with its records.
    Any,
    /// A record of a page.
    OfPage,
    /// A page whose records, so many, were taken before.
    Page(u64),
}

/// Names the fields that it wants of records, and takes each record.
pub(crate) trait RecordTaker {
    /// What the records are, in messages.
    fn what(&self) -> &'static str;
    /// The fault of a file in which no record has what the taker looks for.
    fn lacking(&self) -> Fault;
    /// The field under this key: at the top of a record, or in the object `outer`.
    fn field(&self, outer: Option<&str>, key: &str) -> Option<Field>;
    /// Whether the object under this key may hold a field.
    fn leads(&self, key: &str) -> bool;
    /// The fields in the columns with these names. Fails if one is missing or ambiguous.
    fn columns(&self, names: &[String]) -> Result<Vec<(usize, Field)>, Fault>;
    /// Returns whether the record has what the taker looks for. Fails if the record is damaged.
    fn take(&mut self, place: Place<'_>, record: Record<'_>) -> Result<bool, Damage>;
}

/// Reads the records of files one by one.
pub(crate) struct RecordReader<'s> {
    pub(crate) taker: &'s mut dyn RecordTaker,
    /// Given if every record matters: notes the pages, and refuses what may be cut off.
    pub(crate) pages: Option<&'s mut Pages>,
    pub(crate) tally: Tally,
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
        let (count, is_inside) = (Cell::new(None), Cell::new(false));
        let opened = self.pages.is_some().then_some(Opened {
            key: RESULTS,
            count: &count,
            is_inside: &is_inside,
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
                let what = match count.take() {
                    Some(results) => Element::Page(results),
                    None if is_inside.get() => Element::OfPage,
                    None => Element::Any,
                };
                self.take_element(element, what, place, values);
                Ok(())
            },
        )
    }

    fn take_element(
        &mut self,
        element: &[u8],
        what: Element,
        place: Place<'_>,
        values: &mut Values,
    ) {
        if let Err(damage) = self.try_take(element, what, place, values) {
            values.problems.note(place, damage);
        }
    }

    pub(crate) fn try_take(
        &mut self,
        element: &[u8],
        what: Element,
        place: Place<'_>,
        values: &mut Values,
    ) -> Result<(), Damage> {
        if !is_object(element) {
            return Err(Damage::NotAnObject);
        }
        let object = read_object(element)?;
        let list = object.get(RESULTS).map(RawValue::get);
        let is_page = match what {
            Element::Any => list.is_some_and(|list| list.starts_with('[')),
            Element::OfPage => false,
            Element::Page(_) => true,
        };
        if is_page && self.pages.is_some() {
            let inner: Vec<&RawValue> = match (what, list) {
                (Element::Any, Some(list)) => parse(list.as_bytes())?,
                _ => Vec::new(),
            };
            for (number, record) in (1..).zip(&inner) {
                let place = place.in_element(Some(number));
                self.take_element(record.get().as_bytes(), Element::OfPage, place, values);
            }
            let results = match what {
                Element::Page(results) => results,
                Element::Any | Element::OfPage => inner.len() as u64,
            };
            return match &mut self.pages {
                Some(pages) => pages.note(place.label, &Page::of(&object, results)?),
                None => Ok(()),
            };
        }
        let record = self.record_of(object)?;
        values.count += 1;
        (self.step)();
        let person = match what {
            Element::OfPage => find(&record, Field::Person)?,
            Element::Any | Element::Page(_) => None,
        };
        let person = person.map(|person| person.text().unwrap_or_default().to_owned());
        let has = self.taker.take(place, record)?;
        match (&mut self.pages, person) {
            (Some(pages), Some(person)) => pages.hold(&person, has),
            _ => self.tally.add(has),
        }
        Ok(())
    }

    fn record_of<'e>(&self, object: JsonObject<'e>) -> Result<Record<'e>, Damage> {
        let mut record = Record::new();
        for (name, value) in object.0 {
            let text = value.get();
            match self.taker.field(None, &name) {
                Some(field) => record.push((field, content_of(text)?)),
                None if self.taker.leads(&name) && is_object(text.as_bytes()) => {
                    for (key, value) in read_object(text.as_bytes())?.0 {
                        if let Some(field) = self.taker.field(Some(&name), &key) {
                            record.push((field, content_of(value.get())?));
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
        let delimiter = rows.delimiter;
        let mut known: Option<(usize, Vec<(usize, Field)>)> = None;
        table::each_row(&mut rows, &mut values, name, |cells, place, values| {
            let Some((width, columns)) = &known else {
                let names = cells.to_names();
                let mut columns = self.taker.columns(&names)?;
                columns.sort_by_key(|(column, _)| *column);
                known = Some((names.len(), columns));
                return Ok(());
            };
            let compared = columns.iter().map(|(column, _)| *column);
            if self.pages.is_some() && cells.may_hide_rows(compared, delimiter) {
                values.problems.note(place, Damage::RowsInside);
                return Ok(());
            }
            let mut record = Record::with_capacity(columns.len());
            let picked = cells.pick_each(columns, *width, |field, cell| {
                let undecodable = Damage::Undecodable { encoding: "UTF-8" };
                let text = std::str::from_utf8(cell).map_err(|_| undecodable)?;
                record.push((field, Content::Cell(text)));
                Ok(())
            });
            if let Err(damage) = picked {
                values.problems.note(place, damage);
                return Ok(());
            }
            values.count += 1;
            (self.step)();
            match self.taker.take(place, record) {
                Ok(has) => self.tally.add(has),
                Err(damage) => values.problems.note(place, damage),
            }
            Ok(())
        })?;
        self.tally.is_unended = rows.is_unended();
        Ok(values)
    }
}

impl Tally {
    fn add(&mut self, has: bool) {
        self.records += 1;
        self.having += usize::from(has);
    }
}

pub(crate) fn content_of(text: &str) -> Result<Content<'_>, Damage> {
    Ok(match text.as_bytes() {
        [b'"', ..] => Content::Text(json_text(text).ok_or(Damage::BadEscape)?),
        [b'-' | b'0'..=b'9', ..] => Content::Number(text),
        [b'[', ..] => Content::List(text),
        _ => Content::Other(text),
    })
}

impl<'r> Content<'r> {
    /// A string, a number's digits or a cell.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Cell(text) | Self::Number(text) => Some(text),
            Self::List(_) | Self::Other(_) => None,
        }
    }
}

/// The id in a field: a string, or a whole number digit for digit. Empty if there is none.
pub(crate) fn id_in<'c>(content: Option<&'c Content<'_>>) -> Result<&'c str, Damage> {
    match content {
        None => Ok(""),
        Some(Content::Text(text)) => Ok(text),
        Some(Content::Cell(text)) => Ok(text),
        Some(Content::Number(digits)) => Damage::of_number(digits).map(|()| *digits),
        Some(Content::List(_)) => Err(Damage::NotAnId("a list")),
        Some(Content::Other(_)) => Err(Damage::NotAnId("null, true, false or an object")),
    }
}

/// The content of a field. Fails if two keys of the record name it and differ.
pub(crate) fn find<'a, 'r>(
    record: &'a Record<'r>,
    wanted: Field,
) -> Result<Option<&'a Content<'r>>, Damage> {
    let mut all = record.iter().filter(|(field, _)| *field == wanted);
    let first = all.next().map(|(_, content)| content);
    match all.all(|(_, content)| Some(content) == first) {
        true => Ok(first),
        false => Err(Damage::RivalKeys),
    }
}
