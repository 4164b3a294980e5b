use serde_json::{Value, json};

use crate::ui::{Paper, View};

/// What became of a secret in the keyring.
pub(crate) struct Kept {
    /// Which secret, such as `key`.
    pub(crate) what: &'static str,
    pub(crate) change: Change,
}

pub(crate) enum Change {
    Recorded,
    Removed { was_there: bool },
}

impl View for Kept {
    fn human(&self, _: &Paper) -> String {
        let what = self.what;
        match self.change {
            Change::Recorded => format!("The {what} is in the keyring.\n"),
            Change::Removed { was_there: true } => format!("The {what} is out of the keyring.\n"),
            Change::Removed { was_there: false } => {
                format!("There was no {what} in the keyring.\n")
            }
        }
    }

    fn json(&self) -> Value {
        match self.change {
            Change::Recorded => json!({ "recorded": true }),
            Change::Removed { was_there } => json!({ "removed": was_there }),
        }
    }
}
