//! `delete-profile`: the calls that delete profiles, and what an answer to one means. Their events
//! stay. Reads strictly: what does not add up never counts as taken.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ImportAnswer, RefusedEvent, shown};
use crate::domain::{AliasRule, DistinctId, ProjectToken, RefusedField, RefusedRecord};
use crate::mixpanel::classify::{Answered, Exchange, WEB_PAGE};
use crate::mixpanel::wire::ReplyDocument;
use crate::mixpanel::words::{Confidential, Words};

/// The most profiles of one call. Mixpanel's prose allows 2,000; RudderStack's live integration
/// sends 1,000.
pub const MOST_PROFILES: usize = 1000;

/// The most bytes of one call, far below Mixpanel's limits for other calls.
pub const MOST_DELETION_BYTES: usize = 1_000_000;

/// A record without its id, in bytes.
const RECORD_BYTES: usize = 128;

#[derive(Serialize)]
struct Deletion<'a> {
    #[serde(rename = "$token")]
    token: &'a str,
    #[serde(rename = "$distinct_id")]
    id: &'a str,
    #[serde(rename = "$delete")]
    delete: &'static str,
    #[serde(rename = "$ignore_alias")]
    ignore_alias: bool,
}

pub(super) fn body(token: &ProjectToken, ids: &[DistinctId], rule: AliasRule) -> Vec<u8> {
    let records = ids.iter().map(|id| Deletion {
        token: token.expose(),
        id: id.expose(),
        delete: "",
        ignore_alias: rule == AliasRule::Ignore,
    });
    serde_json::to_vec(&records.collect::<Vec<_>>()).expect("texts are always JSON")
}

/// How many bytes of a call an id takes at most, unless it has many characters that JSON escapes.
pub fn deletion_bytes(id: &str) -> usize {
    id.len() + RECORD_BYTES
}

/// The shapes of a strict and of a verbose answer. The OpenAPI description has neither for this
/// call; those of the others are tolerated.
#[derive(Deserialize)]
struct DeletionReply {
    code: Option<u16>,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    error: Value,
    #[serde(alias = "num_records_imported")]
    num_good_events: Option<u64>,
    #[serde(default)]
    failed_records: Vec<FailedDeletion>,
}

#[derive(Deserialize)]
struct FailedDeletion {
    index: usize,
    #[serde(default)]
    field: String,
    #[serde(default)]
    message: String,
}

pub(super) fn classify(
    exchange: Exchange,
    sent: usize,
    confidential: &Confidential<'_>,
) -> ImportAnswer {
    match super::without_body(exchange) {
        Ok(answered) if matches!(answered.status, 200 | 400) => read(&answered, sent, confidential),
        Ok(answered) => super::by_status(&answered, confidential),
        Err(answer) => answer,
    }
}

fn read(answered: &Answered, sent: usize, confidential: &Confidential<'_>) -> ImportAnswer {
    let http_status = answered.status;
    let unclear = |what| ImportAnswer::Unclear {
        reason: Words::on_status(what, http_status),
    };
    let refused = || ImportAnswer::Refused {
        http_status,
        message: shown(
            &answered.said(ReplyDocument::parse(&answered.body).as_ref()),
            confidential,
        ),
    };
    match (http_status, answered.body.trim_ascii()) {
        (_, body) if body.starts_with(b"<") => return unclear(WEB_PAGE),
        (200, b"1") => return ImportAnswer::Uncounted,
        (200, b"0") => {
            return ImportAnswer::Refused {
                http_status,
                message: Words::ours("it found no valid deletion in the batch"),
            };
        }
        _ => {}
    }
    let Ok(reply) = serde_json::from_slice::<DeletionReply>(&answered.body) else {
        let document = ReplyDocument::parse(&answered.body);
        return match document.filter(|document| !document.has("failed_records")) {
            Some(_) if http_status == 400 => refused(),
            _ => unclear("Mixpanel's answer does not say what it took"),
        };
    };
    let says_failure = reply.status == 0 || reply.status == "error";
    let has_error = !matches!(&reply.error, Value::Null) && reply.error != "";
    let is_other = reply.code.is_some_and(|code| code != http_status);
    match (http_status, reply.failed_records.is_empty()) {
        _ if is_other => unclear("Mixpanel's answer contradicts its own status"),
        (200, false) => unclear("Mixpanel says both that it took all, and that it did not"),
        (200, true) if says_failure => refused(),
        (200, true) if has_error => unclear("Mixpanel says both that it took all, and an error"),
        (200, true) if !(reply.status == 1 || reply.status == "OK" || reply.status == "ok") => {
            unclear("Mixpanel's answer does not say what it took")
        }
        (400, true) => refused(),
        _ => {
            let Some(failed) = checked(&reply.failed_records, sent, confidential) else {
                return unclear("Mixpanel's answer names profiles that were not sent");
            };
            let expected = sent - failed.len();
            match reply.num_good_events {
                Some(taken) if taken != expected as u64 => {
                    ImportAnswer::Miscounted { taken, expected }
                }
                None if failed.is_empty() => ImportAnswer::Uncounted,
                _ => ImportAnswer::Taken { refused: failed },
            }
        }
    }
}

/// `None` unless each record is one of the batch, named once.
fn checked(
    failed: &[FailedDeletion],
    sent: usize,
    confidential: &Confidential<'_>,
) -> Option<Vec<RefusedEvent>> {
    let mut is_refused = vec![false; sent];
    let mut refused = Vec::new();
    for record in failed {
        let before = std::mem::replace(is_refused.get_mut(record.index)?, true);
        if before {
            return None;
        }
        refused.push(RefusedEvent {
            record: RefusedRecord {
                index: record.index,
                field: match record.field.as_str() {
                    "$distinct_id" => RefusedField::DistinctId,
                    _ => RefusedField::Other,
                },
            },
            message: shown(&record.message, confidential),
        });
    }
    refused.sort_by_key(|refused| refused.record.index);
    Some(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> ImportAnswer {
        let sent = || Some(vec![DistinctId::new("person-number-1").unwrap()]);
        let confidential = Confidential {
            tokens: vec!["the-projects-token"],
            sent: &sent,
        };
        let exchange = Exchange::Answered(Answered {
            status,
            retry_after: Some("7".to_owned()),
            date: None,
            body: body.as_bytes().to_vec(),
        });
        classify(exchange, 3, &confidential)
    }

    #[test]
    fn an_answer_counts_as_taken_only_if_it_says_so() {
        let all = ImportAnswer::Taken { refused: vec![] };
        assert_eq!(
            answer(200, r#"{"code":200,"num_good_events":3,"status":"OK"}"#),
            all
        );
        assert_eq!(
            answer(
                200,
                r#"{"code":200,"num_records_imported":3,"status":"OK"}"#
            ),
            all
        );
        for uncounted in [
            "1",
            "1\n",
            r#"{"status":1,"error":null}"#,
            r#"{"status":1,"error":""}"#,
            r#"{"code":200,"status":"OK"}"#,
        ] {
            assert_eq!(
                answer(200, uncounted),
                ImportAnswer::Uncounted,
                "{uncounted}"
            );
        }
        for failed in [
            "0",
            r#"{"status":0,"error":"no"}"#,
            r#"{"status":"error","error":"no"}"#,
        ] {
            let found = answer(200, failed);
            assert!(
                matches!(found, ImportAnswer::Refused { .. }),
                "{failed}: {found:?}"
            );
        }
        for odd in [
            "",
            "2",
            "{}",
            "[]",
            "null",
            "true",
            "<html>",
            r#"{"status":1,"error":"no"}"#,
            r#"{"code":400,"status":"OK"}"#,
            r#"{"error":null}"#,
            r#"{"code":200,"status":"OK","failed_records":[{"index":0}]}"#,
        ] {
            let found = answer(200, odd);
            assert!(
                matches!(found, ImportAnswer::Unclear { .. }),
                "{odd}: {found:?}"
            );
        }
        let miscounted = ImportAnswer::Miscounted {
            taken: 2,
            expected: 3,
        };
        assert_eq!(
            answer(200, r#"{"code":200,"num_good_events":2,"status":"OK"}"#),
            miscounted
        );
    }

    #[test]
    fn failed_records_are_those_of_the_batch() {
        let partly = |records: &str| {
            answer(
                400,
                &format!(
                    r#"{{"code":400,"status":"Bad Request","error":"some","failed_records":[{records}]}}"#
                ),
            )
        };
        let ImportAnswer::Taken { refused } =
            partly(r#"{"index":1,"field":"$distinct_id","message":"person-number-1 is odd"}"#)
        else {
            panic!("the others were taken");
        };
        assert_eq!(
            (refused[0].record.index, refused[0].record.field),
            (1, RefusedField::DistinctId)
        );
        assert!(!refused[0].message.as_str().contains("person-number-1"));
        for odd in [r#"{"index":3}"#, r#"{"index":0},{"index":0}"#] {
            assert!(matches!(partly(odd), ImportAnswer::Unclear { .. }), "{odd}");
        }
        assert!(matches!(partly(""), ImportAnswer::Refused { .. }));
        assert!(matches!(answer(400, "no"), ImportAnswer::Unclear { .. }));
        assert!(matches!(
            answer(400, r#"{"error":"no"}"#),
            ImportAnswer::Refused { .. }
        ));
    }

    #[test]
    fn other_statuses_mean_what_they_mean_for_imports() {
        assert!(matches!(
            answer(429, ""),
            ImportAnswer::NotTaken {
                retry_after: Some(_),
                ..
            }
        ));
        assert!(matches!(answer(503, ""), ImportAnswer::Lost { .. }));
        assert!(matches!(
            answer(401, "{}"),
            ImportAnswer::NotAllowed { http_status: 401 }
        ));
        assert!(matches!(answer(413, ""), ImportAnswer::TooLarge));
        assert!(matches!(answer(302, ""), ImportAnswer::Unclear { .. }));
        assert!(matches!(answer(404, "{}"), ImportAnswer::Refused { .. }));
    }
}
