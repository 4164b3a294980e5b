//! What happened to a request and its jobs. The ledger keeps it, and reports show it. The field
//! names are those of the JSON.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::dates::timestamp::{time, time_or_none};
use crate::domain::{Actor, JobState, PlanDigest};

/// A step from state to state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryStep {
    pub from: JobState,
    pub to: JobState,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`; `None` if the audit trail has no entry of the step.
    pub by: Option<String>,
    /// Only the command, such as `dsr delete`.
    pub command: Option<String>,
}

/// An audit entry of a request or job, other than a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// The entry's number in the trail.
    pub entry: usize,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// A word of the audit trail, or of a newer dsr.
    pub event: String,
    pub job: Option<u32>,
    /// `user@host`
    pub by: String,
    pub command: String,
}

/// One POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    #[serde(serialize_with = "time")]
    pub started_at: DateTime<Utc>,
    /// When its answer came, or when dsr noticed that the sender was killed.
    #[serde(serialize_with = "time_or_none")]
    pub ended_at: Option<DateTime<Utc>>,
    pub outcome: Option<JobState>,
    /// For the operator; no secret, no id.
    pub reason: Option<String>,
    /// This ledger made it. Otherwise it may have been made in a lost time, and its times are only
    /// the limits of that time.
    #[serde(rename = "certain")]
    pub is_certain: bool,
}

/// How many jobs of a request reached a state, and when the first and the last one did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passage {
    #[serde(rename = "state")]
    pub to: JobState,
    pub jobs: usize,
    #[serde(serialize_with = "time")]
    pub first: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    pub last: DateTime<Utc>,
}

/// Jobs of a request that ended in the same way, without success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setback {
    /// Refused, failed, revoked, or unknown and abandoned.
    pub state: JobState,
    /// In words for the operator; no secret, no id.
    pub reason: Option<String>,
    pub jobs: usize,
    pub ids: usize,
}

/// Parts of an export that are in no package, since their owner is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Members of the archive that were not read.
    pub members: u64,
    /// Unreadable pieces of members.
    pub pieces: u64,
    /// Records without a certain owner.
    pub records: u64,
    /// Lists of names of several people together.
    pub lists: u64,
    /// Parts that the archive should have.
    pub missing: u64,
}

/// An extension by the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// The operator's local day, by which the law counts.
    pub day: NaiveDate,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub reason: String,
    pub due_before: NaiveDate,
    pub due_after: NaiveDate,
}

/// A plan file that became a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanRecord {
    pub digest: PlanDigest,
    #[serde(serialize_with = "time")]
    pub created: DateTime<Utc>,
    pub created_by: Actor,
    /// Who approved it and when, in file order.
    #[serde(serialize_with = "approvals")]
    pub approvals: Vec<(Actor, DateTime<Utc>)>,
}

fn approvals<S: Serializer>(
    approvals: &[(Actor, DateTime<Utc>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Given<'a> {
        #[serde(flatten)]
        by: &'a Actor,
        #[serde(serialize_with = "time")]
        at: DateTime<Utc>,
    }
    serializer.collect_seq(approvals.iter().map(|(by, at)| Given { by, at: *at }))
}

/// Counts of closed requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Closed {
    pub requests: usize,
    pub ids: usize,
    /// When the first and the last one was closed.
    #[serde(rename = "first_closed", serialize_with = "time")]
    pub first: DateTime<Utc>,
    #[serde(rename = "last_closed", serialize_with = "time")]
    pub last: DateTime<Utc>,
}

/// Records that a purge deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purge {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// The requests were closed before this time.
    #[serde(skip)]
    pub closed_before: DateTime<Utc>,
    #[serde(flatten)]
    pub closed: Closed,
    /// How many deleted people stayed on the suppression list.
    #[serde(skip)]
    pub suppressed: usize,
}

/// A check whether the events of a deletion's people are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasureCheck {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    #[serde(flatten)]
    pub found: CheckedPeople,
}

/// The people of a deletion, by what the events show of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedPeople {
    /// No event.
    pub absent: usize,
    /// Events from before the deletion, while Mixpanel may still show them.
    pub not_yet: usize,
    /// Events from before the deletion, which should be gone.
    pub present: usize,
    /// Events from after the deletion was sent.
    pub recollected: usize,
    /// No event, in an export that may lack some.
    pub not_checkable: usize,
    /// The deletion is not done.
    pub not_done: usize,
    /// The events looked through, and the days (UTC) of the first and the last one.
    pub events: usize,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// The days that Mixpanel was asked for; `None` if the events were in files.
    #[serde(default)]
    pub window: Option<ExportWindow>,
    /// The days that the files cover, as the operator says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<ExportWindow>,
    /// People of whom Mixpanel said that they have a profile, or none. It was not asked about others.
    #[serde(default)]
    pub with_profile: usize,
    #[serde(default)]
    pub without_profile: usize,
    /// The profiles that an earlier check found, and that this check does not show to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_before: Option<ProfilesFound>,
}

/// People who had a profile when a check asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilesFound {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub count: usize,
}

impl CheckedPeople {
    /// The people whose deletion is done.
    pub fn done(&self) -> usize {
        self.absent + self.not_yet + self.present + self.recollected + self.not_checkable
    }

    /// What a reader must know first: the count of people, and the words for one and for several.
    pub fn concerns(&self) -> impl Iterator<Item = (usize, &'static str, &'static str)> {
        let concerns = [
            (
                self.recollected,
                "person was collected again",
                "people were collected again",
            ),
            (
                self.present,
                "person is still present",
                "people are still present",
            ),
            (
                self.had_profile(),
                "person had a profile at an earlier check",
                "people had a profile at an earlier check",
            ),
            (
                self.not_checkable,
                "person is not checkable",
                "people are not checkable",
            ),
        ];
        concerns.into_iter().filter(|(count, ..)| *count > 0)
    }

    /// Whether somebody is present or was collected again, or had a profile when that was last asked.
    pub fn has_found(&self) -> bool {
        self.present + self.recollected + self.had_profile() > 0
    }

    /// The people who had a profile when that was last asked, and it does not show that it is gone.
    fn had_profile(&self) -> usize {
        self.found_before.map_or(0, |found| found.count)
    }

    /// The people about whose profiles Mixpanel was not asked.
    pub fn profile_not_asked(&self) -> usize {
        let asked = self.with_profile + self.without_profile;
        self.done().saturating_sub(asked)
    }

    /// Whether the check shows who has a profile: Mixpanel was asked about everyone, and answered
    /// for the project of the deletion.
    pub fn is_whole_of_profiles(&self) -> bool {
        self.done() > 0 && self.profile_not_asked() == 0 && self.not_checkable == 0
    }
}

/// The first and the last day of an export. Mixpanel counts them in UTC, or in the project's time
/// zone if the project is from before 2023.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportWindow {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// The operator's statement that the lost time was reviewed, and the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerReview {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    pub note: String,
}
