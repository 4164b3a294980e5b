//! Export archives of made-up people, and how these are served.

pub(super) mod archive;
pub(super) mod links;
pub(super) mod transfer;
