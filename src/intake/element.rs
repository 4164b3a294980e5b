//! Where the ids are in a JSON value, and what they say: texts, or whole numbers digit for digit.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::columns::{fold, is_known, is_plural};
use super::damage::Damage;
use super::problem::Fault;

/// Where Mixpanel's raw export of events keeps the id.
const EVENT_PROPERTIES: &str = "properties";
const EVENT_ID: &str = "distinct_id";

/// Keys under which programs put the records of a page or a message.
const WRAPPERS: [&str; 10] = [
    "data", "results", "result", "records", "record", "items", "rows", "users", "profiles",
    "people",
];

/// Where the ids are in each element: the keys that lead to them, one inside the other. A list
/// stands for each of its records; without a key the element is the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape(Vec<String>);

/// Why an element does not decide where the ids are.
#[derive(Debug)]
pub(super) enum Undecided {
    /// A message or a page that holds no record.
    SaysNothing,
    Damaged(Damage),
    /// Which key holds the id.
    Unclear(Fault),
}

impl From<Damage> for Undecided {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

type JsonResult<T> = Result<T, Damage>;

/// Hears each id of an element, or why there is none, and which of a list of records it is in.
type Hear<'h> = &'h mut dyn FnMut(Option<u64>, JsonResult<Cow<'_, str>>);

impl Shape {
    fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.map(str::to_owned).to_vec())
    }

    /// Decides from an element, if that can be read and tells something.
    ///
    /// # Errors
    /// When it does not, or it is not exactly clear which key holds the id.
    pub(super) fn decide(element: &[u8], column: Option<&str>) -> Result<Self, Undecided> {
        let (mut found, mut says_nothing) = (Vec::new(), false);
        if is_object(element) {
            let object = Object::parse(element)?;
            found = Self::of_record(&object, column)?;
            says_nothing = object.is_control();
            let is_wrapper = |key: &str| WRAPPERS.contains(&fold(key).as_str());
            let is_bare = found.is_empty();
            for (key, value) in object
                .0
                .iter()
                .filter(|(key, _)| is_bare && is_wrapper(key))
            {
                match first_of(value) {
                    Some(first) => {
                        let record = Object::parse(first.get().as_bytes())?;
                        let inner = Self::of_record(&record, column)?.into_iter();
                        found.extend(
                            inner.map(|Self(keys)| Self([vec![key.to_string()], keys].concat())),
                        );
                    }
                    None => says_nothing |= value.get().starts_with('['),
                }
            }
        } else if column.is_none() {
            found.push(Self::of([]));
        }
        Err(Undecided::Unclear(match (found.as_slice(), column) {
            ([one], _) => return Ok(one.clone()),
            ([], _) if says_nothing => return Err(Undecided::SaysNothing),
            ([], Some(key)) => Fault::MissingKey(key.to_owned()),
            ([], None) => Fault::NoKnownKey,
            (several, _) => {
                let keys = several.iter().filter_map(Self::key_name);
                Fault::SeveralKeys(keys.collect())
            }
        }))
    }

    /// The keys of ids in a record: the one that the operator named, however its case and
    /// punctuation are, or the known ones; a dot leads into an object.
    fn of_record(object: &Object<'_>, column: Option<&str>) -> JsonResult<Vec<Self>> {
        let keys_that = |is: &dyn Fn(&str) -> bool| -> Vec<Self> {
            let keys = object.0.iter().filter(|(key, _)| is(key));
            keys.map(|(key, _)| Self::of([key.as_ref()])).collect()
        };
        let Some(asked) = column else {
            let known = keys_that(&|key| is_known(key, object.0.len()));
            let properties = object
                .get(EVENT_PROPERTIES)
                .map(|found| found.get().as_bytes());
            return match properties.filter(|found| known.is_empty() && is_object(found)) {
                Some(properties) if Object::parse(properties)?.get(EVENT_ID).is_some() => {
                    Ok(vec![Self::of([EVENT_PROPERTIES, EVENT_ID])])
                }
                Some(_) | None => Ok(known),
            };
        };
        Ok(match asked.split_once('.') {
            _ if object.get(asked).is_some() => vec![Self::of([asked])],
            Some((outer, inner)) if object.get(outer).is_some() => vec![Self::of([outer, inner])],
            _ => keys_that(&|key| fold(key) == fold(asked)),
        })
    }

    /// `None` where the element itself is the id.
    pub(super) fn key_name(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("."))
    }

    /// Has `hear` hear of each id in an element.
    pub(super) fn each_id(&self, element: &[u8], hear: Hear<'_>) {
        try_each(&self.0, element, None, hear);
    }
}

/// Hears of each id under these keys; of a damaged element, why there is none.
fn try_each(keys: &[String], element: &[u8], number: Option<u64>, hear: Hear<'_>) {
    if let Err(damage) = ids_under(keys, element, number, hear) {
        hear(number, Err(damage));
    }
}

fn ids_under(
    keys: &[String],
    element: &[u8],
    number: Option<u64>,
    hear: Hear<'_>,
) -> JsonResult<()> {
    if is_object(element) == keys.is_empty() {
        // What is broken is no other kind of element.
        parse::<IgnoredAny>(element)?;
        return Err(Damage::Mixed);
    }
    let Some((key, inner)) = keys.split_first() else {
        hear(number, id_of(parse(element)?));
        return Ok(());
    };
    let object = Object::parse(element)?;
    let is_last = inner.is_empty();
    let Some(found) = object.get(key) else {
        return match object.is_control() && !is_last {
            true => Ok(()),
            false => Err(Damage::NoKey),
        };
    };
    let text = found.get();
    match text.as_bytes() {
        [b'[', ..] if is_last && is_plural(key) => {
            each_in_list(text, hear);
        }
        _ if is_last => hear(number, id_of(found)),
        [b'{', ..] => return ids_under(inner, text.as_bytes(), number, hear),
        [b'[', ..] => {
            let records: Vec<&RawValue> = parse(text.as_bytes())?;
            for (number, record) in (1..).zip(records) {
                try_each(inner, record.get().as_bytes(), Some(number), hear);
            }
        }
        _ => return Err(Damage::NoKey),
    }
    Ok(())
}

/// Each id of a JSON list of texts and whole numbers, with its number; of a broken list, why there
/// is none.
pub(super) fn each_in_list(list: &str, hear: Hear<'_>) {
    match parse::<Vec<&RawValue>>(list.as_bytes()) {
        Ok(ids) => (1..)
            .zip(ids)
            .for_each(|(number, id)| hear(Some(number), id_of(id))),
        Err(damage) => hear(None, Err(damage)),
    }
}

/// The first record of a list, or the record that is not in a list.
fn first_of(value: &RawValue) -> Option<&RawValue> {
    let first = match value.get().starts_with('[') {
        true => parse::<Vec<&RawValue>>(value.get().as_bytes())
            .ok()?
            .first()
            .copied()?,
        false => value,
    };
    is_object(first.get().as_bytes()).then_some(first)
}

pub(super) fn is_object(element: &[u8]) -> bool {
    element.trim_ascii_start().starts_with(b"{")
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> JsonResult<T> {
    serde_json::from_slice(text).map_err(|error| damage(&error))
}

// The parser's own words may quote a value.
fn damage(error: &serde_json::Error) -> Damage {
    match error.classify() {
        Category::Eof => Damage::UnfinishedJson,
        Category::Syntax | Category::Data | Category::Io => Damage::BrokenJson {
            column: error.column(),
        },
    }
}

fn id_of(value: &RawValue) -> JsonResult<Cow<'_, str>> {
    let text = value.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.as_bytes() {
        [b'"', ..] => text_of(text),
        [b'n', ..] => Err(Damage::NotAnId("null")),
        [b't' | b'f', ..] => Err(Damage::NotAnId("true or false")),
        [b'[', ..] => Err(Damage::NotAnId("a list")),
        [b'{', ..] => Err(Damage::NotAnId("an object")),
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Cow::Borrowed(text)),
        _ => Err(Damage::NotAnId("a number with a fraction or an exponent")),
    }
}

/// What a JSON text says; what has no escape stands for itself.
pub(super) fn text_of(text: &str) -> JsonResult<Cow<'_, str>> {
    match text.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
            Ok(Cow::Borrowed(&text[1..text.len() - 1]))
        }
        _ => serde_json::from_str(text)
            .map(Cow::Owned)
            .map_err(|_| Damage::BadEscape),
    }
}

/// An object's keys and their values unread.
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Whatever its keys are, even if one of them is there twice.
    pub(super) fn read(text: &'a [u8]) -> JsonResult<Self> {
        parse(text)
    }

    /// Each key is there once.
    fn parse(text: &'a [u8]) -> JsonResult<Self> {
        let object = Self::read(text)?;
        let mut keys: Vec<&str> = object.0.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        match keys.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(Damage::RepeatedKey),
            false => Ok(object),
        }
    }

    /// Whether it is a message of the Singer kind that holds no record.
    fn is_control(&self) -> bool {
        let kind = self.get("type").map(RawValue::get);
        matches!(
            kind,
            Some("\"SCHEMA\"" | "\"STATE\"" | "\"ACTIVATE_VERSION\"")
        )
    }

    fn get(&self, key: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(known, _)| known == key)?;
        Some(found.1)
    }
}

/// A key that is borrowed where it has no escape.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut object = Vec::new();
                while let Some((Key(key), value)) = members.next_entry()? {
                    object.push((key, value));
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests;
