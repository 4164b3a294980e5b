//! The log of a retention policy: one JSON object a line for each run. Has no id and no value.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::commands::failures::{local_io, usage};
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
    /// When it cannot be written, or is another file.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let failure = local_io(&error);
            Failure {
                message: format!("cannot write the log `{}`: {error}", path.display()),
                ..failure.hint("nothing was sent; name another file with `--log`")
            }
        };
        let file = private_file()
            .append(true)
            .read(true)
            .create(true)
            .open(path);
        let mut file = file.map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > 0 {
            let mut ends = [0; 2];
            file.read_exact(&mut ends[..1]).map_err(failed)?;
            file.seek(SeekFrom::End(-1)).map_err(failed)?;
            file.read_exact(&mut ends[1..]).map_err(failed)?;
            if ends[0] != b'{' {
                let message = format!("`{}` is not a log of dsr", path.display());
                return Err(usage(message)
                    .hint("nothing was sent; name a new file, or an earlier log, with `--log`"));
            }
            // A last line without its end would swallow the next one.
            if ends[1] != b'\n' {
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
        self.file.sync_all()
    }
}
