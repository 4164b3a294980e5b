//! Checks everything a run depends on, and names the command that fixes each problem.

mod accounts;
mod copies;
mod local;
mod projects;
mod server;
mod settings;
mod tokens;

pub(super) use tokens::fine_text;

use std::collections::HashSet;

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::domain::ExitStatus;
use crate::ledger::LedgerPlace;
use crate::ui::{Check, DoctorView, Failure, Level};

/// Check tokens, keyring, projects, ledger, clock and network, and say what to fix
///
/// dsr lists the problems first, each with the command that solves it, then the checks that passed,
/// then where each setting comes from. It sends Mixpanel one GET a project, about a task that
/// cannot exist. That creates and changes nothing. If there is a service account, dsr also asks
/// Mixpanel who it is.
///
/// `--copies` also lists the pipelines and warehouse imports of each project, with what to do about
/// each when you erase people. Mixpanel's deletion does not reach such copies. If dsr cannot read a
/// list, that is a problem, and never "no copies".
///
/// dsr exits with status 0 if there are only warnings or none. Otherwise it exits as a command
/// would: 11 if another dsr holds the ledger or its server is unreachable, 74 for the ledger and other files, 2 for the config,
/// 4 for tokens, 75 for the network. If several apply, the first of these wins.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr doctor
  dsr doctor --project shop      one project only
  dsr doctor --offline           check this machine only
  dsr doctor --copies            where else the data of each project is
  dsr doctor --json
  dsr --sandbox doctor")]
pub(crate) struct DoctorArgs {
    /// Check this machine only, and count the skipped checks
    #[arg(long)]
    offline: bool,
    /// List the copies of each project's data; needs a service account and `project_id`
    #[arg(long, conflicts_with = "offline")]
    copies: bool,
}

impl DoctorArgs {
    /// What `dsr init` checks: this machine, and the projects unless `offline`.
    pub(super) fn after_set_up(offline: bool) -> Self {
        Self {
            offline,
            copies: false,
        }
    }
}

pub(super) async fn run(ctx: &mut Context, args: DoctorArgs) -> Result<ExitStatus, Failure> {
    let mut checks = vec![local::version()];
    checks.extend(local::check_files(ctx));
    checks.extend(match ctx.ledger_place() {
        Ok(LedgerPlace::File(path)) => local::check_ledger(ctx, path),
        Ok(LedgerPlace::Server(_)) if args.offline => {
            let skipped = "it is on a server, which was not asked: `--offline`";
            vec![match ctx.demand_no_unfinished_move() {
                Ok(()) => Check::skipped("ledger", skipped),
                Err(failure) => Check::of_failure("ledger", &failure),
            }]
        }
        Ok(LedgerPlace::Server(shared)) => server::check(ctx, &shared),
        Err(failure) if failure.kind == "config" => vec![Check::of_failure("config", &failure)],
        Err(failure) => vec![Check::of_failure("ledger", &failure)],
    });
    if let Ok(Some(unused)) = ctx.unused_url() {
        let fix = "unset DSR_LEDGER_URL, or remove `ledger` from the config file";
        checks.push(Check::warning("ledger", unused, fix));
    }
    checks.extend(local::check_ledger_key(ctx));
    let resolved = projects::resolve_each(ctx, &mut checks);
    checks.extend(tokens::check(ctx, &resolved));
    match args.offline {
        true => {
            projects::skip_each(&resolved, &mut checks);
            accounts::skip_each(ctx, &resolved, &mut checks);
        }
        false => {
            projects::ask_each(ctx, &resolved, &mut checks).await;
            accounts::ask_each(ctx, &resolved, &mut checks).await;
        }
    }
    let copies = match args.copies {
        true => Some(copies::ask_each(ctx, &resolved, &mut checks).await),
        false => None,
    };
    if let Some(signal) = ctx.interrupt.signal() {
        return Err(Failure::new(
            signal.exit_status(),
            "interrupted",
            "interrupted",
        ));
    }
    for check in &mut checks {
        check.message = ctx.ui.spell(&check.message);
        check.fix = check.fix.take().map(|fix| ctx.ui.spell(&fix));
    }
    checks.sort_by_key(|check| check.level);
    // Two checks may meet one cause, such as a config file that cannot be read.
    let mut told = HashSet::new();
    checks.retain(|check| told.insert((check.subject.clone(), check.message.clone())));
    let settings = settings::list(ctx, &resolved);
    let view = DoctorView {
        checks: &checks,
        settings: &settings,
        copies: copies.as_deref(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(exit_status(&checks))
}

/// The order is the one that the help names.
fn exit_status(checks: &[Check]) -> ExitStatus {
    use ExitStatus::{Auth, LocalIo, Locked, Temporary, Usage};
    let problems = checks.iter().filter(|check| check.level == Level::Problem);
    let rank = |status: &ExitStatus| {
        let order = [Locked, LocalIo, Usage, Auth, Temporary];
        let place = order.iter().position(|known| known == status);
        place.map_or(0, |place| place + 1)
    };
    let statuses = problems.map(|check| check.status);
    statuses.min_by_key(rank).unwrap_or(ExitStatus::Done)
}
