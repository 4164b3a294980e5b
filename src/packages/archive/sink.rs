//! What the readers of members hand on, and where it goes.

use std::io;

use crate::domain::ProjectZone;
use crate::packages::SplitError;
use crate::packages::record::RecordFacts;

/// Why a member was not read to its end.
#[derive(Debug)]
pub(crate) enum MemberFault {
    /// The archive's.
    Read(io::Error),
    /// Ours.
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

/// Where a piece of bytes that is no record stands in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PiecePlace {
    Whole,
    First,
    Middle,
    Last,
}

/// One row: what is known of it, and the JSON object it is written as. An empty field is a property
/// that the record does not carry.
pub(crate) struct RecordRow<'a> {
    pub(crate) facts: RecordFacts<'a>,
    pub(crate) json: &'a [u8],
}

/// Where what is read of a member goes.
pub(crate) trait RecordSink {
    /// Whose clock the times of events are by.
    fn zone(&self) -> ProjectZone;
    /// The text of one JSON value that should be a record, exactly as it stands.
    fn record(&mut self, text: &[u8]) -> Result<(), SplitError>;
    /// A row of a table, written as JSON.
    fn row(&mut self, row: RecordRow<'_>) -> Result<(), SplitError>;
    /// Bytes that cannot be read as records, exactly as they stand.
    fn broken(&mut self, bytes: &[u8], piece: PiecePlace) -> Result<(), SplitError>;
    /// Bytes around the records of a document, such as a page number, exactly as they stand.
    fn aside(&mut self, bytes: &[u8]) -> Result<(), SplitError>;
}
