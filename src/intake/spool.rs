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
pub(super) const IN_MEMORY: usize = 32 * 1024 * 1024;
const BUFFER: usize = 128 * 1024;

/// Takes ids, one after the other.
#[derive(Debug)]
pub(super) struct SpoolWriter {
    bytes: BufWriter<Spilling>,
}

/// Ids that can be read again and again.
#[derive(Debug)]
pub(super) struct Spool {
    bytes: RefCell<SpooledTempFile>,
}

impl SpoolWriter {
    /// `folder` is where a file is made for what is more than `in_memory` bytes.
    pub(super) fn new(folder: &Path, in_memory: usize) -> Self {
        let spilling = Spilling {
            bytes: tempfile::spooled_tempfile_in(in_memory, folder),
            in_memory: in_memory as u64,
            folder: Some(folder.to_owned()),
        };
        Self {
            bytes: BufWriter::with_capacity(BUFFER, spilling),
        }
    }

    /// Adds an id: it holds no line break.
    pub(super) fn put(&mut self, id: &str) -> io::Result<()> {
        self.bytes.write_all(id.as_bytes())?;
        self.bytes.write_all(b"\n")
    }

    pub(super) fn finish(self) -> io::Result<Spool> {
        let spilling = self
            .bytes
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Spool {
            bytes: RefCell::new(spilling.bytes),
        })
    }
}

/// Makes the folder when the file is about to be.
#[derive(Debug)]
struct Spilling {
    bytes: SpooledTempFile,
    in_memory: u64,
    folder: Option<PathBuf>,
}

impl Write for Spilling {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let position = self.bytes.stream_position()?;
        if position + buffer.len() as u64 > self.in_memory
            && let Some(folder) = self.folder.take()
        {
            create_private_folder(&folder)?;
        }
        self.bytes.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bytes.flush()
    }
}

impl Spool {
    /// The ids in their order, from the first one on.
    pub(super) fn lines(&self) -> Lines<'_> {
        let cursor = Cursor {
            bytes: &self.bytes,
            position: 0,
        };
        Lines {
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

pub(super) struct Lines<'s> {
    bytes: BufReader<Cursor<'s>>,
}

impl Lines<'_> {
    /// Adds the next id and its line break to `lines`.
    ///
    /// # Errors
    /// When the file cannot be read, or ends before the id does.
    pub(super) fn append_to(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        match self.bytes.read_until(b'\n', lines)? {
            count if count > 0 && lines.last() == Some(&b'\n') => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Passes over the next id.
    ///
    /// # Errors
    /// When the file cannot be read, or ends before it does.
    pub(super) fn skip(&mut self) -> io::Result<()> {
        match self.bytes.skip_until(b'\n')? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
