use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::Path;
use std::thread;

use crate::config::{UnfinishedFolder, begin_folder, private_file, sweep_unfinished};

use super::SplitError;

/// The folder all is written into, beside the target, until it is whole.
///
/// Dropped before [`Staging::publish`], it takes everything in it along.
#[derive(Debug)]
pub(super) struct Staging {
    unfinished: UnfinishedFolder,
}

impl Staging {
    pub(super) fn beside(target: &Path) -> Result<Self, SplitError> {
        refuse_existing(target)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        sweep_unfinished(parent);
        let unfinished = begin_folder(parent).map_err(SplitError::write(target))?;
        Ok(Self { unfinished })
    }

    pub(super) fn folder(&self) -> &Path {
        self.unfinished.folder.path()
    }

    /// Brings what is written by now to the disk, on a thread of its own that is waited for when
    /// what is returned goes; so less is left for the end.
    pub(super) fn flush_ahead(&self) -> Flushing {
        let folder = self.folder().to_path_buf();
        // What fails here fails in `publish` as well, and is told there.
        Flushing(
            thread::Builder::new()
                .spawn(move || drop(make_durable(&folder)))
                .ok(),
        )
    }

    /// Gives the folder its name. From here on it stays.
    pub(super) fn publish(self, target: &Path) -> Result<(), SplitError> {
        make_durable(self.folder()).map_err(SplitError::write(target))?;
        refuse_existing(target)?;
        // An empty folder that came up since would be replaced, a file or a link is an error.
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

/// Writing to the disk that is under way.
#[derive(Debug)]
pub(super) struct Flushing(Option<thread::JoinHandle<()>>);

impl Drop for Flushing {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // It ends, whatever comes of it.
            drop(thread.join());
        }
    }
}

/// Brings everything below `folder` to the disk: a name must not outlast a power cut that its content
/// does not. One call for all, since one for each of ten thousand files takes minutes.
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
            false => fs::OpenOptions::new().write(true).open(&path)?.sync_all()?,
        }
    }
    Ok(())
}

/// A link is not followed: whatever has the name is in the way.
fn refuse_existing(target: &Path) -> Result<(), SplitError> {
    match fs::symlink_metadata(target) {
        Ok(_) => Err(SplitError::TargetExists {
            path: target.to_path_buf(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SplitError::write(target)(error)),
    }
}

/// Makes one folder that only its owner may enter, from its creation on.
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

/// Makes a file that only its owner may read, from its creation on.
pub(super) fn create_file(path: &Path) -> Result<File, SplitError> {
    let file = private_file().write(true).create_new(true).open(path);
    file.map_err(SplitError::write(path))
}

/// Opens a file to write at its end, making it private if it does not exist.
pub(super) fn append_file(path: &Path) -> Result<File, SplitError> {
    let file = private_file().append(true).create(true).open(path);
    file.map_err(SplitError::write(path))
}
