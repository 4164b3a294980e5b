//! Failures of service accounts and of questions about profiles and events.

use std::borrow::Cow;

use crate::credentials::{HashKeyError, KeyringError, ServiceAccountError};
use crate::domain::ExitStatus;
use crate::ui::Failure;
use crate::workflow::{ExportError, PreflightError, QueryError};

use super::{keyring_hint, quoted};

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
            ServiceAccountError::Keyring(error) => keyring_hint(
                error,
                "put `USERNAME:SECRET` in a file that only you can read, and set DSR_SERVICE_ACCOUNT_FILE to that file",
            ),
        };
        Self::from_error(ExitStatus::Auth, "service_account", &error).hint(hint)
    }
}

/// A command whose queries got no answer: what it did not do, and how it does without them.
#[derive(Clone, Copy)]
pub(crate) struct Unasked {
    pub(crate) undone: &'static str,
    /// An imperative, such as "leave `--preflight` out".
    pub(crate) instead: &'static str,
    /// The status of an answer that the same query would bring again.
    lasting: ExitStatus,
}

pub(crate) const NO_PREFLIGHT: Unasked = Unasked {
    undone: "nothing was sent",
    instead: "leave `--preflight` out to go on without it",
    lasting: ExitStatus::Temporary,
};

pub(crate) const NOT_VERIFIED: Unasked = Unasked {
    undone: "nothing was checked, and no result was recorded",
    instead: "check a raw export in a file: `dsr verify REQUEST --events FILE`",
    lasting: ExitStatus::Temporary,
};

pub(crate) const NO_LOOKUP: Unasked = Unasked {
    undone: "no list was written",
    instead: "look the values up in an export of the users: `--profiles FILE`",
    lasting: ExitStatus::Temporary,
};

pub(crate) const NO_EXPIRY: Unasked = Unasked {
    undone: "nothing was selected, and nothing was deleted",
    instead: "read an export of the users: `--profiles FILE`",
    lasting: ExitStatus::Refused,
};

pub(crate) fn query_failure(error: QueryError, of: Unasked) -> Failure {
    let Unasked {
        undone,
        instead,
        lasting,
    } = of;
    let (status, kind, hint) = match error {
        QueryError::Ledger(error) => return error.into(),
        QueryError::NotAllowed { .. } => (
            ExitStatus::Auth,
            "service_account",
            format!(
                "{undone}; check `project_id`, the region and the account's role in the project, then run `dsr doctor`"
            ),
        ),
        QueryError::Refused { http_status, .. } => {
            let shorter = match http_status {
                400 | 413 | 414 => "; if the query is too long, name fewer people at a time",
                _ => "",
            };
            let hint = format!("{undone}; {instead}{shorter}");
            (ExitStatus::Refused, "refused", hint)
        }
        QueryError::TooLate { wait, .. } => {
            // A minute more, because other processes may take turns.
            let minutes = wait.as_secs() / 60 + 2;
            let hint =
                format!("{undone}; add `--max-wait {minutes}m` to wait that long, or {instead}");
            (ExitStatus::Temporary, "temporary", hint)
        }
        QueryError::OthersUnderWay { .. } => (
            ExitStatus::Temporary,
            "temporary",
            format!("{undone}; try again later, add `--max-wait 15m` to wait longer, or {instead}"),
        ),
        QueryError::Unclear { .. } => (
            ExitStatus::Temporary,
            "temporary",
            format!("{undone}; try again, or {instead}"),
        ),
        // A script would try again for ever.
        QueryError::Unusable { .. } => (
            lasting,
            "profiles",
            format!("{undone}; check the region and any proxy, or {instead}"),
        ),
        QueryError::Interrupted(signal) => (signal.exit_status(), "interrupted", undone.to_owned()),
    };
    Failure::from_error(status, kind, &error).hint(hint)
}

pub(crate) fn profiles_failure(error: PreflightError, of: Unasked) -> Failure {
    match error {
        PreflightError::Ids(error) => error.into(),
        PreflightError::Query(error) => query_failure(error, of),
        PreflightError::Fault(fault) => {
            let Unasked {
                undone,
                instead,
                lasting,
            } = of;
            let (status, next) = match fault.comes_again() {
                true => (lasting, instead.to_owned()),
                false => (ExitStatus::Temporary, format!("try again, or {instead}")),
            };
            let hint = format!("{undone}; {next}");
            Failure::from_error(status, "profiles", &error).hint(hint)
        }
    }
}

pub(crate) fn export_failure(error: ExportError, of: Unasked) -> Failure {
    match error {
        ExportError::Query(error) => query_failure(error, of),
        ExportError::Cut { .. } | ExportError::Damaged(_) => {
            let Unasked {
                undone, instead, ..
            } = of;
            let hint = format!("{undone}; try again, or {instead}");
            Failure::from_error(ExitStatus::Temporary, "temporary", &error).hint(hint)
        }
    }
}
