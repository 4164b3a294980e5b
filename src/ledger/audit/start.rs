use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::chain::{NOTHING_BEFORE, add_field};
use super::evidence::{KEY, digest_of};
use super::{AuditEvent, EntrySubject, Opening, append, sealed};
use crate::domain::to_hex;
use crate::ledger::LedgerError;
use crate::ledger::engine::{Connection, ValueRef, params};
use crate::ledger::sql::{self, prepare};

/// The records before the trail that go into its digest, in this order.
const REQUESTS: &str = "SELECT id, kind, law, disclosure, project, project_key, region, reference,
     received, due, created, source, ids_read, ids_unique, ids_excluded
     FROM requests ORDER BY id";
const JOBS: &str =
    "SELECT request, number, state, ids_count, attempts, task_id, linked, abandoned_at
     FROM jobs ORDER BY request, number";

/// Begins the trail in the transaction that creates its tables. Earlier records are counted but not
/// covered.
pub(crate) fn start(conn: &Connection, opening: &Opening) -> Result<(), LedgerError> {
    let count = |sql: &str| -> Result<i64, LedgerError> { sql::value(conn, sql, []) };
    let mut digest = Sha256::new();
    for sql in [REQUESTS, JOBS] {
        add_rows(conn, sql, &mut digest)?;
    }
    let digest = to_hex(&digest.finalize());
    let details = json!({
        // So two trails never share an entry.
        "trail": Uuid::new_v4().to_string(),
        "before": {
            "requests": count("SELECT COUNT(*) FROM requests")?,
            "jobs": count("SELECT COUNT(*) FROM jobs")?,
            "attempts": count("SELECT COUNT(*) FROM attempts")?,
            "downloads": count("SELECT COUNT(*) FROM downloads")?,
            "extensions": count("SELECT COUNT(*) FROM extensions")?,
            "purges": count("SELECT COUNT(*) FROM purges")?,
            "digest": digest,
        },
        KEY: digest_of(conn, EntrySubject::Ledger)?,
    });
    let sql = "INSERT INTO audit_head (count, hash) VALUES (0, $1)";
    sql::execute(conn, sql, params![NOTHING_BEFORE])?;
    let event = AuditEvent::TrailStarted;
    let raw = sealed(
        opening,
        event,
        EntrySubject::Ledger,
        &details,
        opening.now,
        0,
    );
    append(conn, &raw, NOTHING_BEFORE)
}

/// Gives every request a salt for the digests of its rows.
pub(crate) fn salt(conn: &Connection) -> Result<(), LedgerError> {
    let mut statement = prepare(conn, "SELECT id FROM requests WHERE rows_salt IS NULL")?;
    let ids: Vec<String> = statement.list([], |row| row.get(0))?;
    for id in ids {
        let sql = "UPDATE requests SET rows_salt = $1 WHERE id = $2";
        sql::execute(conn, sql, params![Uuid::new_v4().simple().to_string(), id])?;
    }
    Ok(())
}

fn add_rows(conn: &Connection, sql: &str, digest: &mut Sha256) -> Result<(), LedgerError> {
    let mut statement = prepare(conn, sql)?;
    let columns = statement.column_names().len();
    let mut rows = statement.query([])?;
    let mut bytes = Vec::new();
    while let Some(row) = &rows.next()? {
        bytes.clear();
        for column in 0..columns {
            // Whoever reads a damaged value reports it.
            let text = match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
            };
            add_field(&mut bytes, text.as_deref());
        }
        digest.update(&bytes);
    }
    Ok(())
}
