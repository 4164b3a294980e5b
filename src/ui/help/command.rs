//! Shows the help of a command.

use serde_json::{Value, json};

use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// A command with its help, as clap renders it.
pub struct CommandView {
    pub name: String,
    pub title: Option<String>,
    pub help: clap::builder::StyledStr,
}

impl View for CommandView {
    fn human(&self, _: &Paper) -> String {
        format!("{}\n", self.help.ansi().to_string().trim_end())
    }

    fn json(&self) -> Value {
        json!({ "help": {
            "command": self.name,
            "title": self.title,
            "text": self.help.to_string(),
        } })
    }
}
