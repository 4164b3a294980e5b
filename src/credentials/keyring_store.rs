use std::collections::BTreeSet;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use chrono::NaiveDate;
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};

use crate::domain::TokenName;

use super::keyring_error::{KeyringError, timeout};
use super::{OauthToken, TokenOrigin};

const SERVICE: &str = "dsr";

/// The operating system's keyring. Each token with its date, each service account, the hash key, the
/// ledger key and each project's API secret are one entry each.
#[derive(Debug)]
pub struct Keyring;

/// One entry, so that a token cannot lose its date.
#[derive(Serialize, Deserialize)]
struct KeptToken {
    token: String,
    issued: NaiveDate,
}

impl Keyring {
    /// The token of this name.
    ///
    /// # Errors
    /// When the keyring fails. A missing entry is not an error.
    pub fn find(name: &TokenName) -> Result<Option<OauthToken>, KeyringError> {
        let Some(text) = find_text(Series::Tokens.entry_of(name))? else {
            return Ok(None);
        };
        Ok(Some(Self::read_entry(&text)?.named(name.clone())))
    }

    /// Reads an entry that [`Self::record`] or another program wrote.
    ///
    /// # Errors
    /// When it is not a token entry.
    pub fn read_entry(text: &str) -> Result<OauthToken, KeyringError> {
        let kept: KeptToken = serde_json::from_str(text).map_err(|_| KeyringError::Damaged)?;
        OauthToken::new(&kept.token, Some(kept.issued), TokenOrigin::Keyring)
            .map_err(|_| KeyringError::Damaged)
    }

    /// Stores a token and replaces the one of this name.
    ///
    /// # Errors
    /// When the keyring fails; the old token stays.
    pub fn record(
        name: &TokenName,
        token: &OauthToken,
        issued: NaiveDate,
    ) -> Result<(), KeyringError> {
        let kept = KeptToken {
            token: token.expose().to_owned(),
            issued,
        };
        let text = serde_json::to_string(&kept).map_err(|_| KeyringError::Damaged)?;
        Series::Tokens.record(name, text)
    }

    /// Removes a token; returns whether there was one.
    pub fn forget(name: &TokenName) -> Result<bool, KeyringError> {
        Series::Tokens.forget(name)
    }

    /// The stored tokens by name, the main one first. Also looks for `others`.
    pub fn list(others: &[TokenName]) -> Result<Vec<OauthToken>, KeyringError> {
        let mut tokens = Vec::new();
        for name in Series::Tokens.list_names(others)? {
            tokens.extend(Self::find(&name)?);
        }
        Ok(tokens)
    }
}

/// Entries of one kind, of which there may be several by name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Series {
    Tokens,
    Accounts,
}

impl Series {
    /// The entry without a name; the others append theirs.
    fn main(self) -> &'static str {
        match self {
            Self::Tokens => "mixpanel-oauth-token",
            Self::Accounts => "mixpanel-service-account",
        }
    }

    pub(super) fn entry_of(self, name: &TokenName) -> String {
        match name.is_main() {
            true => self.main().to_owned(),
            false => format!("{}:{name}", self.main()),
        }
    }

    /// The entry with all names, since not every keyring can be searched.
    fn names_entry(self) -> String {
        format!("{}-names", self.main())
    }

    fn list_named(self) -> Result<BTreeSet<String>, KeyringError> {
        let text = find_text(self.names_entry())?;
        // The next name replaces an unreadable list; the entries stay.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    fn record_names(self, names: &BTreeSet<String>) -> Result<(), KeyringError> {
        let text = serde_json::to_string(names).map_err(|_| KeyringError::Damaged)?;
        match names.is_empty() {
            true => forget(self.names_entry()).map(drop),
            false => record_text(self.names_entry(), text),
        }
    }

    /// The names, the main one first, and `others`.
    pub(super) fn list_names(self, others: &[TokenName]) -> Result<Vec<TokenName>, KeyringError> {
        let named = self.list_named()?;
        let named = named.iter().filter_map(|name| TokenName::new(name));
        let mut names: BTreeSet<TokenName> = named.chain(others.iter().cloned()).collect();
        names.remove(&TokenName::main());
        Ok(iter::once(TokenName::main()).chain(names).collect())
    }

    pub(super) fn record(self, name: &TokenName, text: String) -> Result<(), KeyringError> {
        let mut names = self.list_named()?;
        // The name first: a name without an entry is skipped, but an entry without its name is lost.
        if !name.is_main() && names.insert(name.as_str().to_owned()) {
            self.record_names(&names)?;
        }
        record_text(self.entry_of(name), text)
    }

    /// Returns whether there was an entry.
    pub(super) fn forget(self, name: &TokenName) -> Result<bool, KeyringError> {
        let was_there = forget(self.entry_of(name))?;
        let mut names = self.list_named()?;
        if names.remove(name.as_str()) {
            self.record_names(&names)?;
        }
        Ok(was_there)
    }
}

pub(super) fn find_text(name: String) -> Result<Option<String>, KeyringError> {
    with_timeout(move || found(entry(&name)?.get_password()))
}

/// The bytes of an entry, for keys that are not text.
pub(super) fn find_secret(name: &'static str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
    with_timeout(move || Ok(found(entry(name)?.get_secret())?.map(SecretSlice::from)))
}

/// `None` where there is no such entry.
fn found<T>(answer: Result<T, keyring::Error>) -> Result<Option<T>, KeyringError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err((&error).into()),
    }
}

pub(super) fn record_secret(name: &'static str, bytes: &[u8]) -> Result<(), KeyringError> {
    let bytes = SecretSlice::from(bytes.to_vec());
    with_timeout(move || {
        let kept = entry(name)?.set_secret(bytes.expose_secret());
        kept.map_err(|error| (&error).into())
    })
}

pub(super) fn record_text(name: String, text: String) -> Result<(), KeyringError> {
    with_timeout(move || {
        let kept = entry(&name)?.set_password(&text);
        kept.map_err(|error| (&error).into())
    })
}

pub(super) fn forget(name: String) -> Result<bool, KeyringError> {
    with_timeout(move || Ok(found(entry(&name)?.delete_credential())?.is_some()))
}

fn entry(name: &str) -> Result<keyring::Entry, KeyringError> {
    keyring::Entry::store_status()
        .as_ref()
        .map_err(KeyringError::from)?;
    new_entry(name).map_err(|error| (&error).into())
}

#[cfg(not(windows))]
fn new_entry(name: &str) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, name)
}

/// The crate's own entries are part of a roaming profile, which copies them to other machines.
#[cfg(windows)]
fn new_entry(name: &str) -> keyring::Result<keyring::Entry> {
    let local = [("persistence", "Local")].into();
    let inner = keyring_core::Entry::new_with_modifiers(SERVICE, name, &local)?;
    Ok(keyring::Entry { inner })
}

/// Runs `work` on a thread that is abandoned if it takes too long. A runtime's blocking pool would
/// make the process wait at its end.
fn with_timeout<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    /// Another call would wait behind the abandoned one.
    static IS_GIVEN_UP: AtomicBool = AtomicBool::new(false);
    if IS_GIVEN_UP.load(Ordering::Relaxed) {
        return Err(KeyringError::Timeout);
    }
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // After the timeout no one receives the result.
        drop(sender.send(work()));
    });
    match receiver.recv_timeout(timeout()) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => {
            IS_GIVEN_UP.store(true, Ordering::Relaxed);
            Err(KeyringError::Timeout)
        }
        Err(RecvTimeoutError::Disconnected) => Err(KeyringError::Refused {
            reason: "its client failed".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use std::time::Duration;

    use super::*;

    #[test]
    fn a_silent_keyring_is_asked_only_once() {
        let start = Instant::now();
        let result = with_timeout(|| {
            thread::sleep(timeout() * 2);
            Ok(())
        });
        assert!(matches!(result, Err(KeyringError::Timeout)));
        let waited = start.elapsed();
        let again = with_timeout(|| Ok(()));
        assert!(matches!(again, Err(KeyringError::Timeout)));
        assert!(start.elapsed() - waited < Duration::from_secs(1));
    }

    #[test]
    fn the_main_token_is_where_it_was_before_there_were_names() {
        let tokens = Series::Tokens;
        assert_eq!(tokens.entry_of(&TokenName::main()), "mixpanel-oauth-token");
        let acme = TokenName::new("acme").unwrap();
        assert_eq!(tokens.entry_of(&acme), "mixpanel-oauth-token:acme");
        assert_eq!(tokens.names_entry(), "mixpanel-oauth-token-names");
    }
}
