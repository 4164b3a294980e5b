use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::chain::NOTHING_BEFORE;
use super::fingerprint::Fingerprint;
use super::{AuditEvent, Opening, Subject, append, sealed};
use crate::ledger::{LedgerError, prepare};

/// What the digest of earlier records is made of, in this order.
const REQUESTS: &str = "SELECT id, kind, law, disclosure, project, project_key, region, reference,
     received, due, created, source, ids_read, ids_unique, ids_excluded
     FROM requests ORDER BY id";
const JOBS: &str =
    "SELECT request, number, state, ids_count, attempts, task_id, linked, abandoned_at
     FROM jobs ORDER BY request, number";

/// Begins the trail, in the transaction that makes its tables: what was there before is counted,
/// and not covered.
pub(in crate::ledger) fn start(conn: &Connection, opening: &Opening) -> Result<(), LedgerError> {
    let count = |sql: &str| -> Result<i64, LedgerError> {
        Ok(prepare(conn, sql)?.query_row([], |row| row.get(0))?)
    };
    let mut digest = Fingerprint::default();
    for sql in [REQUESTS, JOBS] {
        add_rows(conn, sql, &mut digest)?;
    }
    let digest = digest.of_all();
    let details = json!({
        // Two trails never have an entry in common.
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
    });
    prepare(conn, "INSERT INTO audit_head (count, hash) VALUES (0, $1)")?
        .execute(params![NOTHING_BEFORE])?;
    let event = AuditEvent::TrailStarted;
    let raw = sealed(opening, event, Subject::Ledger, &details, opening.now, 0);
    append(conn, &raw, NOTHING_BEFORE)
}

fn add_rows(conn: &Connection, sql: &str, rows: &mut Fingerprint) -> Result<(), LedgerError> {
    let mut statement = prepare(conn, sql)?;
    let columns = statement.column_count();
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        rows.add(row, columns)?;
    }
    Ok(())
}
