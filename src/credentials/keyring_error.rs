//! Why the keyring failed, without the words of its own errors.

use std::time::Duration;

/// How long to wait for the keyring. A provider that never answers would block a cron job.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);

/// Why the keyring failed. Never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the keyring did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    #[error(
        "there is no keyring here: no session bus, as is usual in a container, in cron or over ssh"
    )]
    Absent,
    #[error("there is no keyring here: no program on the session bus keeps secrets")]
    NoService,
    #[error("the keyring is locked, and there is nobody to ask for its password")]
    Locked,
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
                return of_platform(cause.as_ref()).unwrap_or(Self::Locked);
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

#[cfg(not(all(unix, not(target_os = "macos"))))]
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
