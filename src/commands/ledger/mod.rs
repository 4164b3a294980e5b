//! The ledger itself: where it is, its making, its move, its copies, and the acceptance of an older copy.

mod accept;
pub(super) mod audit;
mod backup;
mod init;
mod moving;
pub(super) mod purge;
mod roles;
mod status;

use crate::commands::context::Context;
use crate::domain::ExitStatus;
use crate::ui::Failure;

use accept::AcceptArgs;
use backup::BackupArgs;
use init::{InitArgs, MigrateArgs};
use moving::MoveArgs;
use roles::RolesArgs;
use status::LedgerStatusArgs;

/// Share the ledger, move it, copy it, and use a restored copy
///
/// The ledger records what was sent. A restored copy lacks everything that came after the copy was
/// made. So dsr keeps the last entry it has seen in a file beside the ledger. From a ledger without
/// that entry, dsr sends nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger status
  dsr ledger backup /mnt/backup/ledger-2026-11-29.db
  dsr ledger accept            after a restore: marks jobs that may have been sent")]
pub(crate) struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(clap::Subcommand, Debug)]
enum LedgerCommand {
    Status(LedgerStatusArgs),
    Init(InitArgs),
    Roles(RolesArgs),
    Migrate(MigrateArgs),
    Move(MoveArgs),
    Backup(BackupArgs),
    Accept(AcceptArgs),
}

pub(super) fn run(ctx: &mut Context, args: &LedgerArgs) -> Result<ExitStatus, Failure> {
    match &args.command {
        LedgerCommand::Status(LedgerStatusArgs {}) => status::run(ctx),
        LedgerCommand::Init(InitArgs {}) => init::init(ctx),
        LedgerCommand::Roles(RolesArgs {}) => roles::run(ctx),
        LedgerCommand::Migrate(MigrateArgs {}) => init::migrate(ctx),
        LedgerCommand::Move(args) => moving::run(ctx, args),
        LedgerCommand::Backup(args) => backup::run(ctx, args),
        LedgerCommand::Accept(args) => accept::run(ctx, args),
    }
}
