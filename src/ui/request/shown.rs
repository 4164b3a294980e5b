//! How much of requests is shown, and which questions are due.

use std::time::Duration;

use crate::ledger::Standing;

/// How much of each request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A line for each request, for `dsr status`.
    List,
    /// Each request with its jobs.
    Jobs,
    /// Each request with those of its jobs that stand otherwise than was last told.
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

/// The questions about tasks whose time has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polling {
    /// How many jobs are to be asked about now.
    pub due: usize,
    /// How long that takes at the pace.
    pub time: Duration,
}
