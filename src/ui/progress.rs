use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::{JobId, JobState};
use crate::ledger::JobRecord;
use crate::workflow::{Event, Observer};

use super::words::{duration, number};
use super::{Format, Talk, Ui, job_line};

/// How soon a line says how far it is, where there is no terminal to draw on; the pause doubles
/// with each line up to the second, since jobs take weeks.
const FIRST_LINE_AFTER: Duration = Duration::from_secs(10);
const LINE_AT_LEAST_EVERY: Duration = Duration::from_secs(3600);

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Submitting,
    /// Asking Mixpanel about each job once.
    Asking,
    Cancelling,
    /// Following jobs to their end.
    Waiting,
}

/// Whether changes are also lines of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One JSON object a line as things change; only with `--json`.
    Changes,
    None,
}

/// Shows a run's events: a bar on a terminal, a line now and then without.
pub struct Progress<'a> {
    ui: &'a Ui,
    phase: Phase,
    lines: Lines,
    bar: ProgressBar,
    total: usize,
    states: RefCell<HashMap<JobId, JobState>>,
    last_line: Cell<Instant>,
    next_pause: Cell<Duration>,
    /// One line says so; more would fill a log.
    was_held: Cell<bool>,
}

impl<'a> Progress<'a> {
    /// `total` is the number of jobs the phase is about.
    pub fn start(ui: &'a Ui, phase: Phase, total: usize, lines: Lines) -> Self {
        let bar = bar_for(ui, total as u64);
        bar.set_style(style("{spinner} {prefix} {bar:24} {pos}/{len}  {wide_msg}"));
        bar.set_prefix(match phase {
            Phase::Submitting => "Submitting",
            Phase::Asking => "Asking Mixpanel",
            Phase::Cancelling => "Cancelling",
            Phase::Waiting => "Waiting",
        });
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            ui,
            phase,
            lines,
            bar,
            total,
            states: RefCell::default(),
            last_line: Cell::new(Instant::now()),
            next_pause: Cell::new(FIRST_LINE_AFTER),
            was_held: Cell::new(false),
        }
    }

    fn note_job(&self, job: &JobRecord) {
        self.states.borrow_mut().insert(job.id.clone(), job.state);
        let states = self.states.borrow();
        let arrived = |state: &&JobState| match self.phase {
            Phase::Submitting => !state.is_sendable(),
            Phase::Asking | Phase::Cancelling => true,
            Phase::Waiting => state.is_final(),
        };
        let count = states.values().filter(arrived).count();
        self.bar.set_position(count as u64);
        let summary = summary(states.values().copied());
        self.say(count, &summary);
        self.bar.set_message(summary);
    }

    fn say(&self, count: usize, summary: &str) {
        let pause = self.next_pause.get();
        if self.bar.is_hidden() && self.last_line.get().elapsed() >= pause {
            self.last_line.set(Instant::now());
            self.next_pause.set((pause * 2).min(LINE_AT_LEAST_EVERY));
            let done = match self.phase {
                Phase::Submitting => "submitted",
                Phase::Asking | Phase::Cancelling => "asked about",
                Phase::Waiting => "ended",
            };
            let (count, total) = (number(count), number(self.total));
            self.ui
                .note(&format!("{done} {count} of {total} jobs: {summary}"));
        }
    }
}

impl Observer for Progress<'_> {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Moved(job) => {
                self.note_job(job);
                if self.lines == Lines::Changes && self.ui.format() == Format::Json {
                    // A reader that went away is told nothing; the ledger has it.
                    drop(self.ui.print_line(&job_line(job)));
                }
            }
            Event::Asked(job) => self.note_job(job),
            Event::Held { reason, wait } => {
                let text = format!("{reason}; again in {}", duration(wait));
                if self.bar.is_hidden() && !self.was_held.replace(true) {
                    self.ui.note(&text);
                }
                self.bar.set_message(text);
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `3 done, 1 running`
fn summary(states: impl Iterator<Item = JobState>) -> String {
    let mut counts = [0_usize; JobState::ALL.len()];
    for state in states {
        if let Some(place) = JobState::ALL.iter().position(|s| *s == state) {
            counts[place] += 1;
        }
    }
    let words: Vec<String> = JobState::ALL
        .iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{} {}", number(count), state.as_str()))
        .collect();
    words.join(", ")
}

/// Shows how many values have been read; call the result with the count so far.
pub fn reading(ui: &Ui) -> impl FnMut(usize) {
    let bar = bar_for(ui, 0);
    bar.set_style(style("{spinner} Reading: {human_pos} values ({per_sec})"));
    move |count| {
        // Drawing each value would cost more than reading it.
        if count.is_multiple_of(8192) {
            bar.set_position(count as u64);
        }
    }
}

fn bar_for(ui: &Ui, total: u64) -> ProgressBar {
    let target = if ui.talk == Talk::Quiet || !io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    ProgressBar::with_draw_target(Some(total), target)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
