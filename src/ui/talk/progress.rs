//! Shows progress: bars on a terminal, lines elsewhere.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::{JobId, JobState};
use crate::intake::Headway;
use crate::ledger::JobRecord;
use crate::packages;
use crate::ui::console::{Drawing, OutputFormat, Talk, Ui};
use crate::ui::drawing::words::{duration, number};
use crate::ui::request::json::job_line;
use crate::workflow::{Observer, RunEvent};

/// Without a terminal, the pause before the first line and the longest pause. Pauses double from
/// line to line, since jobs take weeks.
const FIRST_LINE_AFTER: Duration = Duration::from_secs(10);
const LINE_AT_LEAST_EVERY: Duration = Duration::from_secs(3600);
/// A verification or a report shows no progress before this.
const VERIFYING_QUIETLY: Duration = Duration::from_secs(1);

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Submitting,
    /// Asks Mixpanel about each job once.
    Asking,
    Cancelling,
    /// Follows jobs to their end.
    Waiting,
    /// Fetches files: counts bytes, not jobs.
    Fetching,
}

/// Whether changes are lines of the result, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultLines {
    /// One JSON object a line for each change; only with `--json`.
    Changes,
    None,
}

/// Shows a run's events: a bar on a terminal, now and then a line elsewhere.
pub struct Progress<'a> {
    ui: &'a Ui,
    phase: Phase,
    lines: ResultLines,
    bar: ProgressBar,
    total: usize,
    /// Jobs that reached the phase's end; no more events come for them.
    arrived: RefCell<StateCounts>,
    /// Jobs with events that have not reached the phase's end.
    under_way: RefCell<HashMap<JobId, JobState>>,
    last_line: Cell<Instant>,
    next_pause: Cell<Duration>,
    /// Set after the first line about a wait; more lines would fill a log.
    was_held: Cell<bool>,
}

impl<'a> Progress<'a> {
    /// `total` is the number of jobs in this phase.
    pub fn start(ui: &'a Ui, phase: Phase, total: usize, lines: ResultLines) -> Self {
        let bar = bar_for(ui, total as u64);
        bar.set_style(style(match phase {
            Phase::Fetching => "{spinner} {prefix}: {bytes} ({bytes_per_sec})  {wide_msg}",
            _ => "{spinner} {prefix} {bar:24} {pos}/{len}  {wide_msg}",
        }));
        bar.set_prefix(match phase {
            Phase::Submitting => "Submitting",
            Phase::Asking => "Asking Mixpanel",
            Phase::Cancelling => "Cancelling",
            Phase::Waiting => "Waiting",
            Phase::Fetching => "Fetching",
        });
        bar.enable_steady_tick(Duration::from_millis(200));
        ui.aside.shares_with(&bar);
        Self {
            ui,
            phase,
            lines,
            bar,
            total,
            arrived: RefCell::default(),
            under_way: RefCell::default(),
            last_line: Cell::new(Instant::now()),
            next_pause: Cell::new(FIRST_LINE_AFTER),
            was_held: Cell::new(false),
        }
    }

    fn note_job(&self, job: &JobRecord) {
        let has_arrived = match self.phase {
            // An unknown job may still be settled.
            Phase::Submitting => !job.state.is_sendable() && job.state != JobState::Unknown,
            // A job may have several events.
            Phase::Asking | Phase::Cancelling => false,
            Phase::Fetching => return,
            Phase::Waiting => job.state.is_final(),
        };
        let mut under_way = self.under_way.borrow_mut();
        let mut arrived = self.arrived.borrow_mut();
        if has_arrived {
            under_way.remove(&job.id);
            arrived.add(job.state);
        } else {
            under_way.insert(job.id.clone(), job.state);
        }
        let mut all = arrived.clone();
        under_way.values().for_each(|state| all.add(*state));
        let count = match self.phase {
            Phase::Submitting | Phase::Waiting => arrived.total(),
            Phase::Asking | Phase::Cancelling | Phase::Fetching => under_way.len(),
        };
        self.bar.set_position(count as u64);
        let summary = all.summary();
        self.say(count, &summary);
        self.bar.set_message(summary);
    }

    /// Shows how many bytes of a file were fetched, and of how many, if known.
    pub fn show_fetched(&self, bytes: u64, of_bytes: Option<u64>) {
        if let Some(of_bytes) = of_bytes.filter(|of| self.bar.length() != Some(*of)) {
            self.bar.set_length(of_bytes);
            self.bar.set_style(style(
                "{spinner} {prefix} {bar:24} {bytes}/{total_bytes} ({bytes_per_sec}, {eta} left)  {wide_msg}",
            ));
        }
        self.bar.set_position(bytes);
    }

    fn say(&self, count: usize, summary: &str) {
        let pause = self.next_pause.get();
        if self.bar.is_hidden() && self.last_line.get().elapsed() >= pause {
            self.last_line.set(Instant::now());
            self.next_pause.set((pause * 2).min(LINE_AT_LEAST_EVERY));
            let done = match self.phase {
                Phase::Submitting => "submitted",
                Phase::Asking | Phase::Cancelling | Phase::Fetching => "asked about",
                Phase::Waiting => "ended",
            };
            let (count, total) = (number(count), number(self.total));
            self.ui
                .note(&format!("{done} {count} of {total} jobs: {summary}"));
        }
    }
}

impl Observer for Progress<'_> {
    fn on(&self, event: RunEvent<'_>) {
        match event {
            RunEvent::Moved(job) => {
                self.note_job(job);
                if self.lines == ResultLines::Changes && self.ui.format() == OutputFormat::Json {
                    // Ignores a reader that went away: the ledger has the change.
                    drop(self.ui.print_object_line(&job_line(job)));
                }
            }
            RunEvent::Asked(job) => self.note_job(job),
            RunEvent::Held { reason, wait } => {
                let text = format!("{reason}; trying again in {}", duration(wait));
                if self.bar.is_hidden() && !self.was_held.replace(true) {
                    self.ui.note(&text);
                }
                self.bar.set_message(text);
            }
            RunEvent::ClocksDiffer { ahead } => {
                self.ui.warn_once("clock_skew", &different_clocks(ahead))
            }
        }
    }
}

pub(crate) fn different_clocks(ahead: TimeDelta) -> String {
    format!(
        "{}; due dates, times and waits depend on it, so correct it",
        clocks_apart(ahead)
    )
}

/// Says how far this machine's clock is ahead of Mixpanel's, or behind it.
pub fn clocks_apart(ahead: TimeDelta) -> String {
    let side = match ahead < TimeDelta::zero() {
        true => "behind",
        false => "ahead of",
    };
    let apart = duration(ahead.abs().to_std().unwrap_or_default());
    format!("this machine's clock is {apart} {side} Mixpanel's")
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[derive(Debug, Clone, Default)]
struct StateCounts([usize; JobState::ALL.len()]);

impl StateCounts {
    fn add(&mut self, state: JobState) {
        if let Some(place) = JobState::ALL.iter().position(|s| *s == state) {
            self.0[place] += 1;
        }
    }

    fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// `3 done, 1 running`
    fn summary(&self) -> String {
        let words: Vec<String> = JobState::ALL
            .iter()
            .zip(self.0)
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| format!("{} {}", number(count), state.as_str()))
            .collect();
        words.join(", ")
    }
}

/// Shows how much of the sources was read: a bar on a terminal, now and then a line elsewhere.
pub fn reading(ui: &Ui) -> impl FnMut(Headway) {
    let bar = bar_for(ui, 0);
    // A wide message is cut off and never wraps.
    bar.set_style(style("{spinner} Reading: {wide_msg}"));
    let start = Instant::now();
    let mut last_line = start;
    let mut pause = FIRST_LINE_AFTER;
    move |headway| {
        bar.set_length(headway.of_bytes.unwrap_or_default());
        bar.set_position(headway.bytes);
        let values = number(headway.values);
        let rate = headway.values as f64 / start.elapsed().as_secs_f64().max(0.001);
        let rate = number(rate as usize);
        bar.set_message(match headway.of_bytes {
            Some(of) if of > 0 => {
                let (percent, left) = (headway.bytes * 100 / of, duration(bar.eta()));
                format!("{percent} %, {left} left, {values} values ({rate} a second)")
            }
            Some(_) | None => format!("{values} values ({rate} a second)"),
        });
        if bar.is_hidden() && last_line.elapsed() >= pause {
            last_line = Instant::now();
            pause = (pause * 2).min(LINE_AT_LEAST_EVERY);
            // Of one large value, or of the first block, no value is counted yet.
            ui.note(&match (headway.values, headway.of_bytes) {
                (0, Some(of)) if of > 0 => {
                    format!("read {} % of the file", headway.bytes * 100 / of)
                }
                (0, _) => format!("read {}", HumanBytes(headway.bytes)),
                _ => format!("read {values} values{}", part_of(headway)),
            });
        }
    }
}

/// Shows how much of an archive was split.
pub fn splitting(ui: &Ui) -> impl FnMut(packages::SplitProgress) {
    of_archive(ui, "Splitting", "split")
}

/// Shows how much of an export was read; twice makes it anonymous.
pub fn sanitizing(ui: &Ui) -> impl FnMut(packages::SplitProgress) {
    of_archive(ui, "Reading", "read")
}

fn of_archive(
    ui: &Ui,
    doing: &'static str,
    did: &'static str,
) -> impl FnMut(packages::SplitProgress) {
    let bar = bar_for(ui, 0);
    bar.set_style(style(&format!(
        "{{spinner}} {doing} {{bar:24}} {{bytes}}/{{total_bytes}}, {{eta}} left",
    )));
    let mut last_line = Instant::now();
    let mut pause = FIRST_LINE_AFTER;
    move |progress| {
        let (done, of) = match progress {
            packages::SplitProgress::Reading { done, of } => (done, of),
            packages::SplitProgress::Writing { done, of }
            | packages::SplitProgress::Checking { done, of } => (done as u64, of as u64),
        };
        let counted = match progress {
            packages::SplitProgress::Reading { .. } => None,
            packages::SplitProgress::Writing { .. } => Some(("Making", "made", "packages")),
            packages::SplitProgress::Checking { .. } => Some(("Checking", "checked", "files")),
        };
        if let Some((doing, _, what)) = counted
            && bar.length() != Some(of)
        {
            bar.set_style(style(&format!(
                "{{spinner}} {doing} {what} {{bar:24}} {{pos}}/{{len}}"
            )));
        }
        bar.set_length(of);
        bar.set_position(done);
        if bar.is_hidden() && last_line.elapsed() >= pause {
            last_line = Instant::now();
            pause = (pause * 2).min(LINE_AT_LEAST_EVERY);
            let percent = done * 100 / of.max(1);
            ui.note(&match counted {
                Some((_, did, what)) => format!(
                    "{did} {} of {} {what}",
                    number(done as usize),
                    number(of as usize)
                ),
                None => format!("{did} {percent} % of the archive"),
            });
        }
    }
}

/// Shows the progress of a verification; nothing in the first second.
pub fn verifying(ui: &Ui) -> impl FnMut(u64, u64) {
    going_through(ui, "Verifying", "verified")
}

/// Shows the progress of a report; nothing in the first second.
pub fn reporting(ui: &Ui) -> impl FnMut(u64, u64) {
    going_through(ui, "Reporting", "reported on")
}

fn going_through(ui: &Ui, doing: &'static str, done_so_far: &'static str) -> impl FnMut(u64, u64) {
    let bar = bar_for(ui, 0);
    bar.set_style(style("{spinner} {prefix} {bar:24} {pos}/{len}, {eta} left"));
    bar.set_prefix(doing);
    let start = Instant::now();
    let mut last_line = start;
    let mut pause = FIRST_LINE_AFTER;
    move |done, of| {
        if start.elapsed() < VERIFYING_QUIETLY {
            return;
        }
        bar.set_length(of);
        bar.set_position(done);
        if bar.is_hidden() && last_line.elapsed() >= pause {
            last_line = Instant::now();
            pause = (pause * 2).min(LINE_AT_LEAST_EVERY);
            ui.note(&format!("{done_so_far} {} %", done * 100 / of.max(1)));
        }
    }
}

/// `, 34 % of the file`
fn part_of(headway: Headway) -> String {
    match headway.of_bytes {
        Some(of) if of > 0 => format!(", {} % of the file", headway.bytes * 100 / of),
        Some(_) | None => String::new(),
    }
}

fn bar_for(ui: &Ui, total: u64) -> ProgressBar {
    let can_draw = ui.drawing == Drawing::Possible && io::stderr().is_terminal();
    let target = if ui.talk == Talk::Quiet || !can_draw {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    ProgressBar::with_draw_target(Some(total), target)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
