//! `dsr import`: sends the events of a file to Mixpanel.

mod checks;
mod refused;
pub(crate) mod sending;

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::domain::{BatchState, ExitStatus, IngestionKind, Project, RequestId, YesFlag};
use crate::intake::ImportFile;
use crate::ledger::{IngestionBatch, IngestionRecord, Ledger, NewIngestion};
use crate::mixpanel::{MOST_EVENTS, MOST_IMPORT_BYTES, Timeouts};
use crate::ui::{Confirmable, Failure, ImportView, number, plural, reading};
use crate::workflow::{self, EventSource, ImportReport, ImportRun, ImportStop, import_lane};

use refused::RefusedFile;
use sending::{
    IngestionArgs, SendingCourse, SendingWords, unconfirmed, warn_of_batches, warn_of_stop,
};

const WORDS: SendingWords = SendingWords {
    records: "events",
    whole: "the import",
    stopped: "import_stopped",
    not_allowed: "Mixpanel does not allow the service account to import",
    check: "check `project_id`, the region and the account's role in the project, then run the same command again",
    elsewhere: "another dsr is importing the same file",
    again: "run the same command again: Mixpanel counts an event once",
};

/// Import events from a file, such as those of an anonymized person
///
/// dsr checks every line before it sends any: a JSON object with `event` and `properties`, which
/// have `time`, `distinct_id` and `$insert_id`. Numbers and texts go out byte for byte. dsr shows the
/// plan and asks for the number of events; without a terminal, add `--yes`. Mixpanel may bill
/// imported events, and only a deletion takes them back.
///
/// After an interruption, run the same command again: it sends only what is not known to be taken,
/// and Mixpanel counts an event once. Events that Mixpanel refuses are written to a file, line by
/// line, for you to correct and import.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr import events.jsonl --dry-run             what would be sent
  dsr import events.jsonl --after q7tz0xma      once that deletion is done
  dsr import events.jsonl --yes                 in a script
  dsr --sandbox import events.jsonl             a rehearsal: nothing real")]
pub(crate) struct ImportArgs {
    /// The events: JSON lines, as `dsr sanitize` writes them
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Refuse unless this deletion is done
    #[arg(long, value_name = "REQUEST")]
    after: Option<String>,
    /// Where to write the events that Mixpanel refuses [default: beside FILE, with `.failed` in its name]
    #[arg(long, value_name = "FILE")]
    failed: Option<PathBuf>,
    /// Import the file although an unfinished import has one of this name with other contents
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    sending: IngestionArgs,
}

/// An import that is about to begin or to go on.
struct Planned {
    project: Project,
    file: ImportFile,
    after: Option<RequestId>,
    /// How many events each batch has.
    batches: Vec<usize>,
    /// The same import, begun before.
    earlier: Option<IngestionRecord>,
    refused: RefusedFile,
}

pub(crate) async fn run(ctx: &mut Context, args: &ImportArgs) -> Result<ExitStatus, Failure> {
    ctx.follow_servers_clock()?;
    let mut resolved = ctx.resolve()?;
    if resolved.len() > 1 {
        return Err(
            usage("dsr imports into one project at a time; nothing was sent")
                .hint("name one with `--project`"),
        );
    }
    let project = resolved.remove(0).project;
    if !args.sending.dry_run {
        ctx.demand_project_id(&project)?;
        ctx.account_of(&project)?;
    }
    args.sending.demand_answer(&ctx.ui, Confirmable::Import)?;
    let file = ImportFile::open(&args.file, MOST_IMPORT_BYTES - 2, &mut reading(&ctx.ui))?;
    let mut planned = plan(ctx, args, project, file)?;
    // What is imported already is not moved any more.
    if planned.left() > 0 {
        warn_of_repeated(ctx, &planned.file);
        warn_of_future(ctx, &planned.file);
    }
    if args.sending.dry_run {
        let view = planned.view(planned.earlier.as_ref());
        ctx.ui.print(&view).map_err(|error| local_io(&error))?;
        return Ok(ExitStatus::Done);
    }
    if let Some(done) = planned.earlier.take_if(|earlier| earlier.is_done()) {
        ctx.ui
            .note("This file is imported already. Nothing was sent.");
        return finish(ctx, &mut planned, &done, None);
    }
    let left = planned.left();
    let question = planned.view(planned.earlier.as_ref()).question(&ctx.mode);
    ctx.ui
        .confirm(
            Confirmable::Import,
            (),
            &question,
            left,
            YesFlag::of(args.sending.yes),
        )
        .map_err(unconfirmed)?;
    let report = send(ctx, &mut planned, &args.sending).await?;
    warn_of_messages(ctx, &report);
    let ingestion = &report.ingestion;
    finish(ctx, &mut planned, ingestion, Some(&report))
}

/// Checks everything that the ledger knows of the file.
fn plan(
    ctx: &Context,
    args: &ImportArgs,
    project: Project,
    mut file: ImportFile,
) -> Result<Planned, Failure> {
    let ledger = ctx.ledger_or_empty()?;
    let after = match &args.after {
        Some(name) => Some(checks::demand_deletion_done(ctx, &ledger, name, &project)?),
        None => None,
    };
    let key = project.key();
    let earlier = ledger.find_ingestion_of(IngestionKind::Import, &key, &file.sha256)?;
    if earlier.is_none() && !args.new {
        checks::refuse_changed(&ledger, &key, &file)?;
    }
    checks::refuse_suppressed(ctx, &ledger, &project, &file)?;
    let refused = RefusedFile::find(args.failed.as_deref(), earlier.as_ref(), &mut file)?;
    Ok(Planned {
        batches: file.batches(MOST_EVENTS, MOST_IMPORT_BYTES),
        project,
        file,
        after,
        earlier,
        refused,
    })
}

impl Planned {
    fn view<'a>(&'a self, ingestion: Option<&'a IngestionRecord>) -> ImportView<'a> {
        ImportView {
            project: &self.project,
            file: &self.file,
            // What is recorded may have come before the deletion.
            after: match ingestion {
                Some(ingestion) => ingestion.asked.after.as_ref(),
                None => self.after.as_ref(),
            },
            batches: self.batches.len(),
            ingestion,
            refused_file: self.refused.written(),
        }
    }

    /// How many events are not known to be settled.
    fn left(&self) -> usize {
        let done = self.earlier.iter().flat_map(|earlier| &earlier.batches);
        let done = done.filter(|batch| batch.state == BatchState::Done);
        self.file.count() - done.map(|batch| batch.records).sum::<usize>()
    }

    /// The import in the ledger, recorded now if it is not there.
    fn record(&self, ctx: &Context, ledger: &mut Ledger) -> Result<IngestionRecord, Failure> {
        let (kind, key) = (IngestionKind::Import, self.project.key());
        let asked = NewIngestion {
            kind,
            project: self.project.name.clone(),
            project_key: key,
            after: self.after.clone(),
            source: self.file.label(),
            source_digest: self.file.sha256.clone(),
            days: Some(self.file.days),
        };
        Ok(ledger.record_ingestion(&asked, &self.batches, ctx.clock.now())?)
    }
}

/// Sends what is left, and shows how far it is.
async fn send(
    ctx: &mut Context,
    planned: &mut Planned,
    args: &IngestionArgs,
) -> Result<ImportReport, Failure> {
    let id = ctx.demand_project_id(&planned.project)?;
    let account = ctx.account_of(&planned.project)?;
    let client = ctx.ingestion_client(&planned.project, Timeouts::default())?;
    let mut ledger = ctx.ledger_to_fill()?;
    let ingestion = planned.record(ctx, &mut ledger)?;
    planned.refused.withdraw()?;
    ctx.interrupt.begin();
    let course = SendingCourse::new(&ctx.ui, &WORDS, ingestion.records);
    let mut run = ImportRun {
        ledger: &mut ledger,
        lane: import_lane(&planned.project, id),
        source: EventSource {
            client: &client,
            target: (id, &account),
            file: &mut planned.file,
        },
        clock: ctx.clock.as_ref(),
        interrupt: &ctx.interrupt,
        max_wait: args.max_wait,
        observer: &course,
    };
    let sent = workflow::import(&mut run, &ingestion.id).await;
    Ok(sent?)
}

/// Writes the refused events, says what is wrong, and prints the import.
fn finish(
    ctx: &Context,
    planned: &mut Planned,
    ingestion: &IngestionRecord,
    report: Option<&ImportReport>,
) -> Result<ExitStatus, Failure> {
    // While another dsr sends the file, what is refused is not known.
    if report.and_then(|report| report.stop.as_ref()) != Some(&ImportStop::Elsewhere) {
        planned.refused.write(ingestion, &mut planned.file)?;
    }
    let status = tell(ctx, planned, ingestion, report);
    let view = planned.view(Some(ingestion));
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(status)
}

/// Warns of what did not go through, and returns the status.
fn tell(
    ctx: &Context,
    planned: &Planned,
    ingestion: &IngestionRecord,
    report: Option<&ImportReport>,
) -> ExitStatus {
    if let Some(report) = report {
        warn_of_batches(ctx, report, &|number| {
            let batch = ingestion.batches.iter().find(|b| b.id.number == number);
            batch.map_or_else(String::new, lines_of)
        });
    }
    let stop = report.and_then(|report| report.stop.as_ref());
    let refused = ingestion.refused().len();
    let all = refused + ingestion.failed();
    // While another dsr sends the file, it writes them at its end.
    if all > 0 && stop != Some(&ImportStop::Elsewhere) {
        let file = planned.refused.path().display();
        let next = match planned.refused.written() {
            Some(_) => format!("correct the lines of `{file}` and import that file"),
            None => format!(
                "`{file}` does not have exactly their lines, and dsr leaves it as it is: add `--failed FILE` to have them in another file"
            ),
        };
        let events = plural(all, "event", "events");
        ctx.ui
            .warn("refused", &format!("Mixpanel refused {events}; {next}"));
    }
    if let Some(report) = report {
        warn_of_stop(ctx, report, &WORDS);
    }
    status_of(ingestion, stop, refused)
}

/// For example ` (lines 1 to 2000)`.
fn lines_of(batch: &IngestionBatch) -> String {
    let (first, last) = (batch.first + 1, batch.first + batch.records);
    match first == last {
        true => format!(" (line {first})"),
        false => format!(" (lines {first} to {last})"),
    }
}

/// Of the whole import, not of this run: a refusal is told only once all the rest is taken.
pub(crate) fn status_of(
    ingestion: &IngestionRecord,
    stop: Option<&ImportStop>,
    refused: usize,
) -> ExitStatus {
    let has = |state| ingestion.count_in(state) > 0;
    let is_unknown = has(BatchState::Unknown) || has(BatchState::Sending);
    match stop {
        Some(ImportStop::Interrupted(signal)) => return signal.exit_status(),
        Some(ImportStop::Elsewhere) => return ExitStatus::Locked,
        _ => {}
    }
    match stop {
        _ if is_unknown => ExitStatus::Unknown,
        Some(ImportStop::NotAllowed { .. }) => ExitStatus::Auth,
        _ if has(BatchState::Planned) => ExitStatus::Temporary,
        _ if refused > 0 || has(BatchState::Failed) => ExitStatus::Refused,
        _ => ExitStatus::Done,
    }
}

fn warn_of_repeated(ctx: &Context, file: &ImportFile) {
    let count = file.repeated.count;
    if count == 0 {
        return;
    }
    let lines: Vec<String> = file.repeated.lines.iter().map(usize::to_string).collect();
    let more = match count - lines.len() {
        0 => String::new(),
        more => format!(" and {} more", number(more)),
    };
    ctx.ui.warn(
        "repeated_events",
        &format!(
            "{} the event name, `time`, `distinct_id` and `$insert_id` of an earlier line (lines {}{more}): Mixpanel counts the last of them only",
            plural(count, "line has", "lines have"),
            lines.join(", "),
        ),
    );
}

/// Mixpanel sets a time in the future to the moment of its arrival (its import reference).
fn warn_of_future(ctx: &Context, file: &ImportFile) {
    if file.latest > ctx.clock.now() {
        let latest = file
            .latest
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let message = format!(
            "the latest event is of {latest}: Mixpanel counts an event of the future as one of the moment when it arrives"
        );
        ctx.ui.warn("future_events", &message);
    }
}

/// Says why Mixpanel refused single events.
fn warn_of_messages(ctx: &Context, report: &ImportReport) {
    for ((field, message), count) in report.messages.iter().take(5) {
        let events = plural(*count, "event", "events");
        let field = field.as_str();
        ctx.ui.warn(
            "refused",
            &format!("{events} refused for `{field}`: {message}"),
        );
    }
}
