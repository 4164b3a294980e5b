use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, WeakProgressBar};

use super::words::printable;

/// stderr, and the bar that may be drawn on it just now.
#[derive(Clone)]
pub struct Aside {
    color: ColorChoice,
    takes_notes: bool,
    bar: Arc<Mutex<WeakProgressBar>>,
}

impl Aside {
    pub(super) fn new(color: ColorChoice, takes_notes: bool) -> Self {
        Self {
            color,
            takes_notes,
            bar: Arc::default(),
        }
    }

    /// Tells the operator something that went well or comes next. Not with JSON, not when quiet.
    pub fn note(&self, text: &str) {
        if self.takes_notes {
            self.write(&format!("{}\n", printable(text)));
        }
    }

    /// The same for a text that steers no terminal, and ends in a line break.
    pub(super) fn show(&self, text: &str) {
        if self.takes_notes {
            self.write(text);
        }
    }

    /// From now on what is written makes room for itself above this bar.
    pub(super) fn shares_with(&self, bar: &ProgressBar) {
        if let Ok(mut shared) = self.bar.lock() {
            *shared = bar.downgrade();
        }
    }

    /// Nobody can be told that stderr is gone.
    pub(super) fn write(&self, text: &str) {
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
