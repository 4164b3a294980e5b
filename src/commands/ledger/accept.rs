//! `dsr ledger accept`: continues with a ledger that was set back.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::commands::context::ledger::PEOPLE_LOST;
use crate::commands::context::{Context, holders};
use crate::commands::failures::{local_io, no_ledger, usage};
use crate::domain::{ExitStatus, Kind, YesFlag};
use crate::ledger::{self, Anchor, JobGroup, LedgerError, MaybeSent, Seen, SetBack, Which};
use crate::ui::{AcceptedView, Confirmable, Failure, capital, number, plural};

/// What the ledger lacks, the jobs that may have been sent, and the time of the last entry that is
/// certainly not lost.
type Lost = (SetBack, Vec<MaybeSent>, Option<DateTime<Utc>>);

const NAMED: usize = 20;

/// Continue with a ledger that was restored from an older copy
///
/// dsr shows which jobs may have been sent in the lost time, and asks for their number, or for the
/// word `accept` if there are none. Without a terminal, add `--yes`. dsr then marks those jobs
/// unknown. After that you must decide about each: `dsr resume` with `--task`, `--send-again` or
/// `--abandon`. The audit trail records your decision and the entry that this host had seen. dsr
/// sends nothing.
///
/// A request that was recorded in the lost time is not in this ledger. If there is a newer copy,
/// restore that first. Afterwards compare Mixpanel's list of tasks with `dsr status`. People
/// deleted in the lost time are missing from the suppression list: keep the last list that your
/// servers have.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr ledger accept
  dsr ledger accept --yes      in a script
  dsr ledger accept --lost-since 2026-11-29T08:00:00Z      after a failover that lost entries
  dsr status                   then: the unknown jobs
  dsr ledger accept --reviewed 'T-3 and T-4 sent again'    after your review")]
pub(super) struct AcceptArgs {
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Mark as unknown what may have been sent since then, although no host misses an entry
    ///
    /// Use this if you know that entries are lost: a failover lost the newest ones, the server or
    /// the whole machine was set back. TIME is the time of the copy, or of the last entry that is
    /// left, in UTC: `2026-11-29T08:00:00Z`. Stop dsr on all hosts before.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    lost_since: Option<DateTime<Utc>>,
    /// Record that you have reviewed what the ledger lacks, and end the warnings
    ///
    /// NOTE is your summary for the auditors. Do this when each lost request is resolved or sent
    /// again, and your servers still have the people of the last suppression list.
    #[arg(long, value_name = "NOTE", conflicts_with_all = ["yes", "lost_since"])]
    reviewed: Option<String>,
}

pub(super) fn run(ctx: &Context, args: &AcceptArgs) -> Result<ExitStatus, Failure> {
    if ctx.is_without_ledger()? {
        return Err(no_ledger(&ctx.home.ledger()));
    }
    if let Some(note) = &args.reviewed {
        return review(ctx, note);
    }
    refuse_beside_senders(ctx)?;
    let lost = find_lost(ctx, args.lost_since)?;
    let Some((set_back, jobs, kept_until)) = lost else {
        let last = ctx.open_set_back()?.audit_head()?.at;
        let last = last.to_rfc3339_opts(SecondsFormat::Secs, true);
        ctx.ui.note(&format!(
            "If you know that newer entries are lost, such as by a failover: `dsr ledger accept --lost-since {last}`."
        ));
        let view = AcceptedView::default();
        ctx.ui.print(&view).map_err(|error| local_io(&error))?;
        return Ok(ExitStatus::Done);
    };
    let count = jobs.iter().map(|request| request.jobs).sum();
    ctx.ui
        .confirm(
            Confirmable::Acceptance,
            &set_back,
            &question(&set_back, &jobs, kept_until, ctx.clock.now()),
            count,
            YesFlag::of(args.yes),
        )
        .map_err(|error| Failure::from(error).or_hint("nothing was changed; add `--yes`"))?;
    let mut ledger = ctx.open_set_back()?;
    let accepted = ledger.record_set_back_accepted(&set_back, ctx.clock.now())?;
    ctx.warn_of_lost_time(&ledger, PEOPLE_LOST)?;
    let view = AcceptedView {
        accepted: Some((&set_back, &accepted)),
        ..AcceptedView::default()
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    if accepted.jobs > 0 {
        ctx.ui.note(
            "See the unknown jobs with `dsr status`. dsr does not resolve them. Look for their tasks in Mixpanel, then run `dsr resume REQUEST` with `--task TASK_ID`, `--send-again` or `--abandon`.",
        );
    }
    Ok(ExitStatus::Done)
}

fn review(ctx: &Context, note: &str) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let lost = ledger.list_lost_times()?;
    if lost.iter().all(|lost| lost.review.is_some()) {
        let what = match lost.is_empty() {
            true => "nobody has accepted an older copy of this ledger",
            false => "the review of what this ledger lacks is already recorded",
        };
        return Err(usage(format!("{what}; nothing was recorded"))
            .hint("see what is recorded with `dsr ledger status`"));
    }
    ledger.record_set_back_reviewed(note, ctx.clock.now())?;
    let open = ledger.list_requests(Which::Open)?;
    let unknown: usize = open
        .iter()
        .map(|request| request.count_jobs(JobGroup::is_unsettled))
        .sum();
    if unknown > 0 {
        ctx.ui.warn(
            "unsettled",
            &format!(
                "{} still unknown; `dsr status` lists the requests",
                plural(unknown, "job is", "jobs are")
            ),
        );
    }
    let reviewed = ledger.list_lost_times()?;
    let view = AcceptedView {
        reviewed: reviewed.last().and_then(|lost| lost.review.as_ref()),
        ..AcceptedView::default()
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, humantime::TimestampError> {
    humantime::parse_rfc3339_weak(text).map(DateTime::from)
}

/// Finds what the ledger lacks, and which jobs may have been sent. `None` if it lacks nothing.
fn find_lost(ctx: &Context, known_since: Option<DateTime<Utc>>) -> Result<Option<Lost>, Failure> {
    let ledger = match ctx.has_ledger()? {
        true => ctx.open_set_back()?,
        false => {
            let seen = ledger::find_seen(&ctx.home.ledger())?;
            let set_back = SetBack {
                seen,
                head: None,
                known_since,
            };
            return Ok(Some((set_back, Vec::new(), None)));
        }
    };
    if ledger.is_copy_of_a_server() {
        return Err(LedgerError::ServerCopy.into());
    }
    let found = ledger.find_set_back()?;
    if found.is_none() && known_since.is_none() {
        return Ok(None);
    }
    let has_trail = found.as_ref().is_none_or(|found| found.head.is_some());
    let last = has_trail.then(|| ledger.audit_head()).transpose()?;
    let set_back = match found {
        Some(found) => SetBack {
            known_since,
            ..found
        },
        None => SetBack {
            seen: Seen::Nothing,
            head: last.map(|last| Anchor {
                count: last.count,
                hash: last.hash,
            }),
            known_since,
        },
    };
    let kept_until = ledger.find_kept_until(&set_back)?;
    Ok(Some((set_back, ledger.list_maybe_sent()?, kept_until)))
}

/// Refuses while another dsr sends: the operator must not decide about its jobs yet.
fn refuse_beside_senders(ctx: &Context) -> Result<(), Failure> {
    let senders = ctx.list_senders()?;
    match senders.first() {
        None => Ok(()),
        Some(sender) => Err(usage(format!(
            "another dsr is sending ({}); nothing was changed",
            holders::describe(sender)
        ))
        .hint("when that dsr has ended, run `dsr ledger accept` again")),
    }
}

fn question(
    set_back: &SetBack,
    requests: &[MaybeSent],
    kept_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> String {
    let mut text = format!("{}.\n", capital(&set_back.to_string()));
    let now = minute(now);
    let (lost, missing) = match (kept_until.map(minute), &set_back.head) {
        (Some(since), _) => (
            format!("from {since} to {now}"),
            format!("after {since} are not in"),
        ),
        (None, Some(_)) => (
            format!("before {now}"),
            format!("before {now} may be missing from"),
        ),
        (None, None) => (format!("before {now}"), format!("before {now} are not in")),
    };
    text.push_str(&format!("It may lack what was recorded {lost}.\n"));
    if requests.is_empty() {
        text.push_str("No job of this ledger can have been sent since.\n");
    } else {
        text.push_str(
            "dsr does not know whether these jobs were sent. It will mark them \"unknown\":\n",
        );
    }
    for one in requests.iter().take(NAMED) {
        let kind = match one.kind {
            Kind::Export => "export",
            Kind::Delete => "delete",
        };
        text.push_str(&format!(
            "  {} {kind}, project {}: {}, {}\n",
            one.request.short(),
            one.project,
            plural(one.jobs, "job", "jobs"),
            plural(one.ids, "id", "ids"),
        ));
    }
    if requests.len() > NAMED {
        let more = number(requests.len() - NAMED);
        text.push_str(&format!("  and {more} more requests\n"));
    }
    text.push_str(&format!(
        "Requests made {missing} this copy. Find them in your tickets, and send them again."
    ));
    text
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
