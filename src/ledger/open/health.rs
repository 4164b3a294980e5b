//! Checks whether the ledger is whole, without changing it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::presence::list_sending;
use super::{accept, migrations, seen, sender, set_back};
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Access, Connection, ServerReport};
use crate::ledger::jobs::receipts;
use crate::ledger::people::key::find_key;
use crate::ledger::sql::prepare;
use crate::ledger::{
    Glance, Ledger, LedgerError, LostTime, Opening, ProcessRecord, SetBack, SharedLedger, audit,
    people, refuse_what_others_share,
};

/// The most damages to name.
const NAMED: usize = 5;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The first damages in SQLite's words, which name tables and pages but hold no id. Empty if
    /// the ledger is whole.
    pub damage: Vec<String>,
    pub bytes: u64,
    /// Bytes in the log that wait to be written back.
    pub log_bytes: u64,
    /// Jobs that a dsr was sending when it ended or vanished.
    pub interrupted: usize,
    /// Unknown jobs that are not abandoned.
    pub unsettled: usize,
    /// Jobs in a final state that still have their ids, which nothing needs.
    pub ids_to_hash: usize,
    /// Receipt files of senders that have ended, not recorded yet.
    pub receipts: usize,
    /// The end of the audit trail. `None` if the ledger is damaged or not current.
    pub trail: Option<Glance>,
    /// What this host has seen and the ledger lacks.
    pub set_back: Option<SetBack>,
    pub lost: Vec<LostTime>,
    pub senders: Vec<ProcessRecord>,
    /// The fingerprint of the key of its hashed or sealed ids, if there are any.
    pub key: Option<String>,
    /// The server, if the ledger is on one.
    pub server: Option<ServerHealth>,
}

/// The server of a ledger, and how this host stands to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHealth {
    pub report: ServerReport,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// Checks the existing ledger at `path`; waits up to `patience` for another process.
///
/// # Errors
/// When it cannot be read, is not private, is not a ledger, or was written by a newer dsr.
pub fn examine(path: &Path, patience: Duration, now: DateTime<Utc>) -> Result<Health, LedgerError> {
    // Even to read, SQLite creates a log and an index beside the ledger, with its mode.
    refuse_what_others_share(path)?;
    let conn = Connection::open(path, Access::ReadOnly)?;
    conn.wait_up_to(patience)?;
    let is_current = migrations::check(&conn, &path.display())?;
    let damage = conn.list_damage(NAMED)?;
    let (interrupted, unsettled, ids_to_hash, trail, lost, key) =
        match is_current && damage.is_empty() {
            true => (
                count_interrupted(&conn, path)?,
                count_unsettled(&conn)?,
                people::count_to_hash(&conn, now)?,
                Some(audit::look(&conn)?),
                accept::list_lost(&conn)?,
                find_key(&conn)?,
            ),
            false => (0, 0, 0, None, Vec::new(), None),
        };
    let set_back = match damage.is_empty() {
        true => seen::find_set_back(&conn, path)?,
        false => None,
    };
    let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let ended = receipts::list_ended(path).map_err(LedgerError::Receipt)?;
    Ok(Health {
        damage,
        bytes: size(path.to_owned()),
        log_bytes: size(path.with_extension("db-wal")),
        interrupted,
        unsettled,
        ids_to_hash,
        receipts: ended.len(),
        trail,
        set_back,
        lost,
        senders: sender::list_living(path).map_err(LedgerError::Sender)?,
        key,
        server: None,
    })
}

/// Checks the ledger on a server. The server checks its own pages.
///
/// # Errors
/// When it cannot be opened, see [`Ledger::open_shared`].
pub fn examine_shared(
    opening: &Opening,
    shared: &SharedLedger,
    patience: Duration,
    now: DateTime<Utc>,
) -> Result<Health, LedgerError> {
    let ledger = Ledger::open_shared(opening, shared, patience)?;
    let Some(server) = ledger.conn.server() else {
        return Err(unreadable("the ledger's server"));
    };
    let report = server.report()?;
    ledger.conn.read_clock()?;
    let ended = receipts::list_ended(&ledger.path).map_err(LedgerError::Receipt)?;
    Ok(Health {
        damage: Vec::new(),
        bytes: ledger.size()?,
        log_bytes: 0,
        interrupted: ledger.count_interrupted()?,
        unsettled: count_unsettled(&ledger.conn)?,
        ids_to_hash: people::count_to_hash(&ledger.conn, now)?,
        receipts: ended.len(),
        trail: Some(audit::look(&ledger.conn)?),
        set_back: ledger.find_set_back()?,
        lost: ledger.list_lost_times()?,
        senders: ledger.list_senders()?,
        key: ledger.find_people_key()?,
        server: Some(ServerHealth {
            report,
            now: ledger.conn.time().unwrap_or(now),
        }),
    })
}

/// As [`Ledger::count_interrupted`], for a file.
fn count_interrupted(conn: &Connection, path: &Path) -> Result<usize, LedgerError> {
    let mut count = 0;
    for (_, sender, _) in list_sending(conn)? {
        let is_alive = sender::is_alive(path, &sender).map_err(LedgerError::Sender)?;
        count += usize::from(!is_alive);
    }
    Ok(count)
}

fn count_unsettled(conn: &Connection) -> Result<usize, LedgerError> {
    let sql = "SELECT COUNT(*) FROM jobs WHERE state = 'unknown' AND abandoned_at IS NULL";
    let mut statement = prepare(conn, sql)?;
    let count: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

impl Ledger {
    /// The size of the ledger in bytes, without its log.
    pub fn size(&self) -> Result<u64, LedgerError> {
        match self.conn.server() {
            Some(server) => Ok(server.size()?),
            None => Ok(std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())),
        }
    }
}

/// The existing files and folders of the ledger, which must be private to its owner.
pub fn list_files(path: &Path) -> Vec<PathBuf> {
    let names = ["db", "db-wal", "db-shm"].map(|extension| path.with_extension(extension));
    let beside =
        [receipts::FOLDER, sender::FOLDER, set_back::FILE].map(|name| path.with_file_name(name));
    let all = names.into_iter().chain(beside);
    all.filter(|path| path.exists()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, RequestId, TaskId};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn a_whole_ledger_is_whole_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(Ledger::open(&path, Duration::ZERO).unwrap());
        let before = std::fs::read(&path).unwrap();
        let health = examine(&path, Duration::ZERO, NOW).unwrap();
        assert_eq!(health.damage, Vec::<String>::new());
        assert_eq!(health.bytes, before.len() as u64);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_row_without_its_parent_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(Ledger::open(&path, Duration::ZERO).unwrap());
        let conn = Connection::open(&path, Access::ReadWrite).unwrap();
        if conn.skips_files("a server checks its tables itself") {
            return;
        }
        conn.allow_orphans();
        conn.execute(
            "INSERT INTO downloads VALUES ('nobody', 1, '', 1, '', '', '')",
            [],
        )
        .unwrap();
        drop(conn);
        let health = examine(&path, Duration::ZERO, NOW).unwrap();
        assert_eq!(health.damage.len(), 1);
        assert!(health.damage[0].contains("`downloads`"));
    }

    #[test]
    fn receipts_wait_when_their_sender_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = Ledger::open(&path, Duration::ZERO).unwrap();
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        ledger.start_sending(now).unwrap();
        let count = || examine(&path, Duration::ZERO, NOW).unwrap().receipts;
        assert_eq!(count(), 0, "room for receipts is none");
        let job = JobId {
            request: RequestId::random(),
            number: 1,
        };
        let task = TaskId::random();
        ledger.record_receipt(&job, &task, now).unwrap();
        assert_eq!(count(), 0, "its sender may still record it");
        drop(ledger);
        assert_eq!(count(), 1);
    }
}
