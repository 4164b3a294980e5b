use std::fmt;

/// The longest identifier the tool accepts, in bytes of UTF-8.
///
/// Mixpanel cuts strings at 255 bytes elsewhere; anything near this bound is a damaged file.
pub const MAX_ID_BYTES: usize = 4096;

/// Values that `/import` refuses as a distinct_id, since they would match many people.
///
/// Source: Mixpanel's import reference, "invalid distinct_id" list.
const FORBIDDEN: [&str; 17] = [
    "00000000-0000-0000-0000-000000000000",
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
    "{}",
];

/// Mixpanel's identifier of one end user: opaque, byte-exact, case-sensitive.
///
/// Personal data: `Debug` shows its length only, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DistinctId(Box<str>);

/// Why a text cannot be a distinct_id. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DistinctIdError {
    #[error("the id is empty")]
    Empty,
    #[error("the id is longer than {MAX_ID_BYTES} bytes")]
    TooLong,
    #[error("the id holds a line break or a NUL")]
    LineBreak,
    #[error("the id begins or ends with white space")]
    OuterWhiteSpace,
    #[error(
        "the value stands for \"no user\" (such as null, undefined or 0) and would match many people"
    )]
    Forbidden,
}

impl DistinctId {
    /// Checks and keeps `text` byte for byte.
    ///
    /// # Errors
    /// Whatever would erase the wrong person or nobody: see [`DistinctIdError`].
    pub fn new(text: &str) -> Result<Self, DistinctIdError> {
        if text.is_empty() {
            return Err(DistinctIdError::Empty);
        }
        if text.len() > MAX_ID_BYTES {
            return Err(DistinctIdError::TooLong);
        }
        if text.contains(['\n', '\r', '\0']) {
            return Err(DistinctIdError::LineBreak);
        }
        if text.trim() != text {
            return Err(DistinctIdError::OuterWhiteSpace);
        }
        if FORBIDDEN
            .iter()
            .any(|value| value.eq_ignore_ascii_case(text))
        {
            return Err(DistinctIdError::Forbidden);
        }
        Ok(Self(text.into()))
    }

    /// One that was checked when it was read, from the ledger; `None` if it cannot be one.
    pub fn restore(text: &str) -> Option<Self> {
        let possible = !text.is_empty() && !text.contains(['\n', '\r', '\0']);
        possible.then(|| Self(text.into()))
    }

    /// The identifier itself, for the wire and the ledger only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DistinctId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinctId({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_kept_byte_for_byte() {
        for text in ["user-17", "$device:abc", "Ünï@x.test", "a b", "0017", "1e5"] {
            assert_eq!(DistinctId::new(text).unwrap().expose(), text);
        }
    }

    #[test]
    fn values_that_match_many_people_are_refused_in_any_case() {
        for text in FORBIDDEN {
            assert_eq!(DistinctId::new(text), Err(DistinctIdError::Forbidden));
            let upper = text.to_uppercase();
            assert_eq!(DistinctId::new(&upper), Err(DistinctIdError::Forbidden));
        }
    }

    #[test]
    fn damage_is_named() {
        let long = "x".repeat(MAX_ID_BYTES + 1);
        for (text, error) in [
            ("", DistinctIdError::Empty),
            (" a", DistinctIdError::OuterWhiteSpace),
            ("a\u{a0}", DistinctIdError::OuterWhiteSpace),
            ("a\nb", DistinctIdError::LineBreak),
            ("a\0b", DistinctIdError::LineBreak),
            (long.as_str(), DistinctIdError::TooLong),
        ] {
            assert_eq!(DistinctId::new(text), Err(error));
        }
    }

    #[test]
    fn debug_does_not_show_the_id() {
        let id = DistinctId::new("alice@example.test").unwrap();
        assert_eq!(format!("{id:?}"), "DistinctId(18 bytes)");
    }
}
