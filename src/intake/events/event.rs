//! One event: the ids it names and its time. dsr reads nothing else from an event.

use std::borrow::Cow;

use crate::domain::{ProjectZone, event_time};

use crate::domain::id_names::fold;
use crate::intake::Format;
use crate::intake::damage::Damage;
use crate::intake::records::Field;

/// How files of events are read.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    /// Detected from the content and the file name if not given.
    pub format: Option<Format>,
    /// The column or key that names the person, instead of the names that Mixpanel's libraries use.
    /// A dot leads into an object.
    pub column: Option<String>,
    /// The column or key that holds the event's time; a dot leads into an object.
    pub time_column: Option<String>,
    /// The field separator of a table, as one byte; detected if not given.
    pub delimiter: Option<u8>,
    /// The clock that counts the events' own times.
    pub zone: ProjectZone,
}

/// How an event names an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedAs {
    /// The event's person: `distinct_id` or `$user_id`, or the device if there is neither.
    Person,
    /// The device of an event that also names a person.
    Device,
}

/// The ids and times of one event.
#[derive(Debug, Default)]
pub struct Event<'e> {
    people: Vec<Cow<'e, str>>,
    devices: Vec<Cow<'e, str>>,
    /// Other ids of the person, which the event joins: `$identify`, `$create_alias`, `$merge`.
    joined: Vec<Cow<'e, str>>,
    aliases: Vec<Cow<'e, str>>,
    /// The event's own time, in Unix seconds.
    happened: Option<i64>,
    /// When Mixpanel received it. Preferred: apps send events late, and exports of older projects
    /// have `happened` in the project's time zone.
    received: Option<i64>,
    is_event: bool,
    has_name: bool,
    /// It creates an alias.
    is_alias: bool,
    /// Why an id in it cannot be read.
    unreadable: Option<Damage>,
}

impl Event<'_> {
    /// Whether it has a time or the name of an event. A profile has neither.
    pub(crate) fn is_event(&self) -> bool {
        self.is_event
    }

    /// Whether it has a name and a time, as each event of a raw export has.
    pub fn is_whole(&self) -> bool {
        self.has_name && self.time().is_some()
    }

    /// Notes why an id in it cannot be read: nobody knows whose the event is.
    pub(crate) fn note_unreadable(&mut self, damage: Damage) {
        self.unreadable = Some(damage);
    }

    pub(crate) fn unreadable(&self) -> Option<Damage> {
        self.unreadable
    }

    /// When Mixpanel received the event, or else its own time, in Unix seconds.
    pub fn time(&self) -> Option<i64> {
        self.received.or(self.happened)
    }

    /// Whether the event names `id` as a device. Mixpanel may know that id as `$device:` + `id`.
    pub fn is_device(&self, id: &str) -> bool {
        self.devices.iter().any(|device| device == id)
    }

    /// The ids of the event, and how it names each.
    pub fn names(&self) -> impl Iterator<Item = (NamedAs, &str)> {
        let devices_as = match self.people.is_empty() {
            true => NamedAs::Person,
            false => NamedAs::Device,
        };
        let aliases = self.aliases.iter().filter(|_| self.is_alias);
        let people = self.people.iter().chain(&self.joined).chain(aliases);
        let people = people.map(|id| (NamedAs::Person, &**id));
        people.chain(self.devices.iter().map(move |id| (devices_as, &**id)))
    }
}

impl<'e> Event<'e> {
    pub(crate) fn add(&mut self, field: Field, text: Cow<'e, str>, zone: ProjectZone) {
        self.is_event |= matches!(field, Field::Happened | Field::Received | Field::Name);
        self.has_name |= field == Field::Name;
        self.is_alias |= field == Field::Name && text == "$create_alias";
        let time = |text: &str, zone: ProjectZone| {
            let shown = event_time(text, zone)?;
            Some(zone.moment(shown)?.timestamp())
        };
        match field {
            Field::Person => self.people.push(text),
            Field::Device => self.devices.push(text),
            Field::Happened => self.happened = self.happened.or_else(|| time(&text, zone)),
            Field::Received => {
                let utc = ProjectZone::default();
                self.received = self.received.or_else(|| time(&text, utc));
            }
            Field::Joined => self.joined.push(text),
            Field::Alias => self.aliases.push(text),
            Field::Name | Field::Ids | Field::Resolved | Field::Property | Field::Equal(_) => {}
        }
    }
}

/// The names that Mixpanel, its exports and its libraries use.
fn known_field(name: &str) -> Option<Field> {
    Some(match name {
        "distinct_id" | "$distinct_id" | "distinctId" => Field::Person,
        "$user_id" | "user_id" | "userId" => Field::Person,
        "$distinct_ids" | "$identified_id" | "$anon_id" | "$anon_distinct_id" => Field::Joined,
        "$distinct_id_before_identity" => Field::Joined,
        "alias" => Field::Alias,
        "$device_id" | "device_id" | "deviceId" => Field::Device,
        "time" | "$time" | "timestamp" => Field::Happened,
        "$mp_api_timestamp_ms" | "mp_processing_time_ms" => Field::Received,
        "event" | "event_name" | "$event_name" => Field::Name,
        _ => return None,
    })
}

impl EventOptions {
    /// The known field, unless the operator named another column for it. `is` compares a name with
    /// the operator's.
    fn field(&self, is: impl Fn(&str) -> bool, known: Option<Field>) -> Option<Field> {
        if self.column.as_deref().is_some_and(&is) {
            return Some(Field::Person);
        }
        if self.time_column.as_deref().is_some_and(is) {
            return Some(Field::Happened);
        }
        known.filter(|field| match field {
            Field::Happened | Field::Received => self.time_column.is_none(),
            Field::Name => true,
            _ => self.column.is_none(),
        })
    }

    /// Treats `properties.distinct_id` and `Distinct ID` as `distinct_id`.
    pub(crate) fn field_of_column(&self, name: &str) -> Option<Field> {
        let plain = name.trim().to_lowercase().replace(' ', "_");
        let plain = plain.strip_prefix("properties.").unwrap_or(&plain);
        self.field(|asked| fold(asked) == fold(name), known_field(plain))
    }

    pub(crate) fn field_of_key(&self, outer: Option<&str>, name: &str) -> Option<Field> {
        let Some(outer) = outer else {
            return self.field(|asked| asked == name, known_field(name));
        };
        let is = |asked: &str| asked.split_once('.') == Some((outer, name));
        self.field(is, known_field(name).filter(|_| is_of_mixpanel(outer)))
    }

    /// Whether the object under this key may hold an id or the time.
    pub(crate) fn leads(&self, name: &str) -> bool {
        let leads = |key: &String| key.split_once('.').is_some_and(|(outer, _)| outer == name);
        is_of_mixpanel(name)
            || self.column.as_ref().is_some_and(leads)
            || self.time_column.as_ref().is_some_and(leads)
    }
}

/// Whether Mixpanel keeps properties under this key.
pub(crate) fn is_of_mixpanel(outer: &str) -> bool {
    matches!(outer, "properties" | "$properties")
}
