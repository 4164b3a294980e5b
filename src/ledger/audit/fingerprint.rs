use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use sha2::{Digest, Sha256};

use super::AuditEvent;
use super::chain::add_field;
use super::finding::Finding;
use super::rows::last_of;
use super::verify::Audit;
use crate::domain::{RequestId, to_hex};
use crate::ledger::{LedgerError, prepare, suppressed};

/// Tells rows from others: SHA-256 over their columns, each with its length.
#[derive(Default)]
pub(in crate::ledger) struct Fingerprint {
    digest: Sha256,
    rows: u64,
}

impl Fingerprint {
    /// Adds the first so many columns of a row.
    pub(in crate::ledger) fn add(
        &mut self,
        row: &Row<'_>,
        columns: usize,
    ) -> Result<(), LedgerError> {
        let mut bytes = Vec::new();
        for column in 0..columns {
            // A damaged ledger is told of by what reads it, not here.
            let text = match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(blob) => Some(to_hex(blob)),
            };
            add_field(&mut bytes, text.as_deref());
        }
        self.digest.update(&bytes);
        self.rows += 1;
        Ok(())
    }

    /// 64 lower-case hex digits; `None` without a row.
    pub(in crate::ledger) fn finish(self) -> Option<String> {
        (self.rows > 0).then(|| to_hex(&self.digest.finalize()))
    }

    /// The same, of no rows as well.
    pub(super) fn of_all(self) -> String {
        to_hex(&self.digest.finalize())
    }
}

/// People of purged requests are those that the trail says stayed.
pub(super) fn check_suppressed(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let mut requests: BTreeSet<RequestId> = suppressed::list_requests(conn)?.into_iter().collect();
    {
        let sql = "SELECT request FROM audit WHERE event = 'request_purged'
                   AND request IS NOT NULL AND details LIKE '%\"suppressed\"%'";
        let mut statement = prepare(conn, sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            requests.insert(RequestId::restore(row.get(0)?));
        }
    }
    for request in requests {
        let told = last_of(conn, &request, AuditEvent::RequestPurged)?.unwrap_or_default();
        let stands = suppressed::fingerprint(conn, &request)?;
        if told["suppressed"].as_str() != stands.as_deref() {
            let what = "its people on the suppression list".to_owned();
            audit.find(Finding::RequestDiffers { request, what });
        }
    }
    Ok(())
}
