use serde_json::json;
use uuid::Uuid;

use super::chain::NOTHING_BEFORE;
use super::evidence::{KEY, digest_of};
use super::{AuditEvent, EntrySubject, Opening, append, sealed};
use crate::ledger::LedgerError;
use crate::ledger::engine::{Connection, params};
use crate::ledger::sql;

/// Begins the trail in the transaction that creates its tables.
pub(crate) fn start(conn: &Connection, opening: &Opening) -> Result<(), LedgerError> {
    let details = json!({
        // So two trails never share an entry.
        "trail": Uuid::new_v4().to_string(),
        KEY: digest_of(conn, EntrySubject::Ledger)?,
    });
    let sql = "INSERT INTO audit_head (count, hash) VALUES (0, $1)";
    sql::execute(conn, sql, params![NOTHING_BEFORE])?;
    let (event, subject) = (AuditEvent::TrailStarted, EntrySubject::Ledger);
    let now = conn.time().unwrap_or(opening.now);
    let raw = sealed(opening, event, subject, &details, now, 0);
    append(conn, &raw, NOTHING_BEFORE).map(drop)
}
