//! Shows the person's profile and events, read back from the package's own files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use chrono::DateTime;
use maud::{Markup, PreEscaped, Render, html};

use super::fields::{FieldList, Keys, decoded};
use super::{MOST_KINDS, clock_name};
use crate::document::text::{
    Visible, Whole, beginning, counted, grouped, visible_plain, write_moment, write_stamp,
};
use crate::domain::ProjectZone;
use crate::packages::package::contents::PackageContents;
use crate::packages::record::fields_of;
use crate::packages::sorter::newest::EventSpot;
use crate::packages::sorter::spool::{EVENTS, PROFILE};

/// How many profiles are shown; more than one is rare.
const MOST_PROFILES: usize = 20;
/// A file of events up to this size is read at once, in bytes.
const AT_ONE_GO: u64 = 4 << 20;
const MOST_NAME_CHARACTERS: usize = 200;
const NAMELESS: &str = "without a name";
/// How many bytes of a page are collected before they are written.
const ROWS_BYTES: usize = 64 * 1024;

type PageWriter<'p> = dyn FnMut(Markup) -> io::Result<()> + 'p;

/// The person's profile, without events.
pub(crate) fn profile(
    folder: &Path,
    contents: &PackageContents<'_>,
    zone: ProjectZone,
    part: &mut PageWriter<'_>,
) -> io::Result<()> {
    part(PreEscaped(
        "<section aria-labelledby=\"profile\"><h2 id=\"profile\">Your profile</h2>".into(),
    ))?;
    if contents.profiles == 0 {
        part(none("profile", contents))?;
        return part(PreEscaped("</section>".into()));
    }
    let file = BufReader::new(File::open(folder.join(PROFILE))?);
    for (place, line) in file.lines().skip(1).take(MOST_PROFILES).enumerate() {
        let line = line?;
        let text = line.strip_suffix(',').unwrap_or(&line);
        if text == "]" {
            break;
        }
        part(html! {
            @if contents.profiles > 1 {
                h3 { "Profile " (place + 1) }
            }
            @match fields_of(text) {
                Some(fields) => (FieldList { fields: &fields, keys: Keys::Shown, zone }),
                None => p { code { (Visible(text)) } },
            }
        })?;
    }
    if contents.profiles > MOST_PROFILES as u64 {
        part(
            html! { p.note { "All " (grouped(contents.profiles)) " profiles are in " code { (PROFILE) } "." } },
        )?;
    }
    part(PreEscaped("</section>".into()))
}

/// The text for an empty section; a part that was not understood may still hold data for it.
fn none(kind: &str, contents: &PackageContents<'_>) -> Markup {
    html! {
        p.none {
            @if contents.is_doubtful() {
                "No " (kind) " in Mixpanel’s delivery is certainly about your identifier."
            } @else {
                "Mixpanel delivered no " (kind) " for your identifier."
            }
        }
    }
}

pub(crate) fn events(
    folder: &Path,
    contents: &PackageContents<'_>,
    newest: &[EventSpot],
    zone: ProjectZone,
    part: &mut PageWriter<'_>,
) -> io::Result<()> {
    part(PreEscaped(
        "<section aria-labelledby=\"events-title\"><h2 id=\"events-title\">Every event</h2>".into(),
    ))?;
    if contents.events == 0 {
        part(none("event", contents))?;
        return part(PreEscaped("</section>".into()));
    }
    part(html! {
        @if (newest.len() as u64) < contents.events {
            p.note {
                "These are the newest " (grouped(newest.len() as u64)) " of " (grouped(contents.events))
                " events. All of them are in " a href=(EVENTS) { (EVENTS) } ", beside this page."
            }
        } @else {
            p { (counted(contents.events, "event", "events")) ", the newest first." }
        }
        (tools(contents))
        (PreEscaped("<table class=\"events\" id=\"events\">"))
        thead { tr {
            th scope="col" { "Time" @if let Some(name) = clock_name(zone) { " (" (name) ")" } }
            th scope="col" { "Event" }
            th scope="col" { "Details" }
        } }
        (PreEscaped("<tbody>"))
    })?;
    let listed = contents.kinds.iter().take(MOST_KINDS);
    let numbers: HashMap<&str, usize> = listed.map(|(name, _)| *name).zip(0..).collect();
    let own = serde_json::to_string(contents.id)?;
    let mut lines = FileLines::open(&folder.join(EVENTS))?;
    let mut rows = String::new();
    for spot in newest {
        render_row(spot, lines.read(spot)?, &own, &numbers, zone, &mut rows);
        if rows.len() >= ROWS_BYTES {
            part(PreEscaped(std::mem::take(&mut rows)))?;
        }
    }
    part(PreEscaped(rows))?;
    part(PreEscaped("</tbody></table></section>".into()))
}

/// Hidden unless the script runs.
fn tools(contents: &PackageContents<'_>) -> Markup {
    html! {
        form.tools #tools role="search" hidden {
            label { "Search " input #find type="search" autocomplete="off" spellcheck="false"; }
            label { "Event "
                select #kind {
                    option value="" { "All" }
                    @for (number, (name, _)) in contents.kinds.iter().take(MOST_KINDS).enumerate() {
                        option value=(number) {
                            @if name.is_empty() { (NAMELESS) }
                            (visible_plain(beginning(name, 60).0))
                        }
                    }
                }
            }
            button #open type="button" { "Open all details" }
            output #found aria-live="polite" {}
        }
    }
}

/// Renders into `out` directly, because a page has thousands of rows. `own` is the person's id as
/// JSON, which the page shows once at the top. `numbers` are the kinds in the filter.
fn render_row(
    spot: &EventSpot,
    line: &str,
    own: &str,
    numbers: &HashMap<&str, usize>,
    zone: ProjectZone,
    out: &mut String,
) {
    let mut fields = fields_of(line).unwrap_or_default();
    fields.0.retain(|(name, value)| {
        !matches!(&**name, "distinct_id" | "$distinct_id") || value.get() != own
    });
    // In a documented table the name comes first, and `event` may be a property.
    let [first, second] = match line.starts_with("{\"event_name\":") {
        true => ["event_name", "event"],
        false => ["event", "event_name"],
    };
    let name = match fields.take(first) {
        Some(name) => Some(name),
        None => fields.take(second),
    };
    let name = name.filter(|name| name.get() != "null");
    let name = name.map(|name| decoded(name.get())).unwrap_or_default();
    let time = DateTime::from_timestamp(spot.time, 0).filter(|_| spot.time != i64::MIN);
    if time.is_some() {
        fields.take("time");
    }
    let count = fields.0.len() as u64;
    out.push_str("<tr");
    if let Some(number) = numbers.get(&*name) {
        out.push_str(" data-kind=\"");
        number.render_to(out);
        out.push('"');
    }
    out.push_str("><td class=\"time\">");
    match time {
        Some(time) => {
            out.push_str("<time datetime=\"");
            write_stamp(zone.moment(spot.time).unwrap_or(time), out);
            out.push_str("\">");
            write_moment(time, out);
            out.push_str("</time>");
        }
        None => out.push_str("<em>no time</em>"),
    }
    out.push_str("</td><th scope=\"row\">");
    event_name(&name).render_to(out);
    out.push_str("</th><td>");
    if count > 0 {
        out.push_str("<details><summary>");
        counted(count, "detail", "details").render_to(out);
        out.push_str("</summary>");
        FieldList {
            fields: &fields,
            keys: Keys::Hidden,
            zone,
        }
        .render_to(out);
        out.push_str("</details>");
    }
    out.push_str("</td></tr>");
}

pub(crate) fn event_name(name: &str) -> Markup {
    let (shown, whole) = beginning(name, MOST_NAME_CHARACTERS);
    html! {
        @if name.is_empty() { em { (NAMELESS) } }
        (Visible(shown))
        @if whole == Whole::No { "…" }
    }
}

struct FileLines {
    file: File,
    whole: Option<Vec<u8>>,
    line: Vec<u8>,
}

impl FileLines {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut whole = None;
        if file.metadata()?.len() <= AT_ONE_GO {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            whole = Some(bytes);
        }
        Ok(Self {
            file,
            whole,
            line: Vec::new(),
        })
    }

    fn read(&mut self, spot: &EventSpot) -> io::Result<&str> {
        let length = spot.length as usize;
        let bytes = match &self.whole {
            Some(whole) => {
                let start = spot.start as usize;
                whole.get(start..start + length).unwrap_or_default()
            }
            None => {
                self.line.resize(length, 0);
                self.file.seek(SeekFrom::Start(spot.start))?;
                self.file.read_exact(&mut self.line)?;
                &self.line
            }
        };
        std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}
