//! What every view can do.

use serde_json::Value;

use super::paper::Paper;

/// A result for people and for scripts.
pub trait View {
    /// For people; ends in a line break.
    fn human(&self, paper: &Paper) -> String;
    /// For scripts: the keys of the object, without `schema`.
    fn json(&self) -> Value;
}
