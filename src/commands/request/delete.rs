//! `dsr delete`, from its sources to its exit status.

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::domain::{Confirmed, ExitStatus, Operation, YesFlag};
use crate::ui::{Confirmable, DatesShown, Failure, QuestionError};
use crate::workflow::{Plan, ReadyPlan};

use super::args::{LawArgs, RequestArgs, SendingArgs, SourceArgs};
use super::planned::{add_earlier, ask_first, end_with_plan};
use super::read::read;
use super::sending::{recorded, submit};

/// Erase the data of the listed people
///
/// dsr shows the plan and asks for the number of ids; without a terminal, add `--yes`. You can
/// cancel a deletion only until Mixpanel starts it. Mixpanel then needs up to 30 days. A deletion
/// does not stop collection. Opt the people out in your SDKs and servers, too: see `dsr guide
/// opt-out`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr delete --gdpr --dry-run ids.csv           what would be erased
  dsr delete --gdpr --preflight ids.csv         says first who has a profile
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
    // Accepted only to explain that deletions have none.
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
            "a deletion takes no `--disclosure`: Mixpanel takes a disclosure type for CCPA exports only",
        )
        .hint("leave `--disclosure` out; nothing was sent"));
    }
    let operation = Operation::Delete(args.law.law());
    let list = read(ctx, operation, &args.source, &args.request)?;
    let mut plans = list.plan(ctx);
    if args.request.is_sent() && !args.yes {
        let asked = ctx.ui.demand_terminal(Confirmable::Deletion);
        asked.map_err(unconfirmed)?;
    }
    ask_first(ctx, &mut plans, &args.request).await?;
    if let Some(status) = end_with_plan(ctx, &mut plans, &args.request)? {
        return Ok(status);
    }
    let confirmed = confirm(ctx, plans, YesFlag::of(args.yes), DatesShown::No)?;
    carry_out(ctx, confirmed, &args.request.sending).await
}

/// Shows what will be erased. Fails if the operator does not agree, or cannot be asked.
pub(crate) fn confirm(
    ctx: &Context,
    mut plans: Vec<Plan>,
    flag: YesFlag,
    dates: DatesShown,
) -> Result<Confirmed<Vec<Plan>>, Failure> {
    if flag == YesFlag::Absent {
        add_earlier(ctx, &mut plans);
    }
    let ids = plans.first().map_or(0, |plan| plan.counts.unique);
    let today = ctx.clock.today();
    let question = ctx.ui.deletion_text(&plans, dates, today, &ctx.mode);
    ctx.ui
        .confirm(Confirmable::Deletion, plans, &question, ids, flag)
        .map_err(unconfirmed)
}

fn unconfirmed(error: QuestionError) -> Failure {
    Failure::from(error).or_hint("nothing was sent; add `--yes --expect N`")
}

/// Submits the confirmed deletions, follows them if asked to, and reports; also for `dsr apply`.
pub(crate) async fn carry_out(
    ctx: &mut Context,
    confirmed: Confirmed<Vec<Plan>>,
    sending: &SendingArgs,
) -> Result<ExitStatus, Failure> {
    let ready = ReadyPlan::confirmed(confirmed)?;
    let sent = submit(ctx, &ready, sending).await?;
    let mut sent = sent.follow(ctx, &sending.wait).await?;
    sent.print(ctx).map_err(recorded)?;
    Ok(sent.tell(ctx))
}
