use serde::{Deserialize, Serialize};

/// What a file of ids to be left out, such as those under legal hold, has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// What messages call the file; never an id.
    pub source: String,
    /// How many ids it has, each counted once.
    pub ids: usize,
    /// How many of them the list has, and are left out of it.
    pub found: usize,
}
