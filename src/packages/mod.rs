//! One export archive of many people → a package for each person asked for, and for nobody else.
//!
//! Opens and vets the archive, reads its members in bounded memory, decides whose each record is,
//! and writes the packages; what is nobody's for certain goes to `unassigned/`, counted by reason
//! and never dropped. Knows neither HTTP nor the ledger, never guesses an owner, writes nothing
//! outside the target, and leaves nothing half-done there.

mod archive;
mod error;
mod package;
mod people;
mod record;
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

pub use archive::is_locked;
pub use error::{Danger, SplitError};
pub use sorter::unassigned::Unassigned;
pub use summary::{Summary, find_packages, find_summary, is_of_other_form};

use archive::{Archive, walk};
use package::index;
use people::People;
use sorter::{Sorter, job, unassigned, whole};
use staging::Staging;

/// One archive to be split.
pub struct ArchiveToSplit<'a> {
    pub archive: &'a Path,
    /// The project's API secret; not looked at where the archive is not encrypted.
    pub password: Option<&'a SecretString>,
    /// Who was asked for. Each gets a package, also without any data; a repeated id gets one.
    pub people: &'a [DistinctId],
    /// Finds whom the other jobs of the same request asked for; asked only where a record is of
    /// nobody here. It gets no package, and is no stranger's either.
    pub elsewhere: &'a dyn Fn() -> Vec<DistinctId>,
    /// The folder to make. It must not exist, its parent must.
    pub target: &'a Path,
    /// The folder that is made instead where somebody has to look first: see [`Review`].
    pub draft: &'a Path,
    pub about: &'a Provenance,
    pub form: PackageForm,
    pub limits: Limits,
}

/// What the packages say about where their data came from.
#[derive(Debug, Clone)]
pub struct Provenance {
    pub scope: RetrievalScope,
    /// What the operator calls the project.
    pub project: String,
    pub request: RequestId,
    pub task: TaskId,
    pub fetched: DateTime<Utc>,
    /// When the packages are made: passed in, so that the same order gives the same bytes.
    pub made: DateTime<Utc>,
    /// Of the archive, as 64 lower-case hex digits; an archive with another one is refused.
    pub sha256: String,
    /// Whose clock the times of events are by.
    pub zone: ProjectZone,
    pub review: Review,
    /// What the company says of itself.
    pub company: Company,
    /// A rehearsal: the data is invented.
    pub sandbox: bool,
}

/// Whether the operator has looked at what an archive holds and nobody can be given for certain.
///
/// Until then the packages of such an archive are drafts: in a folder of another name, each page
/// with a line that says so.
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
    /// One zip a person; the same order gives the same bytes.
    Zips,
}

words!(PackageForm {
    Folders => "folders",
    Zips => "zips",
});

/// What an archive may cost before it is taken for an attack.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub members: usize,
    /// Uncompressed, over all members.
    pub bytes: u64,
    /// Uncompressed bytes for each byte of the archive, once it gives more than 64 MiB.
    pub ratio: u64,
    /// One record; a longer one is kept in `unassigned/`, unread.
    pub record_bytes: usize,
    /// How many events a page lists; the others are in `events.jsonl` only.
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

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitProgress {
    /// Uncompressed bytes of the archive.
    Reading { done: u64, of: u64 },
    /// Packages.
    Writing { done: usize, of: usize },
    /// Packages from before.
    Checking { done: usize, of: usize },
}

/// What was made.
#[derive(Debug)]
pub struct Report {
    /// In the order asked for.
    pub packages: Vec<PackageReport>,
    pub unassigned: Unassigned,
    /// Members of the archive that were read, those inside of others included, folders not counted.
    pub members: usize,
    /// The same in numbers, as it lies beside the packages.
    pub summary: Summary,
}

/// One person's package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageReport {
    /// The name of its folder, or of its zip less `.zip`: a hash of the id.
    pub name: String,
    pub events: u64,
    pub profiles: u64,
    /// Records that are neither.
    pub others: u64,
    /// Names that were delivered in place of records.
    pub categories: u64,
    /// Of all its files before compression.
    pub bytes: u64,
    pub manifest_sha256: String,
}

/// Hears how far it is, and may end it.
pub type SplitObserver<'a> = &'a mut dyn FnMut(SplitProgress) -> ControlFlow<()>;

/// Splits the archive and puts the packages in place, all or nothing: at the target, or at the draft
/// if [`Summary::is_draft`].
///
/// # Errors
/// When the archive is unsafe, damaged, locked or another one, a file cannot be written, or
/// `observer` ended it. The target does not exist then.
pub fn split(
    order: &ArchiveToSplit<'_>,
    observer: SplitObserver<'_>,
) -> Result<Report, SplitError> {
    let people = People::new(order.people)?;
    let staging = Staging::beside(order.target)?;
    let mut archive = Archive::open(order)?;
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
    // The data is on its way to the disk while the pages are made.
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
    let summary = Summary::of(
        order,
        &people,
        &packages,
        sorted.unassigned,
        sorted.taken_out,
    );
    summary.write(staging.folder())?;
    match summary.is_draft() {
        true => staging.publish(order.draft)?,
        false => staging.publish(order.target)?,
    }
    Ok(Report {
        packages,
        unassigned: sorted.unassigned,
        members: sorted.members.len(),
        summary,
    })
}

/// What the archive should hold or names, and does not hold. Lists of several people are of no use,
/// however many there are.
fn missing_in(
    order: &ArchiveToSplit<'_>,
    people: &People<'_>,
    sorted: &mut sorter::Sorted,
) -> Vec<&'static str> {
    let scope = order.about.scope;
    if scope == RetrievalScope::Ccpa(Disclosure::Categories) && people.count() > 1 {
        return Vec::new();
    }
    let missing = whole::missing(scope, &sorted.members, &sorted.lists, sorted.seen);
    sorted.unassigned.missing = missing.len() as u64;
    missing
}

/// The names that a *Categories* export delivers, which say of whom they are only where one person
/// was asked for.
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
    // An export without any list is as unclear: there should have been one for each person.
    sorted.unassigned.shared_lists += lists.count.max(1);
    None
}

#[cfg(test)]
mod tests;
