//! One profile of a retention window: the id of its person, a time, and some equalities.

use super::profile::{PropertyName, names_person, only_column};
use crate::domain::JsonObject;
use crate::intake::damage::Damage;
use crate::intake::events::event::is_of_mixpanel;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::records::{Content, Field, Record, RecordTaker, content_of, find, id_in};

/// Which properties decide whether a profile is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedProperties {
    /// The property with the time.
    pub by: String,
    /// Properties, and the values that they must have byte for byte.
    pub equal: Vec<(String, String)>,
}

/// One profile, with what decides whether it is kept.
#[derive(Debug)]
pub struct DatedProfile<'p> {
    /// Empty if the profile has none that dsr can read.
    pub id: &'p str,
    /// The property with the time as it is written; `None` if it is missing, null or empty.
    pub time: Option<&'p str>,
    /// Whether it has each of the values.
    pub is_meant: bool,
    pub(super) place: Place<'p>,
}

impl DatedProperties {
    /// The name of each property once.
    pub fn names(&self) -> Vec<String> {
        let equal = self.equal.iter().map(|(name, _)| name.clone());
        std::iter::once(self.by.clone()).chain(equal).collect()
    }

    /// Passes the profile of `id` with these properties as JSON to `take`; `None` if they are not a
    /// JSON object, have a damaged text, or a property twice.
    pub fn with_json<T>(
        &self,
        id: &str,
        json: &str,
        take: impl FnOnce(&DatedProfile<'_>) -> T,
    ) -> Option<T> {
        let mut object = JsonObject::of(json)?;
        let mut content = |name: &str| match object.take(name) {
            None => Some(None),
            Some(value) if object.get(name).is_none() => content_of(value.get()).ok().map(Some),
            Some(_) => None,
        };
        let time = content(&self.by)?;
        let mut is_meant = true;
        for (name, value) in &self.equal {
            is_meant &= content(name)?.is_some_and(|content| is_equal(&content, value));
        }
        let profile = DatedProfile {
            id,
            time: time.as_ref().and_then(shown),
            is_meant,
            place: Place::nowhere_in("Mixpanel's answer"),
        };
        Some(take(&profile))
    }
}

/// The text of a time; of a list or an object, its JSON, which is no time.
fn shown<'c>(content: &'c Content<'_>) -> Option<&'c str> {
    let text = match content {
        Content::Other("null") => None,
        Content::Other(json) | Content::List(json) => Some(*json),
        content => content.text(),
    };
    text.filter(|text| !text.is_empty())
}

/// A text, the digits of a number, a cell, `true` or `false`.
fn is_equal(content: &Content<'_>, value: &str) -> bool {
    match content {
        Content::Other(json) => *json == value && matches!(value, "true" | "false"),
        Content::List(_) => false,
        content => content.text() == Some(value),
    }
}

/// Receives each profile.
pub(crate) type DatedSink<'a> = &'a mut dyn FnMut(&DatedProfile<'_>);

pub(crate) struct DatedTaker<'s> {
    wanted: &'s DatedProperties,
    by: PropertyName,
    equal: Vec<PropertyName>,
    sink: DatedSink<'s>,
}

impl<'s> DatedTaker<'s> {
    pub(crate) fn new(wanted: &'s DatedProperties, sink: DatedSink<'s>) -> Self {
        let equal = wanted.equal.iter().map(|(name, _)| PropertyName::new(name));
        Self {
            wanted,
            by: PropertyName::new(&wanted.by),
            equal: equal.collect(),
            sink,
        }
    }

    /// The properties, each with its field.
    fn properties(&self) -> impl Iterator<Item = (&PropertyName, Field)> {
        let equal = self.equal.iter().zip(0..);
        let equal = equal.map(|(name, number)| (name, Field::Equal(number)));
        std::iter::once((&self.by, Field::Property)).chain(equal)
    }
}

impl RecordTaker for DatedTaker<'_> {
    fn what(&self) -> &'static str {
        "profiles"
    }

    fn lacking(&self) -> Fault {
        Fault::NoProperty(self.wanted.by.clone())
    }

    fn field(&self, outer: Option<&str>, key: &str) -> Option<Field> {
        if outer.is_none() && names_person(key) {
            return Some(Field::Person);
        }
        let names_it = |name: &PropertyName| match outer {
            None => name.fits(key),
            Some(_) => name.is(key),
        };
        let mut properties = self.properties();
        properties.find_map(|(name, field)| names_it(name).then_some(field))
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
        let mut columns = vec![(id, Field::Person)];
        for (name, field) in self.properties() {
            let column = only_column(names, |column| name.fits_column(column))?;
            columns.push((column.ok_or_else(|| missing(name.as_str()))?, field));
        }
        Ok(columns)
    }

    fn take(&mut self, place: Place<'_>, record: Record<'_>) -> Result<bool, Damage> {
        let person = find(&record, Field::Person)?.ok_or(Damage::NoKey)?;
        let content = find(&record, Field::Property)?;
        if let (Content::Cell(person), Some(Content::Cell(time))) = (person, content)
            && (names_person(person) || names_person(time) || self.by.fits(person))
        {
            return Err(Damage::RepeatedHeading);
        }
        let mut is_meant = true;
        for (number, (_, value)) in (0..).zip(&self.wanted.equal) {
            let content = find(&record, Field::Equal(number))?;
            is_meant &= content.is_some_and(|content| is_equal(content, value));
        }
        let time = content.and_then(shown);
        (self.sink)(&DatedProfile {
            id: id_in(Some(person)).unwrap_or_default(),
            time,
            is_meant,
            place,
        });
        Ok(time.is_some())
    }
}
