use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::commands::plan::file;
use crate::domain::{Confirmed, ExitStatus, Operation, YesFlag};
use crate::ui::{Act, Failure, NOT_ADVICE, exclusion_text, plural, printable};
use crate::workflow::Plan;

use super::submission::{self, LawArgs, RequestArgs, SourceArgs};

/// Erase the data of the listed people
///
/// Shows what will be done and asks for the number of ids; without a terminal it needs `--yes`.
/// A deletion can be cancelled only until Mixpanel starts it. Mixpanel then needs up to 30 days.
/// Deleting does not stop collection: opt the people out in your SDKs and servers, too; see
/// `dsr guide opt-out`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr delete --gdpr --dry-run ids.csv           what would be erased
  dsr delete --gdpr ids.csv                     asks before it sends
  dsr delete --ccpa --project shop user-17      one person
  dsr delete --gdpr ids.csv --exclude hold.csv  all but those under legal hold
  dsr delete --gdpr --yes --expect 1234 ids.csv --ref T-1234
  dsr delete --gdpr ids.csv --plan erase.plan   for others to approve; see `dsr approve`
  dsr --sandbox delete --gdpr ids.csv --wait    a rehearsal: nothing real")]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    law: LawArgs,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    // Taken only to say why there is none.
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "")]
    disclosure: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    request: RequestArgs,
}

pub(crate) async fn run(ctx: &mut Context, args: DeleteArgs) -> Result<ExitStatus, Failure> {
    if args.disclosure.is_some() {
        return Err(usage(
            "a deletion has no `--disclosure`: it erases and discloses nothing; Mixpanel takes a disclosure type on CCPA exports only",
        )
        .hint("leave `--disclosure` out; nothing was sent"));
    }
    let operation = Operation::Delete(args.law.law());
    let plans = submission::plan(ctx, operation, &args.source, &args.request)?;
    if let Some(status) = submission::show_only(ctx, &plans, &args.request)? {
        return Ok(status);
    }
    if let Some(path) = &args.request.plan {
        return file::write(ctx, &plans, path);
    }
    let confirmed = confirm(ctx, &plans, YesFlag::of(args.yes), Dates::Untold)?;
    let projects = plans.iter().map(|plan| plan.project.clone()).collect();
    let approved = plans.into_iter().map(|plan| plan.approve(Some(&confirmed)));
    let approved = approved.collect::<Result<_, _>>()?;
    submission::carry_out(ctx, approved, projects, &args.request.sending, None).await
}

/// Whether the operator has been shown a plan's dates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Told,
    Untold,
}

/// Says what is erased, and has the operator agree to it.
///
/// # Errors
/// When they do not, or nobody can be asked.
pub(crate) fn confirm(
    ctx: &Context,
    plans: &[Plan],
    flag: YesFlag,
    dates: Dates,
) -> Result<Confirmed, Failure> {
    let ids = plans.first().map_or(0, |plan| plan.counts.unique);
    let question = question(ctx, plans, dates);
    let confirmed = ctx.ui.confirm(Act::Deletion, &question, ids, flag);
    confirmed
        .map_err(|error| Failure::from(error).or_hint("nothing was sent; add `--yes --expect N`"))
}

/// The id, if it was typed and not read; and how many are left out by which file.
fn ids_text(plan: &Plan) -> String {
    let mut text = String::new();
    if let Some(id) = &plan.order.named_id {
        text.push_str(&format!("The id is `{}`.\n", printable(id.expose())));
    }
    if plan.counts.excluded > 0 || !plan.exclusions.is_empty() {
        let ids = plural(plan.counts.excluded, "id", "ids");
        text.push_str(&format!("Excluded: {ids}.\n"));
    }
    for exclusion in &plan.exclusions {
        text.push_str(&format!("  {}\n", exclusion_text(exclusion)));
    }
    text
}

fn question(ctx: &Context, plans: &[Plan], dates: Dates) -> String {
    let mut text = String::new();
    for plan in plans {
        let ids = plural(plan.counts.unique, "distinct_id", "distinct_ids");
        let jobs = plural(plan.job_count(), "deletion", "deletions");
        text.push_str(&format!(
            "This erases everything Mixpanel holds on {ids} in project {} ({}), under {}, in {jobs}.\n",
            plan.project.name,
            plan.project.region.as_str(),
            plan.order.operation.law().title(),
        ));
        if dates == Dates::Untold {
            text.push_str(&ctx.ui.dates_text(plan, ctx.clock.today()));
        }
    }
    if let Some(plan) = plans.first() {
        text.push_str(&ids_text(plan));
    }
    if dates == Dates::Untold {
        text.push_str(&format!("{NOT_ADVICE}\n"));
    }
    text.push_str(match ctx.is_sandbox() {
        true => "It is the sandbox: nothing real is erased.",
        false => "You can cancel it until Mixpanel starts it. It cannot be undone.",
    });
    text
}
