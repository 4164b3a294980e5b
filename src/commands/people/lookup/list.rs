//! The list of ids that a lookup writes.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use crate::commands::context::Context;
use crate::intake::{self, IntakeError, Keep, ReadOptions, Source};
use crate::ui::{Failure, number, plural};
use crate::workflow::{AnsweredLine, ListedAs, LookedUp, NewFile};

/// How many lines of the list a warning names.
const NAMED: usize = 10;

/// Writes a table that `dsr delete` reads; it has no value of the property. Returns its name.
pub(super) fn write(ctx: &Context, found: &LookedUp, path: &Path) -> Result<String, Failure> {
    // A signal must leave no half list behind.
    ctx.interrupt.begin();
    let mut list = NewFile::create(path)?;
    write_rows(found, &mut list).map_err(|error| list.failure(error))?;
    if let Some(signal) = ctx.interrupt.signal() {
        return Err(
            Failure::new(signal.exit_status(), "interrupted", "interrupted")
                .hint("the list was not written"),
        );
    }
    list.finish()?;
    Ok(path.display().to_string())
}

/// Reads the list as `dsr delete` does, and warns of ids that it refuses: some ids look like damage.
pub(super) fn warn_of_refused(ctx: &Context, path: &Path) {
    let (list, options) = ([Source::from_path(path)], ReadOptions::default());
    let read = intake::read(&list, &[], &options, Keep::Counts, &mut |_| {});
    let Err(IntakeError::Damaged { problems, .. }) = read else {
        return;
    };
    let lines = problems.kept().iter().filter_map(|one| one.place.line);
    let lines: Vec<String> = lines.take(NAMED).map(|line| line.to_string()).collect();
    let more = match problems.count() - lines.len() {
        0 => String::new(),
        more => format!(" and {} more", number(more)),
    };
    ctx.ui.warn(
        "odd_ids",
        &format!(
            "{} of the list {} like damage (line{} {}{more}), and `dsr delete` refuses the list. If they are ids in Mixpanel, add `--allow ID` or `--expect-pattern REGEX` there",
            plural(problems.count(), "id", "ids"),
            if problems.count() == 1 { "looks" } else { "look" },
            if problems.count() == 1 { "" } else { "s" },
            lines.join(", "),
        ),
    );
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
pub(crate) fn quoted(field: &str) -> Cow<'_, str> {
    match field.contains(['"', ',', ';', '\t', '|', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")).into(),
        false => field.into(),
    }
}
