//! `packages.json`: lets a later dsr recognize the packages it made. Holds no id.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::people::People;
use super::staging::create_file;
use super::{
    ArchiveToSplit, PackageForm, PackageReport, Review, SplitError, SplitObserver, Unassigned,
};
use crate::config::Company;
use crate::domain::{ProjectZone, RequestId, to_hex};
use crate::packages::package::check;

const SUMMARY: &str = "packages.json";
const SCHEMA: u32 = 1;

/// The numbers of one split archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    schema: u32,
    pub request: String,
    pub task: String,
    archive_sha256: String,
    /// SHA-256 of the packages' names, which are hashes; equal for the same people.
    people_sha256: String,
    pub form: PackageForm,
    pub packages: usize,
    /// Packages of people without data in the archive.
    pub without_data: usize,
    /// Records in the packages.
    pub records: u64,
    /// Names in the packages of an export that has names instead of records.
    #[serde(default)]
    pub categories: u64,
    pub unassigned: Unassigned,
    /// Records that were cut out of other people's records.
    #[serde(default)]
    pub taken_out: u64,
    /// The time zone that event times are shown in.
    #[serde(default = "utc")]
    time_zone: String,
    /// SHA-256 of the company's details on the pages; empty if there are none.
    #[serde(default)]
    company_sha256: String,
    /// The operator has checked the unassigned data. False in files of older versions, which had no
    /// check.
    #[serde(default)]
    reviewed: bool,
    /// SHA-256 of the manifests, in the order of the request. Empty in files of older versions.
    #[serde(default)]
    pub(super) manifests: Vec<String>,
}

fn utc() -> String {
    ProjectZone::default().as_str().to_owned()
}

impl Summary {
    pub(super) fn of(
        order: &ArchiveToSplit<'_>,
        people: &People<'_>,
        packages: &[PackageReport],
        unassigned: Unassigned,
        taken_out: u64,
    ) -> Self {
        let records = |package: &PackageReport| package.events + package.profiles + package.others;
        Self {
            schema: SCHEMA,
            request: order.about.request.as_str().to_owned(),
            task: order.about.task.as_str().to_owned(),
            archive_sha256: order.about.sha256.clone(),
            people_sha256: digest(people),
            form: order.form,
            packages: packages.len(),
            without_data: packages
                .iter()
                .filter(|one| records(one) + one.categories == 0)
                .count(),
            records: packages.iter().map(records).sum(),
            categories: packages.iter().map(|package| package.categories).sum(),
            unassigned,
            taken_out,
            time_zone: order.about.zone.as_str().to_owned(),
            company_sha256: digest_of_company(&order.about.company),
            reviewed: order.about.review == Review::Done,
            manifests: packages
                .iter()
                .map(|package| package.manifest_sha256.clone())
                .collect(),
        }
    }

    /// Whether somebody must check the unassigned data before a package may be sent.
    pub fn is_draft(&self) -> bool {
        !self.reviewed && self.unassigned.unclear() > 0
    }

    /// Whether somebody has checked the unassigned data, and there was some.
    pub fn is_released(&self) -> bool {
        self.reviewed && self.unassigned.unclear() > 0
    }

    fn is_of(&self, request: &RequestId, archive_sha256: &str) -> bool {
        self.request == request.as_str() && self.archive_sha256 == archive_sha256
    }

    pub(super) fn write(&self, root: &Path) -> Result<(), SplitError> {
        let path = root.join(SUMMARY);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| SplitError::write(&path)(error.into()))?;
        text.push(b'\n');
        let mut file = create_file(&path)?;
        file.write_all(&text).map_err(SplitError::write(&path))
    }
}

/// The summary at `place`, if it is of this request and this archive.
pub fn find_packages(place: &Path, request: &RequestId, archive_sha256: &str) -> Option<Summary> {
    read(place).filter(|found| found.is_of(request, archive_sha256))
}

/// Whether packages of this archive are at `place` in the other form. Then they stay, and the new
/// ones go elsewhere.
pub fn is_of_other_form(
    place: &Path,
    request: &RequestId,
    archive_sha256: &str,
    form: PackageForm,
) -> bool {
    find_packages(place, request, archive_sha256).is_some_and(|found| found.form != form)
}

/// Finds the result of exactly this order at the target or the draft, and checks every package
/// there.
///
/// # Errors
/// When the order has no people, a package is missing or has changed, or `observer` stops.
pub fn find_summary<'o>(
    order: &ArchiveToSplit<'o>,
    observer: SplitObserver<'_>,
) -> Result<Option<(&'o Path, Summary)>, SplitError> {
    let people = People::new(order.people)?;
    let asked = digest(&people);
    let about = order.about;
    let is_same = |found: &Summary| {
        found.form == order.form
            && found.people_sha256 == asked
            && found.time_zone == about.zone.as_str()
            && found.company_sha256 == digest_of_company(&about.company)
            && (about.review == Review::Open || !found.is_draft())
    };
    let places = match about.review {
        Review::Open => &[order.target, order.draft][..],
        Review::Done => &[order.target],
    };
    let mut found = places.iter().filter_map(|place| {
        let found = find_packages(place, &about.request, &about.sha256)?;
        is_same(&found).then_some((*place, found))
    });
    let Some((place, summary)) = found.next() else {
        return Ok(None);
    };
    let damage = check::find_damage(place, order, &people, &summary.manifests, observer)?;
    match damage.is_none() {
        true => Ok(Some((place, summary))),
        false => Err(SplitError::NotAsMade {
            path: place.to_owned(),
            missing: damage.missing,
            changed: damage.changed,
            reviewed: summary.reviewed,
        }),
    }
}

/// Does not follow a link: what it leads to is not ours.
fn read(target: &Path) -> Option<Summary> {
    let is_folder = fs::symlink_metadata(target).is_ok_and(|target| target.is_dir());
    let text = fs::read_to_string(target.join(SUMMARY)).ok();
    let found = text.and_then(|text| serde_json::from_str::<Summary>(&text).ok());
    found.filter(|found| is_folder && found.schema == SCHEMA)
}

fn digest_of_company(company: &Company) -> String {
    if company.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for value in company.values() {
        hash.update(value);
        hash.update(b"\0");
    }
    to_hex(&hash.finalize())
}

fn digest(people: &People<'_>) -> String {
    let mut hash = Sha256::new();
    for person in 0..people.count() {
        hash.update(people.name(person));
        hash.update(b"\n");
    }
    to_hex(&hash.finalize())
}
