//! How requests stand: deadlines, the picture of a watch, the ids that are kept.

pub(super) mod held_ids;
pub(super) mod watch;
