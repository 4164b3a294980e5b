use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::config::is_open_to_others;

/// Why a secret's file is not used. Never holds any of it.
#[derive(Debug)]
pub(super) enum SecretFileError {
    Unreadable(io::Error),
    Open,
    TooLong,
}

/// Reads a file of at most `limit` bytes that is private to its owner.
///
/// # Errors
/// When it is unreadable, open to others or longer.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, SecretFileError> {
    // Before it is opened: Windows opens no folder.
    if path.is_dir() {
        let folder = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file");
        return Err(SecretFileError::Unreadable(folder));
    }
    let file = File::open(path).map_err(SecretFileError::Unreadable)?;
    // Checks the open file: its name could refer to another file by now.
    let metadata = file.metadata().map_err(SecretFileError::Unreadable)?;
    if is_open_to_others(&metadata) {
        return Err(SecretFileError::Open);
    }
    let mut bytes = Vec::new();
    // A device such as `/dev/zero` never ends.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(SecretFileError::Unreadable)?;
    match bytes.len() as u64 > limit {
        true => Err(SecretFileError::TooLong),
        false => Ok(bytes),
    }
}
