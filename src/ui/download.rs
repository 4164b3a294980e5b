//! Shows fetched exports and the packages made of them.

use std::path::Path;

use serde_json::{Value, json};

use crate::ledger::{DownloadRecord, JobRecord};
use crate::packages::Summary;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::{FactList, Layout, Paper};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};
use crate::ui::failures::failure::Failure;
use crate::workflow::{DownloadOutcome, Look, Loss, SplitOutcome, Untried};

/// The outcome for each job's export.
pub struct DownloadsView<'a> {
    pub jobs: &'a [DownloadView<'a>],
}

/// The outcome for one job's export.
pub struct DownloadView<'a> {
    pub job: &'a JobRecord,
    pub outcome: &'a DownloadOutcome,
    /// `None` if it was not split.
    pub split: Option<&'a Result<SplitOutcome, Failure>>,
}

impl View for DownloadsView<'_> {
    fn human(&self, paper: &Paper) -> String {
        if self.jobs.is_empty() {
            return "No finished exports.\n".to_owned();
        }
        let texts = self.jobs.iter().map(|job| job.text(paper));
        let between = match paper.layout {
            Layout::Columns => "",
            Layout::Plain => "\n",
        };
        texts.collect::<Vec<_>>().join(between)
    }

    fn json(&self) -> Value {
        let downloads = self.jobs.iter().map(DownloadView::object);
        json!({ "downloads": downloads.collect::<Vec<_>>() })
    }
}

impl DownloadView<'_> {
    fn text(&self, paper: &Paper) -> String {
        let id = format!("{}-{}", self.job.id.request.short(), self.job.id.number);
        let mut facts = paper.facts(2, 8);
        let result = match self.outcome {
            DownloadOutcome::Fetched(record, None) => add_archive(&mut facts, record, "fetched"),
            DownloadOutcome::Fetched(record, Some(_)) => add_archive(
                &mut facts,
                record,
                "fetched; it differs from the one fetched before",
            ),
            DownloadOutcome::There(record, Look::Sha256) => {
                add_archive(&mut facts, record, "fetched before")
            }
            DownloadOutcome::There(record, Look::SizeAndTime) => {
                add_archive(&mut facts, record, "fetched before (same size and time)")
            }
            DownloadOutcome::Lost(record, loss) => {
                facts.add("Archive", &shown(&record.path));
                let now = match loss {
                    Loss::Gone => "is gone",
                    Loss::Changed => "has changed",
                    Loss::Unreadable => "cannot be read",
                };
                format!("fetched before, but the file {now}")
            }
            DownloadOutcome::NotReady(state) => {
                format!(
                    "not ready: Mixpanel has not finished it ({})",
                    state.as_str()
                )
            }
            DownloadOutcome::NoLink { reason, .. }
            | DownloadOutcome::NotAnArchive { reason }
            | DownloadOutcome::Broken { reason } => format!("not fetched: {}", printable(reason)),
            DownloadOutcome::InTheWay { path } => {
                facts.add("In place", &shown(path));
                format!("not fetched: {IN_THE_WAY}")
            }
            DownloadOutcome::Untried(why, None) => format!("not fetched: {}", why_untried(*why)),
            DownloadOutcome::Untried(why, Some(record)) => {
                facts.add("Archive", &shown(&record.path));
                format!("fetched before; not checked: {}", why_untried(*why))
            }
        };
        match self.split {
            None => {}
            Some(Ok(SplitOutcome::Split(path, summary))) => {
                add_packages(&mut facts, path, summary, "");
            }
            Some(Ok(SplitOutcome::There(path, summary))) => {
                add_packages(&mut facts, path, summary, "split before: ");
            }
            Some(Err(failure)) => {
                let message = printable(&failure.message);
                facts.add("Packages", &format!("no new packages: {message}"));
            }
        }
        let label = match paper.layout {
            Layout::Columns => format!("{id}  "),
            Layout::Plain => format!("Export {id}: "),
        };
        paper.wrapped(&label, &result) + &facts.into_text()
    }

    fn object(&self) -> Value {
        let (result, record, reason) = match self.outcome {
            DownloadOutcome::Fetched(record, _) => ("fetched", Some(record), None),
            DownloadOutcome::There(record, _) => ("already_fetched", Some(record), None),
            DownloadOutcome::Lost(record, Loss::Gone) => ("gone", Some(record), None),
            DownloadOutcome::Lost(record, Loss::Changed) => ("changed", Some(record), None),
            DownloadOutcome::Lost(record, Loss::Unreadable) => ("unreadable", Some(record), None),
            DownloadOutcome::NotReady(_) => ("not_ready", None, None),
            DownloadOutcome::NoLink { reason, .. } => ("no_link", None, Some(reason.as_str())),
            DownloadOutcome::NotAnArchive { reason } => {
                ("not_an_archive", None, Some(reason.as_str()))
            }
            DownloadOutcome::Broken { reason } => ("broken_off", None, Some(reason.as_str())),
            DownloadOutcome::InTheWay { .. } => ("in_the_way", None, Some(IN_THE_WAY)),
            DownloadOutcome::Untried(why, record) => {
                let result = match why {
                    Untried::Interrupted => "interrupted",
                    Untried::Trouble => "not_tried",
                };
                (result, record.as_ref(), Some(why_untried(*why)))
            }
        };
        let replaces = match self.outcome {
            DownloadOutcome::Fetched(_, Some(before)) => Some(before.sha256.as_str()),
            _ => None,
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
            "replaces_sha256": replaces,
            "packages": self.split.map(packages_object),
        })
    }
}

const IN_THE_WAY: &str = "another file has its name";

fn why_untried(why: Untried) -> &'static str {
    match why {
        Untried::Interrupted => "interrupted",
        Untried::Trouble => "see the error",
    }
}

fn add_archive(facts: &mut FactList<'_>, record: &DownloadRecord, result: &str) -> String {
    facts.add("Archive", &shown(&record.path));
    let bytes = number(record.bytes as usize);
    facts.add("Size", &format!("{bytes} bytes"));
    facts.add("SHA-256", &record.sha256);
    result.to_owned()
}

/// Adds the packages; what the operator must look at has its own line.
fn add_packages(facts: &mut FactList<'_>, path: &Path, summary: &Summary, before: &str) {
    let packages = plural(summary.packages, "package", "packages");
    let records = plural(summary.records as usize, "record", "records");
    let label = match summary.is_draft() {
        true => "To check",
        false => "Packages",
    };
    facts.add(label, &format!("{before}{}", shown(path)));
    let contents = match summary.categories {
        0 => format!("{packages}, {records}"),
        names => format!(
            "{packages}, {}",
            plural(names as usize, "category", "categories")
        ),
    };
    facts.add_below("Contents", &contents);
    if summary.without_data > 0 {
        let people = plural(summary.without_data, "person", "people");
        let pages = match summary.without_data {
            1 => "That person's page says so",
            _ => "Their pages say so",
        };
        let what = match summary.told_of_no_data() {
            0 => format!("No record matches {people} with certainty"),
            _ => format!("Mixpanel delivered no data on {people}"),
        };
        facts.add_below("No data", &format!("{what} (see index.csv). {pages}"));
    }
    let unassigned = summary.unassigned.total() as usize;
    if unassigned > 0 {
        let parts = plural(unassigned, "part", "parts");
        let text = format!("{parts} in no package: check unassigned/");
        facts.add_below("Unassigned", &text);
    }
    if summary.taken_out > 0 {
        let records = plural(summary.taken_out as usize, "record", "records");
        let text = format!("{records} from inside other people's records");
        facts.add_below("Taken out", &text);
    }
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
        "without_data": summary.told_of_no_data(),
        "records": summary.records,
        "unassigned": summary.unassigned.total(),
        "unassigned_by_reason": summary.unassigned,
        "taken_out": summary.taken_out,
        "to_check": summary.is_draft(),
    })
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}
