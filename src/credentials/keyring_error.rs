//! Why the keyring failed, without the words of its own errors.

use std::io::{IsTerminal as _, stdin};
use std::time::Duration;

/// How long to wait for the keyring. A provider that never answers would block a cron job.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);
/// The same where a person can answer the system's own question first.
const TIMEOUT_WITH_PERSON: Duration = Duration::from_secs(60);

/// On macOS a window asks whether dsr may read an entry, at least once for each new dsr. The person at
/// the terminal needs time to type a password.
pub(super) fn timeout() -> Duration {
    match cfg!(target_os = "macos") && stdin().is_terminal() {
        true => TIMEOUT_WITH_PERSON,
        false => TIMEOUT,
    }
}

const ABSENT: &str = match cfg!(any(windows, target_os = "macos")) {
    true => "the system gives this session none, as is usual over ssh and for background jobs",
    false => "no session bus, as is usual in a container, in cron or over ssh",
};

/// Why the keyring failed. Never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the keyring did not answer within {} seconds", timeout().as_secs())]
    Timeout,
    #[error("there is no keyring here: {ABSENT}")]
    Absent,
    #[error("there is no keyring here: no program on the session bus keeps secrets")]
    NoService,
    #[error("the keyring is locked, and there is nobody to ask for its password")]
    Locked,
    #[error("the keyring's question whether dsr may use it was refused")]
    Denied,
    #[error("the keyring has no collection yet to keep secrets in")]
    NoCollection,
    #[error("the keyring refused: {reason}")]
    Refused { reason: String },
    #[error("the keyring's entry for dsr cannot be read; another program may have changed it")]
    Damaged,
}

impl From<&keyring::Error> for KeyringError {
    /// Passes on only the kind of failure: the crate's texts may quote a stored secret.
    fn from(error: &keyring::Error) -> Self {
        use keyring::Error;
        let reason = match error {
            Error::NoStorageAccess(cause) => {
                return of_platform(cause.as_ref()).unwrap_or(NO_ACCESS);
            }
            Error::NoDefaultStore => return Self::Absent,
            Error::BadEncoding(_) | Error::BadDataFormat(..) => return Self::Damaged,
            Error::PlatformFailure(cause) => match of_platform(cause.as_ref()) {
                Some(known) => return known,
                None => format!("platform failure: {cause}"),
            },
            Error::Ambiguous(entries) => format!("it holds {} entries for dsr", entries.len()),
            Error::TooLong(what, limit) => format!("the {what} is longer than {limit}"),
            Error::NotSupportedByStore(what) => format!("it does not support {what}"),
            _ => "it gives no reason".to_owned(),
        };
        Self::Refused { reason }
    }
}

/// No access, without a known reason. The Credential Manager is never locked: sessions in which nobody
/// is logged in have none.
const NO_ACCESS: KeyringError = match cfg!(windows) {
    true => KeyringError::Absent,
    false => KeyringError::Locked,
};

type Cause = dyn std::error::Error + Send + Sync;

/// The meaning of a Secret Service error that the user can resolve.
#[cfg(all(unix, not(target_os = "macos")))]
fn of_platform(cause: &Cause) -> Option<KeyringError> {
    use secret_service::Error;
    match cause.downcast_ref::<Error>()? {
        Error::Unavailable => Some(KeyringError::Absent),
        Error::Locked | Error::Prompt | Error::PromptDisconnected => Some(KeyringError::Locked),
        Error::NoResult => Some(KeyringError::NoCollection),
        Error::Zbus(error) => of_bus(error),
        _ => None,
    }
}

/// The meaning of a bus error, by the names of the D-Bus specification.
#[cfg(all(unix, not(target_os = "macos")))]
fn of_bus(error: &(dyn std::error::Error + 'static)) -> Option<KeyringError> {
    use std::{io, sync::Arc};
    const NOBODY: [&str; 2] = [
        "org.freedesktop.DBus.Error.ServiceUnknown",
        "org.freedesktop.DBus.Error.Spawn.",
    ];
    let text = error.to_string();
    if NOBODY.iter().any(|name| text.starts_with(name)) {
        return Some(KeyringError::NoService);
    }
    let is_unreachable = error.source()?.is::<Arc<io::Error>>();
    is_unreachable.then_some(KeyringError::Absent)
}

#[cfg(target_os = "macos")]
fn of_platform(cause: &Cause) -> Option<KeyringError> {
    of_keychain(
        cause
            .downcast_ref::<security_framework::base::Error>()?
            .code(),
    )
}

/// The meaning of a result code of macOS' `SecBase.h` that the user can resolve.
#[cfg(any(target_os = "macos", test))]
fn of_keychain(code: i32) -> Option<KeyringError> {
    match code {
        // errSecInteractionNotAllowed, errSecInteractionRequired: locked, and no window can ask.
        -25308 | -25315 => Some(KeyringError::Locked),
        // errSecUserCanceled, errSecAuthFailed.
        -128 | -25293 => Some(KeyringError::Denied),
        // errSecNoDefaultKeychain, errSecNoSuchKeychain.
        -25307 | -25294 => Some(KeyringError::NoCollection),
        // errSecNotAvailable.
        -25291 => Some(KeyringError::Absent),
        _ => None,
    }
}

#[cfg(windows)]
fn of_platform(_: &Cause) -> Option<KeyringError> {
    None
}

#[cfg(test)]
mod tests {
    use keyring::Error;

    use super::*;

    fn explained(error: Error) -> String {
        KeyringError::from(&error).to_string()
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn what_the_secret_service_says_is_told_apart() {
        use secret_service::Error as Service;
        let denied = |error: Service| explained(Error::NoStorageAccess(Box::new(error)));
        let failed = |error: Service| explained(Error::PlatformFailure(Box::new(error)));
        assert!(denied(Service::Locked).contains("is locked"));
        assert!(denied(Service::Prompt).contains("is locked"));
        assert!(denied(Service::NoResult).contains("no collection"));
        assert!(failed(Service::Unavailable).contains("no session bus"));
        assert!(failed(Service::Crypto("odd")).contains("platform failure"));
    }

    #[test]
    fn what_the_keychain_says_is_told_apart() {
        let explained = |code| of_keychain(code).map(|error| error.to_string());
        for (code, part) in [
            (-25308, "is locked"),
            (-25293, "was refused"),
            (-128, "was refused"),
            (-25307, "no collection"),
            (-25291, "no keyring here"),
        ] {
            assert!(
                explained(code).is_some_and(|text| text.contains(part)),
                "{code}"
            );
        }
        assert_eq!(explained(-50), None);
    }

    #[test]
    fn what_is_stored_is_never_quoted() {
        for error in [
            Error::BadEncoding(b"se-cret".to_vec()),
            Error::BadDataFormat(b"se-cret".to_vec(), "se-cret".into()),
            Error::Invalid("password".to_owned(), "se-cret".to_owned()),
            Error::BadStoreFormat("se-cret".to_owned()),
        ] {
            assert!(!explained(error).contains("se-cret"));
        }
    }
}
