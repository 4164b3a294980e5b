//! Failures of recording a request's days.

use crate::domain::ExitStatus;
use crate::ui::Failure;
use crate::workflow::{AnswerError, ExtendError};

impl From<ExtendError> for Failure {
    fn from(error: ExtendError) -> Self {
        let (kind, hint) = match error {
            ExtendError::Ledger(error) => return error.into(),
            ExtendError::Day(error) => return error.into(),
            ExtendError::Again { .. } => (
                "extended",
                "nothing was changed; see the dates with `dsr status REQUEST --cached`",
            ),
            ExtendError::Answered { .. } => (
                "answered",
                "nothing was changed; if the day is wrong, correct it with `dsr answered REQUEST --on DATE`",
            ),
            ExtendError::TooLate { .. } => (
                "too_late",
                "nothing was changed; answer the person at once, and have counsel look at it",
            ),
        };
        Self::from_error(ExitStatus::Usage, kind, &error).hint(hint)
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Self {
        let hint = match error {
            AnswerError::Ledger(error) => return error.into(),
            AnswerError::Future { .. } => {
                "nothing was recorded; record it once the person has been told"
            }
            AnswerError::BeforeReceipt { .. } => {
                "nothing was recorded; give the day you told the person with `--on DATE`"
            }
        };
        Self::from_error(ExitStatus::Usage, "usage", &error).hint(hint)
    }
}
