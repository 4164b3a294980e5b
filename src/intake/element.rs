//! Where the ids are in a JSON value, and what they say: texts, or whole numbers digit for digit.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::IntakeError;
use super::columns::{fold, is_known};
use super::problem::LineDamage;

/// Where Mixpanel's raw export of events keeps the id.
const EVENT_PROPERTIES: &str = "properties";
const EVENT_ID: &str = "distinct_id";

/// Keys under which programs put the records of a page or a message.
const WRAPPERS: [&str; 10] = [
    "data", "results", "result", "records", "record", "items", "rows", "users", "profiles",
    "people",
];

/// Where the ids are in each element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// The element is the id.
    Bare,
    /// Of a text, a whole number, or, where the key says so, a list of them.
    Key(String),
    /// A key of an object under a key.
    Nested(String, String),
    /// An object under a key, or a list of such objects.
    Wrapped(String, Box<Shape>),
}

type JsonResult<T> = Result<T, LineDamage>;

/// Hears each id of an element, or why there is none, and which of a list of records it is in.
type Hear<'h> = &'h mut dyn FnMut(Option<u64>, JsonResult<Cow<'_, str>>);

impl Shape {
    /// Decides from an element, if that can be read; `None` where it tells nothing.
    ///
    /// # Errors
    /// When it is not exactly clear which key holds the id.
    pub(super) fn decide(
        element: &[u8],
        column: Option<&str>,
        label: &str,
    ) -> Result<JsonResult<Option<Self>>, IntakeError> {
        if !is_object(element) {
            return match column {
                None => Ok(Ok(Some(Self::Bare))),
                Some(key) => Err(missing_key(key, label)),
            };
        }
        match Object::parse(element) {
            Ok(object) => Self::of_object(&object, column, label),
            Err(damage) => Ok(Err(damage)),
        }
    }

    fn of_object(
        object: &Object<'_>,
        column: Option<&str>,
        label: &str,
    ) -> Result<JsonResult<Option<Self>>, IntakeError> {
        let mut found = match Self::of_record(object, column) {
            Ok(found) => found,
            Err(damage) => return Ok(Err(damage)),
        };
        let mut says_nothing = object.is_control();
        if found.is_empty() {
            for (key, value) in object.members() {
                if !WRAPPERS.contains(&fold(key).as_str()) {
                    continue;
                }
                let Some(first) = first_of(value) else {
                    says_nothing |= value.get().starts_with('[');
                    continue;
                };
                let record = Object::parse(first.get().as_bytes());
                match record.and_then(|record| Self::of_record(&record, column)) {
                    Ok(inner) => found.extend(
                        inner
                            .into_iter()
                            .map(|inner| Self::Wrapped(key.to_owned(), Box::new(inner))),
                    ),
                    Err(damage) => return Ok(Err(damage)),
                }
            }
        }
        let label = label.to_owned();
        match (found.as_slice(), column) {
            ([one], _) => Ok(Ok(Some(one.clone()))),
            ([], _) if says_nothing => Ok(Ok(None)),
            ([], Some(key)) => Err(missing_key(key, &label)),
            ([], None) => Err(IntakeError::NoKnownKey { label }),
            (several, _) => Err(IntakeError::SeveralKeys {
                label,
                keys: several
                    .iter()
                    .filter_map(Self::key_name)
                    .map(|key| format!("`{key}`"))
                    .collect(),
            }),
        }
    }

    /// The keys of ids in a record: the one that the operator named, however its case and
    /// punctuation are, or the known ones; a dot leads into an object.
    fn of_record(object: &Object<'_>, column: Option<&str>) -> JsonResult<Vec<Self>> {
        let key = |key: &str| Self::Key(key.to_owned());
        let Some(asked) = column else {
            let width = object.keys.len();
            let known = object.keys.iter().filter(|name| is_known(name, width));
            let known: Vec<Self> = known.map(|name| key(name)).collect();
            let event = Self::Nested(EVENT_PROPERTIES.to_owned(), EVENT_ID.to_owned());
            return match known.is_empty() && event.find(object)?.is_some() {
                true => Ok(vec![event]),
                false => Ok(known),
            };
        };
        if object.get(asked).is_some() {
            return Ok(vec![key(asked)]);
        }
        if let Some((outer, inner)) = asked.split_once('.')
            && let Some(value) = object.get(outer)
        {
            return Ok(vec![match value.get().starts_with('[') {
                true => Self::Wrapped(outer.to_owned(), Box::new(key(inner))),
                false => Self::Nested(outer.to_owned(), inner.to_owned()),
            }]);
        }
        let folded = object.keys.iter().filter(|name| fold(name) == fold(asked));
        Ok(folded.map(|name| key(name)).collect())
    }

    /// `None` where the element itself is the id.
    pub(super) fn key_name(&self) -> Option<String> {
        match self {
            Self::Bare => None,
            Self::Key(key) => Some(key.clone()),
            Self::Nested(outer, inner) => Some(format!("{outer}.{inner}")),
            Self::Wrapped(outer, inner) => Some(format!("{outer}.{}", inner.key_name()?)),
        }
    }

    /// Has `hear` hear of each id in an element.
    pub(super) fn each_id(&self, element: &[u8], hear: Hear<'_>) {
        if let Err(damage) = self.try_each(element, None, hear) {
            hear(None, Err(damage));
        }
    }

    fn try_each(&self, element: &[u8], number: Option<u64>, hear: Hear<'_>) -> JsonResult<()> {
        if is_object(element) == (*self == Self::Bare) {
            // What is broken is no other kind of element.
            parse::<IgnoredAny>(element)?;
            return Err(LineDamage::Mixed);
        }
        let object = match self {
            Self::Bare => {
                let found = parse::<&RawValue>(element)?;
                hear(number, id_of(found));
                return Ok(());
            }
            _ => Object::parse(element)?,
        };
        match self {
            Self::Wrapped(outer, inner) => {
                let Some(records) = object.get(outer) else {
                    return match object.is_control() {
                        true => Ok(()),
                        false => Err(LineDamage::NoKey),
                    };
                };
                let text = records.get().as_bytes();
                if is_object(text) {
                    return inner.try_each(text, number, hear);
                }
                let records: Vec<&RawValue> = parse(text)?;
                for (number, record) in (1..).zip(records) {
                    if let Err(damage) = inner.try_each(record.get().as_bytes(), Some(number), hear)
                    {
                        hear(Some(number), Err(damage));
                    }
                }
                Ok(())
            }
            _ => {
                let found = self.find(&object)?.ok_or(LineDamage::NoKey)?;
                match self {
                    Self::Key(key) if found.get().starts_with('[') && is_plural(key) => {
                        each_in_list(found.get(), &mut |number, id| hear(Some(number), id))
                    }
                    _ => {
                        hear(number, id_of(found));
                        Ok(())
                    }
                }
            }
        }
    }

    fn find<'a>(&self, object: &Object<'a>) -> JsonResult<Option<&'a RawValue>> {
        match self {
            Self::Key(key) => Ok(object.get(key)),
            Self::Nested(outer, inner) => match object.get(outer) {
                Some(object) if is_object(object.get().as_bytes()) => {
                    Ok(Object::parse(object.get().as_bytes())?.get(inner))
                }
                Some(_) | None => Ok(None),
            },
            Self::Bare | Self::Wrapped(..) => Ok(None),
        }
    }
}

/// Whether a key or a column of this name may hold a list of ids, such as `$distinct_ids`.
pub(super) fn is_plural(name: &str) -> bool {
    fold(name).ends_with("ids")
}

/// Each id of a JSON list of texts and whole numbers, with its number.
pub(super) fn each_in_list(
    list: &str,
    hear: &mut dyn FnMut(u64, JsonResult<Cow<'_, str>>),
) -> JsonResult<()> {
    let ids: Vec<&RawValue> = parse(list.as_bytes())?;
    for (number, id) in (1..).zip(ids) {
        hear(number, id_of(id));
    }
    Ok(())
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

fn missing_key(key: &str, label: &str) -> IntakeError {
    IntakeError::MissingKey {
        label: label.to_owned(),
        key: key.to_owned(),
    }
}

pub(super) fn is_object(element: &[u8]) -> bool {
    element.trim_ascii_start().starts_with(b"{")
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> JsonResult<T> {
    serde_json::from_slice(text).map_err(|error| damage(&error))
}

// The parser's own words may quote a value.
fn damage(error: &serde_json::Error) -> LineDamage {
    match error.classify() {
        Category::Eof => LineDamage::UnfinishedJson,
        Category::Syntax | Category::Data | Category::Io => LineDamage::BrokenJson {
            column: error.column(),
        },
    }
}

fn id_of(value: &RawValue) -> JsonResult<Cow<'_, str>> {
    let text = value.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.as_bytes() {
        [b'"', ..] => text_of(text),
        [b'n', ..] => Err(LineDamage::NotAnId("null")),
        [b't' | b'f', ..] => Err(LineDamage::NotAnId("true or false")),
        [b'[', ..] => Err(LineDamage::NotAnId("a list")),
        [b'{', ..] => Err(LineDamage::NotAnId("an object")),
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Cow::Borrowed(text)),
        _ => Err(LineDamage::NotAnId(
            "a number with a fraction or an exponent",
        )),
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
            .map_err(|_| LineDamage::BadEscape),
    }
}

/// An object's keys and their values unread.
pub(super) struct Object<'a> {
    keys: Vec<Cow<'a, str>>,
    values: Vec<&'a RawValue>,
}

impl<'a> Object<'a> {
    /// Whatever its keys are, even if one of them is there twice.
    pub(super) fn read(text: &'a [u8]) -> JsonResult<Self> {
        parse(text)
    }

    pub(super) fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, &'a RawValue)> {
        self.keys.into_iter().zip(self.values)
    }

    /// Each key is there once.
    fn parse(text: &'a [u8]) -> JsonResult<Self> {
        let object = Self::read(text)?;
        let mut keys: Vec<&str> = object.keys.iter().map(AsRef::as_ref).collect();
        keys.sort_unstable();
        match keys.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(LineDamage::RepeatedKey),
            false => Ok(object),
        }
    }

    fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.keys
            .iter()
            .map(AsRef::as_ref)
            .zip(self.values.iter().copied())
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
        let place = self.keys.iter().position(|known| known == key)?;
        self.values.get(place).copied()
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut object = Object {
                    keys: Vec::new(),
                    values: Vec::new(),
                };
                while let Some((Key(key), value)) = members.next_entry()? {
                    object.keys.push(key);
                    object.values.push(value);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A key that is borrowed where it has no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests;
