//! Reads the last entries and compares the rows with them.

use serde_json::{Value, json};

use super::{AuditEvent, EntrySubject, evidence};
use crate::domain::RequestId;
use crate::ledger::LedgerError;
use crate::ledger::engine::{Connection, Row, params};
use crate::ledger::sql;

/// Whether a subject's rows match its last entry.
pub(crate) fn is_held(
    conn: &Connection,
    subject: EntrySubject<'_>,
    last: Option<&Value>,
) -> Result<bool, LedgerError> {
    let digest = last.and_then(|last| last.get(evidence::KEY));
    Ok(digest == Some(&json!(evidence::digest_of(conn, subject)?)))
}

/// The difference to report if no readable fact of an entry differs.
pub(crate) const OTHER_ROWS: &str = "a value that the trail has only in its digest";

pub(crate) fn last_of(
    conn: &Connection,
    request: &RequestId,
    event: AuditEvent,
) -> Result<Option<Value>, LedgerError> {
    let sql = "SELECT details FROM audit WHERE request = $1 AND job IS NULL AND event = $2
         ORDER BY seq DESC LIMIT 1";
    sql::find(
        conn,
        sql,
        params![request.as_str(), event.as_str()],
        |row| Ok(object(row, 0)),
    )
}

pub(crate) fn last_entry(
    conn: &Connection,
    subject: EntrySubject<'_>,
) -> Result<Option<Value>, LedgerError> {
    let (request, job) = match subject {
        EntrySubject::Ledger => (None, None),
        EntrySubject::Request(request) => (Some(request), None),
        EntrySubject::Job(job) => (Some(&job.request), Some(job.number)),
    };
    let sql = "SELECT details FROM audit
         WHERE request IS NOT DISTINCT FROM $1 AND job IS NOT DISTINCT FROM $2
         ORDER BY seq DESC LIMIT 1";
    sql::find(
        conn,
        sql,
        params![request.map(RequestId::as_str), job],
        |row| Ok(object(row, 0)),
    )
}

/// An unreadable value becomes null, which matches nothing.
pub(crate) fn object(row: &Row<'_>, place: usize) -> Value {
    let text = row.get_ref(place).ok();
    let text = text.and_then(|text| text.as_str().ok());
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
