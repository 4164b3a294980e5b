//! What the page and the manifest say about one person's data.

use serde::Serialize;

use crate::packages::Unassigned;
use crate::packages::archive::documented::JobMember;
use crate::packages::sorter::job::JobLists;
use crate::packages::sorter::tally::EventTally;

pub(crate) const CATEGORIES: &str = "categories.json";

pub(crate) struct PackageContents<'a> {
    pub(crate) id: &'a str,
    pub(crate) events: u64,
    pub(crate) profiles: u64,
    pub(crate) others: u64,
    /// Most frequent first.
    pub(crate) kinds: Vec<(&'a str, u64)>,
    pub(crate) tally: &'a EventTally,
    pub(crate) unassigned: &'a Unassigned,
    /// The names in the person's records, or the names that Mixpanel delivered instead of records.
    pub(crate) names: PersonNames<'a>,
    pub(crate) of_categories: bool,
}

#[derive(Default, Serialize)]
pub(crate) struct PersonNames<'a> {
    pub(crate) events: Vec<&'a str>,
    pub(crate) event_properties: Vec<&'a str>,
    pub(crate) profile_properties: Vec<&'a str>,
}

impl<'a> PersonNames<'a> {
    pub(crate) fn of_lists(lists: &'a JobLists) -> Self {
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

    pub(crate) fn count(&self) -> u64 {
        (self.events.len() + self.event_properties.len() + self.profile_properties.len()) as u64
    }
}

impl PackageContents<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.events + self.profiles + self.others == 0
    }

    /// Whether the archive has unclear data that may be about this person.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.unassigned.unclear() > 0
    }
}
