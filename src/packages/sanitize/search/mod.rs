//! Searches kept values for what may be personal data: by its look, and by what the export says of
//! its people.

pub(super) mod forms;
pub(super) mod looks;
pub(super) mod needles;
