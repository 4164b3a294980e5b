//! The ingestion API, which takes records in batches: what an answer to an import means. Reads
//! strictly: an answer that does not add up never counts as "taken".

pub mod client;
mod deletion;
mod reasons;

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{DistinctId, RefusedField, RefusedRecord};

use super::classify::{Answered, Exchange, WEB_PAGE};
use super::wire::ReplyDocument;
use super::words::Words;

pub use deletion::{MOST_DELETION_BYTES, MOST_PROFILES, deletion_bytes};

/// The most events of one call (Mixpanel's import reference).
pub const MOST_EVENTS: usize = 2000;

/// The most bytes of one call, unpacked. Mixpanel's limit is 10 MB; this leaves a margin.
pub const MOST_IMPORT_BYTES: usize = 9_000_000;

/// An event of a batch, and what its answer is compared with.
#[derive(Debug, Clone)]
pub struct OutgoingEvent<'e> {
    /// One JSON object.
    pub json: &'e [u8],
    pub id: DistinctId,
    pub insert_id: String,
}

/// What an answer to an import of a batch means.
#[derive(Debug, PartialEq, Eq)]
pub enum ImportAnswer {
    /// Mixpanel took the batch, except for these events.
    Taken { refused: Vec<RefusedEvent> },
    /// Mixpanel took the batch, and does not say how many records that was. Never for imports.
    Uncounted,
    /// No connection was made, or 429: Mixpanel took nothing.
    NotTaken {
        retry_after: Option<Duration>,
        reason: Words,
    },
    /// Mixpanel may have taken the batch; the same call later shows it.
    Lost {
        retry_after: Option<Duration>,
        reason: Words,
    },
    /// 413.
    TooLarge,
    /// 401 or 403.
    NotAllowed { http_status: u16 },
    /// Mixpanel took nothing, and would refuse the same again.
    Refused { http_status: u16, message: Words },
    /// Mixpanel says that it took another number of events than it should have.
    Miscounted { taken: u64, expected: usize },
    /// The answer cannot be relied on.
    Unclear { reason: Words },
}

/// An event that Mixpanel refused by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct RefusedEvent {
    pub record: RefusedRecord,
    /// Why, if Mixpanel's words are known; never those words.
    pub message: Words,
}

/// The documented answer (OpenAPI description, `StrictReceived` and `StrictInvalid`).
#[derive(Deserialize)]
struct ImportReply {
    code: Option<Value>,
    num_records_imported: Option<u64>,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    failed_records: Vec<FailedRecord>,
}

impl ImportReply {
    /// Whether a 200 says that something went wrong.
    fn says_failure(&self) -> bool {
        let is_error = |text: &str| text.eq_ignore_ascii_case("error");
        let has_error = !matches!(&self.error, Value::Null | Value::Bool(false));
        self.status == 0
            || self.status.as_str().is_some_and(is_error)
            || has_error && self.error != ""
    }
}

/// The description names the id `insert_id`, the prose `$insert_id`.
#[derive(Deserialize)]
struct FailedRecord {
    index: usize,
    #[serde(alias = "$insert_id")]
    insert_id: Option<String>,
    #[serde(default)]
    field: String,
    #[serde(default)]
    message: String,
}

fn classify_import(exchange: Exchange, events: &[OutgoingEvent<'_>]) -> ImportAnswer {
    match without_body(exchange) {
        Ok(answered) if matches!(answered.status, 200 | 400) && !answered.looks_like_html() => {
            read(&answered, events)
        }
        Ok(answered) => by_status(&answered),
        Err(answer) => answer,
    }
}

/// The answer of an exchange, or what it means that there is none.
fn without_body(exchange: Exchange) -> Result<Answered, ImportAnswer> {
    match exchange {
        Exchange::Answered(answered) => Ok(answered),
        Exchange::NotSent { reason } => Err(ImportAnswer::NotTaken {
            retry_after: None,
            reason,
        }),
        Exchange::Lost { reason, .. } => Err(ImportAnswer::Lost {
            retry_after: None,
            reason,
        }),
    }
}

/// What the status of an answer means whose body is not read.
fn by_status(answered: &Answered) -> ImportAnswer {
    let status = answered.status;
    let unclear = |what| ImportAnswer::Unclear {
        reason: Words::on_status(what, status),
    };
    match status {
        429 => ImportAnswer::NotTaken {
            retry_after: answered.wait(),
            reason: Words::on_status("Mixpanel wants fewer calls", status),
        },
        408 | 500..=599 => ImportAnswer::Lost {
            retry_after: answered.wait(),
            reason: Words::on_status("Mixpanel cannot take it now", status),
        },
        // Proxies say it with a web page.
        413 => ImportAnswer::TooLarge,
        _ if answered.looks_like_html() => unclear(WEB_PAGE),
        401 | 403 => ImportAnswer::NotAllowed {
            http_status: status,
        },
        400..=499 => refused(answered),
        300..=399 => unclear("a redirect came, which dsr does not follow"),
        _ => unclear("Mixpanel's answer does not say what it took"),
    }
}

fn refused(answered: &Answered) -> ImportAnswer {
    let said = answered.said(ReplyDocument::parse(&answered.body).as_ref());
    ImportAnswer::Refused {
        http_status: answered.status,
        message: reasons::known(&said),
    }
}

/// A 200 or a 400, which must add up.
fn read(answered: &Answered, events: &[OutgoingEvent<'_>]) -> ImportAnswer {
    let status = answered.status;
    let unclear = |what| ImportAnswer::Unclear {
        reason: Words::on_status(what, status),
    };
    let Ok(reply) = serde_json::from_slice::<ImportReply>(&answered.body) else {
        return match status {
            400 if ReplyDocument::parse(&answered.body)
                .is_some_and(|document| !document.has("failed_records")) =>
            {
                refused(answered)
            }
            _ => unclear("Mixpanel's answer does not say what it took"),
        };
    };
    let says = reply.code.as_ref().and_then(Value::as_u64);
    if says.is_some_and(|code| code != u64::from(status)) {
        return unclear("Mixpanel's answer contradicts its own status");
    }
    match (status, reply.failed_records.is_empty()) {
        (200, false) => return unclear("Mixpanel says both that it took all, and that it did not"),
        (200, true) if reply.num_records_imported.is_none() => {
            return unclear("Mixpanel's answer does not say what it took");
        }
        (200, true) if reply.says_failure() => {
            return unclear("Mixpanel says both that it took all, and an error");
        }
        (400, true) if reply.num_records_imported.unwrap_or_default() > 0 => {
            return unclear("Mixpanel refused the batch, and says that it took some of it");
        }
        (400, true) => return refused(answered),
        _ => {}
    }
    let expected = events.len().saturating_sub(reply.failed_records.len());
    let Some(refused) = checked(&reply.failed_records, events) else {
        return unclear("Mixpanel's answer names events that were not sent");
    };
    match reply.num_records_imported {
        Some(taken) if taken != expected as u64 => ImportAnswer::Miscounted { taken, expected },
        _ => ImportAnswer::Taken { refused },
    }
}

/// `None` unless each record is one of the batch, named once.
fn checked(failed: &[FailedRecord], events: &[OutgoingEvent<'_>]) -> Option<Vec<RefusedEvent>> {
    let mut refused = Vec::new();
    let mut is_refused = vec![false; events.len()];
    for record in failed {
        let event = events.get(record.index)?;
        let names_it = |id: &String| *id == event.insert_id;
        let twice = std::mem::replace(&mut is_refused[record.index], true);
        if twice || !record.insert_id.as_ref().is_none_or(names_it) {
            return None;
        }
        refused.push(RefusedEvent {
            record: RefusedRecord {
                index: record.index,
                field: RefusedField::parse(&record.field).unwrap_or(RefusedField::Other),
            },
            message: reasons::known(&record.message),
        });
    }
    refused.sort_by_key(|refused| refused.record.index);
    Some(refused)
}

#[cfg(test)]
mod tests;
