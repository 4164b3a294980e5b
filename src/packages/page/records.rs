//! The person's profile and events, read back from the package's own files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use chrono::DateTime;
use maud::{Markup, PreEscaped, html};

use super::super::newest::Spot;
use super::super::package::Contents;
use super::super::spool::{EVENTS, PROFILE};
use super::MOST_KINDS;
use super::fields::{Fields, Keys};
use super::text::{Visible, Whole, beginning, counted, grouped, moment, visible_plain};

/// How many profiles are shown; more than one is rare.
const MOST_PROFILES: usize = 20;
/// A file of events up to this size is read at one go.
const AT_ONE_GO: u64 = 4 << 20;
const MOST_NAME_CHARACTERS: usize = 200;

type Part<'p> = dyn FnMut(Markup) -> io::Result<()> + 'p;

/// Everything known about the person rather than about what they did.
pub(super) fn profile(
    folder: &Path,
    contents: &Contents<'_>,
    part: &mut Part<'_>,
) -> io::Result<()> {
    part(PreEscaped(
        "<section aria-labelledby=\"profile\"><h2 id=\"profile\">Your profile</h2>".into(),
    ))?;
    if contents.profiles == 0 {
        part(html! { p.none { "Mixpanel delivered no profile for your identifier." } })?;
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
            @match Fields::of_record(text) {
                Some(fields) => (fields.list(Keys::Shown)),
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

/// The list of events, newest first.
pub(super) fn events(
    folder: &Path,
    contents: &Contents<'_>,
    newest: &[Spot],
    part: &mut Part<'_>,
) -> io::Result<()> {
    part(PreEscaped(
        "<section aria-labelledby=\"events-title\"><h2 id=\"events-title\">Every event</h2>".into(),
    ))?;
    if contents.events == 0 {
        part(html! { p.none { "Mixpanel delivered no event for your identifier." } })?;
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
        p.print { "Details are printed where they were opened. All of them are in " code { (EVENTS) } "." }
        (PreEscaped("<table class=\"events\" id=\"events\"><thead><tr><th scope=\"col\">Time (UTC)</th><th scope=\"col\">Event</th><th scope=\"col\">Details</th></tr></thead><tbody>"))
    })?;
    let listed = contents.kinds.iter().take(MOST_KINDS);
    let numbers: HashMap<&str, usize> = listed.map(|(name, _)| *name).zip(0..).collect();
    let mut lines = Lines::open(&folder.join(EVENTS))?;
    for spot in newest {
        part(row(spot, lines.read(spot)?, &numbers))?;
    }
    part(PreEscaped("</tbody></table></section>".into()))
}

/// Only with a script: without one it stays hidden.
fn tools(contents: &Contents<'_>) -> Markup {
    html! {
        form.tools #tools role="search" hidden {
            label { "Search " input #find type="search" autocomplete="off" spellcheck="false"; }
            label { "Event "
                select #kind {
                    option value="" { "All" }
                    @for (number, (name, _)) in contents.kinds.iter().take(MOST_KINDS).enumerate() {
                        option value=(number) { (visible_plain(beginning(name, 60).0)) }
                    }
                }
            }
            button #open type="button" { "Open all details" }
            output #found aria-live="polite" {}
        }
    }
}

/// `numbers` are those of the kinds one can choose from.
fn row(spot: &Spot, line: &str, numbers: &HashMap<&str, usize>) -> Markup {
    let mut fields = Fields::of_record(line).unwrap_or_default();
    let name = fields.take("event").map(|name| {
        serde_json::from_str::<String>(name.get()).unwrap_or_else(|_| name.get().to_owned())
    });
    let name = name.unwrap_or_default();
    let time = DateTime::from_timestamp(spot.time, 0).filter(|_| spot.time != i64::MIN);
    if time.is_some() {
        fields.take("time");
    }
    let count = fields.0.len() as u64;
    html! {
        tr data-kind=[numbers.get(&*name)] {
            td.time {
                @match time {
                    Some(time) => time datetime=(time.format("%Y-%m-%dT%H:%M:%SZ")) { (moment(time)) },
                    None => em { "no time" },
                }
            }
            th scope="row" { (event_name(&name)) }
            td {
                @if count > 0 {
                    details { summary { (counted(count, "detail", "details")) } (fields.list(Keys::Hidden)) }
                }
            }
        }
    }
}

/// What an event is called, shortened if need be.
pub(super) fn event_name(name: &str) -> Markup {
    let (shown, whole) = beginning(name, MOST_NAME_CHARACTERS);
    html! {
        @if name.is_empty() { em { "without a name" } }
        (Visible(shown))
        @if whole == Whole::No { "…" }
    }
}

/// Single lines of a file, by their places.
struct Lines {
    file: File,
    /// All of the file, where that is little.
    whole: Option<Vec<u8>>,
    line: Vec<u8>,
}

impl Lines {
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

    fn read(&mut self, spot: &Spot) -> io::Result<&str> {
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
