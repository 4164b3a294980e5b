//! Records that go to Mixpanel's ingestion API in batches, such as imported events.

use crate::domain::words;

use super::identifiers::RequestId;

/// What the records of an ingestion are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IngestionKind {
    /// Events, from a file.
    Import,
    /// Ids whose profiles go. Their events stay: this is never an erasure.
    ProfileDeletion,
}

words!(IngestionKind {
    Import => "import",
    ProfileDeletion => "profile_deletion",
});

/// What happens to the original profile if an id is an alias of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasRule {
    /// It stays, as Mixpanel advises for duplicate profiles: `$ignore_alias` is true.
    Ignore,
    /// It goes.
    Follow,
}

words!(AliasRule {
    Ignore => "ignore",
    Follow => "follow",
});

/// What is known of a batch of an ingestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// Not sent, or certainly not taken.
    Planned,
    /// Its call is under way, or the dsr that sent it died.
    Sending,
    /// Mixpanel took it, except for the records that it refused one by one.
    Done,
    /// Mixpanel refused it whole.
    Failed,
    /// It was sent, and no answer shows what Mixpanel took.
    Unknown,
}

words!(BatchState {
    Planned => "planned",
    Sending => "sending",
    Done => "done",
    Failed => "failed",
    Unknown => "unknown",
});

/// Names one batch: its ingestion, and its place in the ingestion from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BatchId {
    pub ingestion: RequestId,
    pub number: u32,
}

/// Why Mixpanel refused a record: the field that is wrong. Mixpanel's words may quote a value, so
/// only documented names of fields are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusedField {
    Event,
    Properties,
    Time,
    DistinctId,
    InsertId,
    Other,
}

words!(RefusedField {
    Event => "event",
    Properties => "properties",
    Time => "properties.time",
    DistinctId => "properties.distinct_id",
    InsertId => "properties.$insert_id",
    Other => "other",
});

/// A record that Mixpanel refused while it took others of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Its place in the batch, from 0.
    pub index: usize,
    pub field: RefusedField,
}
