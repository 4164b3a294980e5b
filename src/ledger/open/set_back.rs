//! That a ledger was set back.

use std::fmt;

use crate::ledger::audit::Anchor;

/// Beside the ledger; one line, as `dsr audit head` prints it.
pub(crate) const FILE: &str = "seen-head";

/// A ledger that lacks what this host has seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBack {
    pub seen: Option<Anchor>,
    /// How far the ledger's own trail goes; `None` where there is no ledger or no trail.
    pub head: Option<Anchor>,
}

impl fmt::Display for SetBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.seen, &self.head) {
            (None, _) => write!(
                f,
                "cannot tell whether the ledger was set back: the file `{FILE}` beside it is damaged"
            ),
            (Some(seen), None) => write!(
                f,
                "the ledger is gone: this host has seen {} entries of its audit trail",
                seen.count
            ),
            (Some(seen), Some(head)) if head.count < seen.count => write!(
                f,
                "the ledger was set back: its audit trail has {} entries, and this host has seen {}",
                head.count, seen.count
            ),
            (Some(seen), Some(_)) => write!(
                f,
                "the ledger was set back or replaced: entry {} of its audit trail is not the one this host has seen",
                seen.count
            ),
        }
    }
}
