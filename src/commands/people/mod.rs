//! Whose ids they are: sources and checks, finding, suppressing, forgetting.

pub(super) mod checks;
pub(super) mod find;
pub(super) mod minimise;
pub(super) mod sources;
pub(super) mod suppressions;
