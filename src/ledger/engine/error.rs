use rusqlite::ErrorCode;

use super::postgres::{ServerError, TlsFault};

/// Why an engine refused a statement. Its text names no value.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] ServerError),
}

/// What follows from an engine's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EngineTrouble {
    /// Another process holds the ledger.
    Busy,
    /// The disk is full, fails, or cannot be written.
    Disk,
    /// The database itself is damaged.
    Damaged,
    /// The server cannot be reached, or the connection was lost: what was under way is unknown.
    Gone,
    /// The server refuses the user or the password.
    Login,
    /// The server cannot prove who it is.
    Untrusted(TlsFault),
    /// Another dsr has changed the ledger's format.
    Migrated,
    /// The server does not let this user do that.
    NotAllowed,
    /// The server, or this session, only reads.
    ReadOnly,
    /// The server has no such database.
    NoDatabase,
    /// The ledger's tables are gone.
    Dropped,
    /// A standby, a pooler, or a database that cannot hold a ledger.
    Unfit,
    /// A row would contradict another one.
    Conflict,
    /// A column holds a type that dsr never writes.
    WrongType(String),
    Other,
}

impl EngineError {
    /// What makes the server untrusted; [`TlsFault::Handshake`] for every other error.
    pub fn tls_fault(&self) -> TlsFault {
        match self.trouble() {
            EngineTrouble::Untrusted(fault) => fault,
            _ => TlsFault::Handshake,
        }
    }

    pub(crate) fn trouble(&self) -> EngineTrouble {
        let error = match self {
            Self::Sqlite(error) => error,
            Self::Postgres(error) => return error.trouble(),
        };
        if let rusqlite::Error::InvalidColumnType(_, column, _) = error {
            return EngineTrouble::WrongType(column.clone());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => EngineTrouble::Busy,
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen,
            ) => EngineTrouble::Disk,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => EngineTrouble::Damaged,
            Some(ErrorCode::ConstraintViolation) => EngineTrouble::Conflict,
            Some(_) | None => EngineTrouble::Other,
        }
    }
}
