//! Where the id is in a JSON value, and what it says: a text, or a whole number digit for digit.

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

/// Where the id is in each element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The element is the id.
    Bare,
    Key(String),
    /// A key of an object under a key.
    Nested(String, String),
}

type JsonResult<T> = Result<T, LineDamage>;

impl Shape {
    /// Decides from the first element, if that can be read.
    ///
    /// # Errors
    /// When it is not exactly clear which key holds the id.
    pub(super) fn decide(
        element: &[u8],
        column: Option<&str>,
        label: &str,
    ) -> Result<JsonResult<Self>, IntakeError> {
        if !is_object(element) {
            return match column {
                None => Ok(Ok(Self::Bare)),
                Some(key) => Err(missing_key(key, label)),
            };
        }
        let keys = match Object::parse(element) {
            Ok(object) => object.keys,
            Err(damage) => return Ok(Err(damage)),
        };
        match column {
            Some(asked) => Self::asked(&keys, asked, label).map(Ok),
            None => Self::recognise(element, &keys, label),
        }
    }

    /// The key as the operator wrote it, or the one that differs in case and punctuation only;
    /// a dot leads into an object.
    fn asked(keys: &[Cow<'_, str>], asked: &str, label: &str) -> Result<Self, IntakeError> {
        let exact = keys.iter().find(|key| *key == asked);
        let folded = || keys.iter().find(|key| fold(key) == fold(asked));
        if let Some(key) = exact {
            return Ok(Self::Key(key.to_string()));
        }
        if let Some((outer, inner)) = asked.split_once('.')
            && keys.iter().any(|key| key == outer)
        {
            return Ok(Self::Nested(outer.to_owned(), inner.to_owned()));
        }
        let key = folded().ok_or_else(|| missing_key(asked, label))?;
        Ok(Self::Key(key.to_string()))
    }

    fn recognise(
        element: &[u8],
        keys: &[Cow<'_, str>],
        label: &str,
    ) -> Result<JsonResult<Self>, IntakeError> {
        let known = keys.iter().filter(|key| is_known(key, keys.len()));
        let known: Vec<&Cow<'_, str>> = known.collect();
        let label = label.to_owned();
        match known.as_slice() {
            [key] => Ok(Ok(Self::Key(key.to_string()))),
            [] => {
                let event = Self::Nested(EVENT_PROPERTIES.to_owned(), EVENT_ID.to_owned());
                match event.find(element) {
                    Ok(Some(_)) => Ok(Ok(event)),
                    Ok(None) => Err(IntakeError::NoKnownKey { label }),
                    Err(damage) => Ok(Err(damage)),
                }
            }
            several => Err(IntakeError::SeveralKeys {
                label,
                keys: several.iter().map(|key| format!("`{key}`")).collect(),
            }),
        }
    }

    /// `None` where the element itself is the id.
    pub(super) fn key_name(&self) -> Option<String> {
        match self {
            Self::Bare => None,
            Self::Key(key) => Some(key.clone()),
            Self::Nested(outer, inner) => Some(format!("{outer}.{inner}")),
        }
    }

    /// The id in an element.
    pub(super) fn value_of<'a>(&self, element: &'a [u8]) -> JsonResult<Cow<'a, str>> {
        if is_object(element) == (*self == Self::Bare) {
            // What is broken is no other kind of element.
            parse::<IgnoredAny>(element)?;
            return Err(LineDamage::Mixed);
        }
        let found = self.find(element)?.ok_or(LineDamage::NoKey)?;
        id_of(found)
    }

    fn find<'a>(&self, element: &'a [u8]) -> JsonResult<Option<&'a RawValue>> {
        match self {
            Self::Bare => parse::<&RawValue>(element).map(Some),
            Self::Key(key) => Ok(Object::parse(element)?.get(key)),
            Self::Nested(outer, inner) => match Object::parse(element)?.get(outer) {
                Some(object) if is_object(object.get().as_bytes()) => {
                    Ok(Object::parse(object.get().as_bytes())?.get(inner))
                }
                Some(_) | None => Ok(None),
            },
        }
    }
}

fn missing_key(key: &str, label: &str) -> IntakeError {
    IntakeError::MissingKey {
        label: label.to_owned(),
        key: key.to_owned(),
    }
}

fn is_object(element: &[u8]) -> bool {
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
        // What has no escape stands for itself.
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
            Ok(Cow::Borrowed(&text[1..text.len() - 1]))
        }
        [b'"', ..] => serde_json::from_str(text)
            .map(Cow::Owned)
            .map_err(|_| LineDamage::BadEscape),
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

/// An object's keys, each there once, and their values unread.
struct Object<'a> {
    keys: Vec<Cow<'a, str>>,
    values: Vec<&'a RawValue>,
}

impl<'a> Object<'a> {
    fn parse(text: &'a [u8]) -> JsonResult<Self> {
        let object: Self = parse(text)?;
        let mut keys: Vec<&str> = object.keys.iter().map(AsRef::as_ref).collect();
        keys.sort_unstable();
        match keys.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(LineDamage::RepeatedKey),
            false => Ok(object),
        }
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
mod tests {
    use super::*;

    fn decided(element: &str, column: Option<&str>) -> Shape {
        let shape = Shape::decide(element.as_bytes(), column, "x");
        shape.unwrap().unwrap()
    }

    fn value(shape: &Shape, element: &str) -> JsonResult<String> {
        let value = shape.value_of(element.as_bytes());
        value.map(Cow::into_owned)
    }

    #[test]
    fn the_key_of_ids_is_recognised_or_asked_for() {
        let key = |name: &str| Shape::Key(name.to_owned());
        let nested = |outer: &str, inner: &str| Shape::Nested(outer.to_owned(), inner.to_owned());
        for (element, column, shape) in [
            (r#"{"$distinct_id":"a"}"#, None, key("$distinct_id")),
            (r#"{"id":"a"}"#, None, key("id")),
            (r#"{"x":1,"Distinct ID":"a"}"#, None, key("Distinct ID")),
            (r#"{"x":1,"distinct_id":1}"#, Some("x"), key("x")),
            (r#"{"Who":1}"#, Some("who"), key("Who")),
            (r#"{"a.b":1,"a":{"b":2}}"#, Some("a.b"), key("a.b")),
            (r#"{"a":{"b":2}}"#, Some("a.b"), nested("a", "b")),
            (
                r#"{"event":"e","properties":{"distinct_id":"a","$user_id":"b"}}"#,
                None,
                nested("properties", "distinct_id"),
            ),
            (
                r#"{"$distinct_id":"a","properties":{"distinct_id":"b"}}"#,
                None,
                key("$distinct_id"),
            ),
            (r#" "a" "#, None, Shape::Bare),
        ] {
            assert_eq!(decided(element, column), shape, "{element}");
        }
    }

    #[test]
    fn where_it_is_not_clear_nothing_is_decided() {
        let error = |element: &str, column| {
            let shape = Shape::decide(element.as_bytes(), column, "x");
            shape.unwrap_err().to_string()
        };
        assert!(error(r#"{"id":1,"x":2}"#, None).contains("no key of a known name"));
        assert!(error(r#"{"properties":{"x":1}}"#, None).contains("no key of a known name"));
        assert!(error(r#"{"properties":"distinct_id"}"#, None).contains("no key"));
        assert!(error(r#"{"user_id":1,"userId":2}"#, None).contains("`user_id`, `userId`"));
        assert!(error(r#"{"x":1}"#, Some("y")).contains("no key `y`"));
        assert!(error(r#""a""#, Some("y")).contains("no key `y`"));
    }

    #[test]
    fn a_text_is_unescaped_and_a_whole_number_kept_digit_for_digit() {
        for (element, id) in [
            (r#""a""#, "a"),
            (r#""""#, ""),
            (r#""a\"\\\u00e9\ud83d\ude00""#, "a\"\\é😀"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("-7", "-7"),
        ] {
            assert_eq!(value(&Shape::Bare, element).as_deref(), Ok(id), "{element}");
        }
    }

    #[test]
    fn whatever_else_is_an_error() {
        let shape = Shape::Key("k".to_owned());
        let not_an_id = |found: &JsonResult<String>| matches!(found, Err(LineDamage::NotAnId(_)));
        for id in ["null", "true", "false", "1.0", "1e3", "-1E3", "[]", "{}"] {
            let element = format!(r#"{{"k":{id}}}"#);
            assert!(not_an_id(&value(&shape, &element)), "{id}");
        }
        for (element, damage) in [
            (r#"{"x":1}"#, LineDamage::NoKey),
            (r#""a""#, LineDamage::Mixed),
            (r#"{"k":"a","k":"a"}"#, LineDamage::RepeatedKey),
            (r#"{"k":"a""#, LineDamage::UnfinishedJson),
            (r#"{"k":"\ud800"}"#, LineDamage::BadEscape),
        ] {
            assert_eq!(value(&shape, element), Err(damage), "{element}");
        }
        for broken in [
            "a",
            r#"{"k":a}"#,
            r#"{"k":"a"} x"#,
            r#"{"k":"\q"}"#,
            "{\"k\":\"\t\"}",
        ] {
            let found = value(&shape, broken);
            assert!(
                matches!(found, Err(LineDamage::BrokenJson { .. })),
                "{broken}"
            );
        }
        assert_eq!(value(&Shape::Bare, "{}"), Err(LineDamage::Mixed));
        for broken in ["01", "- 1", "\"a"] {
            assert!(value(&Shape::Bare, broken).is_err(), "{broken}");
        }
    }
}
