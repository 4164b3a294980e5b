//! `dsr suppressions export`: the suppression list as a file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveTime};
use tempfile::NamedTempFile;

use crate::commands::context::Context;
use crate::commands::failures::{in_the_way, local_io, usage};
use crate::config::{folder_of, replace, sync_file};
use crate::domain::{ExitStatus, ProjectName};
use crate::ledger::ErasedBy;
use crate::ui::{
    Failure, ListCounts, ListFormat, ListWrittenView, SuppressionList, number, plural,
};
use crate::workflow::HeldIds;

use crate::commands::context::ledger::PEOPLE_LOST;
use crate::commands::people::minimise::people_key;

use super::replaced;

/// Write the list of people not to track again
///
/// The list has the people of deletions that Mixpanel has accepted, started or done, each once a
/// project. It also has the people of deletions with an unknown outcome, since Mixpanel may have
/// erased them. The list leaves out deletions that were not sent, refused, failed or revoked; dsr
/// says how many people that is. Make a new list when you have sent or cancelled deletions, or
/// every day in cron. `--replace` refuses (2) if the new list lacks people of the old list, or if
/// the old list is empty or was cut off.
///
/// The ledger keeps no ids of jobs that have ended, so the list has keyed hashes, in an order that
/// reveals nothing. Each is the first 32 hex digits of HMAC-SHA-256 of the distinct_id's UTF-8,
/// under the 32 bytes of the ledger key. Your servers need that key to look people up: give them a
/// file with the key, from `dsr auth ledger-key --to FILE`. With the key, and the list or the
/// ledger, anyone can test guesses, so protect both like passwords.
///
/// If no server may have the key, keep your own list of the erased ids, or take the ids with
/// `--ids` while the ledger still has them.
#[derive(clap::Args, Debug)]
#[command(after_long_help = concat!("Examples:
  dsr suppressions export --output suppressed.txt --replace   in cron, for your servers
  dsr suppressions export --project shop                      one project, on standard output
  dsr suppressions export --since 2026-11-01 --format csv     only people added since; none who left
  dsr suppressions export --ids --output ids.jsonl            the ids that the ledger still keeps

In Python, with the list and the key's file in the same folder:

", include_str!("../../../guide/list.py"), "
In Node:

", include_str!("../../../guide/list.js"), "
In Java: `dsr guide opt-out --sdk server`"))]
pub(super) struct ExportListArgs {
    /// The format of the list [default: text; with --ids jsonl]
    #[arg(long, value_enum)]
    format: Option<ListFormatArg>,
    /// Write the list to this file instead of standard output; only you can read the file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing list, unless the new list lacks people of it
    #[arg(long, requires = "output")]
    replace: bool,
    /// Replace the list even if people are missing from it. Your servers will track those people
    /// again
    #[arg(long, requires = "replace")]
    allow_fewer: bool,
    /// List only people of deletions that were sent on this day or later (UTC)
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// List the ids that the ledger still keeps: personal data
    #[arg(long)]
    ids: bool,
}

/// What a list is written as.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum ListFormatArg {
    /// A hash a line, and lines with `#` that describe the list
    Text,
    /// A table of hash, project, erasure and key
    Csv,
    /// A JSON object a line
    Jsonl,
}

impl ExportListArgs {
    fn format(&self) -> Result<ListFormat, Failure> {
        match (self.format, self.ids) {
            (None, true) | (Some(ListFormatArg::Jsonl), _) => Ok(ListFormat::JsonLines),
            (None | Some(ListFormatArg::Text), false) => Ok(ListFormat::Text),
            (Some(ListFormatArg::Csv), false) => Ok(ListFormat::Csv),
            (Some(ListFormatArg::Text | ListFormatArg::Csv), true) => {
                Err(usage("`--ids` works only with `--format jsonl`").hint("leave `--format` out"))
            }
        }
    }
}

pub(super) fn run(ctx: &mut Context, args: &ExportListArgs) -> Result<ExitStatus, Failure> {
    let format = args.format()?;
    match args.output.as_deref() {
        Some(path) if path.is_dir() => {
            let hint = format!(
                "it is a folder, and no list was written; name a file in it: `{}`",
                path.join("suppressed.txt").display()
            );
            return Err(in_the_way(path, &hint));
        }
        Some(path) if !args.replace => refuse_existing(path)?,
        Some(_) | None => {}
    }
    let made = ctx.clock.now();
    let since = args.since.map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let ledger = ctx.ledger()?;
    let key = people_key(ctx, &ledger)?;
    let deleted_in = RefCell::new(BTreeSet::new());
    let project = |name: &ProjectName| {
        deleted_in.borrow_mut().insert(name.to_string());
        ctx.means(name)
    };
    let by = ErasedBy {
        project: &project,
        since,
    };
    let erased = ledger.erased(&key, &by)?;
    let not_listed = erased.count_not_erased(&project)?;
    let is_known = |name: &String| deleted_in.borrow().contains(name);
    if !ctx.projects.iter().all(is_known) {
        // The ledger does not know this project, so it must at least be set up.
        ctx.resolve()?;
    }
    let mut projects: Vec<_> = erased
        .jobs()
        .iter()
        .map(|job| job.project.clone())
        .collect();
    projects.sort();
    projects.dedup();
    let list = SuppressionList {
        erased: &erased,
        key: key.fingerprint(),
        made,
        since,
        projects,
        ids: match args.ids {
            true => HeldIds::Shown,
            false => HeldIds::Hashed,
        },
        not_listed,
    };
    match args.ids && list.has_ids()? {
        true => ctx.ui.warn(
            "personal_data",
            "the list holds people's ids: keep it out of logs, tickets and chats",
        ),
        false if args.ids => ctx
            .ui
            .note("The list holds no ids: the ledger removes the ids of jobs that have ended."),
        false => {}
    }
    let was_set_back = ctx.warn_of_lost_time(&ledger, PEOPLE_LOST)?;
    let counts = match &args.output {
        Some(path) => {
            // A list with `--since` or `--project` lacks people for another reason.
            let is_whole = args.since.is_none() && ctx.projects.is_empty();
            let way_out = match was_set_back && is_whole {
                true => {
                    "keep that list, and write the new one to another file: the ledger is an older copy"
                }
                false => {
                    "check DSR_HOME, `--project` and `--since`; to leave these people out, add `--allow-fewer`"
                }
            };
            let counts =
                write_file(ctx, args, path, &list, format).map_err(|failure| {
                    match failure.kind == "fewer_people" {
                        true => failure.or_hint(way_out),
                        false => failure,
                    }
                })?;
            let view = ListWrittenView {
                list: &list,
                counts,
                file: path.display().to_string(),
            };
            ctx.ui.print(&view).map_err(|error| local_io(&error))?;
            counts
        }
        None => ctx.ui.print_suppressions(&list, format)?,
    };
    tell(ctx, &list, counts);
    Ok(ExitStatus::Done)
}

fn tell(ctx: &Context, list: &SuppressionList<'_>, counts: ListCounts) {
    if counts.given_up > 0 {
        let people = plural(counts.given_up, "person stays", "people stay");
        ctx.ui
            .note(&format!("{people} on the list: their jobs are abandoned."));
    }
    let open = counts.unknown - counts.given_up;
    if open > 0 {
        let people = plural(open, "person is", "people are");
        ctx.ui.note(&format!(
            "{people} on the list although the erasure is unknown: resolve it with `dsr resume`."
        ));
    }
    let people: usize = list.not_listed.iter().map(|left| left.people).sum();
    if people > 0 {
        let left = list.not_listed.iter();
        let left: Vec<String> = left
            .map(|left| format!("{} {}", number(left.people), left.state.as_str()))
            .collect();
        ctx.ui.note(&format!(
            "{} not on the list: the ledger records no erasure of them ({}).",
            plural(people, "person is", "people are"),
            left.join(", ")
        ));
    }
}

/// Writes the list to a temporary file beside `path`, and moves it there when it is whole.
fn write_file(
    ctx: &Context,
    args: &ExportListArgs,
    path: &Path,
    list: &SuppressionList<'_>,
    format: ListFormat,
) -> Result<ListCounts, Failure> {
    let failed = |error: io::Error| {
        Failure::from_error(ExitStatus::LocalIo, "local_io", &error).hint(format!(
            "the list was not written; check the folder of `{}`",
            path.display()
        ))
    };
    // From here on a signal waits, so that dsr leaves no half list.
    ctx.interrupt.begin();
    let folder = folder_of(path);
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(file.as_file_mut());
    let counts = list.write(format, &mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    sync_file(file.as_file()).map_err(failed)?;
    if let Some(signal) = ctx.interrupt.signal() {
        return Err(
            Failure::new(signal.exit_status(), "interrupted", "interrupted")
                .hint("the list was not written"),
        );
    }
    if args.replace && !args.allow_fewer {
        replaced::demand_nobody_lost(path, file.path())?;
    }
    let placed = match args.replace {
        true => replace(file, path),
        false => file
            .persist_noclobber(path)
            .map(drop)
            .map_err(io::Error::from),
    };
    placed.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => list_in_the_way(path),
        _ => failed(error),
    })?;
    Ok(counts)
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(list_in_the_way(path)),
        Err(_) => Ok(()),
    }
}

fn list_in_the_way(path: &Path) -> Failure {
    let hint = "name another file, or replace the list with `--replace`";
    in_the_way(path, hint)
}
