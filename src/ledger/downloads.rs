//! Exports that were fetched: the proof of what was handed on, without any of it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::params;

use crate::domain::JobId;

use super::records::{count, format_time, parse_time};
use super::{Ledger, LedgerError, prepare};

/// A fetched export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRecord {
    pub job: JobId,
    /// Where it was put; it may have been moved on since.
    pub path: PathBuf,
    pub bytes: u64,
    /// 64 lower-case hex digits.
    pub sha256: String,
    pub fetched_at: DateTime<Utc>,
}

impl Ledger {
    /// Notes that a job's export has been fetched.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_download(&mut self, download: &DownloadRecord) -> Result<(), LedgerError> {
        let tx = self.write()?;
        prepare(
            &tx,
            "INSERT INTO downloads (request, number, path, bytes, sha256, fetched_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (request, number) DO UPDATE SET path = excluded.path,
                 bytes = excluded.bytes, sha256 = excluded.sha256,
                 fetched_at = excluded.fetched_at",
        )?
        .execute(params![
            download.job.request.as_str(),
            download.job.number,
            to_text(&download.path),
            i64::try_from(download.bytes).unwrap_or(i64::MAX),
            download.sha256,
            format_time(download.fetched_at),
        ])?;
        tx.commit()?;
        Ok(())
    }

    /// What was fetched for a job, if it was.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_download(&self, job: &JobId) -> Result<Option<DownloadRecord>, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            "SELECT path, bytes, sha256, fetched_at FROM downloads
             WHERE request = $1 AND number = $2",
        )?;
        let mut rows = statement.query(params![job.request.as_str(), job.number])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let path: String = row.get("path")?;
        let fetched_at: String = row.get("fetched_at")?;
        Ok(Some(DownloadRecord {
            job: job.clone(),
            path: PathBuf::from(path),
            bytes: count(row, "bytes")? as u64,
            sha256: row.get("sha256")?,
            fetched_at: parse_time(&fetched_at)?,
        }))
    }
}

fn to_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
