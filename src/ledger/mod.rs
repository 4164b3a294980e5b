//! The local, durable record of requests, jobs and attempts, and the pace of all processes. One
//! SQLite file. No SQL is outside this folder, and no caller may depend on the engine. Knows no
//! HTTP. Never waits for anything else during a transaction. Every function fails if the file is
//! unreadable or damaged; `# Errors` sections name other causes.

mod audit;
mod columns;
mod copy;
mod engine;
mod error;
mod ingestions;
mod jobs;
mod learned;
mod open;
mod owed;
mod people;
mod place;
mod queries;
mod rejections;
mod requests;
mod seal;
mod sql;

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use engine::{Access, Connection, Question, Transaction};

use crate::config::{
    create_private_folder, private_file, refuse_shared_file, refuse_shared_folder,
    refuse_shared_home, sweep_unfinished,
};

use jobs::receipts::{self, ReceiptFile};
use open::holder::{self, HolderFile, Mark};
use open::presence::Sharing;
use open::sender::{self, Sender};
use open::steady::SteadyMoment;
use open::{migrations, moved, presence, seen, set_back};

pub use engine::{ServerReport, ServerRights, StandbyState, TlsFault};

pub use audit::{
    Anchor, AnchorError, Audit, AuditEntry, AuditEvent, AuditHead, Chosen, Entries, Finding,
    Glance, KeptHead, LostHead, Opening,
};
pub use copy::backup::Backup;
pub use copy::moving::{MovePlan, MoveSettled};
pub use copy::refusal::MoveRefusal;
pub use error::LedgerError;
pub use ingestions::batches::{BatchClaim, BatchOutcome};
pub use ingestions::selected::ProfilesSelected;
pub use ingestions::{IngestionBatch, IngestionRecord, NewIngestion};
pub use jobs::attempts::Outcome;
pub use jobs::doubt::{Settling, Tried};
pub use jobs::fence::Fence;
pub use jobs::pace::Slot;
pub use jobs::partition::{LinkTo, Linked};
pub use jobs::schedule::{Asking, Backlog, NextCheck, Scope, Turn};
pub use jobs::told::Untold;
pub use jobs::word::MadeFor;
pub use jobs::{Claim, ClaimedJob, Purpose};
pub use learned::LearnedLimit;
pub use open::accept::{Accepted, LostTime, MaybeSent, find_seen};
pub use open::health::{Health, ServerHealth, examine, examine_shared, list_files};
pub use open::holder::Patience;
pub use open::migrations::engines;
pub use open::moved::{MoveMark, find_mark};
pub use open::sender::ProcessRecord;
pub use open::set_back::{Seen, SetBack};
pub use open::shared::MadeReady;
pub use open::steady::{ServerClock, SteadyClock};
pub use owed::OwedReceipt;
pub use people::Swept;
pub use people::deletions::{ErasedBy, ErasedJob};
pub use people::elsewhere::{DeletionJob, Elsewhere, Shared};
pub use people::erased::{Erased, ErasedPerson, NotErased, Spared};
pub use people::search::{Sighting, WantedPeople};
pub use people::suppressed::StillSuppressed;
pub use place::{LedgerPlace, LedgerUrlError, PasswordFiles, SharedLedger};
pub use queries::{QueryLane, QueryPlace, QueryTurn};
pub use rejections::Rejection;
pub use requests::answers::{AnswerChange, AnswerRecord};
pub use requests::candidates::{Candidate, Candidates, Fitting};
pub use requests::downloads::{DownloadRecord, PackagesRecord};
pub use requests::extensions::Extended;
pub use requests::history::{JobHistory, KeptIds};
pub use requests::listing::{Found, Jobs, Standing, Which};
pub use requests::received::{Course, FetchedExports, ReceivedRequests};
pub use requests::records::{AnswerAge, JobGroup, JobRecord, NewRequest, RequestRecord, Unfetched};
pub use requests::{Again, Recorded};
pub use seal::KeySource;

/// An open ledger.
pub struct Ledger {
    conn: Connection,
    /// The ledger's file. With a server there is no such file, but the others are beside it.
    path: PathBuf,
    /// This process's command and actor, shown to processes that wait for the ledger.
    opening: Opening,
    holder: HolderFile,
    /// Created before the first send. Dropped before the sender it is named after.
    receipts: Option<ReceiptFile>,
    /// Created at the first send: a reader holds nothing.
    sender: Option<Sender>,
    kept: Kept,
    /// Only with a server.
    sharing: Option<Sharing>,
    older: Older,
    /// A copy of a server's ledger, which can only be read.
    is_copy: bool,
    /// This process has written, so the drop notes the new head.
    has_written: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Disk,
    Server,
    /// No ledger exists; an empty one in memory serves a reader.
    Nowhere,
}

/// Whether to accept a ledger older than this host has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Older {
    Refused,
    Accepted,
}

/// The place of the schema's version in an SQLite file; 0 until dsr has made the schema.
const USER_VERSION: std::ops::Range<usize> = 60..64;
/// The place of the number of entries on an SQLite file's first page, which lists its tables.
const TABLES: std::ops::Range<usize> = 103..105;

impl Ledger {
    /// Opens the ledger, creates it (0600 in a 0700 folder) or migrates it.
    ///
    /// # Errors
    /// When it cannot be opened, is not private to its owner, is damaged, or was written by a newer
    /// dsr. When another process holds it longer than `patience`. When it would be created or
    /// migrated although this host has seen a newer state of it.
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
        // SQLite copies the file's permissions to its WAL and shared memory.
        create().map_err(|source| LedgerError::Open {
            path: path.to_owned(),
            source,
        })?;
        let mut conn = Connection::open(path, Access::ReadWrite)?;
        // A file of another program, or that nobody uses any more, is not even given a log.
        if let Err(
            error @ (LedgerError::Unreadable { .. }
            | LedgerError::Moved(_)
            | LedgerError::MoveUnfinished { .. }),
        ) = migrations::check(&conn, &path.display())
        {
            return Err(error);
        }
        conn.make_durable(|tries| patience.goes_on(tries))?;
        let owed = opening.owed.clone();
        conn.wait_while(move |tries| {
            owed.write();
            patience.goes_on(tries)
        })?;
        let is_current = migrations::check(&conn, &path.display())?;
        if older == Older::Refused && !is_current {
            seen::demand(&conn, path)?;
        }
        Self::ready(conn, opening, path, Kept::Disk, older)
    }

    /// Opens the ledger where it is. See [`Self::open_by`] and [`Self::open_shared`].
    pub fn open_at(
        opening: &Opening,
        place: &LedgerPlace,
        patience: impl Into<Patience>,
    ) -> Result<Self, LedgerError> {
        match place {
            LedgerPlace::File(path) => Self::open_by(opening, path, patience),
            LedgerPlace::Server(shared) => Self::open_shared(opening, shared, patience),
        }
    }

    /// An empty ledger in memory for a reader, if there is none at `path`. Creates no file or
    /// folder.
    pub fn nowhere(opening: &Opening, path: &Path) -> Result<Self, LedgerError> {
        let conn = Connection::open_in_memory()?;
        Self::ready(conn, opening, path, Kept::Nowhere, Older::Refused)
    }

    fn ready(
        mut conn: Connection,
        opening: &Opening,
        path: &Path,
        kept: Kept,
        older: Older,
    ) -> Result<Self, LedgerError> {
        conn.make_ready()?;
        let migrated = migrations::apply(&conn, &path.display(), opening)?;
        if (kept, older) == (Kept::Disk, Older::Refused)
            && (migrated == migrations::Migrated::Yes || seen::is_unnoted(&conn, path)?)
        {
            seen::catch_up(&conn, path)?;
        }
        let is_copy = moved::is_copy(&conn)?;
        if is_copy {
            conn.expect_sealed_ids();
        }
        let mut ledger = Self::with(conn, opening, path, kept, older);
        ledger.is_copy = is_copy;
        Ok(ledger)
    }

    fn with(conn: Connection, opening: &Opening, path: &Path, kept: Kept, older: Older) -> Self {
        if let Some(seal) = conn.lazy_seal() {
            seal.set_source(&opening.key);
        }
        Self {
            conn,
            path: path.to_owned(),
            opening: opening.clone(),
            holder: match kept {
                Kept::Disk => HolderFile::beside(path),
                Kept::Server | Kept::Nowhere => HolderFile::nowhere(),
            },
            receipts: None,
            sender: None,
            kept,
            sharing: None,
            older,
            is_copy: false,
            has_written: false,
        }
    }

    /// Whether it is a file that `dsr ledger backup` made of a server's ledger.
    pub fn is_copy_of_a_server(&self) -> bool {
        self.is_copy
    }

    /// Opens the ledger without a named actor, for tests.
    pub fn open(path: &Path, patience: impl Into<Patience>) -> Result<Self, LedgerError> {
        Self::open_by(&Opening::default(), path, patience)
    }

    /// Marks this process as a sender and reserves room for receipts, if needed. Returns the
    /// sender's id.
    fn start_sending(&mut self, now: DateTime<Utc>) -> Result<String, LedgerError> {
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => presence::start(&self.conn, &self.path, &self.opening.command, now)?,
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

    /// Reads several values from one snapshot. `read` must not start a transaction or wait.
    pub fn in_one_view<T, E: From<LedgerError>>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let view = self.conn.view();
        let view = view.map_err(|error| E::from(LedgerError::from(error)))?;
        let found = read(self);
        drop(view);
        found
    }

    /// Starts a transaction that holds the write lock from the start. Refuses to write to a ledger
    /// that was set back or has moved, or to a copy of a server's ledger.
    fn write(&mut self) -> Result<Write<'_>, LedgerError> {
        self.write_asking(Vec::new())
    }

    /// The same, with questions that the transaction asks before it changes anything.
    fn write_asking(&mut self, mut questions: Vec<Question>) -> Result<Write<'_>, LedgerError> {
        if self.is_copy {
            return Err(LedgerError::ServerCopy);
        }
        if self.conn.is_shared() {
            questions.extend(seen::question(&self.path)?);
        }
        let tx = self.conn.write_asking(&questions)?;
        if tx.server().is_none() && tx.schema_version()? != migrations::known() {
            migrations::check(&tx, &self.path.display())?;
        }
        self.opening.server_clock.follow(&self.conn);
        let mark = self.holder.mark(&self.opening.command);
        if self.kept != Kept::Nowhere && self.older == Older::Refused {
            seen::demand(&tx, &self.path)?;
        }
        self.has_written = true;
        Ok(Write {
            tx,
            _mark: mark,
            opening: &self.opening,
            path: &self.path,
            head: RefCell::default(),
        })
    }
}

impl Drop for Ledger {
    /// Notes the last head once at the end, since each note costs two syncs.
    fn drop(&mut self) {
        if self.has_written
            && self.kept != Kept::Nowhere
            && self.older == Older::Refused
            && let Err(error) = seen::catch_up(&self.conn, &self.path)
        {
            tracing::info!(%error, "the next dsr notes what was seen");
        }
    }
}

struct Write<'a> {
    // Dropped before the mark.
    tx: Transaction<'a>,
    _mark: Mark<'a>,
    opening: &'a Opening,
    path: &'a Path,
    /// The trail's new head, after an entry.
    head: RefCell<Option<Anchor>>,
}

impl Write<'_> {
    /// A moment on the clock by which calls are kept apart: the server's, or this machine's.
    fn steady(&self) -> Option<SteadyMoment> {
        match self.tx.clock() {
            Some(micros) => Some(SteadyMoment::of_server(micros)),
            None => self.opening.steady.now(),
        }
    }

    fn commit(self) -> Result<(), LedgerError> {
        Ok(self.tx.commit()?)
    }

    /// Commits, and notes the new head of the trail beside the ledger before anything is sent. The
    /// note is written first, so a full disk fails before the commit.
    fn commit_seen(self) -> Result<(), LedgerError> {
        let head = match self.head.take() {
            None => audit::find_head(&self.tx)?,
            head => head,
        };
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

/// Whether something was ever recorded at `path`. A file of zero bytes is no ledger, nor is an
/// SQLite file without a schema, which a dsr that was killed may leave.
pub fn exists(path: &Path) -> bool {
    // Reading a pipe would wait for a writer. Opening the ledger refuses it.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return true;
    }
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let read_header = || -> io::Result<[u8; TABLES.end]> {
        let mut header = [0; TABLES.end];
        File::open(path)?.read_exact(&mut header)?;
        Ok(header)
    };
    let is_new = read_header().is_ok_and(|header| {
        header.starts_with(b"SQLite format 3\0")
            && header[USER_VERSION] == [0; 4]
            && header[TABLES] == [0; 2]
    });
    size(path) > 0 && (size(&path.with_extension("db-wal")) > 0 || !is_new)
}

/// The other processes that are sending from the ledger at `path`. Works even if the ledger cannot
/// be opened.
pub fn list_senders(path: &Path) -> Result<Vec<ProcessRecord>, LedgerError> {
    sender::list_living(path).map_err(LedgerError::Sender)
}

/// The dsr that holds the ledger now; `None` if no dsr does. A server is asked in a session of its
/// own, because the one that waits is busy.
pub fn find_holder(place: &LedgerPlace, opening: &Opening) -> Option<ProcessRecord> {
    match place {
        LedgerPlace::File(path) => holder::find(path),
        LedgerPlace::Server(shared) => {
            let conn = shared.connect(opening).ok()?;
            let name = conn.server()?.find_writer().ok()??;
            name.starts_with("dsr/")
                .then(|| ProcessRecord::named(&name))
        }
    }
}

/// Whether every commit waits because the server demands a standby and none is connected.
pub fn lacks_standby(place: &LedgerPlace, opening: &Opening) -> bool {
    let LedgerPlace::Server(shared) = place else {
        return false;
    };
    let conn = shared.connect(opening).ok();
    let server = conn.as_ref().and_then(Connection::server);
    server.is_some_and(|server| matches!(server.find_standby(), Ok(StandbyState::Missing)))
}

/// Refuses a ledger that other users can read, and links at paths where dsr would write. Checks
/// the folder first: in a private folder no one else can swap a file after the check.
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

#[cfg(test)]
mod tests;
