//! `dsr ledger move`: takes the ledger of this host from its file to a server.

use crate::commands::context::Context;
use crate::commands::failures::{local_io, no_ledger};
use crate::credentials::{IfNone, find_ledger_key};
use crate::domain::{ExitStatus, YesFlag};
use crate::ledger::{self, Ledger, LedgerError, LedgerPlace, MovePlan, MoveSettled};
use crate::ui::{Confirmable, Failure, MoveCourse, MoveView, plural};

use super::init;

/// Move this host's ledger from its file to a server, once
///
/// The server's ledger must be new: first run `dsr ledger init`. dsr copies every request, job and
/// entry of the audit trail, checks them there, and marks the file as moved. From then on every dsr
/// refuses the file, and the audit trail goes on at the server.
///
/// If dsr is stopped on the way, run `dsr ledger move` again: it completes the move or starts anew.
/// No job is sent twice. dsr needs the ledger key, and no other dsr may be sending. dsr asks for the
/// number of requests; without a terminal, add `--yes`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger move --dry-run
  dsr ledger move
  dsr audit verify             then: the server has the whole trail")]
pub(super) struct MoveArgs {
    /// Show what would move, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(ctx: &Context, args: &MoveArgs) -> Result<ExitStatus, Failure> {
    let shared = init::server(ctx, "dsr ledger move")?;
    let path = ctx.home.ledger();
    if !ledger::exists(&path) {
        return Err(no_ledger(&path)
            .hint("nothing was moved; without a file, use the server's ledger as it is"));
    }
    let show = |course| {
        let view = MoveView {
            from: path.display().to_string(),
            to: shared.to_string(),
            course,
        };
        ctx.ui.print(&view).map_err(|error| local_io(&error))?;
        Ok(ExitStatus::Done)
    };
    // Every host that sends needs it, and nobody can read a server's ids without it.
    let (key, _) = find_ledger_key(&ctx.environment, ctx.home.data(), IfNone::Leave)?;
    let place = LedgerPlace::Server(Box::new(shared.clone()));
    let mark = ledger::find_mark(&path)?;
    if args.dry_run && mark.as_ref().is_some_and(|mark| !mark.is_complete) {
        return show(MoveCourse::Interrupted);
    }
    let mut server = Ledger::open_shared(&ctx.opening(), &shared, ctx.patience(&place))?;
    if mark.is_some() {
        let patience = ctx.patience(&LedgerPlace::File(path.clone()));
        if let MoveSettled::Complete(head) = server.settle_move(&path, &shared, patience)? {
            return show(MoveCourse::MovedBefore(head));
        }
        let file = path.display();
        ctx.ui.note(&format!(
            "The earlier move was not carried out, and is taken back: {file} can be used again."
        ));
    }
    let mut file = ctx.ledger_to_move()?;
    file.demand_people_key(&key)?;
    let plan = file.plan_move(&server, &shared)?;
    if args.dry_run {
        return show(MoveCourse::Planned(plan));
    }
    ctx.ui
        .confirm(
            Confirmable::Move,
            (),
            &question(&plan, &path.display().to_string(), &place),
            plan.requests,
            YesFlag::of(args.yes),
        )
        .map_err(|error| Failure::from(error).or_hint("nothing was moved; add `--yes`"))?;
    // From here on a signal waits for the end.
    ctx.interrupt.begin();
    let moved = file.move_to(&mut server, &shared, ctx.clock.now());
    let moved = moved.map_err(|error| match error {
        LedgerError::Unreachable(_) => Failure::from(error)
            .hint("nothing was moved; when the server answers again, run `dsr ledger move` again"),
        error => error.into(),
    })?;
    show(MoveCourse::Moved(moved))
}

fn question(plan: &MovePlan, from: &str, to: &LedgerPlace) -> String {
    format!(
        "Move {}, {} and {} from {from} to {to}.\nAfterwards no dsr uses the file.",
        plural(plan.requests, "request", "requests"),
        plural(plan.jobs, "job", "jobs"),
        plural(plan.ids, "id", "ids"),
    )
}
