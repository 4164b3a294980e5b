//! What only SQLite has: files, a log beside them, pages and their checks.

use std::path::Path;
use std::time::Duration;

use rusqlite::{ErrorCode, OpenFlags};

use super::{Answer, Connection};

/// The size at which the write-ahead log is written back, in pages of 4 KiB. It is large enough
/// that a request's ids are not written twice before its first job is sent.
const LOG_PAGES: u32 = 16 * 1024;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The file must exist.
    ReadWrite,
    /// SQLite may create a log and an index beside the file.
    ReadOnly,
}

impl Connection {
    pub(crate) fn open(path: &Path, access: Access) -> Answer<Self> {
        let access = match access {
            Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = rusqlite::Connection::open_with_flags(path, flags)?;
        Ok(Self::Sqlite(conn))
    }

    /// Opens a file for reading by an SQLite address (`file:…?mode=ro`).
    pub(crate) fn open_address(address: &str) -> Answer<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let conn = rusqlite::Connection::open_with_flags(address, flags)?;
        Ok(Self::Sqlite(conn))
    }

    pub(crate) fn open_in_memory() -> Answer<Self> {
        Ok(Self::Sqlite(rusqlite::Connection::open_in_memory()?))
    }

    /// How long a statement waits for another process.
    pub(crate) fn wait_up_to(&self, patience: Duration) -> Answer<()> {
        let Self::Sqlite(conn) = self;
        Ok(conn.busy_timeout(patience)?)
    }

    /// Asks `goes_on` before each new try to get a lock; it gets the number of tries so far.
    pub(crate) fn wait_while(
        &mut self,
        goes_on: impl FnMut(i32) -> bool + Send + 'static,
    ) -> Answer<()> {
        let Self::Sqlite(conn) = self;
        Ok(conn.busy_handler(Some(goes_on))?)
    }

    /// Makes every commit survive a power cut, and deleted rows unreadable.
    ///
    /// Switches a new file to a write-ahead log. SQLite does not wait for others in this step, so
    /// this asks `goes_on`; two first runs may come at once.
    pub(crate) fn make_durable(&self, mut goes_on: impl FnMut(i32) -> bool) -> Answer<()> {
        let Self::Sqlite(conn) = self;
        conn.busy_timeout(Duration::ZERO)?;
        let mut tries = 0;
        while let Err(error) = conn.pragma_update(None, "journal_mode", "wal") {
            let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
            if !is_busy || !goes_on(tries) {
                return Err(error.into());
            }
            tries += 1;
        }
        conn.pragma_update(None, "synchronous", "full")?;
        // On macOS a plain sync leaves data in the drive's cache. If the file system cannot flush
        // that cache, SQLite syncs as usual.
        conn.pragma_update(None, "fullfsync", "on")?;
        conn.pragma_update(None, "checkpoint_fullfsync", "on")?;
        conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        Ok(conn.pragma_update(None, "secure_delete", "on")?)
    }

    /// Checks references between tables at each write, and keeps `statements` prepared statements.
    pub(crate) fn make_ready(&self, statements: usize) -> Answer<()> {
        let Self::Sqlite(conn) = self;
        conn.set_prepared_statement_cache_capacity(statements);
        Ok(conn.pragma_update(None, "foreign_keys", "on")?)
    }

    /// The number of migrations that made the schema; 0 without one.
    pub(crate) fn schema_version(&self) -> Answer<i64> {
        let Self::Sqlite(conn) = self;
        Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
    }

    pub(crate) fn set_schema_version(&self, version: i64) -> Answer<()> {
        let Self::Sqlite(conn) = self;
        Ok(conn.pragma_update(None, "user_version", version)?)
    }

    /// A number that changes whenever another connection changes the database.
    pub(crate) fn data_version(&self) -> Answer<i64> {
        let Self::Sqlite(conn) = self;
        Ok(conn.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// The first `most` damages in SQLite's words, which name tables and pages but hold no value.
    /// Empty if the file is whole.
    pub(crate) fn list_damage(&self, most: usize) -> Answer<Vec<String>> {
        let rows = |query: &str| -> Answer<Vec<String>> {
            self.prepare(query)?.list([], |row| row.get(0))
        };
        let mut damage = rows("PRAGMA quick_check")?;
        damage.retain(|line| line != "ok");
        if damage.is_empty() {
            let orphans = rows("PRAGMA foreign_key_check")?;
            damage.extend(
                orphans
                    .iter()
                    .map(|table| format!("a row of the table `{table}` belongs to nothing")),
            );
        }
        damage.truncate(most);
        Ok(damage)
    }

    /// Writes a copy into the empty file at `path`. It has no erased data and no free pages.
    pub(crate) fn copy_into(&self, path: &str) -> Answer<()> {
        self.prepare("VACUUM INTO $1")?.execute([path])?;
        Ok(())
    }

    /// Frees the space of deleted rows. Needs as much memory as the file is large: a temporary file
    /// elsewhere would hold ids.
    pub(crate) fn compact(&self) -> Answer<()> {
        self.execute_batch("PRAGMA temp_store = memory; VACUUM;")
    }

    /// Writes the log back and empties it. Returns whether nobody was reading it.
    pub(crate) fn empty_log(&self) -> Answer<bool> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy: bool = self.prepare(sql)?.query_row([], |row| row.get(0))?;
        Ok(!is_busy)
    }
}
