//! Checks archives on disk: whether a fetched archive is unchanged, and what else is at its path.
//! Changes nothing except to record an unrecorded archive.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::config::refuse_shared_file;
use crate::domain::to_hex;
use crate::ledger::{DownloadRecord, JobRecord};
use crate::packages::{self, Limits};

use super::fetched::{DownloadError, DownloadOutcome, Fetching, Look, Loss, Refetch, in_folder};
use crate::workflow::{Interrupt, Run};

/// The time that a running dsr needs to record an archive it has moved into place.
const RECORDED_WITHIN: Duration = Duration::from_secs(2);

/// An earlier fetch that makes another one needless: at its recorded path, or moved to `path`. The
/// outer `None` means: fetch it. The inner `None`: the operator interrupted the check.
pub(crate) fn find_before(
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

/// An archive that another dsr put at `path` meanwhile. `before` is the ledger's earlier record.
pub(crate) async fn find_other(
    run: &mut Run<'_>,
    job: &JobRecord,
    path: &Path,
    before: Option<DownloadRecord>,
) -> Result<Option<DownloadOutcome>, DownloadError> {
    if !is_archive_of_ours(path) {
        return Ok(None);
    }
    // The other dsr records the archive a moment after moving it into place.
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

/// A whole archive at a path that only this job has, and that no other user can write.
fn is_archive_of_ours(path: &Path) -> bool {
    let is_ours = path.symlink_metadata().is_ok_and(|it| it.is_file());
    let is_whole = || find_damage(&mut File::open(path)?);
    is_ours && refuse_shared_file(path).is_ok() && matches!(is_whole(), Ok(None))
}

/// An archive that a dsr moved into place before it died and could not record it.
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

/// Compares a fetched archive with its record; `None` if the operator interrupts.
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

/// The modification time of a fetched file: that of its record, to the millisecond.
pub(crate) fn time_of(record: &DownloadRecord) -> SystemTime {
    let millis = u64::try_from(record.fetched_at.timestamp_millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// The SHA-256 of the rest of the file; `None` if the operator interrupts.
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

/// What shows that the file is not a whole zip: its beginning, or its directory and the end.
pub(crate) fn find_damage(file: &mut File) -> io::Result<Option<String>> {
    let mut beginning = Vec::new();
    file.rewind()?;
    Read::by_ref(file).take(4).read_to_end(&mut beginning)?;
    if beginning != b"PK\x03\x04" && beginning != b"PK\x05\x06" {
        return Ok(Some("the file is not a zip archive".to_owned()));
    }
    let is_whole = packages::has_directory(file.try_clone()?, &Limits::default());
    Ok((!is_whole).then(|| "the archive is cut off: its end is missing or damaged".to_owned()))
}
