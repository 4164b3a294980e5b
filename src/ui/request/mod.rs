//! Shows requests and their jobs, as text and as JSON.

pub(super) mod dates;
pub(super) mod delete;
mod ingestions;
pub(super) mod json;
pub(super) mod plan;
pub(super) mod print;
pub(super) mod shown;
pub(super) mod text;
