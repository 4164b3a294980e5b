//! Tracks who holds the ledger's write lock, and how long others wait. SQLite tells neither.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::sender::ProcessRecord;
use crate::config::private_file;

/// A file beside the ledger that is locked while a dsr holds the write lock.
pub(crate) const FILE: &str = "holder";
/// The holder's description. A separate file, since Windows lets no one read a locked one.
pub(crate) const RECORD: &str = "holder.txt";
/// No message during the first second of a wait.
const SILENCE: Duration = Duration::from_secs(1);
/// The longest pause between two tries to take the lock.
const PAUSE: Duration = Duration::from_millis(25);

/// How long to wait for the ledger's holder, and whom to tell.
pub struct Patience {
    limit: Duration,
    tell: Box<dyn FnMut(Duration) + Send>,
    since: Instant,
    has_told: bool,
}

impl Patience {
    /// Waits up to `limit`. After a second, `tell` is called once with the remaining time.
    pub fn new(limit: Duration, tell: impl FnMut(Duration) + Send + 'static) -> Self {
        Self {
            limit,
            tell: Box::new(tell),
            since: Instant::now(),
            has_told: false,
        }
    }

    /// Whether to try again, after a short pause. `tries` counts from 0 in each wait.
    pub(crate) fn goes_on(&mut self, tries: i32) -> bool {
        if tries == 0 {
            self.since = Instant::now();
            self.has_told = false;
        }
        let waited = self.since.elapsed();
        let left = self.limit.saturating_sub(waited);
        if left.is_zero() {
            return false;
        }
        if waited >= SILENCE && !self.has_told {
            self.has_told = true;
            (self.tell)(left);
        }
        let pause = Duration::from_millis(u64::try_from(tries).unwrap_or(0) + 1);
        std::thread::sleep(pause.min(PAUSE).min(left));
        true
    }
}

impl From<Duration> for Patience {
    /// Waits without a message.
    fn from(limit: Duration) -> Self {
        Self::new(limit, |_| {})
    }
}

/// The file in which the holder of the write lock names itself. It only helps those who wait, so a
/// failure to write it is ignored.
pub(crate) struct HolderFile {
    path: Option<PathBuf>,
    files: Option<(File, File)>,
}

/// Exists while the write lock is held.
pub(crate) struct Mark<'a>(Option<&'a File>);

impl HolderFile {
    pub(crate) fn beside(ledger: &Path) -> Self {
        Self {
            path: Some(path_of(ledger)),
            files: None,
        }
    }

    /// Without a ledger there is no one to wait for.
    pub(crate) fn nowhere() -> Self {
        Self {
            path: None,
            files: None,
        }
    }

    /// Call this with the write lock held.
    pub(crate) fn mark(&mut self, command: &str) -> Mark<'_> {
        if let (Some(path), None) = (&self.path, &self.files) {
            let mut options = private_file();
            options.write(true).create(true).truncate(false);
            let lock = options.open(path);
            let record = options.open(path.with_file_name(RECORD));
            self.files = lock.ok().zip(record.ok());
        }
        let marked = self.files.as_ref();
        let marked = marked.filter(|(lock, record)| write(lock, record, command).is_ok());
        Mark(marked.map(|(lock, _)| lock))
    }
}

/// The file's modification time is the start of the hold.
fn write(lock: &File, mut record: &File, command: &str) -> io::Result<()> {
    lock.try_lock()?;
    record.set_len(0)?;
    record.rewind()?;
    // One write, so that a reader finds all of it or nothing.
    record.write_all(format!("{}\n{command}\n", std::process::id()).as_bytes())
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        // Readers ignore the text unless the file is locked.
        if let Some(file) = self.0 {
            drop(file.unlock());
        }
    }
}

/// The dsr that holds the write lock; `None` if no dsr does.
pub(crate) fn find(ledger: &Path) -> Option<ProcessRecord> {
    let path = path_of(ledger);
    let file = File::open(&path).ok()?;
    let Err(TryLockError::WouldBlock) = file.try_lock_shared() else {
        return None;
    };
    let record = path.with_file_name(RECORD);
    let since = std::fs::metadata(&record).and_then(|metadata| metadata.modified());
    let text = std::fs::read_to_string(&record).ok()?;
    Some(ProcessRecord {
        since: since.ok().map(Into::into),
        ..ProcessRecord::parse(&text)?
    })
}

fn path_of(ledger: &Path) -> PathBuf {
    ledger.with_file_name(FILE)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_holder_is_named_only_while_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        assert_eq!(find(&ledger), None, "nobody ever held it");
        let mut file = HolderFile::beside(&ledger);
        let mark = file.mark("dsr export --a long one");
        let before = find(&ledger).unwrap();
        drop(mark);
        assert_eq!(find(&ledger), None);
        let mark = file.mark("dsr delete");
        let holder = find(&ledger).unwrap();
        assert_eq!(holder.process, std::process::id());
        assert_eq!(holder.command, "dsr delete");
        assert!(holder.since.unwrap() >= before.since.unwrap());
        drop(mark);
        assert_eq!(find(&ledger), None);
    }

    #[test]
    fn a_mark_that_cannot_be_made_keeps_nobody_from_writing() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("nowhere/ledger.db");
        drop(HolderFile::beside(&ledger).mark("dsr delete"));
        assert_eq!(find(&ledger), None);
    }

    #[test]
    fn a_wait_is_told_once_after_a_second_and_ends_at_its_limit() {
        let (sender, told) = mpsc::channel();
        let limit = Duration::from_millis(1300);
        let mut patience = Patience::new(limit, move |left| sender.send(left).unwrap());
        for _ in 0..2 {
            let start = Instant::now();
            let mut tries = 0;
            while patience.goes_on(tries) {
                tries += 1;
            }
            assert!(start.elapsed() >= limit);
            let left = told.try_recv().unwrap();
            assert!(!left.is_zero() && left <= limit - SILENCE, "{left:?}");
            assert!(told.try_recv().is_err(), "once a wait");
        }
    }
}
