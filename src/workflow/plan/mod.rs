//! From ids to a plan that is ready to confirm, in memory or as a file.

pub(super) mod plan_file;
pub(super) mod ready;
