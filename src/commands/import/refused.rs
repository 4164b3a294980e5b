//! The file of the events that Mixpanel refused: exactly their lines. It follows from the ledger and
//! the imported file, so a killed dsr loses none of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::commands::failures::{in_the_way, local_io};
use crate::intake::{ImportFile, ImportFileError};
use crate::ledger::IngestionRecord;
use crate::ui::Failure;
use crate::workflow::{NewFile, NewFileError};

const OTHER_FILE: &str = "nothing was sent; move it away, or name another file with `--failed`";

pub(super) struct RefusedFile {
    path: PathBuf,
    is_there: bool,
}

impl RefusedFile {
    /// Where the file will be. What is there now must be what dsr wrote there for the same import.
    pub(super) fn find(
        asked: Option<&Path>,
        earlier: Option<&IngestionRecord>,
        file: &mut ImportFile,
    ) -> Result<Self, Failure> {
        let beside = || file.path().with_extension("failed.jsonl");
        let path = asked.map_or_else(beside, Path::to_owned);
        let is_there = path.symlink_metadata().is_ok();
        let is_done = earlier.is_some_and(IngestionRecord::is_done);
        if is_there && !is_done {
            let lines = match earlier {
                Some(earlier) => lines_of(earlier, file)?,
                None => Vec::new(),
            };
            let is_own = !lines.is_empty() && std::fs::read(&path).is_ok_and(|old| old == lines);
            if !is_own {
                return Err(in_the_way(&path, OTHER_FILE));
            }
        }
        Ok(Self { path, is_there })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, if it is there.
    pub(super) fn written(&self) -> Option<&Path> {
        self.is_there.then_some(&*self.path)
    }

    /// Writes the lines that were refused so far, if there are any.
    pub(super) fn write(
        &mut self,
        ingestion: &IngestionRecord,
        file: &mut ImportFile,
    ) -> Result<(), Failure> {
        let lines = lines_of(ingestion, file)?;
        if lines.is_empty() {
            return Ok(());
        }
        if self.is_there {
            // Somebody may have corrected the lines of a complete import.
            let is_whole = std::fs::read(&self.path).is_ok_and(|old| old == lines);
            if is_whole || ingestion.is_done() && !self.is_beginning(&lines) {
                return Ok(());
            }
            std::fs::remove_file(&self.path).map_err(|error| local_io(&error))?;
        }
        let written = NewFile::create(&self.path).and_then(|mut file| {
            file.write_all(&lines)
                .map_err(|source| NewFileError::Write {
                    path: self.path.clone(),
                    source,
                })?;
            file.finish()
        });
        written.map_err(|error| {
            let failure = Failure::from(error);
            failure.hint("the import is recorded; run the same command again with `--failed FILE`")
        })?;
        self.is_there = true;
        Ok(())
    }

    /// Whether the file has some of these lines and nothing else, as after an earlier run.
    fn is_beginning(&self, lines: &[u8]) -> bool {
        let all: std::collections::HashSet<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
        let old = std::fs::read(&self.path).unwrap_or_default();
        old.split(|byte| *byte == b'\n')
            .all(|line| all.contains(line))
    }
}

/// The refused lines in their order.
fn lines_of(
    ingestion: &IngestionRecord,
    file: &mut ImportFile,
) -> Result<Vec<u8>, ImportFileError> {
    let mut lines = Vec::new();
    for (place, _) in ingestion.refused() {
        for event in file.read(place, 1)? {
            lines.extend_from_slice(&event.json);
            lines.push(b'\n');
        }
    }
    Ok(lines)
}
