//! Takes events from records.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::event::{Event, EventOptions};
use crate::domain::ProjectZone;
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::reader::element::parse;
use crate::intake::records::{Content, Field, Record, RecordTaker, content_of, id_in};

pub(crate) type EventSink<'a> = &'a mut dyn FnMut(Place<'_>, &Event<'_>);

pub(crate) struct EventTaker<'s> {
    pub(crate) options: &'s EventOptions,
    pub(crate) sink: EventSink<'s>,
    pub(crate) nameless: usize,
    /// Those with the time or the name of an event.
    pub(crate) events: usize,
}

impl RecordTaker for EventTaker<'_> {
    fn what(&self) -> &'static str {
        "events"
    }

    fn lacking(&self) -> Fault {
        Fault::Nameless
    }

    fn field(&self, outer: Option<&str>, key: &str) -> Option<Field> {
        self.options.field_of_key(outer, key)
    }

    fn leads(&self, key: &str) -> bool {
        self.options.leads(key)
    }

    fn columns(&self, names: &[String]) -> Result<Vec<(usize, Field)>, Fault> {
        let options = self.options;
        let fields = names.iter().enumerate();
        let fields =
            fields.filter_map(|(place, name)| Some((place, options.field_of_column(name)?)));
        let fields: Vec<(usize, Field)> = fields.collect();
        let says = |one: Field, other: Field| {
            let mut found = fields.iter().map(|(_, field)| *field);
            found.any(|field| field == one || field == other)
        };
        let missing = |column: &str| Fault::MissingColumn {
            column: column.to_owned(),
            known: Vec::new(),
        };
        if !says(Field::Person, Field::Device) {
            let count = names.len();
            let unknown = || Fault::NoKnownColumn {
                count,
                sought: "distinct_id".to_owned(),
                email: None,
            };
            return Err(options.column.as_deref().map_or_else(unknown, missing));
        }
        if let Some(column) = &options.time_column
            && !says(Field::Happened, Field::Happened)
        {
            return Err(missing(column));
        }
        if names.len() == 1 && options.column.is_none() {
            return Err(Fault::OnlyIds);
        }
        Ok(fields)
    }

    fn take(&mut self, place: Place<'_>, record: Record<'_>) -> Result<bool, Damage> {
        let event = event_of(record, self.options.zone);
        self.nameless += usize::from(event.names().next().is_none());
        self.events += usize::from(event.is_event());
        (self.sink)(place, &event);
        event.unreadable().map_or(Ok(true), Err)
    }
}

/// A string or a number is an id or a time; a number keeps its digits. An event may join a list of
/// ids.
fn event_of(record: Record<'_>, zone: ProjectZone) -> Event<'_> {
    let mut event = Event::default();
    for (field, content) in record {
        match content {
            Content::List(list) if field == Field::Joined => match contents_of(list) {
                Ok(ids) => ids
                    .into_iter()
                    .for_each(|id| add(&mut event, field, id, zone)),
                Err(damage) => event.note_unreadable(damage),
            },
            content => add(&mut event, field, content, zone),
        }
    }
    event
}

fn add<'e>(event: &mut Event<'e>, field: Field, content: Content<'e>, zone: ProjectZone) {
    let is_id = matches!(field, Field::Person | Field::Device | Field::Joined);
    if is_id
        && content != Content::Other("null")
        && let Err(damage) = id_in(Some(&content))
    {
        event.note_unreadable(damage);
    }
    let text = match content {
        Content::Text(text) => text,
        Content::Cell(text) | Content::Number(text) => Cow::Borrowed(text),
        Content::List(_) | Content::Other(_) => return,
    };
    if !text.is_empty() {
        event.add(field, text, zone);
    }
}

fn contents_of(list: &str) -> Result<Vec<Content<'_>>, Damage> {
    let items: Vec<&RawValue> = parse(list.as_bytes())?;
    items
        .into_iter()
        .map(|item| content_of(item.get()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::intake::NamedAs;
    use crate::intake::reader::reading::Values;
    use crate::intake::records::{Element, RecordReader, Tally};

    type Names = Vec<(NamedAs, String)>;

    /// The names of one event, and its time.
    fn read(text: &str, keys: &EventOptions) -> Result<(Names, Option<i64>), Damage> {
        let mut read = Default::default();
        let mut hear = |_: Place<'_>, event: &Event<'_>| {
            let names = event.names();
            let names = names.map(|(named_as, id)| (named_as, id.to_owned()));
            read = (names.collect(), event.time());
        };
        let mut taker = EventTaker {
            options: keys,
            sink: &mut hear,
            nameless: 0,
            events: 0,
        };
        let mut reader = RecordReader {
            taker: &mut taker,
            pages: None,
            tally: Tally::default(),
            step: &mut || {},
        };
        let mut values = Values::default();
        let place = Place::nowhere_in("`x`");
        reader.try_take(text.as_bytes(), Element::Any, place, &mut values)?;
        Ok(read)
    }

    fn named(text: &str, keys: &EventOptions) -> Result<Names, Damage> {
        read(text, keys).map(|(names, _)| names)
    }

    #[test]
    fn text_that_is_not_an_event_is_damage() {
        let keys = EventOptions::default();
        let broken = |text: &str| named(text, &keys).unwrap_err();
        assert_eq!(broken("[]"), Damage::NotAnObject);
        assert_eq!(broken("\"a\""), Damage::NotAnObject);
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
        let (names, time) = read(text, &at).unwrap();
        let names: Vec<&str> = names.iter().map(|(_, id)| id.as_str()).collect();
        assert_eq!((names, time), (vec!["b", "c"], Some(7)));
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
            let ids = ["distinct_id", "$user_id", "$device_id"];
            for object in [&top, &inner] {
                for key in ids {
                    let id = match &object[key] {
                        Value::String(text) => text.clone(),
                        Value::Number(number) => number.to_string(),
                        _ => continue,
                    };
                    expected.extend(Some(id).filter(|id| !id.is_empty()));
                }
            }
            expected.sort();
            let found = named(&event.to_string(), &EventOptions::default());
            if ids.iter().any(|key| top[key].is_object() || inner[key].is_object()) {
                prop_assert!(found.is_err(), "nobody knows whose it is");
                return Ok(());
            }
            let mut found = found.unwrap();
            found.sort_by(|(_, one), (_, other)| one.cmp(other));
            let found: Vec<String> = found.into_iter().map(|(_, id)| id).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
