use serde::{Deserialize, Serialize};

/// The result of reading a file of ids to leave out, such as ids under legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The file's name in messages; never an id.
    pub source: String,
    /// How many different ids the file has.
    pub ids: usize,
    /// How many of them were in the list and left it.
    pub found: usize,
}
