//! `dsr ledger init` and `dsr ledger migrate`: make a ledger on a server, and bring it up to date.

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::domain::ExitStatus;
use crate::ledger::{Ledger, LedgerError, LedgerPlace, MadeReady, SharedLedger};
use crate::ui::{Failure, MadeView};

/// Make a ledger on a PostgreSQL server, for several hosts
///
/// The server's address comes from `ledger` in the config file, or from DSR_LEDGER_URL:
/// `postgres://USER@HOST/DATABASE`. The database must exist, and the user must be allowed to make a
/// schema in it. dsr makes the schema `dsr` with its tables. If they are there already, dsr changes
/// nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger init
  dsr ledger status            then: where the ledger is, and its last entry")]
pub(super) struct InitArgs {}

/// Bring a ledger on a server to the format of this dsr
///
/// No other command does that, because older versions of dsr cannot use the ledger afterwards. Run
/// it as the owner of the tables, when every host has the new dsr. A ledger in a file needs no such
/// step.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger migrate")]
pub(super) struct MigrateArgs {}

pub(super) fn init(ctx: &Context) -> Result<ExitStatus, Failure> {
    let shared = server(ctx, "dsr ledger init")?;
    let place = LedgerPlace::Server(Box::new(shared.clone()));
    match Ledger::open_shared(&ctx.opening(), &shared, ctx.patience(&place)) {
        Err(error @ LedgerError::Older { .. }) => Err(error.into()),
        Ok(_) | Err(_) => make(ctx, &shared),
    }
}

pub(super) fn migrate(ctx: &Context) -> Result<ExitStatus, Failure> {
    let shared = server(ctx, "dsr ledger migrate")?;
    // A new ledger is never made by the way.
    let place = LedgerPlace::Server(Box::new(shared.clone()));
    match Ledger::open_shared(&ctx.opening(), &shared, ctx.patience(&place)) {
        Ok(_) | Err(LedgerError::Older { .. }) => make(ctx, &shared),
        Err(error) => Err(error.into()),
    }
}

fn make(ctx: &Context, shared: &SharedLedger) -> Result<ExitStatus, Failure> {
    let place = LedgerPlace::Server(Box::new(shared.clone()));
    let (ledger, made) = Ledger::make_shared(&ctx.opening(), shared, ctx.patience(&place))?;
    let view = MadeView {
        place: place.to_string(),
        made,
        head: ledger.audit_head()?,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    if made == MadeReady::New {
        ctx.ui.note("Each host that uses this ledger needs the same address, and the same ledger key. See “Share the ledger with your team” in `dsr help runbooks`.");
    }
    Ok(ExitStatus::Done)
}

/// The server that the settings name.
pub(super) fn server(ctx: &Context, command: &str) -> Result<SharedLedger, Failure> {
    match ctx.ledger_place()? {
        LedgerPlace::Server(shared) => Ok(*shared),
        LedgerPlace::File(_) if ctx.is_sandbox() => Err(usage(
            "a rehearsal always has its ledger in a file, never on a server; nothing was changed",
        )
        .hint("leave `--sandbox` out")),
        LedgerPlace::File(_) => Err(usage(format!(
            "`{command}` is for a ledger on a server, and this ledger is a file; nothing was changed"
        ))
        .hint("set `ledger = \"postgres://USER@HOST/DATABASE\"` in the config file, or DSR_LEDGER_URL; a file needs no set-up")),
    }
}
