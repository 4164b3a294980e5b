//! `dsr lookup`: from a property of people to their distinct_ids.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::failures::{local_io, lookup_failure, usage, values_failure};
use crate::domain::ExitStatus;
use crate::intake::{
    self, Keep, Place, Profile, Reading, RecordsRead, Source, demand_rereadable, read_identities,
    read_profiles,
};
use crate::ui::{Failure, LookupView, number, plural, reading};
use crate::workflow::{AnsweredLine, ListedAs, LookedUp, Lookup, LookupAnswer, NewFile};

use super::sources::{FormArgs, GivenArgs};

/// Find the ids of people by e-mail address or another property
///
/// Requests name people by e-mail address; Mixpanel erases by distinct_id. dsr looks each value of
/// your source up in files of profiles. It calls nobody, and needs no token and no ledger.
///
/// Profiles may be Mixpanel's export of users as CSV, the answers of its profile query (dsr checks
/// that no page is missing), JSON lines or arrays of profiles, `people.json` of a GDPR export, or a
/// table of your warehouse with a column `distinct_id`; also packed with gzip or zstd. `Email`
/// stands for `$email`. dsr refuses (5) a file that is damaged, lacks the property or lacks a page:
/// a missing profile would look like a "no".
///
/// A value counts only if it is equal byte for byte; of a list, one element must be. Each line has
/// one profile, several, none, or is near: equal but for case, Unicode form, white space or
/// punctuation around it, or because a number stands where text was asked. dsr takes all profiles
/// that are equal, and none that is near. It shows lines, never values or ids.
///
/// With `--identities`, dsr also lists the other ids of each profile. If they lead to a second
/// profile, as those of a shared device do, dsr lists none of them and names the line.
#[derive(clap::Args, Debug)]
#[command(
    mut_arg("source", |arg| arg
        .help("A file, `-` for standard input, or one value, such as an e-mail address")
        .long_help("A file, `-` for standard input, or one value, such as an e-mail address\n\nA word that is not a file counts as a value only if it is the only source. A table has the values in the column of the property, such as `email` or `$email`; `--column` names another.")),
    mut_arg("file", |arg| arg.help("A file, even if its name looks like a value or an option")),
    mut_arg("id", |arg| arg
        .value_name("VALUE")
        .help("One value, even if it looks like a file or an option")),
    after_help = "Examples:
  dsr lookup --profiles users.csv --output ids.csv emails.csv       then: dsr delete --gdpr ids.csv
  dsr lookup --profiles users.csv --by phone --exit-status -        status 1 unless all are found
  dsr lookup --profiles a.json --profiles b.json anna@shop.example  pages of a profile query
  dsr lookup --profiles users.csv --identities ids.jsonl -o ids.csv emails.csv   with all aliases"
)]
pub(crate) struct LookupArgs {
    #[command(flatten)]
    given: GivenArgs,
    /// Files of profiles, or `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    profiles: Vec<PathBuf>,
    /// Also list the other ids of each profile, from these files: the pipelines' table of identities
    /// (`distinct_id`, `resolved_distinct_id`), or profiles with `$distinct_ids`
    #[arg(long, value_name = "FILE")]
    identities: Vec<PathBuf>,
    /// The property with the values, as Mixpanel names it
    #[arg(long, value_name = "PROPERTY", default_value = "$email")]
    by: String,
    /// Write the ids to this new file, for `dsr delete` and `dsr export`; only you can read it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with status 1 unless every line has a profile, and none is joined with another
    #[arg(long)]
    exit_status: bool,
    #[command(flatten)]
    form: FormArgs,
}

pub(crate) fn run(ctx: &mut Context, args: &LookupArgs) -> Result<ExitStatus, Failure> {
    let sources = args.given.sources(ctx.command)?;
    let files = |paths: &[PathBuf]| -> Vec<Source> {
        paths.iter().map(|path| Source::from_path(path)).collect()
    };
    let (profiles, identities) = (files(&args.profiles), files(&args.identities));
    if args.by.is_empty() {
        return Err(
            usage("`--by` names no property").hint("name it as Mixpanel does: `--by '$email'`")
        );
    }
    if args.output.as_deref() == Some(Path::new("-")) {
        return Err(usage("`--output -` would show ids; nothing was read")
            .hint("name a file: `--output ids.csv`"));
    }
    let once = [&sources[..], &profiles[..]].concat();
    for label in Source::find_repeated(&once)? {
        ctx.ui
            .warn("repeated_source", &format!("{label} is named twice"));
    }
    if !identities.is_empty() {
        let several = [&profiles[..], &identities[..]].concat();
        demand_rereadable(&several).map_err(lookup_failure)?;
    }
    // Fails now rather than after all the reading; no id is in the file.
    drop(args.output.as_deref().map(NewFile::create).transpose()?);
    let mut lookup = Lookup::default();
    let source_readings = ask(ctx, args, &sources, &mut lookup)?;
    let mut take = |profile: &Profile<'_>| lookup.take(profile);
    let profiles_read = read(ctx, &profiles, &args.by, &mut take)?;
    let identities_read = join(ctx, &identities, &mut lookup)?;
    if identities_read.is_some() {
        let mut note = |profile: &Profile<'_>| {
            lookup.note_profile(profile.id);
            false
        };
        read(ctx, &profiles, &args.by, &mut note)?;
    }
    let found = lookup.finish();
    warn(ctx, &found, &profiles_read, identities_read.as_ref());
    let file = match &args.output {
        Some(path) => Some(write(ctx, &found, path)?),
        None => None,
    };
    let view = LookupView {
        property: &args.by,
        found: &found,
        sources: &source_readings,
        profiles: &profiles_read,
        identities: identities_read.as_ref(),
        file,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    let is_missing = |line: &AnsweredLine| {
        line.joined || matches!(line.answer, LookupAnswer::None | LookupAnswer::Near)
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
        ..args.form.options(intake::CheckOptions::default())?
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

fn read(
    ctx: &Context,
    profiles: &[Source],
    property: &str,
    take: &mut dyn FnMut(&Profile<'_>) -> bool,
) -> Result<RecordsRead, Failure> {
    let mut progress = reading(&ctx.ui);
    let read = read_profiles(profiles, property, take, &mut progress);
    drop(progress);
    read.map_err(lookup_failure)
}

/// Reads the identities again and again, until a pass finds no new id.
fn join(
    ctx: &Context,
    identities: &[Source],
    lookup: &mut Lookup,
) -> Result<Option<RecordsRead>, Failure> {
    if identities.is_empty() {
        return Ok(None);
    }
    lookup.begin_pass();
    loop {
        let mut progress = reading(&ctx.ui);
        let read = read_identities(identities, &mut |one| lookup.join(one), &mut progress);
        drop(progress);
        let read = read.map_err(lookup_failure)?;
        if !lookup.begin_pass() {
            return Ok(Some(read));
        }
    }
}

/// Warns of what may make the list wrong.
fn warn(ctx: &Context, found: &LookedUp, profiles: &RecordsRead, identities: Option<&RecordsRead>) {
    for label in profiles
        .unended
        .iter()
        .chain(identities.iter().flat_map(|read| &read.unended))
    {
        ctx.ui.warn(
            "no_line_end",
            &format!(
                "the last line of {label} has no line end: make sure that the file is not cut off"
            ),
        );
    }
    if identities.is_some() && !found.has_identities && !found.ids.is_empty() {
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
            &format!("the identities join the profiles of {lines} with other profiles: dsr lists none of their aliases"),
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

/// Writes a table that `dsr delete` reads; it has no value of the property. Returns its name.
fn write(ctx: &Context, found: &LookedUp, path: &Path) -> Result<String, Failure> {
    // A signal must leave no half list behind.
    ctx.interrupt.begin();
    let mut list = NewFile::create(path)?;
    write_rows(found, &mut list).map_err(|error| local_io(&error))?;
    if let Some(signal) = ctx.interrupt.signal() {
        return Err(
            Failure::new(signal.exit_status(), "interrupted", "interrupted")
                .hint("the list was not written"),
        );
    }
    list.finish()?;
    Ok(path.display().to_string())
}

fn write_rows(found: &LookedUp, list: &mut NewFile) -> io::Result<()> {
    writeln!(list, "distinct_id,answer,profile,source,line,element")?;
    for listed in &found.ids {
        let answer = match listed.listed_as {
            ListedAs::One => "one",
            ListedAs::Several => "several",
            ListedAs::Joined => "joined",
            ListedAs::Alias => "alias",
        };
        let AnsweredLine {
            source,
            line,
            element,
            ..
        } = &found.lines[listed.line];
        let number = |number: &Option<u64>| number.map_or_else(String::new, |n| n.to_string());
        writeln!(
            list,
            "{},{answer},{},{},{},{}",
            quoted(&listed.id),
            quoted(&listed.profile),
            quoted(source.trim_matches('`')),
            number(line),
            number(element)
        )?;
    }
    Ok(())
}

/// A field of the table, in quotes if it needs them.
fn quoted(field: &str) -> Cow<'_, str> {
    match field.contains(['"', ',', ';', '\t', '|', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")).into(),
        false => field.into(),
    }
}
