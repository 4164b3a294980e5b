//! A file of events that goes to Mixpanel as it is: every line is checked before any is sent, and
//! each is handed out byte for byte. Keeps no event in memory.

mod line;

use std::collections::HashSet;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use siphasher::sip128::Hasher128;

use super::Headway;
use crate::domain::{DistinctId, random_bytes, to_hex};

use line::CheckedLine;
pub use line::LineFault;

/// How many repeated lines are named.
const NAMED: usize = 5;
/// How often the progress is shown, in lines.
const STEP: usize = 4096;
/// Programs on Windows write it before the first line.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Why a file cannot be imported. Quotes nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum ImportFileError {
    #[error("cannot read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` is not a file; an import is read several times")]
    NotAFile { path: PathBuf },
    #[error("`{path}` has no event")]
    Empty { path: PathBuf },
    #[error("`{path}`, line {line}: {fault}")]
    Line {
        path: PathBuf,
        line: usize,
        fault: LineFault,
    },
    #[error("`{path}` changed while dsr read it")]
    Changed { path: PathBuf },
}

/// A file of events that were all checked.
#[derive(Debug)]
pub struct ImportFile {
    path: PathBuf,
    reader: BufReader<File>,
    key: [u8; 16],
    lines: Vec<LineAt>,
    /// 64 lower-case hex digits, over the whole file.
    pub sha256: String,
    /// The first and the last day of the events, in UTC.
    pub days: (NaiveDate, NaiveDate),
    /// On how many days there are events.
    pub day_count: usize,
    pub people: HashSet<DistinctId>,
    /// Every id that Mixpanel finds in an event, also in `$user_id`, `$device_id` and their like.
    pub named: HashSet<String>,
    /// The latest time of an event.
    pub latest: DateTime<Utc>,
    pub repeated: RepeatedLines,
}

/// Lines whose name, time, id and `$insert_id` are those of an earlier line.
#[derive(Debug, Default)]
pub struct RepeatedLines {
    pub count: usize,
    /// The first of them, from 1.
    pub lines: Vec<usize>,
}

/// A line's place, and what tells whether it is still the same.
#[derive(Debug, Clone, Copy)]
struct LineAt {
    start: u64,
    /// Without the line end.
    bytes: u32,
    hash: u64,
}

/// An event to send.
#[derive(Debug)]
pub struct ImportEvent {
    /// The line without its end.
    pub json: Vec<u8>,
    pub id: DistinctId,
    pub insert_id: String,
}

impl ImportFile {
    /// Reads the whole file, whose lines may have `most_bytes` each.
    ///
    /// # Errors
    /// At the first line that Mixpanel could not take, or whose like it forbids. When the last line
    /// has no end, because the file may be cut off there.
    pub fn open(
        path: &Path,
        most_bytes: usize,
        on_headway: &mut dyn FnMut(Headway),
    ) -> Result<Self, ImportFileError> {
        let failed = |source| ImportFileError::Read {
            path: path.to_owned(),
            source,
        };
        // A pipe would wait for its writer.
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            let path = path.to_owned();
            return Err(ImportFileError::NotAFile { path });
        }
        let file = File::open(path).map_err(failed)?;
        let mut found = ReadLines::default();
        let mut reader = BufReader::with_capacity(1 << 16, file);
        if reader
            .fill_buf()
            .map_err(failed)?
            .starts_with(BYTE_ORDER_MARK)
        {
            reader.consume(BYTE_ORDER_MARK.len());
            found.skip(BYTE_ORDER_MARK);
        }
        let mut line = Vec::new();
        loop {
            line.clear();
            let limited = (&mut reader).take(most_bytes as u64 + 2);
            let read = { limited }.read_until(b'\n', &mut line).map_err(failed)?;
            if read == 0 {
                break;
            }
            found
                .take(&line, most_bytes)
                .map_err(|fault| ImportFileError::Line {
                    path: path.to_owned(),
                    line: found.lines.len() + 1,
                    fault,
                })?;
            if found.lines.len().is_multiple_of(STEP) {
                on_headway(found.headway(metadata.len()));
            }
        }
        found.finish(path, reader)
    }

    /// How many events it has.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// The file's name.
    pub fn label(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The events in batches of at most `most` events and `most_bytes` as a JSON array: how many
    /// each batch has.
    pub fn batches(&self, most: usize, most_bytes: usize) -> Vec<usize> {
        let mut batches = Vec::new();
        let (mut events, mut bytes) = (0, 1);
        for line in &self.lines {
            let line = line.bytes as usize + 1;
            if events == most || (events > 0 && bytes + line > most_bytes) {
                batches.push(events);
                (events, bytes) = (0, 1);
            }
            events += 1;
            bytes += line;
        }
        batches.push(events);
        batches
    }

    /// Reads some events again, from 0.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what it was.
    pub fn read(
        &mut self,
        first: usize,
        count: usize,
    ) -> Result<Vec<ImportEvent>, ImportFileError> {
        let span = first..first.saturating_add(count);
        let lines = self.lines.get(span).unwrap_or_default().to_vec();
        match lines.len() == count {
            true => lines.into_iter().map(|line| self.read_line(line)).collect(),
            false => Err(self.changed()),
        }
    }

    fn read_line(&mut self, line: LineAt) -> Result<ImportEvent, ImportFileError> {
        let mut json = vec![0; line.bytes as usize];
        let read = (self.reader.seek(SeekFrom::Start(line.start)))
            .and_then(|_| self.reader.read_exact(&mut json));
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.changed());
            }
            Err(source) => {
                let path = self.path.clone();
                return Err(ImportFileError::Read { path, source });
            }
            Ok(()) => {}
        }
        let checked = match sip(&self.key, &json) == line.hash {
            true => CheckedLine::of(&json).ok(),
            false => None,
        };
        let Some(CheckedLine { id, insert_id, .. }) = checked else {
            return Err(self.changed());
        };
        Ok(ImportEvent {
            json,
            id,
            insert_id,
        })
    }

    fn changed(&self) -> ImportFileError {
        let path = self.path.clone();
        ImportFileError::Changed { path }
    }
}

/// What was read of a file so far.
struct ReadLines {
    /// Random, so that nobody can make two lines look alike.
    key: [u8; 16],
    sha256: Sha256,
    lines: Vec<LineAt>,
    /// What makes two events the same one, and the line.
    sames: Vec<([u8; 16], u32)>,
    bytes: u64,
    days: HashSet<NaiveDate>,
    people: HashSet<DistinctId>,
    named: HashSet<String>,
    latest: DateTime<Utc>,
}

impl Default for ReadLines {
    fn default() -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&random_bytes()[..16]);
        Self {
            key,
            sha256: Sha256::new(),
            lines: Vec::new(),
            sames: Vec::new(),
            bytes: 0,
            days: HashSet::new(),
            people: HashSet::new(),
            named: HashSet::new(),
            latest: DateTime::UNIX_EPOCH,
        }
    }
}

impl ReadLines {
    /// Bytes of the file that are of no line.
    fn skip(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Takes a line with its end.
    fn take(&mut self, line: &[u8], most_bytes: usize) -> Result<(), LineFault> {
        self.sha256.update(line);
        let text = line.strip_suffix(b"\n");
        if text.unwrap_or(line).len() > most_bytes {
            return Err(LineFault::TooLong);
        }
        let text = text.ok_or(LineFault::Unended)?;
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let checked = CheckedLine::of(text)?;
        let bytes = u32::try_from(text.len()).map_err(|_| LineFault::TooLong)?;
        let number = u32::try_from(self.lines.len()).map_err(|_| LineFault::TooMany)?;
        self.sames.push((checked.same(&self.key), number));
        self.lines.push(LineAt {
            start: self.bytes,
            bytes,
            hash: sip(&self.key, text),
        });
        self.bytes += line.len() as u64;
        self.days.insert(checked.time_of.date_naive());
        self.latest = self.latest.max(checked.time_of);
        self.named.extend(checked.named);
        if !self.people.contains(&checked.id) {
            self.people.insert(checked.id);
        }
        Ok(())
    }

    fn headway(&self, of_bytes: u64) -> Headway {
        Headway {
            values: self.lines.len(),
            bytes: self.bytes,
            of_bytes: Some(of_bytes),
        }
    }

    fn finish(self, path: &Path, reader: BufReader<File>) -> Result<ImportFile, ImportFileError> {
        let path = path.to_owned();
        let mut days: Vec<NaiveDate> = self.days.into_iter().collect();
        days.sort_unstable();
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Err(ImportFileError::Empty { path });
        };
        Ok(ImportFile {
            path,
            reader,
            key: self.key,
            lines: self.lines,
            sha256: to_hex(&self.sha256.finalize()),
            days: (*first, *last),
            day_count: days.len(),
            people: self.people,
            named: self.named,
            latest: self.latest,
            repeated: find_repeated(self.sames),
        })
    }
}

fn find_repeated(mut sames: Vec<([u8; 16], u32)>) -> RepeatedLines {
    sames.sort_unstable();
    let pairs = sames.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let mut lines: Vec<usize> = pairs.map(|pair| pair[1].1 as usize + 1).collect();
    lines.sort_unstable();
    let count = lines.len();
    lines.truncate(NAMED);
    RepeatedLines { count, lines }
}

fn sip(key: &[u8; 16], bytes: &[u8]) -> u64 {
    let mut hasher = siphasher::sip::SipHasher13::new_with_key(key);
    hasher.write(bytes);
    hasher.finish()
}

/// The fields one after the other, each after its length.
fn sip_of(key: &[u8; 16], fields: [&[u8]; 4]) -> [u8; 16] {
    let mut hasher = siphasher::sip128::SipHasher13::new_with_key(key);
    for field in fields {
        hasher.write(&(field.len() as u64).to_le_bytes());
        hasher.write(field);
    }
    hasher.finish128().as_bytes()
}

#[cfg(test)]
mod tests;
