//! The terminal: its size, and what is restored when a process ends in a question.

use std::sync::{Arc, Mutex};

/// The terminal, which a secret question leaves without an echo if the process ends meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    /// What is printed if a signal ends the process now.
    last_words: Arc<Mutex<Option<String>>>,
    #[cfg(unix)]
    before: Arc<Mutex<Option<rustix::termios::Termios>>>,
}

impl Terminal {
    /// Runs a question; a signal that ends the process meanwhile prints these words.
    pub(crate) fn saying<T>(&self, words: String, question: impl FnOnce() -> T) -> T {
        self.set_last_words(Some(words));
        let answer = question();
        self.set_last_words(None);
        drop_typed();
        answer
    }

    fn set_last_words(&self, words: Option<String>) {
        if let Ok(mut kept) = self.last_words.lock() {
            *kept = words;
        }
    }

    /// Leaves the terminal in order when a signal ends the process.
    pub fn leave(&self) {
        self.restore();
        let words = self.last_words.lock().ok().and_then(|words| words.clone());
        if let Some(words) = words {
            anstream::eprint!("{words}");
        }
    }
}

#[cfg(unix)]
impl Terminal {
    /// Runs a secret question; until it is answered, `restore` undoes what it does to the terminal.
    pub(crate) fn during<T>(&self, question: impl FnOnce() -> T) -> T {
        self.keep(rustix::termios::tcgetattr(std::io::stdin()).ok());
        let answer = question();
        self.keep(None);
        drop_typed();
        answer
    }

    fn keep(&self, before: Option<rustix::termios::Termios>) {
        if let Ok(mut kept) = self.before.lock() {
            *kept = before;
        }
    }

    /// Makes the terminal what it was before the question under way, if there is one.
    fn restore(&self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let before = self.before.lock().ok().and_then(|before| before.clone());
        if let Some(before) = before {
            // Without a terminal there is nothing to restore.
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

/// What is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// How many columns the terminal has that a stream is, if it is one and says so.
pub(crate) fn width_of(stream: Stream) -> Option<u16> {
    let terminal = match stream {
        Stream::Stdout => console::Term::stdout(),
        Stream::Stderr => console::Term::stderr(),
    };
    terminal.size_checked().map(|(_, columns)| columns)
}

/// How large the terminal is that stdout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// At least 1.
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

/// 80 columns and 24 rows where the terminal does not say.
pub(crate) fn terminal_size() -> Size {
    let (rows, columns) = console::Term::stdout().size_checked().unwrap_or_default();
    let or = |said, usual| if said == 0 { usual } else { said };
    Size {
        columns: or(columns, 80),
        rows: or(rows, 24),
    }
}

/// How many rows the cursor went down by what was typed since this was last asked. Nothing of the
/// terminal is changed for it: what was typed is read, and nobody else gets it.
#[cfg(unix)]
pub(crate) fn take_typed_rows(size: Size) -> usize {
    use rustix::{io, process, termios};
    let stdin = std::io::stdin();
    let mut rows = 0;
    let mut typed = [0; 1024];
    loop {
        let is_there = io::ioctl_fionread(&stdin).is_ok_and(|bytes| bytes > 0);
        // Whoever reads from the background is stopped.
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
