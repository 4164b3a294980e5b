//! `dsr purge`: removes the records of old, closed requests.

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::commands::people::minimise;
use crate::domain::{Closed, Cutoff, ExitStatus, RETENTION_RULE, YesFlag};
use crate::ledger::LedgerError;
use crate::ui::{Confirmable, Failure, PurgeView, plural, staying};

/// Remove the records of requests that were closed long ago
///
/// dsr shows what it would remove and asks for the number of requests; without a terminal, add
/// `--yes`. You must keep records for at least 24 months (11 CCR §7101), so dsr refuses a shorter
/// time. dsr never removes an open request. The ledger keeps how many requests were removed, and
/// when. The people of deletions stay on the suppression list, by their keyed hashes. Nothing
/// changes at Mixpanel.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr purge --older-than 3years --dry-run   what dsr would remove
  dsr purge --older-than 30months           asks before it removes
  dsr purge --older-than 2024-01-01 --yes   closed before that day (UTC), in a script")]
pub(crate) struct PurgeArgs {
    /// Remove requests that were closed longer ago than this, such as `30months` or `3years`, or
    /// before this day
    #[arg(long, value_name = "TIME | DATE")]
    older_than: String,
    /// Show what dsr would remove, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(ctx: &mut Context, args: &PurgeArgs) -> Result<ExitStatus, Failure> {
    let now = ctx.clock.now();
    // UTC, like the ledger's times.
    let cutoff = Cutoff::parse(&args.older_than, now.date_naive())?;
    let mut ledger = ctx.ledger()?;
    // The suppression list needs these people's hashes: make them before the records go.
    minimise::sweep(ctx, &mut ledger);
    let found = ledger.find_closed(cutoff)?;
    let stay = ledger.count_to_stay(cutoff)?;
    let mut purged = None;
    if let (Some(closed), false) = (&found, args.dry_run) {
        let flag = YesFlag::of(args.yes);
        ctx.ui
            .confirm(
                Confirmable::Purge,
                closed,
                &question(closed, stay, cutoff),
                closed.requests,
                flag,
            )
            .map_err(|error| Failure::from(error).or_hint("nothing was removed; add `--yes`"))?;
        purged = ledger.record_purged(cutoff, now)?;
        if let Err(error) = ledger.compact() {
            tell_of_room(ctx, &error);
        }
    }
    let earlier = ledger.list_purges()?;
    let view = PurgeView {
        cutoff: cutoff.day(),
        found: found.as_ref(),
        purged: purged.as_ref(),
        stay,
        all: &earlier,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn question(closed: &Closed, stay: usize, cutoff: Cutoff) -> String {
    format!(
        "This removes the records of {} on {}, closed before {} (from {} to {}). They are your proof.\n{}\n{RETENTION_RULE}. You cannot undo this.",
        plural(closed.requests, "request", "requests"),
        plural(closed.ids, "id", "ids"),
        cutoff.day(),
        closed.first.date_naive(),
        closed.last.date_naive(),
        staying(stay),
    )
}

/// The records are gone and blank; only the file could not be made smaller.
fn tell_of_room(ctx: &Context, error: &LedgerError) {
    ctx.ui.warn(
        "not_compact",
        &format!("the records are removed, but the ledger file is as large as before: {error}"),
    );
}
