//! `dsr profiles delete`: the profiles of a list of ids.

use super::only_project;
use super::sending::{ProfilePlan, send};
use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::commands::import::sending::IngestionArgs;
use crate::commands::request::args::SourceArgs;
use crate::commands::request::read::read_all;
use crate::domain::{AliasRule, ExitStatus, YesFlag};
use crate::intake::{Keep, Source};
use crate::ui::{Confirmable, Failure, ProfileDeletionView};

/// Delete the profiles of the listed people
///
/// Profiles only; events stay: this is not an erasure. To erase people, use `dsr delete`. dsr reads
/// the list as `dsr delete` does, shows the plan and asks for the number of profiles; without a
/// terminal, add `--yes`. Mixpanel takes the deletions at once, and shows the profiles for some time.
/// It needs the project token only.
///
/// If an id is an alias, the original profile stays: Mixpanel advises this for duplicate profiles
/// (`$ignore_alias`). With `--follow-alias` the original profile goes.
///
/// After an interruption, run the same command again. dsr keeps no id in its ledger, and never counts
/// these people as erased.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr profiles delete --dry-run ids.csv           what would be deleted
  dsr profiles delete ids.csv --exclude hold.csv  asks before it sends
  dsr profiles delete --yes --expect 1234 ids.csv
  dsr --sandbox profiles delete user-1001         a rehearsal: nothing real")]
pub(crate) struct DeleteProfilesArgs {
    /// If an id is an alias, delete the original profile
    #[arg(long)]
    follow_alias: bool,
    #[command(flatten)]
    sending: IngestionArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(
    ctx: &mut Context,
    args: &DeleteProfilesArgs,
) -> Result<ExitStatus, Failure> {
    ctx.follow_servers_clock()?;
    let project = only_project(ctx, &args.sending)?;
    let sources = args.source.given.sources("dsr profiles delete")?;
    args.sending
        .demand_answer(&ctx.ui, Confirmable::ProfileDeletion)?;
    let keep = Keep::Ids(ctx.home.data());
    let intake = read_all(ctx, &args.source, &sources, keep)?;
    let rule = match args.follow_alias {
        true => AliasRule::Follow,
        false => AliasRule::Ignore,
    };
    let labels: Vec<String> = sources.iter().map(Source::label).collect();
    let ids = intake.ids.clone().expect("they were to be kept");
    let plan = ProfilePlan::new(project.clone(), labels.join(", "), ids, rule)?;
    let mut view = ProfileDeletionView {
        project: &project,
        source: plan.source.clone(),
        intake: &intake,
        rule,
        batches: plan.batches.len(),
        record: None,
    };
    let mut status = ExitStatus::Done;
    if !args.sending.dry_run {
        let confirmed = plan.confirm(ctx, "", YesFlag::of(args.sending.yes))?;
        let sent = send(ctx, confirmed, args.sending.max_wait).await?;
        status = sent.status;
        view.record = Some(sent.record);
    }
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(status)
}
