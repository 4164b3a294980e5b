//! Judges values: whether each is an id, what it looks like if not, and which ids stand out.

pub(super) mod census;
pub(super) mod check;
pub(super) mod form;
pub(super) mod look;
mod numbers;
pub(super) mod program;
mod rule;
pub(super) mod words;
