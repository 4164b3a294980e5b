//! Reads the members of the archive, including zip and gzip archives inside it.
//!
//! An inner archive is copied to a file and read twice. The first pass runs to its end, because a
//! damaged archive must be kept whole; the second reads its records. Its unpacked size counts
//! toward the limits of the whole archive.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use super::member::{self, MemberPacking, PackedMember};
use super::sink::{MemberFault, MemberSink};
use super::spans::Tail;
use super::{Archive, Budget, Counted, open_member, vet};
use crate::packages::{Danger, SplitError, SplitObserver};

/// Reads each member into `sink`, in the archive's order. Fails on the first encrypted or damaged
/// member.
pub(crate) fn read_members(
    archive: &mut Archive<'_>,
    sink: &mut dyn MemberSink,
    observer: SplitObserver<'_>,
) -> Result<(), SplitError> {
    let (zip, mut budget) = archive.begin(observer);
    read_each(zip, "", 0, &mut budget, sink)
}

/// Reads the members of a zip, with `before` as a prefix of their names. `depth` counts the
/// archives around it.
fn read_each<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    before: &str,
    depth: usize,
    budget: &mut Budget<'_>,
    sink: &mut dyn MemberSink,
) -> Result<(), SplitError> {
    for place in 0..zip.len() {
        let number = place + 1;
        let file = open_member(zip, place, budget.password)?;
        if file.is_dir() && file.size() == 0 {
            continue;
        }
        let name = file.name().map_err(SplitError::NotZip)?;
        let name = format!("{before}{name}");
        let weakly_locked = file.encrypted();
        let mut counted = Counted {
            file,
            budget: &mut *budget,
        };
        let outcome = member::read(&name, depth, &mut counted, sink);
        drop(counted);
        let packed = outcome.map_err(|fault| match (fault, budget.stop.take()) {
            (MemberFault::Write(error), _) => error,
            (MemberFault::Read(_), Some(stop)) => stop,
            // One wrong password in 256 passes ZipCrypto's own check; then only the content gives it
            // away.
            (MemberFault::Read(source), None) if weakly_locked => {
                SplitError::DamagedOrWrongPassword {
                    member: number,
                    source,
                }
            }
            (MemberFault::Read(source), None) => SplitError::Damaged {
                member: number,
                source,
            },
        })?;
        if let Some(packed) = packed {
            read_packed(&name, depth + 1, packed, budget, sink)?;
        }
    }
    Ok(())
}

/// Reads the archive in member `name`, or keeps it whole if it cannot be read to its end. Fails
/// when it is not safe to open, or its data cannot be written.
fn read_packed(
    name: &str,
    depth: usize,
    packed: PackedMember,
    budget: &mut Budget<'_>,
    sink: &mut dyn MemberSink,
) -> Result<(), SplitError> {
    let PackedMember { kind, mut file } = packed;
    let whole = match kind {
        MemberPacking::Zip => is_whole_zip(&mut file, budget)?,
        MemberPacking::Gzip => is_whole_gzip(&mut file, budget)?,
    };
    rewind(&mut file, sink)?;
    match kind {
        _ if !whole => {
            let kept = sink.keep_member(&mut BufReader::new(file));
            kept.map_err(|fault| error_of(fault, budget, sink))
        }
        MemberPacking::Zip => {
            let zip = ZipArchive::new(BufReader::new(file));
            let mut zip = zip.map_err(SplitError::NotZip)?;
            read_each(&mut zip, &format!("{name}/"), depth, budget, sink)
        }
        MemberPacking::Gzip => {
            let name = name.strip_suffix(".gz").unwrap_or(name);
            let mut bytes = Counted {
                file: MultiGzDecoder::new(BufReader::new(file)),
                budget,
            };
            let inner = member::read(name, depth, &mut bytes, sink);
            match inner.map_err(|fault| error_of(fault, budget, sink))? {
                Some(inner) => read_packed(name, depth + 1, inner, budget, sink),
                None => Ok(()),
            }
        }
    }
}

/// Whether every member can be unpacked. A danger in one of them refuses the whole archive.
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

fn rewind(file: &mut File, sink: &dyn MemberSink) -> Result<(), SplitError> {
    file.rewind().map_err(SplitError::write(sink.root()))
}

/// The file was already read to its end, so a read error now is our disk's.
fn error_of(fault: MemberFault, budget: &mut Budget<'_>, sink: &dyn MemberSink) -> SplitError {
    match (fault, budget.stop.take()) {
        (MemberFault::Write(error), _) => error,
        (MemberFault::Read(_), Some(stop)) => stop,
        (MemberFault::Read(source), None) => SplitError::write(sink.root())(source),
    }
}
