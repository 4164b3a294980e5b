//! Keeps the ids between reading and sending, in order and with repeats.
//!
//! A source may be a pipe, or change after the plan was shown, so dsr sends what it read. Ids are
//! personal data: the spill file never has a name and vanishes with the process.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::SpooledTempFile;

use crate::config::create_private_folder;

/// Bytes kept in memory; the rest goes to a file. Tests use less.
pub(crate) const IN_MEMORY: usize = 32 * 1024 * 1024;
const BUFFER: usize = 128 * 1024;

#[derive(Debug)]
pub(crate) struct SpoolWriter {
    bytes: BufWriter<SpooledTempFile>,
    size: usize,
    in_memory: usize,
    /// `Some` until the folder has been created for the spill file.
    folder: Option<PathBuf>,
}

/// Ids that can be read again and again.
#[derive(Debug)]
pub(crate) struct Spool {
    bytes: RefCell<SpooledTempFile>,
}

impl SpoolWriter {
    /// More than `in_memory` bytes go to a file in `folder`.
    pub(crate) fn new(folder: &Path, in_memory: usize) -> Self {
        let bytes = tempfile::spooled_tempfile_in(in_memory, folder);
        Self {
            bytes: BufWriter::with_capacity(BUFFER, bytes),
            size: 0,
            in_memory,
            folder: Some(folder.to_owned()),
        }
    }

    /// Adds an id; it must not hold a line break.
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

/// Reads a spool with its own position, so that several readers can take turns.
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
    /// Appends the next id and its line break to `lines`. Fails when the file cannot be read, or
    /// ends before the id does.
    pub(crate) fn append_to(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        match self.bytes.read_until(b'\n', lines)? {
            count if count > 0 && lines.last() == Some(&b'\n') => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Skips the next id. Fails when the file cannot be read, or ends before the id does.
    pub(crate) fn skip(&mut self) -> io::Result<()> {
        match self.bytes.skip_until(b'\n')? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
