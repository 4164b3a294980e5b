//! What an exchange means. Read it against the table of outcomes in ARCHITECTURE.md.
//!
//! Pure, and open to all: any bytes can be tried on it without a server.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::form_urlencoded;

use crate::domain::{Batch, DistinctId, TaskId};

use super::answer::{CancelAnswer, CreateAnswer, StatusAnswer, TokenStanding};
use super::retry_after;
use super::wire::{Conflict, Created, Document};

/// How a call ended on the wire.
#[derive(Debug)]
pub enum Exchange {
    /// The connection was never made.
    NotSent { reason: String },
    /// It was sent, and no usable answer came back; at most its status.
    Lost { status: Option<u16>, reason: String },
    /// A complete answer.
    Answered(Answered),
}

/// A complete answer, its body included.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    /// The header of this name, as [`Self::date`] is.
    pub retry_after: Option<String>,
    pub date: Option<String>,
    pub body: Vec<u8>,
}

/// How much of the ids of tasks is passed on, where there are several, in bytes.
const MOST_NAMES: usize = 200;
/// How much of a server's own words is passed on.
const MESSAGE_CHARS: usize = 300;
/// In how much of it, in bytes, there may be ids before that.
const LOOKED_AT: usize = 16 * 1024;

impl Answered {
    fn wait(&self) -> Option<std::time::Duration> {
        retry_after::parse(self.retry_after.as_deref(), self.date.as_deref())
    }

    /// When it was made, by the server's clock.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        let time = DateTime::parse_from_rfc2822(self.date.as_deref()?.trim());
        time.ok().map(|time| time.to_utc())
    }

    fn looks_like_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        start.starts_with(b"<")
    }

    /// The server's own words, on one line, without control characters and without the ids that
    /// were sent. Those go first: a part of one that a cut leaves over is still personal data.
    fn message(&self, document: Option<&Document>, sent: &Batch) -> String {
        let text = match document {
            Some(document) => document.error_text().unwrap_or_default(),
            None => String::from_utf8_lossy(&self.body).into_owned(),
        };
        let text = hide_ids(&text, sent);
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        let clean: String = line.chars().filter(|c| !c.is_control()).collect();
        // Once more, for one that was in pieces.
        let clean = hide_ids(&clean, sent);
        let short: String = clean.chars().take(MESSAGE_CHARS).collect();
        if short.is_empty() {
            "no reason given".to_owned()
        } else {
            short
        }
    }
}

/// The answer to a create.
pub fn create(exchange: Exchange, batch: &Batch) -> CreateAnswer {
    let answered = match exchange {
        Exchange::NotSent { reason } => return CreateAnswer::NotSent { reason },
        Exchange::Lost {
            status: Some(200..=299),
            reason,
        } => return CreateAnswer::AcceptedUnread { reason },
        Exchange::Lost { reason, .. } => return CreateAnswer::Unknown { reason },
        Exchange::Answered(answered) => answered,
    };
    let document = Document::parse(&answered.body);
    let http_status = answered.status;
    match http_status {
        200..=299 => created(&answered, document.as_ref(), batch),
        429 => CreateAnswer::Deferred {
            retry_after: answered.wait(),
        },
        413 => CreateAnswer::TooLarge {
            message: answered.message(document.as_ref(), batch),
        },
        408 => CreateAnswer::Unknown {
            reason: "the server gave up waiting for the request (408)".to_owned(),
        },
        400..=499 if answered.looks_like_html() => CreateAnswer::Unknown {
            reason: format!("a web page came back instead of an answer ({http_status})"),
        },
        400..=499 => {
            let message = answered.message(document.as_ref(), batch);
            if let (409, Some(conflict)) = (http_status, document.and_then(|d| d.conflict())) {
                return conflict_over(batch, conflict);
            }
            match http_status {
                401 | 403 => CreateAnswer::NotAllowed {
                    http_status,
                    message,
                },
                400 if speaks_of_too_many(&message) => CreateAnswer::TooLarge { message },
                // What a project's calls get at the host of a region that is not its own.
                404 => CreateAnswer::Refused {
                    http_status,
                    message: format!("{message}; is the project in another region?"),
                },
                _ => CreateAnswer::Refused {
                    http_status,
                    message,
                },
            }
        }
        _ => CreateAnswer::Unknown {
            reason: format!("the server answered {http_status}, which says nothing about the task"),
        },
    }
}

fn conflict_over(batch: &Batch, conflict: Conflict) -> CreateAnswer {
    let named: HashSet<&str> = conflict.ids.iter().map(String::as_str).collect();
    let ours = batch.ids().iter().filter(|id| named.contains(id.expose()));
    let ids: Vec<DistinctId> = ours.cloned().collect();
    match named.len() - ids.len() {
        0 if !ids.is_empty() && !conflict.tasks.is_empty() => CreateAnswer::Conflict {
            ids,
            tasks: conflict.tasks,
        },
        foreign => CreateAnswer::ForeignConflict { ids: foreign },
    }
}

fn created(answered: &Answered, document: Option<&Document>, batch: &Batch) -> CreateAnswer {
    let status = answered.status;
    let unread = |what: &str| CreateAnswer::AcceptedUnread {
        reason: format!("Mixpanel accepted it ({status}), {what}"),
    };
    let Some(document) = document else {
        return match answered.looks_like_html() {
            true => CreateAnswer::Unknown {
                reason: format!("a web page came back instead of an answer ({status})"),
            },
            false => unread("and its answer cannot be read"),
        };
    };
    match (document.says_error(), document.created()) {
        (false, Created::One(task)) => CreateAnswer::Accepted { task },
        (false, Created::Unsaid) => unread("and its answer names no task"),
        (false, Created::Several(tasks)) => {
            let (count, names) = (tasks.len(), tasks.iter().map(TaskId::as_str));
            let names = names.scan(0, |length, name| {
                *length += name.len();
                (*length <= MOST_NAMES).then_some(name)
            });
            let names = names.collect::<Vec<_>>().join(", ");
            unread(&format!("and its answer names {count} tasks: {names}"))
        }
        (true, Created::One(_) | Created::Several(_)) => CreateAnswer::Unknown {
            reason: format!("the answer names a task and an error at once ({status})"),
        },
        (true, Created::Unsaid) => CreateAnswer::Refused {
            http_status: status,
            message: answered.message(Some(document), batch),
        },
    }
}

/// The answer to a question about a task.
pub fn status(exchange: Exchange) -> StatusAnswer {
    let answered = match exchange {
        Exchange::NotSent { reason } | Exchange::Lost { reason, .. } => {
            return StatusAnswer::Unclear { reason };
        }
        Exchange::Answered(answered) => answered,
    };
    let document = Document::parse(&answered.body);
    let http_status = answered.status;
    let unclear = || StatusAnswer::Unclear {
        reason: format!("the server answered {http_status} with nothing about the task"),
    };
    match http_status {
        200..=299 => match document.filter(|document| !document.says_error()) {
            Some(document) => match document.task_status() {
                Some(status) => StatusAnswer::Known {
                    status,
                    link: document.link(),
                    ids: document.task_ids().map(|ids| ids.into_iter().collect()),
                },
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

/// The answer to the cancelling of a deletion.
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
            reason: format!("a web page came back instead of an answer ({http_status})"),
        },
        401 | 403 => CancelAnswer::NotAllowed { http_status },
        404 => CancelAnswer::NotFound,
        _ => CancelAnswer::Unclear {
            reason: format!("the server answered {http_status}"),
        },
    }
}

/// What a complete answer to any call shows about the token; `None` if it is not clearly
/// Mixpanel's own word on it.
pub fn token_standing(answered: &Answered) -> Option<TokenStanding> {
    let is_fine = || match Document::parse(&answered.body) {
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

fn speaks_of_too_many(message: &str) -> bool {
    let text = message.to_lowercase();
    let about_ids = ["distinct", "ids", "users"];
    let about_size = [
        "too many",
        "too large",
        "exceed",
        "at most",
        "maximum",
        "limit",
    ];
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    any(&about_ids) && any(&about_size)
}

/// Takes our own ids out of the server's words: messages are printed, ids are personal data.
///
/// Passes on the beginning alone, [`LOOKED_AT`] bytes at most, so that thousands of ids are looked
/// for in little, however much a server says.
fn hide_ids(message: &str, batch: &Batch) -> String {
    let ids = batch.ids().iter().map(|id| id.expose());
    // One of one or two characters would tear ordinary words apart, and names nobody by itself.
    let forms: Vec<Cow<'_, str>> = ids.filter(|id| id.len() >= 3).flat_map(forms_of).collect();
    let longest = forms.iter().map(|form| form.len()).max().unwrap_or(0);
    let end = boundary_before(message, LOOKED_AT);
    // What begins before the end and goes on behind it is an id all the same.
    let text = &message[..boundary_before(message, end + longest)];
    // Marks, not replacements: ids overlap, and what one leaves over is a part of another.
    let mut is_id = vec![false; text.len()];
    for form in &forms {
        for (start, found) in text.match_indices(&**form) {
            is_id[start..start + found.len()].fill(true);
        }
    }
    let mut shown = String::new();
    let mut was_id = false;
    for (place, c) in text[..end].char_indices() {
        match (is_id[place], was_id) {
            (true, false) => shown.push_str("[id]"),
            (true, true) => {}
            (false, _) => shown.push(c),
        }
        was_id = is_id[place];
    }
    shown
}

fn boundary_before(text: &str, place: usize) -> usize {
    let mut places = (0..=place.min(text.len())).rev();
    places
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or(0)
}

/// An id as it is; as an address has it; and as JSON has it inside a text: with escapes where there
/// must be some, or for all that is not ASCII.
fn forms_of(id: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let must_escape = |c: char| c.is_ascii_control() || matches!(c, '"' | '\\');
    let is_plain = id.is_ascii() && !id.contains(must_escape);
    let escaped = (!is_plain).then(|| {
        let quoted = Value::from(id).to_string();
        let escaped = quoted[1..quoted.len() - 1].to_owned();
        [to_ascii(&escaped), escaped].map(Cow::Owned)
    });
    let encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let encoded = (encoded != id).then(|| {
        let spaced = encoded.replace('+', "%20");
        [encoded, spaced].map(Cow::Owned)
    });
    let rest = escaped.into_iter().chain(encoded).flatten();
    std::iter::once(Cow::Borrowed(id)).chain(rest)
}

fn to_ascii(text: &str) -> String {
    let mut ascii = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            ascii.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed on of a refusal with this body, after `id` was sent.
    fn message(id: &str, body: &str) -> String {
        let id = DistinctId::new_with(id, crate::domain::Leniency::Named).unwrap();
        let batch = Batch::restore(vec![id]).unwrap();
        let exchange = Exchange::Answered(Answered {
            status: 400,
            retry_after: None,
            date: None,
            body: body.as_bytes().to_owned(),
        });
        match create(exchange, &batch) {
            CreateAnswer::Refused { message, .. } => message,
            answer => panic!("{answer:?}"),
        }
    }

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

    #[test]
    fn an_id_is_hidden_however_the_server_writes_it() {
        for (id, body, shown) in [
            ("user-17", r#"{"error":"no user-17"}"#, "no [id]"),
            ("al ice", "no al\n ice", "no [id]"),
            ("alice", r#"{"error":"no al\u0001ice"}"#, "no [id]"),
            ("a  b", r#"{"error":"no a  b"}"#, "no [id]"),
            (r#"a"b"#, r#"{"error":["a\"b"]}"#, r#"["[id]"]"#),
            (r"a\b", r#"{"error":{"id":"a\\b"}}"#, r#"{"id":"[id]"}"#),
            ("Ünï", r#"["\u00dcn\u00ef"]"#, r#"["[id]"]"#),
            ("a b@c", "GET /x?id=a%20b%40c", "GET /x?id=[id]"),
            ("a b@c", "GET /x?id=a+b%40c&y", "GET /x?id=[id]&y"),
        ] {
            assert_eq!(message(id, body), shown, "{body}");
        }
    }

    #[test]
    fn ids_that_overlap_leave_nothing_of_each_other() {
        let ids = ["alice", "ice-smith", "smith-jones"].map(|id| DistinctId::new(id).unwrap());
        let batch = Batch::restore(ids.to_vec()).unwrap();
        assert_eq!(hide_ids("no alice-smith-jones!", &batch), "no [id]!");
    }

    #[test]
    fn an_id_at_the_end_of_what_is_looked_at_is_hidden_too() {
        for padding in LOOKED_AT - 30..LOOKED_AT + 2 {
            // Of what is left over behind the ids a part would be in the first 300 characters.
            let body = format!("{}ünï-smith@example.test and more", " ".repeat(padding));
            let shown = message("ünï-smith@example.test", &body);
            assert!(!shown.contains('ü'), "{padding}: {shown}");
        }
    }

    #[test]
    fn thousands_of_ids_and_megabytes_of_words_take_no_time() {
        let ids = (0..2000).map(|n| DistinctId::new(&format!("person-{n}@example.test")).unwrap());
        let batch = Batch::restore(ids.collect()).unwrap();
        let words = "person-17@example.test is unknown; ".repeat(8 * 1024 * 1024 / 35);
        let start = std::time::Instant::now();
        let shown = hide_ids(&words, &batch);
        assert!(shown.starts_with("[id] is unknown; [id]"), "{shown}");
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }
}
