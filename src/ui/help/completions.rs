//! Shows the completion script of a shell.

use serde_json::{Value, json};

use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// A script to be sourced.
pub struct ScriptView {
    pub shell: String,
    pub script: String,
}

impl View for ScriptView {
    fn human(&self, _: &Paper) -> String {
        self.script.clone()
    }

    fn json(&self) -> Value {
        json!({ "completions": { "shell": self.shell, "script": self.script } })
    }
}
