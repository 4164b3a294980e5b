use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use crate::domain::Kind;

/// Default ids per deletion (Mixpanel's documentation).
pub const DEFAULT_DELETE_BATCH: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
/// Default ids per export (Mixpanel's documentation).
pub const DEFAULT_EXPORT_BATCH: NonZeroUsize = NonZeroUsize::new(2000).expect("not zero");
/// The number that a deletion's ids and group keys share.
const DELETION_BUDGET: usize = 2000;
/// The most data groups (group keys) a Mixpanel project can have.
const MAX_DATA_GROUPS: u32 = 6;

/// The most ids one job of each kind may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    delete: NonZeroUsize,
    export: NonZeroUsize,
}

/// Why dsr cannot use a project's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    #[error("`delete_batch` must be 1 to 2000")]
    DeleteBatch,
    #[error("`export_batch` must be 1 to 2000")]
    ExportBatch,
    #[error("`data_groups` must be 0 to {MAX_DATA_GROUPS}, the most a project can have")]
    DataGroups,
    #[error("`rate` must be over 0 and at most 1000 requests a second")]
    Rate,
    #[error("`project_id` must not be 0: it is the project's number in Mixpanel's settings")]
    ProjectId,
    #[error("`queries_per_hour` must be 1 to 60, the most that Mixpanel allows")]
    QueriesPerHour,
}

impl LimitsError {
    /// The setting that is out of range.
    pub fn setting(self) -> &'static str {
        match self {
            Self::DeleteBatch => "delete_batch",
            Self::ExportBatch => "export_batch",
            Self::DataGroups => "data_groups",
            Self::Rate => "rate",
            Self::ProjectId => "project_id",
            Self::QueriesPerHour => "queries_per_hour",
        }
    }
}

impl BatchLimits {
    /// Computes the limits from a project's settings; `None` is the default.
    ///
    /// With data groups a deletion holds at most `min(limit, floor(2000 / (data_groups + 1)))` ids
    /// (Mixpanel, docs-legacy pull request 2741).
    ///
    /// # Errors
    /// When a value is outside the range that Mixpanel allows.
    pub fn new(
        delete_batch: Option<usize>,
        export_batch: Option<usize>,
        data_groups: Option<u32>,
    ) -> Result<Self, LimitsError> {
        let within = |value: Option<usize>, default: NonZeroUsize, error| match value {
            None => Ok(default),
            Some(value) => NonZeroUsize::new(value)
                .filter(|limit| limit.get() <= DELETION_BUDGET)
                .ok_or(error),
        };
        let delete = within(delete_batch, DEFAULT_DELETE_BATCH, LimitsError::DeleteBatch)?;
        let export = within(export_batch, DEFAULT_EXPORT_BATCH, LimitsError::ExportBatch)?;
        let delete = match data_groups {
            None => delete,
            Some(groups) if groups > MAX_DATA_GROUPS => return Err(LimitsError::DataGroups),
            Some(groups) => {
                let shared = DELETION_BUDGET / (groups as usize + 1);
                NonZeroUsize::new(shared).map_or(delete, |shared| shared.min(delete))
            }
        };
        Ok(Self { delete, export })
    }

    pub fn for_kind(self, kind: Kind) -> NonZeroUsize {
        match kind {
            Kind::Delete => self.delete,
            Kind::Export => self.export,
        }
    }
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            delete: DEFAULT_DELETE_BATCH,
            export: DEFAULT_EXPORT_BATCH,
        }
    }
}

/// Requests a second for one project, over all processes. Mixpanel allows 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl Rate {
    /// # Errors
    /// Unless `per_second` is at least one a day (0.0000116) and at most 1000.
    pub fn new(per_second: f64) -> Result<Self, LimitsError> {
        // One call a day is the slowest that means anything.
        if (1.0 / 86_400.0..=1000.0).contains(&per_second) {
            Ok(Self(per_second))
        } else {
            Err(LimitsError::Rate)
        }
    }

    pub fn per_second(self) -> f64 {
        self.0
    }

    /// The least time between two requests.
    pub fn interval(self) -> Duration {
        // Below one request in 31 years the result does not fit a Duration.
        Duration::try_from_secs_f64(1.0 / self.0).unwrap_or(Duration::MAX)
    }

    /// How long `requests` take at this rate; the first does not wait.
    pub fn time_for(self, requests: usize) -> Duration {
        let waits = u32::try_from(requests.saturating_sub(1)).unwrap_or(u32::MAX);
        self.interval().saturating_mul(waits)
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self(1.0)
    }
}

/// The number by which Mixpanel's query API knows a project. It is not the project token.
pub type ProjectId = NonZeroU32;

/// Queries of profiles in any hour for one project, over all processes. Mixpanel allows 60, which
/// all programs of a company share; dsr uses 30 unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourlyQueries(u32);

impl HourlyQueries {
    /// # Errors
    /// Unless it is 1 to 60.
    pub fn new(per_hour: u32) -> Result<Self, LimitsError> {
        match (1..=60).contains(&per_hour) {
            true => Ok(Self(per_hour)),
            false => Err(LimitsError::QueriesPerHour),
        }
    }

    pub fn per_hour(self) -> u32 {
        self.0
    }
}

impl Default for HourlyQueries {
    fn default() -> Self {
        Self(30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete(batch: Option<usize>, groups: Option<u32>) -> usize {
        let limits = BatchLimits::new(batch, None, groups).unwrap();
        limits.for_kind(Kind::Delete).get()
    }

    #[test]
    fn data_groups_share_a_deletions_two_thousand() {
        assert_eq!(delete(None, None), 500);
        assert_eq!(delete(None, Some(0)), 500, "the default limit still holds");
        assert_eq!(delete(Some(2000), Some(0)), 2000);
        assert_eq!(delete(Some(2000), Some(3)), 500);
        assert_eq!(delete(None, Some(6)), 285);
        assert_eq!(delete(Some(100), Some(6)), 100);
    }

    #[test]
    fn limits_outside_mixpanels_range_are_refused() {
        let new = BatchLimits::new;
        assert_eq!(new(Some(0), None, None), Err(LimitsError::DeleteBatch));
        assert_eq!(new(Some(2001), None, None), Err(LimitsError::DeleteBatch));
        assert_eq!(new(None, Some(2001), None), Err(LimitsError::ExportBatch));
        assert_eq!(new(None, None, Some(7)), Err(LimitsError::DataGroups));
    }

    #[test]
    fn a_rate_is_positive_and_finite() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1000.1] {
            assert_eq!(Rate::new(rate), Err(LimitsError::Rate));
        }
        assert_eq!(Rate::default().interval(), Duration::from_secs(1));
        assert_eq!(Rate::default().time_for(3), Duration::from_secs(2));
        assert_eq!(Rate::default().time_for(0), Duration::ZERO);
        assert_eq!(Rate::new(1e-300), Err(LimitsError::Rate));
        assert_eq!(
            Rate::new(1e-4).unwrap().interval(),
            Duration::from_secs(10_000)
        );
    }
}
