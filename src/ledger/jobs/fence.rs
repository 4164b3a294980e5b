//! The last moment for a POST. Other hosts of a shared ledger take a claim for lost after a time, so
//! a dsr that was stopped or asleep must not send it later.

use crate::ledger::open::presence::Sharing;
use crate::ledger::open::steady::{SteadyClock, SteadyMoment};

/// The moment after which a claimed job must not be sent. Without a server there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence(Option<SteadyMoment>);

impl Fence {
    /// For a claim that begins now.
    pub(crate) fn from_now(sharing: Option<Sharing>) -> Self {
        // The clock counts while the machine sleeps.
        let now = SteadyClock::of_this_machine().now();
        let last = |sharing: Sharing| {
            let after = sharing.fence.num_microseconds()?;
            let now = now?;
            let micros = now.micros.saturating_add(after);
            Some(SteadyMoment { micros, ..now })
        };
        Self(sharing.and_then(last))
    }

    /// Whether the job may still be sent.
    pub fn is_open(&self) -> bool {
        self.0.is_none_or(|last| {
            let now = SteadyClock::of_this_machine().now();
            now.is_some_and(|now| now.era == last.era && now.micros <= last.micros)
        })
    }
}
