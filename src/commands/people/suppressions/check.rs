//! `dsr suppressions check`: suppressed people in files of events.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::domain::{ExitStatus, ProjectZone};
use crate::intake::{EventOptions, Format, Source, read_events};
use crate::ledger::ErasedBy;
use crate::ui::{Failure, RecollectedView, damage_text, reading};
use crate::workflow::{Recollected, Search, SuppressedIndex};

use crate::commands::context::ledger::PEOPLE_LOST;
use crate::commands::people::minimise::key_or_any;

/// Find erased people in files of events: who was collected again
///
/// dsr reads events in the form of Mixpanel's raw export or of your servers' logs: JSON lines, one
/// JSON array, or a table with a heading, also as gzip or zstd. dsr uses `distinct_id` or
/// `$user_id`; if both are missing, `$device_id`. A device listed with another person is counted
/// separately. dsr compares ids byte for byte, and never shows them.
///
/// dsr sorts each event by its time: when Mixpanel received it (`$mp_api_timestamp_ms`,
/// `mp_processing_time_ms`), or else its `time`. An event comes after the deletion was done; while
/// it ran; before it was sent; or without a time. A deletion counts as done when dsr learns of it
/// from Mixpanel. An event from before a deletion is in a copy that the deletion does not reach. A
/// later finished deletion also covers earlier events. In raw exports of projects older than 2023,
/// `time` is in the project's time zone. If such an export does not say when Mixpanel received an
/// event, its time may be off by hours.
///
/// Lines that are not events are counted and reported.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr suppressions check events.jsonl.gz
  dsr suppressions check --exit-status - < today.jsonl     in cron: 1 if a person was collected again
  dsr suppressions check --column who --time-column at app.log --format jsonl
  dsr suppressions check --project shop --json events.csv")]
pub(super) struct CheckEventsArgs {
    /// Files of events, or `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The format of the files [default: recognized]
    #[arg(long, value_enum)]
    format: Option<EventFormat>,
    /// The column or key that names the person, instead of the known names; also OUTER.KEY
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// The column or key with the time of an event, instead of the known names
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// Exit with status 1 if a person was collected again, else 5 if lines were damaged, else 6 if
    /// the ledger was set back and nobody has reviewed what it lacks
    #[arg(long)]
    exit_status: bool,
}

/// The format of a file of events.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum EventFormat {
    /// A table with a heading
    Csv,
    /// One JSON object a line
    Jsonl,
    /// One JSON array
    Json,
}

pub(super) fn run(ctx: &mut Context, args: &CheckEventsArgs) -> Result<ExitStatus, Failure> {
    let sources: Vec<Source> = args
        .files
        .iter()
        .map(|path| Source::from_path(path))
        .collect();
    for label in Source::find_repeated(&sources)? {
        ctx.ui.warn(
            "repeated_source",
            &format!("{label} is named twice, and its events are counted twice"),
        );
    }
    let ledger = ctx.ledger()?;
    let (key, has_key) = key_or_any(ctx, &ledger)?;
    let by = ErasedBy {
        project: &|name| ctx.means(name),
        since: None,
    };
    let index = SuppressedIndex::read(&ledger.erased(&key, &by)?)?;
    let mut search = Search::new(&index, key.hasher());
    let mut progress = reading(&ctx.ui);
    let options = args.options();
    let read = read_events(
        &sources,
        &options,
        &mut |place, event| search.take(place, event),
        &mut progress,
    );
    drop(progress);
    let read = read?;
    let people = search.finish();
    let lacks_people = ctx.warn_of_lost_time(&ledger, PEOPLE_LOST)?;
    for text in read.iter().filter_map(damage_text) {
        ctx.ui.warn("damaged_lines", &text);
    }
    let view = RecollectedView {
        erased: index.count(),
        read: &read,
        people: &people,
        has_key,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    let again = |person: &Recollected| person.events.again() > 0;
    let is_damaged = read.iter().any(|read| read.problems.count() > 0);
    Ok(match (args.exit_status, people.iter().any(again)) {
        // This has no status of its own; 1 is for everything not listed.
        (true, true) => ExitStatus::Bug,
        (true, false) if is_damaged => ExitStatus::Input,
        // People erased in the lost time are missing from the list.
        (true, false) if lacks_people => ExitStatus::Unknown,
        (true | false, _) => ExitStatus::Done,
    })
}

impl CheckEventsArgs {
    fn options(&self) -> EventOptions {
        EventOptions {
            format: self.format.map(|format| match format {
                EventFormat::Csv => Format::Table,
                EventFormat::Jsonl => Format::JsonLines,
                EventFormat::Json => Format::JsonArray,
            }),
            column: self.column.clone(),
            time_column: self.time_column.clone(),
            delimiter: None,
            // The log of a server counts in UTC.
            zone: ProjectZone::default(),
        }
    }
}
