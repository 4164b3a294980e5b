//! The mark of a file whose ledger has moved to a server. No dsr uses such a file: one without the
//! mark's meaning finds a format that is too new.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use super::set_back;
use crate::ledger::audit::Anchor;
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Access, Connection, ServerPlace};
use crate::ledger::place::{self, SharedLedger};
use crate::ledger::{Ledger, LedgerError, refuse_what_others_share, sql};

/// Added to the format of a file. Larger than any format.
const MOVED: i64 = 1_000_000;

/// Where a ledger went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveMark {
    /// The server's address.
    pub to: String,
    /// The entry of the move, which the server has unless the move was interrupted.
    pub head: Anchor,
    /// This host has seen the entry on a server. Otherwise only the server knows.
    pub is_complete: bool,
}

impl MoveMark {
    /// Why the marked file at `path` is not used.
    pub fn refusal(self, path: &dyn Display) -> LedgerError {
        match self.is_complete {
            true => LedgerError::Moved(self.to),
            false => LedgerError::MoveUnfinished {
                path: path.to_string(),
                to: self.to,
            },
        }
    }

    /// Whether the ledger went to this server, whoever the user is.
    pub(crate) fn is_to(&self, shared: &SharedLedger) -> bool {
        ServerPlace::parse(&self.to).is_ok_and(|to| to.without_user() == shared.without_user())
    }
}

/// The mark of the file at `path`, if it has one.
///
/// # Errors
/// When the file cannot be read, or is not private.
pub fn find_mark(path: &Path) -> Result<Option<MoveMark>, LedgerError> {
    refuse_what_others_share(path)?;
    let conn = Connection::open(path, Access::ReadOnly)?;
    find(&conn)
}

pub(crate) fn find(conn: &Connection) -> Result<Option<MoveMark>, LedgerError> {
    if conn.schema_version()? < MOVED || !conn.has_table("moved")? {
        return Ok(None);
    }
    let sql = "SELECT ledger, head, (SELECT hash FROM audit WHERE seq = 1) FROM moved";
    let found = sql::find(conn, sql, [], |row| {
        Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get(2)?))
    })?;
    let mark = found.and_then(|(to, head, identity): (_, _, Option<String>)| {
        let head: Anchor = head.parse().ok()?;
        let seen = seen_on_server(conn, &identity?);
        Some(MoveMark {
            to,
            is_complete: seen.is_some_and(|seen| seen.count >= head.count),
            head,
        })
    });
    let mark = mark.ok_or_else(|| unreadable("where the ledger has moved"))?;
    Ok(Some(mark))
}

impl Ledger {
    /// Whether this is a file whose trail this host has seen on a server: a copy from before the
    /// move.
    pub fn goes_on_at_a_server(&self) -> Result<bool, LedgerError> {
        if self.conn.file().is_none() || !self.conn.has_table("audit")? {
            return Ok(false);
        }
        let sql = "SELECT hash FROM audit WHERE seq = 1";
        let identity: Option<String> = sql::find_value(&self.conn, sql, [])?;
        Ok(identity.is_some_and(|identity| seen_on_server(&self.conn, &identity).is_some()))
    }
}

/// The last entry of the file's trail that this host has seen on a server.
fn seen_on_server(conn: &Connection, identity: &str) -> Option<Anchor> {
    let beside = place::beside(conn.file()?.parent()?, identity);
    let seen = fs::read_to_string(beside.with_file_name(set_back::FILE)).ok()?;
    seen.trim_end().parse().ok()
}

/// Marks a file, in the caller's transaction.
pub(crate) fn set(conn: &Connection, mark: &MoveMark) -> Result<(), LedgerError> {
    conn.execute_batch("CREATE TABLE moved (ledger TEXT NOT NULL, head TEXT NOT NULL)")?;
    let sql = "INSERT INTO moved (ledger, head) VALUES ($1, $2)";
    sql::execute(conn, sql, [&mark.to, &mark.head.to_string()])?;
    Ok(conn.set_schema_version(conn.schema_version()? + MOVED)?)
}

/// A table that only copies of a server's ledger have.
const COPY: &str = "copied_from_server";

/// Marks a copy of a server's ledger: it can be read, and nothing is written to it. Otherwise two
/// ledgers could send the same job.
pub(crate) fn mark_copy(conn: &Connection) -> Result<(), LedgerError> {
    Ok(conn.execute_batch(&format!("CREATE TABLE {COPY} (note TEXT)"))?)
}

pub(crate) fn is_copy(conn: &Connection) -> Result<bool, LedgerError> {
    Ok(conn.has_table(COPY)?)
}

/// Takes the mark away, in the caller's transaction.
pub(crate) fn clear(conn: &Connection) -> Result<(), LedgerError> {
    conn.execute_batch("DROP TABLE moved")?;
    Ok(conn.set_schema_version(conn.schema_version()? - MOVED)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_dsr_that_has_the_file_open_no_longer_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open(&path, Duration::ZERO).unwrap();
        if ledger.conn.skips_files("a server's ledger is not marked") {
            return;
        }
        let mut other = Ledger::open(&path, Duration::ZERO).unwrap();
        drop(other.write().unwrap());
        let mark = MoveMark {
            to: "postgres://dsr@db.example:5432/dsr".to_owned(),
            head: format!("2:{}", "0a".repeat(32)).parse().unwrap(),
            is_complete: false,
        };
        let tx = ledger.conn.write().unwrap();
        set(&tx, &mark).unwrap();
        tx.commit().unwrap();
        let refused =
            |result| matches!(result, Err(LedgerError::MoveUnfinished { to, .. }) if to == mark.to);
        assert!(refused(other.write().map(drop)));
        assert!(refused(Ledger::open(&path, Duration::ZERO).map(drop)));
        assert_eq!(find_mark(&path).unwrap().as_ref(), Some(&mark));
        let tx = ledger.conn.write().unwrap();
        clear(&tx).unwrap();
        tx.commit().unwrap();
        drop(other.write().unwrap());
    }
}
