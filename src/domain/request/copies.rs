//! The copies of a project's data that an operator dealt with for a deletion.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::looks_like_secret;
use crate::domain::text::enums::text;
use crate::domain::timestamp::time;

const LONGEST: usize = 64;
/// A phone number, a UUID and most numeric ids have more.
const MOST_DIGITS: usize = 6;

/// The operator's name for a copy, such as `warehouse`. The audit trail and reports keep it for
/// ever, so its form has no room for an e-mail address, a phone number or a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CopyName(String);

/// Why a text is not the name of a copy. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CopyNameError {
    #[error("must begin with a letter and have at most {LONGEST} characters")]
    Form,
    #[error("may have only letters a to z, digits, spaces, `-`, `_` and `.`")]
    Characters,
    #[error("may have at most {MOST_DIGITS} digits, and not look like an id or a key")]
    LikeAnId,
}

impl CopyName {
    /// # Errors
    /// See [`CopyNameError`].
    pub fn new(text: &str) -> Result<Self, CopyNameError> {
        let text = text.trim();
        let is_known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_' | b'.');
        if !text.bytes().all(is_known) {
            return Err(CopyNameError::Characters);
        }
        if text.len() > LONGEST || !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(CopyNameError::Form);
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        match digits > MOST_DIGITS || looks_like_secret(text) {
            true => Err(CopyNameError::LikeAnId),
            false => Ok(Self(text.to_owned())),
        }
    }
}

text!(CopyName);

/// A copy that the operator dealt with, as the operator recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyTick {
    pub name: CopyName,
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies_have_no_room_for_an_id() {
        for good in [
            "warehouse",
            " braze ",
            "events-daily-bigquery-monoschema",
            "import 501",
            "Snowflake EU_2.raw",
        ] {
            assert_eq!(CopyName::new(good).unwrap().as_str(), good.trim());
        }
        for (bad, error) in [
            ("", CopyNameError::Form),
            ("17", CopyNameError::Form),
            ("-x", CopyNameError::Form),
            (&"a".repeat(65), CopyNameError::Form),
            ("anna@x.test", CopyNameError::Characters),
            ("b\u{e9}", CopyNameError::Characters),
            ("a\nb", CopyNameError::Characters),
            ("$device:d", CopyNameError::Characters),
            ("a,b", CopyNameError::Characters),
            ("tel 0170 1234567", CopyNameError::LikeAnId),
            (
                "u 3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
                CopyNameError::LikeAnId,
            ),
            ("abcdefabcdefabcdefabcdefabcdefab", CopyNameError::LikeAnId),
        ] {
            assert_eq!(CopyName::new(bad), Err(error), "{bad}");
        }
    }
}
