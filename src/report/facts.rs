//! What a report is made of. The names of the fields are those of its JSON.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::timestamp::{time, time_or_none};
use crate::domain::{
    Attempt, Deed, Disclosure, Extension, HistoryStep, JobState, Kind, Law, LedgerReview, LeftOut,
    Passage, PlanRecord, Purge, Setback,
};

use super::answer::{Answer, IdCounts, Nature, Timing};

/// When, by whom and with what a report was made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`, as the operating system has them.
    pub by: String,
    pub dsr: &'static str,
    pub sandbox: bool,
    /// The operator's day.
    pub day: NaiveDate,
    /// How many of the requests in it were open on that day, without an answer and after their last
    /// day to answer.
    pub overdue: usize,
}

/// One request with all that is known of it, but for its jobs.
#[derive(Debug, Clone, Serialize)]
pub struct RequestFacts {
    pub id: String,
    #[serde(flatten)]
    pub asked: Asked,
    pub answer: Answer,
    pub ids: IdCounts,
    pub jobs_count: usize,
    pub moments: Vec<Passage>,
    pub groups: Vec<GroupFact>,
    pub setbacks: Vec<Setback>,
    /// Jobs with further reasons.
    pub other_setbacks: usize,
    pub fetching: Option<FetchFact>,
    /// The plan file that it was made of, if it was.
    pub plan: Option<PlanRecord>,
    /// Times since it was recorded of which the ledger lacks what happened to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_backs: Vec<SetBackFact>,
    /// What the answer does not do, and what dsr cannot know.
    pub limits: &'static [&'static str],
    /// What the audit trail has beside the steps of jobs, the first of it.
    pub deeds: Vec<Deed>,
    pub other_deeds: usize,
}

impl RequestFacts {
    /// How it stands, in a few words: `carried out in whole, answer not recorded`.
    pub fn headline(&self) -> String {
        self.answer.words().to_lowercase()
    }

    /// Mixpanel has tasks of it that have not ended.
    pub(super) fn has_followed(&self) -> bool {
        self.groups.iter().any(|group| group.state.is_followed())
    }
}

/// What was asked, by when.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    pub kind: Kind,
    pub law: Law,
    pub disclosure: Option<Disclosure>,
    /// The right in the law's own words.
    pub right: &'static str,
    pub project: String,
    pub region: &'static str,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub source: String,
    pub received: NaiveDate,
    #[serde(serialize_with = "time")]
    pub created: DateTime<Utc>,
    #[serde(serialize_with = "time_or_none")]
    pub submitted_at: Option<DateTime<Utc>>,
    pub due: NaiveDate,
    pub due_rule: &'static str,
    pub confirm_by: Option<NaiveDate>,
    pub extension: Option<ExtensionFact>,
}

/// The law's further time, taken once.
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionFact {
    #[serde(flatten)]
    pub taken: Extension,
    pub rule: &'static str,
}

/// Jobs that stand alike.
#[derive(Debug, Clone, Serialize)]
pub struct GroupFact {
    pub state: JobState,
    /// Mixpanel's own word, verbatim.
    pub mixpanel_status: Option<String>,
    pub given_up: bool,
    pub linked: bool,
    /// `yes`, `under_way`, `possibly` or `no`: an earlier attempt in doubt counts.
    pub carried_out: &'static str,
    pub jobs: usize,
    pub ids: usize,
}

/// What was fetched of an export.
#[derive(Debug, Clone, Serialize)]
pub struct FetchFact {
    pub finished_jobs: usize,
    pub fetched_jobs: usize,
    #[serde(serialize_with = "time_or_none")]
    pub last_fetched_at: Option<DateTime<Utc>>,
}

/// One job with its past.
#[derive(Debug, Clone, Serialize)]
pub struct JobFacts {
    pub id: String,
    pub ids: usize,
    pub state: JobState,
    pub reason: Option<String>,
    pub task_id: Option<String>,
    pub subject_request_id: String,
    /// Mixpanel's own word, verbatim.
    pub mixpanel_status: Option<String>,
    pub linked: bool,
    /// `yes`, `under_way`, `possibly` or `no`: an earlier attempt in doubt counts.
    pub carried_out: &'static str,
    #[serde(serialize_with = "time_or_none")]
    pub submitted_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time_or_none")]
    pub checked_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time_or_none")]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time_or_none")]
    pub given_up_at: Option<DateTime<Utc>>,
    pub attempts: Vec<Attempt>,
    pub steps: Vec<HistoryStep>,
    pub download: Option<DownloadFact>,
    /// `raw`, `hashed` or `none`: what the ledger has of its people.
    pub kept_ids: &'static str,
    /// Only where they were asked for, and are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_ids: Option<Vec<String>>,
}

/// A fetched archive.
#[derive(Debug, Clone, Serialize)]
pub struct DownloadFact {
    pub bytes: u64,
    pub sha256: String,
    #[serde(serialize_with = "time_or_none")]
    pub first_fetched_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    pub fetched_at: DateTime<Utc>,
    /// What was made of it, as the trail says.
    pub packages: Option<PackagesFact>,
}

/// Packages made of an archive.
#[derive(Debug, Clone, Serialize)]
pub struct PackagesFact {
    pub packages: usize,
    pub without_data: usize,
    pub records: u64,
    #[serde(serialize_with = "time")]
    pub made_at: DateTime<Utc>,
    /// What is in none of them and may be about anyone; none where nobody noted it.
    pub not_in_packages: Option<LeftOut>,
    /// The operator looked at that and released the packages.
    pub released_by_operator: Option<bool>,
}

/// Where the chain of the audit trail ended when the report was made.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditFact {
    Head {
        entries: u64,
        hash: String,
        #[serde(serialize_with = "time")]
        at: DateTime<Utc>,
    },
    /// It does not end as it should.
    Damaged { what: String },
}

/// All requests of a period, but for the requests.
#[derive(Debug, Clone, Serialize)]
pub struct PeriodFacts {
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// None where all are meant.
    pub projects: Option<Vec<String>>,
    /// Requests in the ledger that were received outside of the period, of whatever project.
    pub received_before: usize,
    pub received_after: usize,
    pub purges: Vec<Purge>,
    /// Times of which the ledger lacks what was recorded.
    pub set_backs: Vec<SetBackFact>,
    pub limits: &'static [&'static str],
}

/// A ledger that was set back, and that the operator went on with.
#[derive(Debug, Clone, Serialize)]
pub struct SetBackFact {
    /// Since when what was recorded is lost; none where all of it is.
    #[serde(serialize_with = "time_or_none")]
    pub since: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    pub accepted_at: DateTime<Utc>,
    pub accepted_by: String,
    /// How many entries of the audit trail are lost at least, where that is known.
    pub entries: Option<u64>,
    /// That what was lost was looked up, and what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<LedgerReview>,
}

/// One request of a period.
#[derive(Debug, Clone, Serialize)]
pub struct RowFacts {
    pub id: String,
    #[serde(flatten)]
    pub asked: Asked,
    pub answer: Answer,
    pub ids: IdCounts,
    pub setbacks: Vec<Setback>,
    pub other_setbacks: usize,
}

impl Asked {
    /// Its last day to answer is over, without an answer and while something is still to happen.
    pub fn is_overdue(&self, answer: &Answer, today: NaiveDate) -> bool {
        (answer.nature, answer.timing) == (Nature::Open, Timing::NoAnswer) && today > self.due
    }
}
