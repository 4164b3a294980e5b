//! Copies every row of a ledger into a new one, on whichever engine.

use crate::domain::{JobId, RequestId};
use crate::ledger::LedgerError;
use crate::ledger::audit;
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Connection, EngineError, Value, params};
use crate::ledger::seal::Seal;
use crate::ledger::sql;

/// The tables of a ledger, those first that others refer to.
pub(crate) const TABLES: &[&str] = &[
    "requests",
    "jobs",
    "payloads",
    "attempts",
    "steps",
    "downloads",
    "extensions",
    "answers",
    "plans",
    "approvals",
    "ingestions",
    "ingestion_batches",
    "pace",
    "learned",
    "rejected_tokens",
    "people",
    "people_key",
    "suppressed",
    "purges",
    "audit",
];

#[cfg(test)]
const NOT_COPIED: &[(&str, &str)] = &[
    (
        "audit_head",
        "every writer waits for its row, so the row stays and changes",
    ),
    ("payloads_aside", "empty except for moments"),
    ("sharing", "about the server, not about the ledger"),
];

/// Replaces the rows of `to` by those of `from`. Both are in one transaction each. Ids are sealed
/// on their way to a server, and stay sealed on the way from it.
///
/// # Errors
/// When `to` has other counts of rows afterwards, or cannot hold a value.
pub(crate) fn copy(from: &Connection, to: &Connection) -> Result<(), LedgerError> {
    for table in TABLES.iter().rev() {
        to.execute_batch(&format!("DELETE FROM {table}"))?;
    }
    let seal = match (from.lazy_seal(), to.lazy_seal()) {
        (None, Some(lazy)) => Some(lazy.get().map_err(LedgerError::NoKey)?),
        _ => None,
    };
    for table in TABLES {
        let seal = seal.filter(|_| *table == "payloads");
        from.with_rows(table, |columns, rows| {
            let mut rows = rows.map(|row| match seal {
                Some(seal) => sealed(seal, columns, carried(table, row)?),
                None => carried(table, row),
            });
            to.fill(table, columns, &mut rows)
        })?;
        let count = format!("SELECT COUNT(*) FROM {table}");
        let [had, has]: [Result<i64, _>; 2] = [from, to].map(|conn| sql::value(conn, &count, []));
        if had? != has? {
            return Err(unreadable(&format!("rows of the table `{table}`")));
        }
    }
    let head = audit::find_head(from)?.ok_or_else(|| unreadable("the audit trail's head"))?;
    let count = i64::try_from(head.count).unwrap_or(i64::MAX);
    let sql = "UPDATE audit_head SET count = $1, hash = $2";
    sql::execute(to, sql, params![count, head.hash])
}

/// A row of `payloads` as a server has it.
fn sealed(seal: &Seal, columns: &[String], mut row: Vec<Value>) -> Result<Vec<Value>, LedgerError> {
    let [
        Value::Text(request),
        Value::Integer(number),
        Value::Blob(packed),
    ] = &mut row[..]
    else {
        return Err(unreadable("the ids of a job"));
    };
    debug_assert_eq!(columns, ["request", "number", "packed"]);
    let job = JobId {
        request: RequestId::restore(request.clone()),
        number: u32::try_from(*number).map_err(|_| unreadable("the number of a job"))?,
    };
    *packed = seal.seal(&job, std::mem::take(packed));
    Ok(row)
}

/// A row that the other ledger can hold.
fn carried(table: &str, row: Result<Vec<Value>, EngineError>) -> Result<Vec<Value>, LedgerError> {
    let row = row?;
    let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    match row.iter().any(has_nul) {
        true => Err(unreadable(&format!(
            "a text with a NUL character in the table `{table}`, which no server can hold"
        ))),
        false => Ok(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_copied_or_says_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = crate::ledger::Ledger::open(&path, std::time::Duration::ZERO).unwrap();
        let not = NOT_COPIED.iter().map(|(table, _)| *table);
        let mut known: Vec<&str> = TABLES.iter().copied().chain(not).collect();
        known.sort_unstable();
        assert_eq!(ledger.conn.list_tables(), known);
    }
}
