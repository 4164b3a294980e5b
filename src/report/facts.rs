//! What a report is made of. The names of the fields are those of its JSON.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::{Disclosure, JobState, Kind, Law, Operation};

use super::answer::{Answer, IdCounts, Nature, Timing};
use super::times::{time, time_or_none};

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
    pub moments: Vec<MomentFact>,
    pub groups: Vec<GroupFact>,
    pub setbacks: Vec<ReasonFact>,
    /// Jobs with further reasons.
    pub other_setbacks: usize,
    pub fetching: Option<FetchFact>,
    /// The plan file that it was made of, if it was.
    pub plan: Option<PlanFact>,
    /// Times since it was recorded of which the ledger lacks what happened to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_backs: Vec<SetBackFact>,
    /// What the answer does not do, and what dsr cannot know.
    pub limits: &'static [&'static str],
    /// What the audit trail has beside the steps of jobs, the first of it.
    pub deeds: Vec<DeedFact>,
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
    #[serde(skip)]
    pub operation: Operation,
}

/// The law's further time, taken once.
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionFact {
    pub day: NaiveDate,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub reason: String,
    pub due_before: NaiveDate,
    pub due_after: NaiveDate,
    pub rule: &'static str,
}

/// A plan file that was applied, and who answers for it.
#[derive(Debug, Clone, Serialize)]
pub struct PlanFact {
    pub digest: String,
    #[serde(serialize_with = "time")]
    pub created: DateTime<Utc>,
    pub created_by: AccountFact,
    /// In the order in which they were given.
    pub approvals: Vec<ApprovalFact>,
}

/// Somebody's approval of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalFact {
    #[serde(flatten)]
    pub by: AccountFact,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
}

/// An account, as the operating system has it.
#[derive(Debug, Clone, Serialize)]
pub struct AccountFact {
    pub user: String,
    pub host: String,
}

/// When the first and the last of a request's jobs came to a state.
#[derive(Debug, Clone, Serialize)]
pub struct MomentFact {
    pub state: JobState,
    pub jobs: usize,
    #[serde(serialize_with = "time")]
    pub first: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    pub last: DateTime<Utc>,
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

/// Jobs that ended otherwise than done, and why.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonFact {
    pub state: JobState,
    pub reason: Option<String>,
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
    pub attempts: Vec<AttemptFact>,
    pub steps: Vec<StepFact>,
    pub download: Option<DownloadFact>,
    /// `raw`, `hashed` or `none`: what the ledger has of its people.
    pub kept_ids: &'static str,
    /// Only where they were asked for, and are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_ids: Option<Vec<String>>,
}

/// One POST.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptFact {
    pub number: u32,
    #[serde(serialize_with = "time")]
    pub started_at: DateTime<Utc>,
    #[serde(serialize_with = "time_or_none")]
    pub ended_at: Option<DateTime<Utc>>,
    pub outcome: Option<JobState>,
    pub reason: Option<String>,
    /// False where it may have been made before the ledger was set back, and nobody knows.
    pub certain: bool,
}

/// One step from state to state.
#[derive(Debug, Clone, Serialize)]
pub struct StepFact {
    pub from: JobState,
    pub to: JobState,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`; none for steps from before there was an audit trail.
    pub by: Option<String>,
    pub command: Option<String>,
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
    pub not_in_packages: Option<LeftOutFact>,
    /// The operator looked at that and released the packages.
    pub released_by_operator: Option<bool>,
}

/// What of an archive is in no package.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOutFact {
    /// Not read.
    pub members: u64,
    /// Not readable.
    pub pieces: u64,
    /// Without a certain owner.
    pub records: u64,
    /// Of several people together.
    pub lists: u64,
    /// Not in the archive at all.
    pub missing: u64,
}

/// Something that was done to a request or a job, other than a step.
#[derive(Debug, Clone, Serialize)]
pub struct DeedFact {
    /// The entry's number in the audit trail.
    pub entry: usize,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub event: String,
    pub job: Option<u32>,
    pub by: String,
    pub command: String,
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
    pub purges: Vec<PurgeFact>,
    /// Times of which the ledger lacks what was recorded.
    pub set_backs: Vec<SetBackFact>,
    pub limits: &'static [&'static str],
}

/// Records that are gone.
#[derive(Debug, Clone, Serialize)]
pub struct PurgeFact {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub requests: usize,
    pub ids: usize,
    #[serde(serialize_with = "time")]
    pub first_closed: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    pub last_closed: DateTime<Utc>,
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
    pub reviewed: Option<ReviewFact>,
}

/// The operator's word on a time that the ledger lacks.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewFact {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    pub note: String,
}

/// One request of a period.
#[derive(Debug, Clone, Serialize)]
pub struct RowFacts {
    pub id: String,
    #[serde(flatten)]
    pub asked: Asked,
    pub answer: Answer,
    pub ids: IdCounts,
    pub setbacks: Vec<ReasonFact>,
    pub other_setbacks: usize,
}

impl Asked {
    /// Its last day to answer is over, without an answer and while something is still to happen.
    pub fn is_overdue(&self, answer: &Answer, today: NaiveDate) -> bool {
        (answer.nature, answer.timing) == (Nature::Open, Timing::NoAnswer) && today > self.due
    }
}
