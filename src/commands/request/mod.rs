//! What an operator does with a request: export, delete, resume, cancel, extend, answered.

pub(super) mod answered;
pub(super) mod args;
pub(super) mod cancel;
pub(super) mod delete;
pub(super) mod export;
pub(super) mod extend;
pub(super) mod planned;
pub(super) mod read;
pub(super) mod resume;
mod sending;
pub(super) mod waiting;
