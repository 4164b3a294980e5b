//! Fetched exports: the proof of what was handed on, without its contents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::domain::{JobId, LeftOut, RequestId, link_end, link_may_end};

use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{count, format_time, moment};
use crate::ledger::engine::{Connection, params, params_from_iter};
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

/// The packages of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackagesRecord {
    pub packages: usize,
    /// Packages of people on whom the archive has nothing.
    pub without_data: usize,
    pub records: u64,
    /// `None` if an older dsr made them.
    pub left_out: Option<LeftOut>,
}

/// Tells the packages of one archive from any others: what the trail keeps of `packages.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagesSeal {
    /// The SHA-256 of the archive.
    pub archive: String,
    /// Folders or zips.
    pub form: String,
    /// The SHA-256 of `packages.json`, which has that of every other file.
    pub sha256: String,
    /// The operator had looked at the parts without an owner.
    pub is_released: bool,
}

/// Done exports of a request that were not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfetched {
    pub jobs: usize,
    /// When dsr first saw one of them done; Mixpanel may have finished it earlier.
    pub finished_by: DateTime<Utc>,
}

impl Unfetched {
    /// The last day on which the links certainly live, unless Mixpanel finished earlier than dsr
    /// saw.
    pub fn link_end(&self) -> NaiveDate {
        link_end(self.finished_by.date_naive())
    }

    /// The last day on which the links may live.
    pub fn link_may_end(&self) -> NaiveDate {
        link_may_end(self.finished_by.date_naive())
    }
}

impl Ledger {
    /// Records that a job's export was fetched.
    pub fn record_download(&mut self, download: &DownloadRecord) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let sql = "INSERT INTO downloads (request, number, path, bytes, sha256, fetched_at,
                                    first_fetched_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)
             ON CONFLICT (request, number) DO UPDATE SET path = excluded.path,
                 bytes = excluded.bytes, sha256 = excluded.sha256,
                 fetched_at = excluded.fetched_at,
                 first_fetched_at = COALESCE(downloads.first_fetched_at, downloads.fetched_at)";
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
        made: PackagesRecord,
        seal: &PackagesSeal,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        if list_seals(&tx, job, &seal.archive)?.contains(seal) {
            return Ok(());
        }
        let mut details = json!({
            "people": made.packages,
            "packages": made.packages,
            "without_data": made.without_data,
            "records": made.records,
            "archive_sha256": seal.archive,
            "form": seal.form,
            "packages_json_sha256": seal.sha256,
        });
        if let Some(left) = made.left_out {
            details["not_in_packages"] = json!(left);
            details["released_by_operator"] = left.is_released.into();
        }
        let event = AuditEvent::PackagesMade;
        audit::tell(&tx, event, EntrySubject::Job(job), details, now)?;
        tx.commit()
    }

    /// The packages made of a job's last download, and when, by the trail. `None` if there are
    /// none, or an older dsr made them without counts.
    pub fn find_packages(
        &self,
        job: &JobId,
    ) -> Result<Option<(DateTime<Utc>, PackagesRecord)>, LedgerError> {
        let sql = "SELECT at, details FROM audit WHERE request = $1 AND job = $2
                 AND event IN ('packages_made', 'export_fetched')
             ORDER BY seq DESC LIMIT 1";
        let found = sql::find(&self.conn, sql, sql::of(job), |row| {
            Ok((moment(row, "at")?, row.get::<String>("details")?))
        })?;
        let Some((at, details)) = found else {
            return Ok(None);
        };
        let details: Value = serde_json::from_str(&details).unwrap_or_default();
        let number = |key: &str| details[key].as_u64();
        let size = |key: &str| number(key).and_then(|number| usize::try_from(number).ok());
        let left_out = || {
            let left = |key: &str| details["not_in_packages"][key].as_u64();
            Some(LeftOut {
                members: left("members")?,
                pieces: left("pieces")?,
                records: left("records")?,
                lists: left("lists")?,
                missing: left("missing")?,
                is_released: details["released_by_operator"].as_bool()?,
            })
        };
        let made = || {
            Some(PackagesRecord {
                packages: size("packages")?,
                without_data: size("without_data")?,
                records: number("records")?,
                left_out: left_out(),
            })
        };
        Ok(made().map(|made| (at, made)))
    }

    /// The packages that were made of this archive of a job, by the trail.
    pub fn list_packages_seals(
        &self,
        job: &JobId,
        archive_sha256: &str,
    ) -> Result<Vec<PackagesSeal>, LedgerError> {
        list_seals(&self.conn, job, archive_sha256)
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

/// Leaves out entries of older versions, which have no seal.
fn list_seals(
    conn: &Connection,
    job: &JobId,
    archive_sha256: &str,
) -> Result<Vec<PackagesSeal>, LedgerError> {
    let sql = "SELECT details FROM audit WHERE request = $1 AND job = $2
             AND event = 'packages_made'";
    let all: Vec<String> = sql::list(conn, sql, sql::of(job), |row| Ok(row.get(0)?))?;
    let seal = |details: &String| {
        let details: Value = serde_json::from_str(details).ok()?;
        let text = |key: &str| details[key].as_str().map(str::to_owned);
        Some(PackagesSeal {
            archive: text("archive_sha256")?,
            form: text("form")?,
            sha256: text("packages_json_sha256")?,
            is_released: details["released_by_operator"].as_bool()?,
        })
    };
    let seals = all.iter().filter_map(seal);
    Ok(seals
        .filter(|seal| seal.archive == archive_sha256)
        .collect())
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
