//! Made-up people and their export archives, and how these are served.

pub(super) mod archive;
pub(super) mod links;
pub(super) mod person;
pub(super) mod transfer;
