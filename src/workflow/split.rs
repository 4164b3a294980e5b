//! Splits a fetched archive into a package for each person its job asked for.

use std::cell::RefCell;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::config::Company;
use crate::credentials::{ProjectSecret, ProjectSecretError};
use crate::domain::{DistinctId, JobId, LeftOut, Operation, ProjectZone, RetrievalScope, TaskId};
use crate::ledger::{
    DownloadRecord, JobRecord, Ledger, LedgerError, PackagesRecord, RequestRecord, Standing,
};
use crate::packages::{
    self, ArchiveToSplit, Limits, PackageForm, Provenance, Review, SplitError, SplitProgress,
    Summary,
};

use super::Interrupt;

/// How archives are split; the same for each of a command.
pub struct Splitting<'a> {
    pub form: PackageForm,
    /// Who was asked for, in place of whom the ledger knows.
    pub people: Option<&'a [DistinctId]>,
    /// Finds the project's API secret; asked only where an archive is locked.
    pub find_secret: &'a dyn Fn() -> Result<Option<ProjectSecret>, ProjectSecretError>,
    pub made: DateTime<Utc>,
    /// Whose clock the project's events are by.
    pub zone: ProjectZone,
    pub review: Review,
    /// What the company says of itself on the pages.
    pub company: &'a Company,
    pub sandbox: bool,
    pub interrupt: &'a Interrupt,
}

/// What lies beside an archive now; where [`Summary::is_draft`], it is not to be sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitOutcome {
    Split(PathBuf, Summary),
    /// It was split in the same way before.
    There(PathBuf, Summary),
}

/// Why there are no packages of an archive. Nothing is left where they would be.
#[derive(Debug, thiserror::Error)]
pub enum SplitTrouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the ledger does not keep the ids of job {job} any more")]
    NoIds { job: JobId },
    #[error("job {job} asked for {asked} ids, and the file holds {given}")]
    OtherIds {
        job: JobId,
        asked: usize,
        given: usize,
    },
    #[error("job {job} has no export of its own")]
    NoExport { job: JobId },
    #[error(transparent)]
    Secret(#[from] ProjectSecretError),
    #[error(transparent)]
    Packages(#[from] SplitError),
}

/// Makes the packages of one archive in a folder beside it: all of them or none, and not twice.
///
/// # Errors
/// When nobody knows who was asked for, the archive cannot be opened or trusted, or a file cannot
/// be written.
pub fn split(
    ledger: &mut Ledger,
    request: &RequestRecord,
    job: &JobRecord,
    download: &DownloadRecord,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<SplitOutcome, SplitTrouble> {
    match split_once(ledger, request, job, download, how, show) {
        // Another dsr may have put its packages there while this one made the same or others.
        Err(SplitTrouble::Packages(SplitError::TargetExists { .. })) => {
            split_once(ledger, request, job, download, how, show)
        }
        ended => ended,
    }
}

fn split_once(
    ledger: &mut Ledger,
    request: &RequestRecord,
    job: &JobRecord,
    download: &DownloadRecord,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<SplitOutcome, SplitTrouble> {
    let people = find_people(ledger, job, how)?;
    let about = about(request, job, download, how)?;
    let target = place_of(request, download, "packages", how.form);
    let draft = place_of(request, download, "to-check", how.form);
    let elsewhere = OtherJobs::new(ledger, job);
    let find_elsewhere = || elsewhere.find();
    let mut order = ArchiveToSplit {
        archive: &download.path,
        password: None,
        people: &people,
        elsewhere: &find_elsewhere,
        target: &target,
        draft: &draft,
        about: &about,
        form: how.form,
        limits: Limits::default(),
    };
    let mut observer = |progress| {
        show(progress);
        match how.interrupt.signal() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    };
    if let Some((place, summary)) = packages::find_summary(&order, &mut observer)? {
        return Ok(SplitOutcome::There(place.to_owned(), summary));
    }
    let secret = match packages::is_locked(order.archive, &order.limits)? {
        true => (how.find_secret)()?,
        false => None,
    };
    order.password = secret.as_ref().map(ProjectSecret::secret);
    let report = packages::split(&order, &mut observer);
    elsewhere.trouble.take().map_or(Ok(()), Err)?;
    let report = report?;
    if report.summary.is_draft() {
        return Ok(SplitOutcome::Split(draft.clone(), report.summary));
    }
    let made = packages_record(&report.summary);
    ledger.record_packages(&job.id, people.len(), made, how.made)?;
    Ok(SplitOutcome::Split(target.clone(), report.summary))
}

/// Whom the other jobs of the request asked for.
struct OtherJobs<'a> {
    ledger: &'a Ledger,
    job: &'a JobRecord,
    /// Why they are not known.
    trouble: RefCell<Option<LedgerError>>,
}

impl<'a> OtherJobs<'a> {
    fn new(ledger: &'a Ledger, job: &'a JobRecord) -> Self {
        Self {
            ledger,
            job,
            trouble: RefCell::new(None),
        }
    }

    fn find(&self) -> Vec<DistinctId> {
        self.try_find().unwrap_or_else(|error| {
            self.trouble.replace(Some(error));
            Vec::new()
        })
    }

    /// Those whose ids the ledger still keeps.
    fn try_find(&self) -> Result<Vec<DistinctId>, LedgerError> {
        let mut all = Vec::new();
        for job in self.ledger.jobs(&self.job.id.request, Standing::Any) {
            let job = job?.id;
            if job != self.job.id
                && let Some(batch) = self.ledger.find_kept_batch(&job)?
            {
                all.extend_from_slice(batch.ids());
            }
        }
        Ok(all)
    }
}

fn packages_record(summary: &Summary) -> PackagesRecord {
    let left = &summary.unassigned;
    PackagesRecord {
        packages: summary.packages,
        without_data: summary.without_data,
        records: summary.records,
        left_out: Some(LeftOut {
            members: left.members,
            pieces: left.broken,
            records: left.no_owner + left.contradictory + left.may_be_asked_for + left.others_only,
            lists: left.shared_lists,
            missing: left.missing,
            is_released: summary.is_released(),
        }),
    }
}

/// The drafts beside the fetched archives of a request of which no packages were made since.
///
/// # Errors
/// When the ledger cannot be read.
pub fn list_drafts(
    ledger: &Ledger,
    request: &RequestRecord,
) -> Result<Vec<(PathBuf, PackageForm)>, LedgerError> {
    let mut drafts = Vec::new();
    for job in ledger.jobs(&request.id, Standing::Any) {
        let job = job?.id;
        let Some(download) = ledger.find_download(&job)? else {
            continue;
        };
        if ledger.find_packages(&job)?.is_some() {
            continue;
        }
        let find = |what: &str| {
            let forms = PackageForm::ALL.map(|form| format!("-{}-{what}", form.as_str()));
            let endings = [format!("-{what}")].into_iter().chain(forms);
            let found = endings.filter_map(|ending| {
                let place = beside(&download, &ending);
                let found = packages::find_packages(&place, &request.id, &download.sha256)?;
                Some((place, found))
            });
            found.collect::<Vec<_>>()
        };
        // The trail forgets what was made before the archive was fetched again.
        if find("packages").is_empty() {
            let found = find("to-check").into_iter();
            drafts.extend(found.map(|(place, summary)| (place, summary.form)));
        }
    }
    Ok(drafts)
}

fn find_people(
    ledger: &Ledger,
    job: &JobRecord,
    how: &Splitting<'_>,
) -> Result<Vec<DistinctId>, SplitTrouble> {
    if let Some(given) = how.people {
        return match given.len() == job.ids {
            true => Ok(given.to_vec()),
            false => Err(SplitTrouble::OtherIds {
                job: job.id.clone(),
                asked: job.ids,
                given: given.len(),
            }),
        };
    }
    let kept = ledger.find_kept_batch(&job.id)?;
    kept.map(|batch| batch.ids().to_vec())
        .ok_or_else(|| SplitTrouble::NoIds {
            job: job.id.clone(),
        })
}

fn about(
    request: &RequestRecord,
    job: &JobRecord,
    download: &DownloadRecord,
    how: &Splitting<'_>,
) -> Result<Provenance, SplitTrouble> {
    let (scope, task) = export_of(request, job).ok_or_else(|| SplitTrouble::NoExport {
        job: job.id.clone(),
    })?;
    Ok(Provenance {
        scope,
        project: request.asked.project.to_string(),
        request: request.id.clone(),
        task,
        fetched: download.fetched_at,
        made: how.made,
        sha256: download.sha256.clone(),
        zone: how.zone,
        review: how.review,
        company: how.company.clone(),
        sandbox: how.sandbox,
    })
}

fn export_of(request: &RequestRecord, job: &JobRecord) -> Option<(RetrievalScope, TaskId)> {
    match request.asked.operation {
        Operation::Export(scope) => Some((scope, job.task.clone()?)),
        Operation::Delete(_) => None,
    }
}

/// `exports/q7tz0xma-1.zip` is split into `exports/q7tz0xma-1-packages/`, or, where these packages
/// are there in the other form, into `exports/q7tz0xma-1-zips-packages/` or `-folders-packages/`.
/// Until somebody has looked at what is unassigned, `to-check` stands for `packages`.
fn place_of(
    request: &RequestRecord,
    download: &DownloadRecord,
    what: &str,
    form: PackageForm,
) -> PathBuf {
    let usual = beside(download, &format!("-{what}"));
    match packages::is_of_other_form(&usual, &request.id, &download.sha256, form) {
        true => beside(download, &format!("-{}-{what}", form.as_str())),
        false => usual,
    }
}

fn beside(download: &DownloadRecord, ending: &str) -> PathBuf {
    let archive = &download.path;
    let mut name = archive.file_stem().map_or_else(OsString::new, Into::into);
    name.push(ending);
    archive.with_file_name(name)
}
