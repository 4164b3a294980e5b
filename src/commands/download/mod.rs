//! Finished exports: `dsr download`.

pub(super) mod listed;
pub(super) mod split;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::context::named::find;
use crate::commands::failures::{in_the_way, local_io, usage};
use crate::commands::status::outcome::{trouble_failure, trouble_status};
use crate::config::{Company, Mode};
use crate::domain::{ExitStatus, JobState, Kind};
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord, Standing, Which};
use crate::mixpanel::{Fetcher, Reach};
use crate::ui::{
    DownloadView, DownloadsView, Failure, Phase, Progress, ResultLines, path_word, plural,
    shell_word,
};
use crate::workflow::{
    self, DownloadOutcome, DownloadReport, Fetching, LinkAge, Look, Loss, Refetch, Untried,
};

use listed::PeopleOfJobs;
use split::{Split, SplitArgs};

/// Fetch finished exports, and split them into a package for each person
///
/// dsr fetches each archive once, whole or not at all. Only you can read the file, and the ledger
/// has its SHA-256. Mixpanel's links work for 14 to 30 days.
///
/// With --split, dsr opens each archive, new or fetched before, with the project's API secret (see
/// `dsr project secret`). Each id of the job gets a package: a page for the person to read, and the
/// data for programs. The packages are in ARCHIVE-packages/ beside ARCHIVE.zip, in folders named by
/// a hash of the id; index.csv there says who is who.
///
/// If dsr cannot assign a part of the archive to one person for certain, the packages are drafts in
/// ARCHIVE-to-check/ (status 3). Look through unassigned/ there, then add --checked.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr download q7tz0xma                one request, into a folder here
  dsr download --to /srv/dsr           all finished exports
  dsr download q7tz0xma --split        and a package for each person
  dsr download q7tz0xma --split --zip  each package as a zip to send
  dsr download q7tz0xma --split --checked
                                       you have looked through unassigned/")]
pub(crate) struct DownloadArgs {
    /// A request; the beginning of its id is enough [default: every export]
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: Option<String>,
    /// Where to put the archives [default: a folder dsr-REQUEST here]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Fetch an export again that was fetched before, such as a lost or damaged archive
    #[arg(long, requires = "name")]
    again: bool,
    #[command(flatten)]
    split: SplitArgs,
}

pub(crate) async fn run(ctx: &mut Context, args: DownloadArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let requests = choose(ctx, &ledger, args.name.as_deref())?;
    // Before anything is fetched.
    let people = match (&args.split.ids, requests.as_slice()) {
        (Some(path), [request]) => Some(listed::read_people(ctx, &ledger, request, path)?),
        _ => None,
    };
    let how = Fetching {
        refetch: match args.again {
            true => Refetch::Yes,
            false => Refetch::No,
        },
        // Without a name it may run every night, and reading every archive would take too long.
        look: match args.name {
            Some(_) => Look::Sha256,
            None => Look::SizeAndTime,
        },
    };
    let company = ctx.projects_file()?.company().clone();
    let reports = fetch(ctx, &mut ledger, &requests, args.to.as_deref(), how).await?;
    let splits = match args.split.split {
        true => split_all(
            ctx,
            &mut ledger,
            &args.split,
            people.as_ref(),
            &company,
            &requests,
            &reports,
        ),
        false => HashMap::new(),
    };
    if company.is_empty() && splits.values().any(Result::is_ok) {
        ctx.ui.warn(
            "no_company",
            "the pages do not say who the company is. Add a `[company]` table to the config file: `dsr help files` \
             shows one. Then remove the packages, and run the same command again",
        );
    }
    warn_of_other_archives(ctx, &reports);
    print(ctx, &reports, &splits)?;
    let blocked = in_the_way_of(&reports, |short, _| args.again_with(args.flags(), short));
    let mine = [
        blocked,
        args.lost(&reports),
        args.to_be_checked(&reports, &splits),
    ];
    let status = tell(ctx, &reports, &splits, mine.into_iter().flatten());
    if let (ExitStatus::Done, Some(next)) = (status, args.split.next_step(&requests)) {
        ctx.ui.note(&next);
    }
    Ok(status)
}

/// Warns if Mixpanel delivered other bytes than for an earlier fetch.
fn warn_of_other_archives(ctx: &Context, reports: &[DownloadReport]) {
    for (job, outcome) in outcomes(reports) {
        if let DownloadOutcome::Fetched(_, Some(before)) = outcome {
            let day = before.fetched_at.date_naive();
            ctx.ui.warn(
                "other_archive",
                &format!(
                    "the archive of job {} is not the one fetched on {day} (UTC): its SHA-256 differs. Compare what you handed over with it",
                    job.id
                ),
            );
        }
    }
}

impl DownloadArgs {
    fn flags(&self) -> &'static [&'static str] {
        match (self.again, self.split.checked) {
            (false, false) => &[],
            (true, false) => &["--again"],
            (false, true) => &["--checked"],
            (true, true) => &["--again", "--checked"],
        }
    }

    /// This command for one request, with `flags`, quoted for a shell.
    fn again_with(&self, flags: &[&str], short: &str) -> String {
        let name = self.name.as_deref().unwrap_or(short);
        let mut words = vec!["dsr download".to_owned(), shell_word(name)];
        if let Some(folder) = &self.to {
            words.extend(["--to".to_owned(), path_word(&folder.display().to_string())]);
        }
        words.extend(self.split.words());
        words.extend(flags.iter().map(|flag| (*flag).to_owned()));
        format!("`{}`", words.join(" "))
    }

    /// This command for each of these requests, joined by commas.
    fn each_again_with(&self, flag: &str, shorts: &[&str]) -> String {
        let mut commands: Vec<String> = shorts
            .iter()
            .map(|short| self.again_with(&[flag], short))
            .collect();
        commands.dedup();
        commands.join(", ")
    }

    /// Reports archives that are gone or changed. A gone archive may have been handed over and
    /// removed, so it counts only for a request that was named.
    fn lost(&self, reports: &[DownloadReport]) -> Option<Failure> {
        let is_missed = |outcome: &DownloadOutcome| match outcome {
            DownloadOutcome::Lost(_, Loss::Gone) => self.name.is_some(),
            DownloadOutcome::Lost(_, Loss::Changed | Loss::Unreadable) => true,
            _ => false,
        };
        let lost = outcomes(reports)
            .filter(|(_, outcome)| is_missed(outcome))
            .map(|(job, _)| job.id.request.short());
        let lost: Vec<&str> = lost.collect();
        let message = match lost.len() {
            0 => return None,
            1 => "1 archive is missing or has changed: see above".to_owned(),
            count => format!(
                "{} are missing or have changed: see above",
                plural(count, "archive", "archives")
            ),
        };
        let commands = self.each_again_with("--again", &lost);
        Some(
            Failure::new(ExitStatus::LocalIo, "local_io", message).hint(format!(
                "restore the file, or move a changed file away and fetch it again: {commands}"
            )),
        )
    }

    fn to_be_checked(&self, reports: &[DownloadReport], splits: &Splits) -> Option<Failure> {
        let of_jobs = outcomes(reports).filter_map(|(job, _)| {
            let split = splits.get(&job.id.to_string())?;
            let (path, summary) = split::draft_of(split)?;
            Some((job.id.request.short(), path, summary))
        });
        let drafts: Vec<_> = of_jobs.collect();
        split::to_be_checked(&self.split, &drafts, |shorts| {
            self.each_again_with("--checked", &shorts)
        })
    }
}

/// Returns the named request, or all requests with finished exports.
fn choose(
    ctx: &Context,
    ledger: &Ledger,
    name: Option<&str>,
) -> Result<Vec<RequestRecord>, Failure> {
    let mut requests = match name {
        Some(name) => vec![find(ledger, name)?],
        None => ledger.list_requests(Which::All)?,
    };
    let is_export = |request: &RequestRecord| request.asked.operation.kind() == Kind::Export;
    if let (Some(name), [request]) = (name, requests.as_slice())
        && !is_export(request)
    {
        return Err(usage(format!(
            "`{name}` is a deletion; there is nothing to fetch"
        )));
    }
    let finished = |request: &RequestRecord| request.jobs_in(JobState::Done) > 0;
    requests.retain(|request| {
        is_export(request)
            && ctx.means(&request.asked.project)
            && (name.is_some() || finished(request))
    });
    Ok(requests)
}

/// Fetches the finished exports of these requests into `folder`, or each into its own folder here.
pub(crate) async fn fetch(
    ctx: &mut Context,
    ledger: &mut Ledger,
    requests: &[RequestRecord],
    folder: Option<&Path>,
    how: Fetching,
) -> Result<Vec<DownloadReport>, Failure> {
    let projects = ctx.projects_of(requests)?;
    // If everything is here already, dsr needs no token and no network.
    let clients = match how.refetch == Refetch::Yes || is_anything_to_fetch(ledger, requests)? {
        true => ctx.clients(&projects)?,
        false => HashMap::new(),
    };
    let is_loopback = projects.iter().all(|project| project.api_url.is_loopback());
    let reach = match ctx.mode {
        Mode::Sandbox { .. } => Reach::Loopback,
        Mode::Real if is_loopback => Reach::Loopback,
        Mode::Real => Reach::Everywhere,
    };
    let fetcher = Fetcher::new(reach, &ctx.route()?)?;
    ctx.interrupt.begin();
    let mut reports = Vec::new();
    let progress = Progress::start(&ctx.ui, Phase::Fetching, 0, ResultLines::None);
    let mut show = |bytes, of_bytes| progress.show_fetched(bytes, of_bytes);
    let mut stop = None;
    for request in requests {
        if let Some(why) = stop {
            reports.push(workflow::list_untried(ledger, request, why)?);
            continue;
        }
        let of_its_own = || PathBuf::from(format!("dsr-{}", request.id.short()));
        let folder = folder.map_or_else(of_its_own, Path::to_owned);
        // Absolute, because later commands run in other folders.
        let folder = std::path::absolute(&folder).map_err(|error| local_io(&error))?;
        let mut run = ctx.run(ledger, &clients, &progress);
        let report =
            workflow::download(&mut run, &fetcher, request, &folder, how, &mut show).await?;
        stop = match report.signal {
            Some(_) => Some(Untried::Interrupted),
            None => report.trouble.as_ref().map(Untried::because_of),
        };
        reports.push(report);
    }
    Ok(reports)
}

fn is_anything_to_fetch(ledger: &Ledger, requests: &[RequestRecord]) -> Result<bool, LedgerError> {
    for request in requests {
        for job in ledger.jobs(&request.id, Standing::Any) {
            let job = job?;
            if job.state == JobState::Done && ledger.find_download(&job.id)?.is_none() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

pub(crate) type Splits = HashMap<String, Split>;

/// Splits every archive that is here, and checks the packages of every other. One failure does not stop the others.
fn split_all(
    ctx: &Context,
    ledger: &mut Ledger,
    args: &SplitArgs,
    people: Option<&PeopleOfJobs>,
    company: &Company,
    requests: &[RequestRecord],
    reports: &[DownloadReport],
) -> Splits {
    let mut splits = Splits::new();
    for (request, report) in requests.iter().zip(reports) {
        for (job, outcome) in &report.jobs {
            if ctx.interrupt.signal().is_some() {
                return splits;
            }
            let split = args.split(ctx, ledger, (request, job, outcome), people, company);
            splits.extend(split.map(|split| (job.id.to_string(), split)));
        }
    }
    splits
}

pub(crate) fn print(
    ctx: &Context,
    reports: &[DownloadReport],
    splits: &Splits,
) -> Result<(), Failure> {
    let jobs: Vec<_> = outcomes(reports)
        .map(|(job, outcome)| DownloadView {
            job,
            outcome,
            split: splits.get(&job.id.to_string()),
        })
        .collect();
    ctx.ui
        .print(&DownloadsView { jobs: &jobs })
        .map_err(|error| local_io(&error))
}

fn outcomes(reports: &[DownloadReport]) -> impl Iterator<Item = &(JobRecord, DownloadOutcome)> {
    reports.iter().flat_map(|report| &report.jobs)
}

pub(crate) fn status(reports: &[DownloadReport], splits: &Splits) -> ExitStatus {
    let troubles = reports.iter().filter_map(|report| report.trouble.as_ref());
    let of_fetching = outcomes(reports).map(|(_, outcome)| status_of(outcome));
    let of_splitting = splits.values().map(split::status_of);
    ExitStatus::most_pressing(
        of_fetching
            .chain(troubles.filter_map(trouble_status))
            .chain(of_splitting),
    )
}

fn split_failures<'a>(
    reports: &'a [DownloadReport],
    splits: &'a Splits,
) -> impl Iterator<Item = Failure> + 'a {
    outcomes(reports)
        .filter_map(|(job, _)| splits.get(&job.id.to_string())?.as_ref().err().cloned())
}

/// Reports the most pressing trouble, if there is any, and returns the exit status. `more` adds
/// failures that the caller found.
pub(crate) fn tell(
    ctx: &Context,
    reports: &[DownloadReport],
    splits: &Splits,
    more: impl Iterator<Item = Failure>,
) -> ExitStatus {
    if let Some(signal) = ctx.interrupt.signal() {
        let failure = Failure::new(signal.exit_status(), "interrupted", "interrupted")
            .hint("complete archives and packages are kept; run the same command again");
        ctx.ui.fail(&failure);
        return failure.status;
    }
    let more: Vec<Failure> = more.collect();
    let of_more = more.iter().map(|failure| failure.status);
    let status = ExitStatus::most_pressing([status(reports, splits)].into_iter().chain(of_more));
    if status == ExitStatus::Done {
        return status;
    }
    let trouble = reports.iter().find_map(|report| report.trouble.as_ref());
    let failures = split_failures(reports, splits).chain(more);
    let mut failures = failures.filter(|failure| failure.status == status);
    let failure = match (failures.next(), trouble) {
        (Some(failure), _) => failure,
        (None, Some(trouble)) if trouble_status(trouble) == Some(status) => {
            trouble_failure(ctx, trouble)
        }
        (None, _) => not_fetched(status, reports),
    };
    ctx.ui.fail(&failure);
    status
}

/// Names the files that are in the way of archives. `command` gets a request and a path and returns
/// the command that fetches it again.
pub(super) fn in_the_way_of(
    reports: &[DownloadReport],
    command: impl Fn(&str, &Path) -> String,
) -> Option<Failure> {
    let blocked = outcomes(reports).filter_map(|(job, outcome)| match outcome {
        DownloadOutcome::InTheWay { path } => Some((job.id.request.short(), path.as_path())),
        _ => None,
    });
    let blocked: Vec<(&str, &Path)> = blocked.collect();
    let (_, first) = blocked.first()?;
    let commands = blocked.iter().map(|(short, path)| command(short, path));
    let mut commands: Vec<String> = commands.collect();
    commands.dedup();
    let hint = format!(
        "move it away, then run {}; or name another folder with `--to`",
        commands.join(", ")
    );
    if let [_] = blocked.as_slice() {
        return Some(in_the_way(first, &hint));
    }
    let paths = blocked
        .iter()
        .map(|(_, path)| format!("`{}`", path.display()));
    let paths = paths.collect::<Vec<_>>().join(", ");
    let message = format!("these files already exist, and dsr did not overwrite them: {paths}");
    Some(Failure::new(ExitStatus::Usage, "exists", message).hint(hint))
}

fn not_fetched(status: ExitStatus, reports: &[DownloadReport]) -> Failure {
    let of_status = outcomes(reports).filter(|(_, outcome)| status_of(outcome) == status);
    let count = plural(of_status.count(), "export", "exports");
    match status {
        ExitStatus::Running => Failure::new(
            status,
            "running",
            format!("Mixpanel has not finished {count}, as far as the ledger knows"),
        )
        .hint("check with `dsr status`, then run `dsr download` again"),
        ExitStatus::Failed => Failure::new(
            status,
            "no_link",
            match young_link(reports) {
                Some(_) => format!("{count} cannot be fetched now: see above"),
                None => format!("{count} can no longer be fetched: see above"),
            },
        )
        .hint(match young_link(reports) {
            Some(short) => format!("try again in a few minutes: `dsr download {short}`; if that fails too, {NEW_EXPORT}"),
            None => NEW_EXPORT.to_owned(),
        }),
        _ => Failure::new(
            status,
            "temporary",
            format!("{count} could not be fetched: see above"),
        )
        .hint("no partial file was kept; try again with `dsr download`"),
    }
}

const NEW_EXPORT: &str =
    "make a new export with `dsr export`; if its link fails too, ask Mixpanel's support";

/// The first request whose link fails although it is too young to have ended.
fn young_link(reports: &[DownloadReport]) -> Option<&str> {
    let mut young = outcomes(reports).filter_map(|(job, outcome)| match outcome {
        DownloadOutcome::NoLink {
            age: LinkAge::Young,
            ..
        } => Some(job.id.request.short()),
        _ => None,
    });
    young.next()
}

fn status_of(outcome: &DownloadOutcome) -> ExitStatus {
    match outcome {
        DownloadOutcome::Fetched(..) | DownloadOutcome::There(..) => ExitStatus::Done,
        // The signal or the trouble has its own status.
        DownloadOutcome::Untried(..) => ExitStatus::Done,
        DownloadOutcome::InTheWay { .. } => ExitStatus::Usage,
        // Whether it counts depends on the command.
        DownloadOutcome::Lost(_, Loss::Gone) => ExitStatus::Done,
        DownloadOutcome::Lost(_, Loss::Changed | Loss::Unreadable) => ExitStatus::LocalIo,
        DownloadOutcome::NotReady(state) if !state.is_final() => ExitStatus::Running,
        DownloadOutcome::NotReady(_) | DownloadOutcome::NoLink { .. } => ExitStatus::Failed,
        DownloadOutcome::NotAnArchive { .. } | DownloadOutcome::Broken { .. } => {
            ExitStatus::Temporary
        }
    }
}
