//! Shows the state of requests: the screen of a watch, and the ids that the ledger keeps.

pub(super) mod held_ids;
pub(super) mod watch;
