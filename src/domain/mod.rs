//! The terms of the tool as types: ids, batches, laws, states, deadlines, limits.
//! Pure: no file, no network, no clock, no environment.

mod dates;
mod ids;
mod project;
mod request;
mod text;

mod actor;
mod exit_status;

pub use actor::Actor;
pub use dates::clock::Clock;
pub use dates::deadline::{
    CONFIRMATION_RULE, Deadline, FIRST_YEAR, Period, confirmation_date, due_date,
    expected_completion, link_end, link_may_end, year_without_holidays,
};
pub use dates::event_time::{event_time, property_time};
pub use dates::timestamp;
pub use dates::window::{MostSelected, RetentionWindow, WindowError};
pub use exit_status::ExitStatus;
pub use ids::batch::{Batch, BatchError, IdLines};
pub use ids::distinct_id::{DistinctId, DistinctIdError, Leniency, MAX_ID_BYTES};
pub use ids::exclusion::Exclusion;
pub use ids::form_map::FormMap;
pub use ids::id_hash::{HashedMap, IdHasher, IdsDigest};
pub use ids::near_index::NearIndex;
pub use ids::person_hash::{LedgerKey, PersonHash, PersonHasher};
pub use ids::retention::{
    Cutoff, CutoffError, EXPORT_IDS_DAYS, IdsKept, RETENTION_RULE, VERIFY_IDS_DAYS,
};
pub use ids::{id_form, id_names};
pub use project::api_url::{ApiUrl, ApiUrlError};
pub use project::limits::{
    BatchLimits, DEFAULT_DELETE_BATCH, DEFAULT_EXPORT_BATCH, HourlyQueries, LimitsError, ProjectId,
    Rate,
};
pub use project::names::{Lane, Project, ProjectKey, ProjectName, ProjectToken, looks_like_secret};
pub use project::region::Region;
pub use project::time_zone::ProjectZone;
pub use project::token_name::TokenName;
pub use request::confirmation::{Confirmed, YesFlag};
pub use request::copies::{CopyName, CopyNameError, CopyTick};
pub use request::doubt::{CarriedOut, Doubt};
pub use request::erasure::{Arrival, Erasure, ErasurePeriod};
pub use request::history::{
    Attempt, CheckedPeople, Closed, Deed, ErasureCheck, ExportWindow, Extension, HistoryStep,
    LedgerReview, LeftOut, Passage, PlanRecord, ProfilesFound, Purge, Setback,
};
pub use request::identifiers::{JobId, RequestId, SubjectRequestId, TaskId, random_bytes};
pub use request::ingestion::{
    AliasRule, BatchId, BatchState, IngestionKind, RefusedField, RefusedRecord,
};
pub use request::operation::{Disclosure, Kind, Law, Operation, RetrievalScope};
pub use request::plan_digest::PlanDigest;
pub use request::polling::{Heard, LONGEST_PAUSE, next_check};
pub use request::states::{JobState, RequestState, TaskStatus};
pub(crate) use text::enums::words;
pub use text::hex::{from_hex, to_hex};
pub use text::json_object::{JsonObject, json_text};
pub use text::similar::{is_close, most_like};
