//! Extensions of the time to answer, with the reason: at most one for each request.

use std::collections::HashMap;

use serde_json::json;

use crate::domain::{Extension, RequestId};

use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{day, format_time, moment};
use crate::ledger::engine::{Connection, params, params_from_iter};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// The result of extending a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extended {
    Recorded,
    /// It was extended before; nothing changed.
    There(Extension),
}

impl Ledger {
    /// Records an extension and moves the due date in one transaction, unless the request was
    /// extended before.
    pub fn record_extension(
        &mut self,
        request: &RequestId,
        extension: &Extension,
    ) -> Result<Extended, LedgerError> {
        let tx = self.write()?;
        audit::demand_held(&tx, request)?;
        let mut found = list(&tx, "id = $1", &[request.as_str()])?;
        if let Some(there) = found.remove(request) {
            return Ok(Extended::There(there));
        }
        let sql = "INSERT INTO extensions (request, at, day, reason, due_before, due_after)
             VALUES ($1, $2, $3, $4, $5, $6)";
        prepare(&tx, sql)?.execute(params![
            request.as_str(),
            format_time(extension.at),
            extension.day.to_string(),
            extension.reason,
            extension.due_before.to_string(),
            extension.due_after.to_string(),
        ])?;
        let sql = "UPDATE requests SET due = $1 WHERE id = $2";
        sql::execute(
            &tx,
            sql,
            params![extension.due_after.to_string(), request.as_str()],
        )?;
        // The words may name a person, and the trail keeps its contents forever.
        let details = json!({
            "day": extension.day.to_string(),
            "due_before": extension.due_before.to_string(),
            "due_after": extension.due_after.to_string(),
        });
        let (event, subject) = (AuditEvent::RequestExtended, EntrySubject::Request(request));
        audit::tell(&tx, event, subject, details, extension.at)?;
        tx.commit()?;
        Ok(Extended::Recorded)
    }
}

pub(crate) fn list(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, Extension>, LedgerError> {
    let sql = format!(
        "SELECT request, at, day, reason, due_before, due_after FROM extensions
             WHERE request IN (SELECT id FROM requests WHERE {condition})"
    );
    sql::list(conn, &sql, params_from_iter(values), |row| {
        let extension = Extension {
            at: moment(row, "at")?,
            day: day(row, "day")?,
            reason: row.get("reason")?,
            due_before: day(row, "due_before")?,
            due_after: day(row, "due_after")?,
        };
        Ok((RequestId::restore(row.get("request")?), extension))
    })
}
