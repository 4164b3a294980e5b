//! What `dsr profiles` shows. Says each time that events stay.

pub(crate) mod deletion;
pub(crate) mod expiry;

/// What `dsr profiles` does not do, on every screen and in every JSON object.
pub(crate) const NO_ERASURE: &str = "profiles only; events stay: this is not an erasure";
