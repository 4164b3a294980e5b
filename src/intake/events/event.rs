//! One event: whom it is about, and when it came. Nothing else of it is looked at.

use std::borrow::Cow;

use crate::domain::{ProjectZone, event_time};

use crate::intake::Format;
use crate::intake::reader::columns::fold;

/// How files of events are read; the same for each of a command.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    /// Recognised by its beginning and its name if not given.
    pub format: Option<Format>,
    /// What names the person, in place of the names that Mixpanel and its libraries use: a column or
    /// a key, with a dot before a key inside an object.
    pub column: Option<String>,
    /// What says when the event happened, likewise.
    pub time_column: Option<String>,
    /// The byte between two fields of a table; recognised if not given.
    pub delimiter: Option<u8>,
}

/// What a name of an event says about the person it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedAs {
    /// The event is about them: `distinct_id` or `$user_id`, or the device where there is nothing else.
    Person,
    /// Somebody's device, on which the event is another person's.
    Device,
}

/// What is known of one event.
#[derive(Debug, Default)]
pub struct Event<'e> {
    people: Vec<Cow<'e, str>>,
    devices: Vec<Cow<'e, str>>,
    /// When it happened, as it says itself.
    happened: Option<i64>,
    /// When Mixpanel received it. Beats the other: apps send what they kept, and exports of older
    /// projects have the former in the project's time zone.
    received: Option<i64>,
}

impl Event<'_> {
    /// When it came, in Unix seconds; `None` if it does not say.
    pub fn time(&self) -> Option<i64> {
        self.received.or(self.happened)
    }

    /// Whether one of its names is that of a device: Mixpanel may know it with `$device:` before it.
    pub fn is_device(&self, id: &str) -> bool {
        self.devices.iter().any(|device| device == id)
    }

    /// Whom it names, and as what.
    pub fn names(&self) -> impl Iterator<Item = (NamedAs, &str)> {
        let devices_as = match self.people.is_empty() {
            true => NamedAs::Person,
            false => NamedAs::Device,
        };
        let people = self.people.iter().map(|id| (NamedAs::Person, &**id));
        people.chain(self.devices.iter().map(move |id| (devices_as, &**id)))
    }
}

/// What the name of a column or key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Person,
    Device,
    Happened,
    Received,
}

impl Field {
    /// By the names that Mixpanel, its exports and its libraries use.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "distinct_id" | "$distinct_id" | "distinctId" => Self::Person,
            "$user_id" | "user_id" | "userId" => Self::Person,
            "$device_id" | "device_id" | "deviceId" => Self::Device,
            "time" | "$time" | "timestamp" => Self::Happened,
            "$mp_api_timestamp_ms" | "mp_processing_time_ms" => Self::Received,
            _ => return None,
        })
    }
}

impl<'e> Event<'e> {
    pub(crate) fn add(&mut self, field: Field, text: Cow<'e, str>) {
        let time = |text: &str| event_time(text, ProjectZone::default());
        match field {
            Field::Person => self.people.push(text),
            Field::Device => self.devices.push(text),
            Field::Happened => self.happened = self.happened.or_else(|| time(&text)),
            Field::Received => self.received = self.received.or_else(|| time(&text)),
        }
    }
}

impl EventOptions {
    /// What is said under a name for which `is` knows whether the operator gave it, and which means
    /// `known` where nothing else was given.
    pub(crate) fn field(&self, is: impl Fn(&str) -> bool, known: Option<Field>) -> Option<Field> {
        if self.column.as_deref().is_some_and(&is) {
            return Some(Field::Person);
        }
        if self.time_column.as_deref().is_some_and(is) {
            return Some(Field::Happened);
        }
        known.filter(|field| match field {
            Field::Person | Field::Device => self.column.is_none(),
            Field::Happened | Field::Received => self.time_column.is_none(),
        })
    }

    /// `properties.distinct_id` and `Distinct ID` are the key `distinct_id`.
    pub(crate) fn field_of_column(&self, name: &str) -> Option<Field> {
        let plain = name.trim().to_lowercase().replace(' ', "_");
        let plain = plain.strip_prefix("properties.").unwrap_or(&plain);
        self.field(|asked| fold(asked) == fold(name), Field::of(plain))
    }
}
