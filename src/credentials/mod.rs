//! Secrets: the OAuth token and its age, service accounts, the key that hashes ids, the ledger key,
//! and projects' API secrets. Writes none of them to dsr's own files or logs.

mod core_dump;
mod hash_key;
mod keyring_error;
mod keyring_store;
mod ledger_key;
mod project_secret;
mod secret_file;
mod service_account;
mod token;
mod token_file;

use std::io;
use std::path::PathBuf;

use chrono::NaiveDate;
use secrecy::ExposeSecret;

use crate::config::Environment;
use crate::domain::TokenName;

pub use core_dump::forbid_core_dumps;
pub use hash_key::{HashKey, HashKeyError};
pub use keyring_error::KeyringError;
pub use keyring_store::Keyring;
pub use ledger_key::{
    IfNone, KeyOrigin, LedgerKeyError, find_ledger_key, read_ledger_key, write_ledger_key,
};
pub use project_secret::{ProjectSecret, ProjectSecretError, SecretOrigin, find_project_secret};
pub use service_account::{
    AccountOrigin, ServiceAccount, ServiceAccountError, find_environments_account,
    find_service_account,
};
pub use token::{OauthToken, TokenAge, TokenError, TokenOrigin, WARN_DAYS};

/// Why there is no usable token. Never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("there is no OAuth token: none in the environment and none in the keyring")]
    NoToken,
    #[error("there is no OAuth token `{name}` in the keyring, and none in the environment")]
    NoNamedToken { name: TokenName },
    #[error("the keyring cannot be used, and there is no OAuth token in the environment")]
    Keyring(#[source] KeyringError),
    #[error("cannot read the token file `{path}` that DSR_TOKEN_FILE names")]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("other users can read or change the token file `{path}` (DSR_TOKEN_FILE)")]
    OpenTokenFile { path: PathBuf },
    #[error("both DSR_TOKEN_FILE and DSR_TOKEN are set, and only one can be meant")]
    TwoTokens,
    #[error("DSR_TOKEN_ISSUED is not a date such as 2026-05-31")]
    BadIssued,
    #[error("{origin} cannot be used: {source}")]
    BadToken {
        origin: TokenOrigin,
        source: TokenError,
    },
    #[error("{token} expired on {expired}: a token is valid for one year from the day it was made")]
    Expired {
        expired: NaiveDate,
        token: String,
        origin: TokenOrigin,
        name: Option<TokenName>,
    },
}

/// Finds a token: `DSR_TOKEN_FILE` or `DSR_TOKEN`, or else the keyring's token of this name. The
/// caller decides about an expired token.
pub fn find_token(
    environment: &Environment,
    name: &TokenName,
) -> Result<OauthToken, CredentialError> {
    if let Some(token) = find_environments_token(environment)? {
        return Ok(token);
    }
    let found = Keyring::find(name).map_err(CredentialError::Keyring)?;
    found.ok_or_else(|| match name.is_main() {
        true => CredentialError::NoToken,
        false => CredentialError::NoNamedToken { name: name.clone() },
    })
}

/// Finds the token of `DSR_TOKEN_FILE` or `DSR_TOKEN`, without the keyring.
pub fn find_environments_token(
    environment: &Environment,
) -> Result<Option<OauthToken>, CredentialError> {
    let (text, origin) = match (&environment.token_file, &environment.token) {
        (Some(_), Some(_)) => return Err(CredentialError::TwoTokens),
        (Some(path), None) => (token_file::read(path)?, TokenOrigin::TokenFile),
        (None, Some(token)) => (token.clone(), TokenOrigin::Environment),
        (None, None) => return Ok(None),
    };
    let issued = match &environment.token_issued {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| CredentialError::BadIssued)?),
    };
    let token = OauthToken::new(text.expose_secret(), issued, origin)
        .map_err(|source| CredentialError::BadToken { origin, source })?;
    Ok(Some(token))
}

/// Finds a token that is still valid today.
///
/// # Errors
/// See [`find_token`]; also when the token has expired.
pub fn find_valid_token(
    environment: &Environment,
    name: &TokenName,
    today: NaiveDate,
) -> Result<OauthToken, CredentialError> {
    let token = find_token(environment, name)?;
    match token.age(today) {
        TokenAge::Expired { expired } => Err(CredentialError::Expired {
            expired,
            token: token.description(),
            origin: token.origin(),
            name: token.name().cloned(),
        }),
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
        let token = find_token(&env, &TokenName::main()).unwrap();
        assert_eq!(token.expose(), "abc");
        assert_eq!(token.origin(), TokenOrigin::Environment);
        assert_eq!(token.issued(), "2026-05-31".parse().ok());
    }

    #[test]
    fn a_token_file_is_read_without_its_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc\r\n").unwrap();
        let env = environment(&[("DSR_TOKEN_FILE", file.path().to_str().unwrap())]);
        assert_eq!(
            find_token(&env, &TokenName::main()).unwrap().expose(),
            "abc"
        );
        let both = environment(&[("DSR_TOKEN_FILE", "/x"), ("DSR_TOKEN", "y")]);
        assert!(matches!(
            find_token(&both, &TokenName::main()),
            Err(CredentialError::TwoTokens)
        ));
        let missing = environment(&[("DSR_TOKEN_FILE", "/nowhere/x")]);
        assert!(matches!(
            find_token(&missing, &TokenName::main()),
            Err(CredentialError::TokenFile { .. })
        ));
    }

    #[test]
    fn an_expired_token_is_not_sent() {
        let env = environment(&[("DSR_TOKEN", "abc"), ("DSR_TOKEN_ISSUED", "2025-11-21")]);
        let day = |text: &str| text.parse().unwrap();
        assert!(find_valid_token(&env, &TokenName::main(), day("2026-11-20")).is_ok());
        assert!(
            find_valid_token(&env, &TokenName::main(), day("2026-11-21")).is_ok(),
            "the last day"
        );
        let error = find_valid_token(&env, &TokenName::main(), day("2026-11-22")).unwrap_err();
        assert!(matches!(error, CredentialError::Expired { .. }));
        let env = environment(&[("DSR_TOKEN", "abc"), ("DSR_TOKEN_ISSUED", "soon")]);
        assert!(matches!(
            find_token(&env, &TokenName::main()),
            Err(CredentialError::BadIssued)
        ));
    }

    #[test]
    fn a_bad_token_is_not_quoted() {
        let env = environment(&[("DSR_TOKEN", "se cret")]);
        let error = find_token(&env, &TokenName::main()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("cret"));
    }
}
