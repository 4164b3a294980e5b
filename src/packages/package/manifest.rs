//! `manifest.json`: for programs, and as later proof of what was handed over.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::contents::{PackageContents, PersonNames};
use crate::domain::ProjectZone;
use crate::packages::sorter::spool::PackageFile;
use crate::packages::staging::create_file;
use crate::packages::{Provenance, SplitError};

pub(crate) const MANIFEST: &str = "manifest.json";

#[derive(Serialize)]
struct Manifest<'a> {
    schema: u32,
    distinct_id: &'a str,
    law: &'static str,
    disclosure: Option<&'static str>,
    project: &'a str,
    request: &'a str,
    task: &'a str,
    archive_sha256: &'a str,
    fetched: String,
    made: String,
    /// The project's time zone; times in the manifest are in UTC.
    time_zone: &'static str,
    /// Whether nobody set the zone. The times of a project made before 2023 may be in another one.
    time_zone_is_assumed: bool,
    /// The first and last event; null if no event has a time.
    period: Option<EventPeriod>,
    records: RecordCounts,
    events_by_name: Vec<NamedCount<'a>>,
    /// Events of rare kinds that are not listed.
    events_of_further_names: u64,
    events_without_time: u64,
    names: &'a PersonNames<'a>,
    /// Records of other people that were removed from this person's.
    records_of_others_removed: u64,
    not_understood: NotUnderstood,
    files: &'a [PackageFile],
}

#[derive(Serialize)]
struct EventPeriod {
    first_event: String,
    last_event: String,
}

#[derive(Serialize)]
struct RecordCounts {
    events: u64,
    profiles: u64,
    others: u64,
}

#[derive(Serialize)]
struct NamedCount<'a> {
    name: &'a str,
    count: u64,
}

/// Parts of the whole archive that are in no package and may be about this person too.
#[derive(Serialize)]
struct NotUnderstood {
    records_that_name_nobody: u64,
    records_that_name_several: u64,
    unreadable_pieces: u64,
    unreadable_files: u64,
    lists_of_several_people: u64,
    records_maybe_under_another_id: u64,
    records_of_other_people_only: u64,
    missing_parts: u64,
}

pub(crate) fn write(
    folder: &Path,
    about: &Provenance,
    contents: &PackageContents<'_>,
    files: &[PackageFile],
) -> Result<u64, SplitError> {
    let path = folder.join(MANIFEST);
    let mut text = serde_json::to_vec_pretty(&manifest(about, contents, files))
        .map_err(|error| SplitError::write(&path)(error.into()))?;
    text.push(b'\n');
    std::io::Write::write_all(&mut create_file(&path)?, &text).map_err(SplitError::write(&path))?;
    Ok(text.len() as u64)
}

fn manifest<'a>(
    about: &'a Provenance,
    contents: &'a PackageContents<'a>,
    files: &'a [PackageFile],
) -> Manifest<'a> {
    let operation = crate::domain::Operation::Export(about.scope);
    let period = contents.tally.period.map(|(first, last)| EventPeriod {
        first_event: utc(first, about.zone),
        last_event: utc(last, about.zone),
    });
    let named = |(name, count): &(&'a str, u64)| NamedCount {
        name,
        count: *count,
    };
    Manifest {
        schema: 1,
        distinct_id: contents.id,
        law: operation.law().as_str(),
        disclosure: operation.disclosure().map(|disclosure| disclosure.as_str()),
        project: &about.project,
        request: about.request.as_str(),
        task: about.task.as_str(),
        archive_sha256: &about.sha256,
        fetched: rfc3339(about.fetched),
        made: rfc3339(about.made),
        time_zone: about.zone.as_str(),
        time_zone_is_assumed: about.zone == ProjectZone::default(),
        period,
        records: RecordCounts {
            events: contents.events,
            profiles: contents.profiles,
            others: contents.others,
        },
        events_by_name: contents.kinds.iter().map(named).collect(),
        events_of_further_names: contents.tally.further,
        events_without_time: contents.tally.timeless,
        names: &contents.names,
        records_of_others_removed: contents.tally.taken_out,
        not_understood: NotUnderstood {
            records_that_name_nobody: contents.unassigned.no_owner,
            records_that_name_several: contents.unassigned.contradictory,
            unreadable_pieces: contents.unassigned.broken,
            unreadable_files: contents.unassigned.members,
            lists_of_several_people: contents.unassigned.shared_lists,
            records_maybe_under_another_id: contents.unassigned.may_be_asked_for,
            records_of_other_people_only: contents.unassigned.others_only,
            missing_parts: contents.unassigned.missing,
        },
        files,
    }
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn utc(seconds: i64, zone: ProjectZone) -> String {
    zone.moment(seconds).map(rfc3339).unwrap_or_default()
}
