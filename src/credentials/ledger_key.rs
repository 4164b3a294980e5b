//! The key that hashes people in the ledger: in the keyring, or in the file `DSR_LEDGER_KEY_FILE`.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::config::{Environment, create_private_folder, private_file, sync_file};
use crate::domain::LedgerKey;

use super::keyring_store::{find_secret, record_secret};
use super::secret_file::{self, SecretFileError};
use super::{Keyring, KeyringError};

/// More than any key file: 64 digits and a line break.
const MAX_FILE_BYTES: u64 = 128;

/// A lock beside the ledger for finding and making a key, so that two dsr make only one.
const LOCK: &str = "ledger-key.lock";

const ENTRY: &str = "ledger-key";

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    Keyring,
    File(PathBuf),
    /// The sandbox's key, which is not secret.
    Sandbox,
}

impl fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => f.write_str("the keyring"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Sandbox => f.write_str("the sandbox"),
        }
    }
}

/// Whether to make a missing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfNone {
    Make,
    /// The ledger already uses a key, which must be somewhere.
    Leave,
}

/// Why there is no key. Never holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerKeyError {
    #[error("cannot read the ledger key's file `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("other users can read or change the ledger key's file `{path}`")]
    Open { path: PathBuf },
    #[error("the file `{path}` holds no ledger key: 64 hex digits")]
    Malformed { path: PathBuf },
    #[error("there is no ledger key: no file was named, and the keyring cannot be used")]
    Keyring(#[source] KeyringError),
    #[error("the ledger's key is not in the keyring")]
    Gone,
    #[error("cannot write the ledger key to `{path}`")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot make sure that only one key is made")]
    Lock(#[source] io::Error),
}

/// Finds the key in the environment's file, or else in the keyring. Makes one there if `if_none`
/// allows it.
pub fn find_ledger_key(
    environment: &Environment,
    data: &Path,
    if_none: IfNone,
) -> Result<(LedgerKey, KeyOrigin), LedgerKeyError> {
    if let Some(path) = &environment.ledger_key_file {
        return Ok((read_ledger_key(path)?, KeyOrigin::File(path.clone())));
    }
    let found = Keyring::find_ledger_key().map_err(LedgerKeyError::Keyring)?;
    let key = match (found, if_none) {
        (Some(key), _) => key,
        (None, IfNone::Leave) => return Err(LedgerKeyError::Gone),
        (None, IfNone::Make) => make(data)?,
    };
    Ok((key, KeyOrigin::Keyring))
}

impl Keyring {
    /// The ledger key in the keyring.
    ///
    /// # Errors
    /// When the keyring fails, or holds something else. A missing entry is not an error.
    pub fn find_ledger_key() -> Result<Option<LedgerKey>, KeyringError> {
        let key = |bytes: SecretSlice<u8>| {
            let bytes = bytes.expose_secret().try_into();
            bytes
                .map(LedgerKey::restore)
                .map_err(|_| KeyringError::Damaged)
        };
        find_secret(ENTRY)?.map(key).transpose()
    }

    /// Stores the key and replaces the old one.
    ///
    /// # Errors
    /// When the keyring fails; the old key stays.
    pub fn record_ledger_key(key: &LedgerKey) -> Result<(), KeyringError> {
        record_secret(ENTRY, key.expose())
    }
}

/// Makes the keyring's key, unless another dsr was faster.
fn make(data: &Path) -> Result<LedgerKey, LedgerKeyError> {
    let _lock = lock(data).map_err(LedgerKeyError::Lock)?;
    if let Some(key) = Keyring::find_ledger_key().map_err(LedgerKeyError::Keyring)? {
        return Ok(key);
    }
    let key = LedgerKey::random();
    Keyring::record_ledger_key(&key).map_err(LedgerKeyError::Keyring)?;
    // Uses the key only once the keyring returns it.
    let kept = Keyring::find_ledger_key().map_err(LedgerKeyError::Keyring)?;
    kept.ok_or(LedgerKeyError::Gone)
}

fn lock(data: &Path) -> io::Result<File> {
    create_private_folder(data)?;
    let file = private_file()
        .write(true)
        .create(true)
        .truncate(false)
        .open(data.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

/// Reads a key file that is private to its owner.
///
/// # Errors
/// When it is unreadable, open to others, or holds no key.
pub fn read_ledger_key(path: &Path) -> Result<LedgerKey, LedgerKeyError> {
    let owned = || path.to_owned();
    let bytes = secret_file::read(path, MAX_FILE_BYTES).map_err(|error| match error {
        SecretFileError::Unreadable(source) => LedgerKeyError::Read {
            path: owned(),
            source,
        },
        SecretFileError::Open => LedgerKeyError::Open { path: owned() },
        SecretFileError::TooLong => LedgerKeyError::Malformed { path: owned() },
    })?;
    let text = String::from_utf8(bytes).map(SecretString::from);
    let key = text.map(|text| LedgerKey::parse(text.expose_secret().trim_end()));
    key.ok()
        .flatten()
        .ok_or_else(|| LedgerKeyError::Malformed { path: owned() })
}

/// Writes a key to a new, private file.
///
/// # Errors
/// When it cannot be written, or already exists.
pub fn write_ledger_key(path: &Path, key: &LedgerKey) -> Result<(), LedgerKeyError> {
    let digits = key.expose().iter().map(|byte| format!("{byte:02x}"));
    let text = SecretString::from(digits.chain(["\n".to_owned()]).collect::<String>());
    let write = || {
        let mut file = private_file().write(true).create_new(true).open(path)?;
        file.write_all(text.expose_secret().as_bytes())?;
        sync_file(&file)
    };
    write().map_err(|source| LedgerKeyError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = LedgerKey::random();
        write_ledger_key(&path, &key).unwrap();
        assert_eq!(read_ledger_key(&path).unwrap().expose(), key.expose());
        let again = write_ledger_key(&path, &LedgerKey::random()).unwrap_err();
        assert!(matches!(again, LedgerKeyError::Write { .. }));
        assert_eq!(read_ledger_key(&path).unwrap().expose(), key.expose());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_ledger_key(&path, &LedgerKey::random()).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let error = read_ledger_key(&path).unwrap_err();
        assert!(matches!(error, LedgerKeyError::Open { .. }));
    }

    #[test]
    fn what_is_no_key_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in ["", "hunter2", &"ab".repeat(33), "\u{e4}"] {
            drop(std::fs::remove_file(&path));
            let mut file = private_file()
                .write(true)
                .create_new(true)
                .open(&path)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let error = read_ledger_key(&path).unwrap_err();
            assert!(matches!(error, LedgerKeyError::Malformed { .. }), "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
