//! Deleted people: the suppression list, and who was collected again. People by a property, and who has a
//! profile.

pub(super) mod lookup;
pub(super) mod profiles;
pub(super) mod recollected;
pub(super) mod suppressed;
