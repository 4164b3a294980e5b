use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::config::is_open_to_others;

/// Why a file that holds a secret is not used. Never holds any of it.
#[derive(Debug)]
pub(super) enum SecretFileError {
    Unreadable(io::Error),
    /// Others than its owner can read or change it.
    Open,
    TooLong,
}

/// Reads a file of at most `limit` bytes that nobody but its owner may read.
///
/// # Errors
/// When it cannot be read, is open to others or longer.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, SecretFileError> {
    let file = File::open(path).map_err(SecretFileError::Unreadable)?;
    // The file that is open, not its name: that could be another one by now.
    let metadata = file.metadata().map_err(SecretFileError::Unreadable)?;
    if metadata.is_dir() {
        let folder = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file");
        return Err(SecretFileError::Unreadable(folder));
    }
    if is_open_to_others(&metadata) {
        return Err(SecretFileError::Open);
    }
    let mut bytes = Vec::new();
    // Such as `/dev/zero` has no end.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(SecretFileError::Unreadable)?;
    match bytes.len() as u64 > limit {
        true => Err(SecretFileError::TooLong),
        false => Ok(bytes),
    }
}
