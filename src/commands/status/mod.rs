//! `dsr status`: the state of requests.

mod asking;
pub(super) mod deadlines;
pub(super) mod held_ids;
mod ingestions;
mod next_step;
pub(super) mod outcome;
pub(super) mod watch;

use std::collections::HashSet;
use std::time::Duration;

use crate::commands::context::Context;
use crate::commands::context::named::{find, find_all};
use crate::commands::people::minimise;
use crate::domain::{ExitStatus, RequestId};
use crate::ledger::{JobGroup, Ledger, RequestRecord, Scope, Standing, Untold, Which};
use crate::ui::{Beside, Delivery, Failure, Polling, Shown, capital, duration, plural};
use crate::workflow::{self, PollExtent, Settles, Waiting};

use asking::ask;
pub(crate) use asking::polling;
use deadlines::DeadlineArgs;
use next_step::{AFTER_DELETION, has_deleted};
use outcome::{WaitsFor, standing_status, trouble_failure};

const USUAL_TIME_TO_ASK: Duration = Duration::from_secs(5);
/// If asking about all due jobs takes longer than this, dsr asks about none: a few answers would
/// not help.
const WORTH_A_BEGINNING: Duration = Duration::from_secs(60);

/// Show the state of requests
///
/// Without an argument, dsr lists all open requests: first those that need you, then the others, by
/// due date. It also lists imports and deletions of profiles that began within 30 days and are not
/// done. dsr asks Mixpanel about the jobs that are due for a check, for five seconds at most.
/// It shows the other jobs from the ledger, with the age of the oldest answer. If the check would
/// need more than a minute, dsr answers from the ledger and prints what to run.
///
/// A young job is due for a check often, later once an hour, and more often near the request's
/// deadline. All dsr processes share that schedule and the rate.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr status                      all open requests
  dsr status q7tz0xma             one request with its jobs
  dsr status 3e0b7f52-77aa-…      the request a task belongs to
  dsr status TICKET-17            the requests made with --ref TICKET-17
  dsr status q7tz0xma --show-ids  its ids, while the ledger keeps them
  dsr status --cached --json      what the ledger knows, without network
  dsr status --refresh            ask about every open job now
  dsr status --watch              follow all jobs on the screen; Ctrl-C stops
  dsr status --watch --timeout 2h | jq -c .job    a line for each change, in a script

In cron, say nothing unless something changed, and let the status tell the rest:
  dsr status --changes --exit-status --ask-for 10m
  dsr status --due-within 7d --quiet              what is late or due within a week
  dsr status --overdue --exit-status              9 if a request is late, else 0")]
pub(crate) struct StatusArgs {
    /// A request (the beginning of its id is enough), a task id, or the text given with `--ref`
    #[arg(value_name = "REQUEST | TASK_ID | REF")]
    name: Option<String>,
    /// Show what the ledger knows, without asking Mixpanel
    #[arg(long, group = "asking")]
    cached: bool,
    /// Ask about every open job, due or not, however long it takes
    #[arg(long, group = "asking")]
    refresh: bool,
    /// Ask about due jobs for this long at most, such as `30s` or `10m` [default: 5s, or 0s if the
    /// check would need more than a minute]
    #[arg(long, group = "asking", value_name = "DURATION", value_parser = humantime::parse_duration)]
    ask_for: Option<Duration>,
    /// Watch until all jobs end. A terminal shows a live table; otherwise dsr prints one JSON line
    /// for each change, and the whole result last
    #[arg(long, group = "asking", conflicts_with = "changes")]
    watch: bool,
    /// Stop watching after this long, such as `90s`, `2h` or `3days`
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Show only the jobs that changed since the last run with --changes; if none did, print
    /// nothing
    ///
    /// dsr records what it showed. After a crash, or with two runs at once, it may show a change
    /// twice. It never skips one.
    #[arg(long)]
    pub(crate) changes: bool,
    /// Report the state of the requests by the exit status: 6, 7, 3, 9, 75 or 8; see `dsr help
    /// exit-status`
    #[arg(long)]
    exit_status: bool,
    #[command(flatten)]
    alarm: DeadlineArgs,
    /// List closed requests, and all imports and deletions of profiles, too
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// Show the distinct_ids of a request's jobs that the ledger still keeps
    #[arg(long, requires = "name", conflicts_with_all = ["asking", "changes", "exit_status"])]
    show_ids: bool,
}

impl StatusArgs {
    /// A script relies on the output, or on there being none: a missing ledger must fail.
    fn is_for_a_script(&self) -> bool {
        self.exit_status || self.changes || self.watch
    }

    fn asks_nobody(&self) -> bool {
        self.cached || self.show_ids
    }
}

pub(crate) async fn run(ctx: &mut Context, args: StatusArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = match (args.is_for_a_script(), args.asks_nobody()) {
        (true, _) => ctx.ledger()?,
        (false, true) => ctx.ledger_as_it_is()?,
        (false, false) => ctx.ledger_if_any()?,
    };
    ctx.refuse_unknown_projects(&ledger)?;
    if let (Some(name), true) = (&args.name, args.show_ids) {
        let request = find(&ledger, name)?;
        return held_ids::show(ctx, &ledger, &request);
    }
    let mut view = StatusView::of(ctx, &ledger, &args)?;
    if let Some(days) = args.alarm.days() {
        let mut requests = view.read(ctx, &ledger)?;
        if view.shown == Shown::List {
            // Also those that Mixpanel has finished and whose answer is not recorded.
            let unanswered = deadlines::unanswered(ctx, &ledger)?;
            requests.retain(RequestRecord::is_open);
            requests.extend(unanswered.into_iter().filter(|request| !request.is_open()));
        }
        let status = show_due(ctx, &ledger, requests, days)?;
        return Ok(match args.exit_status {
            true => status,
            false => ExitStatus::Done,
        });
    }
    if args.watch {
        return watch::run(ctx, ledger, view, args.timeout).await;
    }
    let extent = match (args.cached, args.refresh) {
        (true, _) => None,
        (_, true) => Some(PollExtent::All),
        (_, false) => Some(PollExtent::Due {
            within: time_to_ask(ctx, &ledger, &view, &args)?,
        }),
    };
    let mut troubles = Vec::new();
    if let Some(extent) = extent {
        // A request that ends now is shown once more.
        view.read(ctx, &ledger)?;
        troubles = ask(ctx, &mut ledger, &view.scope, extent).await?;
        minimise::sweep(ctx, &mut ledger);
    }
    let status = match args.changes {
        true => {
            let (status, told) =
                ledger.in_one_view(|ledger| show_changes(ctx, ledger, &mut view))?;
            if !told.is_empty() {
                ledger.record_told(&told)?;
            }
            status
        }
        false => ledger.in_one_view(|ledger| show(ctx, ledger, &mut view, extent))?,
    };
    if let Some(trouble) = troubles.first() {
        ctx.ui.fail(&trouble_failure(ctx, trouble));
    }
    let failures = troubles.iter().map(|trouble| trouble_failure(ctx, trouble));
    let mut statuses: Vec<_> = failures.map(|failure| failure.status).collect();
    if args.exit_status {
        statuses.push(status);
        if view.shown == Shown::List {
            let unanswered = deadlines::unanswered(ctx, &ledger)?;
            let is_late = |request: &RequestRecord| request.deadline().is_over(ctx.clock.today());
            let late = unanswered.iter().filter(|request| is_late(request));
            statuses.extend(late.map(|_| ExitStatus::Overdue));
        }
    }
    Ok(ExitStatus::most_pressing(statuses))
}

/// How long to ask about what is due. A person does not wait for a few answers among thousands; a
/// script makes progress with each run.
fn time_to_ask(
    ctx: &Context,
    ledger: &Ledger,
    view: &StatusView,
    args: &StatusArgs,
) -> Result<Duration, Failure> {
    let is_a_look = !args.changes && !args.exit_status;
    match args.ask_for {
        Some(time) => Ok(time),
        None if is_a_look && polling(ctx, ledger, &view.scope)?.time > WORTH_A_BEGINNING => {
            Ok(Duration::ZERO)
        }
        None => Ok(USUAL_TIME_TO_ASK),
    }
}

/// Shows requests and what needs the operator. Returns the status.
fn show(
    ctx: &Context,
    ledger: &Ledger,
    view: &mut StatusView,
    extent: Option<PollExtent>,
) -> Result<ExitStatus, Failure> {
    let requests = &view.read(ctx, ledger)?;
    let json = ctx.ui.format() == crate::ui::OutputFormat::Json;
    // Only JSON shows it otherwise, and counting takes a while.
    let polling = match json || extent.is_some() {
        true => Some(polling(ctx, ledger, &view.scope)?),
        false => None,
    };
    ctx.warn_of_lost_time(ledger, "")?;
    let advice = deadlines::advice(ctx, ledger, requests, view.shown)?;
    advice.warn(ctx);
    deadlines::warn_of_token_for(ctx, ledger, requests)?;
    let clock = ctx.clock.as_ref();
    let ingestions = ingestions::list(ctx, ledger, view)?;
    let beside = Beside {
        polling,
        ingestions: ingestions.as_deref(),
    };
    ctx.ui
        .print_status(ledger, requests, view.shown, beside, clock)?;
    advise(ctx, ledger, requests)?;
    ingestions::advise(ctx, ingestions.as_deref().unwrap_or_default());
    advice.note(ctx);
    if view.shown == Shown::Jobs && requests.iter().any(has_deleted) {
        ctx.ui.note(AFTER_DELETION);
    }
    if requests.is_empty() && view.which == Which::Open {
        ctx.ui
            .note("Closed requests are listed with `dsr status --all`.");
    }
    if let Some(Polling { due: 1.., .. }) = polling
        && let Some(PollExtent::Due { .. }) = extent
    {
        ctx.ui.note(&still_due(polling.unwrap_or_default()));
    }
    Ok(standing_status(requests, ctx.clock.today()))
}

/// Shows only the requests due within `days`. Its status is only about them, so that no other
/// trouble hides a deadline.
fn show_due(
    ctx: &Context,
    ledger: &Ledger,
    mut requests: Vec<RequestRecord>,
    days: i64,
) -> Result<ExitStatus, Failure> {
    let clock = ctx.clock.as_ref();
    requests.retain(|request| deadlines::is_due_within(request, clock.today(), days));
    let lacks = ctx.warn_of_lost_time(ledger, "; no list has requests recorded then")?;
    if !requests.is_empty() || ctx.ui.format() == crate::ui::OutputFormat::Json {
        ctx.ui
            .print_status(ledger, &requests, Shown::List, Beside::default(), clock)?;
    }
    advise(ctx, ledger, &requests)?;
    Ok(match requests.is_empty() {
        true => {
            deadlines::note_nothing_due(ctx, ledger, days)?;
            match lacks {
                true => ExitStatus::Unknown,
                false => ExitStatus::Done,
            }
        }
        false => ExitStatus::Overdue,
    })
}

fn still_due(polling: Polling) -> String {
    let jobs = plural(polling.due, "job is", "jobs are");
    let time = duration(polling.time);
    format!("{jobs} due for a check. Check now ({time}): `dsr status --refresh`.")
}

/// Shows what changed since the last look. Returns what its reader has now seen.
fn show_changes(
    ctx: &Context,
    ledger: &Ledger,
    view: &mut StatusView,
) -> Result<(ExitStatus, Vec<Untold>), Failure> {
    let mut requests = view.read(ctx, ledger)?;
    let mut untold = ledger.list_untold()?;
    let listed: HashSet<RequestId> = requests.iter().map(|r| r.id.clone()).collect();
    // A list no longer has requests that have ended since, but a view of one request does.
    for id in untold.keys().filter(|id| !listed.contains(id)) {
        let found = ledger.find_request(id)?;
        requests.extend(found.filter(|request| view.means(ctx, request)));
    }
    let status = standing_status(&requests, ctx.clock.today());
    requests.retain(|request| untold.contains_key(&request.id));
    if requests.is_empty() {
        return Ok((status, Vec::new()));
    }
    ctx.ui.release_warnings();
    let clock = ctx.clock.as_ref();
    let delivery =
        ctx.ui
            .print_status(ledger, &requests, Shown::Untold, Beside::default(), clock)?;
    let told = match delivery {
        Delivery::Made => {
            let shown = requests.iter();
            let shown = shown.filter_map(|request| untold.remove(&request.id));
            shown.flatten().collect()
        }
        Delivery::Failed => Vec::new(),
    };
    Ok((status, told))
}

pub(crate) struct StatusView {
    which: Which,
    pub(crate) scope: Scope,
    pub(crate) shown: Shown,
    /// Requests of an earlier look stay in view.
    seen: Vec<RequestId>,
}

impl StatusView {
    fn of(ctx: &Context, ledger: &Ledger, args: &StatusArgs) -> Result<Self, Failure> {
        let (scope, shown) = match &args.name {
            Some(name) => {
                let named = find_all(ledger, name)?.into_iter();
                (
                    Scope::Requests(named.map(|request| request.id).collect()),
                    Shown::Jobs,
                )
            }
            None if ctx.projects.is_empty() => (Scope::All, Shown::List),
            None => (Scope::Projects(ctx.projects.clone()), Shown::List),
        };
        Ok(Self {
            which: match args.all {
                true => Which::All,
                false => Which::Open,
            },
            scope,
            shown,
            seen: Vec::new(),
        })
    }

    fn means(&self, ctx: &Context, request: &RequestRecord) -> bool {
        let named = match &self.scope {
            Scope::Requests(ids) => ids.contains(&request.id),
            Scope::All | Scope::Projects(_) => true,
        };
        named && ctx.means(&request.asked.project)
    }

    /// Lists the requests that are meant: first those that need the operator, then other open ones,
    /// each by due date; last those that have ended, newest first.
    pub(crate) fn read(
        &mut self,
        ctx: &Context,
        ledger: &Ledger,
    ) -> Result<Vec<RequestRecord>, Failure> {
        let mut requests = match &self.scope {
            Scope::Requests(ids) => {
                let found = ids.iter().map(|id| ledger.find_request(id));
                let found: Result<Vec<_>, _> = found.collect();
                found?.into_iter().flatten().collect()
            }
            Scope::All | Scope::Projects(_) => ledger.list_requests(self.which)?,
        };
        let there: HashSet<&RequestId> = requests.iter().map(|request| &request.id).collect();
        let ended = self.seen.iter().filter(|id| !there.contains(id));
        let ended: Vec<RequestId> = ended.cloned().collect();
        for id in ended {
            requests.extend(ledger.find_request(&id)?);
        }
        requests.retain(|request| ctx.means(&request.asked.project));
        self.seen = requests.iter().map(|request| request.id.clone()).collect();
        requests.sort_by_key(|request| {
            let due = request.is_open().then_some(request.asked.due);
            let needs_nobody = urgency(request) == Urgency::None;
            (due.is_none(), needs_nobody, due)
        });
        Ok(requests)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Unsettled,
    Unsent,
    None,
}

fn urgency(request: &RequestRecord) -> Urgency {
    if request.groups.iter().any(JobGroup::is_unsettled) {
        Urgency::Unsettled
    } else if request.needs_resume() {
        Urgency::Unsent
    } else {
        Urgency::None
    }
}

fn advise(ctx: &Context, ledger: &Ledger, requests: &[RequestRecord]) -> Result<(), Failure> {
    let mut waiting: Option<Vec<Waiting>> = None;
    for request in requests {
        let standing = match urgency(request) {
            Urgency::Unsettled => Standing::Unsettled,
            Urgency::Unsent => Standing::Unsent,
            Urgency::None => continue,
        };
        let Some(job) = ledger.jobs(&request.id, standing).next().transpose()? else {
            continue;
        };
        // A job that waits has a reason. Finding what it waits for reads ids, so do it once.
        if job.state.is_sendable() && job.reason.is_some() && waiting.is_none() {
            let now = ctx.clock.now();
            waiting = Some(workflow::list_seen_waiting(ledger, requests, now)?);
        }
        let waits = waiting.iter().flatten().find(|waits| waits.job == job.id);
        let short = request.id.short();
        let resume = format!("Continue with `dsr resume {short}`");
        let go_on = match urgency(request) {
            Urgency::Unsettled => match settled_by(ctx, ledger, request)? {
                Settles::ByItself(until) => format!("{resume} {}", outcome::before(until)),
                Settles::ByWord => {
                    let jobs = request.count_jobs(JobGroup::is_unsettled);
                    capital(&outcome::by_word(short, jobs))
                }
            },
            Urgency::Unsent | Urgency::None => resume,
        };
        ctx.ui.note(&match waits.map(outcome::waits_for) {
            Some(WaitsFor { why, hint }) => format!("{short} waits: {why}. To continue, {hint}."),
            None => match &job.reason {
                Some(reason) => format!("{short} is {}: {reason}. {go_on}.", job.state.as_str()),
                None if job.state.is_sendable() => {
                    let unsent = deadlines::unsent_text(request);
                    format!("{unsent} yet. To send: `dsr resume {short}`.")
                }
                None => format!("{short} is {}. {go_on}.", job.state.as_str()),
            },
        });
    }
    Ok(())
}

fn settled_by(ctx: &Context, ledger: &Ledger, request: &RequestRecord) -> Result<Settles, Failure> {
    let requests = std::slice::from_ref(request);
    Ok(Settles::of(ledger, requests, ctx.clock.now())?)
}
