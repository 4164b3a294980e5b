//! `packages.json`: lets a later dsr recognize and check the packages it made. Holds no id.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::staging::create_file;
use super::{
    ArchiveToSplit, PackageDamage, PackageForm, PackageReport, Review, SplitError, SplitObserver,
    Unassigned,
};
use crate::config::Company;
use crate::domain::{ProjectZone, RequestId, to_hex};
use crate::packages::package::check::{self, FileSums};

const SUMMARY: &str = "packages.json";
const SCHEMA: u32 = 1;

/// The numbers of one split archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    schema: u32,
    pub request: String,
    pub task: String,
    archive_sha256: String,
    pub form: PackageForm,
    pub packages: usize,
    /// Packages of people of whom the archive has no record, whatever their pages say.
    pub without_data: usize,
    /// Records in the packages.
    pub records: u64,
    /// Names in the packages of an export that has names instead of records.
    pub categories: u64,
    pub unassigned: Unassigned,
    /// Records that were cut out of other people's records.
    pub taken_out: u64,
    /// The time zone that event times are shown in.
    time_zone: String,
    /// SHA-256 of the company's details on the pages; empty if there are none.
    company_sha256: String,
    /// The operator has checked the unassigned data.
    reviewed: bool,
    /// Every other file here.
    files: FileSums,
    /// SHA-256 of `packages.json` itself.
    #[serde(skip)]
    pub sha256: String,
}

impl Summary {
    /// Writes the summary into `root`, where everything else is already.
    pub(super) fn write(
        order: &ArchiveToSplit<'_>,
        packages: &[PackageReport],
        unassigned: Unassigned,
        taken_out: u64,
        root: &Path,
    ) -> Result<Self, SplitError> {
        let records = |package: &PackageReport| package.events + package.profiles + package.others;
        let mut summary = Self {
            schema: SCHEMA,
            request: order.about.request.as_str().to_owned(),
            task: order.about.task.as_str().to_owned(),
            archive_sha256: order.about.sha256.clone(),
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
            files: check::hash_all(root)?,
            sha256: String::new(),
        };
        let path = root.join(SUMMARY);
        let mut text = serde_json::to_vec_pretty(&summary)
            .map_err(|error| SplitError::write(&path)(error.into()))?;
        text.push(b'\n');
        let mut file = create_file(&path)?;
        file.write_all(&text).map_err(SplitError::write(&path))?;
        summary.sha256 = to_hex(&Sha256::digest(&text));
        Ok(summary)
    }

    /// Whether somebody must check the unassigned data before a package may be sent.
    pub fn is_draft(&self) -> bool {
        !self.reviewed && self.unassigned.unclear() > 0
    }

    /// Whether somebody has checked the unassigned data, and there was some.
    pub fn is_released(&self) -> bool {
        self.reviewed && self.unassigned.unclear() > 0
    }

    /// The setting that the packages were made with another value of.
    pub fn other_setting(&self, zone: ProjectZone, company: &Company) -> Option<&'static str> {
        if self.time_zone != zone.as_str() {
            Some("with another `time_zone` of the project")
        } else if self.company_sha256 != digest_of_company(company) {
            Some("with another `[company]` table in the config file")
        } else {
            None
        }
    }

    /// The error that says that `packages.json` is not the one that was made.
    pub fn not_as_made(&self, place: &Path) -> SplitError {
        SplitError::NotAsMade {
            path: place.to_owned(),
            damage: PackageDamage {
                changed: vec![SUMMARY.to_owned()],
                ..PackageDamage::default()
            },
            reviewed: self.reviewed,
        }
    }

    /// The number of people whose pages say that there is no data: only if the archive was
    /// understood whole.
    pub fn told_of_no_data(&self) -> usize {
        match self.unassigned.unclear() {
            0 => self.without_data,
            _ => 0,
        }
    }

    fn is_of(&self, request: &RequestId, archive_sha256: &str) -> bool {
        self.request == request.as_str() && self.archive_sha256 == archive_sha256
    }
}

/// The summary at `place`, if it is of this request and this archive.
pub fn find_packages(place: &Path, request: &RequestId, archive_sha256: &str) -> Option<Summary> {
    read(place).filter(|found| found.is_of(request, archive_sha256))
}

/// The error if packages of dsr are known to be at `place`, and only their `packages.json` is gone.
pub fn find_stripped(place: &Path, reviewed: bool) -> Option<SplitError> {
    let is_gone = || place.join(SUMMARY).symlink_metadata().is_err();
    let is_folder = fs::symlink_metadata(place).is_ok_and(|place| place.is_dir());
    let damage = PackageDamage {
        missing: vec![SUMMARY.to_owned()],
        ..PackageDamage::default()
    };
    (is_folder && is_gone()).then(|| SplitError::NotAsMade {
        path: place.to_owned(),
        damage,
        reviewed,
    })
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

/// Finds the packages of this order at the target or the draft, and checks every file there. Needs
/// neither the archive nor its people.
///
/// # Errors
/// When a file is missing, has changed or was added, or `observer` stops.
pub fn find_summary<'o>(
    order: &ArchiveToSplit<'o>,
    observer: SplitObserver<'_>,
) -> Result<Option<(&'o Path, Summary)>, SplitError> {
    let about = order.about;
    let places = match about.review {
        Review::Open => &[order.target, order.draft][..],
        Review::Done => &[order.target],
    };
    let mut found = places.iter().filter_map(|place| {
        let found = find_packages(place, &about.request, &about.sha256)?;
        let is_meant = about.review == Review::Open || !found.is_draft();
        (found.form == order.form && is_meant).then_some((*place, found))
    });
    let Some((place, summary)) = found.next() else {
        return Ok(None);
    };
    let path = place.to_owned();
    let damage = check::find_damage(place, &summary.files, SUMMARY, observer)?;
    let reviewed = summary.reviewed;
    match damage.is_none() {
        true => Ok(Some((place, summary))),
        false => Err(SplitError::NotAsMade {
            path,
            damage,
            reviewed,
        }),
    }
}

/// Does not follow a link: what it leads to is not ours.
fn read(target: &Path) -> Option<Summary> {
    let is_folder = fs::symlink_metadata(target).is_ok_and(|target| target.is_dir());
    let text = fs::read(target.join(SUMMARY)).ok()?;
    let found = Summary {
        sha256: to_hex(&Sha256::digest(&text)),
        ..serde_json::from_slice(&text).ok()?
    };
    (is_folder && found.schema == SCHEMA).then_some(found)
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
