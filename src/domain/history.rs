//! What happened to a request and its jobs: kept by the ledger, told in reports. The names of the
//! fields, as serde has them, are those of the JSON.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};

use super::timestamp::{time, time_or_none};
use super::{Actor, JobState, PlanDigest};

/// One step from state to state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryStep {
    pub from: JobState,
    pub to: JobState,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`, as the audit trail has them; none for steps from before there was a trail.
    pub by: Option<String>,
    /// The command alone, such as `dsr delete`.
    pub command: Option<String>,
}

/// Something that was done to a request or a job, other than a step, as the audit trail has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// The entry's number in the trail.
    pub entry: usize,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// The trail's word for it, or what a newer dsr says.
    pub event: String,
    /// The number of the job in its request.
    pub job: Option<u32>,
    /// `user@host`
    pub by: String,
    pub command: String,
}

/// One POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    #[serde(serialize_with = "time")]
    pub started_at: DateTime<Utc>,
    /// When its answer came; for a killed dsr, when that was noticed.
    #[serde(serialize_with = "time_or_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// The state it led to.
    pub outcome: Option<JobState>,
    /// In words for the operator; no secret, no id.
    pub reason: Option<String>,
    /// This ledger made it. Otherwise it may have been made in the span that a ledger which was set back
    /// lacks, and its times say no more than between when.
    #[serde(rename = "certain")]
    pub is_certain: bool,
}

/// How many of a request's jobs came to a state, and when the first and the last of them did.
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

/// Jobs of a request that ended alike, and not as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setback {
    /// Refused, failed, revoked, or unknown where the operator gave up.
    pub state: JobState,
    /// In words for the operator; no secret, no id.
    pub reason: Option<String>,
    pub jobs: usize,
    pub ids: usize,
}

/// What of an export is in no package, since nobody knows whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Members of the archive that were not read.
    pub members: u64,
    /// Pieces of members that cannot be read.
    pub pieces: u64,
    /// Records that do not say for certain whose they are.
    pub records: u64,
    /// Lists of names of several people together.
    pub lists: u64,
    /// What the archive should hold, and does not.
    pub missing: u64,
    /// The operator looked at it and released the packages.
    #[serde(skip)]
    pub is_released: bool,
}

/// An extension as the operator took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// The operator's own day of it, by which the law counts.
    pub day: NaiveDate,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// The operator's words.
    pub reason: String,
    /// The due date until then, and the one since.
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
    /// Who approved it and when, in the order of the file.
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

/// Closed requests, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Closed {
    pub requests: usize,
    pub ids: usize,
    /// When the first and the last of them was closed.
    #[serde(rename = "first_closed", serialize_with = "time")]
    pub first: DateTime<Utc>,
    #[serde(rename = "last_closed", serialize_with = "time")]
    pub last: DateTime<Utc>,
}

/// Records that were removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purge {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// The requests had been closed before.
    #[serde(skip)]
    pub closed_before: DateTime<Utc>,
    #[serde(flatten)]
    pub closed: Closed,
    /// How many people of deletions stayed on the suppression list; `None` for a purge of an older
    /// dsr, which kept nobody.
    #[serde(skip)]
    pub suppressed: Option<usize>,
}

/// The operator's word that what a ledger lacks was looked up, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerReview {
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    pub note: String,
}
