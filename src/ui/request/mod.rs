//! Requests and their jobs, as text and as JSON.

pub(super) mod json;
pub(super) mod print;
pub(super) mod text;
