//! Shows a man page, or the files that man pages were written to.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{plural, shell_word};

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

/// Installed man pages, and whether `man` finds them; `None` if unknown.
pub struct ManInstalledView {
    pub folder: PathBuf,
    pub files: Vec<PathBuf>,
    pub found: Option<bool>,
}

impl View for ManInstalledView {
    fn human(&self, _: &Paper) -> String {
        let pages = plural(self.files.len(), "man page", "man pages");
        let folder = self.folder.display().to_string();
        let found = match self.found {
            Some(true) => "Read them with `man dsr`.".to_owned(),
            other => {
                let doubt = match other {
                    Some(_) => "`man` does not look there yet.",
                    None => "If `man dsr` does not find them:",
                };
                let word = shell_word(&folder);
                format!(
                    "{doubt} Add this line to ~/.profile:\n  export MANPATH={word}:\"$MANPATH\""
                )
            }
        };
        format!("Installed {pages} in {folder}.\n{found}\n")
    }

    fn json(&self) -> Value {
        let files = self.files.iter().map(|file| file.display().to_string());
        json!({ "man": {
            "folder": self.folder.display().to_string(),
            "found": self.found,
            "files": files.collect::<Vec<_>>(),
        } })
    }
}
