mod permissions;

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

pub(super) use permissions::accept_volume_group;
#[cfg(unix)]
use permissions::is_of_volume_group;
pub use permissions::{group_with_access, is_open_to_others, keep_files_private, volume_group};

/// Why a file or folder is not used. Another user could read it, or has put it there to redirect
/// our writes. `group` is its group if nobody beyond that group has access.
#[derive(Debug, thiserror::Error)]
pub enum NotPrivate {
    #[error(
        "other users can read or change `{path}`, which holds people's ids or proof about them"
    )]
    OpenFile { path: PathBuf, group: Option<u32> },
    #[error("others can put files into `{path}`, where people's ids are")]
    OpenFolder { path: PathBuf, group: Option<u32> },
    #[error("`{path}` belongs to another user")]
    Foreign { path: PathBuf, group: Option<u32> },
    #[error("`{path}` is a link, and dsr follows no link to people's ids")]
    Link { path: PathBuf },
    #[error("`{path}` has a second name elsewhere, where others may read it")]
    SecondName { path: PathBuf },
    #[error("`{path}` is not the kind of file it should be")]
    WrongKind { path: PathBuf },
    #[error("cannot look at `{path}`")]
    Unreadable { path: PathBuf, source: io::Error },
}

/// Refuses an existing file that is not private to us.
///
/// Anyone who can write to the folder could swap the file after this check. So check the folder
/// first with [`refuse_shared_folder`].
///
/// # Errors
/// When it is a link, not a file, another user's, open to others, or has a second name.
pub fn refuse_shared_file(path: &Path) -> Result<(), NotPrivate> {
    let path = path.to_owned();
    let Some(metadata) = look_at(&path)? else {
        return Ok(());
    };
    if !metadata.is_file() {
        return Err(NotPrivate::WrongKind { path });
    }
    let group = group_with_access(&metadata);
    if !matches!(owner_of(&metadata), FileOwner::Us | FileOwner::VolumeGroup) {
        return Err(NotPrivate::Foreign { path, group });
    }
    if is_open_to_others(&metadata) {
        return Err(NotPrivate::OpenFile { path, group });
    }
    if has_second_name(&metadata) {
        return Err(NotPrivate::SecondName { path });
    }
    Ok(())
}

/// Refuses an existing folder in which others could put files.
///
/// The system's own folder, shared with us by a group, is accepted: volumes in containers are such
/// folders.
///
/// # Errors
/// When it is a link, not a folder, another user's or writable by others.
pub fn refuse_shared_folder(path: &Path) -> Result<(), NotPrivate> {
    match look_at(path)? {
        Some(metadata) => refuse_folder(path, &metadata),
        None => Ok(()),
    }
}

/// The same for a folder that the operator named, which may be a link.
///
/// # Errors
/// See [`refuse_shared_folder`], without the link.
pub fn refuse_shared_home(path: &Path) -> Result<(), NotPrivate> {
    match fs::metadata(path) {
        Ok(metadata) => refuse_folder(path, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(NotPrivate::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

fn refuse_folder(path: &Path, metadata: &Metadata) -> Result<(), NotPrivate> {
    let path = path.to_owned();
    if !metadata.is_dir() {
        return Err(NotPrivate::WrongKind { path });
    }
    let group = group_with_access(metadata);
    match owner_of(metadata) {
        FileOwner::Another => Err(NotPrivate::Foreign { path, group }),
        owner if can_others_add(metadata, owner) => Err(NotPrivate::OpenFolder { path, group }),
        FileOwner::Us | FileOwner::VolumeGroup | FileOwner::System => Ok(()),
    }
}

/// `None` if nothing has this name. Follows no link.
fn look_at(path: &Path) -> Result<Option<Metadata>, NotPrivate> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(NotPrivate::Link {
            path: path.to_owned(),
        }),
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(NotPrivate::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "files of Windows have no modes")
)]
enum FileOwner {
    Us,
    /// The group that the operator accepts, whichever user of it owns the file.
    VolumeGroup,
    System,
    Another,
}

#[cfg(unix)]
fn owner_of(metadata: &Metadata) -> FileOwner {
    use std::os::unix::fs::MetadataExt;
    match metadata.uid() {
        _ if is_of_volume_group(metadata) => FileOwner::VolumeGroup,
        owner if owner == rustix::process::geteuid().as_raw() => FileOwner::Us,
        0 => FileOwner::System,
        _ => FileOwner::Another,
    }
}

#[cfg(unix)]
fn can_others_add(metadata: &Metadata, owner: FileOwner) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = match owner {
        FileOwner::System | FileOwner::VolumeGroup => 0o002,
        FileOwner::Us | FileOwner::Another => 0o022,
    };
    metadata.mode() & forbidden != 0
}

#[cfg(unix)]
fn has_second_name(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

/// Elsewhere files inherit the permissions of the user's folder, which are the system's concern.
#[cfg(not(unix))]
fn owner_of(_: &Metadata) -> FileOwner {
    FileOwner::Us
}

#[cfg(not(unix))]
fn can_others_add(_: &Metadata, _: FileOwner) -> bool {
    false
}

#[cfg(not(unix))]
fn has_second_name(_: &Metadata) -> bool {
    false
}
