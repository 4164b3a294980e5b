//! Redraws a picture of the requests in its place, for as long as they are watched.
//!
//! Changes no mode of the terminal that would have to be restored: a watch may be killed.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstream::ColorChoice;
use chrono::{DateTime, TimeDelta, Utc};
use console::measure_text_width;

use crate::domain::Clock;
use crate::ledger::{Ledger, RequestRecord};
use crate::ui::console::{Drawing, OutputFormat, Ui};
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::terminal::{Size, take_typed_rows, terminal_size};
use crate::ui::drawing::words::{duration, plural, printable, wrapped};
use crate::ui::failures::print::PrintError;
use crate::ui::request::shown::{Polling, Shown};
use crate::ui::request::text::{Present, requests_text};
use crate::ui::talk::progress::different_clocks;
use crate::workflow::{Observer, RunEvent};

/// Begin and end of a synchronized update; terminals without support ignore them.
const AT_ONCE: (&str, &str) = ("\u{1b}[?2026h", "\u{1b}[?2026l");
/// Clear from the cursor to the end of the line, and to the end of the screen.
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";

/// The terminal on which requests are watched.
pub struct Screen<'a> {
    ui: &'a Ui,
    /// The widths of the lines on the screen.
    drawn: RefCell<Vec<usize>>,
    size: Cell<Size>,
    /// Why dsr does not ask now, and until when.
    held: RefCell<Option<(String, Instant)>>,
    skew: Cell<Option<TimeDelta>>,
}

/// What a picture shows.
pub struct Picture<'a> {
    pub ledger: &'a Ledger,
    pub requests: &'a [RequestRecord],
    pub shown: Shown,
    pub polling: Polling,
    /// When the next job is due, if none is due now.
    pub next: Option<DateTime<Utc>>,
    pub clock: &'a dyn Clock,
}

impl<'a> Screen<'a> {
    /// Returns the screen if stdout is a terminal that can redraw.
    pub fn find(ui: &'a Ui) -> Option<Self> {
        let can_draw = ui.drawing == Drawing::Possible && io::stdout().is_terminal();
        let is_there = ui.format() == OutputFormat::Human && can_draw;
        is_there.then(|| Self {
            ui,
            drawn: RefCell::default(),
            size: Cell::new(terminal_size()),
            held: RefCell::default(),
            skew: Cell::default(),
        })
    }

    /// Whether the terminal's size changed since the last drawing.
    pub fn is_resized(&self) -> bool {
        terminal_size() != self.size.get()
    }

    /// Draws over the last picture. What does not fit is left out and counted.
    pub fn draw(&self, picture: &Picture<'_>) -> Result<(), PrintError> {
        let size = terminal_size();
        let paper = Paper {
            width: Some(size.columns),
            layout: Layout::Columns,
            program: self.ui.program,
        };
        let present = Present::by(picture.clock);
        let Picture {
            ledger,
            requests,
            shown,
            ..
        } = *picture;
        let text = requests_text(ledger, requests, shown, present, &paper)?;
        let text = self.ui.spell(&text);
        let footer = self.footer(picture, size);
        let lines = fit(&text, &footer, size);
        let mut out = self.way_back(size);
        let mut widths = Vec::new();
        for line in lines {
            let width = measure_text_width(&line);
            out.push_str(&match self.ui.stdout {
                ColorChoice::Never => anstream::adapter::strip_str(&line).to_string(),
                _ => line,
            });
            // At the right edge the cursor is on the last character, which clearing would remove.
            if width == 0 || !width.is_multiple_of(usize::from(size.columns)) {
                out.push_str(CLEAR_LINE);
            }
            out.push('\n');
            widths.push(width);
        }
        out.push_str(CLEAR_BELOW);
        self.size.set(size);
        self.drawn.replace(widths);
        Ok(write_at_once(&out)?)
    }

    /// Removes the picture, to make room for the result.
    pub fn clear(&self) -> io::Result<()> {
        let out = self.way_back(terminal_size()) + CLEAR_BELOW;
        self.drawn.take();
        write_at_once(&out)
    }

    /// Prints the warnings that were held back while the picture was shown.
    pub fn end(&self) {
        if let Some(ahead) = self.skew.take() {
            self.ui.warn_once("clock_skew", &different_clocks(ahead));
        }
    }

    /// Moves the cursor to the start of the picture. A narrower terminal has folded its lines.
    fn way_back(&self, size: Size) -> String {
        let drawn = self.drawn.borrow();
        let drawn: usize = drawn.iter().map(|width| rows(*width, size)).sum();
        // Pressing Enter moves the cursor, too.
        let typed = take_typed_rows(size);
        match drawn {
            0 => String::new(),
            drawn => format!("\r\u{1b}[{}A", drawn + typed),
        }
    }

    fn footer(&self, picture: &Picture<'_>, size: Size) -> Vec<String> {
        let mut lines = vec![String::new()];
        let Polling { due, time } = picture.polling;
        lines.push(match (due, picture.next) {
            (0, Some(next)) => {
                let wait = (next - picture.clock.now()).to_std().unwrap_or_default();
                format!(
                    "Next check in {}. Press Ctrl-C to stop watching; the jobs continue.",
                    duration(wait)
                )
            }
            (0, None) => "Press Ctrl-C to stop watching; the jobs continue.".to_owned(),
            _ => format!(
                "Checking {} ({}). Press Ctrl-C to stop watching; the jobs continue.",
                plural(due, "job", "jobs"),
                duration(time)
            ),
        });
        if let Some((reason, until)) = &*self.held.borrow() {
            let left = until.saturating_duration_since(Instant::now());
            let reason = printable(reason);
            lines.push(format!("{reason}; trying again in {}", duration(left)));
        }
        if let Some(ahead) = self.skew.get() {
            lines.push(different_clocks(ahead));
        }
        let width = Some(size.columns);
        let spelled = lines.iter().map(|line| self.ui.spell(line));
        let wrapped = spelled.map(|line| wrapped("", &line, width));
        let wrapped: String = wrapped.collect();
        wrapped.lines().map(str::to_owned).collect()
    }
}

impl Observer for Screen<'_> {
    fn on(&self, event: RunEvent<'_>) {
        match event {
            RunEvent::Moved(_) | RunEvent::Asked(_) => {
                self.held.take();
            }
            RunEvent::Held { reason, wait } => {
                let until = Instant::now() + wait.min(Duration::from_secs(24 * 3600));
                self.held.replace(Some((reason.to_owned(), until)));
            }
            RunEvent::ClocksDiffer { ahead } => self.skew.set(Some(ahead)),
        }
    }
}

fn rows(width: usize, size: Size) -> usize {
    width.div_ceil(usize::from(size.columns)).max(1)
}

/// The lines of a text and its footer, as many as fit above the cursor's row.
fn fit(text: &str, footer: &[String], size: Size) -> Vec<String> {
    let rows_of = |line: &str| rows(measure_text_width(line), size);
    let room = usize::from(size.rows).saturating_sub(1);
    let below: usize = footer.iter().map(|line| rows_of(line)).sum();
    let all: usize = text.lines().map(rows_of).sum();
    let mut lines = Vec::new();
    // One row says how much is left out.
    let mut left = match all + below <= room {
        true => all,
        false => room.saturating_sub(below + 1),
    };
    for line in text.lines() {
        let Some(rest) = left.checked_sub(rows_of(line)) else {
            break;
        };
        left = rest;
        lines.push(line.to_owned());
    }
    let missing = text.lines().count() - lines.len();
    if missing > 0 {
        let missing = plural(missing, "more line", "more lines");
        lines.push(format!("… {missing}"));
    }
    lines.extend(footer.iter().cloned());
    lines
}

fn write_at_once(text: &str) -> io::Result<()> {
    let (begin, end) = AT_ONCE;
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("{begin}{text}{end}").as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(columns: u16, rows: u16) -> Size {
        Size { columns, rows }
    }

    fn footer() -> Vec<String> {
        vec![String::new(), "end".to_owned()]
    }

    #[test]
    fn a_picture_never_takes_more_rows_than_there_are() {
        let text = (1..=30).map(|n| format!("{}\n", "x".repeat(n * 7)));
        let text: String = text.collect();
        for (columns, height) in [(200, 60), (80, 24), (60, 10), (20, 24), (1, 9), (80, 5)] {
            let size = size(columns, height);
            let lines = fit(&text, &footer(), size);
            let taken: usize = lines.iter().map(|line| rows(line.len(), size)).sum();
            let below: usize = footer().iter().map(|line| rows(line.len(), size)).sum();
            // On a terminal of a few columns, the row that says what is left out takes several.
            let broken = rows("… 30 more lines".len(), size);
            assert!(
                taken < usize::from(height).max(below + broken + 1) + broken,
                "{size:?}"
            );
            assert_eq!(lines.last().unwrap(), "end");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let text = "a\nb\nc\nd\n";
        assert_eq!(
            fit(text, &footer(), size(80, 7)),
            ["a", "b", "c", "d", "", "end"]
        );
        let cut = fit(text, &footer(), size(80, 6));
        assert_eq!(cut, ["a", "b", "… 2 more lines", "", "end"]);
    }

    #[test]
    fn a_broken_line_takes_several_rows() {
        assert_eq!(rows(0, size(80, 24)), 1);
        assert_eq!(rows(80, size(80, 24)), 1);
        assert_eq!(rows(81, size(80, 24)), 2);
        assert_eq!(rows(80, size(40, 24)), 2);
    }
}
