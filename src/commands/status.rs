use crate::domain::ExitStatus;
use crate::ledger::{Found, JobRecord, Ledger, RequestRecord, Which};
use crate::ui::{Failure, Lines, Phase, Progress, RequestsView, Shown};
use crate::workflow::{self, RefreshTrouble};

use super::context::Context;
use super::failures::{local_io, usage};
use super::outcome::{status_of, trouble_failure};
use super::submission::listen;

/// Show how requests stand
///
/// Without an argument: all open requests, newest first. Asks Mixpanel about each open job,
/// within the rate, and records the answers.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr status                      all open requests
  dsr status q7tz0xma             one request with its jobs
  dsr status 3e0b7f52-77aa-…      the request a task belongs to
  dsr status --cached --json      what the ledger knows, without network")]
pub(crate) struct StatusArgs {
    /// A request (the beginning of its id is enough) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: Option<String>,
    /// Show what the ledger knows; ask nobody
    #[arg(long)]
    cached: bool,
    /// List closed requests, too
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

pub(super) async fn run(ctx: &mut Context, args: StatusArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let (mut requests, shown) = match &args.name {
        Some(name) => (vec![find(&ledger, name)?], Shown::Jobs),
        None => {
            let which = if args.all { Which::All } else { Which::Open };
            (ledger.list_requests(which)?, Shown::List)
        }
    };
    if !ctx.projects.is_empty() {
        let named = |name: &str| ctx.projects.iter().any(|project| project == name);
        requests.retain(|request| named(request.asked.project.as_str()));
    }
    let troubles = match args.cached {
        true => Vec::new(),
        false => refresh(ctx, &mut ledger, &mut requests).await?,
    };
    if shown == Shown::List {
        requests.sort_by_key(urgency);
    }
    let view = RequestsView {
        requests: &requests,
        shown,
        now: ctx.clock.now(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    for request in &requests {
        if let Some(advice) = advice(request) {
            ctx.ui.note(&advice);
        }
    }
    if requests.is_empty() && !args.all {
        ctx.ui
            .note("Closed requests are listed with `dsr status --all`.");
    }
    match troubles.first() {
        Some(trouble) => {
            let failure = trouble_failure(trouble);
            ctx.ui.fail(&failure);
            Ok(failure.status)
        }
        None => Ok(ExitStatus::Done),
    }
}

/// What needs the operator comes first; the rest stays as it is.
fn urgency(request: &RequestRecord) -> usize {
    if request.jobs.iter().any(JobRecord::is_unsettled) {
        0
    } else if request.jobs.iter().any(|job| job.state.is_sendable()) {
        1
    } else {
        2
    }
}

/// Why a request needs the operator, and the command to run.
fn advice(request: &RequestRecord) -> Option<String> {
    let mut jobs = request.jobs.iter();
    let job = jobs
        .clone()
        .find(|job| job.is_unsettled())
        .or_else(|| jobs.find(|job| job.state.is_sendable()))?;
    let short = request.id.short();
    let reason = job.reason.as_deref().unwrap_or("not sent yet");
    let what = job.state.as_str();
    Some(format!(
        "{short} is {what}: {reason}. Go on with `dsr resume {short}`."
    ))
}

/// Finds the one request a name stands for.
pub(super) fn find(ledger: &Ledger, name: &str) -> Result<RequestRecord, Failure> {
    match ledger.find_named(name)? {
        Found::One(request) => Ok(*request),
        Found::Nothing => Err(usage(format!("there is no request or task `{name}`"))
            .hint("see what there is with `dsr status --all --cached`")),
        Found::Several(ids) => {
            let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            let names = names.join(", ");
            Err(
                usage(format!("`{name}` stands for several requests: {names}"))
                    .hint("type more of the id"),
            )
        }
    }
}

/// Asks Mixpanel about every open job of the requests, and reads them anew.
async fn refresh(
    ctx: &mut Context,
    ledger: &mut Ledger,
    requests: &mut Vec<RequestRecord>,
) -> Result<Vec<RefreshTrouble>, Failure> {
    let followed = workflow::list_followed(requests);
    if followed.is_empty() {
        return Ok(Vec::new());
    }
    let projects = ctx.projects_of(requests)?;
    let clients = ctx
        .clients(&projects)
        .map_err(|failure| failure.or_hint("`dsr status --cached` shows what the ledger knows"))?;
    let interrupt = listen()?;
    let troubles = {
        let progress = Progress::start(&ctx.ui, Phase::Asking, followed.len(), Lines::None);
        let mut run = ctx.run(ledger, &clients, &interrupt, &progress);
        workflow::refresh(&mut run, &followed).await?
    };
    if let Some(signal) = interrupt.signal() {
        return Err(
            Failure::new(status_of(signal), "interrupted", "interrupted")
                .hint("the answers so far are recorded: `dsr status --cached`"),
        );
    }
    for request in requests {
        if let Some(renewed) = ledger.find_request(&request.id)? {
            *request = renewed;
        }
    }
    Ok(troubles)
}
