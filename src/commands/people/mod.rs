//! The people of requests: sources, checks, finding, suppressing.

pub(super) mod checks;
pub(super) mod find;
pub(super) mod minimise;
pub(super) mod sources;
pub(super) mod suppressions;
