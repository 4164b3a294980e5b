//! Failures of hashing, finding and purging people.

use std::io;

use crate::credentials::LedgerKeyError;
use crate::domain::{CutoffError, ExitStatus};
use crate::ui::Failure;

use super::{in_the_way, quoted};

/// Hint where the ledger's people were hashed under a key that is not available.
pub(crate) const OTHER_KEY: &str =
    "restore the ledger's own key: `dsr auth ledger-key --from FILE`, or DSR_LEDGER_KEY_FILE";

impl From<LedgerKeyError> for Failure {
    fn from(error: LedgerKeyError) -> Self {
        let hint = ledger_key_hint(&error);
        match &error {
            LedgerKeyError::Write { path, source }
                if source.kind() == io::ErrorKind::AlreadyExists =>
            {
                in_the_way(path, &hint)
            }
            LedgerKeyError::Write { .. } => {
                Self::from_error(ExitStatus::LocalIo, "local_io", &error).hint(hint)
            }
            LedgerKeyError::Open { .. }
            | LedgerKeyError::Read { .. }
            | LedgerKeyError::Malformed { .. }
            | LedgerKeyError::Keyring(_)
            | LedgerKeyError::Gone
            | LedgerKeyError::Lock(_) => {
                Self::from_error(ExitStatus::Usage, "ledger_key", &error).hint(hint)
            }
        }
    }
}

pub(crate) fn ledger_key_hint(error: &LedgerKeyError) -> String {
    match error {
        LedgerKeyError::Open { path } => format!("run `chmod 600 {}`", quoted(path)),
        LedgerKeyError::Read { .. } | LedgerKeyError::Malformed { .. } => {
            "restore that file from a copy, or correct DSR_LEDGER_KEY_FILE; to make a first key, unset DSR_LEDGER_KEY_FILE and run `dsr auth ledger-key --to FILE`".to_owned()
        }
        LedgerKeyError::Keyring(_) => {
            "set DSR_LEDGER_KEY_FILE to the file with this ledger's key; if it never had one, make it with `dsr auth ledger-key --to FILE`".to_owned()
        }
        LedgerKeyError::Gone => OTHER_KEY.to_owned(),
        LedgerKeyError::Write { .. } => "no key was written; name a new file in a folder with free space".to_owned(),
        LedgerKeyError::Lock(_) => "check the permissions of dsr's data folder".to_owned(),
    }
}

impl From<CutoffError> for Failure {
    fn from(error: CutoffError) -> Self {
        let hint = match error {
            CutoffError::Unreadable => "such as `--older-than 30months`".to_owned(),
            CutoffError::TooYoung { floor } => {
                format!("nothing was removed; `--older-than {floor}` is the latest day")
            }
        };
        Self::from_error(ExitStatus::Usage, "usage", &error).hint(hint)
    }
}
