//! The log of a retention policy: one JSON object a line for each run. Has no id and no value.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::commands::failures::local_io;
use crate::config::private_file;
use crate::ui::Failure;

/// A log that can be appended to.
pub(super) struct RunLog {
    file: File,
    path: PathBuf,
}

impl RunLog {
    /// Opens the log, and makes it (0600) if there is none.
    ///
    /// # Errors
    /// When it cannot be written, or its last line is not whole.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let failure = local_io(&error);
            Failure {
                message: format!("cannot write the log `{}`: {error}", path.display()),
                ..failure.hint("nothing was sent; name another file with `--log`")
            }
        };
        let file = private_file().append(true).create(true).open(path);
        let file = file.map_err(failed)?;
        // A last line without its end would swallow the next one.
        let before = fs::read(path).map_err(failed)?;
        if before.last().is_some_and(|byte| *byte != b'\n') {
            (&file).write_all(b"\n").map_err(failed)?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line, which is on disk afterwards.
    pub(super) fn append(&self, line: &Value) -> io::Result<()> {
        // One write, so that the lines of two runs do not mix.
        (&self.file).write_all(format!("{line}\n").as_bytes())?;
        self.file.sync_all()
    }
}
