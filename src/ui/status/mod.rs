//! Shows how requests stand: the picture of a watch, and the ids that are kept.

pub(super) mod held_ids;
pub(super) mod watch;
