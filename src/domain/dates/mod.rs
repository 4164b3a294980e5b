//! Clock, time stamps and deadlines.

pub(super) mod clock;
pub(super) mod deadline;
pub(super) mod event_time;
pub mod timestamp;
