//! What the sandbox remembers: tasks, their lives and its clock.

pub(super) mod clock;
pub(super) mod ingested;
pub(super) mod lifecycle;
pub(super) mod queries;
pub(super) mod store;
pub(super) mod task;
