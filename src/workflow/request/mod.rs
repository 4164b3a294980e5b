//! What happens to a request after it was sent: cancelled, extended, answered, reported.

pub(super) mod answer;
pub(super) mod cancel;
pub(super) mod evidence;
pub(super) mod extend;
