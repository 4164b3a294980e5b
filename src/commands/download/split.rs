//! `dsr download --split`: which people, which secret, and the outcome for each archive.

use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::failures::split_failure;
use crate::config::Company;
use crate::credentials::{ProjectSecret, ProjectSecretError, SecretOrigin, find_project_secret};
use crate::domain::{ExitStatus, JobState};
use crate::ledger::{JobRecord, Ledger, RequestRecord};
use crate::packages::{PackageForm, Review, SplitError, Summary, Unassigned};
use crate::sandbox::api_secret;
use crate::ui::{Failure, number, path_word, plural, printable, splitting};
use crate::workflow::{self, DownloadOutcome, FetchedJob, SplitOutcome, SplitTrouble, Splitting};

use super::listed::PeopleOfJobs;

/// What is made of fetched archives.
#[derive(clap::Args, Debug)]
pub(crate) struct SplitArgs {
    /// Make a package for each person, in the folder ARCHIVE-packages beside each archive
    #[arg(long)]
    pub(crate) split: bool,
    /// Pack each person's package into a zip
    #[arg(long, requires = "split")]
    zip: bool,
    /// You have looked through `unassigned/`: make the final packages
    #[arg(long, requires = "split", requires = "name")]
    pub(super) checked: bool,
    /// Take the ids from this file, if the ledger no longer keeps the ids of the request; dsr reads
    /// it as `dsr export` reads a source
    #[arg(long, value_name = "FILE", requires = "split", requires = "name")]
    pub(super) ids: Option<PathBuf>,
}

pub(crate) type Split = Result<SplitOutcome, Failure>;

impl SplitArgs {
    fn form(&self) -> PackageForm {
        match self.zip {
            true => PackageForm::Zips,
            false => PackageForm::Folders,
        }
    }

    /// These options as they were typed, without `--checked`.
    pub(crate) fn words(&self) -> Vec<String> {
        let flags = [(self.split, "--split"), (self.zip, "--zip")];
        let given = flags.into_iter().filter(|(is_given, _)| *is_given);
        let mut words: Vec<String> = given.map(|(_, flag)| flag.to_owned()).collect();
        if let Some(path) = &self.ids {
            words.extend(["--ids".to_owned(), path_word(&path.display().to_string())]);
        }
        words
    }

    /// What comes after the archives or packages of these requests are here. `None` if nobody waits
    /// for an answer to them.
    pub(super) fn next_step(&self, requests: &[RequestRecord]) -> Option<String> {
        let waits = |request: &&RequestRecord| {
            request.answer.is_none() && !request.is_open() && request.jobs_in(JobState::Done) > 0
        };
        let mut waiting = requests.iter().filter(waits);
        let name = match (waiting.next()?, waiting.next()) {
            (one, None) => one.id.short(),
            (_, Some(_)) => "REQUEST",
        };
        Some(match self.split {
            true => format!(
                "Next: hand each package over to its person. Then run `dsr answered {name}`."
            ),
            false => format!(
                "Next: hand the data over. `dsr download {name} --split` makes a package for each person. Then run `dsr answered {name}`."
            ),
        })
    }

    /// The command that splits this archive, with `flags`.
    fn again(&self, short: &str, archive: &Path, flags: &[&str]) -> String {
        let folder = archive.parent().unwrap_or(archive);
        let mut words = vec![
            format!("dsr download {short} --to"),
            path_word(&folder.display().to_string()),
        ];
        words.extend(self.words());
        let checked = self.checked.then_some("--checked");
        let flags = checked.into_iter().chain(flags.iter().copied());
        words.extend(flags.map(str::to_owned));
        words.dedup();
        format!("`{}`", words.join(" "))
    }

    /// Splits one archive, or only checks its packages if the archive is lost. `None` if there is
    /// neither.
    pub(crate) fn split(
        &self,
        ctx: &Context,
        ledger: &mut Ledger,
        (request, job, outcome): (&RequestRecord, &JobRecord, &DownloadOutcome),
        people: Option<&PeopleOfJobs>,
        company: &Company,
    ) -> Option<Split> {
        let download = outcome.recorded()?;
        let is_lost = matches!(outcome, DownloadOutcome::Lost(..));
        let project = match ctx.projects_of(std::slice::from_ref(request)) {
            Ok(mut projects) => projects.pop(),
            Err(failure) => return Some(Err(failure)),
        };
        let find_secret = || find_secret(ctx, request);
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
        let fetched = FetchedJob {
            request,
            job,
            download,
        };
        let split = match is_lost {
            true => workflow::find_split(ledger, fetched, &how, &mut show),
            false => workflow::split(ledger, fetched, &how, &mut show).map(Some),
        };
        let split = split.map_err(|trouble| {
            if let (SplitTrouble::Packages(SplitError::Interrupted), Some(signal)) =
                (&trouble, ctx.interrupt.signal())
            {
                return Failure::new(signal.exit_status(), "interrupted", "interrupted")
                    .hint("no package was kept; run the same command again");
            }
            let short = request.id.short();
            let anew = is_lost.then_some("--again");
            let again = |flags: &[&str]| {
                let flags: Vec<&str> = anew.into_iter().chain(flags.iter().copied()).collect();
                self.again(short, &download.path, &flags)
            };
            split_failure(&trouble, &request.asked.project, short, &again)
        });
        split.transpose()
    }
}

/// In a rehearsal the secret is the sandbox's fixed one.
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

/// The path of packages that somebody must look at first, with their summary.
pub(crate) fn draft_of(split: &Split) -> Option<(&Path, &Summary)> {
    let (SplitOutcome::Split(path, summary) | SplitOutcome::There(path, summary)) =
        split.as_ref().ok()?;
    summary.is_draft().then_some((path, summary))
}

pub(crate) fn status_of(split: &Split) -> ExitStatus {
    match (split, draft_of(split)) {
        (Err(failure), _) => failure.status,
        (Ok(_), Some(_)) => ExitStatus::Refused,
        (Ok(_), None) => ExitStatus::Done,
    }
}

/// Explains why packages must not be sent yet. Each draft has its request, path and summary.
/// `commands` gives the command that releases the drafts of these requests.
pub(crate) fn to_be_checked<'a>(
    args: &SplitArgs,
    drafts: &[(&'a str, &Path, &Summary)],
    commands: impl FnOnce(Vec<&'a str>) -> String,
) -> Option<Failure> {
    let is_unclear = |draft: &&(&str, &Path, &Summary)| draft.2.unassigned.shared_lists == 0;
    let unclear: Vec<_> = drafts.iter().filter(is_unclear).collect();
    let failure = |message: String| Failure::new(ExitStatus::Refused, "to_check", message);
    if unclear.is_empty() {
        let message = "Mixpanel delivered the categories of several people as one list: no package is ready to send";
        let hint = "export one id at a time: `dsr export --ccpa --disclosure categories` does that";
        return (!drafts.is_empty()).then(|| failure(message.to_owned()).hint(hint));
    }
    let sum = |count: fn(&Unassigned) -> u64| {
        let counts = unclear.iter().map(|draft| count(&draft.2.unassigned));
        counts.sum::<u64>() as usize
    };
    let (all, without) = (sum(Unassigned::total), sum(Unassigned::unclear));
    let parts = plural(all, "part", "parts");
    let which = match all == without {
        true => String::new(),
        false => format!("{} of ", number(without)),
    };
    let (are, have, them) = match without {
        1 => ("is", "has", "it"),
        _ => ("are", "have", "them"),
    };
    let missing = sum(|counts| counts.missing);
    let state = match missing {
        0 => format!("{have} no clear owner"),
        _ if missing == without => format!("{are} missing"),
        _ => format!("{are} missing or {have} no clear owner"),
    };
    let archives = plural(unclear.len(), "archive", "archives");
    let folders = unclear
        .iter()
        .map(|draft| printable(&draft.1.display().to_string()));
    let folders = folders.collect::<Vec<_>>().join(", ");
    let commands = commands(unclear.iter().map(|draft| draft.0).collect());
    let unseen = match (args.checked, unclear.len()) {
        (false, _) => "",
        (true, 1) => {
            ". `--checked` did not release it: this archive was not here as a draft before"
        }
        (true, _) => {
            ". `--checked` did not release them: these archives were not here as drafts before"
        }
    };
    let message = format!(
        "{which}{parts} of {archives} {state}. Look at {them} before you send any package{unseen}"
    );
    let mut hint = format!("look through `unassigned/` in {folders}, then run {commands}");
    if missing > 0 {
        hint += "; `report.json` there lists what is missing";
    }
    if sum(|counts| counts.others_only) > 0 {
        hint += "; if no record is about a requested person, check that it is the right archive";
    }
    Some(failure(message).hint(hint))
}
