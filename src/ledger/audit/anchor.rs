use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// A head saved elsewhere: `COUNT:HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub count: u64,
    /// 64 lower-case hex digits.
    pub hash: String,
}

/// A saved head on a line, with the time of its entry if the line has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHead {
    pub head: Anchor,
    pub at: Option<DateTime<Utc>>,
    /// Where the line was read, such as `heads, line 3`.
    pub place: Option<String>,
}

impl FromStr for KeptHead {
    type Err = AnchorError;

    /// Text after the time is a reader's own note.
    fn from_str(line: &str) -> Result<Self, AnchorError> {
        let mut words = line.split_whitespace();
        let head = words.next().ok_or(AnchorError)?.parse()?;
        let at = words.next().and_then(|word| word.parse().ok());
        Ok(Self {
            head,
            at,
            place: None,
        })
    }
}

/// The text is not a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a head is written as its number, `:` and 64 hex digits")]
pub struct AnchorError;

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let (count, hash) = text.split_once(':').ok_or(AnchorError)?;
        let count: u64 = count.parse().map_err(|_| AnchorError)?;
        let is_hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hex && count > 0 {
            true => Ok(Self {
                count,
                hash: hash.to_ascii_lowercase(),
            }),
            false => Err(AnchorError),
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.hash)
    }
}
