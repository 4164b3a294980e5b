//! What there is to read: pages, examples, the guide.

pub(super) mod examples;
pub(super) mod guide;
pub(super) mod page;
