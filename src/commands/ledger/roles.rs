//! `dsr ledger roles`: prints the script that makes the roles of a shared ledger.

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::domain::ExitStatus;
use crate::ui::{Failure, RolesView};

const SCRIPT: &str = include_str!("../../../docs/guide/share/roles.sql");

/// Print the SQL that makes the roles of a ledger on a server
///
/// Pipe it into psql as the owner of the ledger: after `dsr ledger init`, and after each
/// `dsr ledger migrate`. It makes `dsr_operator`, who sends and records, and `dsr_auditor`, who only
/// reads. Neither can change the audit trail. dsr itself asks no server.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger roles | psql postgres://dsr_owner@db.example/dsr
  dsr ledger roles > roles.sql        to read it first")]
pub(super) struct RolesArgs {}

pub(super) fn run(ctx: &Context) -> Result<ExitStatus, Failure> {
    let view = RolesView { script: SCRIPT };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}
