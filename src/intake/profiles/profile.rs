//! One profile: the id of its person, and the property that people are looked up by.

use super::{demand_usable, id_in};
use crate::domain::id_names::{fold, folds_to};
use crate::domain::json_text;
use crate::intake::damage::Damage;
use crate::intake::events::event::is_of_mixpanel;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::reader::element::parse;
use crate::intake::records::named::exactly_one;
use crate::intake::records::{Content, Field, Naming, Record, RecordTaker, find};
use serde_json::value::RawValue;

/// Receives each profile; returns whether it was asked for.
pub(crate) type ProfileSink<'a> = &'a mut dyn FnMut(&Profile<'_>) -> bool;

/// One profile.
#[derive(Debug)]
pub struct Profile<'p> {
    /// Empty if the profile has none.
    pub id: &'p str,
    content: &'p Content<'p>,
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
    /// Passes each value of the property to `hear`: the elements of a list one by one.
    pub fn each_value(&self, hear: &mut dyn FnMut(&str, ValueKind)) {
        match self.content {
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
            Content::Other => {}
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

pub(crate) struct ProfileTaker<'s> {
    property: &'s str,
    folded: String,
    sink: ProfileSink<'s>,
    /// Whether any profile has the property.
    pub(crate) has_property: bool,
}

impl<'s> ProfileTaker<'s> {
    pub(crate) fn new(property: &'s str, sink: ProfileSink<'s>) -> Self {
        Self {
            property,
            folded: fold(property),
            sink,
            has_property: false,
        }
    }

    fn names_property(&self, name: &str) -> Option<Naming> {
        match name == self.property {
            true => Some(Naming::Exact),
            false => folds_to(name, &self.folded).then_some(Naming::Displayed),
        }
    }
}

/// How a key or column names the id of a profile.
pub(super) fn names_person(name: &str) -> Option<Naming> {
    match name {
        "$distinct_id" => Some(Naming::Exact),
        name => folds_to(name, "distinctid").then_some(Naming::Displayed),
    }
}

/// The column whose name fits best, or `None` if no name fits. Fails if two fit as well.
pub(super) fn best_column(
    names: &[String],
    fits: impl Fn(&str) -> Option<Naming>,
) -> Result<Option<usize>, Fault> {
    let all = (0..).zip(names);
    let best = exactly_one(all.filter_map(|(place, name)| Some((fits(name)?, place))));
    best.map_err(|naming| {
        let rivals = names.iter().filter(|name| fits(name) == Some(naming));
        Fault::SeveralColumns(rivals.cloned().collect())
    })
}

impl RecordTaker for ProfileTaker<'_> {
    fn what(&self) -> &'static str {
        "profiles"
    }

    fn field(&self, outer: Option<&str>, key: &str) -> Option<(Field, Naming)> {
        let of_property = |naming| (Field::Property, naming);
        match outer {
            None => names_person(key)
                .map(|naming| (Field::Person, naming))
                .or_else(|| self.names_property(key).map(of_property)),
            Some(_) => (key == self.property).then_some(of_property(Naming::Exact)),
        }
    }

    fn leads(&self, key: &str) -> bool {
        is_of_mixpanel(key)
    }

    fn columns(&self, names: &[String]) -> Result<Vec<(usize, Field)>, Fault> {
        let missing = |column: &str, known: &[String]| Fault::MissingColumn {
            column: column.to_owned(),
            known: known.to_vec(),
        };
        let id = best_column(names, names_person)?.ok_or_else(|| missing("distinct_id", &[]))?;
        let property = best_column(names, |name| {
            let inner = name.trim_start_matches('$').strip_prefix("properties.");
            self.names_property(inner.unwrap_or(name))
        })?;
        let property = property.ok_or_else(|| missing(self.property, names))?;
        Ok(vec![(id, Field::Person), (property, Field::Property)])
    }

    fn take(&mut self, _: Place<'_>, record: Record<'_>) -> Result<(), Damage> {
        let person = find(&record, Field::Person)?.ok_or(Damage::NoKey)?;
        let Some(content) = find(&record, Field::Property)? else {
            return Ok(());
        };
        self.has_property = true;
        if let (Content::Cell(person), Content::Cell(value)) = (person, content) {
            let names_id = |cell: &str| names_person(cell).is_some();
            if names_id(person) || names_id(value) || self.names_property(person).is_some() {
                return Err(Damage::RepeatedHeading);
            }
        }
        let id = id_in(Some(person));
        let profile = Profile {
            id: id.unwrap_or_default(),
            content,
        };
        match (self.sink)(&profile) {
            true => id.and_then(demand_usable),
            false => Ok(()),
        }
    }
}
