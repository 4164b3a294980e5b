//! One record of an export, as far as an anonymous event needs it.

use std::borrow::Cow;

use super::fields::{Properties, RecordFields, add_canonical, text_of};
use crate::packages::sorter::owner::{Claims, OwnerClaim};

/// How Mixpanel begins the id of an anonymous device.
const DEVICE: &str = "$device:";

pub(crate) enum ExportRecord<'e> {
    Event(ExportedEvent<'e>),
    /// Whose profile it is, and its fields.
    Profile(OwnerClaim<'e>, Properties<'e>),
    /// A JSON object that is neither.
    Other,
    /// A row of a table.
    Row,
    Unreadable,
}

/// An event with a name. All values but the time are JSON.
#[derive(Default)]
pub(crate) struct ExportedEvent<'e> {
    pub(crate) name: &'e str,
    pub(crate) time: Option<Cow<'e, str>>,
    pub(crate) properties: Properties<'e>,
    claims: Claims<'e>,
    insert_id: Option<&'e str>,
    /// A field that tells events apart is there twice, and differs.
    contradicts_itself: bool,
}

/// Why an event has no certain owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoOwner {
    Nobody,
    Several,
}

impl<'e> ExportRecord<'e> {
    pub(crate) fn of(text: &'e [u8]) -> Self {
        let text = std::str::from_utf8(text).ok();
        let Some(record) = text.and_then(RecordFields::of) else {
            return Self::Unreadable;
        };
        if record.own.iter().any(|(name, _)| name == "event") {
            ExportedEvent::of(record).map_or(Self::Unreadable, Self::Event)
        } else if record.of_profile.is_empty() {
            Self::Other
        } else {
            profile_of(record)
        }
    }
}

fn profile_of(record: RecordFields<'_>) -> ExportRecord<'_> {
    let mut person = OwnerClaim::Absent;
    for (name, value) in &record.own {
        if let "distinct_id" | "$distinct_id" = &**name {
            person.add(OwnerClaim::of_json(value));
        }
    }
    let all: Option<Vec<Properties<'_>>> = record.of_profile.into_iter().collect();
    match all {
        Some(all) => ExportRecord::Profile(person, all.into_iter().flatten().collect()),
        None => ExportRecord::Unreadable,
    }
}

impl<'e> ExportedEvent<'e> {
    /// `None` without a name, or without properties.
    fn of(record: RecordFields<'e>) -> Option<Self> {
        let mut event = Self::default();
        let mut name = None;
        for (field, value) in record.own {
            match &*field {
                "event" => event.set(&mut name, value),
                "distinct_id" | "$distinct_id" => {
                    event.claims.person.add(OwnerClaim::of_json(value));
                }
                _ => {}
            }
        }
        event.name =
            name.filter(|name| name.starts_with('"') && !text_of(name).trim().is_empty())?;
        let mut all = record.of_event;
        event.contradicts_itself |= all.windows(2).any(|pair| pair[0] != pair[1]);
        event.properties = all.pop()??;
        let (mut time, mut insert_id) = (None, None);
        for place in 0..event.properties.len() {
            let (field, value) = &event.properties[place];
            let value = *value;
            let claim = || OwnerClaim::of_json(value);
            match &**field {
                "distinct_id" | "$distinct_id" => event.claims.person.add(claim()),
                "$user_id" => event.claims.user.add(claim()),
                "$device_id" => event.claims.device.add(claim()),
                "time" => event.set(&mut time, value),
                "$insert_id" => event.set(&mut insert_id, value),
                _ => {}
            }
        }
        (event.time, event.insert_id) = (time.map(text_of), insert_id);
        Some(event)
    }

    fn set(&mut self, field: &mut Option<&'e str>, value: &'e str) {
        self.contradicts_itself |= field.is_some_and(|before| before != value);
        *field = Some(value);
    }

    /// The id of the event's person: the distinct_id, or else `$user_id`, or else the device.
    pub(crate) fn owner<'c>(&'c self) -> Result<Cow<'c, str>, NoOwner> {
        let Claims {
            person,
            user,
            device,
        } = &self.claims;
        let of = |claim: &'c OwnerClaim<'_>| match claim {
            _ if self.contradicts_itself => Err(NoOwner::Several),
            OwnerClaim::Contradictory => Err(NoOwner::Several),
            OwnerClaim::Id(id) => Ok(&**id),
            OwnerClaim::Absent | OwnerClaim::Unreadable => Err(NoOwner::Nobody),
        };
        match (person, user) {
            (OwnerClaim::Absent, OwnerClaim::Absent) => of(device).map(device_id),
            (OwnerClaim::Absent, user) => of(user).map(Cow::Borrowed),
            (person, _) => of(person).map(Cow::Borrowed),
        }
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.claims.user.id()
    }

    /// The device, as Mixpanel names it in a distinct_id.
    pub(crate) fn device(&self) -> Option<Cow<'_, str>> {
        self.claims.device.id().map(device_id)
    }

    /// What makes this event another than every other, as Mixpanel counts: name, time, distinct_id
    /// and `$insert_id`; without an `$insert_id`, all that it holds.
    pub(crate) fn identity(&self, owner: &str) -> Vec<u8> {
        let mut identity = b"event".to_vec();
        add_canonical(self.name, &mut identity);
        for part in [self.time.as_deref().unwrap_or_default(), owner] {
            identity.extend_from_slice(&(part.len() as u64).to_le_bytes());
            identity.extend_from_slice(part.as_bytes());
        }
        let given = self.insert_id.filter(|id| !matches!(*id, "\"\"" | "null"));
        if let Some(insert_id) = given {
            add_canonical(insert_id, &mut identity);
            return identity;
        }
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (name, value) in &self.properties {
            let mut property = (name.len() as u64).to_le_bytes().to_vec();
            property.extend_from_slice(name.as_bytes());
            add_canonical(value, &mut property);
            all.push(property);
        }
        all.sort_unstable();
        identity.extend(all.into_iter().flatten());
        identity
    }
}

/// The device as a distinct_id.
pub(crate) fn device_id(id: &str) -> Cow<'_, str> {
    match is_device(id) {
        true => Cow::Borrowed(id),
        false => Cow::Owned(format!("{DEVICE}{id}")),
    }
}

pub(crate) fn is_device(id: &str) -> bool {
    id.starts_with(DEVICE)
}

/// An id without the mark of a device.
pub(crate) fn without_mark(id: &str) -> &str {
    id.strip_prefix(DEVICE).unwrap_or(id)
}
