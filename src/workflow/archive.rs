//! Archives on the disk: whether one that was fetched is there as it was, and what else is in its
//! place. Changes nothing but the record of what nobody has recorded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::config::refuse_shared_file;
use crate::domain::to_hex;
use crate::ledger::{DownloadRecord, JobRecord};

use super::fetched::{DownloadError, DownloadOutcome, Fetching, Look, Loss, Refetch, in_folder};
use super::{Interrupt, Run};

/// The last bytes of a zip in which its directory's end must stand: 22 bytes and a comment.
const DIRECTORY_END: u64 = 22 + 65_535;
/// How soon a dsr records what it has put in its place, if it lives.
const RECORDED_WITHIN: Duration = Duration::from_secs(2);

/// What was fetched before and makes another fetch needless: where it was put, or at `path`, to which
/// it may have been moved. The outer `None`: it is to be fetched; the inner one: somebody interrupts it.
pub(super) fn find_before(
    run: &Run<'_>,
    before: Option<&DownloadRecord>,
    path: &Path,
    how: Fetching,
) -> Option<Option<DownloadOutcome>> {
    let before = before?;
    let lost = match how.refetch {
        Refetch::Yes => None,
        Refetch::No => match look_at(run, before.clone(), how.look) {
            Some(lost @ DownloadOutcome::Lost(..)) if before.path != path => Some(lost),
            ended => return Some(ended),
        },
    };
    let moved = DownloadRecord {
        path: path.to_owned(),
        ..before.clone()
    };
    match look_at(run, moved, how.look) {
        Some(DownloadOutcome::Lost(..)) => lost.map(Some),
        ended => Some(ended),
    }
}

/// What another dsr has put at `path` in the meantime; `before` is what the ledger knew until then.
pub(super) async fn find_other(
    run: &mut Run<'_>,
    job: &JobRecord,
    path: &Path,
    before: Option<DownloadRecord>,
) -> Result<Option<DownloadOutcome>, DownloadError> {
    if !is_archive_of_ours(path) {
        return Ok(None);
    }
    // The other dsr records it a moment after it is in its place.
    let end = Instant::now() + RECORDED_WITHIN;
    loop {
        let record = run.ledger.find_download(&job.id)?;
        if let Some(record) = record.filter(|record| Some(record) != before.as_ref()) {
            let path = path.to_owned();
            let there = look_at(run, DownloadRecord { path, ..record }, Look::Sha256);
            return Ok(there.filter(|it| matches!(it, DownloadOutcome::There(..))));
        }
        if Instant::now() > end {
            break;
        }
        sleep(RECORDED_WITHIN / 40).await;
    }
    if before.is_some() {
        return Ok(None);
    }
    let unrecorded = find_unrecorded(run, job, path);
    let folder = path.parent().unwrap_or(path);
    Ok(
        match unrecorded.map_err(|error| in_folder(folder, error))? {
            Some(record) => {
                run.ledger.record_download(&record)?;
                Some(DownloadOutcome::There(record, Look::Sha256))
            }
            None => None,
        },
    )
}

/// A whole archive under a name that only one job's has, and nobody else's to write.
fn is_archive_of_ours(path: &Path) -> bool {
    let is_ours = path.symlink_metadata().is_ok_and(|it| it.is_file());
    let is_whole = || {
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        find_damage(&mut file, bytes)
    };
    is_ours && refuse_shared_file(path).is_ok() && matches!(is_whole(), Ok(None))
}

/// What a dsr put in its place that died before it could record it.
fn find_unrecorded(
    run: &Run<'_>,
    job: &JobRecord,
    path: &Path,
) -> io::Result<Option<DownloadRecord>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let sha256 = hash_of(file, run.interrupt)?;
    Ok(sha256.map(|sha256| DownloadRecord {
        job: job.id.clone(),
        path: path.to_owned(),
        bytes,
        sha256,
        fetched_at: run.clock.now(),
    }))
}

/// Compares a fetched archive with its record; `None` where somebody interrupts it.
fn look_at(run: &Run<'_>, record: DownloadRecord, look: Look) -> Option<DownloadOutcome> {
    let found = std::fs::metadata(&record.path).and_then(|found| {
        if !found.is_file() || found.len() != record.bytes {
            return Ok((Look::SizeAndTime, Some(String::new())));
        }
        let is_as_left = found.modified().is_ok_and(|time| time == time_of(&record));
        Ok(match look == Look::SizeAndTime && is_as_left {
            true => (Look::SizeAndTime, Some(record.sha256.clone())),
            false => (
                Look::Sha256,
                hash_of(File::open(&record.path)?, run.interrupt)?,
            ),
        })
    });
    let loss = match found {
        Ok((_, None)) => return None,
        Ok((look, Some(sha256))) if sha256 == record.sha256 => {
            return Some(DownloadOutcome::There(record, look));
        }
        Ok(_) => Loss::Changed,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Loss::Gone,
            _ => Loss::Unreadable,
        },
    };
    Some(DownloadOutcome::Lost(record, loss))
}

/// The time a fetched file is left with: that of its record, to the millisecond.
pub(super) fn time_of(record: &DownloadRecord) -> SystemTime {
    let millis = u64::try_from(record.fetched_at.timestamp_millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// The SHA-256 of all that follows in the file; `None` where somebody interrupts it.
fn hash_of(mut file: File, interrupt: &Interrupt) -> io::Result<Option<String>> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    while interrupt.signal().is_none() {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(to_hex(&hash.finalize()))),
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(None)
}

/// What shows that this is no zip from its beginning to its end.
pub(super) fn find_damage(file: &mut File, length: u64) -> io::Result<Option<String>> {
    let mut beginning = Vec::new();
    file.rewind()?;
    Read::by_ref(file).take(4).read_to_end(&mut beginning)?;
    if beginning != b"PK\x03\x04" && beginning != b"PK\x05\x06" {
        return Ok(Some("what came is no zip archive".to_owned()));
    }
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(DIRECTORY_END)))?;
    file.read_to_end(&mut end)?;
    let is_whole = end.windows(4).any(|bytes| bytes == b"PK\x05\x06");
    Ok((!is_whole).then(|| "the archive is cut off".to_owned()))
}
