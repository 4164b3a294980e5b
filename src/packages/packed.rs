//! Members that are archives themselves: a zip or a gzip inside of the zip.
//!
//! Each is put down as it came and read twice: first to its end, since what turns out to be damaged
//! must be kept whole, and then for its records. What it unpacks to counts for the whole archive.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use super::archive::{Budget, Counted, open_member, read_zip, vet};
use super::member::{self, Packed};
use super::sorter::Sorter;
use super::spans::Tail;
use super::{Danger, SplitError};

/// How many archives inside of each other are opened.
pub(super) const MOST_PACKED: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Zip,
    Gzip,
}

impl Packing {
    /// Tells by the beginning of a member.
    pub(super) fn of(window: &[u8]) -> Option<Self> {
        match window {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            _ => None,
        }
    }

    /// What the report of the members calls it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Gzip => "gzip",
        }
    }
}

/// Reads what is in the member `name`, or keeps it whole if it cannot be opened to its end.
///
/// # Errors
/// When it is not safe to open, or what it holds cannot be written.
pub(super) fn read(
    name: &str,
    depth: usize,
    packed: Packed,
    budget: &mut Budget<'_>,
    sorter: &mut Sorter<'_>,
) -> Result<(), SplitError> {
    let Packed { kind, mut file } = packed;
    let whole = match kind {
        Packing::Zip => is_whole_zip(&mut file, budget)?,
        Packing::Gzip => is_whole_gzip(&mut file, budget)?,
    };
    rewind(&mut file, sorter)?;
    match kind {
        _ if !whole => {
            let kept = sorter.keep_member(&mut BufReader::new(file));
            kept.map_err(|fault| error_of(fault, budget, sorter))
        }
        Packing::Zip => {
            let zip = ZipArchive::new(BufReader::new(file));
            let mut zip = zip.map_err(SplitError::NotZip)?;
            read_zip(&mut zip, &format!("{name}/"), depth, budget, sorter)
        }
        Packing::Gzip => {
            let name = name.strip_suffix(".gz").unwrap_or(name);
            let mut bytes = Counted {
                file: MultiGzDecoder::new(BufReader::new(file)),
                budget,
            };
            let inner = member::read(name, depth, &mut bytes, sorter);
            match inner.map_err(|fault| error_of(fault, budget, sorter))? {
                Some(inner) => read(name, depth + 1, inner, budget, sorter),
                None => Ok(()),
            }
        }
    }
}

/// Whether every member can be unpacked; a danger in any of them refuses the whole archive.
fn is_whole_zip(file: &mut File, budget: &mut Budget<'_>) -> Result<bool, SplitError> {
    let Ok(tail) = Tail::read(file) else {
        return Ok(false);
    };
    let Ok(mut zip) = ZipArchive::new(BufReader::new(file)) else {
        return Ok(false);
    };
    match vet(&mut zip, &tail, budget.members) {
        Ok(_) => {}
        Err(SplitError::NotZip(_) | SplitError::Unsafe(Danger::Unaccounted)) => return Ok(false),
        Err(danger) => return Err(danger),
    }
    budget.members -= zip.len();
    for place in 0..zip.len() {
        let Ok(file) = open_member(&mut zip, place, budget.password) else {
            return Ok(false);
        };
        if !runs_to_its_end(file, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_whole_gzip(file: &mut File, budget: &mut Budget<'_>) -> Result<bool, SplitError> {
    runs_to_its_end(MultiGzDecoder::new(BufReader::new(file)), budget)
}

fn runs_to_its_end(bytes: impl Read, budget: &mut Budget<'_>) -> Result<bool, SplitError> {
    let mut bytes = Counted {
        file: bytes,
        budget,
    };
    let end = io::copy(&mut bytes, &mut io::sink());
    match (end, budget.stop.take()) {
        (_, Some(stop)) => Err(stop),
        (end, None) => Ok(end.is_ok()),
    }
}

fn rewind(file: &mut File, sorter: &Sorter<'_>) -> Result<(), SplitError> {
    file.rewind().map_err(SplitError::write(sorter.root()))
}

/// What has been read to its end once is damaged by nobody but our own disk.
fn error_of(fault: member::Fault, budget: &mut Budget<'_>, sorter: &Sorter<'_>) -> SplitError {
    match (fault, budget.stop.take()) {
        (member::Fault::Write(error), _) => error,
        (member::Fault::Read(_), Some(stop)) => stop,
        (member::Fault::Read(source), None) => SplitError::write(sorter.root())(source),
    }
}
