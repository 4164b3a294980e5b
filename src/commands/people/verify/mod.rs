//! `dsr verify`: whether the people of deletions are gone.

mod asked;
mod scope;

use std::path::PathBuf;
use std::sync::Arc;

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::commands::people::minimise::{self, key_or_any};
use crate::commands::status::deadlines::whole_days;
use crate::domain::{ExitStatus, PersonHasher, ProjectZone};
use crate::intake::{Event, EventOptions, EventsRead, Format, Place, Source, read_events};
use crate::ui::{Failure, Verified, VerifyView, damage_text, plural, reading};
use crate::workflow::{
    ErasureFindings, ErasureSearch, Examined, ExportGap, MissingDays, Searched, SuppressedIndex,
};

use asked::{AskedCheck, AskingArgs, Obtained};
use scope::ToVerify;

/// Check whether erased people are gone
///
/// dsr asks Mixpanel for all events from eight days before the deletion until today, with the service
/// account. It compares the ids of each event byte for byte, and keeps no event and shows no id. The
/// query names nobody: an id in an address would be in the logs of proxies. With `--events`, dsr reads
/// exports that you fetched, and calls nobody.
///
/// Each person is absent, present, re-collected or not checkable. An event from after the deletion
/// was sent means re-collected. An older event means present; in the first 30 days after the
/// deletion was done it means "not yet", since raw exports may still show such events. A profile
/// means present, too. Nobody is absent if events may be missing. The result holds for the days that
/// dsr names, and for no others.
///
/// dsr asks for profiles of people whose ids it knows: from `--ids`, or from the ledger if the project
/// keeps them (`dsr project set NAME --verify on`).
///
/// The ledger, the audit trail and `dsr report REQUEST` keep the counts.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr verify q7tz0xma                       asks Mixpanel
  dsr verify q7tz0xma --ids ids.csv         asks for the profiles of these people, too
  dsr verify --since 90d --exit-status      in cron: 1 if a person is present or re-collected
  dsr verify q7tz0xma --events export.jsonl.gz
  dsr verify q7tz0xma --exit-status         0 only if everyone is absent")]
#[command(group = clap::ArgGroup::new("which").args(["name", "since"]).required(true))]
pub(crate) struct VerifyErasureArgs {
    /// A deletion (at least four characters of its id) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: Option<String>,
    /// Check every deletion of the project that was done in the last DAYS, with one export
    #[arg(long, value_name = "DAYS", value_parser = days_back)]
    since: Option<i64>,
    /// A raw export instead of Mixpanel, or `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "max_wait"])]
    events: Vec<PathBuf>,
    #[command(flatten)]
    asking: AskingArgs,
    /// Exit with status 1 if a person is present or re-collected, or had a profile that this check
    /// does not show to be gone; else 5 if a person is not checkable, else 7 if a part of a
    /// deletion ended without being done and no later one has its people, else 8 if the deletion of a
    /// person is not done, or not yet visible
    #[arg(long)]
    exit_status: bool,
}

pub(crate) async fn run(ctx: &mut Context, args: VerifyErasureArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let (key, has_key) = key_or_any(ctx, &ledger)?;
    let scope = ToVerify::find(ctx, (&ledger, &key), args.name.as_deref(), args.since)?;
    let (index, spared) = scope.index(&ledger, &key)?;
    let index = Arc::new(index);
    // Nobody is left to ask about if later deletions have all these people.
    let is_covered = index.count() == 0
        && scope.requests.iter().all(|request| {
            let of_request = spared.get(&request.id);
            of_request.is_some_and(|spared| spared.failed == 0)
        });
    let found = match (is_covered, args.events.is_empty()) {
        (true, _) => Obtained::default(),
        (false, true) => {
            let asking = AskedCheck {
                scope: &scope,
                index: &index,
                key: &key,
                args: &args.asking,
            };
            asking.ask(ctx, &mut ledger).await?
        }
        (false, false) => {
            // A project that is no longer set up has no zone.
            let resolved = ctx.resolve_named(&scope.project).ok();
            let zone = resolved.map_or_else(ProjectZone::default, |found| found.project.zone);
            Obtained {
                covers: args.asking.days_of_files(zone.day(ctx.clock.now()))?,
                searched: search_files(ctx, &args.events, (zone, &index), key.hasher())?,
                zone,
                ..Obtained::default()
            }
        }
    };
    let now = ctx.clock.now();
    let examined = Examined {
        index: &index,
        searched: &found.searched,
        window: found.window,
        covers: found.covers,
        zone: found.zone,
        spared: &spared,
        profiles: &found.profiles,
        now,
    };
    let mut checks = examined.findings(&scope.requests);
    for check in &mut checks {
        if !check.counts.is_whole_of_profiles() {
            check.counts.found_before = ledger.find_profiles_found(&check.request.id)?;
        }
    }
    warn_of_gaps(ctx, &found.searched);
    warn_of_days(ctx, &checks);
    for check in &checks {
        ledger.record_erasure_check(&check.request.id, &check.counts, now)?;
    }
    let failed = examined.findings(&scope.failed).into_iter();
    checks.extend(failed.filter(|check| check.spared.failed > 0));
    warn_of_failed(ctx, &checks);
    if !found.profiles.is_empty() {
        minimise::sweep(ctx, &mut ledger);
    }
    let view = VerifyView {
        verified: match args.since {
            None => Verified::One,
            Some(days) => Verified::Since(days),
        },
        project: &scope.project,
        checks: &checks,
        searched: &found.searched,
        window: found.window,
        covers: found.covers,
        has_key,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    let is_somebody_shown = checks.iter().any(|check| !check.people.is_empty());
    if has_key && args.name.is_some() && is_somebody_shown {
        ctx.ui.note(
            "To see who it is, run `dsr find FILE` with your list: it shows the same hashes.",
        );
    }
    Ok(match args.exit_status {
        true => status_of(&checks),
        false => ExitStatus::Done,
    })
}

/// Reads the days of `--since`. A date is likely, and `--since` takes none.
fn days_back(text: &str) -> Result<i64, String> {
    match (whole_days(text), text.parse::<chrono::NaiveDate>()) {
        (Ok(0), _) => Err("write at least one day, such as `--since 30d`".to_owned()),
        (Err(_), Ok(_)) => Err(
            "write the number of days until today, such as `--since 30d`, not a date".to_owned(),
        ),
        (days, _) => days,
    }
}

fn search_files(
    ctx: &Context,
    files: &[PathBuf],
    (zone, index): (ProjectZone, &SuppressedIndex),
    hasher: PersonHasher,
) -> Result<Searched, Failure> {
    let sources: Vec<Source> = files.iter().map(|path| Source::from_path(path)).collect();
    for label in Source::find_repeated(&sources)? {
        ctx.ui.warn(
            "repeated_source",
            &format!("{label} is named twice, and its events are counted twice"),
        );
    }
    let mut search = ErasureSearch::new(index, hasher, ctx.clock.now());
    let mut progress = reading(&ctx.ui);
    let options = EventOptions {
        format: Some(Format::JsonLines),
        zone,
        ..EventOptions::default()
    };
    let mut take = |place: Place<'_>, event: &Event<'_>| search.take(place, event);
    let read = read_events(&sources, &options, &mut take, &mut progress);
    drop(progress);
    let read = read.map_err(|error| {
        let hint = "nothing was recorded; name a raw export as Mixpanel sent it, whole";
        Failure::from(error).hint(hint)
    })?;
    Ok(search.finish(read))
}

/// Warns of what may be missing from the events.
fn warn_of_gaps(ctx: &Context, searched: &Searched) {
    let warn = |text: &str| ctx.ui.warn("damaged_lines", text);
    for text in searched.read.iter().filter_map(damage_text) {
        warn(&text);
    }
    let is_unended = |read: &&EventsRead| read.reading.is_unended;
    for read in searched.read.iter().filter(is_unended) {
        let label = &read.reading.label;
        warn(&format!(
            "the last line of {label} has no line end: the export may be cut off there, so nobody counts as absent; fetch it again"
        ));
    }
    if searched.foreign > 0 {
        let lines = plural(
            searched.foreign,
            "line is not an event",
            "lines are not events",
        );
        warn(&format!(
            "{lines} of a raw export: a name, a time or a readable `distinct_id` is missing, so nobody counts as absent; fetch the export again"
        ));
    }
    match searched.gap {
        None => {}
        Some(ExportGap::NoEvent) => warn(
            "Mixpanel has no event at all in these days, so nobody counts as absent; check `project_id` with `dsr project show`, or name other days with `--from` and `--to`",
        ),
        Some(ExportGap::NoEnd) => warn(
            "nothing told where the export ends, so nobody counts as absent; try again without a proxy that changes answers",
        ),
    }
}

/// Warns of deletions whose days are not among the events.
fn warn_of_days(ctx: &Context, checks: &[ErasureFindings<'_>]) {
    for check in checks {
        // A project may have no later event: only the operator knows what a file covers.
        let of_files = match check.counts.window.or(check.counts.covers) {
            None => ", or name the days that the files cover: `--from DATE --to DATE`",
            Some(_) => "",
        };
        let (events, which, or) = match check.missing {
            None => continue,
            Some(MissingDays::Sent) => ("end before", "later", of_files),
            Some(MissingDays::LongBefore) => ("end more than 8 days before", "later", ""),
            Some(MissingDays::Before) => ("begin after", "earlier", of_files),
        };
        let text = format!(
            "the events {events} the deletion {} was sent, so nobody counts as absent; check events of {which} days, too{or}",
            check.request.id.short()
        );
        ctx.ui.warn("other_days", &text);
    }
}

/// Warns of people whose part of a deletion ended without being done: no later check finds it done.
fn warn_of_failed(ctx: &Context, checks: &[ErasureFindings<'_>]) {
    for check in checks.iter().filter(|check| check.spared.failed > 0) {
        let id = check.request.id.short();
        let what = match check.counts.done() {
            0 => "",
            _ => "a part of ",
        };
        let text = format!(
            "{what}the deletion {id} ended without being done: {} not checked; see why with `dsr status {id}`. Unless it was cancelled on purpose, send their deletion again",
            plural(check.spared.failed, "person is", "people are"),
        );
        ctx.ui.warn("part_failed", &text);
    }
}

fn status_of(checks: &[ErasureFindings<'_>]) -> ExitStatus {
    let is_any = |is: fn(&ErasureFindings<'_>) -> bool| checks.iter().any(is);
    if is_any(|check| check.counts.has_found()) {
        // This has no status of its own; 1 is for everything not listed.
        ExitStatus::Bug
    } else if is_any(|check| check.counts.not_checkable > 0) {
        ExitStatus::Input
    } else if is_any(|check| check.spared.failed > 0) {
        ExitStatus::Failed
    } else if is_any(|check| check.counts.not_yet + check.waiting() > 0) {
        ExitStatus::Running
    } else {
        ExitStatus::Done
    }
}
