//! The file of the events that Mixpanel refused, one by one or with their batch: exactly their
//! lines. It follows from the ledger and the imported file, so a killed dsr loses none of them. dsr
//! removes it before it sends again: it would be wrong as soon as Mixpanel takes one of its events.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::commands::failures::{in_the_way, local_io};
use crate::domain::BatchState;
use crate::intake::{ImportFile, ImportFileError};
use crate::ledger::IngestionRecord;
use crate::ui::Failure;
use crate::workflow::{NewFile, NewFileError};

const OTHER_FILE: &str = "nothing was sent; move it away, or name another file with `--failed`";
const OTHER_FOLDER: &str = "nothing was sent; name a file in another folder with `--failed`";

pub(super) struct RefusedFile {
    path: PathBuf,
    at_path: AtPath,
}

/// What is at the path.
#[derive(PartialEq, Eq)]
enum AtPath {
    Nothing,
    /// Exactly the refused lines.
    Refused,
    /// Beside a complete import: dsr leaves it as it is. Somebody may have corrected the lines.
    Other,
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
        let lines = match earlier {
            Some(earlier) if is_there => lines_of(earlier, file)?,
            _ => Vec::new(),
        };
        // Even if all its lines were refused, the source is not the file that dsr wrote.
        let is_source = path.canonicalize().ok() == file.path().canonicalize().ok();
        let at_path = match is_there {
            false => AtPath::Nothing,
            true if is_source => return Err(in_the_way(&path, OTHER_FILE)),
            true if has(&path, &lines) => AtPath::Refused,
            true if is_done => AtPath::Other,
            true => return Err(in_the_way(&path, OTHER_FILE)),
        };
        if at_path == AtPath::Nothing && !is_done {
            // Fails now rather than after all the sending.
            let begun = NewFile::create(&path);
            begun.map_err(|error| Failure::from(error).hint(OTHER_FOLDER))?;
        }
        Ok(Self { path, at_path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, if it has exactly the refused lines.
    pub(super) fn written(&self) -> Option<&Path> {
        (self.at_path == AtPath::Refused).then_some(&*self.path)
    }

    /// Removes the lines that an earlier run wrote, before anything is sent.
    pub(super) fn withdraw(&mut self) -> Result<(), Failure> {
        if self.at_path == AtPath::Refused {
            std::fs::remove_file(&self.path)
                .map_err(|error| local_io(&error).hint(OTHER_FOLDER))?;
            self.at_path = AtPath::Nothing;
        }
        Ok(())
    }

    /// Writes the lines that were refused so far, if there are any.
    pub(super) fn write(
        &mut self,
        ingestion: &IngestionRecord,
        file: &mut ImportFile,
    ) -> Result<(), Failure> {
        let lines = lines_of(ingestion, file)?;
        if lines.is_empty() || self.at_path != AtPath::Nothing {
            return Ok(());
        }
        // Another dsr may have ended the same import.
        if has(&self.path, &lines) {
            self.at_path = AtPath::Refused;
            return Ok(());
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
        self.at_path = AtPath::Refused;
        Ok(())
    }
}

/// Whether a regular file is there and has exactly these lines, and at least one.
fn has(path: &Path, lines: &[u8]) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    is_file && !lines.is_empty() && std::fs::read(path).is_ok_and(|old| old == lines)
}

/// The refused lines in their order, those of batches that were refused whole among them.
fn lines_of(
    ingestion: &IngestionRecord,
    file: &mut ImportFile,
) -> Result<Vec<u8>, ImportFileError> {
    let mut lines = Vec::new();
    for place in places(ingestion) {
        for event in file.read(place, 1)? {
            lines.extend_from_slice(&event.json);
            lines.push(b'\n');
        }
    }
    Ok(lines)
}

fn places(ingestion: &IngestionRecord) -> Vec<usize> {
    let failed = ingestion.batches.iter();
    let failed = failed.filter(|batch| batch.state == BatchState::Failed);
    let failed = failed.flat_map(|batch| batch.first..batch.first + batch.records);
    let single = ingestion.refused().into_iter().map(|(place, _)| place);
    let mut places: Vec<usize> = single.chain(failed).collect();
    places.sort_unstable();
    places
}
