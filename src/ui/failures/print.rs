//! Why something could not be printed.

use std::io;

use crate::ledger::LedgerError;

/// Reading the ledger or writing the stream failed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("cannot write the result")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
