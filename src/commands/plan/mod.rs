//! Plans in files: approve and apply.

pub(super) mod apply;
pub(super) mod approve;
pub(super) mod file;
