//! What page and manifest say of one person's data.

use serde::Serialize;

use super::Unassigned;
use super::documented::JobMember;
use super::job::JobLists;
use super::tally::Days;

pub(super) const CATEGORIES: &str = "categories.json";

/// What page and manifest say of one person's data.
pub(super) struct Contents<'a> {
    pub(super) id: &'a str,
    pub(super) events: u64,
    pub(super) profiles: u64,
    pub(super) others: u64,
    /// Most frequent first.
    pub(super) kinds: Vec<(&'a str, u64)>,
    /// Events of kinds that are not in `kinds`.
    pub(super) further: u64,
    /// Events without a time that could be read.
    pub(super) timeless: u64,
    /// From the first event to the last, in seconds by the project's clock.
    pub(super) period: Option<(i64, i64)>,
    pub(super) days: &'a Days,
    pub(super) unassigned: &'a Unassigned,
    /// What there is about the person, by name: of the person's own records, or what was delivered
    /// in place of records.
    pub(super) names: PersonNames<'a>,
    pub(super) of_categories: bool,
    /// Records of other people that were inside of this person's.
    pub(super) taken_out: u64,
}

/// Names of what was recorded, each once.
#[derive(Default, Serialize)]
pub(super) struct PersonNames<'a> {
    pub(super) events: Vec<&'a str>,
    pub(super) event_properties: Vec<&'a str>,
    pub(super) profile_properties: Vec<&'a str>,
}

impl<'a> PersonNames<'a> {
    pub(super) fn of_lists(lists: &'a JobLists) -> Self {
        let of = |member| {
            let names = lists.names.get(&member);
            names.into_iter().flatten().map(String::as_str).collect()
        };
        Self {
            events: of(JobMember::EventNames),
            event_properties: of(JobMember::EventProperties),
            profile_properties: of(JobMember::ProfileProperties),
        }
    }

    pub(super) fn count(&self) -> u64 {
        (self.events.len() + self.event_properties.len() + self.profile_properties.len()) as u64
    }
}

impl Contents<'_> {
    /// Whether there is no record of this person.
    pub(super) fn is_empty(&self) -> bool {
        self.events + self.profiles + self.others == 0
    }

    /// Whether part of the delivery may be about this person and is in nobody's package.
    pub(super) fn is_doubtful(&self) -> bool {
        self.unassigned.unclear() > 0
    }
}
