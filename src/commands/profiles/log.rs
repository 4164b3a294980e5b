//! The log of a retention policy: one JSON object a line for each run. Has no id and no value.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::commands::failures::{local_io, usage};
use crate::config::{private_file, sync_file};
use crate::ui::Failure;

const OTHER_FILE: &str = "nothing was sent; name a new file, or an earlier log, with `--log`";

/// The longest first line that is read, in bytes. A line has names of properties, and no value.
const MOST_LINE: u64 = 1 << 20;

/// What each line has.
const KEYS: [&str; 6] = ["at", "window", "by", "limit", "at_most", "selected"];

/// A log that can be appended to.
pub(super) struct RunLog {
    file: File,
    path: PathBuf,
}

impl RunLog {
    /// Opens the log, and makes it (0600) if there is none.
    ///
    /// # Errors
    /// When it cannot be written, or is another file.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let failure = local_io(&error);
            Failure {
                message: format!("cannot write the log `{}`: {error}", path.display()),
                ..failure.hint("nothing was sent; name another file with `--log`")
            }
        };
        // A pipe or a device has no lines that could be checked, and opening it may block.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            let message = format!("the log `{}` is not a regular file", path.display());
            return Err(usage(message).hint(OTHER_FILE));
        }
        let file = private_file()
            .append(true)
            .read(true)
            .create(true)
            .open(path);
        let mut file = file.map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > 0 {
            if !begins_as_log(&file).map_err(failed)? {
                let message = format!("`{}` is not a log of dsr", path.display());
                return Err(usage(message).hint(OTHER_FILE));
            }
            let mut end = [0];
            file.seek(SeekFrom::End(-1)).map_err(failed)?;
            file.read_exact(&mut end).map_err(failed)?;
            // A last line without its end would swallow the next one.
            if end != *b"\n" {
                file.write_all(b"\n").map_err(failed)?;
            }
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
        sync_file(&self.file)
    }
}

/// Whether the first line is one that dsr wrote.
fn begins_as_log(file: &File) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(file.take(MOST_LINE)).read_until(b'\n', &mut line)?;
    let line: Value = serde_json::from_slice(&line).unwrap_or_default();
    Ok(line["schema"] == 1 && KEYS.iter().all(|key| line.get(key).is_some()))
}
