//! What the readers of members produce, and the trait that receives it.

use std::io;

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
