//! One member of the archive: looks at how it begins, and hands it to the reader that fits.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::content::{self, Content};
use super::sorter::Sorter;
use super::{SplitError, document, lines, table};

/// How much of a member is looked at to tell what it is.
const WINDOW_BYTES: u64 = 64 * 1024;
const BUFFER_BYTES: usize = 128 * 1024;

/// Why a member was not read to its end.
#[derive(Debug)]
pub(super) enum Fault {
    /// The archive's.
    Read(io::Error),
    /// Ours.
    Write(SplitError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<SplitError> for Fault {
    fn from(error: SplitError) -> Self {
        Self::Write(error)
    }
}

/// Where a piece of bytes that is no record stands in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Whole,
    First,
    Middle,
    Last,
}

/// Where what is read of a member goes.
pub(super) trait Sink {
    /// The text of one JSON value that should be a record, exactly as it stands.
    fn record(&mut self, text: &[u8]) -> Result<(), SplitError>;
    /// A row of a table, written as JSON.
    fn row(&mut self, row: table::Row<'_>) -> Result<(), SplitError>;
    /// Bytes that cannot be read as records, exactly as they stand.
    fn broken(&mut self, bytes: &[u8], piece: Piece) -> Result<(), SplitError>;
    /// Bytes around the records of a document, such as a page number, exactly as they stand.
    fn aside(&mut self, bytes: &[u8]) -> Result<(), SplitError>;
}

/// Reads a member to its end, so that its check sum is checked.
pub(super) fn read(name: &str, bytes: &mut dyn Read, sorter: &mut Sorter<'_>) -> Result<(), Fault> {
    let mut bytes = BufReader::with_capacity(BUFFER_BYTES, bytes);
    let mut window = Vec::new();
    bytes.by_ref().take(WINDOW_BYTES).read_to_end(&mut window)?;
    let ends = (window.len() as u64) < WINDOW_BYTES;
    let mark = content::byte_order_mark(&window);
    let content = content::recognise(&window[mark..], ends);
    sorter.begin_member(name, content);
    let mut whole = Cursor::new(window).chain(bytes);
    if content == Content::Unknown {
        sorter.keep_member(&mut whole)?;
    } else {
        whole.consume(mark);
        let limit = sorter.record_limit();
        match content {
            Content::Lines => lines::read(&mut whole, limit, sorter)?,
            Content::Document => document::read(&mut whole, limit, sorter)?,
            Content::Table { delimiter } => table::read(&mut whole, delimiter, limit, sorter)?,
            Content::Empty | Content::Unknown => {}
        }
    }
    io::copy(&mut whole, &mut io::sink())?;
    Ok(())
}
