//! The OAuth token: where it is kept, how old it is; and the key with which ids are hashed.
//! Neither ever goes into a file of ours or a log.

mod core_dump;
mod hash_key;
mod keyring_store;
mod token;

use std::io;
use std::path::PathBuf;

use chrono::NaiveDate;
use secrecy::ExposeSecret;

use crate::config::Environment;

pub use core_dump::forbid_core_dumps;
pub use hash_key::{HashKey, HashKeyError};
pub use keyring_store::{Keyring, KeyringError};
pub use token::{OauthToken, TokenAge, TokenError, TokenOrigin, WARN_DAYS};

/// Why there is no token to use. Never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("there is no OAuth token: none in the environment and none in the keyring")]
    NoToken,
    #[error("the keyring cannot be used, and there is no OAuth token in the environment")]
    Keyring(#[source] KeyringError),
    #[error("cannot read the token file `{path}` that DSR_TOKEN_FILE names")]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("both DSR_TOKEN_FILE and DSR_TOKEN are set, and only one can be meant")]
    TwoTokens,
    #[error("DSR_TOKEN_ISSUED is no day such as 2026-05-31")]
    BadIssued,
    #[error("{origin} cannot be used: {source}")]
    BadToken {
        origin: TokenOrigin,
        source: TokenError,
    },
    #[error(
        "the OAuth token expired on {expired}: it is good for one year from the day it was made"
    )]
    Expired { expired: NaiveDate },
}

/// Finds the token: `DSR_TOKEN_FILE` or `DSR_TOKEN`, else the keyring.
///
/// An expired token is found, too: what to do about it is the caller's to decide.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn find_token(environment: &Environment) -> Result<OauthToken, CredentialError> {
    let (text, origin) = match (&environment.token_file, &environment.token) {
        (Some(_), Some(_)) => return Err(CredentialError::TwoTokens),
        (Some(path), None) => {
            let text =
                std::fs::read_to_string(path).map_err(|source| CredentialError::TokenFile {
                    path: path.clone(),
                    source,
                })?;
            (text.into(), TokenOrigin::TokenFile)
        }
        (None, Some(token)) => (token.clone(), TokenOrigin::Environment),
        (None, None) => {
            let found = Keyring::find().map_err(CredentialError::Keyring)?;
            return found.ok_or(CredentialError::NoToken);
        }
    };
    let issued = match &environment.token_issued {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| CredentialError::BadIssued)?),
    };
    OauthToken::new(text.expose_secret(), issued, origin)
        .map_err(|source| CredentialError::BadToken { origin, source })
}

/// Finds a token that may be sent today.
///
/// # Errors
/// As [`find_token`], and when its year is over.
pub fn find_valid_token(
    environment: &Environment,
    today: NaiveDate,
) -> Result<OauthToken, CredentialError> {
    let token = find_token(environment)?;
    match token.age(today) {
        TokenAge::Expired { expired } => Err(CredentialError::Expired { expired }),
        TokenAge::Good { .. } | TokenAge::NotKnown => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn environment(variables: &[(&'static str, &str)]) -> Environment {
        Environment::from_lookup(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
        .unwrap()
    }

    #[test]
    fn the_environments_token_needs_no_keyring() {
        let env = environment(&[("DSR_TOKEN", "abc\n"), ("DSR_TOKEN_ISSUED", "2026-05-31")]);
        let token = find_token(&env).unwrap();
        assert_eq!(token.expose(), "abc");
        assert_eq!(token.origin(), TokenOrigin::Environment);
        assert_eq!(token.issued(), "2026-05-31".parse().ok());
    }

    #[test]
    fn a_token_file_is_read_without_its_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc\r\n").unwrap();
        let env = environment(&[("DSR_TOKEN_FILE", file.path().to_str().unwrap())]);
        assert_eq!(find_token(&env).unwrap().expose(), "abc");
        let both = environment(&[("DSR_TOKEN_FILE", "/x"), ("DSR_TOKEN", "y")]);
        assert!(matches!(find_token(&both), Err(CredentialError::TwoTokens)));
        let missing = environment(&[("DSR_TOKEN_FILE", "/nowhere/x")]);
        assert!(matches!(
            find_token(&missing),
            Err(CredentialError::TokenFile { .. })
        ));
    }

    #[test]
    fn an_expired_token_is_not_sent() {
        let env = environment(&[("DSR_TOKEN", "abc"), ("DSR_TOKEN_ISSUED", "2025-11-21")]);
        let day = |text: &str| text.parse().unwrap();
        assert!(find_valid_token(&env, day("2026-11-20")).is_ok());
        assert!(
            find_valid_token(&env, day("2026-11-21")).is_ok(),
            "the last day"
        );
        let error = find_valid_token(&env, day("2026-11-22")).unwrap_err();
        assert!(matches!(error, CredentialError::Expired { .. }));
        let env = environment(&[("DSR_TOKEN", "abc"), ("DSR_TOKEN_ISSUED", "soon")]);
        assert!(matches!(find_token(&env), Err(CredentialError::BadIssued)));
    }

    #[test]
    fn a_bad_token_is_not_quoted() {
        let env = environment(&[("DSR_TOKEN", "se cret")]);
        let error = find_token(&env).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("cret"));
    }
}
