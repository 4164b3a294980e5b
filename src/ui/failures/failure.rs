//! Why a command failed, for people and for scripts.

use serde_json::{Value, json};

use crate::domain::ExitStatus;
use crate::ui::drawing::tone::Tone;
use crate::ui::drawing::words::printable;

/// Whether `docs/schemas` has this word for a failure or a warning.
pub(crate) fn is_published(kind: &str) -> bool {
    include_str!("../../../docs/schemas/definitions.json").contains(&format!("\"{kind}\""))
}

/// Why a command failed or stopped early, and what to run next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: ExitStatus,
    /// A stable word for scripts.
    pub kind: &'static str,
    pub message: String,
    /// What led to it, the nearest cause first.
    pub causes: Vec<String>,
    /// One thing to do next.
    pub hint: Option<String>,
    /// The command that goes on, if it is not the one that failed.
    pub goes_on: Option<&'static str>,
}

impl Failure {
    pub fn new(status: ExitStatus, kind: &'static str, message: impl Into<String>) -> Self {
        debug_assert!(is_published(kind), "`{kind}` is not published");
        Self {
            status,
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            goes_on: None,
        }
    }

    /// Takes message and causes from an error of one of our modules.
    pub fn from_error(
        status: ExitStatus,
        kind: &'static str,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        let mut failure = Self::new(status, kind, error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            failure.causes.push(error.to_string());
            cause = error.source();
        }
        failure
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint if there is none yet.
    #[must_use]
    pub fn or_hint(mut self, hint: &str) -> Self {
        self.hint.get_or_insert_with(|| hint.to_owned());
        self
    }

    pub(crate) fn human(&self) -> String {
        let error = Tone::Bad.paint("Error:");
        let mut text = format!("{error} {}\n", printable(&self.message));
        for cause in &self.causes {
            text.push_str(&format!("Caused by: {}\n", printable(cause)));
        }
        if let Some(hint) = &self.hint {
            let begin = Tone::Strong.paint("Hint:");
            text.push_str(&format!("{begin} {}\n", printable(hint)));
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let mut message = self.message.clone();
        for cause in &self.causes {
            message = format!("{message}: {cause}");
        }
        json!({ "kind": self.kind, "message": message, "hint": self.hint })
    }
}
