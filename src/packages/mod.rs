//! Splits one export archive into a package for each requested person, and for nobody else.
//!
//! Owns the reading of the archive, the decision whose each record is, and the packages. Data
//! without a certain owner goes to `unassigned/`, counted by reason and never dropped. Never
//! guesses an owner, writes nothing outside the target, leaves nothing half-done there, and knows
//! neither HTTP nor the ledger.

mod archive;
mod error;
mod package;
mod people;
mod record;
mod sanitize;
mod sorter;
mod staging;
mod summary;

use std::ops::ControlFlow;
use std::path::Path;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::Company;
use crate::domain::words;
use crate::domain::{Disclosure, DistinctId, ProjectZone, RequestId, RetrievalScope, TaskId};

pub use archive::{has_directory, is_locked};
pub use error::{Danger, PackageDamage, SplitError};
pub use sanitize::{
    EventCounts, FindingCounts, KeptProperty, NameList, NameListError, NotWritten, ReviewFinding,
    SanitizeError, SanitizeOrder, SanitizeReview, TimeStep, are_locked, sanitize,
};
pub use sorter::unassigned::Unassigned;
pub use summary::{Summary, find_packages, find_stripped, find_summary, is_of_other_form};

use archive::{Archive, walk};
use package::index;
use people::People;
use sorter::spool::Shelf;
use sorter::{Sorter, job, unassigned, whole};
use staging::Staging;

/// One archive to split.
pub struct ArchiveToSplit<'a> {
    pub archive: &'a Path,
    /// The project's API secret; used only if the archive is encrypted.
    pub password: Option<&'a SecretString>,
    /// The requested people. Each gets one package, even without data or if listed twice.
    pub people: &'a [DistinctId],
    /// Lists the people of the request's other jobs; called only if a record has no owner here.
    /// Those people get no package, but are not strangers.
    pub elsewhere: &'a dyn Fn() -> Vec<DistinctId>,
    /// The folder to create. Its parent must exist, the folder must not.
    pub target: &'a Path,
    /// The folder to create instead if the operator has to check something first, see [`Review`].
    pub draft: &'a Path,
    pub about: &'a Provenance,
    pub form: PackageForm,
    pub limits: Limits,
}

/// What the packages say about the origin of their data.
#[derive(Debug, Clone)]
pub struct Provenance {
    pub scope: RetrievalScope,
    /// The operator's name for the project.
    pub project: String,
    pub request: RequestId,
    pub task: TaskId,
    pub fetched: DateTime<Utc>,
    /// The time of making; passed in, so that the same order gives the same bytes.
    pub made: DateTime<Utc>,
    /// SHA-256 of the archive in 64 lower-case hex digits. An archive with another one is refused.
    pub sha256: String,
    /// The time zone of event times.
    pub zone: ProjectZone,
    pub review: Review,
    /// What the company says about itself.
    pub company: Company,
    /// The data is invented, for a rehearsal.
    pub sandbox: bool,
}

/// Whether the operator has checked the data without a certain owner.
///
/// Until then, packages of an archive with such data are drafts: in another folder, and marked on
/// each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    Open,
    Done,
}

/// How a person's package is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageForm {
    Folders,
    /// One zip per person; the same order gives the same bytes.
    Zips,
}

words!(PackageForm {
    Folders => "folders",
    Zips => "zips",
});

/// Limits beyond which an archive counts as an attack.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub members: usize,
    /// Uncompressed bytes of all members.
    pub bytes: u64,
    /// Uncompressed bytes per archive byte, checked above 64 MiB of output.
    pub ratio: u64,
    /// Bytes of one record; a longer one goes to `unassigned/` unread.
    pub record_bytes: usize,
    /// Events that a page lists; all of them are in `events.jsonl`.
    pub rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 10_000,
            bytes: 1 << 40,
            ratio: 200,
            record_bytes: 16 << 20,
            rows: 500,
        }
    }
}

/// How far the splitting has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitProgress {
    /// Uncompressed bytes of the archive.
    Reading { done: u64, of: u64 },
    /// Packages to write.
    Writing { done: usize, of: usize },
    /// Files of earlier packages to check.
    Checking { done: usize, of: usize },
}

/// The result of [`split`].
#[derive(Debug)]
pub struct Report {
    /// In the order of the request.
    pub packages: Vec<PackageReport>,
    pub unassigned: Unassigned,
    /// Members read, including those of inner archives, without folders.
    pub members: usize,
    /// The same numbers as in the file beside the packages.
    pub summary: Summary,
}

/// One person's package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageReport {
    /// A hash of the id: the name of the folder, or of the zip without `.zip`.
    pub name: String,
    pub events: u64,
    pub profiles: u64,
    /// Records that are neither events nor profiles.
    pub others: u64,
    /// Names that Mixpanel delivered instead of records.
    pub categories: u64,
    /// Bytes of all its files, before compression.
    pub bytes: u64,
}

/// Receives the progress; may stop the work.
pub type SplitObserver<'a> = &'a mut dyn FnMut(SplitProgress) -> ControlFlow<()>;

/// Splits the archive and publishes the packages, all or nothing: at the target, or at the draft if
/// [`Summary::is_draft`].
///
/// # Errors
/// When the archive is unsafe, damaged, encrypted or not the expected one, a file cannot be
/// written, or `observer` stops. Then the target does not exist.
pub fn split(
    order: &ArchiveToSplit<'_>,
    observer: SplitObserver<'_>,
) -> Result<Report, SplitError> {
    let people = People::new(order.people)?;
    let staging = Staging::beside(order.target)?;
    let mut archive = Archive::open(
        order.archive,
        Some(&order.about.sha256),
        order.password,
        &order.limits,
    )?;
    let zone = order.about.zone;
    let mut sorter = Sorter::new(
        &people,
        staging.folder(),
        &order.limits,
        zone,
        order.elsewhere,
    )?;
    walk::read_members(&mut archive, &mut sorter, observer)?;
    let mut sorted = sorter.finish()?;
    let missing = missing_in(order, &people, &mut sorted);
    let categories = categories_of(order, &people, &mut sorted);
    let maker = package::Maker {
        about: order.about,
        form: order.form,
        people: &people,
        names: &sorted.names,
        unassigned: &sorted.unassigned,
        categories: categories.as_ref(),
        folder: staging.folder(),
    };
    // Flushes the data to disk while the pages are made.
    let flushing = staging.flush_ahead();
    let packages = maker.make_all(sorted.shelves, observer);
    drop(flushing);
    let packages = packages?;
    index::write(staging.folder(), &people, &packages)?;
    unassigned::write_report(
        staging.folder(),
        &sorted.unassigned,
        &sorted.members,
        &missing,
    )?;
    let (unassigned, root) = (sorted.unassigned, staging.folder());
    let summary = Summary::write(order, &packages, unassigned, sorted.taken_out, root)?;
    match summary.is_draft() {
        true => staging.publish(order.draft)?,
        false => staging.publish(order.target)?,
    }
    Ok(Report {
        packages,
        unassigned: summary.unassigned,
        members: sorted.members.len(),
        summary,
    })
}

/// What the archive should hold or names but does not hold. Skips lists of several people, which
/// are no use anyway.
fn missing_in(
    order: &ArchiveToSplit<'_>,
    people: &People<'_>,
    sorted: &mut sorter::Sorted,
) -> Vec<&'static str> {
    let scope = order.about.scope;
    if scope == RetrievalScope::Ccpa(Disclosure::Categories) && people.count() > 1 {
        return Vec::new();
    }
    let missing = whole::missing(
        scope,
        &sorted.members,
        &sorted.lists,
        sorted.seen,
        sorted.shelves.iter().any(Shelf::is_empty),
    );
    sorted.unassigned.missing = missing.len() as u64;
    missing
}

/// The names of a *Categories* export. With several people, the lists do not say whom they
/// describe.
fn categories_of(
    order: &ArchiveToSplit<'_>,
    people: &People<'_>,
    sorted: &mut sorter::Sorted,
) -> Option<job::JobLists> {
    if order.about.scope != RetrievalScope::Ccpa(Disclosure::Categories) {
        return None;
    }
    let lists = std::mem::take(&mut sorted.lists);
    if people.count() == 1 {
        return Some(lists);
    }
    // An export without lists is just as unclear: it should have one for each person.
    sorted.unassigned.shared_lists += lists.count.max(1);
    None
}

#[cfg(test)]
mod tests;
