//! Shows what there is to read: pages, examples, the guide.

pub(super) mod command;
pub(super) mod completions;
pub(super) mod examples;
pub(super) mod guide;
pub(super) mod man;
pub(super) mod page;
