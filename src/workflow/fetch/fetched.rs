//! The results of fetching exports, and how to fetch them.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::JobState;
use crate::ledger::{DownloadRecord, JobRecord, LedgerError};

use crate::workflow::{RefreshTrouble, Signal};

/// Why exports could not be kept. Earlier downloads are recorded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("cannot write into `{folder}`")]
    Folder { folder: PathBuf, source: io::Error },
}

/// The result of fetching one job's export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadOutcome {
    /// The second record is that of an earlier fetch, if the archive differs from it.
    Fetched(DownloadRecord, Option<DownloadRecord>),
    /// Fetched before, and unchanged as far as the check went.
    There(DownloadRecord, Look),
    /// Fetched before, and now missing or changed.
    Lost(DownloadRecord, Loss),
    /// Mixpanel is not done, or dsr has not asked since.
    NotReady(JobState),
    /// Mixpanel has no link, or none that works: links live 14 to 30 days.
    NoLink { reason: String, age: LinkAge },
    /// The transfer did not bring the archive.
    NotAnArchive { reason: String },
    /// Every try of the transfer broke off.
    Broken { reason: String },
    /// Another file is at the path; it stays, and nothing was fetched.
    InTheWay { path: PathBuf },
    /// Not fetched, and an earlier download was not checked.
    Untried(Untried, Option<DownloadRecord>),
}

impl DownloadOutcome {
    /// The record of an archive that was fetched and looked at.
    pub fn recorded(&self) -> Option<&DownloadRecord> {
        match self {
            Self::Fetched(record, _) | Self::There(record, _) | Self::Lost(record, _) => {
                Some(record)
            }
            _ => None,
        }
    }
}

/// Whether a link may have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAge {
    /// It has not: the export was sent less than 14 days ago.
    Young,
    Any,
}

/// Why dsr did not try an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untried {
    Interrupted,
    /// Another export failed for a reason that concerns this one too.
    Trouble,
}

/// Whether to fetch an export again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refetch {
    No,
    Yes,
}

/// How one command fetches its exports.
#[derive(Debug, Clone, Copy)]
pub struct Fetching {
    pub refetch: Refetch,
    pub look: Look,
}

/// The result of fetching a request's exports.
#[derive(Debug)]
pub struct DownloadReport {
    pub jobs: Vec<(JobRecord, DownloadOutcome)>,
    /// Why the other exports were not tried.
    pub trouble: Option<RefreshTrouble>,
    pub signal: Option<Signal>,
}

/// How closely a file is compared with its download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Sha256,
    /// Reads the file only if its size or modification time differs.
    SizeAndTime,
}

/// What happened to a fetched archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Gone,
    /// Its length or SHA-256 differs.
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

pub(crate) fn in_folder(folder: &Path, source: io::Error) -> DownloadError {
    DownloadError::Folder {
        folder: folder.to_owned(),
        source,
    }
}
