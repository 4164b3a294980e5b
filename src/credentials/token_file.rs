use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use secrecy::SecretString;

use crate::config::is_open_to_others;

use super::CredentialError;

/// The longest token file, in bytes: no token is that long, and `/dev/zero` has no end.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads the file that `DSR_TOKEN_FILE` names, if nobody else can.
pub(super) fn read(path: &Path) -> Result<SecretString, CredentialError> {
    /// What came through a pipe, such as a shell's `<(…)`: it comes once, and is asked for again.
    static PIPED: OnceLock<SecretString> = OnceLock::new();
    let failed = |source| CredentialError::TokenFile {
        path: path.to_owned(),
        source,
    };
    let is_file = std::fs::metadata(path).map_err(failed)?.is_file();
    if let (false, Some(text)) = (is_file, PIPED.get()) {
        return Ok(text.clone());
    }
    let file = File::open(path).map_err(failed)?;
    // The file that is open, not its name: that could be another one by now.
    if is_open_to_others(&file.metadata().map_err(failed)?) {
        return Err(CredentialError::OpenTokenFile {
            path: path.to_owned(),
        });
    }
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    let read = read.map_err(failed)?;
    if read as u64 > MAX_BYTES {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    let text = SecretString::from(text);
    if !is_file {
        PIPED.set(text.clone()).ok();
    }
    Ok(text)
}
