//! What the readers of members produce, and the trait that receives it.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, Write};
use std::path::Path;

use super::documented::{JobMember, RecordedNames};
use crate::domain::ProjectZone;
use crate::packages::SplitError;
use crate::packages::record::RecordFacts;

#[derive(Debug)]
pub(crate) enum MemberFault {
    /// Reading the archive failed.
    Read(io::Error),
    /// Writing the packages failed.
    Write(SplitError),
}

impl From<io::Error> for MemberFault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<SplitError> for MemberFault {
    fn from(error: SplitError) -> Self {
        Self::Write(error)
    }
}

/// Which part of a longer unreadable text a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PiecePlace {
    Whole,
    First,
    Middle,
    Last,
}

/// A table row: its facts, and the JSON object it becomes. Empty fields are left out.
pub(crate) struct RecordRow<'a> {
    pub(crate) facts: RecordFacts<'a>,
    pub(crate) json: &'a [u8],
}

pub(crate) trait RecordSink {
    /// The time zone of event times.
    fn zone(&self) -> ProjectZone;
    /// Takes the text of one JSON value that should be a record, unchanged.
    fn record(&mut self, text: &[u8]) -> Result<(), SplitError>;
    fn row(&mut self, row: RecordRow<'_>) -> Result<(), SplitError>;
    /// Takes bytes that are not readable records, unchanged.
    fn broken(&mut self, bytes: &[u8], piece: PiecePlace) -> Result<(), SplitError>;
    /// Takes the bytes around the records of a document, such as a page number, unchanged.
    fn aside(&mut self, bytes: &[u8]) -> Result<(), SplitError>;
}

/// Receives the members of an archive, with their records.
pub(crate) trait MemberSink: RecordSink {
    /// Bytes of the longest record; a longer one is passed on in pieces, unread.
    fn record_limit(&self) -> usize;
    /// The folder for unnamed files.
    fn root(&self) -> &Path;
    fn begin_member(&mut self, name: &str, read_as: &'static str);
    /// Takes a member that holds no records, unchanged.
    fn keep_member(&mut self, bytes: &mut dyn BufRead) -> Result<(), MemberFault>;
    /// Takes a member about the whole job.
    fn add_job_facts(
        &mut self,
        member: JobMember,
        facts: RecordedNames,
        text: &[u8],
    ) -> Result<(), SplitError>;
}

/// Writes `bytes` to an unnamed file in `folder` and rewinds it.
pub(crate) fn put_down(folder: &Path, bytes: &mut dyn Read) -> Result<File, MemberFault> {
    let failed = |error| SplitError::write(folder)(error);
    let mut file = tempfile::tempfile_in(folder).map_err(failed)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match bytes.read(&mut buffer)? {
            0 => break,
            count => file.write_all(&buffer[..count]).map_err(failed)?,
        }
    }
    file.rewind().map_err(failed)?;
    Ok(file)
}
