//! What the last entries say, and whether the rows are as they say.

use rusqlite::{Connection, Row, params};
use serde_json::{Value, json};

use super::{AuditEvent, EntrySubject, evidence};
use crate::domain::RequestId;
use crate::ledger::LedgerError;
use crate::ledger::sql;

/// Whether a subject's rows are those of its last entry; `None` where that entry is of a dsr that
/// took no digest of rows.
pub(crate) fn is_held(
    conn: &Connection,
    subject: EntrySubject<'_>,
    last: Option<&Value>,
) -> Result<Option<bool>, LedgerError> {
    match last.and_then(|last| last.get(evidence::KEY)) {
        Some(digest) => Ok(Some(json!(evidence::digest_of(conn, subject)?) == *digest)),
        None => Ok(None),
    }
}

/// What is said where no readable fact of an entry is another one.
pub(crate) const OTHER_ROWS: &str = "a value that the trail has only in its digest";

/// The details of the last entry of this kind about a request.
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

/// The details of the last entry about a subject.
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

/// What cannot be read says nothing: then nothing is as it says.
pub(crate) fn object(row: &Row<'_>, place: usize) -> Value {
    let text = row.get_ref(place).ok();
    let text = text.and_then(|text| text.as_str().ok());
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
