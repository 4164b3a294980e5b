//! Deleted people: the suppression list, and who was collected again. People by a property.

pub(super) mod lookup;
pub(super) mod recollected;
pub(super) mod suppressed;
