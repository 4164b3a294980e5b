//! The terminal: its size, and its state when the process ends during a question.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

/// Restores the terminal's echo if the process ends during a secret question.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    /// Printed if a signal ends the process now.
    last_words: Arc<Mutex<Option<String>>>,
    #[cfg(unix)]
    before: Arc<Mutex<Option<rustix::termios::Termios>>>,
}

/// See [`Terminal::leaving`].
pub struct LastWords(Terminal);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.set_last_words(None);
    }
}

impl Terminal {
    /// Runs a question. A signal that ends the process meanwhile prints `words`.
    pub(crate) fn saying<T>(&self, words: String, question: impl FnOnce() -> T) -> T {
        self.set_last_words(Some(words));
        let answer = question();
        self.set_last_words(None);
        drop_typed();
        answer
    }

    /// A signal that ends the process before the value is dropped prints `words`.
    pub(crate) fn leaving(&self, words: String) -> LastWords {
        self.set_last_words(Some(words));
        LastWords(self.clone())
    }

    fn set_last_words(&self, words: Option<String>) {
        if let Ok(mut kept) = self.last_words.lock() {
            *kept = words;
        }
    }

    /// Restores the terminal when a signal ends the process.
    pub fn leave(&self) {
        self.restore();
        let words = self.last_words.lock().ok().and_then(|words| words.clone());
        if let Some(words) = words {
            // A terminal that was closed takes no words.
            drop(write!(anstream::stderr(), "{words}"));
        }
    }
}

#[cfg(unix)]
impl Terminal {
    /// Runs a secret question; `restore` undoes what the question does to the terminal.
    pub(crate) fn during<T>(&self, question: impl FnOnce() -> T) -> T {
        self.keep(rustix::termios::tcgetattr(std::io::stdin()).ok());
        let answer = question();
        self.keep(None);
        answer
    }

    fn keep(&self, before: Option<rustix::termios::Termios>) {
        if let Ok(mut kept) = self.before.lock() {
            *kept = before;
        }
    }

    fn restore(&self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let before = self.before.lock().ok().and_then(|before| before.clone());
        if let Some(before) = before {
            // Fails only without a terminal, which needs no restoring.
            tcsetattr(std::io::stdin(), OptionalActions::Now, &before).ok();
        }
    }
}

#[cfg(not(unix))]
impl Terminal {
    pub(crate) fn during<T>(&self, question: impl FnOnce() -> T) -> T {
        question()
    }

    fn restore(&self) {}
}

/// Drops what was typed after an answer: a shell would run the other lines of a paste.
fn drop_typed() {
    #[cfg(unix)]
    rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush).ok();
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The stream's width in columns, if it is a terminal that reports it.
pub(crate) fn width_of(stream: Stream) -> Option<u16> {
    let terminal = match stream {
        Stream::Stdout => console::Term::stdout(),
        Stream::Stderr => console::Term::stderr(),
    };
    terminal.size_checked().map(|(_, columns)| columns)
}

/// The size of the terminal on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// At least 1.
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

/// Falls back to 80 columns and 24 rows.
pub(crate) fn terminal_size() -> Size {
    let (rows, columns) = console::Term::stdout().size_checked().unwrap_or_default();
    let or = |said, usual| if said == 0 { usual } else { said };
    Size {
        columns: or(columns, 80),
        rows: or(rows, 24),
    }
}

/// Reads what was typed since the last call. Returns by how many rows it moved the cursor. The
/// terminal's mode stays as it is; nobody else gets the typed text.
#[cfg(unix)]
pub(crate) fn take_typed_rows(size: Size) -> usize {
    use rustix::{io, process, termios};
    let stdin = std::io::stdin();
    let mut rows = 0;
    let mut typed = [0; 1024];
    loop {
        let is_there = io::ioctl_fionread(&stdin).is_ok_and(|bytes| bytes > 0);
        // The system stops a background process that reads from the terminal.
        let is_ours = termios::tcgetpgrp(&stdin).is_ok_and(|group| group == process::getpgrp());
        let read = match is_there && is_ours {
            true => io::read(&stdin, &mut typed).unwrap_or(0),
            false => 0,
        };
        if read == 0 {
            return rows;
        }
        for line in typed[..read].split_inclusive(|byte| *byte == b'\n') {
            rows += line.len() / (usize::from(size.columns) + 1);
            rows += usize::from(line.ends_with(b"\n"));
        }
    }
}

#[cfg(not(unix))]
pub(crate) fn take_typed_rows(_: Size) -> usize {
    0
}
