use std::time::Duration;

use crate::domain::ExitStatus;
use crate::ledger::{RequestRecord, Which};
use crate::ui::{Failure, Lines, Phase, Progress, RequestsView, Shown};
use crate::workflow::{self, Run};

use super::context::Context;
use super::failures::local_io;
use super::outcome;
use super::status::find;
use super::submission::listen;

/// Send what is planned or deferred and was not sent yet
///
/// Jobs whose outcome is unknown are not sent again: they are shown with the reason.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr resume              all open requests
  dsr resume q7tz0xma     one request")]
pub(crate) struct ResumeArgs {
    /// A request; the beginning of its id is enough [default: all open ones]
    #[arg(value_name = "REQUEST")]
    name: Option<String>,
    /// How long to wait out Mixpanel's rate limit before leaving the rest for `dsr resume`
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    max_wait: Duration,
}

pub(super) async fn run(ctx: &mut Context, args: ResumeArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let mut requests = match &args.name {
        Some(name) => vec![find(&ledger, name)?],
        None => ledger.list_requests(Which::Open)?,
    };
    if !ctx.projects.is_empty() {
        let named = |name: &str| ctx.projects.iter().any(|project| project == name);
        requests.retain(|request| named(request.asked.project.as_str()));
    }
    let unsent: Vec<RequestRecord> = requests.iter().filter(|r| has_unsent(r)).cloned().collect();
    let projects = ctx.projects_of(&unsent)?;
    let clients = ctx.clients(&projects)?;
    let interrupt = listen()?;
    let total = unsent.iter().flat_map(|request| &request.jobs);
    let total = total.filter(|job| job.state.is_sendable()).count();
    let report = {
        let progress = Progress::start(&ctx.ui, Phase::Submitting, total, Lines::None);
        let mut run = Run {
            ledger: &mut ledger,
            clients: &clients,
            clock: ctx.clock.as_ref(),
            interrupt: &interrupt,
            observer: &progress,
        };
        let ids: Vec<_> = requests.iter().map(|request| request.id.clone()).collect();
        workflow::submit(&mut run, &ids, args.max_wait).await?
    };
    let view = RequestsView {
        requests: &report.requests,
        shown: match args.name {
            Some(_) => Shown::Jobs,
            None => Shown::List,
        },
        now: ctx.clock.now(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    if report.requests.is_empty() {
        return Ok(ExitStatus::Done);
    }
    Ok(outcome::tell(&ctx.ui, &report, &[], false))
}

fn has_unsent(request: &RequestRecord) -> bool {
    request.jobs.iter().any(|job| job.state.is_sendable())
}
