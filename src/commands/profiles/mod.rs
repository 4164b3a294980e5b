//! `dsr profiles`: profiles without the events of their people. Never an erasure.

mod delete;
mod expire;
mod log;
mod select;
mod sending;

use std::num::NonZeroUsize;

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::domain::{ExitStatus, Project};
use crate::ui::Failure;

use delete::DeleteProfilesArgs;
use expire::ExpireArgs;

/// Delete profiles, and leave the events of their people
///
/// This is not an erasure: events stay. To erase people, use `dsr delete`. `expire` deletes the
/// profiles of people who were not seen for some time: run it from cron to keep a retention period.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr profiles delete --dry-run ids.csv
  dsr profiles expire --not-seen-for 24months --dry-run
  dsr profiles expire --not-seen-for 24months --profiles users.csv --dry-run")]
pub(crate) struct ProfilesArgs {
    #[command(subcommand)]
    command: ProfilesCommand,
}

#[derive(clap::Subcommand, Debug)]
enum ProfilesCommand {
    Delete(DeleteProfilesArgs),
    Expire(ExpireArgs),
}

pub(crate) async fn run(ctx: &mut Context, args: ProfilesArgs) -> Result<ExitStatus, Failure> {
    match args.command {
        ProfilesCommand::Delete(args) => delete::run(ctx, &args).await,
        ProfilesCommand::Expire(args) => expire::run(ctx, &args).await,
    }
}

/// How many ids are in memory at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(1000).expect("not zero");

/// The project whose profiles go: one at a time.
fn only_project(ctx: &Context) -> Result<Project, Failure> {
    let mut resolved = ctx.resolve()?;
    if resolved.len() > 1 {
        return Err(
            usage("dsr deletes profiles of one project at a time; nothing was sent")
                .hint("name one with `--project`"),
        );
    }
    let project = resolved.remove(0).project;
    ctx.warn_of_odd_token(&project);
    Ok(project)
}
