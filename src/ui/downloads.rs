//! Fetched exports: where they are, how large, and what exactly.

use serde_json::{Value, json};

use crate::ledger::{DownloadRecord, JobRecord};
use crate::workflow::DownloadOutcome;

use super::json::time;
use super::words::{number, printable};
use super::{Paper, View};

/// What became of each job's export.
pub struct DownloadsView<'a> {
    pub jobs: &'a [&'a (JobRecord, DownloadOutcome)],
}

impl View for DownloadsView<'_> {
    fn human(&self, _: &Paper) -> String {
        if self.jobs.is_empty() {
            return "No finished exports.\n".to_owned();
        }
        self.jobs
            .iter()
            .map(|(job, outcome)| line(job, outcome))
            .collect()
    }

    fn json(&self) -> Value {
        let downloads = self.jobs.iter().map(|(job, outcome)| object(job, outcome));
        json!({ "downloads": downloads.collect::<Vec<_>>() })
    }
}

fn line(job: &JobRecord, outcome: &DownloadOutcome) -> String {
    let id = format!("{}-{}", job.id.request.short(), job.id.number);
    let place = |record: &DownloadRecord| {
        let path = printable(&record.path.display().to_string());
        format!(
            "{path}  {} bytes\n  SHA-256 {}",
            number(record.bytes as usize),
            record.sha256
        )
    };
    let text = match outcome {
        DownloadOutcome::Fetched(record) => place(record),
        DownloadOutcome::There(record) => format!("fetched before: {}", place(record)),
        DownloadOutcome::NotReady(state) => format!("nothing to fetch: it is {}", state.as_str()),
        DownloadOutcome::NoLink { reason }
        | DownloadOutcome::NotAnArchive { reason }
        | DownloadOutcome::Broken { reason } => format!("not fetched: {}", printable(reason)),
    };
    format!("{id}  {text}\n")
}

fn object(job: &JobRecord, outcome: &DownloadOutcome) -> Value {
    let (result, record, reason) = match outcome {
        DownloadOutcome::Fetched(record) => ("fetched", Some(record), None),
        DownloadOutcome::There(record) => ("already_fetched", Some(record), None),
        DownloadOutcome::NotReady(_) => ("not_ready", None, None),
        DownloadOutcome::NoLink { reason } => ("no_link", None, Some(reason)),
        DownloadOutcome::NotAnArchive { reason } => ("not_an_archive", None, Some(reason)),
        DownloadOutcome::Broken { reason } => ("broken_off", None, Some(reason)),
    };
    json!({
        "request_id": job.id.request.as_str(),
        "job_id": job.id.to_string(),
        "state": job.state,
        "result": result,
        "reason": reason,
        "path": record.map(|record| record.path.display().to_string()),
        "bytes": record.map(|record| record.bytes),
        "sha256": record.map(|record| record.sha256.as_str()),
        "fetched_at": record.map(|record| time(record.fetched_at)),
    })
}
