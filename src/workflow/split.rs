//! Splits a fetched archive into one package for each person of its job.

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

/// How one command splits its archives.
pub struct Splitting<'a> {
    pub form: PackageForm,
    /// The ids that the archive is for, if the operator gives them instead of the ledger.
    pub people: Option<&'a [DistinctId]>,
    /// Finds the project's API secret; called only for a locked archive.
    pub find_secret: &'a dyn Fn() -> Result<Option<ProjectSecret>, ProjectSecretError>,
    pub made: DateTime<Utc>,
    /// The time zone of the project's events.
    pub zone: ProjectZone,
    pub review: Review,
    /// What the pages say about the company.
    pub company: &'a Company,
    pub sandbox: bool,
    pub interrupt: &'a Interrupt,
}

/// What is beside an archive now. If [`Summary::is_draft`], do not send it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitOutcome {
    Split(PathBuf, Summary),
    /// An earlier run split it in the same way.
    There(PathBuf, Summary),
}

/// Why an archive has no packages. Their folder holds nothing.
#[derive(Debug, thiserror::Error)]
pub enum SplitTrouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the ledger no longer keeps the ids of job {job}")]
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

/// Makes the packages of one archive in a folder beside it: all or none, and only once.
///
/// # Errors
/// When the job's ids are unknown, the archive cannot be opened or trusted, or a file cannot be
/// written.
pub fn split(
    ledger: &mut Ledger,
    request: &RequestRecord,
    job: &JobRecord,
    download: &DownloadRecord,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<SplitOutcome, SplitTrouble> {
    match split_once(ledger, request, job, download, how, show) {
        // Another dsr may have made packages meanwhile, the same or different ones.
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

struct OtherJobs<'a> {
    ledger: &'a Ledger,
    job: &'a JobRecord,
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

/// The drafts beside a request's archives that have no packages yet.
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
        // The trail forgets packages from before the last fetch.
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

/// `exports/q7tz0xma-1.zip` becomes `exports/q7tz0xma-1-packages/`. If that folder has packages of
/// the other form, it becomes `exports/q7tz0xma-1-zips-packages/` or `-folders-packages/`. Until
/// someone has reviewed the unassigned records, the name has `to-check` instead of `packages`.
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
