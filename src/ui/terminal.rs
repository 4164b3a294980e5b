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
