//! The local, durable record of requests, jobs and attempts, and the pace that all processes share.
//!
//! One SQLite file; no SQL stands outside this folder, and nothing above it may know which engine
//! it is. Knows no HTTP. No transaction is held while anything else is waited for. Whatever reads or
//! writes fails where the file does; only what else fails is said.

mod audit;
mod columns;
mod error;
mod jobs;
mod learned;
mod open;
mod people;
mod rejections;
mod requests;
mod sql;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::config::{
    create_private_folder, private_file, refuse_shared_file, refuse_shared_folder,
    refuse_shared_home, sweep_unfinished,
};
use crate::domain::Actor;

use jobs::receipts::{self, ReceiptFile};
use open::holder::{self, HolderFile, Mark};
use open::sender::{self, Sender};
use open::{migrations, seen, set_back};

pub use audit::{
    Anchor, AnchorError, Audit, AuditEntry, AuditEvent, AuditHead, Chosen, Entries, Finding,
    Glance, KeptHead, LostHead, Opening,
};
pub use error::LedgerError;
pub use jobs::attempts::Outcome;
pub use jobs::doubt::{Settling, Tried};
pub use jobs::pace::Slot;
pub use jobs::partition::{LinkTo, Linked};
pub use jobs::schedule::{Asking, Backlog, NextCheck, Scope, Turn};
pub use jobs::told::Untold;
pub use jobs::word::MadeFor;
pub use jobs::{Claim, Purpose};
pub use learned::LearnedLimit;
pub use open::accept::{Accepted, LostTime, MaybeSent, find_seen};
pub use open::backup::Backup;
pub use open::health::{Health, examine, list_files};
pub use open::holder::Patience;
pub use open::sender::ProcessRecord;
pub use open::set_back::{Seen, SetBack};
pub use open::steady::SteadyClock;
pub use people::Swept;
pub use people::deletions::{ErasedBy, ErasedJob};
pub use people::elsewhere::{DeletionJob, Elsewhere, Shared};
pub use people::erased::{Erased, ErasedPerson, NotErased};
pub use people::search::{Sighting, WantedPeople};
pub use people::suppressed::StillSuppressed;
pub use rejections::Rejection;
pub use requests::answers::{AnswerChange, AnswerRecord};
pub use requests::candidates::{Candidate, Candidates, Fitting};
pub use requests::downloads::{DownloadRecord, PackagesRecord, Unfetched};
pub use requests::extensions::Extended;
pub use requests::history::{JobHistory, KeptIds};
pub use requests::listing::{Found, Jobs, Standing, Which};
pub use requests::received::{Course, FetchedExports, ReceivedRequests};
pub use requests::records::{AnswerAge, JobGroup, JobRecord, NewRequest, RequestRecord};
pub use requests::{Again, Recorded};

/// An open ledger.
pub struct Ledger {
    conn: Connection,
    path: PathBuf,
    /// What this process was started as, for others that have to wait for it, and by whom.
    opening: Opening,
    holder: HolderFile,
    /// Made before the first send. Goes before the sender that it is named after.
    receipts: Option<ReceiptFile>,
    /// Made at the first send: a reader holds nothing.
    sender: Option<Sender>,
    place: LedgerPlace,
    older: Older,
    /// Something was written: what was seen is noted in the end.
    has_written: bool,
}

/// Where a ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LedgerPlace {
    Disk,
    /// There is none; an empty one in memory stands in for it while somebody looks.
    Nowhere,
}

/// What becomes of a ledger that lacks what this host has seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Older {
    Refused,
    Accepted,
}

/// How long the write-ahead log may grow, in pages of 4 KiB, before it is written back: a large
/// request's ids are not written a second time before its first job is sent.
const LOG_PAGES: u32 = 16 * 1024;

impl Ledger {
    /// Opens the ledger, creating it (0600 in a 0700 folder) or bringing it up to date.
    ///
    /// # Errors
    /// When it cannot be opened, is not for its owner alone, is damaged, was written by a newer dsr,
    /// is held by another process for longer than `patience` lasts, or would have to be made or
    /// brought up to date although this host has seen more of it.
    pub fn open_by(
        opening: &Opening,
        path: &Path,
        patience: impl Into<Patience>,
    ) -> Result<Self, LedgerError> {
        Self::open_as(opening, path, patience.into(), Older::Refused)
    }

    fn open_as(
        opening: &Opening,
        path: &Path,
        mut patience: Patience,
        older: Older,
    ) -> Result<Self, LedgerError> {
        refuse_what_others_share(path)?;
        let create = || {
            create_private_folder(path.parent().unwrap_or(Path::new(".")))?;
            let mut options = private_file();
            options.write(true).create(true).truncate(false).open(path)
        };
        if older == Older::Refused && seen::read(path)? != Seen::Nothing && !path.exists() {
            seen::demand(&Connection::open_in_memory()?, path)?;
        }
        // SQLite gives its WAL and shared memory the permissions of the file it finds.
        create().map_err(|source| LedgerError::Open {
            path: path.to_owned(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(path, flags)?;
        enter_wal(&conn, &mut patience)?;
        conn.busy_handler(Some(move |tries| patience.goes_on(tries)))?;
        conn.pragma_update(None, "synchronous", "full")?;
        // On macOS a sync leaves what was written in the drive's cache. Where the file system cannot
        // flush that, the engine syncs as elsewhere.
        conn.pragma_update(None, "fullfsync", "on")?;
        conn.pragma_update(None, "checkpoint_fullfsync", "on")?;
        conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        conn.pragma_update(None, "secure_delete", "on")?;
        if older == Older::Refused && !migrations::check(&conn, path)? {
            seen::demand(&conn, path)?;
        }
        Self::ready(conn, opening, path, LedgerPlace::Disk, older)
    }

    /// An empty ledger in memory, where there is none at `path`: for whoever only looks. No file and
    /// no folder is made.
    pub fn nowhere(opening: &Opening, path: &Path) -> Result<Self, LedgerError> {
        let conn = Connection::open_in_memory()?;
        Self::ready(conn, opening, path, LedgerPlace::Nowhere, Older::Refused)
    }

    fn ready(
        mut conn: Connection,
        opening: &Opening,
        path: &Path,
        place: LedgerPlace,
        older: Older,
    ) -> Result<Self, LedgerError> {
        conn.pragma_update(None, "foreign_keys", "on")?;
        conn.set_prepared_statement_cache_capacity(128);
        let migrated = migrations::apply(&mut conn, path, opening)?;
        if (migrated, place, older)
            == (migrations::Migrated::Yes, LedgerPlace::Disk, Older::Refused)
        {
            seen::catch_up(&conn, path)?;
        }
        Ok(Self {
            conn,
            path: path.to_owned(),
            opening: opening.clone(),
            holder: match place {
                LedgerPlace::Disk => HolderFile::beside(path),
                LedgerPlace::Nowhere => HolderFile::nowhere(),
            },
            receipts: None,
            sender: None,
            place,
            older,
            has_written: false,
        })
    }

    /// The same by nobody in particular, as tests do.
    ///
    /// # Errors
    /// As [`Ledger::open_by`].
    pub fn open(path: &Path, patience: impl Into<Patience>) -> Result<Self, LedgerError> {
        Self::open_by(&Opening::default(), path, patience)
    }

    /// Who works with the ledger in this process.
    pub fn actor(&self) -> &Actor {
        &self.opening.actor
    }

    /// Marks this process as one that sends, if it is not yet, and makes room for receipts; the
    /// id it sends under.
    fn start_sending(&mut self, now: DateTime<Utc>) -> Result<String, LedgerError> {
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => Sender::start(&self.path, &self.opening.command, now)
                .map_err(LedgerError::Sender)?,
        };
        let id = sender.id().to_owned();
        self.sender = Some(sender);
        if self.receipts.is_none() {
            sweep_unfinished(self.path.parent().unwrap_or(Path::new(".")));
            let receipts = ReceiptFile::create(&self.path, &id).map_err(LedgerError::Receipt)?;
            self.receipts = Some(receipts);
        }
        Ok(id)
    }

    /// Reads several things as they stand at one moment, whatever other processes write meanwhile.
    /// What `read` does must take no part of it for itself, and not wait for anybody.
    ///
    /// # Errors
    /// When the ledger cannot be read, or `read` fails.
    pub fn in_one_view<T, E: From<LedgerError>>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let view = self.conn.unchecked_transaction();
        let view = view.map_err(|error| E::from(LedgerError::from(error)))?;
        let found = read(self);
        drop(view);
        found
    }

    /// A transaction that holds the write lock from its beginning: a read that upgrades to a
    /// write fails at once whatever the busy timeout.
    ///
    /// Here, and nowhere else, a ledger that was set back is turned away: whatever is to be written.
    fn write(&mut self) -> Result<Write<'_>, LedgerError> {
        let behavior = TransactionBehavior::Immediate;
        let tx = self.conn.transaction_with_behavior(behavior)?;
        let mark = self.holder.mark(&self.opening.command);
        if self.place == LedgerPlace::Disk && self.older == Older::Refused {
            seen::demand(&tx, &self.path)?;
        }
        self.has_written = true;
        Ok(Write {
            tx,
            _mark: mark,
            opening: &self.opening,
            path: &self.path,
        })
    }
}

impl Drop for Ledger {
    /// What this process has written was seen here: once, since each note costs two syncs.
    fn drop(&mut self) {
        if self.has_written
            && self.place == LedgerPlace::Disk
            && self.older == Older::Refused
            && let Err(error) = seen::catch_up(&self.conn, &self.path)
        {
            tracing::info!(%error, "the next dsr notes what was seen");
        }
    }
}

/// A transaction, and the mark that says whose it is.
struct Write<'a> {
    // Goes before the mark does.
    tx: Transaction<'a>,
    _mark: Mark<'a>,
    /// Whose.
    opening: &'a Opening,
    /// Where the ledger is.
    path: &'a Path,
}

impl Write<'_> {
    fn commit(self) -> Result<(), LedgerError> {
        Ok(self.tx.commit()?)
    }

    /// Commits, and notes beside the ledger how far its trail goes then: before anything is sent. A
    /// disk that is full fails here before anything is committed.
    fn commit_seen(self) -> Result<(), LedgerError> {
        let head = audit::find_head(&self.tx)?;
        let next = head.map(|head| seen::NextHead::write(self.path, &head));
        let next = next.transpose()?;
        self.commit()?;
        next.map_or(Ok(()), seen::NextHead::publish)
    }
}

impl<'a> Deref for Write<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

/// The other processes that send from the ledger at `path`: the ones to wait for. Works also
/// while the ledger itself cannot be opened.
///
/// # Errors
/// When their marks cannot be read.
pub fn list_senders(path: &Path) -> Result<Vec<ProcessRecord>, LedgerError> {
    sender::list_living(path).map_err(LedgerError::Sender)
}

/// The dsr that holds the ledger at `path` just now; `None` if nobody does, or another program.
pub fn find_holder(path: &Path) -> Option<ProcessRecord> {
    holder::find(path)
}

/// Refuses a ledger that others can read, and links that somebody has put where we would write.
///
/// The folder comes first: into one that only its owner can write to nobody puts anything between
/// this look and what is opened then.
fn refuse_what_others_share(path: &Path) -> Result<(), LedgerError> {
    refuse_shared_home(path.parent().unwrap_or(Path::new(".")))?;
    for extension in ["db", "db-wal", "db-shm", "db-journal"] {
        refuse_shared_file(&path.with_extension(extension))?;
    }
    for name in [holder::FILE, holder::RECORD, set_back::FILE] {
        refuse_shared_file(&path.with_file_name(name))?;
    }
    for folder in [sender::FOLDER, receipts::FOLDER] {
        refuse_shared_folder(&path.with_file_name(folder))?;
    }
    Ok(())
}

/// Switches a fresh file to WAL. SQLite does not wait for others in this one step, so two first
/// runs at once would see one of them fail.
fn enter_wal(conn: &Connection, patience: &mut Patience) -> Result<(), LedgerError> {
    conn.busy_timeout(Duration::ZERO)?;
    let mut tries = 0;
    loop {
        match conn.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && patience.goes_on(tries) =>
            {
                tries += 1;
            }
            other => return Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests;
