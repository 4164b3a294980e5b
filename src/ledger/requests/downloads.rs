//! Fetched exports: proof of what was handed over, without its contents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::{JobId, LeftOut, RequestId};

use super::records::Unfetched;
use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{count, format_time, moment};
use crate::ledger::engine::{Connection, Row, params, params_from_iter};
use crate::ledger::jobs::row::read_to_change;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// A fetched export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRecord {
    pub job: JobId,
    /// Where dsr put it; it may have been moved.
    pub path: PathBuf,
    pub bytes: u64,
    /// 64 lower-case hex digits.
    pub sha256: String,
    pub fetched_at: DateTime<Utc>,
}

/// The packages of one archive, as the trail keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagesRecord {
    pub packages: usize,
    /// Packages of people on whom the archive has nothing.
    pub without_data: usize,
    pub records: u64,
    pub archive_sha256: String,
    /// Folders or zips.
    pub form: String,
    /// The SHA-256 of `packages.json`, which has that of every other file.
    pub packages_json_sha256: String,
    pub not_in_packages: LeftOut,
    /// The operator had looked at the parts without an owner.
    pub released_by_operator: bool,
}

impl Ledger {
    /// Records that a job's export was fetched.
    pub fn record_download(&mut self, download: &DownloadRecord) -> Result<(), LedgerError> {
        let tx = self.write()?;
        read_to_change(&tx, &download.job)?;
        let sql = "INSERT INTO downloads (request, number, path, bytes, sha256, fetched_at,
                                    first_fetched_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)
             ON CONFLICT (request, number) DO UPDATE SET path = excluded.path,
                 bytes = excluded.bytes, sha256 = excluded.sha256,
                 fetched_at = excluded.fetched_at";
        prepare(&tx, sql)?.execute(params![
            download.job.request.as_str(),
            download.job.number,
            to_text(&download.path),
            i64::try_from(download.bytes).unwrap_or(i64::MAX),
            download.sha256,
            format_time(download.fetched_at),
        ])?;
        let details = json!({ "bytes": download.bytes, "sha256": download.sha256 });
        let (event, subject) = (AuditEvent::ExportFetched, EntrySubject::Job(&download.job));
        audit::tell(&tx, event, subject, details, download.fetched_at)?;
        tx.commit()
    }

    /// Records packages made from a job's export, unless they are recorded already.
    pub fn record_packages(
        &mut self,
        job: &JobId,
        made: &PackagesRecord,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        if list_packages(&tx, job, &made.archive_sha256)?.contains(made) {
            return Ok(());
        }
        read_to_change(&tx, job)?;
        let (event, subject) = (AuditEvent::PackagesMade, EntrySubject::Job(job));
        audit::tell(&tx, event, subject, json!(made), now)?;
        tx.commit()
    }

    /// The packages made of a job's last download, and when, by the trail.
    pub fn find_packages(
        &self,
        job: &JobId,
    ) -> Result<Option<(DateTime<Utc>, PackagesRecord)>, LedgerError> {
        let sql = "SELECT at, details FROM audit WHERE request = $1 AND job = $2
                 AND event IN ('packages_made', 'export_fetched')
             ORDER BY seq DESC LIMIT 1";
        let found = sql::find(&self.conn, sql, sql::of(job), |row| {
            Ok((moment(row, "at")?, packages(row)?))
        })?;
        Ok(found.and_then(|(at, made)| Some((at, made?))))
    }

    /// The packages that were made of this archive of a job, by the trail.
    pub fn list_packages(
        &self,
        job: &JobId,
        archive_sha256: &str,
    ) -> Result<Vec<PackagesRecord>, LedgerError> {
        list_packages(&self.conn, job, archive_sha256)
    }

    /// A job's last download.
    pub fn find_download(&self, job: &JobId) -> Result<Option<DownloadRecord>, LedgerError> {
        let sql = "SELECT path, bytes, sha256, fetched_at FROM downloads
             WHERE request = $1 AND number = $2";
        sql::find(&self.conn, sql, sql::of(job), |row| {
            let path: String = row.get("path")?;

            Ok(DownloadRecord {
                job: job.clone(),
                path: PathBuf::from(path),
                bytes: count(row, "bytes")? as u64,
                sha256: row.get("sha256")?,
                fetched_at: moment(row, "fetched_at")?,
            })
        })
    }
}

fn list_packages(
    conn: &Connection,
    job: &JobId,
    archive_sha256: &str,
) -> Result<Vec<PackagesRecord>, LedgerError> {
    let sql = "SELECT details FROM audit WHERE request = $1 AND job = $2
             AND event = 'packages_made' ORDER BY seq";
    let all: Vec<Option<PackagesRecord>> = sql::list(conn, sql, sql::of(job), packages)?;
    let all = all.into_iter().flatten();
    Ok(all
        .filter(|made| made.archive_sha256 == archive_sha256)
        .collect())
}

/// The packages of an entry; `None` if it is about something else.
fn packages(row: &Row<'_>) -> Result<Option<PackagesRecord>, LedgerError> {
    Ok(serde_json::from_str(&row.get::<String>("details")?).ok())
}

pub(crate) fn list_unfetched(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, Unfetched>, LedgerError> {
    let sql = format!(
        "SELECT request, COUNT(*) AS jobs, MIN(at) AS finished_by FROM steps
             WHERE to_state = 'done'
               AND request IN (SELECT id FROM requests WHERE kind = 'export' AND ({condition}))
               AND NOT EXISTS (SELECT 1 FROM downloads
                   WHERE request = steps.request AND number = steps.number)
             GROUP BY request"
    );
    sql::list(conn, &sql, params_from_iter(values), |row| {
        let waiting = Unfetched {
            jobs: count(row, "jobs")?,
            finished_by: moment(row, "finished_by")?,
        };
        Ok((RequestId::restore(row.get("request")?), waiting))
    })
}

fn to_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
