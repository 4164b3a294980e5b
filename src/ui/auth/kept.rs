//! Shows what was kept in the keyring, and what was removed.

use serde_json::{Value, json};

use crate::domain::TokenName;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// A change to a secret in the keyring.
pub struct KeptSecret {
    /// Which secret, such as `key`.
    pub what: &'static str,
    pub change: Change,
}

pub enum Change {
    Recorded,
    Removed { was_there: bool },
}

impl View for KeptSecret {
    fn human(&self, _: &Paper) -> String {
        let what = self.what;
        match self.change {
            Change::Recorded => format!("The {what} is in the keyring.\n"),
            Change::Removed { was_there: true } => {
                format!("The {what} is removed from the keyring.\n")
            }
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

/// A token or a service account that was removed from the keyring.
pub struct LoggedOut {
    /// Which of them, such as `token`.
    pub what: &'static str,
    pub name: TokenName,
    pub was_there: bool,
}

impl View for LoggedOut {
    fn human(&self, _: &Paper) -> String {
        let token = match self.name.is_main() {
            true => self.what.to_owned(),
            false => format!("{} `{}`", self.what, self.name),
        };
        match self.was_there {
            true => {
                format!("The {token} is removed from the keyring; revoke it in Mixpanel, too.\n")
            }
            false => format!("There was no {token} in the keyring.\n"),
        }
    }

    fn json(&self) -> Value {
        json!({ "removed": self.was_there, "name": self.name.as_str() })
    }
}
