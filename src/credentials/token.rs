use std::fmt;

use chrono::{Months, NaiveDate};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::{TokenName, to_hex};

/// How many days before expiry dsr warns about a token.
pub const WARN_DAYS: i64 = 30;

/// Mixpanel's GDPR OAuth token. It belongs to a person and lasts one year from its creation.
///
/// The API documents no way to ask for the expiry, so dsr stores the day beside the token.
#[derive(Clone)]
pub struct OauthToken {
    secret: SecretString,
    issued: Option<NaiveDate>,
    origin: TokenOrigin,
    name: Option<TokenName>,
}

/// Where the token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOrigin {
    Keyring,
    Environment,
    TokenFile,
    Sandbox,
}

impl TokenOrigin {
    pub const ALL: [Self; 4] = [
        Self::Keyring,
        Self::Environment,
        Self::TokenFile,
        Self::Sandbox,
    ];
}

impl fmt::Display for TokenOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyring => "the token in the keyring",
            Self::Environment => "the token in DSR_TOKEN",
            Self::TokenFile => "the token in the file that DSR_TOKEN_FILE names",
            Self::Sandbox => "the sandbox's fixed token",
        })
    }
}

/// How much of a token's year is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAge {
    NotKnown,
    /// `expires` is the last valid day; `days_left` counts from today, 0 on that day.
    Good {
        expires: NaiveDate,
        days_left: i64,
    },
    Expired {
        expired: NaiveDate,
    },
}

/// Quotation marks around copied text.
const QUOTES: [char; 10] = ['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»'];

/// Why a text is not a token. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("it is empty")]
    Empty,
    #[error("it is in quotes, which no token has")]
    Quoted,
    #[error("it has white space or characters that no token has")]
    Characters,
}

impl OauthToken {
    /// Takes a typed or read token without outer white space.
    ///
    /// # Errors
    /// When it is empty or cannot be an HTTP header.
    pub fn new(
        text: &str,
        issued: Option<NaiveDate>,
        origin: TokenOrigin,
    ) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
            return Err(TokenError::Quoted);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self {
            secret: SecretString::from(text),
            issued,
            origin,
            name: None,
        })
    }

    /// The same token with its keyring name.
    #[must_use]
    pub fn named(mut self, name: TokenName) -> Self {
        self.name = Some(name);
        self
    }

    /// The token itself, for the `Authorization` header and the keyring only.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    pub fn issued(&self) -> Option<NaiveDate> {
        self.issued
    }

    pub fn origin(&self) -> TokenOrigin {
        self.origin
    }

    /// Its name in the keyring; `None` if it came from elsewhere.
    pub fn name(&self) -> Option<&TokenName> {
        self.name.as_ref()
    }

    /// The token in words: by name if there may be others.
    pub fn description(&self) -> String {
        match &self.name {
            Some(name) if !name.is_main() => format!("the token `{name}` in the keyring"),
            Some(_) | None => self.origin.to_string(),
        }
    }

    /// Identifies a token without showing it: the first 8 hex digits of its SHA-256.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.expose());
        to_hex(&hash[..4])
    }

    pub fn age(&self, today: NaiveDate) -> TokenAge {
        let Some(issued) = self.issued else {
            return TokenAge::NotKnown;
        };
        // The day may be impossible: a person or another program wrote it.
        let expires = issued.checked_add_months(Months::new(12));
        let expires = expires.unwrap_or(NaiveDate::MAX);
        let days_left = (expires - today).num_days();
        if days_left < 0 {
            TokenAge::Expired { expired: expires }
        } else {
            TokenAge::Good { expires, days_left }
        }
    }
}

impl fmt::Debug for OauthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthToken")
            .field("issued", &self.issued)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_show_itself() {
        let token = OauthToken::new(" top-secret\n", None, TokenOrigin::Keyring).unwrap();
        assert_eq!(token.expose(), "top-secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert_eq!(token.fingerprint().len(), 8);
    }

    #[test]
    fn a_token_is_good_for_a_year() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let token = OauthToken::new("t", Some(day("2024-02-29")), TokenOrigin::Keyring).unwrap();
        let expires = day("2025-02-28");
        let good = |days_left| TokenAge::Good { expires, days_left };
        assert_eq!(token.age(day("2025-01-29")), good(30));
        assert_eq!(token.age(expires), good(0));
        let expired = TokenAge::Expired { expired: expires };
        assert_eq!(token.age(day("2025-03-01")), expired);
        let token = OauthToken::new("t", Some(NaiveDate::MAX), TokenOrigin::Keyring).unwrap();
        assert!(matches!(token.age(expires), TokenAge::Good { .. }));
    }
}
