use std::sync::{Arc, Mutex};

/// The terminal, which a secret question leaves without an echo if the process ends meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    #[cfg(unix)]
    before: Arc<Mutex<Option<rustix::termios::Termios>>>,
}

#[cfg(unix)]
impl Terminal {
    /// Runs a secret question; until it is answered, `restore` undoes what it does to the terminal.
    pub(super) fn during<T>(&self, question: impl FnOnce() -> T) -> T {
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

    /// Makes the terminal what it was before the question under way, if there is one.
    pub fn restore(&self) {
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
    pub(super) fn during<T>(&self, question: impl FnOnce() -> T) -> T {
        question()
    }

    pub fn restore(&self) {}
}

/// How large the terminal is that stdout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// At least 1.
    pub(super) columns: u16,
    pub(super) rows: u16,
}

/// 80 columns and 24 rows where the terminal does not say.
pub(super) fn terminal_size() -> Size {
    let (columns, rows) = asked_size().unwrap_or_default();
    let or = |said, usual| if said == 0 { usual } else { said };
    Size {
        columns: or(columns, 80),
        rows: or(rows, 24),
    }
}

#[cfg(unix)]
fn asked_size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some((size.ws_col, size.ws_row))
}

#[cfg(not(unix))]
fn asked_size() -> Option<(u16, u16)> {
    Some((super::table::terminal_width()?, 0))
}
