//! `dsr download --split`: who is meant, what opens the archives, and what came of each.

use std::path::{Path, PathBuf};

use crate::config::Company;
use crate::credentials::{ProjectSecret, ProjectSecretError, SecretOrigin, find_project_secret};
use crate::domain::{DEFAULT_EXPORT_BATCH, DistinctId, ExitStatus};
use crate::intake::{self, Keep, ReadOptions, Source};
use crate::ledger::{DownloadRecord, JobRecord, Ledger, RequestRecord};
use crate::packages::{Form, Review, SplitError, Summary};
use crate::sandbox::api_secret;
use crate::ui::{Failure, plural, printable, reading, splitting};
use crate::workflow::{self, SplitOutcome, SplitTrouble, Splitting};

use super::context::Context;
use super::failures::{split_failure, usage};

/// What is made of fetched archives.
#[derive(clap::Args, Debug)]
pub(super) struct SplitArgs {
    /// Make a package for each person, in the folder ARCHIVE-packages beside each archive
    #[arg(long)]
    pub(super) split: bool,
    /// Pack each person's package into a zip
    #[arg(long, requires = "split")]
    zip: bool,
    /// You have looked through `unassigned/`: make the packages that were held back until then
    #[arg(long, requires = "split", requires = "name")]
    checked: bool,
    /// Take the people from this file, read as the sources of `dsr export` are: for a request whose
    /// ids the ledger does not keep any more
    #[arg(long, value_name = "FILE", requires = "split", requires = "name")]
    ids: Option<PathBuf>,
}

/// What came of splitting one archive.
pub(super) type Split = Result<SplitOutcome, Failure>;

impl SplitArgs {
    fn form(&self) -> Form {
        match self.zip {
            true => Form::Zips,
            false => Form::Folders,
        }
    }

    /// The people of the file that was named; read before anything is fetched.
    pub(super) fn read_people(&self, ctx: &Context) -> Result<Option<Vec<DistinctId>>, Failure> {
        let Some(path) = &self.ids else {
            return Ok(None);
        };
        let folder = ctx.home.data();
        let mut progress = reading(&ctx.ui);
        let sources = [Source::from_path(path)];
        let options = ReadOptions::default();
        let keep = Keep::Ids(folder);
        let intake = intake::read(&sources, &[], &options, keep, &mut progress)?;
        let mut people = Vec::with_capacity(intake.counts.unique);
        if let Some(ids) = &intake.ids {
            for batch in ids.batches(DEFAULT_EXPORT_BATCH) {
                people.extend(batch?.ids().filter_map(DistinctId::restore));
            }
        }
        Ok(Some(people))
    }

    /// Splits one fetched archive.
    pub(super) fn split(
        &self,
        ctx: &Context,
        ledger: &mut Ledger,
        (request, job, download): (&RequestRecord, &JobRecord, &DownloadRecord),
        people: Option<&[DistinctId]>,
        company: &Company,
    ) -> Split {
        let find_secret = || find_secret(ctx, request);
        let project = ctx.projects_of(std::slice::from_ref(request))?.pop();
        let how = Splitting {
            form: self.form(),
            people,
            find_secret: &find_secret,
            made: ctx.clock.now(),
            zone: project.map(|project| project.zone).unwrap_or_default(),
            review: match self.checked {
                true => Review::Done,
                false => Review::Open,
            },
            company,
            sandbox: ctx.is_sandbox(),
            interrupt: &ctx.interrupt,
        };
        let mut show = splitting(&ctx.ui);
        let split = workflow::split(ledger, request, job, download, &how, &mut show);
        split.map_err(|trouble| {
            if let (SplitTrouble::Packages(SplitError::Interrupted), Some(signal)) =
                (&trouble, ctx.interrupt.signal())
            {
                return Failure::new(signal.exit_status(), "interrupted", "interrupted")
                    .hint("nothing was kept of it; split it with the same command again");
            }
            split_failure(&trouble, &request.asked.project, request.id.short())
        })
    }
}

/// In a rehearsal the sandbox's fixed one, else what the operator keeps.
fn find_secret(
    ctx: &Context,
    request: &RequestRecord,
) -> Result<Option<ProjectSecret>, ProjectSecretError> {
    if !ctx.is_sandbox() {
        return find_project_secret(&ctx.environment, &request.asked.project_key);
    }
    let projects = ctx.projects_of(std::slice::from_ref(request));
    let project = projects.ok().and_then(|mut projects| projects.pop());
    let secret = project.map(|project| api_secret(project.token.expose()));
    Ok(secret.and_then(|secret| ProjectSecret::new(&secret, SecretOrigin::Sandbox)))
}

/// One file of ids stands for the people of one job.
pub(super) fn refuse_several_jobs(
    args: &SplitArgs,
    requests: &[RequestRecord],
) -> Result<(), Failure> {
    let jobs = |request: &RequestRecord| request.count_jobs(|_| true);
    if args.ids.is_some() && requests.iter().map(jobs).sum::<usize>() > 1 {
        return Err(
            usage("`--ids` is for a request of one job, and this one has several")
                .hint("leave it out: the ledger knows the ids of each job"),
        );
    }
    Ok(())
}

/// Why nothing of this is to be sent yet, or could not be made.
pub(super) fn failure_of(split: &Split, short: &str) -> Option<Failure> {
    match split {
        Ok(SplitOutcome::Split(path, summary) | SplitOutcome::There(path, summary)) => summary
            .is_draft()
            .then(|| to_be_checked(path, summary, short)),
        Err(failure) => Some(failure.clone()),
    }
}

fn to_be_checked(path: &Path, summary: &Summary, short: &str) -> Failure {
    let path = printable(&path.display().to_string());
    if summary.unassigned.shared_lists > 0 {
        let message = "Mixpanel delivered the categories of several people as one list: no package is ready to be sent";
        return Failure::new(ExitStatus::Refused, "to_check", message).hint(
            "ask for one id at a time: `dsr export --ccpa --disclosure categories` plans it so",
        );
    }
    let unclear = summary.unassigned.unclear() as usize;
    let parts = plural(unclear, "part", "parts");
    let message = match unclear {
        1 => format!(
            "{parts} of the archive belongs to nobody for certain: no package is ready to be sent"
        ),
        _ => format!(
            "{parts} of the archive belong to nobody for certain: no package is ready to be sent"
        ),
    };
    Failure::new(ExitStatus::Refused, "to_check", message).hint(format!(
        "look through `unassigned/` in {path}, then run `dsr download {short} --split --checked`"
    ))
}
