//! Keeps the last audit entry that this host has seen, in a file beside the ledger. A ledger
//! without that entry was set back (a backup, a snapshot, another volume): dsr writes nothing to
//! it, and so sends nothing. The same holds for a ledger with requests that this host has not seen.
//! The file may be older than the ledger, after a crash or beside another process, but never newer.
//! It is replaced after the commit that it describes, and before the next POST.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::config::{begin_file, folder_of, replace, sync_file};

use super::migrations;
use super::set_back::{FILE, Seen, SetBack};
use crate::ledger::audit::{self, Anchor};
use crate::ledger::engine::{Connection, Question};
use crate::ledger::sql;
use crate::ledger::{Ledger, LedgerError};

impl Ledger {
    /// What this host has seen of the ledger.
    pub fn find_seen(&self) -> Result<Seen, LedgerError> {
        read(&self.path)
    }

    /// Fails if the ledger was set back.
    ///
    /// # Errors
    /// [`LedgerError::SetBack`], or when the ledger or the file beside it cannot be read.
    pub fn demand_not_set_back(&self) -> Result<(), LedgerError> {
        match self.find_set_back()? {
            None => Ok(()),
            Some(set_back) => Err(LedgerError::SetBack(Box::new(set_back))),
        }
    }

    /// What this host has seen and the ledger lacks, if it was set back. A copy of a server's
    /// ledger is as it is: nobody continues with it.
    pub fn find_set_back(&self) -> Result<Option<SetBack>, LedgerError> {
        match self.is_copy {
            true => Ok(None),
            false => find_set_back(&self.conn, &self.path),
        }
    }
}

/// Fails if the ledger lacks what this host has seen.
pub(crate) fn demand(conn: &Connection, ledger: &Path) -> Result<(), LedgerError> {
    match find_set_back(conn, ledger)? {
        None => Ok(()),
        Some(set_back) => Err(LedgerError::SetBack(Box::new(set_back))),
    }
}

pub(crate) fn find_set_back(
    conn: &Connection,
    ledger: &Path,
) -> Result<Option<SetBack>, LedgerError> {
    // The file first: it only names what was committed before.
    let seen = read(ledger)?;
    if seen == Seen::Nothing && !is_copied_here(conn, ledger)? {
        return Ok(None);
    }
    // A shared ledger has it: it was opened.
    let has_trail = conn.is_shared() || conn.has_table("audit_head")?;
    if let (Seen::Head(seen), true) = (&seen, has_trail) {
        let hash: Option<String> = sql::find_value(conn, HASH, [sequence(seen)])?;
        if hash.as_deref() == Some(&seen.hash) {
            return Ok(None);
        }
    }
    let head = match has_trail && !is_of_another_trail(conn, ledger)? {
        true => audit::find_head(conn)?,
        false => None,
    };
    Ok(Some(SetBack {
        seen,
        head,
        known_since: None,
    }))
}

/// The hash of one entry.
const HASH: &str = "SELECT hash FROM audit WHERE seq = $1";

/// What [`find_set_back`] asks of a ledger that was not set back.
pub(crate) fn question(ledger: &Path) -> Result<Option<Question>, LedgerError> {
    let seen = read(ledger)?;
    let asked = seen
        .head()
        .map(|head| Question::new(HASH, [sequence(head)]));
    Ok(asked.transpose()?)
}

fn sequence(head: &Anchor) -> i64 {
    i64::try_from(head.count).unwrap_or(i64::MAX)
}

/// Whether a ledger without the file came from another host. Creating or migrating a ledger here
/// writes the file. A ledger on a server is not copied: each host sees it for the first time once.
fn is_copied_here(conn: &Connection, ledger: &Path) -> Result<bool, LedgerError> {
    if conn.is_shared() {
        return Ok(false);
    }
    let has_requests = "SELECT 1 FROM requests LIMIT 1";
    Ok(migrations::check(conn, &ledger.display())? && sql::exists(conn, has_requests, [])?)
}

/// Whether this host has seen another trail at this address: a new ledger is in the place of a lost
/// one, and has nothing of it.
fn is_of_another_trail(conn: &Connection, ledger: &Path) -> Result<bool, LedgerError> {
    if !conn.is_shared() {
        return Ok(false);
    }
    let sql = "SELECT hash FROM audit WHERE seq = 1";
    let identity: Option<String> = sql::find_value(conn, sql, [])?;
    let folder = folder_of(ledger).file_name().and_then(|name| name.to_str());
    let pair = identity.zip(folder);
    Ok(pair.is_some_and(|(identity, folder)| !identity.starts_with(folder)))
}

/// Whether the note is missing because dsr was killed between making the ledger and noting it.
pub(crate) fn is_unnoted(conn: &Connection, ledger: &Path) -> Result<bool, LedgerError> {
    Ok(read(ledger)? == Seen::Nothing && !is_copied_here(conn, ledger)?)
}

/// What this host has seen of the ledger at `ledger`, even if that is gone.
pub(crate) fn read(ledger: &Path) -> Result<Seen, LedgerError> {
    let path = path_of(ledger);
    // Reading a pipe would wait for a writer.
    if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return Ok(Seen::Unreadable);
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim_end().parse().map_or(Seen::Unreadable, Seen::Head)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Seen::Nothing),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Seen::Unreadable),
        Err(error) => Err(LedgerError::Seen(error)),
    }
}

/// The next head on disk, not in place yet. It is written before the commit, so that a full disk
/// prevents the commit.
pub(crate) struct NextHead {
    unready: NamedTempFile,
    place: PathBuf,
}

impl NextHead {
    pub(crate) fn write(ledger: &Path, head: &Anchor) -> Result<Self, LedgerError> {
        let write = || -> io::Result<NamedTempFile> {
            let mut unready = begin_file(folder_of(ledger))?;
            writeln!(unready, "{head}")?;
            sync_file(unready.as_file())?;
            Ok(unready)
        };
        Ok(Self {
            unready: write().map_err(LedgerError::Seen)?,
            place: path_of(ledger),
        })
    }

    pub(crate) fn publish(self) -> Result<(), LedgerError> {
        replace(self.unready, &self.place).map_err(LedgerError::Seen)
    }
}

/// Notes the head of the trail, unless the file already has it.
pub(crate) fn catch_up(conn: &Connection, ledger: &Path) -> Result<(), LedgerError> {
    let Some(head) = audit::find_head(conn)? else {
        return Ok(());
    };
    match read(ledger)? {
        Seen::Head(seen) if seen.count >= head.count => Ok(()),
        Seen::Head(_) | Seen::Nothing | Seen::Unreadable => {
            NextHead::write(ledger, &head)?.publish()
        }
    }
}

fn path_of(ledger: &Path) -> PathBuf {
    ledger.with_file_name(FILE)
}
