//! The system's programs for man pages: `man` shows one, `manpath` lists folders.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::config::VARIABLES;

/// Shows the page in this file. Returns whether `man` could.
pub(super) fn show(file: &Path) -> bool {
    // Every `man` reads an argument with a slash as a file.
    without_ours("man").arg(file).status().is_ok()
}

/// Whether `man` searches this folder; `None` if that cannot be asked.
pub(super) fn looks_into(folder: &Path) -> Option<bool> {
    let output = without_ours("manpath").stdin(Stdio::null()).output().ok()?;
    let folders = String::from_utf8(output.stdout).ok()?;
    let mut folders = folders.trim_end().split(':');
    let is_answer = output.status.success();
    is_answer.then(|| folders.any(|known| Path::new(known) == folder))
}

/// Runs a program without dsr's tokens in its environment.
fn without_ours(program: &str) -> Command {
    let mut command = Command::new(program);
    let ours = VARIABLES.iter().map(|(name, _)| name);
    for name in ours.filter(|name| name.starts_with("DSR_")) {
        command.env_remove(name);
    }
    command
}
