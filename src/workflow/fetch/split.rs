//! Splits a fetched archive into one package for each person of its job.

use std::cell::RefCell;
use std::collections::HashMap;
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

use crate::workflow::Interrupt;

/// How one command splits its archives.
pub struct Splitting<'a> {
    pub form: PackageForm,
    /// The ids of each job, if the operator gives them instead of the ledger.
    pub people: Option<&'a HashMap<JobId, Vec<DistinctId>>>,
    /// Finds the project's API secret; called only for a locked archive.
    pub find_secret: &'a dyn Fn() -> Result<Option<ProjectSecret>, ProjectSecretError>,
    pub made: DateTime<Utc>,
    /// The time zone of the project's events.
    pub zone: ProjectZone,
    /// Holds only for an archive that was here as a draft.
    pub review: Review,
    /// What the pages say about the company.
    pub company: &'a Company,
    pub sandbox: bool,
    pub interrupt: &'a Interrupt,
}

/// A job of an export, and its archive.
#[derive(Debug, Clone, Copy)]
pub struct FetchedJob<'a> {
    pub request: &'a RequestRecord,
    pub job: &'a JobRecord,
    pub download: &'a DownloadRecord,
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
/// When the job's ids are unknown, the archive cannot be opened or trusted, a file cannot be
/// written, or packages that are there already are not as they were made.
pub fn split(
    ledger: &mut Ledger,
    fetched: FetchedJob<'_>,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<SplitOutcome, SplitTrouble> {
    match split_once(ledger, fetched, how, show) {
        // Another dsr may have made packages meanwhile, the same or different ones.
        Err(SplitTrouble::Packages(SplitError::TargetExists { .. })) => {
            split_once(ledger, fetched, how, show)
        }
        ended => ended,
    }
}

fn split_once(
    ledger: &mut Ledger,
    fetched: FetchedJob<'_>,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<SplitOutcome, SplitTrouble> {
    let prepared = Prepared::of(ledger, fetched, how)?;
    let Some(there) = find(ledger, fetched, &prepared, how, show)? else {
        return make(ledger, fetched, &prepared, how, show);
    };
    let (SplitOutcome::Split(path, summary) | SplitOutcome::There(path, summary)) = &there;
    match summary.other_setting(how.zone, how.company) {
        None => Ok(there),
        Some(setting) => Err(SplitError::MadeOtherwise {
            path: path.clone(),
            how: setting,
        })?,
    }
}

/// Finds and checks the packages of an archive, whatever the settings were. Needs neither the
/// archive nor its ids.
///
/// # Errors
/// When they are not as they were made.
pub fn find_split(
    ledger: &mut Ledger,
    fetched: FetchedJob<'_>,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<Option<SplitOutcome>, SplitTrouble> {
    let prepared = Prepared::of(ledger, fetched, how)?;
    find(ledger, fetched, &prepared, how, show)
}

fn find(
    ledger: &mut Ledger,
    fetched: FetchedJob<'_>,
    prepared: &Prepared,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<Option<SplitOutcome>, SplitTrouble> {
    let order = prepared.order(fetched, &[], &Vec::new, how);
    let mut observer = |progress| observe(progress, how, show);
    let found = packages::find_summary(&order, &mut observer)?;
    let mut made = list_packages(ledger, fetched)?;
    made.retain(|known| known.form == how.form.as_str());
    let Some((place, summary)) = found else {
        let last = made.last();
        let stripped = last.and_then(|known| {
            packages::find_stripped(&prepared.target, known.released_by_operator)
        });
        return stripped.map_or(Ok(None), |error| Err(error.into()));
    };
    if !summary.is_draft() {
        let mut sums = made
            .iter()
            .map(|known| &known.packages_json_sha256)
            .peekable();
        let is_recorded = sums.peek().is_some();
        let may_be_new =
            !is_recorded && (!summary.is_released() || prepared.about.review == Review::Done);
        if may_be_new {
            // A dsr that died after it had made them, or is about to record them.
            record(ledger, fetched, &summary, how)?;
        } else if !sums.any(|sum| *sum == summary.sha256) {
            return Err(summary.not_as_made(place).into());
        }
    }
    Ok(Some(SplitOutcome::There(place.to_owned(), summary)))
}

fn make(
    ledger: &mut Ledger,
    fetched: FetchedJob<'_>,
    prepared: &Prepared,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> Result<SplitOutcome, SplitTrouble> {
    let job = &fetched.job.id;
    let people = find_people(ledger, job, how)?;
    let people = people.ok_or_else(|| SplitTrouble::NoIds { job: job.clone() })?;
    let elsewhere = OtherJobs::new(ledger, fetched.job, how);
    let find_elsewhere = || elsewhere.find();
    let mut order = prepared.order(fetched, &people, &find_elsewhere, how);
    let secret = match packages::is_locked(order.archive, &order.limits)? {
        true => (how.find_secret)()?,
        false => None,
    };
    order.password = secret.as_ref().map(ProjectSecret::secret);
    let report = packages::split(&order, &mut |progress| observe(progress, how, show));
    elsewhere.trouble.take().map_or(Ok(()), Err)?;
    let summary = report?.summary;
    if summary.is_draft() {
        return Ok(SplitOutcome::Split(prepared.draft.clone(), summary));
    }
    record(ledger, fetched, &summary, how)?;
    Ok(SplitOutcome::Split(prepared.target.clone(), summary))
}

/// Where packages and drafts of one archive go, and what they say of their origin.
struct Prepared {
    target: PathBuf,
    draft: PathBuf,
    about: Provenance,
}

impl Prepared {
    fn of(
        ledger: &Ledger,
        fetched: FetchedJob<'_>,
        how: &Splitting<'_>,
    ) -> Result<Self, SplitTrouble> {
        let FetchedJob {
            request, download, ..
        } = fetched;
        Ok(Self {
            about: about(ledger, fetched, how)?,
            target: place_of(request, download, "packages", how.form),
            draft: place_of(request, download, "to-check", how.form),
        })
    }

    fn order<'a>(
        &'a self,
        fetched: FetchedJob<'a>,
        people: &'a [DistinctId],
        elsewhere: &'a dyn Fn() -> Vec<DistinctId>,
        how: &Splitting<'_>,
    ) -> ArchiveToSplit<'a> {
        ArchiveToSplit {
            archive: &fetched.download.path,
            password: None,
            people,
            elsewhere,
            target: &self.target,
            draft: &self.draft,
            about: &self.about,
            form: how.form,
            limits: Limits::default(),
        }
    }
}

fn observe(
    progress: SplitProgress,
    how: &Splitting<'_>,
    show: &mut dyn FnMut(SplitProgress),
) -> ControlFlow<()> {
    show(progress);
    match how.interrupt.signal() {
        Some(_) => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    }
}

fn record(
    ledger: &mut Ledger,
    fetched: FetchedJob<'_>,
    summary: &Summary,
    how: &Splitting<'_>,
) -> Result<(), LedgerError> {
    let left = &summary.unassigned;
    let made = PackagesRecord {
        packages: summary.packages,
        without_data: summary.without_data,
        records: summary.records,
        archive_sha256: fetched.download.sha256.clone(),
        form: summary.form.as_str().to_owned(),
        packages_json_sha256: summary.sha256.clone(),
        not_in_packages: LeftOut {
            members: left.members,
            pieces: left.broken,
            records: left.no_owner + left.contradictory + left.may_be_asked_for + left.others_only,
            lists: left.shared_lists,
            missing: left.missing,
        },
        released_by_operator: summary.is_released(),
    };
    ledger.record_packages(&fetched.job.id, &made, how.made)
}

fn list_packages(
    ledger: &Ledger,
    fetched: FetchedJob<'_>,
) -> Result<Vec<PackagesRecord>, LedgerError> {
    ledger.list_packages(&fetched.job.id, &fetched.download.sha256)
}

struct OtherJobs<'a> {
    ledger: &'a Ledger,
    job: &'a JobRecord,
    how: &'a Splitting<'a>,
    trouble: RefCell<Option<LedgerError>>,
}

impl<'a> OtherJobs<'a> {
    fn new(ledger: &'a Ledger, job: &'a JobRecord, how: &'a Splitting<'a>) -> Self {
        Self {
            ledger,
            job,
            how,
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
            if job != self.job.id {
                all.extend(find_people(self.ledger, &job, self.how)?.unwrap_or_default());
            }
        }
        Ok(all)
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
        // The trail forgets packages from before the last fetch.
        if packages_beside(request, &download, "packages").is_empty() {
            let found = packages_beside(request, &download, "to-check").into_iter();
            drafts.extend(found.map(|(place, summary)| (place, summary.form)));
        }
    }
    Ok(drafts)
}

/// All packages of this archive under a name with `what`, in either form.
fn packages_beside(
    request: &RequestRecord,
    download: &DownloadRecord,
    what: &str,
) -> Vec<(PathBuf, Summary)> {
    let forms = PackageForm::ALL.map(|form| format!("-{}-{what}", form.as_str()));
    let endings = [format!("-{what}")].into_iter().chain(forms);
    let found = endings.filter_map(|ending| {
        let place = beside(download, &ending);
        let found = packages::find_packages(&place, &request.id, &download.sha256)?;
        Some((place, found))
    });
    found.collect()
}

/// The operator can have looked only at drafts of this very archive that are here, or were here
/// when its packages were released before.
fn review(
    ledger: &Ledger,
    fetched: FetchedJob<'_>,
    how: &Splitting<'_>,
) -> Result<Review, LedgerError> {
    if how.review == Review::Open {
        return Ok(Review::Open);
    }
    let drafts = packages_beside(fetched.request, fetched.download, "to-check");
    let made = list_packages(ledger, fetched)?;
    let is_draft = |(_, summary): &(PathBuf, Summary)| summary.is_draft();
    Ok(
        match drafts.iter().any(is_draft) || made.iter().any(|made| made.released_by_operator) {
            true => Review::Done,
            false => Review::Open,
        },
    )
}

/// The people of a job, by the operator's list or else by the ledger.
fn find_people(
    ledger: &Ledger,
    job: &JobId,
    how: &Splitting<'_>,
) -> Result<Option<Vec<DistinctId>>, LedgerError> {
    if let Some(given) = how.people {
        return Ok(given.get(job).cloned());
    }
    let kept = ledger.find_kept_batch(job)?;
    Ok(kept.map(|batch| batch.ids().to_vec()))
}

fn about(
    ledger: &Ledger,
    fetched: FetchedJob<'_>,
    how: &Splitting<'_>,
) -> Result<Provenance, SplitTrouble> {
    let FetchedJob {
        request,
        job,
        download,
    } = fetched;
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
        review: review(ledger, fetched, how)?,
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
