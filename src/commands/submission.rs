//! What export and delete share: sources, plan, submission, waiting.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{Datelike, NaiveDate};

use crate::domain::{DistinctId, ExitStatus, FIRST_YEAR, Law, Operation, RequestId};
use crate::intake::{self, Intake, Keep, Source};
use crate::ledger::{Again, Ledger, Recorded, RequestRecord, Scope};
use crate::ui::{
    Failure, Phase, PlanView, Progress, Shown, hashing_text, number, reading, shell_word,
};
use crate::workflow::{
    self, Approved, DownloadReport, Fetching, Look, Order, Plan, Refetch, Settle,
};

use super::context::Context;
use super::download::{self, Splits};
use super::failures::{local_io, usage};
use super::outcome::{self, Followed};
use super::sources::{GivenArgs, ReadArgs};
use super::waiting::{self, WaitArgs};
use super::{deadlines, minimise, planning};

/// Where the ids come from, and how sources are read.
#[derive(clap::Args, Debug)]
pub(super) struct SourceArgs {
    #[command(flatten)]
    given: GivenArgs,
    #[command(flatten)]
    reading: ReadArgs,
    /// Leave out the ids in this file, such as those under legal hold; read as the sources are
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    exclude: Vec<PathBuf>,
    /// Refuse unless there are exactly N unique ids, the excluded ones not counted
    #[arg(long, value_name = "N", help_heading = "Source")]
    expect: Option<usize>,
}

/// The law the request is made under; there is no default.
#[derive(clap::Args, Debug)]
#[group(id = "law", required = true, multiple = false)]
pub(super) struct LawArgs {
    /// Under the GDPR
    #[arg(long)]
    gdpr: bool,
    /// Under the CCPA
    #[arg(long)]
    ccpa: bool,
}

/// How the request is recorded and followed.
#[derive(clap::Args, Debug)]
pub(super) struct RequestArgs {
    /// Show what would be done, and send nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Write the plan to a new file for others to approve, and send nothing; see `dsr apply`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["wait", "dry_run", "new"])]
    pub(super) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sending: SendingArgs,
    /// Your own ticket number, recorded with the request
    #[arg(long = "ref", value_name = "TEXT")]
    reference: Option<String>,
    /// The day the person asked; the legal clock starts there [default: today]
    #[arg(long, value_name = "DATE")]
    received: Option<NaiveDate>,
}

/// How a request is sent and followed.
#[derive(clap::Args, Debug)]
pub(super) struct SendingArgs {
    #[command(flatten)]
    wait: WaitArgs,
    /// How long to wait out Mixpanel's rate limit before leaving the rest for `dsr resume`
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    max_wait: Duration,
    /// Start a second request although an open one asks for the very same
    #[arg(long)]
    new: bool,
}

impl LawArgs {
    pub(super) fn law(&self) -> Law {
        // clap has seen to it that exactly one is given.
        if self.ccpa { Law::Ccpa } else { Law::Gdpr }
    }
}

impl RequestArgs {
    /// Whether nothing is to come of it, not even a file.
    pub(super) fn is_only_shown(&self) -> bool {
        self.dry_run
    }
}

impl SendingArgs {
    fn again(&self) -> Again {
        match self.new {
            true => Again::Allow,
            false => Again::Refuse,
        }
    }
}

fn same_request(id: &RequestId) -> Failure {
    let short = id.short();
    Failure::new(
        ExitStatus::Usage,
        "same_request",
        format!("request {short} is open and asks for the same ids; nothing was sent"),
    )
    .hint(format!(
        "go on with it: `dsr resume {short}`; or start a second one with `--new`"
    ))
}

impl SourceArgs {
    /// The files whose ids are left out.
    fn excluded(&self) -> Vec<Source> {
        let excluded = self.exclude.iter();
        excluded.map(|path| Source::from_path(path)).collect()
    }

    /// Reads every source to its end.
    fn read(
        &self,
        ctx: &Context,
        sources: &[Source],
        request: &RequestArgs,
    ) -> Result<Intake, Failure> {
        let options = self.reading.options()?;
        let all = [sources, &self.excluded()].concat();
        for label in Source::find_repeated(&all)? {
            ctx.ui.warn(
                "repeated_source",
                &format!("{label} is named more than once"),
            );
        }
        let folder = ctx.home.data();
        let keep = match request.dry_run {
            true => Keep::Counts,
            false => Keep::Ids(folder),
        };
        let excluded = self.excluded();
        let mut progress = reading(&ctx.ui);
        let read = intake::read(sources, &excluded, &options, keep, &mut progress);
        drop(progress);
        self.reading.checks.tell(&ctx.ui, &read);
        let intake = read?;
        for exclusion in intake.exclusions.iter().filter(|file| file.found == 0) {
            let source = &exclusion.source;
            let none = match exclusion.ids {
                1 => format!("the one id in {source} is not in the list"),
                ids => format!("none of the {} ids in {source} is in the list", number(ids)),
            };
            ctx.ui.warn(
                "hold_not_found",
                &format!(
                    "{none}: the file excludes no one; check that it writes ids as the list does"
                ),
            );
        }
        let unique = intake.counts.unique;
        match self.expect {
            Some(expected) if expected != unique => Err(Failure::new(
                ExitStatus::Input,
                "unexpected_count",
                format!("the source holds {unique} unique ids, not {expected}"),
            )
            .hint("nothing was sent; check that it is the right file")),
            Some(_) | None => Ok(intake),
        }
    }
}

/// Reads the sources and plans the order for each project.
pub(super) fn plan(
    ctx: &Context,
    operation: Operation,
    source: &SourceArgs,
    request: &RequestArgs,
) -> Result<Vec<Plan>, Failure> {
    let today = ctx.clock.today();
    let received = request.received.unwrap_or(today);
    if received > today {
        return Err(usage(format!("`--received {received}` is in the future"))
            .hint("give the day the person asked"));
    }
    if received.year() < FIRST_YEAR {
        return Err(usage(format!(
            "`--received {received}` is before {FIRST_YEAR}-01-01, when neither law applied; nothing was sent"
        ))
        .hint("give the day the person asked, such as `--received 2026-11-29`"));
    }
    let resolved = ctx.resolve()?;
    planning::demand_a_plan(operation, &resolved, request)?;
    let law = operation.law().as_str();
    let sources = source.given.sources(&format!("{} --{law}", ctx.command))?;
    let intake = source.read(ctx, &sources, request)?;
    if let (Some(hashed), false) = (&intake.hashed, request.dry_run) {
        ctx.ui.note(&format!("Hashed: {}", hashing_text(hashed)));
    }
    let labels: Vec<String> = sources.iter().map(Source::label).collect();
    let named_id = source.given.named_id(&sources);
    let order = Order {
        operation,
        reference: request.reference.clone(),
        received,
        source: labels.join(", "),
        named_id: named_id.and_then(DistinctId::restore),
    };
    let plans = resolved.into_iter().map(|resolved| {
        warn_of_odd_token(ctx, &resolved.project);
        let plan = Plan::new(order.clone(), resolved.project, &intake);
        deadlines::warn_of_plan(ctx, &plan);
        plan
    });
    Ok(plans.collect())
}

pub(super) fn warn_of_odd_token(ctx: &Context, project: &crate::domain::Project) {
    if !project.token.has_documented_form() {
        ctx.ui.warn(
            "project_token",
            &format!(
                "the token of project `{}` does not look like one: 32 hex digits",
                project.name
            ),
        );
    }
}

/// Shows the plans and nothing else, if that is what was asked.
pub(super) fn show_only(
    ctx: &Context,
    plans: &[Plan],
    request: &RequestArgs,
) -> Result<Option<ExitStatus>, Failure> {
    if !request.dry_run {
        return Ok(None);
    }
    let now = ctx.clock.now();
    let today = ctx.clock.today();
    let view = PlanView { plans, now, today };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(Some(ExitStatus::Done))
}

/// Records, submits and, if asked, follows approved plans and fetches their exports into a folder;
/// prints what came of it.
pub(super) async fn carry_out(
    ctx: &mut Context,
    plans: Vec<Approved>,
    projects: Vec<crate::domain::Project>,
    sending: &SendingArgs,
    download: Option<&Path>,
) -> Result<ExitStatus, Failure> {
    let clients = ctx.clients(&projects)?;
    for approved in &plans {
        deadlines::warn_of_token(ctx, approved.plan());
    }
    let mut ledger = ctx.ledger_to_fill()?;
    let total = plans.iter().map(Approved::job_count).sum();
    let report = {
        let lines = sending.wait.lines();
        let progress = Progress::start(&ctx.ui, Phase::Submitting, total, lines);
        let mut run = ctx.run(&mut ledger, &clients, &progress);
        let ids = match workflow::record(&mut run, &plans, sending.again())? {
            Recorded::New(ids) => ids,
            Recorded::There(id) => return Err(same_request(&id)),
            Recorded::Applied(id) => return Err(planning::applied_before(&id)),
        };
        ctx.interrupt.begin();
        workflow::submit(&mut run, &ids, &Settle::Recent, sending.max_wait).await?
    };
    let ids = report.requests.iter().map(|request| request.id.clone());
    let scope = Scope::Requests(ids.collect());
    let all_sent = !report.requests.iter().any(RequestRecord::needs_resume);
    let (mut report, troubles) = sending
        .wait
        .follow(ctx, &mut ledger, &clients, &scope, report)
        .await?;
    let mut fetched = None;
    if sending.wait.wait && all_sent {
        fetched = fetch(ctx, &mut ledger, &report.requests, download).await;
        report.signal = ctx.interrupt.signal();
    }
    if let Some(Ok(reports)) = &fetched {
        download::print(ctx, reports, &Splits::new())?;
    }
    minimise::sweep(ctx, &mut ledger);
    let moment = ledger.hold_moment()?;
    report.requests = waiting::renew(&ledger, &report.requests)?;
    ctx.ui
        .print_requests(&ledger, &report.requests, Shown::Jobs, ctx.clock.as_ref())?;
    drop(moment);
    let followed = match (&fetched, sending.wait.wait) {
        (Some(Ok(_)), _) => Followed::AndFetched,
        (Some(Err(_)) | None, true) => Followed::ToTheEnd,
        (Some(Err(_)) | None, false) => Followed::No,
    };
    let fetched = fetched.transpose()?;
    let status = outcome::tell(ctx, &report, &troubles, followed);
    Ok(fetched.map_or(status, |reports| end_of_fetching(ctx, status, &reports)))
}

/// The status of it all; what kept exports from being fetched is said if nothing else was.
fn end_of_fetching(ctx: &Context, status: ExitStatus, reports: &[DownloadReport]) -> ExitStatus {
    match status {
        ExitStatus::Done => {
            let blocked = download::in_the_way_of(reports, |short, path| {
                let folder = path.parent().unwrap_or(path).display().to_string();
                format!("`dsr download {short} --to {}`", shell_word(&folder))
            });
            download::tell(ctx, reports, &Splits::new(), blocked.into_iter())
        }
        status => ExitStatus::most_pressing([status, download::status(reports, &Splits::new())]),
    }
}

/// Fetches what is done, if there is a folder for it and nobody wants to stop.
async fn fetch(
    ctx: &mut Context,
    ledger: &mut Ledger,
    requests: &[RequestRecord],
    folder: Option<&Path>,
) -> Option<Result<Vec<DownloadReport>, Failure>> {
    let folder = folder.filter(|_| ctx.interrupt.signal().is_none())?;
    let how = Fetching {
        refetch: Refetch::No,
        look: Look::Sha256,
    };
    Some(download::fetch(ctx, ledger, requests, Some(folder), how).await)
}
