//! The terms of the tool as types: ids, batches, laws, states, deadlines, limits.
//! Pure: no file, no network, no clock, no environment.

mod actor;
mod api_url;
mod batch;
mod clock;
mod confirmation;
mod deadline;
mod distinct_id;
mod doubt;
mod erasure;
mod event_time;
mod exclusion;
mod exit_status;
mod hex;
mod history;
pub mod id_form;
mod id_hash;
pub mod id_names;
mod identifiers;
mod json_object;
mod limits;
mod near_index;
mod operation;
mod person_hash;
mod plan_digest;
mod polling;
mod project;
mod region;
mod retention;
mod similar;
mod states;
mod time_zone;
pub mod timestamp;
mod token_name;
mod words;

pub use actor::Actor;
pub use api_url::{ApiUrl, ApiUrlError};
pub use batch::{Batch, BatchError, IdLines};
pub use clock::Clock;
pub use confirmation::{Confirmed, YesFlag};
pub use deadline::{
    CONFIRMATION_RULE, Deadline, FIRST_YEAR, Period, confirmation_date, due_date,
    expected_completion, link_end, link_may_end, year_without_holidays,
};
pub use distinct_id::{DistinctId, DistinctIdError, Leniency, MAX_ID_BYTES};
pub use doubt::{CarriedOut, Doubt};
pub use erasure::{Arrival, Erasure, ErasurePeriod};
pub use event_time::event_time;
pub use exclusion::Exclusion;
pub use exit_status::ExitStatus;
pub use hex::{from_hex, to_hex};
pub use history::{
    Attempt, Closed, Deed, Extension, HistoryStep, LedgerReview, LeftOut, Passage, PlanRecord,
    Purge, Setback,
};
pub use id_hash::{IdHasher, IdsDigest};
pub use identifiers::{JobId, RequestId, SubjectRequestId, TaskId, random_bytes};
pub use json_object::{JsonObject, json_text};
pub use limits::{BatchLimits, DEFAULT_DELETE_BATCH, DEFAULT_EXPORT_BATCH, LimitsError, Rate};
pub use near_index::NearIndex;
pub use operation::{Disclosure, Kind, Law, Operation, RetrievalScope};
pub use person_hash::{LedgerKey, PersonHash, PersonHasher};
pub use plan_digest::PlanDigest;
pub use polling::{Heard, LONGEST_PAUSE, next_check};
pub use project::{Lane, Project, ProjectKey, ProjectName, ProjectToken};
pub use region::Region;
pub use retention::{Cutoff, CutoffError, EXPORT_IDS_DAYS, RETENTION_RULE};
pub use similar::{is_close, most_like};
pub use states::{JobState, RequestState, TaskStatus};
pub use time_zone::ProjectZone;
pub use token_name::TokenName;
pub(crate) use words::words;
