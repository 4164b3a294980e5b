//! JSON texts as Mixpanel writes them: also with half a surrogate pair, which is no text for Rust.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Names and values of an object in order; a repeated name stays repeated.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ExportFields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a str)>);

/// The fields of a record. What is under `properties` or `$properties` is read in the same pass: each
/// time, the fields of the object, or `None` if it is none.
#[derive(Default)]
pub(crate) struct RecordFields<'a> {
    pub(crate) own: ExportFields<'a>,
    pub(crate) of_event: Vec<Option<ExportFields<'a>>>,
    pub(crate) of_profile: Vec<Option<ExportFields<'a>>>,
}

/// How many fields an event has as a rule.
const MANY: usize = 32;

impl<'a> RecordFields<'a> {
    /// `None` if `text` is not one JSON object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl<'de> Deserialize<'de> for RecordFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;

        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = RecordFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut record = RecordFields::default();
                while let Some(StringBytes(name)) = map.next_key::<StringBytes<'de>>()? {
                    match &*name {
                        b"properties" => record.of_event.push(map.next_value::<Inner<'de>>()?.0),
                        b"$properties" => record.of_profile.push(map.next_value::<Inner<'de>>()?.0),
                        _ => {
                            let value = map.next_value::<&'de RawValue>()?.get();
                            record.own.0.push((lossy(name), value));
                        }
                    }
                }
                Ok(record)
            }
        }

        deserializer.deserialize_map(RecordVisitor)
    }
}

/// The fields of an object; `None` for any other value.
struct Inner<'a>(Option<ExportFields<'a>>);

impl<'de> Deserialize<'de> for Inner<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InnerVisitor;

        impl<'de> Visitor<'de> for InnerVisitor {
            type Value = Inner<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let fields = ExportFields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Inner(Some(fields)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Inner(None))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Inner(None))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Inner(None))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Inner(None))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Inner(None))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Inner(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Inner(None))
            }
        }

        deserializer.deserialize_any(InnerVisitor)
    }
}

impl<'de> Deserialize<'de> for ExportFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = ExportFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(MANY);
                while let Some((StringBytes(name), value)) =
                    map.next_entry::<StringBytes<'de>, &'de RawValue>()?
                {
                    fields.push((lossy(name), value.get()));
                }
                Ok(ExportFields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// The content of a JSON string. Half a surrogate pair has the bytes that it would have in UTF-8, so
/// that texts which differ stay different.
struct StringBytes<'a>(Cow<'a, [u8]>);

impl<'de> Deserialize<'de> for StringBytes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl<'de> Visitor<'de> for BytesVisitor {
            type Value = StringBytes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(StringBytes(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(StringBytes(Cow::Owned(bytes.to_owned())))
            }
        }

        deserializer.deserialize_bytes(BytesVisitor)
    }
}

fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        },
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// The content of a JSON string; the text itself of any other value. Equal for all ways to write
/// the same string.
pub(crate) fn content(text: &str) -> Cow<'_, [u8]> {
    match text.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Cow::Borrowed(inner),
        [b'"', ..] => serde_json::from_str::<StringBytes<'_>>(text)
            .map_or(Cow::Borrowed(text.as_bytes()), |bytes| bytes.0),
        _ => Cow::Borrowed(text.as_bytes()),
    }
}

/// The same as text; half a surrogate pair is replaced.
pub(crate) fn text_of(text: &str) -> Cow<'_, str> {
    lossy(content(text))
}

/// Appends a JSON value in a form that is equal for all ways to write it: without white space, and
/// each string by its length and content. The order of keys and the digits of numbers stay.
pub(crate) fn add_canonical(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let start = place;
        place = match byte {
            b'"' => end_of_string(bytes, place),
            _ => place + 1,
        };
        match byte {
            b'"' => {
                let content = content(&text[start..place]);
                out.push(b'"');
                out.extend_from_slice(&(content.len() as u64).to_le_bytes());
                out.extend_from_slice(&content);
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => out.push(*byte),
        }
    }
}

/// The place after the string that begins at `place`.
fn end_of_string(bytes: &[u8], mut place: usize) -> usize {
    place += 1;
    while bytes.get(place).is_some_and(|byte| *byte != b'"') {
        place += if bytes[place] == b'\\' { 2 } else { 1 };
    }
    (place + 1).min(bytes.len())
}

/// What a string or a number is in a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonPart {
    Key,
    Value,
}

/// Passes each string and each number in a JSON value to `take`. `text` must be valid JSON.
pub(crate) fn each_part<'t>(text: &'t str, take: &mut dyn FnMut(JsonPart, Cow<'t, str>)) {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let start = place;
        match byte {
            b'"' => {
                place = end_of_string(bytes, place);
                let mut rest = bytes[place..].iter();
                let part = match rest.find(|byte| !byte.is_ascii_whitespace()) {
                    Some(b':') => JsonPart::Key,
                    Some(_) | None => JsonPart::Value,
                };
                take(part, text_of(&text[start..place]));
            }
            b'-' | b'0'..=b'9' => {
                let is_number = |byte: &u8| b"+-.eE0123456789".contains(byte);
                while bytes.get(place).is_some_and(is_number) {
                    place += 1;
                }
                take(JsonPart::Value, Cow::Borrowed(&text[start..place]));
            }
            _ => place += 1,
        }
    }
}

/// The same without the keys of objects.
pub(crate) fn each_value<'t>(text: &'t str, take: &mut dyn FnMut(Cow<'t, str>)) {
    each_part(text, &mut |part, text| {
        if part == JsonPart::Value {
            take(text);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_read() {
        let text = r#"{"a\ud800":"b\udc00c","d":1e400}"#;
        let fields = serde_json::from_str::<ExportFields<'_>>(text).unwrap().0;
        assert_eq!(fields.len(), 2);
        assert!(fields[0].0.starts_with('a'));
        assert_eq!(fields[1], ("d".into(), "1e400"));
        assert_ne!(content(r#""\ud800""#), content(r#""\ud801""#));
        assert_eq!(content(r#""\u00e9\/""#), content("\"é/\""));
        assert!(RecordFields::of("[]").is_none());
        assert!(RecordFields::of("{} {}").is_none());
    }

    #[test]
    fn a_value_has_one_form_however_it_is_written() {
        let form = |text: &str| {
            let mut form = Vec::new();
            add_canonical(text, &mut form);
            form
        };
        let same = [
            r#"{"a":[1,"\u00e9\/"]}"#,
            "{ \"\\u0061\" :\n[ 1 , \"é/\" ] }",
        ];
        assert_eq!(form(same[0]), form(same[1]));
        for (one, other) in [("5", "\"5\""), ("1.0", "1"), ("[\"a,b\"]", "[\"a\",\"b\"]")] {
            assert_ne!(form(one), form(other));
        }
    }

    #[test]
    fn every_string_and_number_of_a_value_is_seen() {
        let mut seen = Vec::new();
        let value = r#"{"k\"y":[1,-2.5e3,"a\\",{"b":null}],"c":true,"é":"\u00e9"}"#;
        each_part(value, &mut |_, part| seen.push(part.into_owned()));
        assert_eq!(seen, ["k\"y", "1", "-2.5e3", "a\\", "b", "c", "é", "é"]);
        let mut values = Vec::new();
        each_value(value, &mut |part| values.push(part.into_owned()));
        assert_eq!(values, ["1", "-2.5e3", "a\\", "é"]);
    }
}
