//! Clock, time stamps, deadlines and windows.

pub(super) mod clock;
pub(super) mod deadline;
pub(super) mod event_time;
pub mod timestamp;
pub(super) mod window;
