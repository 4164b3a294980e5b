//! `dsr verify`: whether the events of a deletion's people are gone.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::context::named::find_meant;
use crate::commands::failures::{local_io, usage};
use crate::domain::{CheckedPeople, ExitStatus, Kind};
use crate::intake::{Event, EventOptions, EventsRead, Format, Place, Source, read_events};
use crate::ledger::ErasedBy;
use crate::ui::{Failure, VerifyView, damage_text, plural, reading};
use crate::workflow::{ErasureSearch, SuppressedIndex};

use super::minimise::key_or_any;

/// Check whether the events of erased people are gone
///
/// Give dsr a raw export that you fetched from Mixpanel after the deletion: JSON lines, also as gzip
/// or zstd. Let it begin before the deletion and end today. dsr calls nobody, compares the ids of
/// each event byte for byte, and never shows one.
///
/// Each person is absent, present, re-collected or not checkable. An event from after the deletion
/// was sent means re-collected. An older event means present; in the first 30 days after the
/// deletion was done it means "not yet", since raw exports may still show such events. Nobody is
/// absent if the file may lack events: it has lines that are not events, or its last line has no line
/// end. dsr refuses (5) a file that does not unpack to its end.
///
/// The ledger, the audit trail and `dsr report REQUEST` keep the counts. dsr does not check profiles.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr verify q7tz0xma --events export.jsonl.gz
  dsr verify q7tz0xma --events september.jsonl --events october.jsonl
  dsr verify q7tz0xma --events export.jsonl --exit-status       0 only if everyone is absent")]
pub(crate) struct VerifyErasureArgs {
    /// A deletion (at least four characters of its id) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: String,
    /// A raw export, or `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    /// Exit with status 1 if a person is present or re-collected, else 5 if a person is not
    /// checkable, else 8 if the deletion of a person is not done, or not yet visible
    #[arg(long)]
    exit_status: bool,
}

pub(crate) fn run(ctx: &mut Context, args: &VerifyErasureArgs) -> Result<ExitStatus, Failure> {
    let files = args.events.iter();
    let sources: Vec<Source> = files.map(|path| Source::from_path(path)).collect();
    for label in Source::find_repeated(&sources)? {
        ctx.ui.warn(
            "repeated_source",
            &format!("{label} is named twice, and its events are counted twice"),
        );
    }
    let mut ledger = ctx.ledger()?;
    let request = find_meant(ctx, &ledger, &args.name)?;
    if request.asked.operation.kind() != Kind::Delete {
        return Err(usage(
            "this request is an export: nothing of it should be gone; nothing was checked",
        )
        .hint("list the deletions with `dsr status --all --cached`"));
    }
    let (key, has_key) = key_or_any(ctx, &ledger)?;
    let by = ErasedBy {
        project: &|name| *name == request.asked.project,
        since: None,
    };
    let index = SuppressedIndex::read_of(&ledger.erased(&key, &by)?, &request.id)?;
    let mut search = ErasureSearch::new(&request, &index, &key);
    let mut progress = reading(&ctx.ui);
    let options = EventOptions {
        format: Some(Format::JsonLines),
        ..EventOptions::default()
    };
    let mut take = |place: Place<'_>, event: &Event<'_>| search.take(place, event);
    let read = read_events(&sources, &options, &mut take, &mut progress);
    drop(progress);
    let read = read.map_err(|error| {
        let hint = "nothing was recorded; name a raw export as Mixpanel sent it, whole";
        Failure::from(error).hint(hint)
    })?;
    let now = ctx.clock.now();
    let findings = search.finish(&read, now);
    warn_of_gaps(ctx, &read, findings.foreign);
    ledger.record_erasure_check(&request.id, &findings.counts, now)?;
    let view = VerifyView {
        request: &request,
        findings: &findings,
        read: &read,
        has_key,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(match args.exit_status {
        true => status_of(&findings.counts),
        false => ExitStatus::Done,
    })
}

/// Warns of what may be missing from the files.
fn warn_of_gaps(ctx: &Context, read: &[EventsRead], foreign: usize) {
    let warn = |text: &str| ctx.ui.warn("damaged_lines", text);
    for text in read.iter().filter_map(damage_text) {
        warn(&text);
    }
    for read in read.iter().filter(|read| read.reading.is_unended) {
        let label = &read.reading.label;
        warn(&format!(
            "the last line of {label} has no line end: the export may be cut off there, so nobody counts as absent; fetch it again"
        ));
    }
    if foreign > 0 {
        let lines = plural(foreign, "line is not an event", "lines are not events");
        warn(&format!(
            "{lines} of a raw export: a name or a time is missing, so nobody counts as absent; fetch the export again"
        ));
    }
}

fn status_of(counts: &CheckedPeople) -> ExitStatus {
    if counts.present + counts.recollected > 0 {
        // This has no status of its own; 1 is for everything not listed.
        ExitStatus::Bug
    } else if counts.not_checkable > 0 {
        ExitStatus::Input
    } else if counts.not_yet + counts.not_done > 0 {
        ExitStatus::Running
    } else {
        ExitStatus::Done
    }
}
