//! The facts a report is made from. Field names are those of its JSON.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::document::text::counted;
use crate::domain::timestamp::{time, time_or_none};
use crate::domain::{
    Attempt, CopyTick, Deed, Disclosure, ErasureCheck, Extension, HistoryStep, JobState, Kind, Law,
    LedgerReview, LeftOut, Passage, PlanRecord, Purge, Setback,
};

use super::answer::{Answer, IdCounts, Nature, Timing};

/// When, by whom and with what a report was made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`, from the operating system.
    pub by: String,
    pub dsr: &'static str,
    pub sandbox: bool,
    /// Today, for the operator.
    pub day: NaiveDate,
    /// Requests that were open, unanswered and past their due date on that day.
    pub overdue: usize,
}

/// One request with all its facts except its jobs.
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
    /// Jobs with reasons that are not listed.
    pub other_setbacks: usize,
    pub fetching: Option<FetchFact>,
    /// The applied plan file, if the request came from one.
    pub plan: Option<PlanRecord>,
    /// Periods since the request was recorded whose records the ledger has lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_backs: Vec<SetBackFact>,
    /// What the answer does not do, and what dsr cannot know.
    pub limits: &'static [&'static str],
    /// The first audit entries of the request, without the steps of its jobs.
    pub deeds: Vec<Deed>,
    pub other_deeds: usize,
    /// The last check whether the people of a deletion are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure_check: Option<ErasureCheck>,
    /// The copies that the operator dealt with for a deletion.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyTick>,
    /// The imports that had to come after a deletion.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<ImportFact>,
}

/// Events that were imported after a deletion.
#[derive(Debug, Clone, Serialize)]
pub struct ImportFact {
    pub id: String,
    /// When the import was recorded.
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub by: String,
    pub source: String,
    pub sha256: String,
    pub events: usize,
    /// Events that Mixpanel is known to have taken.
    pub imported: usize,
    /// Events that Mixpanel refused by themselves.
    pub refused: usize,
    pub is_done: bool,
}

impl RequestFacts {
    /// The state in a few words: `carried out in whole, answer not recorded`.
    /// The last check comes first, if it found anything but absent people.
    pub fn headline(&self) -> String {
        let concerns = self.concerns();
        let words = self.answer.words().to_lowercase();
        concerns
            .into_iter()
            .chain([words])
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// What the last check found besides absent people, such as `1 person is still present`.
    pub(super) fn concerns(&self) -> Vec<String> {
        let found = self.erasure_check.iter();
        let concerns = found.flat_map(|check| check.found.concerns());
        let words = concerns.map(|(count, one, many)| counted(count as u64, one, many));
        words.collect()
    }

    /// Whether Mixpanel has tasks of the request that have not ended.
    pub(super) fn has_followed(&self) -> bool {
        self.groups.iter().any(|group| group.state.is_followed())
    }
}

/// What was asked, and by when.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    pub kind: Kind,
    pub law: Law,
    pub disclosure: Option<Disclosure>,
    /// The right, in the words of the law.
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

/// The extension that the law allows, if taken.
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionFact {
    #[serde(flatten)]
    pub taken: Extension,
    pub rule: &'static str,
}

/// Jobs in the same state.
#[derive(Debug, Clone, Serialize)]
pub struct GroupFact {
    pub state: JobState,
    /// Mixpanel's status, verbatim.
    pub mixpanel_status: Option<String>,
    pub given_up: bool,
    pub linked: bool,
    /// `yes`, `under_way`, `possibly` or `no`. An earlier attempt of unknown outcome counts.
    pub carried_out: &'static str,
    pub jobs: usize,
    pub ids: usize,
}

/// The fetched archives of an export.
#[derive(Debug, Clone, Serialize)]
pub struct FetchFact {
    pub finished_jobs: usize,
    pub fetched_jobs: usize,
    #[serde(serialize_with = "time_or_none")]
    pub last_fetched_at: Option<DateTime<Utc>>,
}

/// One job with its history.
#[derive(Debug, Clone, Serialize)]
pub struct JobFacts {
    pub id: String,
    pub ids: usize,
    pub state: JobState,
    pub reason: Option<String>,
    pub task_id: Option<String>,
    pub subject_request_id: String,
    /// Mixpanel's status, verbatim.
    pub mixpanel_status: Option<String>,
    pub linked: bool,
    /// `yes`, `under_way`, `possibly` or `no`. An earlier attempt of unknown outcome counts.
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
    /// `raw`, `hashed` or `none`: what the ledger keeps of the job's ids.
    pub kept_ids: &'static str,
    /// Only if requested and still kept.
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
    /// The packages made from it, according to the audit trail.
    pub packages: Option<PackagesFact>,
}

/// Packages made from an archive.
#[derive(Debug, Clone, Serialize)]
pub struct PackagesFact {
    pub packages: usize,
    pub without_data: usize,
    pub records: u64,
    #[serde(serialize_with = "time")]
    pub made_at: DateTime<Utc>,
    /// What is in no package and may be about anyone.
    pub not_in_packages: LeftOut,
    /// The operator checked that data and released the packages.
    pub released_by_operator: bool,
}

/// The last audit entry when the report was made.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditFact {
    Head {
        entries: u64,
        hash: String,
        #[serde(serialize_with = "time")]
        at: DateTime<Utc>,
    },
    /// The trail does not end as it should.
    Damaged { what: String },
}

/// All facts of a period except its requests.
#[derive(Debug, Clone, Serialize)]
pub struct PeriodFacts {
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// `None` for all projects.
    pub projects: Option<Vec<String>>,
    /// Requests in the ledger received outside the period, in any project.
    pub received_before: usize,
    pub received_after: usize,
    pub purges: Vec<Purge>,
    /// Deletions of profiles in the period, which are no erasures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile_deletions: Vec<ProfileDeletionFact>,
    /// Periods whose records the ledger has lost.
    pub set_backs: Vec<SetBackFact>,
    pub limits: &'static [&'static str],
}

/// Profiles that were deleted while the events of their people stay.
#[derive(Debug, Clone, Serialize)]
pub struct ProfileDeletionFact {
    pub id: String,
    /// When the deletion was recorded.
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub by: String,
    pub project: String,
    /// Which profiles, such as the name of a list.
    pub source: String,
    pub profiles: usize,
    /// Deletions that Mixpanel is known to have taken.
    pub deleted: usize,
}

/// A ledger that was set back, and that the operator continued with.
#[derive(Debug, Clone, Serialize)]
pub struct SetBackFact {
    /// Since when records are lost; `None` if all earlier ones are.
    #[serde(serialize_with = "time_or_none")]
    pub since: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    pub accepted_at: DateTime<Utc>,
    pub accepted_by: String,
    /// The least number of lost audit entries, if known.
    pub entries: Option<u64>,
    /// The operator's review of what was lost.
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
    /// Whether the request is open, unanswered and past its due date.
    pub fn is_overdue(&self, answer: &Answer, today: NaiveDate) -> bool {
        (answer.nature, answer.timing) == (Nature::Open, Timing::NoAnswer) && today > self.due
    }
}
