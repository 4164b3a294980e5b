use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Secret bytes from the operating system's random numbers.
use crate::domain::text::enums::text;

pub fn random_bytes() -> [u8; 32] {
    let mut random = Sha256::new();
    // Each UUID has 122 random bits: 488 go in, 256 come out.
    for _ in 0..4 {
        random.update(Uuid::new_v4().as_bytes());
    }
    random.finalize().into()
}

/// Names one request everywhere: 16 characters of lower-case base 32, the first a letter.
///
/// About 79 random bits, so ledgers can be merged. The first letter keeps spreadsheets from reading
/// a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RequestId(String);

const LETTERS: &[u8; 16] = b"abcdefghjkmnpqrs";
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl RequestId {
    /// Characters shown in a table.
    pub const SHORT: usize = 8;
    /// Characters that a command that changes a request asks for. Among 1,000 requests, a mistyped
    /// start of four matches another request 1 time in 500.
    pub const ENOUGH: usize = 4;
    const LENGTH: usize = 16;

    /// A new id.
    pub fn random() -> Self {
        // Takes only the random bytes of two UUIDs: bytes 6 and 8 hold version and variant.
        let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
        let random = first
            .as_bytes()
            .iter()
            .chain(second.as_bytes())
            .enumerate()
            .filter(|(place, _)| !matches!(place % 16, 6 | 8))
            .map(|(_, byte)| *byte);
        let text = random
            .take(Self::LENGTH)
            .enumerate()
            .map(|(place, byte)| match place {
                0 => char::from(LETTERS[usize::from(byte) % LETTERS.len()]),
                _ => char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]),
            })
            .collect();
        Self(text)
    }

    /// An id from the ledger or a file.
    pub fn restore(text: String) -> Self {
        Self(text)
    }

    /// The first characters, as tables show them.
    pub fn short(&self) -> &str {
        self.0.get(..Self::SHORT).unwrap_or(&self.0)
    }
}

text!(RequestId);

/// Names one job: its request, and its place in the request from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobId {
    pub request: RequestId,
    pub number: u32,
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.request, self.number)
    }
}

/// Mixpanel's `task_id` or `tracking_id`: an opaque text, a UUID or a 19-digit decimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// `None` if `text` is empty or cannot be one URL segment. `.`, `..` or a control character
    /// would lead to another resource (WHATWG URL standard).
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !matches!(text, "" | "." | "..") && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// An id of no real task, to learn how Mixpanel answers for an unknown task.
    pub fn random() -> Self {
        Self(Uuid::new_v4().hyphenated().to_string())
    }
}

text!(TaskId);

/// Our own name for a job in Mixpanel: a lower-case UUIDv4, made before the POST.
///
/// Source: Mixpanel's OpenDSR callbacks page, `subject_request_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectRequestId(Uuid);

impl SubjectRequestId {
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

impl fmt::Display for SubjectRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn request_ids_begin_with_a_letter_and_do_not_repeat() {
        let ids: HashSet<String> = (0..10_000)
            .map(|_| RequestId::random().to_string())
            .collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert_eq!(id.len(), 16);
            assert!(id.starts_with(|c: char| c.is_ascii_lowercase()));
            assert!(id.bytes().all(|b| ALPHABET.contains(&b)));
        }
    }

    #[test]
    fn what_an_address_cannot_hold_is_no_task_id() {
        for text in ["", " ", ".", "..", " .. ", "a\tb", "a\nb", "a\u{7f}"] {
            assert_eq!(TaskId::new(text), None, "{text:?}");
        }
        for text in ["3e0b7f52-1", "...", ".a", "a/b", "%2e", "a b"] {
            assert_eq!(TaskId::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn each_place_of_a_request_id_takes_many_values() {
        let ids: Vec<String> = (0..2_000)
            .map(|_| RequestId::random().to_string())
            .collect();
        for place in 0..16 {
            let seen: HashSet<u8> = ids.iter().map(|id| id.as_bytes()[place]).collect();
            assert_eq!(seen.len(), if place == 0 { 16 } else { 32 });
        }
    }
}
