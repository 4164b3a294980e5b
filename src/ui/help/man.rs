//! Man pages: one to read, or the files they were written to.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// One man page.
pub struct Sheet {
    /// Without section, such as `dsr-auth-login`.
    pub name: String,
    pub section: u8,
    pub text: String,
}

impl View for Sheet {
    fn human(&self, _: &Paper) -> String {
        self.text.clone()
    }

    fn json(&self) -> Value {
        json!({ "man": { "name": self.name, "section": self.section, "page": self.text } })
    }
}

/// Man pages in files.
pub struct ManFilesView {
    pub files: Vec<PathBuf>,
}

impl View for ManFilesView {
    fn human(&self, _: &Paper) -> String {
        let files = self
            .files
            .iter()
            .map(|file| format!("{}\n", file.display()));
        files.collect()
    }

    fn json(&self) -> Value {
        let files = self.files.iter().map(|file| file.display().to_string());
        json!({ "man": { "files": files.collect::<Vec<_>>() } })
    }
}
