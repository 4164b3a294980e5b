//! Fetched exports: where they are, how large, what exactly, and the packages made of them.

use std::path::Path;

use serde_json::{Value, json};

use crate::ledger::{DownloadRecord, JobRecord};
use crate::packages::Summary;
use crate::workflow::{DownloadOutcome, SplitOutcome};

use super::json::time;
use super::words::{number, plural, printable};
use super::{Failure, Paper, View};

/// What became of each job's export.
pub struct DownloadsView<'a> {
    pub jobs: &'a [DownloadView<'a>],
}

/// What became of one job's export.
pub struct DownloadView<'a> {
    pub job: &'a JobRecord,
    pub outcome: &'a DownloadOutcome,
    /// None where it was not to be split.
    pub split: Option<&'a Result<SplitOutcome, Failure>>,
}

impl View for DownloadsView<'_> {
    fn human(&self, _: &Paper) -> String {
        if self.jobs.is_empty() {
            return "No finished exports.\n".to_owned();
        }
        self.jobs.iter().map(DownloadView::text).collect()
    }

    fn json(&self) -> Value {
        let downloads = self.jobs.iter().map(DownloadView::object);
        json!({ "downloads": downloads.collect::<Vec<_>>() })
    }
}

impl DownloadView<'_> {
    fn text(&self) -> String {
        let id = format!("{}-{}", self.job.id.request.short(), self.job.id.number);
        let place = |record: &DownloadRecord| {
            format!(
                "{}  {} bytes\n  SHA-256 {}",
                shown(&record.path),
                number(record.bytes as usize),
                record.sha256
            )
        };
        let text = match self.outcome {
            DownloadOutcome::Fetched(record) => place(record),
            DownloadOutcome::There(record) => format!("fetched before: {}", place(record)),
            DownloadOutcome::NotReady(state) => {
                format!("nothing to fetch: it is {}", state.as_str())
            }
            DownloadOutcome::NoLink { reason }
            | DownloadOutcome::NotAnArchive { reason }
            | DownloadOutcome::Broken { reason } => format!("not fetched: {}", printable(reason)),
        };
        let packages = self.split.map(|split| match split {
            Ok(SplitOutcome::Split(path, summary)) => packages(path, summary, ""),
            Ok(SplitOutcome::There(path, summary)) => packages(path, summary, "split before: "),
            Err(failure) => format!("  not split: {}\n", printable(&failure.message)),
        });
        format!("{id}  {text}\n{}", packages.unwrap_or_default())
    }

    fn object(&self) -> Value {
        let (result, record, reason) = match self.outcome {
            DownloadOutcome::Fetched(record) => ("fetched", Some(record), None),
            DownloadOutcome::There(record) => ("already_fetched", Some(record), None),
            DownloadOutcome::NotReady(_) => ("not_ready", None, None),
            DownloadOutcome::NoLink { reason } => ("no_link", None, Some(reason)),
            DownloadOutcome::NotAnArchive { reason } => ("not_an_archive", None, Some(reason)),
            DownloadOutcome::Broken { reason } => ("broken_off", None, Some(reason)),
        };
        json!({
            "request_id": self.job.id.request.as_str(),
            "job_id": self.job.id.to_string(),
            "state": self.job.state,
            "result": result,
            "reason": reason,
            "path": record.map(|record| record.path.display().to_string()),
            "bytes": record.map(|record| record.bytes),
            "sha256": record.map(|record| record.sha256.as_str()),
            "fetched_at": record.map(|record| time(record.fetched_at)),
            "packages": self.split.map(packages_object),
        })
    }
}

/// The path and what is in it; what needs the operator's eyes has a line of its own.
fn packages(path: &Path, summary: &Summary, before: &str) -> String {
    let mut text = format!(
        "  {before}{}  {}, {}\n",
        shown(path),
        plural(summary.packages, "package", "packages"),
        plural(summary.records as usize, "record", "records"),
    );
    if summary.without_data > 0 {
        text.push_str(&format!(
            "  {} without any data: see index.csv\n",
            plural(summary.without_data, "id", "ids")
        ));
    }
    let unassigned = summary.unassigned.total() as usize;
    if unassigned > 0 {
        text.push_str(&format!(
            "  {} in nobody's package: look through unassigned/\n",
            plural(unassigned, "record", "records")
        ));
    }
    text
}

fn packages_object(split: &Result<SplitOutcome, Failure>) -> Value {
    let (result, path, summary) = match split {
        Ok(SplitOutcome::Split(path, summary)) => ("split", path, summary),
        Ok(SplitOutcome::There(path, summary)) => ("already_split", path, summary),
        Err(failure) => {
            return json!({ "result": "not_split", "kind": failure.kind, "reason": failure.message });
        }
    };
    json!({
        "result": result,
        "path": path.display().to_string(),
        "form": summary.form,
        "count": summary.packages,
        "without_data": summary.without_data,
        "records": summary.records,
        "unassigned": summary.unassigned.total(),
        "unassigned_by_reason": summary.unassigned,
    })
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}
