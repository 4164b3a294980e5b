//! What this host has seen of a ledger, and a ledger that lacks it.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::ledger::audit::Anchor;

/// The file beside the ledger; one line, as `dsr audit head` prints it.
pub(crate) const FILE: &str = "seen-head";

/// What this host has seen of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// No file: the ledger is new, or new on this host.
    Nothing,
    Head(Anchor),
    /// The file holds no head.
    Unreadable,
}

impl Seen {
    /// The last seen entry, if known.
    pub fn head(&self) -> Option<&Anchor> {
        match self {
            Self::Head(head) => Some(head),
            Self::Nothing | Self::Unreadable => None,
        }
    }
}

/// A ledger that lacks, or may lack, what this host has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBack {
    pub seen: Seen,
    /// The ledger's own head; `None` without a ledger or a trail.
    pub head: Option<Anchor>,
    /// From when on the operator knows that entries are lost, whatever this host has seen.
    pub known_since: Option<DateTime<Utc>>,
}

impl fmt::Display for SetBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(since) = self.known_since {
            let since = since.format("%Y-%m-%d %H:%M:%S UTC");
            return write!(
                f,
                "by your word, entries of this ledger from {since} on are lost"
            );
        }
        match (&self.seen, &self.head) {
            (Seen::Nothing, _) => {
                f.write_str("this host has not seen this ledger before, so it may be an older copy")
            }
            (Seen::Unreadable, _) => write!(
                f,
                "dsr cannot tell whether this ledger is an older copy: the file `{FILE}` beside it is damaged"
            ),
            (Seen::Head(seen), None) => write!(
                f,
                "the ledger is missing: this host has seen entry {} of it",
                seen.count
            ),
            (Seen::Head(seen), Some(head)) if head.count < seen.count => write!(
                f,
                "this ledger is an older copy: it ends at entry {}, and this host has seen entry {}",
                head.count, seen.count
            ),
            (Seen::Head(seen), Some(_)) => write!(
                f,
                "this ledger is an older copy or another ledger: its entry {} is not the entry that this host has seen",
                seen.count
            ),
        }
    }
}
