//! How much of requests is shown, and which jobs are due to be asked about.

use std::time::Duration;

use crate::ledger::Standing;

/// How much of each request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A line for each request, for `dsr status`.
    List,
    /// Each request with its jobs.
    Jobs,
    /// Each request with the jobs that changed since they were last shown.
    Untold,
}

impl Shown {
    pub(super) fn standing(self) -> Standing {
        match self {
            Self::List | Self::Jobs => Standing::Any,
            Self::Untold => Standing::Untold,
        }
    }
}

/// The jobs that are due to be asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polling {
    /// How many jobs are due now.
    pub due: usize,
    /// How long asking takes at the allowed pace.
    pub time: Duration,
}
