//! `dsr sanitize`: events of known people without what identifies them, for an import.

mod files;

use std::ops::ControlFlow;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::commands::context::Context;
use crate::commands::failures::{local_io, sanitize_failure, usage};
use crate::credentials::{ProjectSecretError, find_project_secret};
use crate::domain::{ExitStatus, Project};
use crate::intake::Source;
use crate::packages::{self, NameList, SanitizeOrder, SanitizeReview, TimeStep};
use crate::sandbox::api_secret;
use crate::ui::{Failure, SanitizeView, lines_text, plural, printable, sanitizing};

use files::SanitizeFiles;

/// Make the events of known people anonymous
///
/// Mixpanel can keep a person's events without the person: export them, make them anonymous here,
/// delete the person, and import the rest. dsr reads archives of `dsr download`, packages, raw
/// exports (JSON, also gzip), and folders of these. It calls nobody.
///
/// Only the properties that `--keep` names survive, and the names of events. Each person gets a new
/// random-looking id, and each event a new `$insert_id`. Both are keyed hashes (HMAC-SHA-256), so the
/// same command gives the same events. Ids are one person if the export joins them; a device of
/// several people joins nobody. Whoever has the key can link old ids to new ones, so the result is
/// pseudonymous until you delete the key. Rare values and exact times may still identify a person.
///
/// dsr writes a review: what stays, what goes, and what may be personal data all the same. If there
/// is something to look at, the status is 3. Look at the review before you import.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr sanitize export.zip --keep keep.txt -o events.jsonl
  dsr sanitize packages/ --keep keep.txt --time hour -o events.jsonl
  dsr sanitize export.zip --keep keep.txt --events events.txt -o events.jsonl
  dsr sanitize raw.jsonl.gz --keep keep.txt --key shop.key -o events.jsonl")]
pub(crate) struct SanitizeArgs {
    /// An archive, a package, a file of JSON, or a folder of these
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The properties that survive: a file with one name a line, and comments that begin with `#`
    #[arg(long, value_name = "FILE")]
    keep: PathBuf,
    /// Keep only the events that this file names, one a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// How exact the times stay: `hour` and `day` keep the start of each, by the project's clock
    #[arg(long, value_enum, default_value = "exact")]
    time: TimeArg,
    /// The file with the key of the new ids. dsr makes the file if it does not exist [default: beside
    /// the output, with the extension `key`]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Write the events to this new file; only you can read it
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// How exact the times of events stay.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum TimeArg {
    /// As they are
    Exact,
    /// The hour
    Hour,
    /// The day
    Day,
}

impl From<TimeArg> for TimeStep {
    fn from(time: TimeArg) -> Self {
        match time {
            TimeArg::Exact => Self::Exact,
            TimeArg::Hour => Self::Hour,
            TimeArg::Day => Self::Day,
        }
    }
}

pub(crate) fn run(ctx: &Context, args: &SanitizeArgs) -> Result<ExitStatus, Failure> {
    let mut resolved = ctx.resolve()?;
    if resolved.len() > 1 {
        return Err(
            usage("dsr reads the exports of one project at a time; nothing was read")
                .hint("name one project with `--project`"),
        );
    }
    let project = resolved.remove(0).project;
    let keep = NameList::of_properties(&args.keep)?;
    let events = args
        .events
        .as_deref()
        .map(NameList::of_events)
        .transpose()?;
    let files = SanitizeFiles::of(args)?;
    let sources: Vec<Source> = args
        .sources
        .iter()
        .map(|path| Source::from_path(path))
        .collect();
    for label in Source::find_repeated(&sources)? {
        let text = format!("{label} is named twice; dsr reads it once");
        ctx.ui.warn("repeated_source", &text);
    }
    let failed = |error| sanitize_failure(&error, &project.name);
    let is_locked = packages::are_locked(&args.sources).map_err(|error| failed(error.into()))?;
    let password = match is_locked {
        true => find_secret(ctx, &project)?,
        false => None,
    };
    let order = SanitizeOrder {
        sources: &args.sources,
        password: password.as_ref(),
        keep: &keep,
        events: events.as_ref(),
        time: args.time.into(),
        zone: project.zone,
        key: files.key(),
        now: ctx.clock.now(),
        output: &args.output,
    };
    // A signal must leave no half file behind.
    ctx.interrupt.begin();
    let mut out = files.begin()?;
    let mut show = sanitizing(&ctx.ui);
    let review = packages::sanitize(&order, &mut out, &mut |progress| {
        show(progress);
        match ctx.interrupt.signal() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    });
    drop(show);
    let review = review.map_err(|error| match ctx.interrupt.signal() {
        Some(signal) => Failure::new(signal.exit_status(), "interrupted", "interrupted")
            .hint("nothing was written; run the same command again"),
        None => failed(error),
    })?;
    if review.written == 0 {
        return Err(nothing_left(args, events.as_ref(), &review));
    }
    files.finish(out, &review)?;
    let view = SanitizeView {
        review: &review,
        project: &project.name,
        zone: project.zone,
        time: order.time,
        file: files.events.display().to_string(),
        page: files.page.display().to_string(),
        key: files.key.display().to_string(),
        is_key_new: files.is_key_new(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    match review.has_findings() {
        true => Err(to_look_at(args, &files, &review)),
        false => Ok(ExitStatus::Done),
    }
}

/// The list names no event of the source, as after a typing error; or the source has no other event.
fn nothing_left(
    args: &SanitizeArgs,
    events: Option<&NameList>,
    review: &SanitizeReview,
) -> Failure {
    let fail = |message: String, hint: String| {
        let message = format!("{message}; nothing was written");
        Failure::new(ExitStatus::Input, "bad_input", message).hint(hint)
    };
    if let (Some(list), Some(path), 1..) = (events, &args.events, review.not_listed) {
        let path = printable(&path.display().to_string());
        let events = plural(review.not_listed as usize, "event", "events");
        let names = match list.lines() {
            [] => "it has no name".to_owned(),
            lines => format!("its names are on {}", lines_text(lines)),
        };
        return fail(
            format!("`{path}` names none of the {events} of the source ({names})"),
            "write each name on a line of its own, without quotes, in capital and small letters as Mixpanel has it".to_owned(),
        );
    }
    let counts = [
        (
            review.identity_events,
            "event only joins ids",
            "events only join ids",
        ),
        (
            review.left_out.total(),
            "part has no certain person or time, or cannot be read",
            "parts have no certain person or time, or cannot be read",
        ),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let why: Vec<String> = counts
        .map(|(count, one, many)| plural(count as usize, one, many))
        .collect();
    fail(
        format!("no event is left to write: {}", why.join("; ")),
        "name an archive with other events of these people".to_owned(),
    )
}

/// In a rehearsal the secret is the sandbox's fixed one.
fn find_secret(
    ctx: &Context,
    project: &Project,
) -> Result<Option<SecretString>, ProjectSecretError> {
    if ctx.is_sandbox() {
        return Ok(Some(api_secret(project.token.expose()).into()));
    }
    let found = find_project_secret(&ctx.environment, &project.key())?;
    Ok(found.map(|found| found.secret().clone()))
}

/// Explains what somebody must look at before the events are imported.
fn to_look_at(args: &SanitizeArgs, files: &SanitizeFiles, review: &SanitizeReview) -> Failure {
    let properties = review.kept.iter().filter(|kept| !kept.findings.is_empty());
    let (properties, names) = (properties.count(), review.odd_events());
    let mut parts = Vec::new();
    if properties > 0 {
        let what = plural(properties, "property", "properties");
        parts.push(format!("{what} that dsr kept may hold personal data"));
    }
    if names > 0 {
        let what = plural(names as usize, "event name", "event names");
        parts.push(format!("{what} may hold personal data"));
    }
    let left_out = review.left_out.total() as usize;
    if left_out > 0 {
        let what = plural(left_out, "part of the source is", "parts of the source are");
        parts.push(format!("{what} not among the events"));
    }
    if review.too_old > 0 {
        let what = plural(review.too_old as usize, "event is", "events are");
        parts.push(format!("{what} older than five years"));
    }
    if review.is_keep_list_odd() {
        let lines = lines_text(&review.absent_lines());
        parts.push(format!(
            "no event has a name of the list of `--keep` ({lines})"
        ));
    }
    if review.is_search_partial {
        parts.push("the profiles have too many values to search for all".to_owned());
    }
    let page = printable(&files.page.display().to_string());
    let message = format!("{}. Nothing was sent", parts.join("; "));
    let mut hint = format!("look at `{page}` before you import the events");
    let made = format!(
        "`{}` and the review",
        printable(&files.events.display().to_string())
    );
    if properties > 0 {
        let keep = printable(&args.keep.display().to_string());
        hint += &format!(
            ". To drop a property, remove it from `{keep}`, delete {made}, and run the command again"
        );
    } else if names > 0 {
        hint += ". To drop events, list the names that survive with `--events FILE`";
    }
    Failure::new(ExitStatus::Refused, "to_check", message).hint(hint)
}
