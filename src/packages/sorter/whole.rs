//! Finds what an archive names or should hold but does not hold; then "no data" would be untrue.

use super::job::JobLists;
use super::unassigned::MemberReport;
use crate::domain::{Disclosure, RetrievalScope};
use crate::packages::archive::documented::JobMember;
use crate::packages::record::RecordKind;

/// How many records an archive holds, of anyone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ArchiveCounts {
    events: u64,
    profiles: u64,
    others: u64,
}

impl ArchiveCounts {
    pub(crate) fn count(&mut self, kind: RecordKind) {
        *match kind {
            RecordKind::Event => &mut self.events,
            RecordKind::Profile => &mut self.profiles,
            RecordKind::Other => &mut self.others,
        } += 1;
    }
}

const TABLES: [&str; 2] = ["profiles.csv", "people.json"];

/// The documented members of an export with records.
fn documented(scope: RetrievalScope) -> &'static [&'static str] {
    match scope {
        RetrievalScope::Gdpr => &["events.json", "people.json", "summary.json"],
        RetrievalScope::Ccpa(_) => &[
            "events.csv",
            "profiles.csv",
            "event_names.csv",
            "event_properties.csv",
            "profile_properties.csv",
        ],
    }
}

/// What is missing, each in a few words for the operator. If somebody has no record, each documented
/// member must be there: only a whole archive shows that Mixpanel has no data.
pub(crate) fn missing(
    scope: RetrievalScope,
    members: &[MemberReport],
    lists: &JobLists,
    seen: ArchiveCounts,
    somebody_has_nothing: bool,
) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if scope == RetrievalScope::Ccpa(Disclosure::Categories) {
        let all = JobMember::LISTS.into_iter();
        let missed = all.filter(|list| !lists.names.contains_key(list));
        missing.extend(missed.map(JobMember::file_name));
        return missing;
    }
    let named = |names: &[&str]| {
        members
            .iter()
            .any(|member| names.contains(&member.file_name()))
    };
    let is_there = |name: &&str| members.iter().any(|member| member.is_documented(name));
    let is_documented = members.iter().any(MemberReport::is_of_the_job);
    let has_records = members.iter().any(MemberReport::may_hold_records);
    let has_events = seen.events > 0 || named(&["events.json", "events.csv", "events.jsonl"]);
    if somebody_has_nothing {
        let all = documented(scope).iter().copied();
        missing.extend(all.filter(|name| !is_there(name)));
    } else {
        if !has_events && (is_documented || named(&TABLES) || !has_records) {
            missing.push("a member with events");
        }
        if is_documented && seen.profiles == 0 && !named(&TABLES) {
            missing.push("a member with profiles");
        }
    }
    // A record of unknown kind may be an event or a profile.
    if lists.name_events && seen.events + seen.others == 0 {
        missing.push("the events that a list or the summary names");
    }
    if lists.name_profiles && seen.profiles + seen.others == 0 {
        missing.push("the profiles whose properties a list or the summary names");
    }
    missing
}
