//! Writes files that people asked for by name: whole or not at all, readable only by the owner, and
//! never over another file.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::config::{UnplacedFile, folder_of, sweep_unfinished, sync_file, sync_folder_of};
use crate::domain::to_hex;

/// Why the file was not written, or may not last. Nothing that was there changed.
#[derive(Debug, thiserror::Error)]
pub enum NewFileError {
    #[error("`{path}` already exists; dsr did not overwrite it")]
    Exists { path: PathBuf },
    #[error("cannot write `{path}`")]
    Write { path: PathBuf, source: io::Error },
    /// Here alone the file is there.
    #[error(
        "`{path}` is written, but its folder cannot be flushed to disk: the file may be gone after a power cut"
    )]
    Folder { path: PathBuf, source: io::Error },
}

/// A file that is being written, without a name where the system can do that. It is gone with this
/// value unless it is finished.
pub struct NewFile {
    file: BufWriter<UnplacedFile>,
    hash: Sha256,
    bytes: u64,
    path: PathBuf,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// 64 lower-case hex digits.
    pub sha256: String,
}

impl NewFile {
    /// Begins a file (0600) for `path`.
    ///
    /// # Errors
    /// When anything is at `path`, even a link, or its folder is not writable.
    pub fn create(path: &Path) -> Result<Self, NewFileError> {
        let path = std::path::absolute(path).map_err(failed(path))?;
        sweep_unfinished(folder_of(&path));
        // Checked before writing; the move into place decides.
        if path.symlink_metadata().is_ok() {
            return Err(NewFileError::Exists { path });
        }
        let file = UnplacedFile::begin(folder_of(&path)).map_err(failed(&path))?;
        Ok(Self {
            file: BufWriter::new(file),
            hash: Sha256::new(),
            bytes: 0,
            path,
        })
    }

    /// Why it was not written, with its name.
    pub fn failure(&self, error: io::Error) -> NewFileError {
        failed(&self.path)(error)
    }

    /// Writes the file to disk and moves it into place.
    ///
    /// # Errors
    /// When it cannot be written, or something is at its path now.
    pub fn finish(self) -> Result<PlacedFile, NewFileError> {
        let path = self.path;
        let file = self.file.into_inner();
        let mut file = file.map_err(|error| failed(&path)(error.into_error()))?;
        let synced = sync_file(file.file());
        synced
            .and_then(|()| file.place(&path))
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => NewFileError::Exists { path: path.clone() },
                _ => failed(&path)(error),
            })?;
        sync_folder_of(&path).map_err(|source| NewFileError::Folder {
            path: path.clone(),
            source,
        })?;
        let digest = self.hash.finalize();
        Ok(PlacedFile {
            path,
            bytes: self.bytes,
            sha256: to_hex(&digest),
        })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> NewFileError {
    let path = path.to_owned();
    move |source| NewFileError::Write {
        path: path.clone(),
        source,
    }
}

/// Moves a whole file to a free path.
pub(super) fn place(file: NamedTempFile, path: &Path) -> io::Result<()> {
    UnplacedFile::Named(file).place(path)?;
    sync_folder_of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_whole_or_missing_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        let mut dropped = NewFile::create(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        // A kill would leave nothing.
        #[cfg(target_os = "linux")]
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(dropped);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut late = NewFile::create(&path).unwrap();
        late.write_all(b"late").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        let written = file.finish().unwrap();
        assert_eq!((written.bytes, &written.path), (5, &path));
        let sha256 = "5d5766cf2d78701614200418ee1450690d9af12c84d52545e4802f001ad53099";
        assert_eq!(written.sha256, sha256);
        assert!(matches!(late.finish(), Err(NewFileError::Exists { .. })));
        assert!(matches!(
            NewFile::create(&path),
            Err(NewFileError::Exists { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(
            NewFile::create(&path),
            Err(NewFileError::Exists { .. })
        ));
    }
}
