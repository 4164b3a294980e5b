//! Failures of service accounts and of questions about profiles.

use std::borrow::Cow;

use crate::credentials::{HashKeyError, KeyringError, ServiceAccountError};
use crate::domain::ExitStatus;
use crate::ui::Failure;
use crate::workflow::PreflightError;

use super::quoted;

impl From<ServiceAccountError> for Failure {
    fn from(error: ServiceAccountError) -> Self {
        let login = "dsr auth login --service-account";
        let hint: Cow<'static, str> = match &error {
            ServiceAccountError::NoAccount => format!("run `{login}`").into(),
            ServiceAccountError::File(HashKeyError::Open { path }) => {
                format!("run `chmod 600 {}`", quoted(path)).into()
            }
            ServiceAccountError::File(_) | ServiceAccountError::NotAnAccount => {
                "nothing was sent; correct DSR_SERVICE_ACCOUNT_FILE or the file".into()
            }
            ServiceAccountError::Keyring(KeyringError::Damaged) => {
                format!("run `{login}` again").into()
            }
            ServiceAccountError::Keyring(_) => {
                "put `USERNAME:SECRET` in a file that only you can read, and set DSR_SERVICE_ACCOUNT_FILE to that file".into()
            }
        };
        Self::from_error(ExitStatus::Auth, "service_account", &error).hint(hint)
    }
}

impl From<PreflightError> for Failure {
    fn from(error: PreflightError) -> Self {
        let (status, kind, hint) = match error {
            PreflightError::Ledger(error) => return error.into(),
            PreflightError::Ids(error) => return error.into(),
            PreflightError::NotAllowed { .. } => (
                ExitStatus::Auth,
                "service_account",
                "nothing was sent; check `project_id`, the region and the account's role in the project, then run `dsr doctor`",
            ),
            PreflightError::Refused { .. } => (
                ExitStatus::Refused,
                "refused",
                "nothing was sent; leave `--preflight` out to go on without it",
            ),
            PreflightError::TooLate { wait, .. } => {
                // A minute more, because other processes may take turns.
                let minutes = wait.as_secs() / 60 + 2;
                let hint = format!(
                    "nothing was sent; add `--max-wait {minutes}m` to wait that long, or leave `--preflight` out"
                );
                return Self::from_error(ExitStatus::Temporary, "temporary", &error).hint(hint);
            }
            PreflightError::Unclear { .. } => (
                ExitStatus::Temporary,
                "temporary",
                "nothing was sent; try again, or leave `--preflight` out",
            ),
            PreflightError::Fault(_) => (
                ExitStatus::Temporary,
                "profiles",
                "nothing was sent, and nothing is known of who has a profile; leave `--preflight` out to go on without it",
            ),
            PreflightError::Interrupted(signal) => {
                (signal.exit_status(), "interrupted", "nothing was sent")
            }
        };
        Self::from_error(status, kind, &error).hint(hint)
    }
}
