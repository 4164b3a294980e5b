//! Shows plans, to be sent at once or kept in files.

pub(super) mod file;
pub(super) mod known;
pub(super) mod view;
