use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::Environment;
use crate::domain::{TokenName, to_hex};

use super::keyring_store::{Series, find_text};
use super::{HashKey, HashKeyError, Keyring, KeyringError};

/// A Mixpanel service account, which may ask for profiles. The GDPR API does not take it.
#[derive(Clone)]
pub struct ServiceAccount {
    user: SecretString,
    secret: SecretString,
    origin: AccountOrigin,
    name: Option<TokenName>,
}

/// Where a service account came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountOrigin {
    Keyring,
    AccountFile,
    Sandbox,
}

impl AccountOrigin {
    pub const ALL: [Self; 3] = [Self::Keyring, Self::AccountFile, Self::Sandbox];
}

impl fmt::Display for AccountOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyring => "the service account in the keyring",
            Self::AccountFile => {
                "the service account in the file that DSR_SERVICE_ACCOUNT_FILE names"
            }
            Self::Sandbox => "the sandbox's fixed service account",
        })
    }
}

/// Why there is no usable service account. Never holds one.
#[derive(Debug, thiserror::Error)]
pub enum ServiceAccountError {
    #[error("there is no service account: no file names one, and none is in the keyring")]
    NoAccount,
    #[error("the file that DSR_SERVICE_ACCOUNT_FILE names cannot be used")]
    File(#[source] HashKeyError),
    #[error(
        "the file that DSR_SERVICE_ACCOUNT_FILE names is not one line `USERNAME:SECRET` of printable ASCII without spaces"
    )]
    NotAnAccount,
    #[error("the keyring cannot be used for the service account")]
    Keyring(#[source] KeyringError),
}

impl ServiceAccount {
    /// Takes `USERNAME:SECRET` without outer white space; `None` if that is not one line of
    /// printable ASCII with both.
    pub fn parse(text: &str, origin: AccountOrigin) -> Option<Self> {
        // Only the secret may hold a colon (RFC 7617).
        let (user, secret) = text.trim().split_once(':')?;
        Self::new(user, secret, origin)
    }

    /// Takes a user name and a secret without outer white space; `None` as for [`Self::parse`].
    pub fn new(user: &str, secret: &str, origin: AccountOrigin) -> Option<Self> {
        let (user, secret) = (user.trim(), secret.trim());
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let is_one = is_word(user) && is_word(secret) && !user.contains(':');
        is_one.then(|| Self {
            user: user.into(),
            secret: secret.into(),
            origin,
            name: None,
        })
    }

    /// The same account with its keyring name.
    #[must_use]
    pub fn named(mut self, name: TokenName) -> Self {
        self.name = Some(name);
        self
    }

    /// User name and secret, for the `Authorization` header only.
    pub fn expose(&self) -> (&str, &str) {
        (self.user.expose_secret(), self.secret.expose_secret())
    }

    pub fn origin(&self) -> AccountOrigin {
        self.origin
    }

    /// Its name in the keyring; `None` if it came from elsewhere.
    pub fn name(&self) -> Option<&TokenName> {
        self.name.as_ref()
    }

    /// The account in words: by name if there may be others.
    pub fn description(&self) -> String {
        match &self.name {
            Some(name) if !name.is_main() => format!("the service account `{name}` in the keyring"),
            Some(_) | None => self.origin.to_string(),
        }
    }

    /// Identifies an account without showing it: the first 8 hex digits of its SHA-256.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.line().expose_secret());
        to_hex(&hash[..4])
    }

    fn line(&self) -> SecretString {
        let (user, secret) = self.expose();
        format!("{user}:{secret}").into()
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Finds a service account: in the file `DSR_SERVICE_ACCOUNT_FILE`, which must be private, or else
/// the keyring's account of this name, or else its account without a name.
pub fn find_service_account(
    environment: &Environment,
    name: &TokenName,
) -> Result<ServiceAccount, ServiceAccountError> {
    if let Some(account) = find_environments_account(environment)? {
        return Ok(account);
    }
    let find = |name| Keyring::find_account(name).map_err(ServiceAccountError::Keyring);
    match find(name)? {
        Some(account) => Ok(account),
        None if name.is_main() => Err(ServiceAccountError::NoAccount),
        None => find(&TokenName::main())?.ok_or(ServiceAccountError::NoAccount),
    }
}

/// Finds the account of `DSR_SERVICE_ACCOUNT_FILE`, without the keyring.
pub fn find_environments_account(
    environment: &Environment,
) -> Result<Option<ServiceAccount>, ServiceAccountError> {
    let Some(path) = &environment.service_account_file else {
        return Ok(None);
    };
    let bytes = HashKey::read(path).map_err(ServiceAccountError::File)?;
    let text = std::str::from_utf8(bytes.expose()).ok();
    let account = text.and_then(|text| ServiceAccount::parse(text, AccountOrigin::AccountFile));
    account.map(Some).ok_or(ServiceAccountError::NotAnAccount)
}

impl Keyring {
    /// The service account of this name.
    ///
    /// # Errors
    /// When the keyring fails. A missing entry is not an error.
    pub fn find_account(name: &TokenName) -> Result<Option<ServiceAccount>, KeyringError> {
        let Some(text) = find_text(Series::Accounts.entry_of(name))?.map(SecretString::from) else {
            return Ok(None);
        };
        let account = ServiceAccount::parse(text.expose_secret(), AccountOrigin::Keyring);
        let account = account.ok_or(KeyringError::Damaged)?;
        Ok(Some(account.named(name.clone())))
    }

    /// Stores a service account and replaces the one of this name.
    ///
    /// # Errors
    /// When the keyring fails; the old account stays.
    pub fn record_account(name: &TokenName, account: &ServiceAccount) -> Result<(), KeyringError> {
        Series::Accounts.record(name, account.line().expose_secret().to_owned())
    }

    /// Removes a service account; returns whether there was one.
    pub fn forget_account(name: &TokenName) -> Result<bool, KeyringError> {
        Series::Accounts.forget(name)
    }

    /// The stored service accounts by name, the one without a name first.
    pub fn list_accounts() -> Result<Vec<ServiceAccount>, KeyringError> {
        let names = Series::Accounts.list_names(&[])?;
        let found = names.iter().map(Self::find_account);
        Ok(found
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_line_with_a_colon_and_does_not_show_itself() {
        let origin = AccountOrigin::AccountFile;
        let account = ServiceAccount::parse(" dsr.ab1.mp-service-account:top:secret\r\n", origin);
        let account = account.unwrap();
        assert_eq!(
            account.expose(),
            ("dsr.ab1.mp-service-account", "top:secret")
        );
        assert!(!format!("{account:?}").contains("top"));
        assert!(!format!("{account:?}").contains("ab1"));
        assert_eq!(account.fingerprint().len(), 8);
        for text in ["", "user", "user:", ":secret", "a:b\nc:d", "a b:c", "a:b\0"] {
            assert!(ServiceAccount::parse(text, origin).is_none(), "{text:?}");
        }
    }
}
