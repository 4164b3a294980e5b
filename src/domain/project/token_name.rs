use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::text::enums::text;

/// The operator's name for one of several OAuth tokens: letters, digits, `-`, `_`, `.`; 1 to 32
/// characters.
///
/// A token pasted in place of its name is most likely longer than that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TokenName(String);

impl TokenName {
    /// The name of the token that was stored without a name.
    pub const MAIN: &str = "main";

    /// `None` if `text` is not such a name.
    pub fn new(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let fits = (1..=32).contains(&text.len())
            && text.chars().all(is_plain)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    /// The name of a token that was stored without one.
    pub fn main() -> Self {
        Self(Self::MAIN.to_owned())
    }

    pub fn is_main(&self) -> bool {
        self.0 == Self::MAIN
    }
}

impl<'de> Deserialize<'de> for TokenName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The message does not quote the text: it may be the token itself.
        let message = "the name of an OAuth token is 1 to 32 letters, digits, `-`, `_` and `.`";
        Self::new(&text).ok_or_else(|| D::Error::custom(message))
    }
}

text!(TokenName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_shorter_than_tokens() {
        for good in ["main", "acme-eu.2", "A_1", &"x".repeat(32)] {
            assert!(TokenName::new(good).is_some(), "{good}");
        }
        for bad in ["", "-x", "a b", "a:b", "a/b", "é", &"x".repeat(33)] {
            assert!(TokenName::new(bad).is_none(), "{bad}");
        }
        assert!(TokenName::new("main").is_some_and(|name| name.is_main()));
    }
}
