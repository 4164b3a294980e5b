//! Whether a value is an id, what it looks like if it is none, and what stands out in a list.

pub(super) mod census;
pub(super) mod check;
pub(super) mod form;
pub(super) mod look;
mod numbers;
pub(super) mod program;
mod rule;
pub(super) mod words;
