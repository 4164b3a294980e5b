//! When people were told the result of their requests, as operators recorded it. The last record
//! counts; the trail keeps all.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use crate::domain::RequestId;

use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{day, format_time, moment};
use crate::ledger::engine::{Connection, params, params_from_iter};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// What a recorded answer changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerChange {
    pub day: NaiveDate,
    pub day_before: Option<NaiveDate>,
    /// The ledger's first answer: from now on it reminds of missing answers.
    pub is_first: bool,
    /// The same was recorded before; nothing was written.
    pub is_repeated: bool,
}

/// The answer to a person, as the operator recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRecord {
    /// The operator's local day, by which the law counts.
    pub day: NaiveDate,
    pub manner: Option<String>,
    pub at: DateTime<Utc>,
}

impl Ledger {
    /// Records when a person was told, and replaces an earlier record. Keeps the earlier manner
    /// unless the answer has a new one.
    pub fn record_answer(
        &mut self,
        request: &RequestId,
        answer: &AnswerRecord,
    ) -> Result<AnswerChange, LedgerError> {
        let tx = self.write()?;
        audit::demand_held(&tx, request)?;
        let is_first = !sql::exists(&tx, "SELECT 1 FROM answers", [])?;
        let before = list(&tx, "id = $1", &[request.as_str()])?.remove(request);
        let manner_before = before.as_ref().and_then(|before| before.manner.as_ref());
        let manner = answer.manner.as_ref().or(manner_before);
        let day_before = before.as_ref().map(|before| before.day);
        let change = AnswerChange {
            day: answer.day,
            day_before,
            is_first,
            is_repeated: day_before == Some(answer.day) && manner == manner_before,
        };
        if change.is_repeated {
            return Ok(change);
        }
        let sql = "INSERT INTO answers (request, day, manner, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (request) DO UPDATE SET day = excluded.day,
                 manner = excluded.manner, at = excluded.at";
        prepare(&tx, sql)?.execute(params![
            request.as_str(),
            answer.day.to_string(),
            manner,
            format_time(answer.at),
        ])?;
        // The words may name a person, and the trail keeps its contents forever.
        let details = json!({
            "day": answer.day.to_string(),
            "day_before": day_before.map(|day| day.to_string()),
            "manner": match (manner_before, manner) {
                (_, None) => "none",
                (None, Some(_)) => "recorded",
                (Some(before), Some(manner)) if before == manner => "kept",
                (Some(_), Some(_)) => "changed",
            },
        });
        let (event, subject) = (AuditEvent::AnswerRecorded, EntrySubject::Request(request));
        audit::tell(&tx, event, subject, details, answer.at)?;
        tx.commit()?;
        Ok(change)
    }
}

pub(crate) fn list(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, AnswerRecord>, LedgerError> {
    let sql = format!(
        "SELECT request, day, manner, at FROM answers
             WHERE request IN (SELECT id FROM requests WHERE {condition})"
    );
    sql::list(conn, &sql, params_from_iter(values), |row| {
        let answer = AnswerRecord {
            day: day(row, "day")?,
            manner: row.get("manner")?,
            at: moment(row, "at")?,
        };
        Ok((RequestId::restore(row.get("request")?), answer))
    })
}
