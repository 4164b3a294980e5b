//! The ingestion API, which takes records in batches: what an answer to an import means. Reads
//! strictly: an answer that does not add up never counts as "taken".

pub mod client;
mod deletion;

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{DistinctId, RefusedField, RefusedRecord};

use super::classify::{Answered, Exchange, WEB_PAGE};
use super::wire::ReplyDocument;
use super::words::{Confidential, Words};

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
    /// Mixpanel's words, without what may be personal.
    pub message: Words,
}

/// The documented answer (OpenAPI description, `StrictReceived` and `StrictInvalid`).
#[derive(Deserialize)]
struct ImportReply {
    code: Option<Value>,
    num_records_imported: Option<u64>,
    #[serde(default)]
    failed_records: Vec<FailedRecord>,
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

fn classify_import(
    exchange: Exchange,
    events: &[OutgoingEvent<'_>],
    confidential: &Confidential<'_>,
) -> ImportAnswer {
    match without_body(exchange) {
        Ok(answered) if matches!(answered.status, 200 | 400) && !answered.looks_like_html() => {
            read(&answered, events, confidential)
        }
        Ok(answered) => by_status(&answered, confidential),
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
fn by_status(answered: &Answered, confidential: &Confidential<'_>) -> ImportAnswer {
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
        _ if answered.looks_like_html() => unclear(WEB_PAGE),
        401 | 403 => ImportAnswer::NotAllowed {
            http_status: status,
        },
        413 => ImportAnswer::TooLarge,
        400..=499 => refused(answered, confidential),
        300..=399 => unclear("a redirect came, which dsr does not follow"),
        _ => unclear("Mixpanel's answer does not say what it took"),
    }
}

fn refused(answered: &Answered, confidential: &Confidential<'_>) -> ImportAnswer {
    let said = answered.said(ReplyDocument::parse(&answered.body).as_ref());
    ImportAnswer::Refused {
        http_status: answered.status,
        message: shown(&said, confidential),
    }
}

/// A 200 or a 400, which must add up.
fn read(
    answered: &Answered,
    events: &[OutgoingEvent<'_>],
    confidential: &Confidential<'_>,
) -> ImportAnswer {
    let status = answered.status;
    let unclear = |what| ImportAnswer::Unclear {
        reason: Words::on_status(what, status),
    };
    let Ok(reply) = serde_json::from_slice::<ImportReply>(&answered.body) else {
        return match status {
            400 if ReplyDocument::parse(&answered.body)
                .is_some_and(|document| !document.has("failed_records")) =>
            {
                refused(answered, confidential)
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
        (400, true) => return refused(answered, confidential),
        _ => {}
    }
    let expected = events.len().saturating_sub(reply.failed_records.len());
    let Some(refused) = checked(&reply.failed_records, events, confidential) else {
        return unclear("Mixpanel's answer names events that were not sent");
    };
    match reply.num_records_imported {
        Some(taken) if taken != expected as u64 => ImportAnswer::Miscounted { taken, expected },
        _ => ImportAnswer::Taken { refused },
    }
}

/// `None` unless each record is one of the batch, named once.
fn checked(
    failed: &[FailedRecord],
    events: &[OutgoingEvent<'_>],
    confidential: &Confidential<'_>,
) -> Option<Vec<RefusedEvent>> {
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
            message: shown(&record.message, confidential),
        });
    }
    refused.sort_by_key(|refused| refused.record.index);
    Some(refused)
}

/// Mixpanel's words, unless they may quote a person.
fn shown(said: &str, confidential: &Confidential<'_>) -> Words {
    match said.contains('@') {
        true => Words::ours("the server's message was withheld: it may hold an e-mail address"),
        false => confidential.words(said),
    }
}

#[cfg(test)]
mod tests;
