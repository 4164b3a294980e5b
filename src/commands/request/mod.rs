//! What is done with a request: export, delete, resume, cancel, extend, answered.

pub(super) mod answered;
pub(super) mod cancel;
pub(super) mod delete;
pub(super) mod export;
pub(super) mod extend;
pub(super) mod resume;
pub(super) mod submission;
pub(super) mod waiting;
