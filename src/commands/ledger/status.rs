//! `dsr ledger status`: where the ledger is, and whether it was set back.

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::domain::ExitStatus;
use crate::ui::{Failure, LedgerStatusView};

/// Show where the ledger is, and whether it is an older copy
///
/// dsr exits with status 74 if the ledger lacks an entry that this host has seen. It changes
/// nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger status
  dsr ledger status --json")]
pub(super) struct LedgerStatusArgs {}

pub(super) fn run(ctx: &Context) -> Result<ExitStatus, Failure> {
    if let Some(unused) = ctx.unused_url()? {
        ctx.ui.warn("unused_url", &unused);
    }
    let ledger = ctx.open_ledger()?;
    let set_back = ledger.find_set_back()?;
    let view = LedgerStatusView {
        path: ctx.ledger_place()?.to_string(),
        bytes: ledger.size()?,
        head: ledger.audit_head()?,
        seen: ledger.find_seen()?,
        set_back: set_back.as_ref(),
        lost: ledger.list_lost_times()?,
        interrupted: ledger.count_interrupted()?,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(match set_back {
        Some(_) => ExitStatus::LocalIo,
        None => ExitStatus::Done,
    })
}
