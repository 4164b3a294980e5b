//! Shows people: sources, who was found, the suppression list, who is gone.

pub(super) mod find;
pub(super) mod lookup;
pub(super) mod recollected;
pub(super) mod sanitize;
pub(super) mod sources;
pub(super) mod suppressions;
pub(super) mod verify;
pub(super) mod warnings;
