//! Deleted people: the suppression list, and who was collected again. People to ask for: who has a
//! profile.

pub(super) mod profiles;
pub(super) mod recollected;
pub(super) mod suppressed;
