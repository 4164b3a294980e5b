use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::Path;
use std::thread;

#[cfg(not(target_os = "linux"))]
use crate::config::sync_file;
use crate::config::{UnfinishedFolder, begin_folder, folder_of, private_file, sweep_unfinished};

use super::SplitError;

/// A folder beside the target that collects everything until it is complete. Dropping it before
/// [`Staging::publish`] deletes its content.
#[derive(Debug)]
pub(super) struct Staging {
    unfinished: UnfinishedFolder,
}

impl Staging {
    pub(super) fn beside(target: &Path) -> Result<Self, SplitError> {
        refuse_existing(target)?;
        let parent = folder_of(target);
        sweep_unfinished(parent);
        let unfinished = begin_folder(parent).map_err(SplitError::write(target))?;
        Ok(Self { unfinished })
    }

    pub(super) fn folder(&self) -> &Path {
        self.unfinished.folder.path()
    }

    /// Starts to flush the written data to disk in a thread, so that less is left for the end.
    /// Dropping the result waits for the thread.
    ///
    /// Only Linux flushes all at once. Elsewhere the thread would open each file, and Windows removes
    /// no folder with an open file in it.
    pub(super) fn flush_ahead(&self) -> Flushing {
        if !cfg!(target_os = "linux") {
            return Flushing(None);
        }
        let folder = self.folder().to_path_buf();
        // `publish` flushes again and reports a failure.
        Flushing(
            thread::Builder::new()
                .spawn(move || drop(make_durable(&folder)))
                .ok(),
        )
    }

    /// Moves the folder to `target`, where it stays.
    pub(super) fn publish(self, target: &Path) -> Result<(), SplitError> {
        make_durable(self.folder()).map_err(SplitError::write(target))?;
        refuse_existing(target)?;
        // `rename` would replace an empty folder that appeared meanwhile; a file or a link is an
        // error.
        fs::rename(self.folder(), target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                SplitError::TargetExists {
                    path: target.to_path_buf(),
                }
            }
            _ => SplitError::write(target)(error),
        })?;
        let _ = self.unfinished.folder.keep();
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Flushing(Option<thread::JoinHandle<()>>);

impl Drop for Flushing {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A failure does not matter: `publish` flushes again.
            drop(thread.join());
        }
    }
}

/// Flushes everything below `folder` to disk, so that a power cut cannot leave a name without its
/// content. One call for all: one per file takes minutes for ten thousand files.
#[cfg(target_os = "linux")]
fn make_durable(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
fn make_durable(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => make_durable(&path)?,
            false => sync_file(&fs::OpenOptions::new().write(true).open(&path)?)?,
        }
    }
    Ok(())
}

/// Does not follow links: anything with the target's name is in the way.
fn refuse_existing(target: &Path) -> Result<(), SplitError> {
    match fs::symlink_metadata(target) {
        Ok(_) => Err(SplitError::TargetExists {
            path: target.to_path_buf(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SplitError::write(target)(error)),
    }
}

/// Creates a folder that is private to its owner from the start.
pub(super) fn make_folder(path: &Path) -> Result<(), SplitError> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is for Unix"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(SplitError::write(path))
}

/// Creates a file that is private to its owner from the start.
pub(super) fn create_file(path: &Path) -> Result<File, SplitError> {
    let file = private_file().write(true).create_new(true).open(path);
    file.map_err(SplitError::write(path))
}

/// Opens a file for appending; creates it private if needed.
pub(super) fn append_file(path: &Path) -> Result<File, SplitError> {
    let file = private_file().append(true).create(true).open(path);
    file.map_err(SplitError::write(path))
}
