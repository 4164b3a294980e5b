//! Plans, to be sent at once or in files.

pub(super) mod file;
pub(super) mod view;
