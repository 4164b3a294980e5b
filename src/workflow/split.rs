//! Splits a fetched archive into a package for each person its job asked for.

use std::cell::RefCell;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::config::Company;
use crate::credentials::{ProjectSecret, ProjectSecretError};
use crate::domain::{DistinctId, JobId, Operation, ProjectZone, RetrievalScope, TaskId};
use crate::ledger::{
    DownloadRecord, JobRecord, Ledger, LedgerError, PackagesRecord, RequestRecord, Standing,
};
use crate::packages::{self, About, Form, Limits, Order, Progress, Review, SplitError, Summary};

use super::Interrupt;

/// How archives are split; the same for each of a command.
pub struct Splitting<'a> {
    pub form: Form,
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
    show: &mut dyn FnMut(Progress),
) -> Result<SplitOutcome, SplitTrouble> {
    let people = find_people(ledger, job, how)?;
    let about = about(request, job, download, how)?;
    let target = place_of(download, "packages", how.form);
    let draft = place_of(download, "to-check", how.form);
    let elsewhere = Elsewhere::new(ledger, job);
    let find_elsewhere = || elsewhere.find();
    let mut order = Order {
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
    if let Some((place, summary)) = packages::find_summary(&order)? {
        return Ok(SplitOutcome::There(place.to_owned(), summary));
    }
    let secret = match packages::is_locked(order.archive, &order.limits)? {
        true => (how.find_secret)()?,
        false => None,
    };
    order.password = secret.as_ref().map(ProjectSecret::secret);
    let report = packages::split(&order, &mut |progress| {
        show(progress);
        match how.interrupt.signal() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    });
    elsewhere.trouble.take().map_or(Ok(()), Err)?;
    let report = report?;
    if report.summary.is_draft() {
        return Ok(SplitOutcome::Split(draft.clone(), report.summary));
    }
    let made = PackagesRecord {
        packages: report.summary.packages,
        without_data: report.summary.without_data,
        records: report.summary.records,
    };
    ledger.record_packages(&job.id, people.len(), made, how.made)?;
    Ok(SplitOutcome::Split(target.clone(), report.summary))
}

/// Whom the other jobs of the request asked for.
struct Elsewhere<'a> {
    ledger: &'a Ledger,
    job: &'a JobRecord,
    /// Why they are not known.
    trouble: RefCell<Option<LedgerError>>,
}

impl<'a> Elsewhere<'a> {
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
) -> Result<About, SplitTrouble> {
    let (scope, task) = export_of(request, job).ok_or_else(|| SplitTrouble::NoExport {
        job: job.id.clone(),
    })?;
    Ok(About {
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
fn place_of(download: &DownloadRecord, what: &str, form: Form) -> PathBuf {
    let beside = |ending: String| {
        let archive = &download.path;
        let mut name = archive.file_stem().map_or_else(OsString::new, Into::into);
        name.push(ending);
        archive.with_file_name(name)
    };
    let usual = beside(format!("-{what}"));
    match packages::is_of_other_form(&usual, &download.sha256, form) {
        true => beside(format!("-{}-{what}", form.as_str())),
        false => usual,
    }
}
