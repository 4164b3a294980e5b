//! One profile: the id of its person, and the property that people are looked up by.

use crate::domain::id_names::{fold, folds_to};
use crate::domain::json_text;
use crate::intake::damage::Damage;
use crate::intake::events::event::is_of_mixpanel;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::reader::element::parse;
use crate::intake::records::{Content, Field, Record, RecordTaker, content_of, find, id_in};
use serde_json::value::RawValue;

/// Receives each profile.
pub(crate) type ProfileSink<'a> = &'a mut dyn FnMut(&Profile<'_>);

/// One profile.
#[derive(Debug)]
pub struct Profile<'p> {
    /// Empty if it is neither a text nor a whole number. May be unusable.
    pub id: &'p str,
    content: Option<&'p Content<'p>>,
}

/// How a profile holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    Text,
    /// A JSON number; its text is its digits.
    Number,
    /// The whole text of a list, whose elements come next.
    List,
    /// A piece of what begins like a list and is not JSON.
    Piece,
}

impl Profile<'_> {
    /// Passes the profile of `id` with this JSON as the property to `take`; `None` if the JSON has a
    /// damaged text.
    pub fn with_json<T>(id: &str, json: &str, take: impl FnOnce(&Profile<'_>) -> T) -> Option<T> {
        let content = content_of(json).ok()?;
        let content = Some(&content);
        Some(take(&Profile { id, content }))
    }

    /// Passes each value of the property to `hear`: the elements of a list one by one.
    pub fn each_value(&self, hear: &mut dyn FnMut(&str, ValueKind)) {
        let Some(content) = self.content else {
            return;
        };
        match content {
            Content::Text(text) => hear(text, ValueKind::Text),
            Content::Number(digits) => hear(digits, ValueKind::Number),
            Content::List(list) => hear_elements(&elements_of(list).unwrap_or_default(), hear),
            Content::Cell(cell) if !cell.starts_with('[') => hear(cell, ValueKind::Text),
            Content::Cell(cell) => match elements_of(cell) {
                Some(elements) => {
                    hear(cell, ValueKind::List);
                    hear_elements(&elements, hear);
                }
                None => {
                    hear(cell, ValueKind::Text);
                    let pieces = cell.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
                    pieces.for_each(|piece| hear(piece, ValueKind::Piece));
                }
            },
            Content::Other(_) => {}
        }
    }
}

/// `None` if it is not a JSON list.
fn elements_of(list: &str) -> Option<Vec<&RawValue>> {
    parse(list.as_bytes()).ok()
}

fn hear_elements(elements: &[&RawValue], hear: &mut dyn FnMut(&str, ValueKind)) {
    for element in elements {
        let text = element.get();
        match (json_text(text), text.as_bytes()) {
            (_, [b'-' | b'0'..=b'9', ..]) => hear(text, ValueKind::Number),
            (Some(text), _) => hear(&text, ValueKind::Text),
            (None, _) => {}
        }
    }
}

/// The name of a property, however a file spells it.
pub(super) struct PropertyName {
    name: String,
    folded: String,
}

impl PropertyName {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folded: fold(name),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.name
    }

    /// Byte for byte.
    pub(super) fn is(&self, key: &str) -> bool {
        self.name == key
    }

    pub(super) fn fits(&self, key: &str) -> bool {
        self.is(key) || folds_to(key, &self.folded)
    }

    pub(super) fn fits_column(&self, name: &str) -> bool {
        let inner = name.trim_start_matches('$').strip_prefix("properties.");
        self.fits(inner.unwrap_or(name))
    }
}

pub(crate) struct ProfileTaker<'s> {
    property: PropertyName,
    sink: ProfileSink<'s>,
}

impl<'s> ProfileTaker<'s> {
    pub(crate) fn new(property: &str, sink: ProfileSink<'s>) -> Self {
        Self {
            property: PropertyName::new(property),
            sink,
        }
    }
}

/// How a key or column names the id of a profile.
pub(super) fn names_person(name: &str) -> bool {
    folds_to(name, "distinctid")
}

/// The column whose name fits, or `None` if no name fits. Fails if two fit: one of them would be
/// ignored.
pub(super) fn only_column(
    names: &[String],
    fits: impl Fn(&str) -> bool,
) -> Result<Option<usize>, Fault> {
    let all: Vec<usize> = (0..names.len())
        .filter(|place| fits(&names[*place]))
        .collect();
    match all.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let rivals = several.iter().map(|place| names[*place].clone());
            Err(Fault::RivalColumns(rivals.collect()))
        }
    }
}

impl RecordTaker for ProfileTaker<'_> {
    fn what(&self) -> &'static str {
        "profiles"
    }

    fn lacking(&self) -> Fault {
        Fault::NoProperty(self.property.as_str().to_owned())
    }

    fn field(&self, outer: Option<&str>, key: &str) -> Option<Field> {
        match outer {
            None if names_person(key) => Some(Field::Person),
            None => self.property.fits(key).then_some(Field::Property),
            Some(_) => self.property.is(key).then_some(Field::Property),
        }
    }

    fn leads(&self, key: &str) -> bool {
        is_of_mixpanel(key)
    }

    fn columns(&self, names: &[String]) -> Result<Vec<(usize, Field)>, Fault> {
        // The names may be a person's data if there is no heading.
        let missing = |column: &str| Fault::MissingColumn {
            column: column.to_owned(),
            known: Vec::new(),
        };
        let id = only_column(names, names_person)?.ok_or_else(|| missing("distinct_id"))?;
        let property = only_column(names, |name| self.property.fits_column(name))?;
        let property = property.ok_or_else(|| missing(self.property.as_str()))?;
        Ok(vec![(id, Field::Person), (property, Field::Property)])
    }

    fn take(&mut self, _: Place<'_>, record: Record<'_>) -> Result<bool, Damage> {
        let person = find(&record, Field::Person)?.ok_or(Damage::NoKey)?;
        let content = find(&record, Field::Property)?;
        if let (Content::Cell(person), Some(Content::Cell(value))) = (person, content)
            && (names_person(person) || names_person(value) || self.property.fits(person))
        {
            return Err(Damage::RepeatedHeading);
        }
        (self.sink)(&Profile {
            id: id_in(Some(person)).unwrap_or_default(),
            content,
        });
        let is_empty = |content: &Content<'_>| match content {
            Content::Other(_) => true,
            content => content.text().is_some_and(str::is_empty),
        };
        Ok(content.is_some_and(|content| !is_empty(content)))
    }
}
