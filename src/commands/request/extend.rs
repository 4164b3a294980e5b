//! `dsr extend`: a later due date, with its reason.

use chrono::NaiveDate;

use crate::commands::context::Context;
use crate::commands::context::named::find_meant;
use crate::commands::failures::usage;
use crate::commands::status::deadlines;
use crate::domain::{ExitStatus, Law};
use crate::ui::{Failure, Shown, day_count};
use crate::workflow;

/// Extend the legal deadline of a request
///
/// GDPR: two more months, three in all, if the complexity and number of requests make it necessary.
/// CCPA: 45 more days, 90 in all. You can extend once, and only inside the first period. In that
/// period you must tell the person the reasons: dsr records the extension and tells nobody.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr extend q7tz0xma --reason 'over 400 requests since 1 November'
  dsr extend q7tz0xma --reason 'T-1234: data in eight systems' --json
  dsr extend q7tz0xma --reason 'T-1234: eight systems' --on 2026-11-28    told before today")]
pub(crate) struct ExtendArgs {
    /// A request (at least four characters of its id) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: String,
    /// Why the answer takes longer, as you tell the person; the ledger keeps it, so write no
    /// personal data
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The day you told the person, if it was before today, such as after a lost ledger
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
}

pub(crate) fn run(ctx: &Context, args: &ExtendArgs) -> Result<ExitStatus, Failure> {
    let reason = args.reason.trim();
    if reason.is_empty() {
        return Err(
            usage("`--reason` is empty, and the law asks for the reasons")
                .hint("say why the answer takes longer, as you tell the person"),
        );
    }
    let mut ledger = ctx.ledger()?;
    let request = find_meant(ctx, &ledger, &args.name)?;
    let project = &request.asked.project;
    let found = ctx.projects_of(std::slice::from_ref(&request))?;
    let found = found.first();
    // Only GDPR due dates depend on holidays.
    let is_gdpr = request.asked.operation.law() == Law::Gdpr;
    if found.is_none() && is_gdpr {
        ctx.ui.warn(
            "project",
            &format!("project `{project}` is no longer set up, or its token has changed: dsr knows no holidays"),
        );
    }
    let holidays = found.map_or(&[][..], |project| project.holidays.as_slice());
    let clock = ctx.clock.as_ref();
    workflow::extend(&mut ledger, &request, reason, args.on, holidays, clock)?;
    let extended = ledger.find_request(&request.id)?;
    let requests = extended.as_slice();
    if let (Some(project), [request], true) = (found, requests, is_gdpr) {
        deadlines::warn_of_holidays(ctx, project, request.asked.due);
    }
    ctx.ui
        .print_requests(&ledger, requests, Shown::Jobs, clock)?;
    if args.on.is_none() {
        let by = request.asked.due;
        let left = day_count((by - clock.today()).num_days());
        ctx.ui.note(&format!(
            "dsr tells nobody. Tell the person the reasons by {by} ({left})."
        ));
    }
    Ok(ExitStatus::Done)
}
