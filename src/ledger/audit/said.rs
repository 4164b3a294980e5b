//! Reads the last entries and compares the rows with them.

use serde_json::{Value, json};

use super::{AuditEvent, EntrySubject, evidence, value};
use crate::domain::RequestId;
use crate::ledger::LedgerError;
use crate::ledger::engine::{Connection, Row, params};
use crate::ledger::sql::{self, prepare};

/// Whether a subject's rows match its last entry.
pub(crate) fn is_held(
    conn: &Connection,
    subject: EntrySubject<'_>,
    last: Option<&Value>,
) -> Result<bool, LedgerError> {
    let digest = last.and_then(|last| last.get(evidence::KEY));
    Ok(digest == Some(&json!(evidence::digest_of(conn, subject)?)))
}

/// Fails if the rows of a request are not as its last entry sealed them. The next entry would seal
/// whatever was changed behind the ledger's back.
pub(crate) fn demand_held(conn: &Connection, request: &RequestId) -> Result<(), LedgerError> {
    let subject = EntrySubject::Request(request);
    match is_held(conn, subject, last_entry(conn, subject)?.as_ref())? {
        true => Ok(()),
        false => Err(LedgerError::OtherRequest(request.clone())),
    }
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
    let (request, job) = subject.places();
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

/// The days of a request's answer and extension that differ from their entries.
pub(crate) fn said_otherwise(
    conn: &Connection,
    request: &RequestId,
) -> Result<Vec<String>, LedgerError> {
    let answer = [("day", "the day")];
    let extension = [
        ("day", "the day"),
        ("due_before", "the due date before"),
        ("due_after", "the due date after"),
    ];
    let (answered, extended) = (AuditEvent::AnswerRecorded, AuditEvent::RequestExtended);
    let mut wrong = Vec::new();
    for (event, table, name, columns) in [
        (answered, "answers", "its answer", &answer[..]),
        (extended, "extensions", "its extension", &extension[..]),
    ] {
        let told = last_of(conn, request, event)?;
        let names = columns.iter().map(|(column, _)| *column);
        let names = names.collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT {names} FROM {table} WHERE request = $1");
        let mut statement = prepare(conn, &sql)?;
        let mut rows = statement.query([request.as_str()])?;
        match (told, rows.next()?) {
            (None, None) => {}
            (Some(_), None) => wrong.push(format!("{name} is missing")),
            (None, Some(_)) => wrong.push(format!("the trail does not have {name}")),
            (Some(told), Some(row)) => {
                for (column, what) in columns {
                    let (stands, told) = (value(row.get_ref(*column)?), &told[*column]);
                    if stands != *told {
                        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
                        let (stands, told) = (text(&stands), text(told));
                        wrong.push(format!(
                            "{what} of {name} is {stands}, and the trail has {told}"
                        ));
                    }
                }
            }
        }
    }
    Ok(wrong)
}

/// An unreadable value becomes null, which matches nothing.
pub(crate) fn object(row: &Row<'_>, place: usize) -> Value {
    let text = row.get_ref(place).ok();
    let text = text.and_then(|text| text.as_str().ok());
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
