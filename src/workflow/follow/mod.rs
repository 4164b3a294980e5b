//! Asks Mixpanel about tasks, within the pace.

pub(super) mod check;
pub(super) mod poll;
pub(super) mod probe;
