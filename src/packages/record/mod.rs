//! What has to be known of a record to file it, without taking it apart any further.

pub(super) mod columns;
pub(super) mod document;
pub(super) mod lines;
pub(super) mod nested;
pub(super) mod table;

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

use crate::domain::{JsonObject, ProjectZone, event_time};

use super::sorter::owner::{Claim, Claims};

/// What is in the text of every value that names a person: one of the keys, or an escape in it.
const NAMING: [&str; 4] = ["distinct_id", "$user_id", "$device_id", "\\u"];
/// What kind of thing is recorded; decides the file of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    Event,
    Profile,
    /// Of the person, but neither of the two.
    #[default]
    Other,
}

/// What is known of one record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts<'a> {
    pub(crate) claims: Claims<'a>,
    pub(crate) kind: Kind,
    /// What an event is called.
    pub(crate) name: Cow<'a, str>,
    /// When an event happened, in seconds by the project's clock.
    pub(crate) time: Option<i64>,
    /// The same for all records with the same names of properties.
    pub(crate) shape: u64,
    /// Whether another record, of whomever, may be inside of it.
    pub(crate) may_nest: bool,
}

/// Reads one JSON object; `None` if `text` is anything else.
pub(crate) fn read(text: &str, zone: ProjectZone) -> Option<Facts<'_>> {
    let mut found = Found {
        zone,
        ..Found::default()
    };
    found.read(JsonObject::of(text)?, Level::Top);
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

/// The fields of a record with those inside `properties` or `$properties` in its place; `None` if
/// `text` is no object.
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

/// Whether a JSON value is an object or a list in which a person may be named, or a text that may be
/// one. Keys with escapes are not read here, so they may be anything.
pub(crate) fn may_name_someone(value: &str) -> bool {
    let value = value.trim_start();
    let inside = value.strip_prefix('"').map(str::trim_start);
    let begins = match inside {
        // An escape: white space, a bracket or a quote.
        Some(text) => text.starts_with(['{', '[', '\\']),
        None => value.starts_with(['{', '[']),
    };
    let holds = |text: &&str| memchr::memmem::find(value.as_bytes(), text.as_bytes()).is_some();
    begins && NAMING.iter().any(holds)
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

impl<'a> Found<'a> {
    fn read(&mut self, object: JsonObject<'a>, level: Level) {
        for (name, value) in object.0 {
            self.shape.write(name.as_bytes());
            self.shape.write_u8(0xff);
            let (name, text) = (&*name, value.get());
            if level == Level::Top && matches!(name, "properties" | "$properties") {
                self.looks_like_profile = true;
                if let Some(inner) = JsonObject::of(text) {
                    self.read(inner, Level::Properties);
                    continue;
                }
            }
            self.may_nest |= may_name_someone(text);
            self.take(level, name, text);
        }
    }

    fn take(&mut self, level: Level, name: &str, text: &'a str) {
        match (level, name) {
            (_, "distinct_id") => self.claims.person.add(Claim::of_json(text)),
            (_, "$distinct_id") => {
                self.looks_like_profile |= level == Level::Top;
                self.claims.person.add(Claim::of_json(text));
            }
            (Level::Properties, "$user_id") => self.claims.user.add(Claim::of_json(text)),
            (Level::Properties, "$device_id") => self.claims.device.add(Claim::of_json(text)),
            (Level::Top, "event") => {
                self.has_event = true;
                self.name = match Claim::of_json(text) {
                    Claim::Id(name) => name,
                    Claim::Absent | Claim::Unreadable | Claim::Contradictory => Cow::Borrowed(text),
                };
            }
            (_, "time") => self.time = self.time.or_else(|| event_time(text, self.zone)),
            _ => {}
        }
    }
}
