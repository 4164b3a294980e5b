//! JSON texts as Mixpanel writes them: also with half a surrogate pair, which is no text for Rust.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

/// Names and JSON values of an object in order; a repeated name stays repeated.
pub(crate) type Properties<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// The fields of a record. What is under `properties` or `$properties` is read in the same pass: each
/// time, the fields of the object, or `None` if it is none.
#[derive(Default)]
pub(crate) struct RecordFields<'a> {
    pub(crate) own: Properties<'a>,
    pub(crate) of_event: Vec<Option<Properties<'a>>>,
    pub(crate) of_profile: Vec<Option<Properties<'a>>>,
}

/// How many fields an event has as a rule.
const MANY: usize = 32;

impl<'a> RecordFields<'a> {
    /// `None` if `text` is not one JSON object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let mut record = Self::default();
        let mut text = JsonReader { text, place: 0 };
        text.each_field(&mut |name, text| {
            let inner = match &*name {
                "properties" => &mut record.of_event,
                "$properties" => &mut record.of_profile,
                _ => {
                    record.own.push((name, text.value()?));
                    return Some(());
                }
            };
            inner.push(text.fields()?);
            Some(())
        })?;
        text.peek().is_none().then_some(record)
    }
}

/// Reads one JSON text from its beginning to its end, by RFC 8259. `None` where it breaks the rules.
struct JsonReader<'a> {
    text: &'a str,
    place: usize,
}

impl<'a> JsonReader<'a> {
    /// The next byte behind white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(self.place) {
            self.place += 1;
        }
        bytes.get(self.place).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.place += 1)
    }

    /// Passes each name of an object to `take`, which must read its value.
    fn each_field(
        &mut self,
        take: &mut dyn FnMut(Cow<'a, str>, &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            self.peek();
            let name = text_of(self.string()?);
            self.take(b':')?;
            take(name, self)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// The fields of an object; `Some(None)` for any other value.
    fn fields(&mut self) -> Option<Option<Properties<'a>>> {
        if self.peek()? != b'{' {
            return self.value().map(|_| None);
        }
        let mut fields = Vec::with_capacity(MANY);
        self.each_field(&mut |name, text| {
            fields.push((name, text.value()?));
            Some(())
        })?;
        Some(Some(fields))
    }

    /// The text of the next value.
    fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        if first == b'"' {
            return self.string();
        }
        let rest = &self.text[self.place..];
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let digits = rest.bytes().take_while(is_digit).count();
        let is_whole = !matches!(rest.as_bytes().get(digits), Some(b'.' | b'e' | b'E'));
        let value = match digits {
            1.. if is_whole && (digits == 1 || first != b'0') => &rest[..digits],
            _ => <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(rest))
                .ok()?
                .get(),
        };
        self.place += value.len();
        Some(value)
    }

    /// The string that begins here, with its quotes.
    fn string(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.place;
        let mut place = start + 1;
        bytes.get(start).filter(|byte| **byte == b'"')?;
        loop {
            match bytes.get(place)? {
                b'"' => break,
                b'\\' => place += length_of_escape(&bytes[place + 1..])?,
                0..b' ' => return None,
                _ => place += 1,
            }
        }
        self.place = place + 1;
        Some(&self.text[start..self.place])
    }
}

/// Bytes of an escape, whose backslash is before `rest`.
fn length_of_escape(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', digits @ ..] => {
            let digits = digits.first_chunk::<4>()?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
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
    match content(text) {
        Cow::Borrowed(inner) => match inner.len() == text.len() {
            true => Cow::Borrowed(text),
            false => Cow::Borrowed(&text[1..text.len() - 1]),
        },
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_read() {
        let text = r#"{"a\ud800":"b\udc00c","d":1e400}"#;
        let fields = RecordFields::of(text).unwrap().own;
        assert_eq!(fields.len(), 2);
        assert!(fields[0].0.starts_with('a'));
        assert_eq!(fields[1], ("d".into(), "1e400"));
        assert_ne!(content(r#""\ud800""#), content(r#""\ud801""#));
        assert_eq!(content(r#""\u00e9\/""#), content("\"é/\""));
        assert!(RecordFields::of("[]").is_none());
        assert!(RecordFields::of("{} {}").is_none());
    }

    proptest! {
        #[test]
        fn what_is_json_is_as_serde_json_says(
            value in r#"("[a\\\\u0-9eE/ é\n]{0,6}"|[-+.0-9eE]{1,5}|[\[\]{},:1\"a ]{1,8}|true|null|nul)[ ,}]?"#,
            name in r#"("[a\\\\u00]{0,7}"|"(\$)?properties"|1)"#,
        ) {
            let text = format!("{{{name}: {value} , \"b\":\t[1]}}\n");
            let found = RecordFields::of(&text).is_some();
            let expected = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text);
            prop_assert_eq!(found, expected.is_ok(), "{}", text);
        }

        #[test]
        fn values_are_those_of_serde_json(values in prop::collection::vec(
            r#""([a é\[{:]|\\\\["nu/]?0{0,4}){0,6}"|-?[0-9]{1,4}(\.[0-9]{1,2})?|\[[01], ?\{\}\]|false"#, 0..5,
        )) {
            let fields = values.iter().enumerate().map(|(n, value)| format!(" \"{n}\" : {value}"));
            let text = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
            let expected = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text);
            let found = RecordFields::of(&text);
            prop_assert_eq!(found.is_some(), expected.is_ok(), "{}", text);
            for ((name, value), (key, raw)) in found.unwrap_or_default().own.iter().zip(expected.unwrap_or_default()) {
                prop_assert_eq!((&**name, *value), (&*key, raw.get()));
            }
        }
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
