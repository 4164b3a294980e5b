//! Finds the columns of a table that matter for its records.

use std::hash::{DefaultHasher, Hasher};

use crate::domain::{ProjectZone, event_time};

use super::naming::{names_a_field, names_more_than_a_field, ties_ids};
use super::{ObjectLevel, RecordFacts, RecordKind};
use crate::packages::archive::documented::MemberForm;
use crate::packages::sorter::owner::{Claims, OwnerClaim};

/// The indexes of the columns that matter.
#[derive(Debug, Default)]
pub(crate) struct RecordColumns {
    person: Vec<usize>,
    user: Vec<usize>,
    device: Vec<usize>,
    event: Option<usize>,
    time: Option<usize>,
    profile: bool,
    /// A heading may itself hold a record.
    more_than_names: bool,
    /// A column ties its rows to other ids.
    names_more_ids: bool,
}

impl RecordColumns {
    /// In a documented table, only the documented names matter, spelled exactly. In other tables,
    /// names may be spelled freely.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n [u8]>, form: MemberForm) -> Self {
        let mut columns = Self::default();
        for (place, name) in names.enumerate() {
            let written;
            let (level, name) = match form {
                MemberForm::EventTable | MemberForm::ProfileTable => {
                    (ObjectLevel::Top, std::str::from_utf8(name).ok())
                }
                MemberForm::Records | MemberForm::OfTheJob(_) => {
                    written = plain_name(name);
                    match written.split_once("properties.") {
                        Some(("" | "$", name)) => (ObjectLevel::Properties, Some(name)),
                        _ => (ObjectLevel::Top, Some(written.as_str())),
                    }
                }
            };
            columns.more_than_names |= name.is_some_and(names_more_than_a_field);
            let ids = columns.user.len() + columns.device.len();
            columns.add(place, name.unwrap_or_default(), level, form);
            let is_claim = columns.user.len() + columns.device.len() > ids;
            columns.names_more_ids |= !is_claim && name.is_some_and(ties_ids);
        }
        columns
    }

    fn add(&mut self, place: usize, name: &str, level: ObjectLevel, form: MemberForm) {
        match (name, form) {
            ("distinct_id", _) => {
                self.profile |= form == MemberForm::ProfileTable && place == 0;
                self.person.push(place);
            }
            // These are properties of the profile; they do not name its owner.
            (_, MemberForm::ProfileTable) => {}
            ("$user_id", _) => self.user.push(place),
            ("$device_id", _) => self.device.push(place),
            ("time", _) => self.time = self.time.or(Some(place)),
            ("event_name", _) => self.event = self.event.or(Some(place)),
            (_, MemberForm::EventTable) => {}
            ("event", _) => self.event = self.event.or(Some(place)),
            ("$distinct_id", _) => {
                self.profile |= level == ObjectLevel::Top;
                self.person.push(place);
            }
            _ => {}
        }
    }

    /// Whether a heading with these names says whose the rows are.
    pub(crate) fn name_a_person<'n>(names: impl Iterator<Item = &'n [u8]>) -> bool {
        !Self::of(names, MemberForm::Records).person.is_empty()
    }

    pub(crate) fn facts<'r>(&self, fields: &[&'r str], zone: ProjectZone) -> RecordFacts<'r> {
        let field = |place: usize| fields[place];
        let mut shape = DefaultHasher::new();
        shape.write_usize(fields.len());
        for (place, field) in fields.iter().enumerate() {
            if !field.is_empty() {
                shape.write_usize(place);
            }
        }
        let claim = |places: &[usize]| {
            let mut claim = OwnerClaim::Absent;
            for place in places {
                claim.add(OwnerClaim::of_field(field(*place)));
            }
            claim
        };
        let kind = match (self.event, self.profile) {
            (Some(_), _) => RecordKind::Event,
            (None, true) => RecordKind::Profile,
            (None, false) => RecordKind::Other,
        };
        RecordFacts {
            claims: Claims {
                person: claim(&self.person),
                user: claim(&self.user),
                device: claim(&self.device),
            },
            kind,
            name: self.event.map_or("", field).into(),
            time: self.time.and_then(|place| event_time(field(place), zone)),
            shape: shape.finish(),
            may_nest: self.more_than_names || fields.iter().any(|field| names_a_field(field)),
            names_more_ids: self.names_more_ids,
        }
    }
}

/// `"Distinct ID"` becomes `distinct_id`.
fn plain_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.trim().trim_matches('"').trim();
    name.to_lowercase().replace(' ', "_")
}
