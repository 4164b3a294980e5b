//! The few keys of an event that matter, out of its JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::events::{Event, Field};
use super::problem::LineDamage;

/// Which keys say what, where the operator has named them.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    pub(super) person: Option<String>,
    pub(super) time: Option<String>,
}

impl Keys {
    pub(super) fn new(person: Option<&str>, time: Option<&str>) -> Self {
        Self {
            person: person.map(str::to_owned),
            time: time.map(str::to_owned),
        }
    }

    /// What a key says at the top, or in the object under `outer`.
    fn field(&self, outer: Option<&str>, name: &str) -> Option<Field> {
        let is = |key: &str| match (key.split_once('.'), outer) {
            _ if outer.is_none() && key == name => true,
            (Some((first, second)), Some(outer)) => first == outer && second == name,
            _ => false,
        };
        if self.person.as_deref().is_some_and(is) {
            return Some(Field::Person);
        }
        if self.time.as_deref().is_some_and(is) {
            return Some(Field::Happened);
        }
        let is_of_mixpanel = matches!(outer, None | Some("properties" | "$properties"));
        Field::of(name).filter(|field| {
            is_of_mixpanel
                && match field {
                    Field::Person | Field::Device => self.person.is_none(),
                    Field::Happened | Field::Received => self.time.is_none(),
                }
        })
    }

    /// Whether something in the object under a key may matter.
    fn leads(&self, name: &str) -> bool {
        let leads = |key: &String| key.split_once('.').is_some_and(|(outer, _)| outer == name);
        matches!(name, "properties" | "$properties")
            || self.person.as_ref().is_some_and(leads)
            || self.time.as_ref().is_some_and(leads)
    }
}

/// Reads one event.
///
/// # Errors
/// When it is no JSON object, or an id in it cannot be read.
pub(super) fn read<'e>(text: &'e [u8], keys: &Keys) -> Result<Event<'e>, LineDamage> {
    let encoding = "UTF-8";
    let text = std::str::from_utf8(text).map_err(|_| LineDamage::Undecodable { encoding })?;
    if !text.trim_start().starts_with('{') {
        return Err(LineDamage::NoEvent);
    }
    let mut found = Found {
        event: Event::default(),
        damage: None,
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let object = Object {
        found: &mut found,
        keys,
        outer: None,
    };
    let read = parser.deserialize_map(object).and_then(|()| parser.end());
    match (read, found.damage) {
        (Ok(()), None) => Ok(found.event),
        (Ok(()), Some(damage)) => Err(damage),
        (Err(error), _) => Err(match error.classify() {
            Category::Eof => LineDamage::UnfinishedJson,
            Category::Syntax | Category::Data | Category::Io => LineDamage::BrokenJson {
                column: error.column(),
            },
        }),
    }
}

struct Found<'e> {
    event: Event<'e>,
    damage: Option<LineDamage>,
}

impl<'e> Found<'e> {
    fn take(&mut self, field: Field, text: &'e str) {
        let id = match text.as_bytes() {
            b"null" | b"\"\"" => return,
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                Cow::Borrowed(&text[1..text.len() - 1])
            }
            [b'"', ..] => match serde_json::from_str(text) {
                Ok(id) => Cow::Owned(id),
                Err(_) => {
                    self.damage = Some(LineDamage::BadEscape);
                    return;
                }
            },
            // A number by its digits.
            [b'-' | b'0'..=b'9', ..] => Cow::Borrowed(text),
            _ => return,
        };
        self.event.add_time(field, &id);
        self.event.add_id(field, id);
    }
}

/// Goes through the keys of an event, or of an object in it.
struct Object<'f, 'e> {
    found: &'f mut Found<'e>,
    keys: &'f Keys,
    outer: Option<&'f str>,
}

/// A key as it is needed: what it says, or its name where it leads further.
enum Key<'de> {
    Says(Field),
    Leads(Cow<'de, str>),
    Nothing,
}

struct KeySeed<'k> {
    keys: &'k Keys,
    outer: Option<&'k str>,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_str(self)
    }
}

impl KeySeed<'_> {
    fn key<'de>(&self, name: &str, kept: impl FnOnce() -> Cow<'de, str>) -> Key<'de> {
        match self.keys.field(self.outer, name) {
            Some(field) => Key::Says(field),
            None if self.outer.is_none() && self.keys.leads(name) => Key::Leads(kept()),
            None => Key::Nothing,
        }
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Key<'de>, E> {
        Ok(self.key(name, || Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key<'de>, E> {
        Ok(self.key(name, || Cow::Owned(name.to_owned())))
    }
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let keys = self.keys;
        let outer = self.outer;
        while let Some(key) = map.next_key_seed(KeySeed { keys, outer })? {
            match key {
                Key::Says(field) => {
                    let text = map.next_value::<&'de RawValue>()?.get();
                    self.found.take(field, text);
                }
                Key::Leads(name) => map.next_value_seed(Object {
                    found: &mut *self.found,
                    keys,
                    outer: Some(&name),
                })?,
                Key::Nothing => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    // Anything else than an object says nothing.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::intake::NamedAs;

    fn named(text: &str, keys: &Keys) -> Result<Vec<(NamedAs, String)>, LineDamage> {
        let event = read(text.as_bytes(), keys)?;
        let names = event
            .names()
            .map(|(named_as, id)| (named_as, id.to_owned()));
        Ok(names.collect())
    }

    #[test]
    fn what_is_no_event_is_damage_and_not_an_event_of_nobody() {
        let keys = Keys::default();
        let broken = |text: &str| named(text, &keys).unwrap_err();
        assert_eq!(broken("[]"), LineDamage::NoEvent);
        assert_eq!(broken("\"a\""), LineDamage::NoEvent);
        assert_eq!(broken("{\"a\":1"), LineDamage::UnfinishedJson);
        assert_eq!(broken("{} {}"), LineDamage::BrokenJson { column: 4 });
        let escape = r#"{"distinct_id":"\ud800"}"#;
        assert_eq!(broken(escape), LineDamage::BadEscape);
        assert_eq!(named("{}", &keys), Ok(Vec::new()));
        assert_eq!(
            named(r#"{"properties":[{"distinct_id":"a"}]}"#, &keys),
            Ok(Vec::new())
        );
    }

    #[test]
    fn a_key_that_was_asked_for_is_the_only_one_that_counts() {
        let text = r#"{"distinct_id":"a","user":{"id":"b"},"user.id":"c","at":7,"time":9}"#;
        let at = Keys::new(Some("user.id"), Some("at"));
        let event = read(text.as_bytes(), &at).unwrap();
        let names: Vec<&str> = event.names().map(|(_, id)| id).collect();
        assert_eq!((names, event.time()), (vec!["b", "c"], Some(7)));
        let top = Keys::new(Some("id"), None);
        assert_eq!(named(text, &top), Ok(Vec::new()), "not the one inside");
    }

    fn id() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[a-c\"\\\\\u{e9}\n]{0,3}".prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            Just(Value::Null),
            Just(serde_json::json!({ "distinct_id": "inside" })),
        ]
    }

    fn object() -> impl Strategy<Value = Value> {
        let key = prop::sample::select(vec![
            "distinct_id",
            "$user_id",
            "$device_id",
            "other",
            "time",
        ]);
        let members = prop::collection::vec((key, id()), 0..4);
        members.prop_map(|members| {
            members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn whom_an_event_names_is_what_another_reader_sees(top in object(), inner in object()) {
            let mut event = top.clone();
            event["properties"] = inner.clone();
            let mut expected: Vec<String> = Vec::new();
            for object in [&top, &inner] {
                for key in ["distinct_id", "$user_id", "$device_id"] {
                    let id = match &object[key] {
                        Value::String(text) => text.clone(),
                        Value::Number(number) => number.to_string(),
                        _ => continue,
                    };
                    expected.extend(Some(id).filter(|id| !id.is_empty()));
                }
            }
            expected.sort();
            let found = named(&event.to_string(), &Keys::default()).unwrap();
            let mut found: Vec<String> = found.into_iter().map(|(_, id)| id).collect();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
