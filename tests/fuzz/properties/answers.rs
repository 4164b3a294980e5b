//! Answers of an untrusted server: a status line, headers, a blank line, and a body.
//!
//! Headers are `Retry-After`, `Date`, and `Id` for each id that was sent.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

use dsr::domain::{Batch, DistinctId, JobState, Leniency, TaskId, TaskStatus};
use dsr::mixpanel::classify::{self, Answered, Exchange};
use dsr::mixpanel::{CancelAnswer, Confidential, CreateAnswer, StatusAnswer, TaskAnswer};
use secrecy::ExposeSecret;
use serde_json::Value;

/// The ids that were sent, if the input has none.
const USUAL_IDS: [&str; 6] = [
    "user-17",
    "alice@example.test",
    "al\"ice o'hara",
    "Ünï",
    "7",
    "$device:17  18",
];
const TOKEN: &str = "9f2c41d07ab35e6680cc17d4e2b1a95f";
const SANE_WAIT: RangeInclusive<u64> = 1..=24 * 60 * 60;
/// The longest text that is passed on, in characters: the server's words and ours.
const LONGEST: usize = 400;

/// A create is never called done, refused or unsent without evidence, and no id comes back.
pub(crate) fn create(bytes: &[u8]) {
    let input = Input::read(bytes);
    let answer = input.ask(|exchange| classify::create(exchange, &input.batch, vec![TOKEN]));
    let status = input.status;
    let said = input.document();
    let says_error = said.as_ref().is_some_and(says_error);
    match &answer {
        CreateAnswer::Accepted { task } => {
            assert!((200..300).contains(&status) && !says_error);
            assert!(names_task(&said, task), "a task nobody named");
        }
        CreateAnswer::AcceptedUnread { reason } => {
            assert!((200..300).contains(&status) && !says_error);
            input.check_words(reason.as_str());
        }
        CreateAnswer::NotSent { .. } => panic!("it was answered, so it was sent"),
        CreateAnswer::Deferred { retry_after } => {
            assert_eq!(status, 429);
            input.check_wait(*retry_after);
        }
        CreateAnswer::TooLarge { message } => {
            assert!([413, 400].contains(&status));
            input.check_words(message.as_str());
        }
        CreateAnswer::Conflict { ids, tasks } => {
            assert!(status == 409 && !ids.is_empty() && !tasks.is_empty());
            let sent = input.batch.ids();
            assert!(ids.iter().all(|id| sent.contains(id)), "an id not sent");
            let named = |id: &DistinctId| strings(&said).any(|text| text == id.expose());
            assert!(ids.iter().all(named), "an id not named");
            let named =
                |task: &TaskId| numbers_and_strings(&said).any(|text| text.trim() == task.as_str());
            assert!(tasks.iter().all(named), "a task not named");
        }
        CreateAnswer::ForeignConflict { .. } => assert_eq!(status, 409),
        CreateAnswer::Refused {
            http_status,
            message,
        } => {
            assert_eq!(*http_status, status);
            let by_client_error = (400..500).contains(&status) && ![408, 429].contains(&status);
            let in_so_many_words = (200..300).contains(&status) && says_error;
            assert!(by_client_error || in_so_many_words);
            input.check_words(message.as_str());
        }
        CreateAnswer::NotAllowed {
            http_status,
            message,
        } => {
            assert!(*http_status == status && [401, 403].contains(&status));
            input.check_words(message.as_str());
        }
        CreateAnswer::Unknown { reason } => check_line(reason.as_str()),
    }
    let is_unknown = matches!(answer, CreateAnswer::Unknown { .. });
    let is_accepted = matches!(
        answer,
        CreateAnswer::Accepted { .. } | CreateAnswer::AcceptedUnread { .. }
    );
    match status {
        200..300 if !says_error => assert!(is_accepted || is_unknown),
        429 => assert!(matches!(answer, CreateAnswer::Deferred { .. })),
        408 | ..200 | 300..400 | 500.. => assert!(is_unknown),
        _ => {}
    }
}

/// A task is never called done, failed or gone unless the answer says so.
pub(crate) fn status(bytes: &[u8]) {
    let input = Input::read(bytes);
    let said = input.document();
    let http_status = input.status;
    let sent = || Some(input.batch.ids().to_vec());
    let confidential = Confidential {
        tokens: vec![TOKEN],
        sent: &sent,
    };
    match input.ask(|exchange| classify::status(exchange, &confidential)) {
        StatusAnswer::Known(TaskAnswer {
            status, link, ids, ..
        }) => {
            assert!((200..300).contains(&http_status));
            assert!(!said.as_ref().is_some_and(says_error));
            match &status {
                TaskStatus::Other(word) => input.check_words(word),
                known => {
                    assert!(strings(&said).any(|text| TaskStatus::parse(text.trim()) == *known))
                }
            }
            if status.job_state() == Some(JobState::Done) {
                let letters = |text: &str| text.replace(|c: char| !c.is_alphabetic(), "");
                assert!(
                    strings(&said).any(|text| letters(text).to_uppercase().contains("SUCCESS"))
                );
            }
            if let Some(link) = link {
                assert!(!link.expose_secret().is_empty());
                assert!(strings(&said).any(|text| text.contains(link.expose_secret())));
            }
            for id in ids.iter().flatten() {
                assert!(strings(&said).any(|text| text == id), "an id not named");
            }
        }
        StatusAnswer::NotFound => assert_eq!(http_status, 404),
        StatusAnswer::Deferred { retry_after } => {
            assert_eq!(http_status, 429);
            input.check_wait(retry_after);
        }
        StatusAnswer::NotAllowed { http_status: said } => {
            assert!(said == http_status && [401, 403].contains(&said));
        }
        StatusAnswer::Unclear { reason } => {
            assert_ne!(http_status, 429);
            check_line(reason.as_str());
        }
    }
}

/// The status alone decides about a cancellation; a web page decides nothing.
pub(crate) fn cancel(bytes: &[u8]) {
    let input = Input::read(bytes);
    let http_status = input.status;
    let is_web_page = input.answered.body.trim_ascii_start().starts_with(b"<");
    match input.ask(classify::cancel) {
        CancelAnswer::Cancelled => assert_eq!(http_status, 204),
        CancelAnswer::NotSent { .. } => panic!("it was answered, so it was sent"),
        CancelAnswer::AlreadyStarted => assert_eq!(http_status, 405),
        CancelAnswer::NotFound => assert!(http_status == 404 && !is_web_page),
        CancelAnswer::Deferred { retry_after } => {
            assert_eq!(http_status, 429);
            input.check_wait(retry_after);
        }
        CancelAnswer::NotAllowed { http_status: said } => {
            assert!(said == http_status && [401, 403].contains(&said) && !is_web_page);
        }
        CancelAnswer::Unclear { reason } => {
            assert!(![204, 405, 429].contains(&http_status));
            check_line(reason.as_str());
        }
    }
}

struct Input {
    status: u16,
    answered: Answered,
    batch: Batch,
}

impl Input {
    fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut line = || {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, behind) = match end {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, &[][..]),
            };
            rest = behind;
            String::from_utf8_lossy(line).into_owned()
        };
        let status = line().trim().parse().unwrap_or(201);
        let (mut retry_after, mut date, mut ids) = (None, None, Vec::new());
        loop {
            let header = line();
            match header.split_once(": ") {
                Some(("Retry-After", value)) => retry_after = Some(value.to_owned()),
                Some(("Date", value)) => date = Some(value.to_owned()),
                Some(("Id", value)) => ids.push(value.to_owned()),
                Some(_) => {}
                None => break,
            }
        }
        let answered = Answered {
            status,
            retry_after,
            date,
            body: rest.to_vec(),
        };
        Self {
            status,
            answered,
            batch: batch(&ids),
        }
    }

    /// The same bytes must mean the same each time.
    fn ask<A: Debug>(&self, classify: impl Fn(Exchange) -> A) -> A {
        let exchange = || {
            Exchange::Answered(Answered {
                retry_after: self.answered.retry_after.clone(),
                date: self.answered.date.clone(),
                body: self.answered.body.clone(),
                ..self.answered
            })
        };
        self.answered.time();
        let answer = classify(exchange());
        assert_eq!(letters(&answer), letters(&classify(exchange())));
        answer
    }

    fn document(&self) -> Option<Value> {
        let value: Value = serde_json::from_slice(&self.answered.body).ok()?;
        value.is_object().then_some(value)
    }

    fn check_wait(&self, wait: Option<Duration>) {
        let asked = self.answered.retry_after.as_deref();
        assert!(asked.is_some() || wait.is_none());
        assert!(wait.is_none_or(|wait| SANE_WAIT.contains(&wait.as_secs())));
        if let Some(seconds) = asked.and_then(|text| text.trim().parse::<u64>().ok()) {
            let sane = SANE_WAIT.contains(&seconds);
            assert_eq!(wait, sane.then(|| Duration::from_secs(seconds)));
        }
    }

    /// The server's words hold no sent id and no token, plain or in JSON. An id of one or two
    /// letters counts as an ordinary word.
    fn check_words(&self, message: &str) {
        check_line(message);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let ids = self.batch.ids().iter().map(DistinctId::expose);
        for secret in ids.filter(|id| letters(id) >= 4).chain([TOKEN]) {
            let quoted = Value::from(secret).to_string();
            let is_quoted = message.contains(&quoted) || message == secret;
            assert!(!is_quoted, "an id or a token leaks");
        }
    }
}

/// The characters of an answer, sorted: a set has no order.
fn letters(answer: &impl Debug) -> Vec<u8> {
    let mut letters = format!("{answer:?}").into_bytes();
    letters.sort_unstable();
    letters
}

fn check_line(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= LONGEST);
    assert!(!text.contains(char::is_control));
}

fn batch(texts: &[String]) -> Batch {
    let mut ids: Vec<DistinctId> = Vec::new();
    let usual = USUAL_IDS.iter().map(|id| (*id).to_owned());
    for text in texts.iter().take(40).cloned().chain(usual) {
        match DistinctId::new_with(&text, Leniency::Named) {
            Ok(id) if !ids.contains(&id) => ids.push(id),
            _ => {}
        }
    }
    Batch::restore(ids).expect("ids, each once")
}

fn says_error(document: &Value) -> bool {
    let status = document.get("status").and_then(Value::as_str);
    status.is_some_and(|status| status.eq_ignore_ascii_case("error"))
}

/// Whether `tracking_id` or `task_id` names the task anywhere.
fn names_task(document: &Option<Value>, task: &TaskId) -> bool {
    let names = ["tracking_id", "task_id"];
    let mut objects = all(document).filter_map(Value::as_object);
    objects.any(|object| {
        let values = names.iter().filter_map(|name| object.get(*name));
        values
            .filter_map(text_of)
            .any(|text| text.trim() == task.as_str())
    })
}

fn strings(document: &Option<Value>) -> impl Iterator<Item = &str> {
    all(document).filter_map(Value::as_str)
}

fn numbers_and_strings(document: &Option<Value>) -> impl Iterator<Item = String> {
    all(document).filter_map(text_of)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Every value in a document, at any depth.
fn all(document: &Option<Value>) -> impl Iterator<Item = &Value> {
    let mut open: Vec<&Value> = document.iter().collect();
    std::iter::from_fn(move || {
        let value = open.pop()?;
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
        Some(value)
    })
}
