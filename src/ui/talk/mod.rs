//! What dsr says beside the result: notes, progress, questions.

pub(super) mod aside;
pub(super) mod progress;
pub(super) mod question;
