use std::path::PathBuf;

use crate::config::Mode;
use crate::domain::{ExitStatus, JobState, Kind};
use crate::ledger::{RequestRecord, Which};
use crate::mixpanel::{Fetcher, Reach};
use crate::ui::{DownloadsView, Failure, Lines, Phase, Progress, fetching, plural};
use crate::workflow::{self, DownloadOutcome, DownloadReport};

use super::context::Context;
use super::failures::{local_io, usage};
use super::outcome::{trouble_failure, trouble_status};
use super::status::find;

/// Fetch finished exports
///
/// Each archive is fetched once, whole or not at all, readable by you alone, and its SHA-256 is
/// recorded. Mixpanel's links live 14 days.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr download q7tz0xma               one request, into the folder dsr-q7tz0xma here
  dsr download --to /srv/dsr          all finished exports")]
pub(crate) struct DownloadArgs {
    /// A request; the beginning of its id is enough [default: every export]
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: Option<String>,
    /// Where to put the archives [default: a folder dsr-REQUEST here]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(super) async fn run(ctx: &mut Context, args: DownloadArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let requests = match &args.name {
        Some(name) => vec![find(&ledger, name)?],
        None => ledger.list_requests(Which::All)?,
    };
    let is_export = |request: &RequestRecord| request.asked.operation.kind() == Kind::Export;
    if let (Some(name), [request]) = (&args.name, requests.as_slice())
        && !is_export(request)
    {
        return Err(usage(format!(
            "`{name}` is a deletion; there is nothing to fetch"
        )));
    }
    let meant = |request: &RequestRecord| ctx.means(&request.asked.project);
    let finished = |request: &RequestRecord| request.jobs_in(JobState::Done) > 0;
    let mut requests = requests;
    requests.retain(|request| {
        is_export(request) && meant(request) && (args.name.is_some() || finished(request))
    });

    let projects = ctx.projects_of(&requests)?;
    let clients = ctx.clients(&projects)?;
    let is_loopback = projects.iter().all(|project| project.api_url.is_loopback());
    let reach = match ctx.mode {
        Mode::Sandbox { .. } => Reach::Loopback,
        Mode::Real if is_loopback => Reach::Loopback,
        Mode::Real => Reach::Everywhere,
    };
    let fetcher = Fetcher::new(reach)?;
    ctx.interrupt.begin();
    let mut reports = Vec::new();
    {
        let mut bar = fetching(&ctx.ui);
        let progress = Progress::start(&ctx.ui, Phase::Asking, 0, Lines::None);
        for request in &requests {
            let folder = args.to.clone();
            let folder = folder.unwrap_or_else(|| format!("dsr-{}", request.id.short()).into());
            let mut run = ctx.run(&mut ledger, &clients, &progress);
            let report = workflow::download(&mut run, &fetcher, request, &folder, &mut bar).await?;
            let stop = report.trouble.is_some() || report.signal.is_some();
            reports.push(report);
            if stop {
                break;
            }
        }
    }
    let jobs: Vec<_> = reports.iter().flat_map(|report| &report.jobs).collect();
    ctx.ui
        .print(&DownloadsView { jobs: &jobs })
        .map_err(|error| local_io(&error))?;
    Ok(tell(ctx, &reports))
}

/// Says what stood in the way, if anything did; returns the exit status.
fn tell(ctx: &Context, reports: &[DownloadReport]) -> ExitStatus {
    let trouble = reports.iter().find_map(|report| report.trouble.as_ref());
    if let Some(signal) = reports.iter().find_map(|report| report.signal) {
        let failure = Failure::new(signal.exit_status(), "interrupted", "interrupted")
            .hint("what was fetched as a whole is recorded; go on with `dsr download`");
        ctx.ui.fail(&failure);
        return failure.status;
    }
    let outcomes = reports.iter().flat_map(|report| &report.jobs);
    let statuses = outcomes.map(|(_, outcome)| status_of(outcome));
    let status = ExitStatus::most_pressing(statuses.chain(trouble.and_then(trouble_status)));
    let of_status = |wanted: ExitStatus| {
        let outcomes = reports.iter().flat_map(|report| &report.jobs);
        outcomes.filter(move |(_, outcome)| status_of(outcome) == wanted)
    };
    let count = plural(of_status(status).count(), "export", "exports");
    let failure = match (status, trouble) {
        (ExitStatus::Done, _) => return status,
        (_, Some(trouble)) => trouble_failure(trouble),
        (ExitStatus::Running, None) => Failure::new(
            status,
            "running",
            format!("{count} not finished by Mixpanel yet, as far as the ledger knows"),
        )
        .hint("ask with `dsr status`, then run `dsr download` again"),
        (ExitStatus::Failed, None) => Failure::new(
            status,
            "no_link",
            format!("{count} can no longer be fetched, or never could: see above"),
        )
        .hint("make a new export with `dsr export`"),
        (_, None) => Failure::new(
            status,
            "temporary",
            format!("{count} could not be fetched: see above"),
        )
        .hint("nothing was kept of it; try again with `dsr download`"),
    };
    ctx.ui.fail(&failure);
    status
}

fn status_of(outcome: &DownloadOutcome) -> ExitStatus {
    match outcome {
        DownloadOutcome::Fetched(_) | DownloadOutcome::There(_) => ExitStatus::Done,
        DownloadOutcome::NotReady(state) if !state.is_final() => ExitStatus::Running,
        DownloadOutcome::NotReady(_) | DownloadOutcome::NoLink { .. } => ExitStatus::Failed,
        DownloadOutcome::NotAnArchive { .. } | DownloadOutcome::Broken { .. } => {
            ExitStatus::Temporary
        }
    }
}
