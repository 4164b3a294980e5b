//! Deleted people: the suppression list, who was collected again, and whether they are gone. People
//! by a property, and who has a profile; the queries that ask for them.

pub(super) mod expiry;
pub(super) mod export;
pub(super) mod holders;
pub(super) mod known;
pub(super) mod lookup;
pub(super) mod profiles;
pub(super) mod queries;
pub(super) mod recollected;
pub(super) mod suppressed;
pub(super) mod verify;
