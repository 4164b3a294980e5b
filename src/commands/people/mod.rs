//! The people of requests: sources, checks, finding, looking up, suppressing.

pub(super) mod checks;
pub(super) mod find;
pub(super) mod lookup;
pub(super) mod minimise;
pub(super) mod sanitize;
pub(super) mod sources;
pub(super) mod suppressions;
pub(super) mod verify;

pub(crate) use lookup::list::quoted as quoted_field;
