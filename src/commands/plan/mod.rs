//! Plans in files: approve, apply.

pub(super) mod apply;
pub(super) mod approve;
pub(super) mod file;
