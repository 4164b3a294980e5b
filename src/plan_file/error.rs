use std::io;
use std::path::{Path, PathBuf};

use crate::domain::Actor;

/// Why a plan file cannot be written, read or approved. Never holds an id.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    #[error("`{path}` already exists; dsr did not overwrite it")]
    Exists { path: PathBuf },
    #[error("cannot write the plan file `{path}`")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read the plan file `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` is not a plan file")]
    NotAPlan { path: PathBuf },
    #[error("`{path}` is a link")]
    Link { path: PathBuf },
    #[error("plan file `{path}` has format {found}; this dsr reads formats up to {known}")]
    Newer {
        path: PathBuf,
        found: u64,
        known: u64,
    },
    #[error("the plan file `{path}` is damaged or was changed: {what}")]
    Damaged { path: PathBuf, what: &'static str },
    #[error("the names of the sources are too long for a plan file")]
    TooLong,
    #[error("the plan was sealed with the ledger key {sealed}, and this key is {given}")]
    OtherKey { sealed: String, given: String },
    #[error("the approval of {by} is for another plan: this plan was changed or made again since")]
    ForAnother { by: Actor },
    #[error("the approval in the name of {by} was not made by dsr under the plan's ledger key")]
    Forged { by: Actor },
    #[error("the plan holds an approval of {by}, who made it")]
    ByCreator { by: Actor },
    #[error("the plan holds two approvals of {by}")]
    Doubled { by: Actor },
    #[error("{by} made the plan; someone else must approve it")]
    OwnPlan { by: Actor },
    #[error("dsr cannot tell {by} from other people")]
    Unclear { by: Actor },
    #[error("{by} has already approved the plan")]
    Again { by: Actor },
    #[error("the plan file `{path}` has changed since it was shown")]
    Replaced { path: PathBuf },
}

/// What is wrong with a plan file, without its path.
#[derive(Debug)]
pub enum Flaw {
    Unreadable(io::Error),
    NotAPlan,
    Newer(u64),
    Damaged(&'static str),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Flaw {
    pub(super) fn of(self, path: &Path) -> PlanFileError {
        let path = path.to_owned();
        match self {
            Self::Unreadable(source) => PlanFileError::Read { path, source },
            Self::NotAPlan => PlanFileError::NotAPlan { path },
            Self::Newer(found) => PlanFileError::Newer {
                path,
                found,
                known: super::VERSION,
            },
            Self::Damaged(what) => PlanFileError::Damaged { path, what },
        }
    }
}
