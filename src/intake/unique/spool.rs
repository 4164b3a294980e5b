//! Ids on their way from the source to the ledger, in their order and as often as they came.
//!
//! A source may be a pipe, or change after the plan was shown: what is sent is what was read. They
//! are personal data, so the file they spill into has no name from its creation on and goes with
//! the process, however that ends.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::SpooledTempFile;

use crate::config::create_private_folder;

/// What is kept in memory unless a test says otherwise; more goes to a file.
pub(crate) const IN_MEMORY: usize = 32 * 1024 * 1024;
const BUFFER: usize = 128 * 1024;

/// Takes ids, one after the other.
#[derive(Debug)]
pub(crate) struct SpoolWriter {
    bytes: BufWriter<SpooledTempFile>,
    size: usize,
    in_memory: usize,
    /// Made when a file is about to be made in it.
    folder: Option<PathBuf>,
}

/// Ids that can be read again and again.
#[derive(Debug)]
pub(crate) struct Spool {
    bytes: RefCell<SpooledTempFile>,
}

impl SpoolWriter {
    /// `folder` is where a file is made for what is more than `in_memory` bytes.
    pub(crate) fn new(folder: &Path, in_memory: usize) -> Self {
        let bytes = tempfile::spooled_tempfile_in(in_memory, folder);
        Self {
            bytes: BufWriter::with_capacity(BUFFER, bytes),
            size: 0,
            in_memory,
            folder: Some(folder.to_owned()),
        }
    }

    /// Adds an id: it holds no line break.
    pub(crate) fn put(&mut self, id: &str) -> io::Result<()> {
        self.size += id.len() + 1;
        if self.size > self.in_memory
            && let Some(folder) = self.folder.take()
        {
            create_private_folder(&folder)?;
        }
        self.bytes.write_all(id.as_bytes())?;
        self.bytes.write_all(b"\n")
    }

    pub(crate) fn finish(self) -> io::Result<Spool> {
        let bytes = self.bytes.into_inner();
        let bytes = RefCell::new(bytes.map_err(io::IntoInnerError::into_error)?);
        Ok(Spool { bytes })
    }
}

impl Spool {
    /// The ids in their order, from the first one on.
    pub(crate) fn lines(&self) -> SpoolLines<'_> {
        let cursor = Cursor {
            bytes: &self.bytes,
            position: 0,
        };
        SpoolLines {
            bytes: BufReader::with_capacity(BUFFER, cursor),
        }
    }
}

/// Reads a spool from a place of its own, so that several can read it by turns.
struct Cursor<'s> {
    bytes: &'s RefCell<SpooledTempFile>,
    position: u64,
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.borrow_mut();
        bytes.seek(SeekFrom::Start(self.position))?;
        let count = bytes.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

pub(crate) struct SpoolLines<'s> {
    bytes: BufReader<Cursor<'s>>,
}

impl SpoolLines<'_> {
    /// Adds the next id and its line break to `lines`.
    ///
    /// # Errors
    /// When the file cannot be read, or ends before the id does.
    pub(crate) fn append_to(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        match self.bytes.read_until(b'\n', lines)? {
            count if count > 0 && lines.last() == Some(&b'\n') => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Passes over the next id.
    ///
    /// # Errors
    /// When the file cannot be read, or ends before it does.
    pub(crate) fn skip(&mut self) -> io::Result<()> {
        match self.bytes.skip_until(b'\n')? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
