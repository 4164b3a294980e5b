//! SQLite: a file, a log beside it, pages and their checks.

use std::path::Path;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};

use super::{Answer, Params};

/// The size at which the write-ahead log is written back, in pages of 4 KiB. It is large enough
/// that a request's ids are not written twice before its first job is sent.
const LOG_PAGES: u32 = 16 * 1024;
/// The number of prepared statements that a connection keeps.
const STATEMENTS: usize = 128;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The file must exist.
    ReadWrite,
    /// SQLite may create a log and an index beside the file.
    ReadOnly,
}

pub(super) fn open(path: &Path, access: Access) -> Answer<Connection> {
    let access = match access {
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

/// Opens a file for reading by an SQLite address (`file:…?mode=ro`).
pub(super) fn open_address(address: &str) -> Answer<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(address, flags)?)
}

/// Makes every commit survive a power cut, and deleted rows unreadable.
///
/// Switches a new file to a write-ahead log. SQLite does not wait for others in this step, so this
/// asks `goes_on`; two first runs may come at once.
pub(super) fn make_durable(conn: &Connection, mut goes_on: impl FnMut(i32) -> bool) -> Answer<()> {
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
    // On macOS a plain sync leaves data in the drive's cache. If the file system cannot flush that
    // cache, SQLite syncs as usual.
    conn.pragma_update(None, "fullfsync", "on")?;
    conn.pragma_update(None, "checkpoint_fullfsync", "on")?;
    conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(conn.pragma_update(None, "secure_delete", "on")?)
}

/// Checks references between tables at each write, and keeps prepared statements.
pub(super) fn make_ready(conn: &Connection) -> Answer<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn.pragma_update(None, "foreign_keys", "on")?)
}

/// A pragma that gives one number.
pub(super) fn number(conn: &Connection, pragma: &str) -> Answer<i64> {
    Ok(conn.pragma_query_value(None, pragma, |row| row.get(0))?)
}

pub(super) fn list_damage(conn: &Connection, most: usize) -> Answer<Vec<String>> {
    let rows = |query: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = conn.prepare(query)?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let mut damage = rows("PRAGMA quick_check")?;
    damage.retain(|line| line != "ok");
    if damage.is_empty() {
        let orphans = rows("PRAGMA foreign_key_check")?;
        let named = |table| format!("a row of the table `{table}` belongs to nothing");
        damage.extend(orphans.iter().map(named));
    }
    damage.truncate(most);
    Ok(damage)
}

/// Writes the log back and empties it. Returns whether nobody was reading it.
pub(super) fn empty_log(conn: &Connection) -> Answer<bool> {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy: bool = conn.query_row(sql, [], |row| row.get(0))?;
    Ok(!is_busy)
}

pub(super) fn prepare<'c>(conn: &'c Connection, sql: &str) -> Answer<CachedStatement<'c>> {
    let statement = conn.prepare_cached(sql)?;
    // SQLite takes `$2` as a *name* and counts by first appearance. PostgreSQL goes by the number.
    // Any other order would bind wrong values in one of them.
    debug_assert!(
        (1..=statement.parameter_count())
            .all(|place| statement.parameter_name(place) == Some(format!("${place}").as_str())),
        "parameters out of order in: {sql}"
    );
    Ok(statement)
}

pub(super) fn bind(statement: &mut CachedStatement<'_>, values: &impl Params) -> Answer<()> {
    let mut place = 0;
    values.each(&mut |value| {
        place += 1;
        Ok(statement.raw_bind_parameter(place, value)?)
    })?;
    let expected = statement.parameter_count();
    match place == expected {
        true => Ok(()),
        false => Err(rusqlite::Error::InvalidParameterCount(place, expected).into()),
    }
}
