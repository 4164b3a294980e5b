//! `dsr ledger backup`: a copy of the ledger in one file.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::{COPY_IN_THE_WAY, in_the_way, local_io};
use crate::commands::people::minimise;
use crate::domain::ExitStatus;
use crate::ui::{BackupView, Failure};

/// Copy the ledger to a new file; safe while dsr sends
///
/// The copy is complete, and only you can read it (0600). Protect it like the ledger: it holds the
/// ids of open jobs and the hashes of the others. To use the copy, see "Restore a ledger" in `dsr
/// help runbooks`.
///
/// The copy of a ledger on a server is a file, too. The ids of its open jobs stay sealed. Use
/// it to prove what was done, and never to send: to restore a server, use the server's own copies.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger backup /mnt/backup/ledger-2026-11-29.db
  dsr ledger backup \"backup/ledger-$(date +%F).db\"      each night, in cron")]
pub(super) struct BackupArgs {
    /// The new file. The file must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(ctx: &Context, args: &BackupArgs) -> Result<ExitStatus, Failure> {
    let file = &args.file;
    if file.symlink_metadata().is_ok() {
        return Err(in_the_way(file, COPY_IN_THE_WAY));
    }
    let mut ledger = ctx.open_ledger()?;
    if !ctx.warn_of_set_back(&ledger)? {
        minimise::sweep_overdue(ctx, &mut ledger)?;
    }
    // From here on a signal waits, so that dsr leaves no half copy.
    ctx.interrupt.begin();
    let backup = ledger.back_up(file)?;
    let view = BackupView {
        file: file.display().to_string(),
        backup: &backup,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}
