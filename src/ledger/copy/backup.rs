//! Copies a ledger while others may write to it: complete, private to its owner, and without free
//! pages.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::config::{folder_of, sync_file};
use crate::ledger::audit::{self, Anchor};
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Access, Connection};
use crate::ledger::open::{migrations, moved};
use crate::ledger::{Ledger, LedgerError};

use super::rows;

/// A copy of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub head: Anchor,
    /// In bytes.
    pub bytes: u64,
}

impl Ledger {
    /// Copies one snapshot of the ledger to a new file (0600), while others keep working.
    ///
    /// The copy is written from the ledger's contents, so it holds no erased data and needs no log.
    /// A server's ledger is copied row by row, and its copy is a ledger in a file. The copy gets its name once it is complete, on disk and read back.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the copy is damaged.
    pub fn back_up(&self, to: &Path) -> Result<Backup, LedgerError> {
        let failed = |source| LedgerError::Backup {
            path: to.to_owned(),
            source,
        };
        let folder = folder_of(to);
        // 0600 from the start; SQLite writes into the empty file.
        let copy = NamedTempFile::new_in(folder).map_err(|error| {
            // The error's own text names the temporary file.
            failed(match error.kind() {
                ErrorKind::NotFound => {
                    std::io::Error::new(ErrorKind::NotFound, "there is no such folder")
                }
                kind => kind.into(),
            })
        })?;
        let name = copy.path().to_str().ok_or_else(|| {
            failed(std::io::Error::new(
                ErrorKind::InvalidInput,
                "the path is not UTF-8",
            ))
        })?;
        let head = match self.conn.server() {
            None => {
                self.conn.copy_into(name)?;
                read_back(copy.path())?
            }
            Some(_) => self.fetch_into(copy.path())?,
        };
        sync_file(copy.as_file()).map_err(failed)?;
        let bytes = copy.as_file().metadata().map_err(failed)?.len();
        copy.persist_noclobber(to)
            .map_err(|error| failed(error.error))?;
        Ok(Backup { head, bytes })
    }

    fn fetch_into(&self, path: &Path) -> Result<Anchor, LedgerError> {
        let view = self.conn.view()?;
        let conn = Connection::open(path, Access::ReadWrite)?;
        // A copy that fails is thrown away, and its caller syncs it.
        conn.execute_batch("PRAGMA journal_mode = off; PRAGMA synchronous = off")?;
        migrations::apply(&conn, &path.display(), &self.opening)?;
        let tx = conn.write()?;
        rows::copy(&view, &tx)?;
        moved::mark_copy(&tx)?;
        if let Some(finding) = audit::verify_chain(&tx)?.findings.first() {
            return Err(LedgerError::Trail(finding.to_string()));
        }
        tx.commit()?;
        drop(conn);
        read_back(path)
    }
}

fn read_back(path: &Path) -> Result<Anchor, LedgerError> {
    let conn = Connection::open(path, Access::ReadOnly)?;
    conn.wait_up_to(Duration::ZERO)?;
    if !conn.list_damage(1)?.is_empty() {
        return Err(unreadable("a page of its file"));
    }
    audit::find_head(&conn)?.ok_or_else(|| unreadable("the audit trail's head"))
}
