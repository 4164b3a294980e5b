use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::config::create_private_folder;

/// Marks this process as one that sends: a file it holds a lock on for as long as it lives.
///
/// The kernel drops the lock however the process ends, so another dsr can tell a POST that is
/// under way from one whose sender was killed.
pub(super) struct Sender {
    id: String,
    path: PathBuf,
    _lock: File,
}

impl Sender {
    pub(super) fn start(ledger: &Path) -> io::Result<Self> {
        let id = Uuid::new_v4().to_string();
        let path = path_of(ledger, &id);
        create_private_folder(path.parent().unwrap_or(Path::new(".")))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut lock = options.open(&path)?;
        lock.try_lock().map_err(io::Error::from)?;
        writeln!(lock, "{}", std::process::id())?;
        Ok(Self {
            id,
            path,
            _lock: lock,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // A file that stays behind is unlocked, and cleared away by the next dsr.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Whether the sender of this id still lives. Clears away what a dead one left.
pub(super) fn is_alive(ledger: &Path, id: &str) -> io::Result<bool> {
    let path = path_of(ledger, id);
    let file = match OpenOptions::new().write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {
            drop(std::fs::remove_file(&path));
            Ok(false)
        }
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn path_of(ledger: &Path, id: &str) -> PathBuf {
    ledger.with_file_name("senders").join(format!("{id}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_lives_as_long_as_it_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        let sender = Sender::start(&ledger).unwrap();
        let id = sender.id().to_owned();
        assert!(is_alive(&ledger, &id).unwrap());
        drop(sender);
        assert!(!is_alive(&ledger, &id).unwrap());
        assert!(!is_alive(&ledger, "never-was").unwrap());
    }
}
