//! The operator's side of the run: where results, notes, warnings and failures go.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use serde_json::{Value, json};

use super::drawing::json::{self as lines, SCHEMA};
use super::drawing::paper::{Layout, Paper};
use super::drawing::terminal::{self, Stream, Terminal};
use super::drawing::tone::Tone;
use super::drawing::view::View;
use super::drawing::words::printable;
use super::failures::failure::Failure;
use super::failures::kinds;
use super::talk::aside::Aside;

/// What the result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    Human,
    Json,
}

/// How much is said beside the result.
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
    /// It would be read out again and again, or the terminal cannot: lines are written instead.
    Never,
}

/// Whether questions may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Allowed,
    Never,
}

/// The operator's side of the run.
pub struct Ui {
    pub(super) format: OutputFormat,
    pub(super) talk: Talk,
    pub(super) input: Input,
    pub(super) layout: Layout,
    pub(super) drawing: Drawing,
    pub(super) stdout: ColorChoice,
    pub(super) aside: Aside,
    pub(super) terminal: Terminal,
    /// How commands begin in what is said: a rehearsal goes on as a rehearsal.
    program: &'static str,
    /// With JSON, warnings go into the object at the end: stderr holds one object or none.
    pub(super) warnings: RefCell<Vec<Value>>,
    warned_of: RefCell<HashSet<&'static str>>,
    /// Warnings for people that nothing else has been said beside yet, while they are kept back.
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

    /// For a run against the sandbox: the commands it speaks of are to be run there, too.
    #[must_use]
    pub fn rehearsing(mut self) -> Self {
        self.program = "dsr --sandbox";
        self
    }

    /// For a terminal on which nothing can be drawn anew.
    #[must_use]
    pub fn without_drawing(mut self) -> Self {
        self.drawing = Drawing::Never;
        self
    }

    /// One fact a line, no colour, and nothing drawn anew.
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

    /// Writes the result of the command.
    ///
    /// # Errors
    /// When stdout cannot be written. A reader that went away is no error.
    pub fn print(&self, view: &impl View) -> io::Result<()> {
        let text = match self.format {
            OutputFormat::Human => view.human(&self.paper()),
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

    /// How a result is written that comes in lines as things change: to a program as JSON, whether
    /// it asked for that or not.
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

    /// Writes a line of a result that comes in lines.
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

    /// Tells the operator something that went well or comes next. Not with JSON, not when quiet.
    pub fn note(&self, text: &str) {
        self.aside.note(&self.spell(text));
    }

    /// Shows the operator what the command is about, before it asks or goes on. Not with JSON, not
    /// when quiet.
    pub fn show(&self, view: &impl View) {
        self.aside.show(&view.human(&self.paper()));
    }

    /// A way to tell the operator something from where there is no `Ui`.
    pub fn aside(&self) -> Aside {
        self.aside.clone()
    }

    /// What is to be restored if the process ends in the middle of a question.
    pub fn terminal(&self) -> Terminal {
        self.terminal.clone()
    }

    /// Warns the operator, even when quiet.
    pub fn warn(&self, kind: &str, message: &str) {
        debug_assert!(kinds::is_known_warning(kind), "`{kind}` is not published");
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

    /// From now on warnings are kept back, until there is something else to be said.
    pub fn hold_warnings(&self) {
        self.held_back.replace(Some(Vec::new()));
    }

    /// Says what was kept back.
    pub fn release_warnings(&self) {
        for text in self.held_back.take().into_iter().flatten() {
            self.aside.write(&text);
        }
    }

    /// Warns of something that would be said again and again.
    pub fn warn_once(&self, kind: &'static str, message: &str) {
        if self.warned_of.borrow_mut().insert(kind) {
            self.warn(kind, message);
        }
    }

    /// Says why the command ends as it does.
    pub fn fail(&self, failure: &Failure) {
        self.release_warnings();
        let mut failure = failure.clone();
        failure.hint = failure.hint.map(|hint| self.spell(&hint));
        let text = match self.format {
            OutputFormat::Human => failure.human(),
            OutputFormat::Json => {
                let mut object = json!({ "schema": SCHEMA, "error": failure.json() });
                let warnings = self.warnings.take();
                if !warnings.is_empty() {
                    merge(&mut object, json!({ "warnings": warnings }));
                }
                lines::line(&object)
            }
        };
        self.aside.write(&text);
    }

    /// Says what was warned of after the result was written, which had no room for it any more.
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

    /// A text with the commands in it as they are to be typed here.
    pub fn spell(&self, text: &str) -> String {
        text.replace("`dsr ", &format!("`{} ", self.program))
    }

    pub(super) fn paper(&self) -> Paper {
        let width = match self.layout {
            Layout::Columns => terminal::width_of(Stream::Stdout),
            Layout::Plain => None,
        };
        Paper {
            width,
            layout: self.layout,
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
    fn what_is_warned_of_after_the_result_is_not_lost() {
        let ui = Ui::new(OutputFormat::Json, Talk::Quiet, Input::Never, Color::Never);
        assert_eq!(ui.leftovers(), None);
        ui.warn("ids_kept", "the ids stay");
        let line = ui.leftovers().unwrap();
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["warnings"][0]["kind"], "ids_kept");
        assert_eq!(ui.leftovers(), None, "it is said once");
    }
}
