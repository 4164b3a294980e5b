//! Finds the ids in a JSON value: strings, or whole numbers digit for digit.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::columns::{is_known, is_plural, sought};
use crate::domain::id_names::fold;
use crate::domain::{JsonObject, json_text};
use crate::intake::ReadOptions;
use crate::intake::damage::Damage;
use crate::intake::problem::Fault;

/// Mixpanel's raw event export keeps the id here.
const EVENT_PROPERTIES: &str = "properties";
const EVENT_ID: &str = "distinct_id";

/// Keys under which programs put the records of a page or a message.
const WRAPPERS: [&str; 10] = [
    "data", "results", "result", "records", "record", "items", "rows", "users", "profiles",
    "people",
];

/// The path of keys that leads to the ids in each element. A list stands for each of its records;
/// an empty path means that the element is the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyPath(Vec<String>);

/// Why an element does not show where the ids are.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// A message or a page without a record.
    SaysNothing,
    Damaged(Damage),
    /// The key that holds the id is missing or ambiguous.
    Unclear(Fault),
}

impl From<Damage> for Undecided {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

type JsonResult<T> = Result<T, Damage>;

/// Receives each id of an element, or why there is none, and the number of its record in a list.
type Hear<'h> = &'h mut dyn FnMut(Option<u64>, JsonResult<Cow<'_, str>>);

impl KeyPath {
    fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.map(str::to_owned).to_vec())
    }

    /// Finds the path to the ids from one element. Fails when the element is damaged or empty, or
    /// it is not clear which key holds the id.
    pub(crate) fn decide(element: &[u8], options: &ReadOptions) -> Result<Self, Undecided> {
        let column = options.column.as_deref();
        let (mut found, mut says_nothing) = (Vec::new(), false);
        if is_object(element) {
            let object = read_record(element)?;
            found = Self::of_record(&object, options)?;
            says_nothing = is_control(&object);
            let is_wrapper = |key: &str| WRAPPERS.contains(&fold(key).as_str());
            let is_bare = found.is_empty();
            for (key, value) in object
                .0
                .iter()
                .filter(|(key, _)| is_bare && is_wrapper(key))
            {
                match first_of(value) {
                    Some(first) => {
                        let record = read_record(first.get().as_bytes())?;
                        let inner = Self::of_record(&record, options)?.into_iter();
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
            ([], None) => Fault::NoKnownKey(sought(options)),
            (several, _) => {
                let keys = several.iter().filter_map(Self::key_name);
                Fault::SeveralKeys(keys.collect())
            }
        }))
    }

    /// The paths to ids in a record: the key that the operator named, or the known keys. Ignores
    /// case and punctuation; a dot leads into an object.
    fn of_record(object: &JsonObject<'_>, options: &ReadOptions) -> JsonResult<Vec<Self>> {
        let keys_that = |is: &dyn Fn(&str) -> bool| -> Vec<Self> {
            let keys = object.0.iter().filter(|(key, _)| is(key));
            keys.map(|(key, _)| Self::of([key.as_ref()])).collect()
        };
        let Some(asked) = options.column.as_deref() else {
            let known = keys_that(&|key| is_known(key, object.0.len(), options));
            let properties = object
                .get(EVENT_PROPERTIES)
                .map(|found| found.get().as_bytes());
            let is_of_event = known.is_empty() && options.property.is_none();
            return match properties.filter(|found| is_of_event && is_object(found)) {
                Some(properties) if read_record(properties)?.get(EVENT_ID).is_some() => {
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

    /// `None` if the element itself is the id.
    pub(crate) fn key_name(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("."))
    }

    pub(crate) fn each_id(&self, element: &[u8], hear: Hear<'_>) {
        try_each(&self.0, element, None, hear);
    }
}

/// Calls `hear` for each id under these keys, or with the damage of the element.
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
        // Broken JSON is reported as broken, not as a mixture.
        parse::<IgnoredAny>(element)?;
        return Err(Damage::Mixed);
    }
    let Some((key, inner)) = keys.split_first() else {
        hear(number, id_of(parse(element)?));
        return Ok(());
    };
    let object = read_record(element)?;
    let is_last = inner.is_empty();
    let Some(found) = object.get(key) else {
        return match is_control(&object) && !is_last {
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

/// Calls `hear` for each string or whole number of a JSON list, or with the damage of a broken
/// list.
pub(crate) fn each_in_list(list: &str, hear: Hear<'_>) {
    match parse::<Vec<&RawValue>>(list.as_bytes()) {
        Ok(ids) => (1..)
            .zip(ids)
            .for_each(|(number, id)| hear(Some(number), id_of(id))),
        Err(damage) => hear(None, Err(damage)),
    }
}

/// The first record of a list, or the record itself.
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

pub(crate) fn is_object(element: &[u8]) -> bool {
    element.trim_ascii_start().starts_with(b"{")
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> JsonResult<T> {
    serde_json::from_slice(text).map_err(|error| damage(&error))
}

// Keeps the position only: serde's message may quote a value.
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
    match text.as_bytes() {
        [b'"', ..] => json_text(text).ok_or(Damage::BadEscape),
        [b'n', ..] => Err(Damage::NotAnId("null")),
        [b't' | b'f', ..] => Err(Damage::NotAnId("true or false")),
        [b'[', ..] => Err(Damage::NotAnId("a list")),
        [b'{', ..] => Err(Damage::NotAnId("an object")),
        _ => Damage::of_number(text).map(|()| Cow::Borrowed(text)),
    }
}

/// Reads an object; a key may occur twice.
pub(crate) fn read_object(text: &[u8]) -> JsonResult<JsonObject<'_>> {
    parse(text)
}

/// Reads an object; a repeated key is damage.
fn read_record(text: &[u8]) -> JsonResult<JsonObject<'_>> {
    let object = read_object(text)?;
    let mut keys: Vec<&str> = object.0.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    match keys.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(Damage::RepeatedKey),
        false => Ok(object),
    }
}

/// Whether the object is a Singer message without a record.
fn is_control(object: &JsonObject<'_>) -> bool {
    let kind = object.get("type").map(RawValue::get);
    matches!(
        kind,
        Some("\"SCHEMA\"" | "\"STATE\"" | "\"ACTIVATE_VERSION\"")
    )
}

#[cfg(test)]
mod tests;
