//! Owns the streams: where results, notes, warnings and failures go.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use serde_json::{Value, json};

use crate::domain::ExitStatus;

use super::drawing::json::{self as lines, SCHEMA};
use super::drawing::paper::{Layout, Paper};
use super::drawing::terminal::{self, Stream, Terminal};
use super::drawing::tone::Tone;
use super::drawing::view::View;
use super::drawing::words::{printable, spelled};
use super::failures::failure::Failure;
use super::failures::failure::is_published;
use super::talk::aside::Aside;

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    Human,
    Json,
}

/// How much dsr says beside the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    Normal,
    Quiet,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// Whether dsr can redraw part of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    Possible,
    /// A screen reader would read it again and again, or the terminal cannot: write lines instead.
    Never,
}

/// Whether dsr may ask questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Allowed,
    Never,
}

/// The streams of one run.
pub struct Ui {
    pub(super) format: OutputFormat,
    pub(super) talk: Talk,
    pub(super) input: Input,
    pub(super) layout: Layout,
    pub(super) drawing: Drawing,
    pub(super) stdout: ColorChoice,
    pub(super) aside: Aside,
    pub(super) terminal: Terminal,
    /// How hints write commands: in a rehearsal with `--sandbox`.
    pub(super) program: &'static str,
    /// With JSON, warnings go into the object at the end: stderr has one object or none.
    pub(super) warnings: RefCell<Vec<Value>>,
    warned_of: RefCell<HashSet<&'static str>>,
    /// Warnings that are held back until something else is said.
    held_back: RefCell<Option<Vec<String>>>,
}

impl Ui {
    pub fn new(format: OutputFormat, talk: Talk, input: Input, color: Color) -> Self {
        let choose = |is_terminal: bool| match color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
            Color::Auto if is_terminal => ColorChoice::Always,
            Color::Auto => ColorChoice::Never,
        };
        let aside = Aside::new(choose(io::stderr().is_terminal()));
        Self {
            format,
            talk,
            input,
            layout: Layout::Columns,
            drawing: Drawing::Possible,
            stdout: choose(io::stdout().is_terminal()),
            aside: match (format, talk) {
                (OutputFormat::Human, Talk::Normal) => aside,
                (OutputFormat::Human, Talk::Quiet) | (OutputFormat::Json, _) => {
                    aside.without_notes()
                }
            },
            terminal: Terminal::default(),
            program: "dsr",
            warnings: RefCell::default(),
            warned_of: RefCell::default(),
            held_back: RefCell::default(),
        }
    }

    /// For a run against the sandbox: hints name commands for the sandbox.
    #[must_use]
    pub fn rehearsing(mut self) -> Self {
        self.program = "dsr --sandbox";
        self
    }

    /// For a terminal that cannot redraw.
    #[must_use]
    pub fn without_drawing(mut self) -> Self {
        self.drawing = Drawing::Never;
        self
    }

    /// One fact a line, without color and without redrawing.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.layout = Layout::Plain;
        self.stdout = ColorChoice::Never;
        self.aside = self.aside.plain();
        self.without_drawing()
    }

    pub fn format(&self) -> OutputFormat {
        self.format
    }

    /// The options with which another dsr writes as this one does.
    pub fn own_flags(&self) -> Vec<&'static str> {
        let mut flags = Vec::new();
        flags.extend((self.layout == Layout::Plain).then_some("--plain"));
        flags.extend((self.talk == Talk::Quiet).then_some("--quiet"));
        flags.extend((self.stdout == ColorChoice::Never).then_some("--color=never"));
        flags
    }

    /// Writes the result of the command. A reader that went away is not an error.
    pub fn print(&self, view: &impl View) -> io::Result<()> {
        let text = match self.format {
            OutputFormat::Human => self.spell(&view.human(&self.paper())),
            OutputFormat::Json => {
                let mut object = json!({ "schema": SCHEMA });
                merge(&mut object, view.json());
                let warnings = self.warnings.take();
                if !warnings.is_empty() {
                    merge(&mut object, json!({ "warnings": warnings }));
                }
                lines::line(&object)
            }
        };
        self.write_result(&text)
    }

    /// The format of a result that grows line by line. A program always gets JSON.
    pub fn lines_format(&self) -> OutputFormat {
        match (self.format, self.layout) {
            (OutputFormat::Json, _) => OutputFormat::Json,
            (OutputFormat::Human, Layout::Plain) => OutputFormat::Human,
            (OutputFormat::Human, Layout::Columns) if io::stdout().is_terminal() => {
                OutputFormat::Human
            }
            (OutputFormat::Human, Layout::Columns) => OutputFormat::Json,
        }
    }

    /// Writes one line of a result that grows line by line.
    pub(crate) fn print_object_line(&self, line: &Value) -> io::Result<()> {
        self.write_result(&lines::line(line))
    }

    pub(super) fn write_result(&self, text: &str) -> io::Result<()> {
        match self.try_write_result(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    pub(super) fn try_write_result(&self, text: &str) -> io::Result<()> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.stdout);
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// Prints what went well or comes next. Not with JSON, not when quiet.
    pub fn note(&self, text: &str) {
        self.aside.note(&self.spell(text));
    }

    /// Prints what the command is about, before it asks or goes on. Not with JSON, not when quiet.
    pub fn show(&self, view: &impl View) {
        self.aside.show(&self.spell(&view.human(&self.paper())));
    }

    /// Returns a handle that prints notes where there is no `Ui`.
    pub fn aside(&self) -> Aside {
        self.aside.clone()
    }

    /// Returns the handle that restores the terminal if the process ends during a question.
    pub fn terminal(&self) -> Terminal {
        self.terminal.clone()
    }

    /// Prints a warning, even when quiet.
    pub fn warn(&self, kind: &str, message: &str) {
        debug_assert!(is_published(kind), "`{kind}` is not published");
        let message = self.spell(message);
        match self.format {
            OutputFormat::Human => {
                let begin = Tone::Attention.paint("Warning:");
                let text = format!("{begin} {}\n", printable(&message));
                match &mut *self.held_back.borrow_mut() {
                    Some(held_back) => held_back.push(text),
                    None => self.aside.write(&text),
                }
            }
            OutputFormat::Json => self
                .warnings
                .borrow_mut()
                .push(json!({ "kind": kind, "message": message })),
        }
    }

    /// Holds warnings back until something else is printed.
    pub fn hold_warnings(&self) {
        self.held_back.replace(Some(Vec::new()));
    }

    /// Prints the warnings that were held back.
    pub fn release_warnings(&self) {
        for text in self.held_back.take().into_iter().flatten() {
            self.aside.write(&text);
        }
    }

    /// Prints a warning of this kind only the first time.
    pub fn warn_once(&self, kind: &'static str, message: &str) {
        if self.warned_of.borrow_mut().insert(kind) {
            self.warn(kind, message);
        }
    }

    /// Prints why the command failed.
    pub fn fail(&self, failure: &Failure) {
        self.release_warnings();
        let warnings = self.warnings.take();
        let text = failure_text(failure, self.format, self.program, warnings);
        self.aside.write(&text);
    }

    /// Returns what prints a failure where there is no `Ui`.
    pub fn failing(&self) -> impl Fn(&Failure) + Send + use<> {
        let (aside, format, program) = (self.aside.clone(), self.format, self.program);
        move |failure| aside.write(&failure_text(failure, format, program, Vec::new()))
    }

    /// What a signal prints if it ends the process now.
    pub(super) fn last_words(&self, words: &str) -> String {
        match self.format {
            OutputFormat::Human => self.spell(&format!("\nStopped. {words}\n")),
            OutputFormat::Json => {
                let failure = Failure::new(ExitStatus::Interrupted, "interrupted", words);
                failure_text(&failure, self.format, self.program, Vec::new())
            }
        }
    }

    /// Prints JSON warnings that came after the result was written.
    pub fn end(&self) {
        if let Some(line) = self.leftovers() {
            self.aside.write(&line);
        }
    }

    fn leftovers(&self) -> Option<String> {
        let warnings = self.warnings.take();
        let object = json!({ "schema": SCHEMA, "warnings": warnings });
        (!warnings.is_empty()).then(|| lines::line(&object))
    }

    /// Returns the text with its commands as the operator must type them in this run.
    pub fn spell(&self, text: &str) -> String {
        spelled(text, self.program)
    }

    pub(super) fn paper(&self) -> Paper {
        let width = match self.layout {
            Layout::Columns => terminal::width_of(Stream::Stdout),
            Layout::Plain => None,
        };
        Paper {
            width,
            layout: self.layout,
            program: self.program,
        }
    }
}

fn failure_text(
    failure: &Failure,
    format: OutputFormat,
    program: &str,
    warnings: Vec<Value>,
) -> String {
    let mut failure = failure.clone();
    failure.message = spelled(&failure.message, program);
    for cause in &mut failure.causes {
        *cause = spelled(cause, program);
    }
    failure.hint = failure.hint.map(|hint| spelled(&hint, program));
    match format {
        OutputFormat::Human => failure.human(),
        OutputFormat::Json => {
            let mut object = json!({ "schema": SCHEMA, "error": failure.json() });
            if !warnings.is_empty() {
                merge(&mut object, json!({ "warnings": warnings }));
            }
            lines::line(&object)
        }
    }
}

fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_names_the_sandbox_in_every_command_once() {
        let ui = Ui::new(
            OutputFormat::Human,
            Talk::Normal,
            Input::Never,
            Color::Never,
        )
        .rehearsing();
        let once = ui.spell("run `dsr ledger accept`, or `dsr --sandbox`");
        assert_eq!(
            once,
            "run `dsr --sandbox ledger accept`, or `dsr --sandbox`"
        );
        assert_eq!(ui.spell(&once), once);
    }

    #[test]
    fn a_warning_after_the_result_is_not_lost() {
        let ui = Ui::new(OutputFormat::Json, Talk::Quiet, Input::Never, Color::Never);
        assert_eq!(ui.leftovers(), None);
        ui.warn("ids_kept", "the ids stay");
        let line = ui.leftovers().unwrap();
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["warnings"][0]["kind"], "ids_kept");
        assert_eq!(ui.leftovers(), None, "it is said once");
    }
}
