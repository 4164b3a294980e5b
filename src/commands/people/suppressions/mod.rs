//! People whom servers must not track again: listed for servers, and found in files of events.

mod check;
mod export;
mod replaced;

use crate::commands::context::Context;
use crate::domain::ExitStatus;
use crate::ui::Failure;

use check::CheckEventsArgs;
use export::ExportListArgs;

/// People whom your servers must not track again
///
/// A deletion does not stop collection: the next event of the same person makes new data. `export`
/// writes a list of erased people for your servers. `check` finds erased people in files of later
/// events.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr suppressions export --output suppressed.txt       for your servers: a keyed hash a line
  dsr suppressions check --exit-status events.jsonl.gz  status 1 if a person was collected again")]
pub(crate) struct SuppressionsArgs {
    #[command(subcommand)]
    command: SuppressionsCommand,
}

#[derive(clap::Subcommand, Debug)]
enum SuppressionsCommand {
    Export(ExportListArgs),
    Check(CheckEventsArgs),
}

pub(crate) fn run(ctx: &mut Context, args: &SuppressionsArgs) -> Result<ExitStatus, Failure> {
    match &args.command {
        SuppressionsCommand::Export(args) => export::run(ctx, args),
        SuppressionsCommand::Check(args) => check::run(ctx, args),
    }
}
