//! How much of requests is shown, and which jobs are due to be asked about.

use std::time::Duration;

use crate::ledger::{IngestionRecord, Standing};

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

/// What the list of requests shows beside them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    pub polling: Option<Polling>,
    /// Imports and deletions of profiles; `None` where the list is about requests only.
    pub ingestions: Option<&'a [IngestionRecord]>,
}

/// The jobs that are due to be asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polling {
    /// How many jobs are due now.
    pub due: usize,
    /// How long asking takes at the allowed pace.
    pub time: Duration,
}
