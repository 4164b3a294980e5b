//! `dsr lookup`: from a property of people to their distinct_ids.

mod files;
pub(super) mod list;
mod online;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage, values_failure};
use crate::domain::ExitStatus;
use crate::intake::{self, CheckOptions, Keep, Place, Reading, Source};
use crate::mixpanel::can_be_asked;
use crate::ui::{Failure, LookupOrigin, LookupView, number, plural, reading};
use crate::workflow::{AnsweredLine, LookedUp, Lookup, LookupAnswer, NewFile};

use super::sources::{FormArgs, GivenArgs};
use files::LookupFiles;

/// Find the ids of people by e-mail address or another property
///
/// Requests name people by e-mail address; Mixpanel erases by distinct_id. dsr asks Mixpanel for the
/// profiles that have the values of your source, with a service account (see `dsr auth`) and within
/// the hour's queries. Or it looks in files of profiles (`--profiles`), and calls nobody.
///
/// A value counts only if it is equal byte for byte. Each line has one profile, several, none, or is
/// near: equal but for case, Unicode form, white space or punctuation around it, or because a number
/// stands where text was asked. dsr takes all profiles that are equal, and none that is near. A line
/// is not usable if the id of its profile stands for no user, such as `null`. dsr shows lines, never
/// values or ids.
///
/// Mixpanel itself finds equal text only. dsr also asks for each value without outer white space,
/// composed (NFC) and in lower case, and reports what it finds as near. Numbers, lists and other
/// spellings show only in files. A value with a quote, a backslash or a control character cannot be
/// asked for.
///
/// Files may be Mixpanel's export of users as CSV, answers of its profile query (dsr checks that no
/// page is missing), JSON lines or arrays of profiles, `people.json` of a GDPR export, or a table of
/// your warehouse with a column `distinct_id`; also packed with gzip or zstd. `Email` stands for
/// `$email`. dsr refuses (5) a file that is damaged, lacks the property or lacks a page: a missing
/// profile would look like a "no". Of a list, one element must be equal.
///
/// With `--identities`, dsr also lists the other ids of each profile. It looks for profiles of these
/// ids, too, in Mixpanel or in the files. If they lead to a second profile, as those of a shared device do, dsr lists the profile but none of its other ids, and names the line.
#[derive(clap::Args, Debug)]
#[command(
    mut_arg("source", |arg| arg
        .help("A file, `-` for standard input, or one value, such as an e-mail address")
        .long_help("A file, `-` for standard input, or one value, such as an e-mail address\n\nA word that is not a file counts as a value only if it is the only source. A table has the values in the column of the property, such as `email` or `$email`; `--column` names another.")),
    mut_arg("file", |arg| arg.help("A file, even if its name looks like a value or an option")),
    mut_arg("encoding", |arg| arg
        .help("The encoding of SOURCE without a byte order mark, such as `windows-1252`; files of profiles must be UTF-8 [default: utf-8]")),
    mut_arg("id", |arg| arg
        .value_name("VALUE")
        .help("One value, even if it looks like a file or an option")),
    after_help = "Examples:
  dsr lookup --output ids.csv emails.csv                  then: dsr delete --gdpr ids.csv
  dsr lookup --by phone --exit-status -                   status 1 unless all are found
  dsr lookup --profiles users.csv -o ids.csv emails.csv   in an export, without Mixpanel
  dsr lookup --profiles a.json --profiles b.json anna@shop.example
  dsr lookup --identities map.csv -o ids.csv emails.csv   with all their ids"
)]
pub(crate) struct LookupArgs {
    #[command(flatten)]
    given: GivenArgs,
    /// Look in these files of profiles, not in Mixpanel; `-` is standard input; may be given several
    /// times
    #[arg(long, value_name = "FILE")]
    profiles: Vec<PathBuf>,
    /// Also list the other ids of each profile, from these files: the pipelines' table of identities
    /// (`distinct_id`, `resolved_distinct_id`), or profiles with `$distinct_ids`
    #[arg(long, value_name = "FILE")]
    identities: Vec<PathBuf>,
    /// How long to wait in all for the hour's queries before giving up
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration, conflicts_with = "profiles")]
    max_wait: Duration,
    /// The property with the values, as Mixpanel names it
    #[arg(long, value_name = "PROPERTY", default_value = "$email")]
    by: String,
    /// Write the ids to this new file, for `dsr delete` and `dsr export`; only you can read it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with status 1 unless the answer of every line is one or several profiles, each with a usable
    /// id and not joined with another
    #[arg(long)]
    exit_status: bool,
    #[command(flatten)]
    form: FormArgs,
}

pub(crate) async fn run(ctx: &mut Context, args: &LookupArgs) -> Result<ExitStatus, Failure> {
    let sources = args.given.sources(ctx.command)?;
    if args.by.is_empty() {
        return Err(
            usage("`--by` names no property").hint("name it as Mixpanel does: `--by '$email'`")
        );
    }
    if args.output.as_deref() == Some(Path::new("-")) {
        return Err(usage("`--output -` would show ids; nothing was read")
            .hint("name a file: `--output ids.csv`"));
    }
    let project = match args.profiles.is_empty() {
        true => Some(online::demand_project(ctx, args)?),
        false => None,
    };
    let files = LookupFiles::of(ctx, args, &sources)?;
    // Fails now rather than after all the reading; no id is in the file.
    drop(args.output.as_deref().map(NewFile::create).transpose()?);
    let mut lookup = Lookup::default();
    let source_readings = ask(ctx, args, &sources, &mut lookup)?;
    let searched = match project {
        Some((project, id)) => {
            online::find(ctx, (&project, id), (args, &files), &mut lookup).await?
        }
        None => files.find(ctx, &args.by, &mut lookup)?,
    };
    let found = lookup.finish();
    warn(ctx, &found, &searched);
    let file = match &args.output {
        // A list of nobody would look like a list.
        Some(path) if !found.ids.is_empty() => {
            let name = list::write(ctx, &found, path)?;
            list::warn_of_refused(ctx, path);
            Some(name)
        }
        Some(_) | None => None,
    };
    let view = LookupView {
        property: &args.by,
        found: &found,
        sources: &source_readings,
        searched: &searched,
        file,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    let is_missing = |line: &AnsweredLine| {
        line.joined || !matches!(line.answer, LookupAnswer::One | LookupAnswer::Several)
    };
    Ok(
        match args.exit_status && found.lines.iter().any(is_missing) {
            // This has no status of its own; 1 is for everything not listed.
            true => ExitStatus::Bug,
            false => ExitStatus::Done,
        },
    )
}

/// Reads the values of the sources.
fn ask(
    ctx: &Context,
    args: &LookupArgs,
    sources: &[Source],
    lookup: &mut Lookup,
) -> Result<Vec<Reading>, Failure> {
    let options = intake::ReadOptions {
        property: Some(args.by.clone()),
        ..args.form.options(CheckOptions {
            askable: args.profiles.is_empty().then_some(can_be_asked),
            ..CheckOptions::default()
        })?
    };
    let mut hear = |place: Place<'_>, value: &str| lookup.ask(place, value);
    let mut progress = reading(&ctx.ui);
    let keep = Keep::Heard(&mut hear);
    let read = intake::read(sources, &[], &options, keep, &mut progress);
    drop(progress);
    let read = read.map_err(values_failure)?;
    ctx.ui.warn_of_values(&read.warnings);
    Ok(read.readings)
}

/// Warns of what may make the list wrong.
fn warn(ctx: &Context, found: &LookedUp, searched: &LookupOrigin) {
    if searched.identities().is_some() && !found.has_identities && !found.ids.is_empty() {
        ctx.ui.warn(
            "no_identities",
            "no id of these profiles is in the identities: check that they are of the same project",
        );
    }
    let joined = found.lines.iter().filter(|line| line.joined).count();
    if joined > 0 {
        let lines = plural(joined, "line", "lines");
        ctx.ui.warn(
            "joined_profiles",
            &format!("the ids of {lines} lead to several profiles: dsr lists these profiles, but none of their other ids"),
        );
    }
    for (line, ids) in &found.large {
        let line = &found.lines[*line];
        let place = line
            .line
            .map_or_else(String::new, |number| format!(", line {number}"));
        ctx.ui.warn(
            "large_cluster",
            &format!(
                "one person has {} ids ({}{place}), and Mixpanel joins at most 500: the identities may join strangers",
                number(*ids),
                line.source
            ),
        );
    }
}
