use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::config::{create_private_folder, private_file};

use crate::ledger::columns::format_time;

/// The folder of senders, beside the ledger.
pub(crate) const FOLDER: &str = "senders";
/// The sender's description is a separate file, since Windows lets no one read a locked one.
const RECORD: &str = "txt";

/// Marks this process as a sender by a file that it keeps locked. The kernel drops the lock
/// however the process ends. So another dsr can tell a POST in progress from one whose sender was
/// killed.
pub(crate) struct Sender {
    id: String,
    path: PathBuf,
    _lock: File,
    /// A job of this sender is not recorded as sent yet.
    has_open_job: bool,
}

/// A running dsr, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRecord {
    pub process: u32,
    /// The machine, if it is another one.
    pub host: Option<String>,
    /// The command without arguments.
    pub command: String,
    /// When it began to send, or to hold the ledger.
    pub since: Option<DateTime<Utc>>,
}

impl Sender {
    /// `command` and `now` are shown to those who wait for this process.
    pub(crate) fn start(ledger: &Path, command: &str, now: DateTime<Utc>) -> io::Result<Self> {
        let id = Uuid::new_v4().to_string();
        let path = path_of(ledger, &id);
        create_private_folder(path.parent().unwrap_or(Path::new(".")))?;
        // Gets its name once it is locked and written, so that no one finds it half-made.
        let unready = path.with_extension("new");
        let mut options = private_file();
        options.write(true).create_new(true);
        let mut record = options.open(path.with_extension(RECORD))?;
        let (process, since) = (std::process::id(), format_time(now));
        write!(record, "{process}\n{command}\n{since}\n")?;
        drop(record);
        let lock = options.open(&unready)?;
        lock.try_lock().map_err(io::Error::from)?;
        std::fs::rename(&unready, &path)?;
        Ok(Self {
            id,
            path,
            _lock: lock,
            has_open_job: false,
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn has_claimed(&mut self) {
        self.has_open_job = true;
    }

    pub(crate) fn has_recorded(&mut self) {
        self.has_open_job = false;
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // With an open job the files stay, as after a kill: the next dsr here sees that it is dead.
        if !self.has_open_job {
            clear(&self.path);
        }
    }
}

/// Locks the first free one of the files `name-0`, `name-1`… beside the senders'; `None` if others hold
/// all of them. They stay: whoever removes a file may remove the next holder's lock.
pub(crate) fn lock_one_of(ledger: &Path, name: &str, files: usize) -> io::Result<Option<File>> {
    let folder = ledger.with_file_name(FOLDER);
    create_private_folder(&folder)?;
    for number in 0..files {
        let path = folder.join(format!("{name}-{number}.place"));
        let file = private_file()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// The lock file of a sender on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockState {
    /// It still runs.
    Held,
    /// It ran here and has ended, and its jobs may not be recorded yet.
    Left,
    Nowhere,
}

pub(crate) fn find(ledger: &Path, id: &str) -> io::Result<LockState> {
    let file = match OpenOptions::new().write(true).open(path_of(ledger, id)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockState::Nowhere),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(LockState::Left),
        Err(TryLockError::WouldBlock) => Ok(LockState::Held),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the sender with this id still runs on this host.
pub(crate) fn is_alive(ledger: &Path, id: &str) -> io::Result<bool> {
    Ok(find(ledger, id)? == LockState::Held)
}

pub(crate) fn list_living(ledger: &Path) -> io::Result<Vec<ProcessRecord>> {
    let mut living = Vec::new();
    for (id, path) in list_all(ledger)? {
        if is_alive(ledger, &id)? {
            // It may have ended just now.
            let text = std::fs::read_to_string(path.with_extension(RECORD));
            let text = text.unwrap_or_default();
            living.extend(ProcessRecord::parse(&text));
        }
    }
    living.retain(|sender| sender.process != std::process::id());
    living.sort_by_key(|sender| sender.since);
    Ok(living)
}

/// The senders of this host that ended without clearing their files.
pub(crate) struct DeadSenders(Vec<PathBuf>);

impl DeadSenders {
    pub(crate) fn find(ledger: &Path) -> io::Result<Self> {
        let mut dead = Vec::new();
        for (id, path) in list_all(ledger)? {
            if !is_alive(ledger, &id)? {
                dead.push(path);
            }
        }
        Ok(Self(dead))
    }

    /// Removes their files. Before that, all of their jobs must be recorded: on a shared ledger the
    /// files are how this host knows that they are dead.
    pub(crate) fn clear(self) {
        self.0.iter().for_each(|path| clear(path));
    }
}

fn list_all(ledger: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut all = Vec::new();
    let folder = ledger.with_file_name(FOLDER);
    let entries = match std::fs::read_dir(folder) {
        // The first send reports a file in the folder's place.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(all);
        }
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let id = path.file_stem().and_then(|stem| stem.to_str());
        let is_lock = path
            .extension()
            .is_some_and(|extension| extension == "lock");
        if let (true, Some(id)) = (is_lock, id) {
            all.push((id.to_owned(), path.clone()));
        }
    }
    Ok(all)
}

impl ProcessRecord {
    /// Reads a process's own description; `None` if it is not whole.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let process = lines.next()?.parse().ok()?;
        let command = lines.next()?.to_owned();
        let since = lines.next().and_then(|line| line.parse().ok());
        Some(Self {
            process,
            host: None,
            command,
            since,
        })
    }

    /// Reads how a session names itself on the ledger's server: `dsr/delete/4711/host`.
    pub(crate) fn named(name: &str) -> Self {
        let mut parts = name.splitn(4, '/').skip(1);
        let command = parts.next().unwrap_or("another program");
        let process = parts.next().and_then(|process| process.parse().ok());
        Self {
            process: process.unwrap_or(0),
            host: parts.next().map(str::to_owned),
            command: format!("dsr {}", command.replace('-', " ")),
            since: None,
        }
    }
}

/// The description first: without its lock file nothing would ever remove it.
fn clear(lock: &Path) {
    drop(std::fs::remove_file(lock.with_extension(RECORD)));
    drop(std::fs::remove_file(lock));
}

fn path_of(ledger: &Path, id: &str) -> PathBuf {
    ledger.with_file_name(FOLDER).join(format!("{id}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_lives_as_long_as_it_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let sender = Sender::start(&ledger, "dsr delete", now).unwrap();
        let id = sender.id().to_owned();
        assert!(is_alive(&ledger, &id).unwrap());
        assert_eq!(list_living(&ledger).unwrap(), [], "not itself");
        drop(sender);
        assert!(!is_alive(&ledger, &id).unwrap());
        assert!(!is_alive(&ledger, "never-was").unwrap());
    }

    #[test]
    fn only_those_that_live_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        assert_eq!(list_living(&ledger).unwrap(), [], "nobody ever sent");
        let path = path_of(&ledger, "another-one");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        // Like another process: it lives while its lock is held.
        std::fs::write(&path, "").unwrap();
        std::fs::write(path.with_extension(RECORD), "17\ndsr delete\n").unwrap();
        let lock = File::open(&path).unwrap();
        lock.try_lock().unwrap();
        let living = list_living(&ledger).unwrap();
        assert_eq!(living.len(), 1);
        assert_eq!(living[0].process, 17);
        drop(lock);
        assert_eq!(list_living(&ledger).unwrap(), []);
    }

    #[test]
    fn a_sender_is_read_as_it_says() {
        let read = ProcessRecord::parse("17\ndsr delete\n2027-01-15T08:00:00.000Z\n").unwrap();
        assert_eq!((read.process, read.command.as_str()), (17, "dsr delete"));
        assert_eq!(read.since, DateTime::from_timestamp(1_800_000_000, 0));
        assert_eq!(ProcessRecord::parse("17\n"), None);
        assert_eq!(ProcessRecord::parse(""), None);
    }
}
