//! Mixpanel's GDPR API v3: the five operations, the shapes of replies, and their meaning. Also the
//! query of profiles, the raw export, the import of events, and the lists of a project's copies. Knows no ledger, and never
//! sends anything twice by itself.

mod answer;
pub mod classify;
mod client;
mod fetch;
pub mod ingestion;
mod needles;
pub mod query;
mod retry_after;
mod route;
mod spelling;
mod wire;
mod words;

pub use answer::{CancelAnswer, CreateAnswer, StatusAnswer, TaskAnswer, TaskMade, TokenStanding};
pub use client::Client;
pub use client::caller::Timeouts;
pub use fetch::{Fetcher, Reach, TransferEnd, TransferSink};
pub use ingestion::client::IngestionClient;
pub use ingestion::{
    ImportAnswer, MOST_DELETION_BYTES, MOST_EVENTS, MOST_IMPORT_BYTES, MOST_PROFILES,
    OutgoingEvent, RefusedEvent, deletion_bytes,
};
pub use query::client::QueryClient;
pub use query::export::{ExportEnd, ExportStream};
pub use query::{
    AccountAnswer, AllProfiles, CopiesAnswer, CopyKind, CopyState, Holders, ListedCopy, Profiles,
    QueryAnswer, can_be_asked,
};
pub use route::{ClientError, Route};
pub use words::{Confidential, SentIds, Words};

#[cfg(test)]
mod tests;
