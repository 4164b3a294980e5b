use chrono::NaiveDate;

use crate::domain::ExitStatus;
use crate::ui::{Failure, Shown};
use crate::workflow;

use super::context::Context;
use super::failures::usage;
use super::named::find_meant;

/// Record when the person was told
///
/// dsr tells nobody. It knows when Mixpanel finished, and not when you told the person. Until you
/// record that, reports and `dsr status` say "answer not recorded". Both laws count the days to that
/// answer: GDPR Art. 12(3), 11 CCR §7021(b).
///
/// Run it again to correct the day. The audit trail keeps both. After the first answer in a ledger,
/// dsr expects one for each request recorded since, and reminds you.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr answered q7tz0xma                                        told today
  dsr answered q7tz0xma --on 2026-11-28 --manner 'by e-mail'   told on another day
  dsr answered q7tz0xma --on 2026-11-27 --json                 a correction, in a script")]
pub(crate) struct AnsweredArgs {
    /// A request (at least four characters of its id) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: String,
    /// The day you told the person [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// How you told the person, such as `by e-mail`; kept in the ledger, so without personal data
    #[arg(long, value_name = "TEXT")]
    manner: Option<String>,
}

pub(super) fn run(ctx: &Context, args: &AnsweredArgs) -> Result<ExitStatus, Failure> {
    let manner = args.manner.as_deref().map(str::trim);
    if manner == Some("") {
        return Err(usage("`--manner` is empty; nothing was recorded")
            .hint("say how you told the person, such as `by e-mail`, or leave it out"));
    }
    let mut ledger = ctx.ledger()?;
    let request = find_meant(ctx, &ledger, &args.name)?;
    let before = request.answer.as_ref().map(|answer| answer.day);
    let clock = ctx.clock.as_ref();
    let manner = manner.map(str::to_owned);
    workflow::record_answer(&mut ledger, &request, args.on, manner, clock)?;
    if request.is_open() {
        ctx.ui.warn(
            "still_open",
            &format!(
                "Mixpanel has not finished request {}: its report says how it ends, beside your answer",
                request.id.short()
            ),
        );
    }
    let answered = ledger.find_request(&request.id)?;
    ctx.ui
        .print_requests(&ledger, answered.as_slice(), Shown::Jobs, clock)?;
    if let Some(before) = before {
        ctx.ui.note(&format!(
            "This corrects the answer of {before}; the audit trail keeps both."
        ));
    }
    Ok(ExitStatus::Done)
}
