use std::io;
use std::path::PathBuf;

use crate::config::NotPrivate;
use crate::credentials::LedgerKeyError;
use crate::domain::{JobId, JobState, RequestId};

use super::copy::refusal::MoveRefusal;
use super::engine::{EngineError, EngineTrouble, PasswordError, PasswordOrigin};
use super::open::set_back::SetBack;

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("cannot open the ledger `{path}`")]
    Open { path: PathBuf, source: io::Error },
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    #[error("another dsr holds the ledger, and did not release it in time")]
    Locked,
    #[error("cannot write the ledger: the disk is full or failing")]
    Disk(#[source] EngineError),
    #[error("the ledger is damaged")]
    Damaged(#[source] EngineError),
    #[error("this dsr cannot read a part of the ledger: {what}")]
    Unreadable { what: String },
    #[error("ledger `{place}` has format {found}; this dsr reads formats up to {known}")]
    Newer {
        place: String,
        found: i64,
        known: i64,
    },
    /// No dsr uses this file any more; with the server's address.
    #[error("this ledger has moved to `{0}`")]
    Moved(String),
    #[error("this file is a copy of a ledger on a server, and only for reading")]
    ServerCopy,
    /// The file at `path`: only the server at `to` knows whether it has the ledger.
    #[error("a move of the ledger `{path}` to `{to}` was begun, and is not known to be complete")]
    MoveUnfinished { path: String, to: String },
    #[error(transparent)]
    NotMoved(#[from] MoveRefusal),
    #[error("the move stopped at its last step, and may be complete")]
    MoveStopped(#[source] Box<LedgerError>),
    #[error("{0}")]
    SetBack(Box<SetBack>),
    #[error("cannot record the last seen entry beside the ledger")]
    Seen(#[source] io::Error),
    #[error("cannot write the copy `{path}`")]
    Backup { path: PathBuf, source: io::Error },
    #[error("job {job} cannot go from {} to {}", from.as_str(), to.as_str())]
    IllegalStep {
        job: JobId,
        from: JobState,
        to: JobState,
    },
    #[error("another dsr has already changed job {0}")]
    Overtaken(JobId),
    #[error("the audit trail is damaged: {0}")]
    Trail(String),
    #[error("the ids of request {0} are not those that the audit trail recorded")]
    OtherIds(RequestId),
    #[error("the record of request {0} is not the one that the audit trail recorded")]
    OtherRequest(RequestId),
    /// A request, or jobs of one.
    #[error("the ledger lacks {0}, which the audit trail recorded")]
    Gone(String),
    #[error("job {job} is not as the audit trail recorded it: {what}")]
    OtherJob { job: JobId, what: String },
    #[error("another dsr has already changed batch {0}")]
    OtherBatch(u32),
    #[error("there is no job {0} in the ledger")]
    NoJob(JobId),
    #[error("the ids of job {0} are sealed: this file is a copy of a ledger on a server")]
    Sealed(JobId),
    #[error(
        "the ledger no longer has the ids of job {0}: the job has ended, and the ledger keeps only keyed hashes"
    )]
    IdsHashed(JobId),
    #[error(
        "the ids of job {0} are not hashed, so its people could not stay on the suppression list"
    )]
    NotHashed(JobId),
    #[error("the ledger's ids are hashed with the key {known}, and this key is {given}")]
    OtherKey { known: String, given: String },
    #[error("the ledger on the server seals ids, and its key cannot be used")]
    NoKey(#[source] LedgerKeyError),
    #[error("cannot record that this process is sending")]
    Sender(#[source] io::Error),
    #[error("cannot keep a receipt of what Mixpanel accepts")]
    Receipt(#[source] io::Error),
    #[error("the ids of a job could not be packed")]
    Packing(#[source] io::Error),
    #[error("the ledger refused a statement")]
    Statement(#[source] EngineError),
    /// The server is gone, or was never reached.
    #[error(transparent)]
    Unreachable(EngineError),
    /// The server does not let this user do that.
    #[error(transparent)]
    NotAllowed(EngineError),
    /// The server, or this session, only reads.
    #[error(transparent)]
    ReadOnly(EngineError),
    #[error(transparent)]
    NoDatabase(EngineError),
    /// The tables were there, and are gone.
    #[error(transparent)]
    Dropped(EngineError),
    /// Such as a standby or a pooler.
    #[error(transparent)]
    Unfit(EngineError),
    /// It asks for a proof that dsr does not have.
    #[error(transparent)]
    Login(EngineError),
    /// Its certificate proves nothing.
    #[error(transparent)]
    Untrusted(EngineError),
    /// A newer dsr has changed the format meanwhile.
    #[error(transparent)]
    Migrated(EngineError),
    #[error("the ledger's server refused the password from {origin}")]
    OtherPassword {
        #[source]
        error: EngineError,
        origin: PasswordOrigin,
    },
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("cannot read the file of certificate authorities `{path}`")]
    Authorities { path: PathBuf, source: io::Error },
    #[error("this user may not see the ledger at `{0}`")]
    NoRole(String),
    #[error("there is no ledger at `{0}` yet")]
    NotMade(String),
    #[error("the ledger at `{place}` has format {found}, and this dsr needs format {known}")]
    Older {
        place: String,
        found: i64,
        known: i64,
    },
}

impl LedgerError {
    /// Turns "another dsr was faster" into `None`: nothing is left to do.
    ///
    /// # Errors
    /// All other errors.
    pub fn unless_overtaken<T>(result: Result<T, Self>) -> Result<Option<T>, Self> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Self::Overtaken(_) | Self::IdsHashed(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<EngineError> for LedgerError {
    fn from(error: EngineError) -> Self {
        match error.trouble() {
            EngineTrouble::Busy => Self::Locked,
            EngineTrouble::Disk => Self::Disk(error),
            // A type that dsr never writes is damage, not a wrong statement.
            EngineTrouble::Damaged | EngineTrouble::WrongType(_) => Self::Damaged(error),
            EngineTrouble::Gone => Self::Unreachable(error),
            EngineTrouble::Migrated => Self::Migrated(error),
            EngineTrouble::Login => Self::Login(error),
            EngineTrouble::Untrusted(_) => Self::Untrusted(error),
            EngineTrouble::NotAllowed => Self::NotAllowed(error),
            EngineTrouble::ReadOnly => Self::ReadOnly(error),
            EngineTrouble::NoDatabase => Self::NoDatabase(error),
            EngineTrouble::Dropped => Self::Dropped(error),
            EngineTrouble::Unfit => Self::Unfit(error),
            EngineTrouble::Conflict | EngineTrouble::Other => Self::Statement(error),
        }
    }
}
