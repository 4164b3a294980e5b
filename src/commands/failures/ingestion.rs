//! Failures of imports.

use crate::domain::ExitStatus;
use crate::intake::{ImportFileError, LineFault};
use crate::ui::Failure;
use crate::workflow::ImportError;

impl From<ImportFileError> for Failure {
    fn from(error: ImportFileError) -> Self {
        let hint = match &error {
            ImportFileError::Read { .. } | ImportFileError::NotAFile { .. } => {
                "nothing was sent; name a file of events, as `dsr sanitize` writes it"
            }
            ImportFileError::Empty { .. } => "nothing was sent; check that it is the right file",
            ImportFileError::Line {
                fault: LineFault::Unended,
                ..
            } => "nothing was sent; make the file again, or end the last line if it is whole",
            ImportFileError::Line { .. } => {
                "nothing was sent; correct the line or make the file again"
            }
            ImportFileError::Changed { .. } => {
                "nothing of the change was sent; put the unchanged file back and run the same command again"
            }
        };
        Self::from_error(ExitStatus::Input, "bad_input", &error).hint(hint)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Ledger(error) => error.into(),
            ImportError::File(error) => error.into(),
            ImportError::Ids(error) => error.into(),
        }
    }
}
