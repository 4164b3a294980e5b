//! Asks Mixpanel about the jobs that are due.

use std::time::Duration;

use crate::commands::context::Context;
use crate::domain::Rate;
use crate::ledger::{Backlog, Ledger, Scope, Turn};
use crate::ui::{Failure, Phase, Polling, Progress, ResultLines};
use crate::workflow::{self, PollExtent, RefreshTrouble};

/// How many jobs are due, and how long asking takes: dsr asks projects in parallel.
pub(crate) fn polling(ctx: &Context, ledger: &Ledger, scope: &Scope) -> Result<Polling, Failure> {
    let backlogs = ledger.list_backlogs(scope, Turn::Due, ctx.clock.now())?;
    let file = ctx.projects_file()?;
    let time = |backlog: &Backlog| {
        let project = ctx.project_named(&file, &backlog.project, backlog.key.as_str());
        let rate = project.map_or_else(Rate::default, |project| project.rate);
        rate.time_for(backlog.jobs)
    };
    Ok(Polling {
        due: backlogs.iter().map(|backlog| backlog.jobs).sum(),
        time: backlogs.iter().map(time).max().unwrap_or_default(),
    })
}

/// Asks Mixpanel about jobs of the scope. Returns the troubles.
pub(super) async fn ask(
    ctx: &mut Context,
    ledger: &mut Ledger,
    scope: &Scope,
    extent: PollExtent,
) -> Result<Vec<RefreshTrouble>, Failure> {
    let now = ctx.clock.now();
    let turn = match extent {
        PollExtent::Due { .. } => Turn::Due,
        PollExtent::All => Turn::AfterAll(now),
    };
    let backlogs = ledger.list_backlogs(scope, turn, now)?;
    if backlogs.is_empty()
        || extent
            == (PollExtent::Due {
                within: Duration::ZERO,
            })
    {
        return Ok(Vec::new());
    }
    let clients = ctx
        .clients_for(&backlogs)
        .map_err(|failure| failure.or_hint("`dsr status --cached` shows what the ledger knows"))?;
    ctx.interrupt.begin();
    let jobs = backlogs.iter().map(|backlog| backlog.jobs).sum();
    let troubles = {
        let progress = Progress::start(&ctx.ui, Phase::Asking, jobs, ResultLines::None);
        let mut run = ctx.run(ledger, &clients, &progress);
        workflow::refresh(&mut run, scope, extent).await?
    };
    if let Some(signal) = ctx.interrupt.signal() {
        return Err(
            Failure::new(signal.exit_status(), "interrupted", "interrupted")
                .hint("the answers so far are recorded: `dsr status --cached`"),
        );
    }
    Ok(troubles)
}
