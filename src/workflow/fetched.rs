//! What came of fetching exports, and how they are fetched.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::JobState;
use crate::ledger::{DownloadRecord, JobRecord, LedgerError};

use super::{RefreshTrouble, Signal};

/// Why exports could not be kept. What was fetched before is recorded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("cannot write into `{folder}`")]
    Folder { folder: PathBuf, source: io::Error },
}

/// What became of one job's export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadOutcome {
    Fetched(DownloadRecord),
    /// It was fetched before, and is still there as it was, as far as was looked.
    There(DownloadRecord, Look),
    /// It was fetched before, and is not there as it was.
    Lost(DownloadRecord, Loss),
    /// Mixpanel has not finished it, or it has not been asked since.
    NotReady(JobState),
    /// Mixpanel names no link for it, or none that works: links live 14 to 30 days.
    NoLink {
        reason: String,
        age: LinkAge,
    },
    /// What came is not the archive.
    NotAnArchive {
        reason: String,
    },
    /// The transfer broke off, again and again.
    Broken {
        reason: String,
    },
    /// Something else is where it would go; it stays, and nothing was fetched.
    InTheWay {
        path: PathBuf,
    },
    /// Neither fetched nor, if it was fetched before, looked at.
    Untried(Untried, Option<DownloadRecord>),
}

/// Whether a link may have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAge {
    /// It cannot: the export was asked for less than 14 days ago.
    Young,
    Any,
}

/// Why an export was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untried {
    Interrupted,
    /// Another one failed in a way that this one would have, too.
    Trouble,
}

/// What is done about an export that was fetched before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refetch {
    No,
    Yes,
}

/// How exports are fetched; the same for each of a command.
#[derive(Debug, Clone, Copy)]
pub struct Fetching {
    pub refetch: Refetch,
    /// How closely what was fetched before is looked at.
    pub look: Look,
}

/// What came of fetching a request's exports.
#[derive(Debug)]
pub struct DownloadReport {
    pub jobs: Vec<(JobRecord, DownloadOutcome)>,
    /// Why the rest was not tried.
    pub trouble: Option<RefreshTrouble>,
    pub signal: Option<Signal>,
}

/// How closely a file is compared with what was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// All of it is read.
    Sha256,
    /// Only where its size or the time of its last change is another one, all of it is read.
    SizeAndTime,
}

/// What has happened to a fetched archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Gone,
    /// It has another length or SHA-256.
    Changed,
    Unreadable,
}

impl Untried {
    pub fn because_of(trouble: &RefreshTrouble) -> Self {
        match trouble {
            RefreshTrouble::Interrupted => Self::Interrupted,
            _ => Self::Trouble,
        }
    }
}

pub(super) fn in_folder(folder: &Path, source: io::Error) -> DownloadError {
    DownloadError::Folder {
        folder: folder.to_owned(),
        source,
    }
}
