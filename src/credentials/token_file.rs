use std::io;
use std::path::Path;
use std::sync::OnceLock;

use secrecy::SecretString;

use super::CredentialError;
use super::secret_file::{self, SecretFileError};

const MAX_BYTES: u64 = 64 * 1024;

/// Reads the file `DSR_TOKEN_FILE`, if it is private.
pub(super) fn read(path: &Path) -> Result<SecretString, CredentialError> {
    /// Text from a pipe such as a shell's `<(…)`: it can be read only once, but is needed again.
    static PIPED: OnceLock<SecretString> = OnceLock::new();
    let failed = |source| CredentialError::TokenFile {
        path: path.to_owned(),
        source,
    };
    let is_file = std::fs::metadata(path).map_err(failed)?.is_file();
    if let (false, Some(text)) = (is_file, PIPED.get()) {
        return Ok(text.clone());
    }
    let bytes = secret_file::read(path, MAX_BYTES).map_err(|error| match error {
        SecretFileError::Unreadable(source) => failed(source),
        SecretFileError::Open => CredentialError::OpenTokenFile {
            path: path.to_owned(),
        },
        SecretFileError::TooLong => failed(io::ErrorKind::FileTooLarge.into()),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| failed(io::ErrorKind::InvalidData.into()))?;
    let text = SecretString::from(text);
    if !is_file {
        PIPED.set(text.clone()).ok();
    }
    Ok(text)
}
