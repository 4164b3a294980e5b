use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{HashKey, OauthToken, TokenOrigin};

/// How long the keyring may take. A provider that never answers would hang a cron job for minutes.
const TIMEOUT: Duration = Duration::from_secs(3);

const SERVICE: &str = "dsr";
const TOKEN: &str = "mixpanel-oauth-token";
const HASH_KEY: &str = "distinct-id-hash-key";

/// The operating system's keyring, in which the token and its date are one entry, and the key
/// with which ids are hashed is another.
#[derive(Debug)]
pub struct Keyring;

/// Why the keyring did not serve. Never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the keyring did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    #[error("there is no keyring service here, as is usual in a container, over ssh or in cron")]
    Absent,
    #[error("the keyring is locked and needs a person to unlock it")]
    Locked,
    #[error("the keyring refused: {reason}")]
    Refused { reason: String },
    #[error("the keyring's entry for dsr cannot be read; another program may have changed it")]
    Damaged,
}

/// What is kept: one entry, so that the token and its date cannot part.
#[derive(Serialize, Deserialize)]
struct Kept {
    token: String,
    issued: NaiveDate,
}

impl Keyring {
    /// Looks the token up.
    ///
    /// # Errors
    /// When the keyring cannot be asked. No entry is no error.
    pub fn find() -> Result<Option<OauthToken>, KeyringError> {
        let text = with_timeout(|| match entry(TOKEN)?.get_password() {
            Ok(text) => Ok(Some(text)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(&error)),
        })?;
        let Some(text) = text else { return Ok(None) };
        Self::read_entry(&text).map(Some)
    }

    /// Reads what an entry holds: [`Self::record`] wrote it, or another program did.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn read_entry(text: &str) -> Result<OauthToken, KeyringError> {
        let kept: Kept = serde_json::from_str(text).map_err(|_| KeyringError::Damaged)?;
        OauthToken::new(&kept.token, Some(kept.issued), TokenOrigin::Keyring)
            .map_err(|_| KeyringError::Damaged)
    }

    /// Keeps a token in place of the one before.
    ///
    /// # Errors
    /// When the keyring cannot be used; the one before is kept then.
    pub fn record(token: &OauthToken, issued: NaiveDate) -> Result<(), KeyringError> {
        let kept = Kept {
            token: token.expose().to_owned(),
            issued,
        };
        let text = serde_json::to_string(&kept).map_err(|_| KeyringError::Damaged)?;
        with_timeout(move || entry(TOKEN)?.set_password(&text).map_err(|e| explain(&e)))
    }

    /// Forgets the token; whether there was one.
    ///
    /// # Errors
    /// When the keyring cannot be used.
    pub fn forget() -> Result<bool, KeyringError> {
        forget(TOKEN)
    }

    /// Looks the key up with which ids are hashed.
    ///
    /// # Errors
    /// When the keyring cannot be asked. No entry is no error.
    pub fn find_hash_key() -> Result<Option<HashKey>, KeyringError> {
        let bytes = with_timeout(|| match entry(HASH_KEY)?.get_secret() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(&error)),
        })?;
        let key = |bytes| HashKey::new(bytes).ok_or(KeyringError::Damaged);
        bytes.map(key).transpose()
    }

    /// Keeps a key in place of the one before.
    ///
    /// # Errors
    /// When the keyring cannot be used; the one before is kept then.
    pub fn record_hash_key(key: HashKey) -> Result<(), KeyringError> {
        with_timeout(move || {
            let kept = entry(HASH_KEY)?.set_secret(key.expose());
            kept.map_err(|error| explain(&error))
        })
    }

    /// Forgets the key; whether there was one.
    ///
    /// # Errors
    /// When the keyring cannot be used.
    pub fn forget_hash_key() -> Result<bool, KeyringError> {
        forget(HASH_KEY)
    }
}

fn forget(name: &'static str) -> Result<bool, KeyringError> {
    with_timeout(move || match entry(name)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(keyring::Error::NoEntry) => Ok(false),
        Err(error) => Err(explain(&error)),
    })
}

fn entry(name: &str) -> Result<keyring::Entry, KeyringError> {
    keyring::Entry::new(SERVICE, name).map_err(|error| match keyring::Entry::store_status() {
        Err(keyring::Error::NoStorageAccess(_) | keyring::Error::PlatformFailure(_)) => {
            KeyringError::Absent
        }
        Err(cause) => explain(cause),
        Ok(()) => explain(&error),
    })
}

/// The crate's own texts may quote what is stored; only its kind of failure is passed on.
fn explain(error: &keyring::Error) -> KeyringError {
    use keyring::Error;
    let reason = match error {
        Error::NoStorageAccess(_) => return KeyringError::Locked,
        Error::NoDefaultStore => return KeyringError::Absent,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => return KeyringError::Damaged,
        Error::PlatformFailure(cause) => format!("platform failure: {cause}"),
        Error::Ambiguous(entries) => format!("it holds {} entries for dsr", entries.len()),
        Error::TooLong(what, limit) => format!("the {what} is longer than {limit}"),
        Error::NotSupportedByStore(what) => format!("it does not support {what}"),
        _ => "for a reason it does not say".to_owned(),
    };
    KeyringError::Refused { reason }
}

/// Runs `work` on a thread that is left behind if it takes too long: a runtime's own blocking
/// pool would be waited for when the process ends.
fn with_timeout<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Nobody listens any more after the time is over.
        drop(sender.send(work()));
    });
    match receiver.recv_timeout(TIMEOUT) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(KeyringError::Timeout),
        Err(RecvTimeoutError::Disconnected) => Err(KeyringError::Refused {
            reason: "its client failed".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_that_never_answers_is_given_up() {
        let result = with_timeout(|| {
            thread::sleep(TIMEOUT * 2);
            Ok(())
        });
        assert!(matches!(result, Err(KeyringError::Timeout)));
    }
}
