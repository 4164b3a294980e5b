use crate::domain::{ExitStatus, JobState};
use crate::ledger::{Found, Ledger, RequestOverview, RequestRecord, Which};
use crate::ui::{Failure, Format, Lines, Phase, Progress, RequestsView, Shown};
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
    let trouble = match args.cached {
        true => None,
        false => {
            let requests = read(ctx, &ledger, &args)?;
            refresh(ctx, &mut ledger, &requests).await?
        }
    };
    show(ctx, &ledger, &args)?;
    match trouble {
        Some(trouble) => {
            let failure = trouble_failure(&trouble);
            ctx.ui.fail(&failure);
            Ok(failure.status)
        }
        None => Ok(ExitStatus::Done),
    }
}

/// The requests that are meant, with their jobs.
fn read(ctx: &Context, ledger: &Ledger, args: &StatusArgs) -> Result<Vec<RequestRecord>, Failure> {
    let mut requests = match &args.name {
        Some(name) => vec![find(ledger, name)?],
        None => ledger.list_requests(args.which())?,
    };
    requests.retain(|request| ctx.means(&request.asked.project));
    Ok(requests)
}

/// Prints what the ledger has now: for people a list needs no more than counts.
fn show(ctx: &Context, ledger: &Ledger, args: &StatusArgs) -> Result<(), Failure> {
    let now = ctx.clock.now();
    if args.name.is_none() && ctx.ui.format() == Format::Human {
        let mut overviews = ledger.list_overviews(args.which())?;
        overviews.retain(|request| ctx.means(&request.asked.project));
        overviews.sort_by_key(urgency);
        ctx.ui
            .print_overviews(&overviews, now)
            .map_err(|error| local_io(&error))?;
        for request in &overviews {
            advise(ctx, ledger, request)?;
        }
        if overviews.is_empty() && !args.all {
            ctx.ui
                .note("Closed requests are listed with `dsr status --all`.");
        }
        return Ok(());
    }
    let mut requests = read(ctx, ledger, args)?;
    let shown = match args.name {
        Some(_) => Shown::Jobs,
        None => Shown::List,
    };
    requests.sort_by_key(|request| urgency(&RequestOverview::from(request)));
    let view = RequestsView {
        requests: &requests,
        shown,
        now,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    for request in &requests {
        advise(ctx, ledger, &RequestOverview::from(request))?;
    }
    Ok(())
}

impl StatusArgs {
    fn which(&self) -> Which {
        match self.all {
            true => Which::All,
            false => Which::Open,
        }
    }
}

/// What needs the operator comes first; the rest stays as it is.
fn urgency(request: &RequestOverview) -> Urgency {
    if request.is_unsettled() {
        Urgency::Unsettled
    } else if request.is_unsent() {
        Urgency::Unsent
    } else {
        Urgency::None
    }
}

/// How much a request needs the operator, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Unsettled,
    Unsent,
    None,
}

/// Says why a request needs the operator, if it does, and the command to run.
fn advise(ctx: &Context, ledger: &Ledger, request: &RequestOverview) -> Result<(), Failure> {
    if urgency(request) == Urgency::None {
        return Ok(());
    }
    for state in [JobState::Unknown, JobState::Deferred, JobState::Planned] {
        if let Some(job) = ledger.find_first_job(&request.id, state)? {
            let short = request.id.short();
            let reason = job.reason.as_deref().unwrap_or("not sent yet");
            let what = state.as_str();
            ctx.ui.note(&format!(
                "{short} is {what}: {reason}. Go on with `dsr resume {short}`."
            ));
            break;
        }
    }
    Ok(())
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

/// Asks Mixpanel about every open job of the requests; what kept some from being asked about.
async fn refresh(
    ctx: &mut Context,
    ledger: &mut Ledger,
    requests: &[RequestRecord],
) -> Result<Option<RefreshTrouble>, Failure> {
    let followed = workflow::list_followed(requests);
    if followed.is_empty() {
        return Ok(None);
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
    Ok(troubles.into_iter().next())
}
