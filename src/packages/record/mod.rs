//! Reads from a record only what is needed to file it.

pub(super) mod columns;
pub(super) mod document;
pub(super) mod lines;
pub(super) mod naming;
pub(super) mod nested;
pub(super) mod table;

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::{JsonObject, ProjectZone, event_time};

use super::sorter::owner::{Claims, OwnerClaim};
use naming::{names_a_field, names_more_than_a_field, ties_ids};

/// The kind of a record; decides its file in the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RecordKind {
    Event,
    Profile,
    /// Neither an event nor a profile.
    #[default]
    Other,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordFacts<'a> {
    pub(crate) claims: Claims<'a>,
    pub(crate) kind: RecordKind,
    pub(crate) name: Cow<'a, str>,
    /// The time of the event, in seconds by the project's clock.
    pub(crate) time: Option<i64>,
    /// Equal for all records with the same property names.
    pub(crate) shape: u64,
    /// Whether it may contain another record, of anyone.
    pub(crate) may_nest: bool,
    /// Whether a field beside those in `claims` ties it to another id.
    pub(crate) names_more_ids: bool,
}

/// Reads one JSON object; `None` if `text` is anything else.
pub(crate) fn read(text: &str, zone: ProjectZone) -> Option<RecordFacts<'_>> {
    let mut found = FoundFields {
        zone,
        ..FoundFields::default()
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let seed = Object {
        found: &mut found,
        level: ObjectLevel::Top,
        must: Must::BeObject,
    };
    seed.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    let kind = match (found.has_event, found.looks_like_profile) {
        (true, _) => RecordKind::Event,
        (false, true) => RecordKind::Profile,
        (false, false) => RecordKind::Other,
    };
    Some(RecordFacts {
        claims: found.claims,
        kind,
        name: found.name,
        time: found.time,
        shape: found.shape.finish(),
        may_nest: found.may_nest,
        names_more_ids: found.names_more_ids,
    })
}

/// The fields of a record, with the fields inside `properties` or `$properties` moved up. `None` if
/// `text` is not an object.
pub(crate) fn fields_of(text: &str) -> Option<JsonObject<'_>> {
    let mut all = Vec::new();
    for (name, value) in JsonObject::of(text)?.0 {
        let inner = matches!(&*name, "properties" | "$properties")
            .then(|| JsonObject::of(value.get()))
            .flatten();
        match inner {
            Some(inner) => all.extend(inner.0),
            None => all.push((name, value)),
        }
    }
    Some(JsonObject(all))
}

#[derive(Default)]
struct FoundFields<'a> {
    zone: ProjectZone,
    claims: Claims<'a>,
    shape: DefaultHasher,
    may_nest: bool,
    names_more_ids: bool,
    has_event: bool,
    looks_like_profile: bool,
    name: Cow<'a, str>,
    time: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ObjectLevel {
    Top,
    Properties,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    BeObject,
    BeAnything,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    DistinctId,
    PrefixedDistinctId,
    UserId,
    DeviceId,
    Event,
    Time,
    Properties,
    PrefixedProperties,
    Any,
}

impl Key {
    fn of(text: &str) -> Self {
        match text {
            "distinct_id" => Self::DistinctId,
            "$distinct_id" => Self::PrefixedDistinctId,
            "$user_id" => Self::UserId,
            "$device_id" => Self::DeviceId,
            "event" => Self::Event,
            "time" => Self::Time,
            "properties" => Self::Properties,
            "$properties" => Self::PrefixedProperties,
            _ => Self::Any,
        }
    }
}

/// Reads a key, adds it to the shape, and checks whether it may hold a record.
struct KeySeed<'h> {
    shape: &'h mut DefaultHasher,
    may_nest: &'h mut bool,
    names_more_ids: &'h mut bool,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: serde::Deserializer<'de>>(self, parser: D) -> Result<Key, D::Error> {
        parser.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
        self.shape.write(text.as_bytes());
        self.shape.write_u8(0xff);
        let key = Key::of(text);
        *self.may_nest |= key == Key::Any && names_more_than_a_field(text);
        *self.names_more_ids |= key == Key::Any && ties_ids(text);
        Ok(key)
    }
}

/// Reads the keys of a record and its properties in one pass. Reading the properties first as a
/// value and then as an object takes 50 % longer.
struct Object<'f, 'de> {
    found: &'f mut FoundFields<'de>,
    level: ObjectLevel,
    must: Must,
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        match self.must {
            Must::BeObject => parser.deserialize_map(self),
            Must::BeAnything => parser.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        loop {
            let seed = KeySeed {
                shape: &mut self.found.shape,
                may_nest: &mut self.found.may_nest,
                names_more_ids: &mut self.found.names_more_ids,
            };
            let Some(key) = map.next_key_seed(seed)? else {
                return Ok(());
            };
            match (self.level, key) {
                (ObjectLevel::Top, Key::Properties | Key::PrefixedProperties) => {
                    self.found.looks_like_profile = true;
                    map.next_value_seed(Object {
                        found: &mut *self.found,
                        level: ObjectLevel::Properties,
                        must: Must::BeAnything,
                    })?;
                }
                (_, Key::Any | Key::Properties | Key::PrefixedProperties) => {
                    let text = map.next_value::<&'de RawValue>()?.get();
                    self.found.may_nest |= names_a_field(text);
                }
                (level, key) => {
                    let text = map.next_value::<&'de RawValue>()?.get();
                    self.found.may_nest |= names_a_field(text);
                    self.found.take(level, key, text);
                }
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&'de RawValue>()? {
            self.found.may_nest |= names_a_field(element.get());
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.found.may_nest |= names_a_field(text);
        self.found.names_more_ids = true;
        self.found.take_text(text);
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

impl<'de> FoundFields<'de> {
    /// Reads properties that are stored as a JSON string.
    fn take_text(&mut self, text: &str) {
        for (name, value) in JsonObject::of(text).unwrap_or_default().0 {
            let claim = OwnerClaim::of_json(value.get()).into_owned();
            match Key::of(&name) {
                Key::DistinctId | Key::PrefixedDistinctId => self.claims.person.add(claim),
                Key::UserId => self.claims.user.add(claim),
                Key::DeviceId => self.claims.device.add(claim),
                Key::Time => self.time = self.time.or_else(|| event_time(value.get(), self.zone)),
                Key::Event | Key::Properties | Key::PrefixedProperties | Key::Any => {}
            }
        }
    }

    fn take(&mut self, level: ObjectLevel, key: Key, text: &'de str) {
        match (level, key) {
            (_, Key::DistinctId) => self.claims.person.add(OwnerClaim::of_json(text)),
            (_, Key::PrefixedDistinctId) => {
                self.looks_like_profile |= level == ObjectLevel::Top;
                self.claims.person.add(OwnerClaim::of_json(text));
            }
            (ObjectLevel::Properties, Key::UserId) => {
                self.claims.user.add(OwnerClaim::of_json(text))
            }
            (ObjectLevel::Properties, Key::DeviceId) => {
                self.claims.device.add(OwnerClaim::of_json(text))
            }
            (ObjectLevel::Top, Key::UserId | Key::DeviceId) => self.names_more_ids = true,
            (ObjectLevel::Top, Key::Event) => {
                self.has_event = true;
                self.name = match OwnerClaim::of_json(text) {
                    OwnerClaim::Id(name) => name,
                    OwnerClaim::Absent => Cow::Borrowed(""),
                    OwnerClaim::Unreadable | OwnerClaim::Contradictory => Cow::Borrowed(text),
                };
            }
            (_, Key::Time) => self.time = self.time.or_else(|| event_time(text, self.zone)),
            _ => {}
        }
    }
}
