//! Asks the operator for confirmations and secrets.

use std::io::{self, BufRead, IsTerminal, Read};
use std::time::Duration;

use secrecy::SecretString;

use crate::domain::{Confirmed, YesFlag};
use crate::ui::console::{Input, OutputFormat, Ui};
use crate::ui::drawing::terminal::LastWords;
use crate::ui::drawing::words::number;

/// A question that could not be asked, or was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    #[error("{question}, and there is no terminal")]
    NoTerminal { question: &'static str },
    #[error("You did not type {expected}. {unchanged}.")]
    NotConfirmed {
        expected: String,
        unchanged: &'static str,
    },
    #[error("standard input is empty")]
    NothingGiven,
    /// Ctrl-D or Ctrl-C, in place of an answer.
    #[error("stopped. {left}")]
    Left { left: String },
    #[error("the terminal or standard input cannot be read")]
    Read(#[from] io::Error),
}

/// What the operator must agree to.
#[derive(Debug, Clone, Copy)]
pub enum Confirmable {
    Deletion,
    Approval,
    Purge,
    /// Of a ledger that was set back.
    Acceptance,
    /// Of the ledger to a server.
    Move,
    Cancellation,
    ProfileDeletion,
    Import,
}

impl Confirmable {
    /// What needs the confirmation, what did not happen without it, and what to type.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Confirmable::Deletion => (
                "a deletion needs a confirmation",
                "Nothing was sent",
                "the number of ids to confirm",
            ),
            Confirmable::Approval => (
                "an approval needs a confirmation",
                "Nothing was approved",
                "the number of ids to confirm",
            ),
            Confirmable::Purge => (
                "a purge needs a confirmation",
                "Nothing was removed",
                "the number of requests to confirm",
            ),
            Confirmable::Acceptance => (
                "`ledger accept` needs a confirmation",
                "Nothing was changed",
                "the number of these jobs to confirm",
            ),
            Confirmable::Move => (
                "`ledger move` needs a confirmation",
                "Nothing was moved",
                "the number of requests to confirm",
            ),
            Confirmable::ProfileDeletion => (
                "a deletion of profiles needs a confirmation",
                "Nothing was sent",
                "the number of profiles to confirm",
            ),
            Confirmable::Import => (
                "an import needs a confirmation",
                "Nothing was sent",
                "the number of events to confirm",
            ),
            Confirmable::Cancellation => (
                "a cancellation of other deletions needs a confirmation",
                "Nothing was cancelled",
                "the number of these other ids to cancel them, too",
            ),
        }
    }
}

/// The largest secret that dsr reads from standard input, in bytes.
const MAX_SECRET: u64 = 64 * 1024;

impl Ui {
    /// Asks the operator to type how many are concerned, or a word if there are none; `--yes`
    /// answers it. `what` says what the operator agrees to. Fails if something else is typed, or
    /// nobody can be asked.
    pub fn confirm<T>(
        &self,
        act: Confirmable,
        subject: T,
        what: &str,
        count: usize,
        flag: YesFlag,
    ) -> Result<Confirmed<T>, QuestionError> {
        let subject = match Confirmed::by_flag(flag, count, subject) {
            Ok(confirmed) => return Ok(confirmed),
            Err(subject) => subject,
        };
        let word = match (act, count) {
            (Confirmable::Acceptance, 0) => Some("accept"),
            (Confirmable::Move, 0) => Some("move"),
            (Confirmable::Cancellation, 0) => Some("cancel"),
            _ => None,
        };
        let (_, unchanged, purpose) = act.words();
        self.demand_terminal(act)?;
        let ask = match word {
            Some(word) => format!("{what}\nType {word} to confirm: "),
            None => format!("{what}\nType {purpose} ({}): ", number(count)),
        };
        let mut answer = String::new();
        let stopped = format!("\nStopped. {unchanged}.\n");
        // A signal may come as soon as the question is on the screen.
        let read = self.terminal.saying(stopped, || {
            self.aside.write(&self.spell(&ask));
            io::stdin().lock().read_line(&mut answer)
        });
        read?;
        if !answer.ends_with('\n') {
            // Ctrl-D ends what was typed, and is no agreement. The cursor is still behind it.
            self.aside.write("\n");
            answer.clear();
        }
        let (confirmed, expected) = match word {
            Some(word) => (
                Confirmed::by_typed_word(&answer, word, subject),
                word.to_owned(),
            ),
            None => (
                Confirmed::by_typed_count(&answer, count, subject),
                number(count),
            ),
        };
        confirmed.ok_or(QuestionError::NotConfirmed {
            expected,
            unchanged,
        })
    }

    /// Fails if nobody could be asked for this.
    pub fn demand_terminal(&self, act: Confirmable) -> Result<(), QuestionError> {
        let (question, _, _) = act.words();
        match self.can_ask() {
            true => Ok(()),
            false => Err(QuestionError::NoTerminal { question }),
        }
    }

    /// Runs what an agreement leads to, until dsr itself reports how far it came. A signal that ends
    /// the process meanwhile prints where to look.
    pub fn recording<T>(&self, record: impl FnOnce() -> T) -> T {
        let words = "Nothing was sent yet. See with `dsr status` whether the request is recorded: then `dsr resume` sends it, and `dsr cancel` withdraws it.";
        self.terminal.saying(self.last_words(words), record)
    }

    /// For what comes between an agreement and its recording: a signal that ends the process before
    /// the value is dropped says that nothing was sent.
    pub fn preparing(&self) -> LastWords {
        self.terminal.leaving(self.last_words("Nothing was sent."))
    }

    /// Asks a question; returns the line that was typed, without blanks at its ends. `left` says what
    /// a stop leaves as it was.
    pub fn ask(&self, question: &str, left: &str) -> Result<String, QuestionError> {
        let mut answer = String::new();
        let stopped = self.spell(&format!("\nStopped. {left}\n"));
        let read = self.terminal.saying(stopped, || {
            self.aside.write(&self.spell(question));
            io::stdin().lock().read_line(&mut answer)
        });
        read?;
        if !answer.ends_with('\n') {
            self.aside.write("\n");
            let left = left.to_owned();
            return Err(QuestionError::Left { left });
        }
        Ok(answer.trim().to_owned())
    }

    /// Asks for a secret without showing it. Fails if nobody can be asked.
    pub fn ask_secret(
        &self,
        prompt: &str,
        question: &'static str,
    ) -> Result<SecretString, QuestionError> {
        match self.can_ask() {
            true => self.ask_hidden(prompt, "Nothing was changed."),
            false => Err(QuestionError::NoTerminal { question }),
        }
    }

    /// Like `ask`, without showing what is typed.
    pub fn ask_hidden(&self, question: &str, left: &str) -> Result<SecretString, QuestionError> {
        let stopped = self.spell(&format!("\nStopped. {left}\n"));
        let ask = || {
            self.aside.write(question);
            let read = rpassword::read_password();
            if read
                .as_ref()
                .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
            {
                // The thread that heard the signal ends the process, and prints the words.
                std::thread::sleep(Duration::from_secs(1));
            }
            read
        };
        let asked = self.terminal.saying(stopped, || self.terminal.during(ask));
        match asked {
            Ok(text) => Ok(SecretString::from(text)),
            Err(error) => match error.kind() {
                // A signal may end the reading and not the process.
                io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => {
                    self.aside.write("\n");
                    let left = left.to_owned();
                    Err(QuestionError::Left { left })
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Reads a secret from standard input. Fails if there is none.
    pub fn read_secret(&self) -> Result<SecretString, QuestionError> {
        let mut text = String::new();
        io::stdin()
            .lock()
            .take(MAX_SECRET)
            .read_to_string(&mut text)?;
        if text.trim().is_empty() {
            return Err(QuestionError::NothingGiven);
        }
        Ok(SecretString::from(text))
    }

    pub fn stdin_is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Whether a dialog is possible. With JSON, stderr has no room for one.
    pub fn can_talk(&self) -> bool {
        self.format == OutputFormat::Human && self.can_ask()
    }

    fn can_ask(&self) -> bool {
        self.input == Input::Allowed && io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}
