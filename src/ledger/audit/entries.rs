//! Reads the trail.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::chain::{COLUMNS, RawEntry};
use crate::domain::RequestId;
use crate::domain::timestamp::time;
use crate::ledger::columns::{parse_time, unreadable};
use crate::ledger::engine::{Connection, Params, params};
use crate::ledger::sql;
use crate::ledger::{Ledger, LedgerError};

/// An entry of the trail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Counts from 1, without gaps.
    #[serde(rename = "entry")]
    pub sequence: u64,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    pub user: String,
    pub host: String,
    pub command: String,
    /// The version of the dsr that appended it.
    pub version: String,
    /// A word of [`super::AuditEvent::as_str`], or of a newer dsr.
    pub event: String,
    #[serde(rename = "request_id")]
    pub request: Option<RequestId>,
    pub job: Option<u32>,
    /// A JSON object that depends on the event.
    pub details: Value,
    /// 64 lower-case hex digits.
    pub hash: String,
}

/// Which entries to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// At most this many of the last entries.
    Last(usize),
    Of(&'a RequestId),
}

/// Entries in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries {
    pub list: Vec<AuditEntry>,
    /// How many earlier entries the trail has.
    pub earlier: u64,
}

impl Ledger {
    /// Lists entries of the trail without verifying them.
    pub fn list_entries(&self, chosen: Chosen<'_>) -> Result<Entries, LedgerError> {
        let view = self.conn.view()?;
        match chosen {
            Chosen::Of(request) => {
                let sql =
                    format!("SELECT {COLUMNS} FROM audit WHERE request = $1 ORDER BY seq DESC");
                let list = select(&view, &sql, params![request.as_str()])?;
                Ok(Entries { list, earlier: 0 })
            }
            Chosen::Last(most) => {
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT $1");
                let list = select(&view, &sql, params![most])?;
                let first = list.first().map_or(1, |entry| entry.sequence);
                Ok(Entries {
                    list,
                    earlier: first.saturating_sub(1),
                })
            }
        }
    }

    /// At most two requests in the trail whose ids begin so, even purged ones.
    pub fn list_audited(&self, beginning: &str) -> Result<Vec<RequestId>, LedgerError> {
        let sql = "SELECT DISTINCT request FROM audit
             WHERE request >= $1 AND substr(request, 1, length($1)) = $1
             ORDER BY request LIMIT 2";
        sql::list(&self.conn, sql, [beginning], |row| {
            Ok(RequestId::restore(row.get(0)?))
        })
    }
}

/// Selects the last entries first, and returns them in order.
fn select(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Vec<AuditEntry>, LedgerError> {
    let mut list: Vec<_> = sql::list(conn, sql, values, |row| {
        let read = RawEntry::read(row).and_then(|(raw, hash)| entry(raw, hash));
        read.ok_or_else(|| unreadable("an entry of the audit trail"))
    })?;
    list.reverse();
    Ok(list)
}

fn entry(raw: RawEntry, hash: String) -> Option<AuditEntry> {
    Some(AuditEntry {
        sequence: u64::try_from(raw.seq).ok()?,
        at: parse_time(&raw.at).ok()?,
        user: raw.user,
        host: raw.host,
        command: raw.command,
        version: raw.version,
        event: raw.event,
        request: raw.request.map(RequestId::restore),
        job: raw.job.map(u32::try_from).transpose().ok()?,
        details: serde_json::from_str(&raw.details).ok()?,
        hash,
    })
}
