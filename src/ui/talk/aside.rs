//! stderr: everything but the result.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, WeakProgressBar};

use crate::ui::drawing::paper::Layout;
use crate::ui::drawing::terminal::{Stream, width_of};
use crate::ui::drawing::words::{folded, printable};

/// stderr, shared with the progress bar on it.
#[derive(Clone)]
pub struct Aside {
    color: ColorChoice,
    takes_notes: bool,
    layout: Layout,
    bar: Arc<Mutex<WeakProgressBar>>,
}

impl Aside {
    pub(crate) fn new(color: ColorChoice) -> Self {
        Self {
            color,
            takes_notes: true,
            layout: Layout::Columns,
            bar: Arc::default(),
        }
    }

    pub(crate) fn without_notes(self) -> Self {
        Self {
            takes_notes: false,
            ..self
        }
    }

    pub(crate) fn plain(self) -> Self {
        Self {
            color: ColorChoice::Never,
            layout: Layout::Plain,
            ..self
        }
    }

    /// Prints what went well or comes next. Not with JSON, not when quiet.
    pub fn note(&self, text: &str) {
        if self.takes_notes {
            self.write(&format!("{}\n", printable(text)));
        }
    }

    /// Like `note`, for text that ends in a line break and cannot control a terminal.
    pub(crate) fn show(&self, text: &str) {
        if self.takes_notes {
            self.write(text);
        }
    }

    /// From now on, text is written above this bar.
    pub(crate) fn shares_with(&self, bar: &ProgressBar) {
        if let Ok(mut shared) = self.bar.lock() {
            *shared = bar.downgrade();
        }
    }

    /// Writes sentences, folded to the terminal. Without stderr there is no place to report errors.
    pub(crate) fn write(&self, text: &str) {
        let width = match self.layout {
            Layout::Columns => width_of(Stream::Stderr),
            Layout::Plain => None,
        };
        let text = fold_lines(text, width);
        let write = || {
            let mut stream = AutoStream::new(io::stderr().lock(), self.color);
            drop(stream.write_all(text.as_bytes()));
        };
        let bar = self.bar.lock().ok().and_then(|bar| bar.upgrade());
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

/// Folds lines to the width; continuation lines are indented further.
fn fold_lines(text: &str, width: Option<u16>) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        let depth = line.len() - line.trim_start_matches(' ').len();
        let (blank, rest) = line.split_at(depth);
        let indent = " ".repeat(depth + 2);
        format!("{blank}{}{end}", folded(rest, depth, &indent, width))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_folded_between_words_and_lists_keep_their_place() {
        let text = "Warning: one two three `dsr status x`\n  a.csv, line 3\nType it: ";
        assert_eq!(fold_lines(text, None), text);
        assert_eq!(
            fold_lines(text, Some(18)),
            "Warning: one two\n  three\n  `dsr status x`\n  a.csv, line 3\nType it: "
        );
    }
}
