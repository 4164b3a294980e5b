//! What has to be known of a record to file it, without taking it apart any further.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::{ProjectZone, event_time};

use super::documented::Form;
use super::naming::{self, id_field};
use super::owner::{Claim, Claims};
use super::page::Fields;

/// What kind of thing is recorded; decides the file of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    Event,
    Profile,
    /// Of the person, but neither of the two.
    #[default]
    Other,
}

/// What is known of one record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts<'a> {
    pub(super) claims: Claims<'a>,
    pub(super) kind: Kind,
    /// What an event is called.
    pub(super) name: Cow<'a, str>,
    /// When an event happened, in seconds by the project's clock.
    pub(super) time: Option<i64>,
    /// The same for all records with the same names of properties.
    pub(super) shape: u64,
    /// Whether another record, of whomever, may be inside of it.
    pub(super) may_nest: bool,
}

/// Reads one JSON object; `None` if `text` is anything else.
pub(super) fn read(text: &str, zone: ProjectZone) -> Option<Facts<'_>> {
    let mut found = Found {
        zone,
        ..Found::default()
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let seed = Object {
        found: &mut found,
        level: Level::Top,
        must: Must::BeObject,
    };
    seed.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    let kind = match (found.has_event, found.looks_like_profile) {
        (true, _) => Kind::Event,
        (false, true) => Kind::Profile,
        (false, false) => Kind::Other,
    };
    Some(Facts {
        claims: found.claims,
        kind,
        name: found.name,
        time: found.time,
        shape: found.shape.finish(),
        may_nest: found.may_nest,
    })
}

#[derive(Default)]
struct Found<'a> {
    zone: ProjectZone,
    claims: Claims<'a>,
    shape: DefaultHasher,
    may_nest: bool,
    has_event: bool,
    looks_like_profile: bool,
    name: Cow<'a, str>,
    time: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Properties,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    BeObject,
    BeAnything,
}

/// The keys that matter, at either level.
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

/// Reads a key, counts it in for the shape, and looks whether it is more than a key.
struct KeySeed<'h> {
    shape: &'h mut DefaultHasher,
    may_nest: &'h mut bool,
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
        Ok(key)
    }
}

/// Goes through the keys of a record, or of its properties.
struct Object<'f, 'de> {
    found: &'f mut Found<'de>,
    level: Level,
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
            };
            let Some(key) = map.next_key_seed(seed)? else {
                return Ok(());
            };
            match (self.level, key) {
                (Level::Top, Key::Properties | Key::PrefixedProperties) => {
                    self.found.looks_like_profile = true;
                    map.next_value_seed(Object {
                        found: &mut *self.found,
                        level: Level::Properties,
                        must: Must::BeAnything,
                    })?;
                }
                (_, Key::Any | Key::Properties | Key::PrefixedProperties) => {
                    let text = map.next_value::<&'de RawValue>()?.get();
                    self.found.may_nest |= naming::names_a_field(text);
                }
                (level, key) => {
                    let text = map.next_value::<&'de RawValue>()?.get();
                    self.found.may_nest |= naming::names_a_field(text);
                    self.found.take(level, key, text);
                }
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&'de RawValue>()? {
            self.found.may_nest |= naming::names_a_field(element.get());
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.found.may_nest |= naming::names_a_field(text);
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

impl<'de> Found<'de> {
    /// Properties that are a text are properties all the same.
    fn take_text(&mut self, text: &str) {
        for (name, value) in Fields::of(text).unwrap_or_default().0 {
            let claim = Claim::of_json(value.get()).into_owned();
            match Key::of(&name) {
                Key::DistinctId | Key::PrefixedDistinctId => self.claims.person.add(claim),
                Key::UserId => self.claims.user.add(claim),
                Key::DeviceId => self.claims.device.add(claim),
                Key::Time => self.time = self.time.or_else(|| event_time(value.get(), self.zone)),
                Key::Event | Key::Properties | Key::PrefixedProperties | Key::Any => {}
            }
        }
    }

    fn take(&mut self, level: Level, key: Key, text: &'de str) {
        match (level, key) {
            (_, Key::DistinctId) => self.claims.person.add(Claim::of_json(text)),
            (_, Key::PrefixedDistinctId) => {
                self.looks_like_profile |= level == Level::Top;
                self.claims.person.add(Claim::of_json(text));
            }
            (Level::Properties, Key::UserId) => self.claims.user.add(Claim::of_json(text)),
            (Level::Properties, Key::DeviceId) => self.claims.device.add(Claim::of_json(text)),
            (Level::Top, Key::Event) => {
                self.has_event = true;
                self.name = match Claim::of_json(text) {
                    Claim::Id(name) => name,
                    Claim::Absent => Cow::Borrowed(""),
                    Claim::Unreadable | Claim::Contradictory => Cow::Borrowed(text),
                };
            }
            (_, Key::Time) => self.time = self.time.or_else(|| event_time(text, self.zone)),
            _ => {}
        }
    }
}

/// Whether a name holds a field of an id and is none itself.
fn names_more_than_a_field(name: &str) -> bool {
    naming::names_a_field(name) && id_field(name).is_none()
}

/// Which column of a table says what; an index for each column that matters.
#[derive(Debug, Default)]
pub(super) struct RecordColumns {
    person: Vec<usize>,
    user: Vec<usize>,
    device: Vec<usize>,
    event: Option<usize>,
    time: Option<usize>,
    profile: bool,
    /// A heading may hold a record itself.
    more_than_names: bool,
}

impl RecordColumns {
    /// In a documented table each column but the documented ones is a property, whatever it is
    /// called; in others a name may be written as people write it.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n [u8]>, form: Form) -> Self {
        let mut columns = Self::default();
        for (place, name) in names.enumerate() {
            let written;
            let (inside, name) = match form {
                Form::EventTable | Form::ProfileTable => (false, std::str::from_utf8(name).ok()),
                Form::Records | Form::OfTheJob(_) => {
                    written = plain_name(name);
                    match written.split_once("properties.") {
                        Some(("" | "$", name)) => (true, Some(name)),
                        _ => (false, Some(written.as_str())),
                    }
                }
            };
            columns.add(place, name.unwrap_or_default(), inside, form);
            columns.more_than_names |= name.is_some_and(names_more_than_a_field);
        }
        columns
    }

    fn add(&mut self, place: usize, name: &str, inside: bool, form: Form) {
        match (name, form) {
            ("distinct_id", _) => {
                self.profile |= form == Form::ProfileTable && place == 0;
                self.person.push(place);
            }
            // Properties of the profile, and not whose it is.
            (_, Form::ProfileTable) => {}
            ("$user_id", _) => self.user.push(place),
            ("$device_id", _) => self.device.push(place),
            ("time", _) => self.time = self.time.or(Some(place)),
            ("event_name", _) => self.event = self.event.or(Some(place)),
            (_, Form::EventTable) => {}
            ("event", _) => self.event = self.event.or(Some(place)),
            ("$distinct_id", _) => {
                self.profile |= !inside;
                self.person.push(place);
            }
            _ => {}
        }
    }

    /// Whether a heading with these names says whose its rows are.
    pub(super) fn name_a_person<'n>(names: impl Iterator<Item = &'n [u8]>) -> bool {
        !Self::of(names, Form::Records).person.is_empty()
    }

    /// What is known of one row of these fields.
    pub(super) fn facts<'r>(&self, fields: &[&'r str], zone: ProjectZone) -> Facts<'r> {
        let field = |place: usize| fields[place];
        let mut shape = DefaultHasher::new();
        shape.write_usize(fields.len());
        for (place, field) in fields.iter().enumerate() {
            if !field.is_empty() {
                shape.write_usize(place);
            }
        }
        let claim = |places: &[usize]| {
            let mut claim = Claim::Absent;
            for place in places {
                claim.add(Claim::of_field(field(*place)));
            }
            claim
        };
        let kind = match (self.event, self.profile) {
            (Some(_), _) => Kind::Event,
            (None, true) => Kind::Profile,
            (None, false) => Kind::Other,
        };
        Facts {
            claims: Claims {
                person: claim(&self.person),
                user: claim(&self.user),
                device: claim(&self.device),
            },
            kind,
            name: self.event.map_or("", field).into(),
            time: self.time.and_then(|place| event_time(field(place), zone)),
            shape: shape.finish(),
            may_nest: self.more_than_names
                || fields.iter().any(|field| naming::names_a_field(field)),
        }
    }
}

/// `"Distinct ID"` as a person writes it is `distinct_id`.
fn plain_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.trim().trim_matches('"').trim();
    name.to_lowercase().replace(' ', "_")
}
