//! The programs of the system that read man pages: `man` shows one, `manpath` says where it looks.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::config::VARIABLES;

/// Whether there is a `man` to show the page in this file.
pub(super) fn show(file: &Path) -> bool {
    // Every `man` takes a path with a slash as a file.
    without_ours("man").arg(file).status().is_ok()
}

/// Whether `man` looks into this folder, if it can be asked.
pub(super) fn looks_into(folder: &Path) -> Option<bool> {
    let output = without_ours("manpath").stdin(Stdio::null()).output().ok()?;
    let folders = String::from_utf8(output.stdout).ok()?;
    let mut folders = folders.trim_end().split(':');
    let is_answer = output.status.success();
    is_answer.then(|| folders.any(|known| Path::new(known) == folder))
}

/// No token of ours is in its environment.
fn without_ours(program: &str) -> Command {
    let mut command = Command::new(program);
    let ours = VARIABLES.iter().map(|(name, _)| name);
    for name in ours.filter(|name| name.starts_with("DSR_")) {
        command.env_remove(name);
    }
    command
}
