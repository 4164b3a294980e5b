//! Warnings and advice about legal deadlines and expiry dates.

use chrono::{Days, NaiveDate};

use crate::commands::context::Context;
use crate::domain::{Deadline, Project, RequestId, expected_completion, year_without_holidays};
use crate::ledger::{Ledger, RequestRecord, Unfetched, Which};
use crate::ui::{Failure, Shown, day_count, number, plural};
use crate::workflow::Plan;

/// In days before the link to an export ends.
const LINK_WARN_DAYS: i64 = 3;

/// How many requests a note names.
const MOST_NAMED: usize = 5;

/// Which requests to show by their legal deadlines alone.
#[derive(clap::Args, Debug)]
pub(crate) struct DeadlineArgs {
    /// Show only requests that need an answer and are past their legal deadline
    ///
    /// dsr reads only the ledger. With `--exit-status`, the status is 9 if dsr shows a request, 6
    /// if a restored ledger may lack requests, and 0 otherwise. Unknown jobs, a refused token or
    /// an unreachable Mixpanel do not change that status.
    #[arg(long, conflicts_with_all = ["refresh", "ask_for", "watch", "changes", "all", "show_ids"])]
    overdue: bool,
    /// Show only requests that need an answer and are overdue or due within this many days (`7` or
    /// `7d`)
    ///
    /// dsr reads only the ledger. With `--exit-status`, the status is the same as with `--overdue`.
    #[arg(long, value_name = "DAYS", value_parser = whole_days, conflicts_with_all = ["overdue", "refresh", "ask_for", "watch", "changes", "all", "show_ids"])]
    due_within: Option<i64>,
}

impl DeadlineArgs {
    /// The most days left until a deadline, if the operator asked for deadlines. -1 means overdue.
    pub(crate) fn days(&self) -> Option<i64> {
        self.due_within.or(self.overdue.then_some(-1))
    }
}

/// Reads a number of days: `7`, `7d`, `1week`; at most a century.
pub(crate) fn whole_days(text: &str) -> Result<i64, String> {
    const DAY: u64 = 24 * 60 * 60;
    let whole = |time: std::time::Duration| {
        let days = time.as_secs() / DAY;
        (time == std::time::Duration::from_secs(days * DAY)).then_some(days)
    };
    let time = || humantime::parse_duration(text).ok();
    let days = text.parse().ok().or_else(|| whole(time()?));
    match days.and_then(|days: u64| i64::try_from(days).ok()) {
        Some(days @ 0..=36_500) => Ok(days),
        Some(_) | None => {
            Err("write whole days, at most 36500, such as `7`, `7d` or `2weeks`".to_owned())
        }
    }
}

/// Says that nothing is due within these days, and which requests dsr does not watch.
pub(super) fn note_nothing_due(ctx: &Context, ledger: &Ledger, days: i64) -> Result<(), Failure> {
    ctx.ui.note(&match days {
        ..0 => "No request that needs an answer is overdue.".to_owned(),
        _ => format!(
            "No request that needs an answer is due within {}.",
            plural(usize::try_from(days).unwrap_or(usize::MAX), "day", "days")
        ),
    });
    let until = ctx.clock.today() + Days::new(days.max(0).unsigned_abs());
    let unwatched = ledger.list_unwatched(until)?;
    if !unwatched.is_empty() {
        let named = unwatched.iter().take(MOST_NAMED).map(RequestId::short);
        let mut names: Vec<&str> = named.collect();
        if unwatched.len() > MOST_NAMED {
            names.push("…");
        }
        ctx.ui.note(&format!(
            "{} due by then ended without a recorded answer ({}). See them with `dsr status --all`. dsr watches requests made after the first `dsr answered`.",
            plural(unwatched.len(), "earlier request", "earlier requests"),
            names.join(", ")
        ));
    }
    Ok(())
}

/// Whether the request still needs an answer, due within `days`; -1 means that the day is over.
pub(crate) fn is_due_within(request: &RequestRecord, today: NaiveDate, days: i64) -> bool {
    request.is_to_be_answered() && request.deadline().days_left(today) <= days
}

/// Warns of a plan's dates that are over, hard to keep, or may be wrong.
pub(crate) fn warn_of_plan(ctx: &Context, plan: &Plan) {
    let today = ctx.clock.today();
    let received = plan.order.received;
    let Deadline { due, rule } = plan.deadline;
    if plan.deadline.is_over(today) {
        let ago = day_count((received - today).num_days());
        ctx.ui.warn_once(
            "received",
            &format!("the person asked {ago}. The answer was due on {due} ({rule}). Submit now, or correct `--received {received}`"),
        );
    } else if let Some(late) = late_text(&plan.deadline, today) {
        ctx.ui
            .warn_once("last_safe_day", &format!("submit at once: {late}"));
    }
    // CCPA due dates do not move; its confirmation date depends on holidays.
    warn_of_holidays(ctx, &plan.project, plan.confirm_by.unwrap_or(due));
    warn_of_token(ctx, plan);
}

/// Warns if a project lists holidays, but none of the year of `day`.
pub(crate) fn warn_of_holidays(ctx: &Context, project: &Project, day: NaiveDate) {
    if let Some(year) = year_without_holidays(&project.holidays, day) {
        let name = &project.name;
        ctx.ui.warn_once(
            "old_holidays",
            &format!("project `{name}` lists no holidays of {year}, and a date of this request is in {year}: add them to `holidays` in the config file"),
        );
    }
}

/// Warns if the token's year ends before Mixpanel is expected to finish a plan.
pub(crate) fn warn_of_token(ctx: &Context, plan: &Plan) {
    let whole_days = plan.time().as_secs() / 86_400;
    let last = ctx.clock.today().checked_add_days(Days::new(whole_days));
    let expected = last.map(expected_completion);
    if let Some(expected) = expected
        && ctx.token_ends_before(&plan.project.key(), expected)
    {
        warn_of_end(ctx, expected, "this request");
    }
}

/// Like `warn_of_token`, for requests in the ledger.
pub(crate) fn warn_of_token_for(
    ctx: &Context,
    ledger: &Ledger,
    requests: &[RequestRecord],
) -> Result<(), Failure> {
    let today = ctx.clock.today();
    let mut latest: Option<NaiveDate> = None;
    let mut names = Vec::new();
    // No open request is expected to end later than one submitted today.
    let may_end = |request: &&RequestRecord| {
        let project = &request.asked.project_key;
        request.is_open() && ctx.token_ends_before(project, expected_completion(today))
    };
    for request in requests.iter().filter(may_end) {
        let submitted = match request.needs_resume() {
            true => Some(today),
            false => ledger
                .find_last_submission(&request.id)?
                .map(|time| time.date_naive()),
        };
        let expected = submitted.map(expected_completion);
        if expected.is_some_and(|day| ctx.token_ends_before(&request.asked.project_key, day)) {
            latest = latest.max(expected);
            names.push(request.id.short());
        }
    }
    if let Some(latest) = latest {
        warn_of_end(ctx, latest, &some_of(&names));
    }
    Ok(())
}

fn warn_of_end(ctx: &Context, expected: NaiveDate, what: &str) {
    ctx.ui.warn_once(
        "token_outlived",
        &format!("the OAuth token expires before Mixpanel may finish {what} (by {expected}, or later): dsr could not ask for the result. Make a new token in Mixpanel and run `dsr auth login`"),
    );
}

/// `a, b, c and 4 more`
pub(crate) fn some_of<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), number(more)),
    }
}

/// Warnings go before the result, so that JSON has them; notes go after it.
#[derive(Default)]
pub(crate) struct Advice {
    warnings: Vec<(&'static str, String)>,
    notes: Vec<String>,
}

impl Advice {
    pub(crate) fn warn(&self, ctx: &Context) {
        for (kind, message) in &self.warnings {
            ctx.ui.warn(kind, message);
        }
    }

    pub(crate) fn note(&self, ctx: &Context) {
        for note in &self.notes {
            ctx.ui.note(note);
        }
    }
}

/// Collects the advice for these requests. For a list, adds closed requests that need an answer or
/// a fetch.
pub(crate) fn advice(
    ctx: &Context,
    ledger: &Ledger,
    requests: &[RequestRecord],
    shown: Shown,
) -> Result<Advice, Failure> {
    let today = ctx.clock.today();
    let mut advice = Advice::default();
    for request in requests.iter().filter(|request| request.has_unsent()) {
        advise_unsent(&mut advice, request, shown, today);
    }
    for request in requests {
        advise_unfetched(&mut advice, request, today);
        advise_unanswered(&mut advice, request, today);
    }
    if shown == Shown::List {
        let listed = |request: &RequestRecord| requests.iter().any(|shown| shown.id == request.id);
        for request in unanswered(ctx, ledger)?.iter().filter(|r| !listed(r)) {
            advise_unanswered(&mut advice, request, today);
        }
        let matters = |request: &RequestRecord| {
            let link = request.unfetched.as_ref().map(Unfetched::link_may_end);
            ctx.means(&request.asked.project)
                && (link >= Some(today) || !request.deadline().is_over(today))
                && !requests.iter().any(|shown| shown.id == request.id)
        };
        let unfetched = ledger.list_requests(Which::Unfetched)?;
        for request in unfetched.iter().filter(|request| matters(request)) {
            advise_unfetched(&mut advice, request, today);
        }
    }
    Ok(advice)
}

pub(super) fn unsent_text(request: &RequestRecord) -> String {
    let short = request.id.short();
    let unsent = request.count_jobs(|group| group.state.is_sendable());
    let all = request.count_jobs(|_| true);
    let are = if unsent == 1 { "is" } else { "are" };
    match unsent == all {
        true => format!("{short} is not sent"),
        false => format!(
            "{short}: {} of {} jobs {are} not sent",
            number(unsent),
            number(all)
        ),
    }
}

fn advise_unsent(advice: &mut Advice, request: &RequestRecord, shown: Shown, today: NaiveDate) {
    let deadline = request.deadline();
    let Deadline { due, rule } = deadline;
    let short = request.id.short();
    let unsent = unsent_text(request);
    let again = format!("submit at once with `dsr resume {short}`");
    if deadline.is_over(today) {
        let message = format!("{unsent}, and its answer was due on {due} ({rule})");
        let warning = ("overdue", format!("{message}: {again}"));
        advice.warnings.push(warning);
    } else if let Some(late) = late_text(&deadline, today) {
        let message = format!("{unsent}: {again}; {late}");
        advice.warnings.push(("last_safe_day", message));
    } else if shown == Shown::List {
        let last = deadline.last_safe_day();
        let left = day_count((last - today).num_days());
        advice.notes.push(format!(
            "{short} has unsent jobs: the last safe day to submit is {last} ({left}), since Mixpanel may need 30 days."
        ));
    }
}

/// Lists the requests that lack only the record of their answer, in the projects that are meant.
pub(crate) fn unanswered(ctx: &Context, ledger: &Ledger) -> Result<Vec<RequestRecord>, Failure> {
    let mut requests = ledger.list_requests(Which::Unanswered)?;
    requests.retain(|request| ctx.means(&request.asked.project));
    Ok(requests)
}

fn advise_unanswered(advice: &mut Advice, request: &RequestRecord, today: NaiveDate) {
    if request.is_open() || !request.is_to_be_answered() {
        return;
    }
    let (short, due) = (request.id.short(), request.asked.due);
    let left = day_count((due - today).num_days());
    match request.deadline().is_over(today) {
        true => advice.warnings.push((
            "unanswered",
            format!("{short} has ended, and no answer is recorded; it was due on {due} ({left}). Record the day you told the person with `dsr answered {short} --on DATE`"),
        )),
        false => advice.notes.push(format!(
            "{short} has ended, and no answer is recorded. Tell the person by {due} ({left}), then run `dsr answered {short}`."
        )),
    }
}

fn advise_unfetched(advice: &mut Advice, request: &RequestRecord, today: NaiveDate) {
    let Some(unfetched) = &request.unfetched else {
        return;
    };
    let short = request.id.short();
    let last = unfetched.link_end();
    let exports = match unfetched.jobs {
        1 => "1 finished export is".to_owned(),
        jobs => format!("{} finished exports are", number(jobs)),
    };
    let days = (last - today).num_days();
    let left = day_count(days);
    let waits = format!(
        "{short}: {exports} not fetched, and links work for 14 to 30 days: fetch by {last} ({left})"
    );
    let may_end = unfetched.link_may_end();
    match days {
        0..=LINK_WARN_DAYS => advice.warnings.push((
            "unfetched",
            format!("{waits} with `dsr download {short}`"),
        )),
        days if days > LINK_WARN_DAYS => advice
            .notes
            .push(format!("{waits} with `dsr download {short}`.")),
        _ if may_end >= today => advice.warnings.push((
            "unfetched",
            format!("{short}: {exports} not fetched, and the link may expire any day, on {may_end} at the latest: fetch at once with `dsr download {short}`"),
        )),
        _ => advice.notes.push(format!(
            "{short}: {exports} not fetched, and the link has expired by now. `dsr download {short}` asks for a new link; if Mixpanel has none, make a new export with `dsr export`."
        )),
    }
}

/// Says why submitting today is late, if the last safe day is over.
fn late_text(deadline: &Deadline, today: NaiveDate) -> Option<String> {
    let Deadline { due, rule } = deadline;
    let until = expected_completion(today);
    let is_late = deadline.last_safe_day() < today;
    is_late.then(|| format!("it is due on {due} ({rule}), and Mixpanel may need until {until}"))
}
