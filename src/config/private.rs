use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The mode bits that a file of this user must not have.
#[cfg(unix)]
const FORBIDDEN_TO_OURS: u32 = 0o077;
/// The mode bits that a file of another owner must not have.
#[cfg(unix)]
const FORBIDDEN_TO_ANOTHERS: u32 = 0o027;

/// Why a file or folder is not used. Another user could read it, or has put it there to redirect
/// our writes.
#[derive(Debug, thiserror::Error)]
pub enum NotPrivate {
    #[error(
        "other users can read or change `{path}`, which holds people's ids or proof about them"
    )]
    OpenFile { path: PathBuf },
    #[error("others can put files into `{path}`, where people's ids are")]
    OpenFolder { path: PathBuf },
    #[error("`{path}` belongs to another user")]
    Foreign { path: PathBuf },
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
    if owner_of(&metadata) != FileOwner::Us {
        return Err(NotPrivate::Foreign { path });
    }
    if is_open_to_others(&metadata) {
        return Err(NotPrivate::OpenFile { path });
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
    match owner_of(metadata) {
        FileOwner::Another => Err(NotPrivate::Foreign { path }),
        owner if can_others_add(metadata, owner) => Err(NotPrivate::OpenFolder { path }),
        FileOwner::Us | FileOwner::System => Ok(()),
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
    System,
    Another,
}

#[cfg(unix)]
fn owner_of(metadata: &Metadata) -> FileOwner {
    use std::os::unix::fs::MetadataExt;
    match metadata.uid() {
        owner if owner == rustix::process::geteuid().as_raw() => FileOwner::Us,
        0 => FileOwner::System,
        _ => FileOwner::Another,
    }
}

#[cfg(unix)]
fn can_others_add(metadata: &Metadata, owner: FileOwner) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = match owner {
        FileOwner::System => 0o002,
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

/// Whether users other than the owner can read or change a file.
///
/// Our own file must be only ours. A file of another owner, such as root, may be readable through
/// its group: containers without root get their secrets that way.
#[cfg(unix)]
pub fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = match metadata.uid() == rustix::process::geteuid().as_raw() {
        true => FORBIDDEN_TO_OURS,
        false => FORBIDDEN_TO_ANOTHERS,
    };
    metadata.mode() & forbidden != 0
}

/// Elsewhere files inherit the permissions of the user's folder, which are the system's concern.
#[cfg(not(unix))]
pub fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// From now on all files of this process are private to its owner, in every library.
///
/// A crate makes its unnamed files readable by all, and SQLite uses its own mode.
pub fn keep_files_private() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_group_may_read_only_what_another_owner_has_given_it() {
        for (mode, ours, another) in [
            (0o600, false, false),
            (0o440, true, false),
            (0o640, true, false),
            (0o660, true, true),
            (0o444, true, true),
            (0o602, true, true),
        ] {
            assert_eq!(mode & FORBIDDEN_TO_OURS != 0, ours, "{mode:o}");
            assert_eq!(mode & FORBIDDEN_TO_ANOTHERS != 0, another, "{mode:o}");
        }
    }
}
