//! How failures are shown, and the words by which scripts know them.

pub(super) mod bug;
pub(super) mod failure;
pub(super) mod print;
