//! Deleted people: the suppression list, and who was collected again.

pub(super) mod recollected;
pub(super) mod suppressed;
