//! The findings of a verification.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{JobId, RequestId};

use super::{Anchor, AuditHead};

/// The most findings to list; the rest are only counted.
const MOST: usize = 100;

/// The result of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    pub entries: u64,
    /// The head, if it matches the last entry.
    pub head: Option<AuditHead>,
    pub started: Option<DateTime<Utc>>,
    /// Requests in the ledger, and purged ones.
    pub requests: u64,
    pub purged: u64,
    /// Requests whose ids were not compared, since this host has no ledger key.
    pub unread: u64,
    pub jobs: u64,
    pub anchored: Vec<Anchor>,
    /// Anchors that are heads lost when the ledger was set back, as its acceptance names them.
    pub lost: Vec<LostHead>,
    /// The first hundred problems; empty if the trail is whole.
    pub findings: Vec<Finding>,
    pub more: u64,
}

impl Audit {
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether the ledger matches its trail, and only saved heads do not.
    pub fn disagrees_only_with_heads(&self) -> bool {
        let is_head = |finding: &Finding| {
            matches!(
                finding,
                Finding::AnchorMissing { .. }
                    | Finding::AnchorDiffers { .. }
                    | Finding::AnchorLost { .. }
            )
        };
        !self.is_whole() && self.more == 0 && self.findings.iter().all(is_head)
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        match self.findings.len() < MOST {
            true => self.findings.push(finding),
            false => self.more += 1,
        }
    }
}

/// The last head seen of a lost time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostHead {
    pub head: Anchor,
    pub accepted_at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
}

/// The state of the trail's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The number of entries, by their own count.
    pub entries: u64,
    pub finding: Option<Finding>,
}

/// A problem with the trail, or with records that differ from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("entry {entry} does not match its hash: it was changed, inserted or moved")]
    Changed { entry: u64 },
    #[error("the hash of entry {entry} was changed")]
    HashChanged { entry: u64 },
    #[error("entry {entry} cannot be read: a value has the wrong type")]
    Unreadable { entry: u64 },
    #[error("{} missing", entries(*first, *last, ["is", "are"]))]
    Missing { first: u64, last: u64 },
    #[error("entry {entry} is out of order, or occurs twice")]
    OutOfOrder { entry: i64 },
    #[error("{} after the last entry that the head names", entries(*first, *last, ["comes", "come"]))]
    PastHead { first: u64, last: u64 },
    #[error("the head of the trail is missing, or cannot be read")]
    NoHead,
    #[error("the head of the trail names entry {entry}, but not its hash")]
    HeadDiffers { entry: u64 },
    #[error("the trail does not begin with its start entry")]
    NoStart,
    #[error("the trail ends before entry {count}, which is a saved head")]
    AnchorMissing { count: u64 },
    #[error(
        "entry {count} is not the one in the saved head{}: the trail was rewritten, or this saved line was changed or is from another ledger",
        place.as_ref().map_or_else(String::new, |place| format!(" ({place})"))
    )]
    AnchorDiffers { count: u64, place: Option<String> },
    #[error("head {count} is from the lost time (accepted by {by} on {day}): dsr cannot check it")]
    AnchorLost {
        count: u64,
        by: String,
        day: NaiveDate,
    },
    #[error("the ledger has requests that the trail does not have ({found})")]
    UnknownRequests { found: u64 },
    #[error("request {request} is missing, and the trail has no purge of it")]
    RequestMissing { request: RequestId },
    #[error("request {request} differs from the trail: {what}")]
    RequestDiffers { request: RequestId, what: String },
    #[error("job {job} differs from the trail: {what}")]
    JobDiffers { job: JobId, what: String },
    #[error(
        "the records of purges, the people they kept on the suppression list, or the key of the hashes differ from the trail"
    )]
    RecordsDiffer,
}

/// `entry 7 is`, `entries 7 to 9 are`
fn entries(first: u64, last: u64, verbs: [&str; 2]) -> String {
    match first == last {
        true => format!("entry {first} {}", verbs[0]),
        false => format!("entries {first} to {last} {}", verbs[1]),
    }
}

impl Finding {
    /// A stable word for scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "entry_changed",
            Self::HashChanged { .. } => "hash_changed",
            Self::Unreadable { .. } => "entry_unreadable",
            Self::Missing { .. } => "entries_missing",
            Self::OutOfOrder { .. } => "entry_out_of_order",
            Self::PastHead { .. } => "entries_past_head",
            Self::NoHead => "head_missing",
            Self::HeadDiffers { .. } => "head_differs",
            Self::NoStart => "start_missing",
            Self::AnchorMissing { .. } => "anchor_missing",
            Self::AnchorDiffers { .. } => "anchor_differs",
            Self::AnchorLost { .. } => "anchor_lost",
            Self::UnknownRequests { .. } => "requests_unknown",
            Self::RequestMissing { .. } => "request_missing",
            Self::RequestDiffers { .. } => "request_differs",
            Self::JobDiffers { .. } => "job_differs",
            Self::RecordsDiffer => "records_differ",
        }
    }

    /// The first entry with the problem.
    pub fn entry(&self) -> Option<i64> {
        match self {
            Self::Changed { entry }
            | Self::HashChanged { entry }
            | Self::Unreadable { entry }
            | Self::HeadDiffers { entry } => i64::try_from(*entry).ok(),
            Self::Missing { first, .. } | Self::PastHead { first, .. } => {
                i64::try_from(*first).ok()
            }
            Self::OutOfOrder { entry } => Some(*entry),
            Self::AnchorMissing { count }
            | Self::AnchorDiffers { count, .. }
            | Self::AnchorLost { count, .. } => i64::try_from(*count).ok(),
            Self::NoStart => Some(1),
            Self::NoHead
            | Self::UnknownRequests { .. }
            | Self::RequestMissing { .. }
            | Self::RequestDiffers { .. }
            | Self::JobDiffers { .. }
            | Self::RecordsDiffer => None,
        }
    }
}
