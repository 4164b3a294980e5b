use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretSlice};

use super::keyring_store::{find_secret, forget, record_secret};
use super::secret_file::{self, SecretFileError};
use super::{Keyring, KeyringError};

const MAX_KEY_BYTES: u64 = 64 * 1024;

const ENTRY: &str = "distinct-id-hash-key";

/// A product's HMAC key for making its distinct_ids.
#[derive(Clone)]
pub struct HashKey(SecretSlice<u8>);

/// Why a file has no usable key. Never holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum HashKeyError {
    #[error("cannot read the file `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("other users can read or change the file `{path}`")]
    Open { path: PathBuf },
    #[error("the file `{path}` is empty")]
    Empty { path: PathBuf },
    #[error("the file `{path}` is longer than {MAX_KEY_BYTES} bytes")]
    TooLong { path: PathBuf },
    #[error("the key is empty")]
    NothingGiven,
    #[error("there is no key for the hash: no file was named, and none is in the keyring")]
    NoKey,
    #[error("no key file was named, and the keyring cannot be used")]
    Keyring(#[source] KeyringError),
}

impl HashKey {
    /// Takes these bytes unchanged; `None` if there are none.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self(bytes.into()))
    }

    /// Takes a typed text or a file's bytes.
    ///
    /// A line break after a single line of text is not part of the key. All other bytes count,
    /// since a random key may end in a line feed.
    pub fn from_text_or_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_text = std::str::from_utf8(line).is_ok_and(|text| !text.contains(char::is_control));
        if is_text {
            bytes.truncate(line.len());
        }
        Self::new(bytes)
    }

    /// Reads a key file that is private to its owner.
    ///
    /// # Errors
    /// When it is unreadable, open to others, or holds no key.
    pub fn read(path: &Path) -> Result<Self, HashKeyError> {
        let owned = || path.to_owned();
        let bytes = secret_file::read(path, MAX_KEY_BYTES).map_err(|error| match error {
            SecretFileError::Unreadable(source) => HashKeyError::Read {
                path: owned(),
                source,
            },
            SecretFileError::Open => HashKeyError::Open { path: owned() },
            SecretFileError::TooLong => HashKeyError::TooLong { path: owned() },
        })?;
        Self::from_text_or_bytes(bytes).ok_or_else(|| HashKeyError::Empty { path: owned() })
    }

    /// Reads the given file, or else the keyring.
    ///
    /// # Errors
    /// See [`Self::read`]; also when there is no key.
    pub fn find(file: Option<&Path>) -> Result<Self, HashKeyError> {
        match file {
            Some(path) => Self::read(path),
            None => Keyring::find_hash_key()
                .map_err(HashKeyError::Keyring)?
                .ok_or(HashKeyError::NoKey),
        }
    }

    /// The key itself, for the hash and the keyring only.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl Keyring {
    /// The key in the keyring.
    ///
    /// # Errors
    /// When the keyring fails. A missing entry is not an error.
    pub fn find_hash_key() -> Result<Option<HashKey>, KeyringError> {
        let key = |bytes: SecretSlice<u8>| match bytes.expose_secret() {
            [] => Err(KeyringError::Damaged),
            _ => Ok(HashKey(bytes)),
        };
        find_secret(ENTRY)?.map(key).transpose()
    }

    /// Stores a key and replaces the old one.
    ///
    /// # Errors
    /// When the keyring fails; the old key stays.
    pub fn record_hash_key(key: &HashKey) -> Result<(), KeyringError> {
        record_secret(ENTRY, key.expose())
    }

    /// Removes the key; returns whether there was one.
    pub fn forget_hash_key() -> Result<bool, KeyringError> {
        forget(ENTRY.to_owned())
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: &[u8]) -> Option<Vec<u8>> {
        HashKey::from_text_or_bytes(bytes.to_vec()).map(|key| key.expose().to_vec())
    }

    #[test]
    fn the_line_end_of_a_line_of_text_is_no_part_of_the_key() {
        for bytes in ["pass phrase", "pass phrase\n", "pass phrase\r\n"] {
            assert_eq!(key(bytes.as_bytes()).as_deref(), Some(&b"pass phrase"[..]));
        }
        assert_eq!(
            key("schlüssel\n".as_bytes()).as_deref(),
            Some("schlüssel".as_bytes())
        );
        assert_eq!(
            key(b" a \n").as_deref(),
            Some(&b" a "[..]),
            "nothing else is dropped"
        );
    }

    #[test]
    fn bytes_that_are_no_line_of_text_are_taken_as_they_are() {
        for bytes in [
            &b"\x00\xff\n"[..],
            b"\x80\r\n",
            b"two\nlines\n",
            b"a\n\n",
            b"\x01\n",
        ] {
            assert_eq!(key(bytes).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn there_is_no_empty_key() {
        for bytes in [&b""[..], b"\n", b"\r\n"] {
            assert_eq!(key(bytes), None);
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = HashKey::new(b"secret".to_vec()).unwrap();
        assert_eq!(format!("{key:?}"), "HashKey");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret\n").unwrap();
        for (mode, is_refused) in [
            (0o600, false),
            (0o400, false),
            (0o640, true),
            (0o604, true),
            (0o622, true),
        ] {
            let permissions = PermissionsExt::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
            let read = HashKey::read(file.path());
            let refused = matches!(read, Err(HashKeyError::Open { .. }));
            assert_eq!(refused, is_refused, "{mode:o}");
            assert_eq!(read.is_ok(), !is_refused, "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_key_file_is_told_apart() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = || HashKey::read(file.path()).unwrap_err();
        assert!(matches!(read(), HashKeyError::Empty { .. }));
        let long = vec![b'x'; MAX_KEY_BYTES as usize + 1];
        std::fs::write(file.path(), long).unwrap();
        assert!(matches!(read(), HashKeyError::TooLong { .. }));
        let missing = HashKey::read(Path::new("/nowhere/key")).unwrap_err();
        assert!(matches!(missing, HashKeyError::Read { .. }));
    }
}
