use std::fmt;

/// The longest identifier the tool accepts, in bytes of UTF-8.
///
/// Mixpanel cuts strings at 255 bytes elsewhere; a value near this limit comes from a damaged file.
pub const MAX_ID_BYTES: usize = 4096;

/// Values that `/import` refuses as a distinct_id, since they would match many people.
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

/// How Mixpanel begins the id of an anonymous device.
const DEVICE: &str = "$device:";

/// Bytes of the longest of [`FORBIDDEN`] except the first.
const LONGEST_WORD: usize = 9;

/// The rules that the operator turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    None,
    /// White space at the ends belongs to the ids, as it does in Mixpanel.
    OuterWhiteSpace,
    /// The operator named exactly this value. Only what can never be an id is refused.
    Named,
}

/// Mixpanel's identifier of one end user: byte-exact and case-sensitive.
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
    /// Keeps `text` byte for byte.
    ///
    /// # Errors
    /// When `text` would erase the wrong person or no one: see [`DistinctIdError`].
    pub fn new(text: &str) -> Result<Self, DistinctIdError> {
        Self::new_with(text, Leniency::None)
    }

    /// Keeps `text` byte for byte, without the rules that `leniency` turns off.
    pub fn new_with(text: &str, leniency: Leniency) -> Result<Self, DistinctIdError> {
        Self::judge(text, leniency)?;
        Ok(Self(text.into()))
    }

    /// Checks whether `text` may be a distinct_id.
    ///
    /// # Errors
    /// When it would erase the wrong person or no one, unless `leniency` allows it.
    pub fn judge(text: &str, leniency: Leniency) -> Result<(), DistinctIdError> {
        if text.is_empty() {
            return Err(DistinctIdError::Empty);
        }
        if text.len() > MAX_ID_BYTES {
            return Err(DistinctIdError::TooLong);
        }
        // A fold has no early exit, so the compiler can check many bytes at once.
        let breaks = |found, byte| found | matches!(byte, b'\n' | b'\r' | b'\0');
        if text.bytes().fold(false, breaks) {
            return Err(DistinctIdError::LineBreak);
        }
        let core = trim(text);
        match leniency {
            Leniency::Named => Ok(()),
            // A forbidden value is still forbidden between spaces.
            Leniency::None | Leniency::OuterWhiteSpace if is_forbidden(core) => {
                Err(DistinctIdError::Forbidden)
            }
            Leniency::None if core.len() != text.len() => Err(DistinctIdError::OuterWhiteSpace),
            Leniency::OuterWhiteSpace if core.is_empty() => Err(DistinctIdError::Empty),
            Leniency::None | Leniency::OuterWhiteSpace => Ok(()),
        }
    }

    /// Takes back an id that was checked before, from the ledger. `None` if it can never be an id.
    pub fn restore(text: &str) -> Option<Self> {
        let possible = !text.is_empty() && !text.contains(['\n', '\r', '\0']);
        possible.then(|| Self(text.into()))
    }

    /// The identifier itself, for the wire and the ledger only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Trims white space. The fast path covers most ids: graphic ASCII at both ends.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// An anonymous device without an id stands for no user, too. Checks the length first: this runs for
/// every id, and most are too long for the list.
fn is_forbidden(text: &str) -> bool {
    let [zeros, words @ ..] = &FORBIDDEN;
    let text = match text.strip_prefix(DEVICE) {
        Some("") => return true,
        Some(device) => device,
        None => text,
    };
    match text.len() {
        ..=LONGEST_WORD => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
        length => length == zeros.len() && text == *zeros,
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
            let device = format!("{DEVICE}{text}");
            assert_eq!(DistinctId::new(&device), Err(DistinctIdError::Forbidden));
        }
        assert_eq!(DistinctId::new(DEVICE), Err(DistinctIdError::Forbidden));
        assert!(DistinctId::new("$device:nobody").is_ok());
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
    fn what_the_operator_insists_on_is_kept_byte_for_byte() {
        let kept = |text, leniency| DistinctId::new_with(text, leniency).map(|id| id.0.into());
        let spaced: Result<String, _> = kept(" a ", Leniency::OuterWhiteSpace);
        assert_eq!(spaced.as_deref(), Ok(" a "));
        for text in ["null", "0", FORBIDDEN[0], " ", " null "] {
            assert_eq!(kept(text, Leniency::Named).as_deref(), Ok(text));
        }
    }

    #[test]
    fn nobody_can_insist_on_what_no_id_can_be() {
        let long = "x".repeat(MAX_ID_BYTES + 1);
        for text in ["", "a\nb", "a\rb", "a\0b", &long] {
            let error = DistinctId::new(text).unwrap_err();
            assert_eq!(DistinctId::judge(text, Leniency::Named), Err(error));
            let spaced = DistinctId::judge(text, Leniency::OuterWhiteSpace);
            assert_eq!(spaced, Err(error));
        }
        let judge = |text| DistinctId::judge(text, Leniency::OuterWhiteSpace);
        assert_eq!(judge(" null "), Err(DistinctIdError::Forbidden));
        assert_eq!(judge(" \u{a0} "), Err(DistinctIdError::Empty));
    }

    #[test]
    fn the_list_is_ordered_as_the_search_in_it_expects() {
        assert_eq!(FORBIDDEN[0].len(), 36);
        let longest = FORBIDDEN[1..].iter().map(|word| word.len()).max();
        assert_eq!(longest, Some(LONGEST_WORD));
    }

    #[test]
    fn debug_does_not_show_the_id() {
        let id = DistinctId::new("alice@example.test").unwrap();
        assert_eq!(format!("{id:?}"), "DistinctId(18 bytes)");
    }
}
