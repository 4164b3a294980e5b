use crate::domain::ExitStatus;
use crate::ledger::{Found, JobGroup, Ledger, RequestRecord, Standing, Which};
use crate::ui::{Failure, Lines, Phase, Progress, Shown};
use crate::workflow::{self, RefreshTrouble};

use super::context::Context;
use super::deadlines;
use super::failures::usage;
use super::outcome::trouble_failure;

/// Show how requests stand
///
/// Without an argument: all open requests, those that need you first, by their due dates. Asks
/// Mixpanel about each open job, within the rate, and records the answers.
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
    let mut requests = read(ctx, &ledger, &args)?;
    let mut trouble = None;
    if !args.cached {
        trouble = refresh(ctx, &mut ledger, &requests).await?;
        requests = read(ctx, &ledger, &args)?;
    }
    let shown = match args.name {
        Some(_) => Shown::Jobs,
        None => Shown::List,
    };
    let advice = deadlines::advice(ctx, &ledger, &requests, shown)?;
    advice.warn(ctx);
    deadlines::warn_of_token_for(ctx, &ledger, &requests)?;
    ctx.ui
        .print_requests(&ledger, &requests, shown, ctx.clock.as_ref())?;
    for request in &requests {
        advise(ctx, &ledger, request)?;
    }
    advice.note(ctx);
    if requests.is_empty() && !args.all {
        ctx.ui
            .note("Closed requests are listed with `dsr status --all`.");
    }
    match trouble {
        Some(trouble) => {
            let failure = trouble_failure(&trouble);
            ctx.ui.fail(&failure);
            Ok(failure.status)
        }
        None => Ok(ExitStatus::Done),
    }
}

/// The requests that are meant: those that need the operator first, by their due dates, then the
/// other open ones, by theirs, then those that have ended, newest first.
fn read(ctx: &Context, ledger: &Ledger, args: &StatusArgs) -> Result<Vec<RequestRecord>, Failure> {
    let mut requests = match &args.name {
        Some(name) => vec![find(ledger, name)?],
        None => ledger.list_requests(args.which())?,
    };
    requests.retain(|request| ctx.means(&request.asked.project));
    requests.sort_by_key(|request| {
        let due = request.is_open().then_some(request.asked.due);
        let needs_nobody = urgency(request) == Urgency::None;
        (due.is_none(), needs_nobody, due)
    });
    Ok(requests)
}

impl StatusArgs {
    fn which(&self) -> Which {
        match self.all {
            true => Which::All,
            false => Which::Open,
        }
    }
}

/// Why a request needs the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Unsettled,
    Unsent,
    None,
}

fn urgency(request: &RequestRecord) -> Urgency {
    if request.groups.iter().any(JobGroup::is_unsettled) {
        Urgency::Unsettled
    } else if request.needs_resume() {
        Urgency::Unsent
    } else {
        Urgency::None
    }
}

/// Says why a request needs the operator, if it does, and the command to run.
fn advise(ctx: &Context, ledger: &Ledger, request: &RequestRecord) -> Result<(), Failure> {
    let standing = match urgency(request) {
        Urgency::Unsettled => Standing::Unsettled,
        Urgency::Unsent => Standing::Unsent,
        Urgency::None => return Ok(()),
    };
    if let Some(job) = ledger.jobs(&request.id, standing).next().transpose()? {
        let short = request.id.short();
        let reason = job.reason.as_deref().unwrap_or("not sent yet");
        let what = job.state.as_str();
        ctx.ui.note(&format!(
            "{short} is {what}: {reason}. Go on with `dsr resume {short}`."
        ));
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
    let followed = workflow::list_followed(ledger, requests)?;
    if followed.is_empty() {
        return Ok(None);
    }
    let projects = ctx.projects_of(requests)?;
    let clients = ctx
        .clients(&projects)
        .map_err(|failure| failure.or_hint("`dsr status --cached` shows what the ledger knows"))?;
    ctx.interrupt.begin();
    let troubles = {
        let progress = Progress::start(&ctx.ui, Phase::Asking, followed.len(), Lines::None);
        let mut run = ctx.run(ledger, &clients, &progress);
        workflow::refresh(&mut run, &followed).await?
    };
    if let Some(signal) = ctx.interrupt.signal() {
        return Err(
            Failure::new(signal.exit_status(), "interrupted", "interrupted")
                .hint("the answers so far are recorded: `dsr status --cached`"),
        );
    }
    Ok(troubles.into_iter().next())
}
