//! `dsr profiles`: profiles without the events of their people. Never an erasure.

mod delete;
mod expire;
mod log;
mod select;
mod sending;

use std::num::NonZeroUsize;

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::commands::import::sending::IngestionArgs;
use crate::config::Resolved;
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

/// The project whose profiles go: one at a time. Where deletions need the approval of other people,
/// dsr deletes no profile: no plan file for them exists.
fn only_project(ctx: &Context, sending: &IngestionArgs) -> Result<Project, Failure> {
    let mut resolved = ctx.resolve()?;
    if resolved.len() > 1 {
        return Err(
            usage("dsr deletes profiles of one project at a time; nothing was sent")
                .hint("name one with `--project`"),
        );
    }
    let Resolved {
        project, approvals, ..
    } = resolved.remove(0);
    if approvals > 0 {
        let why = format!(
            "dsr deletes no profiles in project `{}`: its deletions need approvals (`approvals = {approvals}`), and `dsr profiles` cannot ask for any",
            project.name
        );
        if !sending.dry_run {
            let failure = Failure::new(
                ExitStatus::Usage,
                "approvals",
                format!("{why}; nothing was sent"),
            );
            return Err(failure.hint("see the plan with `--dry-run`, and delete the profiles in Mixpanel; `dsr delete --plan FILE` erases people with their events"));
        }
        ctx.ui.warn("approvals", &why);
    }
    ctx.warn_of_odd_token(&project);
    Ok(project)
}
