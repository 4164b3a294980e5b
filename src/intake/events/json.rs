//! Reads the ids and the time of an event from its JSON.

use std::borrow::Cow;

use super::event::{Event, EventOptions, Field};
use crate::domain::json_text;
use crate::intake::damage::Damage;
use crate::intake::reader::element::{is_object, read_object};

impl EventOptions {
    fn field_at_top(&self, name: &str) -> Option<Field> {
        self.field(|asked| asked == name, Field::of(name))
    }

    fn field_inside(&self, outer: &str, name: &str) -> Option<Field> {
        let is = |asked: &str| asked.split_once('.') == Some((outer, name));
        let is_of_mixpanel = matches!(outer, "properties" | "$properties");
        self.field(is, Field::of(name).filter(|_| is_of_mixpanel))
    }

    /// Whether the object under this key may hold an id or the time.
    fn leads(&self, name: &str) -> bool {
        let leads = |key: &String| key.split_once('.').is_some_and(|(outer, _)| outer == name);
        matches!(name, "properties" | "$properties")
            || self.column.as_ref().is_some_and(leads)
            || self.time_column.as_ref().is_some_and(leads)
    }
}

/// Reads one event. Fails when `text` is not a JSON object, or an id in it cannot be read.
pub(crate) fn read<'e>(text: &'e [u8], keys: &EventOptions) -> Result<Event<'e>, Damage> {
    if !is_object(text) {
        return Err(Damage::NoEvent);
    }
    let mut event = Event::default();
    for (name, value) in read_object(text)?.0 {
        let inner = value.get().as_bytes();
        match keys.field_at_top(&name) {
            Some(field) => take(&mut event, field, value.get())?,
            None if keys.leads(&name) && is_object(inner) => {
                for (key, value) in read_object(inner)?.0 {
                    if let Some(field) = keys.field_inside(&name, &key) {
                        take(&mut event, field, value.get())?;
                    }
                }
            }
            None => {}
        }
    }
    Ok(event)
}

/// Adds a string or a number to the event; a number keeps its digits.
fn take<'e>(event: &mut Event<'e>, field: Field, text: &'e str) -> Result<(), Damage> {
    let id = match text.as_bytes() {
        b"\"\"" => return Ok(()),
        [b'"', ..] => json_text(text).ok_or(Damage::BadEscape)?,
        [b'-' | b'0'..=b'9', ..] => Cow::Borrowed(text),
        _ => return Ok(()),
    };
    event.add(field, id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::intake::NamedAs;

    fn named(text: &str, keys: &EventOptions) -> Result<Vec<(NamedAs, String)>, Damage> {
        let event = read(text.as_bytes(), keys)?;
        let names = event
            .names()
            .map(|(named_as, id)| (named_as, id.to_owned()));
        Ok(names.collect())
    }

    #[test]
    fn text_that_is_not_an_event_is_damage() {
        let keys = EventOptions::default();
        let broken = |text: &str| named(text, &keys).unwrap_err();
        assert_eq!(broken("[]"), Damage::NoEvent);
        assert_eq!(broken("\"a\""), Damage::NoEvent);
        assert_eq!(broken("{\"a\":1"), Damage::UnfinishedJson);
        assert_eq!(broken("{} {}"), Damage::BrokenJson { column: 4 });
        let escape = r#"{"distinct_id":"\ud800"}"#;
        assert_eq!(broken(escape), Damage::BadEscape);
        assert_eq!(named("{}", &keys), Ok(Vec::new()));
        assert_eq!(
            named(r#"{"properties":[{"distinct_id":"a"}]}"#, &keys),
            Ok(Vec::new())
        );
    }

    #[test]
    fn a_key_that_was_asked_for_is_the_only_one_that_counts() {
        let text = r#"{"distinct_id":"a","user":{"id":"b"},"user.id":"c","at":7,"time":9}"#;
        let keys = |person: &str, time: Option<&str>| EventOptions {
            column: Some(person.to_owned()),
            time_column: time.map(str::to_owned),
            ..EventOptions::default()
        };
        let at = keys("user.id", Some("at"));
        let event = read(text.as_bytes(), &at).unwrap();
        let names: Vec<&str> = event.names().map(|(_, id)| id).collect();
        assert_eq!((names, event.time()), (vec!["b", "c"], Some(7)));
        let top = keys("id", None);
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
        fn the_ids_of_an_event_agree_with_a_second_reader(top in object(), inner in object()) {
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
            let found = named(&event.to_string(), &EventOptions::default()).unwrap();
            let mut found: Vec<String> = found.into_iter().map(|(_, id)| id).collect();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
