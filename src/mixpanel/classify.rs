//! The meaning of an exchange, by the table in docs/design/doubt.md. Pure and public, so that any
//! bytes can be tested without a server.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::domain::{Batch, DistinctId, TaskId, TaskStatus};

use super::answer::{CancelAnswer, CreateAnswer, StatusAnswer, TaskAnswer, TokenStanding};
use super::retry_after;
use super::spelling::to_text;
use super::wire::{Conflict, Created, ReplyDocument};
use super::words::{Confidential, Words};

/// How a call ended.
#[derive(Debug)]
pub enum Exchange {
    /// No connection was made.
    NotSent { reason: Words },
    /// It was sent, but no usable answer came back; perhaps its status.
    Lost { status: Option<u16>, reason: Words },
    /// A complete answer.
    Answered(Answered),
}

/// A complete answer with its body.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub retry_after: Option<String>,
    pub date: Option<String>,
    pub body: Vec<u8>,
}

pub(super) const WEB_PAGE: &str = "a web page came back instead of an answer";
/// The most bytes of several task ids to pass on.
const MOST_NAMES: usize = 200;

impl Answered {
    pub(super) fn wait(&self) -> Option<std::time::Duration> {
        retry_after::parse(self.retry_after.as_deref(), self.date.as_deref())
    }

    /// The time of the answer, by the server's clock.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        let time = DateTime::parse_from_rfc2822(self.date.as_deref()?.trim());
        time.ok().map(|time| time.to_utc())
    }

    pub(super) fn looks_like_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        start.starts_with(b"<")
    }

    /// The server's own words. Search them before passing them on as [`Words`].
    pub(super) fn said(&self, document: Option<&ReplyDocument>) -> String {
        match document {
            Some(document) => document.error_text().unwrap_or_default(),
            None => to_text(&self.body),
        }
    }
}

/// The meaning of the answer to a create of `batch`. Its words must not quote `tokens` either.
pub fn create(exchange: Exchange, batch: &Batch, tokens: Vec<&str>) -> CreateAnswer {
    let sent = || Some(batch.ids().to_vec());
    let confidential = &Confidential {
        tokens,
        sent: &sent,
    };
    let answered = match exchange {
        Exchange::NotSent { reason } => return CreateAnswer::NotSent { reason },
        Exchange::Lost {
            status: Some(200..=299),
            reason,
        } => return CreateAnswer::AcceptedUnread { reason },
        Exchange::Lost { reason, .. } => return CreateAnswer::Unknown { reason },
        Exchange::Answered(answered) => answered,
    };
    let document = ReplyDocument::parse(&answered.body);
    let http_status = answered.status;
    match http_status {
        200..=299 => created(&answered, document.as_ref(), confidential),
        429 => CreateAnswer::Deferred {
            retry_after: answered.wait(),
        },
        413 => CreateAnswer::TooLarge {
            message: confidential.words(&answered.said(document.as_ref())),
        },
        408 => CreateAnswer::Unknown {
            reason: Words::on_status("the server gave up waiting for the request", http_status),
        },
        400..=499 if answered.looks_like_html() => CreateAnswer::Unknown {
            reason: Words::on_status(WEB_PAGE, http_status),
        },
        400..=499 => {
            let said = answered.said(document.as_ref());
            let message = confidential.words(&said);
            let conflict = document.and_then(|document| document.conflict());
            // A task whose id must be hidden cannot be linked.
            let conflict = conflict.filter(|conflict| {
                let mut tasks = conflict.tasks.iter();
                !tasks.any(|task| confidential.hides(task))
            });
            if let (409, Some(conflict)) = (http_status, conflict) {
                return conflict_over(batch, conflict);
            }
            match http_status {
                401 | 403 => CreateAnswer::NotAllowed {
                    http_status,
                    message,
                },
                400 if speaks_of_too_many(&said) => CreateAnswer::TooLarge { message },
                // A region's host answers this for a project of another region.
                404 => CreateAnswer::Refused {
                    http_status,
                    message: message.and("; is the project in another region?"),
                },
                _ => CreateAnswer::Refused {
                    http_status,
                    message,
                },
            }
        }
        _ => CreateAnswer::Unknown {
            reason: Words::on_status("Mixpanel's answer names no task", http_status),
        },
    }
}

fn conflict_over(batch: &Batch, conflict: Conflict) -> CreateAnswer {
    let named: HashSet<&str> = conflict.ids.iter().map(String::as_str).collect();
    let ours = batch.ids().iter().filter(|id| named.contains(id.expose()));
    let ids: Vec<DistinctId> = ours.cloned().collect();
    match named.len() - ids.len() {
        0 if !ids.is_empty() => CreateAnswer::Conflict {
            ids,
            tasks: conflict.tasks,
        },
        foreign => CreateAnswer::ForeignConflict { ids: foreign },
    }
}

fn created(
    answered: &Answered,
    document: Option<&ReplyDocument>,
    confidential: &Confidential<'_>,
) -> CreateAnswer {
    let unread = |what| CreateAnswer::AcceptedUnread {
        reason: Words::on_status(what, answered.status),
    };
    let unknown = |what| CreateAnswer::Unknown {
        reason: Words::on_status(what, answered.status),
    };
    let Some(document) = document else {
        return match answered.looks_like_html() {
            true => unknown(WEB_PAGE),
            false => unread("Mixpanel accepted it, but its answer cannot be read"),
        };
    };
    match (document.says_error(), document.created()) {
        (false, Created::One(task)) if confidential.hides(&task) => {
            unread("Mixpanel accepted it, but its task id quotes an id or a token")
        }
        (false, Created::One(task)) => CreateAnswer::Accepted { task },
        (false, Created::Unsaid) => unread("Mixpanel accepted it, but its answer names no task"),
        (false, Created::Several(tasks)) => {
            let names = tasks.iter().map(TaskId::as_str);
            let names = names.scan(0, |length, name| {
                *length += name.len();
                (*length <= MOST_NAMES).then_some(name)
            });
            let names = confidential.words(&names.collect::<Vec<_>>().join(", "));
            CreateAnswer::AcceptedUnread {
                reason: names.after("Mixpanel accepted it, but its answer names several tasks: "),
            }
        }
        (true, Created::One(_) | Created::Several(_)) => {
            unknown("the answer names a task and an error at once")
        }
        (true, Created::Unsaid) => CreateAnswer::Refused {
            http_status: answered.status,
            message: confidential.words(&answered.said(Some(document))),
        },
    }
}

/// The meaning of an answer about a task. An unknown status is the server's own word.
pub fn status(exchange: Exchange, confidential: &Confidential<'_>) -> StatusAnswer {
    let answered = match exchange {
        Exchange::NotSent { reason } | Exchange::Lost { reason, .. } => {
            return StatusAnswer::Unclear { reason };
        }
        Exchange::Answered(answered) => answered,
    };
    let document = ReplyDocument::parse(&answered.body);
    let http_status = answered.status;
    let unclear = || StatusAnswer::Unclear {
        reason: Words::on_status("Mixpanel's answer names no task", http_status),
    };
    match http_status {
        200..=299 => match document.filter(|document| !document.says_error()) {
            Some(document) => match document.task_status() {
                Some(status) => StatusAnswer::Known(TaskAnswer {
                    task: match document.created() {
                        Created::One(task) => Some(task),
                        Created::Several(_) | Created::Unsaid => None,
                    },
                    status: match status {
                        TaskStatus::Other(word) => {
                            TaskStatus::Other(confidential.word(&word).into())
                        }
                        known => known,
                    },
                    link: document.link(),
                    made: document.task_made(),
                    ids: document.task_ids().map(|ids| ids.into_iter().collect()),
                }),
                None => unclear(),
            },
            None => unclear(),
        },
        429 => StatusAnswer::Deferred {
            retry_after: answered.wait(),
        },
        _ if answered.looks_like_html() => unclear(),
        401 | 403 => StatusAnswer::NotAllowed { http_status },
        404 => StatusAnswer::NotFound,
        _ => unclear(),
    }
}

/// The meaning of the answer to a cancellation.
pub fn cancel(exchange: Exchange) -> CancelAnswer {
    let answered = match exchange {
        Exchange::NotSent { reason } => return CancelAnswer::NotSent { reason },
        Exchange::Lost { reason, .. } => return CancelAnswer::Unclear { reason },
        Exchange::Answered(answered) => answered,
    };
    let http_status = answered.status;
    match http_status {
        204 => CancelAnswer::Cancelled,
        429 => CancelAnswer::Deferred {
            retry_after: answered.wait(),
        },
        405 => CancelAnswer::AlreadyStarted,
        _ if answered.looks_like_html() => CancelAnswer::Unclear {
            reason: Words::on_status(WEB_PAGE, http_status),
        },
        401 | 403 => CancelAnswer::NotAllowed { http_status },
        404 => CancelAnswer::NotFound,
        _ => CancelAnswer::Unclear {
            reason: Words::on_status("Mixpanel's answer names no task", http_status),
        },
    }
}

/// What a complete answer shows about the token; `None` if it may not be from Mixpanel.
pub fn token_standing(answered: &Answered) -> Option<TokenStanding> {
    let is_fine = || match ReplyDocument::parse(&answered.body) {
        Some(document) => !document.says_error(),
        None => answered.status == 204,
    };
    match answered.status {
        _ if answered.looks_like_html() => None,
        401 => Some(TokenStanding::Rejected),
        200..=299 if is_fine() => Some(TokenStanding::Accepted),
        _ => None,
    }
}

/// Whether a message is about the number of ids. It must name ids and a limit, but no other
/// measure: the characters of an id, the bytes of a body, the calls of an hour.
fn speaks_of_too_many(message: &str) -> bool {
    const IDS: &[&str] = &["ids", "distinct_ids", "users"];
    const BOUNDS: &[&str] = &[
        "many", "large", "most", "maximum", "max", "limit", "limited", "exceed", "exceeds",
        "exceeded", "more",
    ];
    const OTHER_MEASURES: &[&str] = &[
        "character",
        "characters",
        "chars",
        "byte",
        "bytes",
        "kb",
        "mb",
        "long",
        "longer",
        "each",
        "rate",
        "second",
        "minute",
        "hour",
        "day",
    ];
    let text = message.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    has(IDS) && has(BOUNDS) && !has(OTHER_MEASURES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mixpanels_own_word_counts_for_or_against_a_token() {
        use TokenStanding::{Accepted, Rejected};
        let ok = r#"{"status":"ok","results":{"status":"NOT_FOUND"}}"#;
        let error = r#"{"status":"error","error":"no"}"#;
        for (status, body, expected) in [
            (200, ok, Some(Accepted)),
            (204, "", Some(Accepted)),
            (401, error, Some(Rejected)),
            (401, "", Some(Rejected)),
            (401, "<html>log in to the wifi</html>", None),
            (200, "<html>log in to the wifi</html>", None),
            (200, error, None),
            (200, "fine", None),
            (403, error, None),
            (404, error, None),
            (429, error, None),
            (500, error, None),
        ] {
            let answered = Answered {
                status,
                retry_after: None,
                date: None,
                body: body.as_bytes().to_owned(),
            };
            assert_eq!(token_standing(&answered), expected, "{status} {body}");
        }
    }
}
