//! Unfinished files and folders beside their target (`.dsr-….part`), and leftovers of dead
//! processes. The writer holds a lock, which the kernel drops however the process ends. An
//! unfinished file without a lock is a leftover.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

const PREFIX: &str = ".dsr-";
const SUFFIX: &str = ".part";
/// How often to try another name if a sweep was faster than our lock.
const TRIES: u32 = 16;

/// A folder that is being written; removed with this value unless it is kept.
#[derive(Debug)]
pub struct UnfinishedFolder {
    pub folder: TempDir,
    /// `None` if the file system cannot lock folders; then no sweep removes it either.
    _lock: Option<File>,
}

/// A file that is being written; it is gone with this value unless it is placed.
#[derive(Debug)]
pub enum UnplacedFile {
    /// It is nowhere until it is placed, also after a kill.
    Nameless(File),
    /// Where the system or the file system needs a name.
    Named(NamedTempFile),
}

impl Write for UnplacedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl UnplacedFile {
    /// Begins a file (0600) for the folder.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        match begin_nameless(folder) {
            Some(file) => Ok(Self::Nameless(file)),
            None => begin_file(folder).map(Self::Named),
        }
    }

    pub fn file(&mut self) -> &mut File {
        match self {
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file_mut(),
        }
    }

    /// Gives it a free path in its folder.
    pub fn place(self, path: &Path) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => {
                use rustix::fs::{AtFlags, CWD, linkat};
                use rustix::io::Errno;
                match linkat(CWD, link_to(&file), CWD, path, AtFlags::SYMLINK_FOLLOW) {
                    Ok(()) => Ok(()),
                    Err(error @ Errno::EXIST) => Err(error.into()),
                    // The file system gives no name to a nameless file.
                    Err(_) => Self::Named(copy(file, path)?).place(path),
                }
            }
            #[cfg(not(target_os = "linux"))]
            Self::Nameless(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Named(file) => {
                file.persist_noclobber(path).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn begin_nameless(folder: &Path) -> Option<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = i32::try_from(OFlags::TMPFILE.bits()).ok()?;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(flags);
    let file = options.open(folder).ok()?;
    // Without /proc it could never get a name.
    link_to(&file).exists().then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn begin_nameless(_: &Path) -> Option<File> {
    None
}

/// Copies a nameless file beside `path`, to disk.
#[cfg(target_os = "linux")]
fn copy(mut file: File, path: &Path) -> io::Result<NamedTempFile> {
    io::Seek::rewind(&mut file)?;
    let mut named = begin_file(path.parent().unwrap_or(Path::new(".")))?;
    io::copy(&mut file, &mut named)?;
    super::sync_file(named.as_file())?;
    Ok(named)
}

#[cfg(target_os = "linux")]
fn link_to(file: &File) -> std::path::PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Begins a file (0600) in `folder`; removed with the value unless it is moved into place.
pub fn begin_file(folder: &Path) -> io::Result<NamedTempFile> {
    for _ in 0..TRIES {
        let file = Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(folder)?;
        let is_swept = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        if !is_swept && file.path().exists() {
            return Ok(file);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Begins a folder (0700) in `parent`.
pub fn begin_folder(parent: &Path) -> io::Result<UnfinishedFolder> {
    let name = format!("{PREFIX}packages-");
    for _ in 0..TRIES {
        let mut builder = Builder::new();
        builder.prefix(&name).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        let folder = builder.tempdir_in(parent)?;
        let lock = open(folder.path()).ok();
        let is_swept = |lock: &File| matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        if !lock.as_ref().is_some_and(is_swept) && folder.path().exists() {
            return Ok(UnfinishedFolder {
                folder,
                _lock: lock,
            });
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes leftovers of dead processes from `folder`. A leftover that cannot be removed stays,
/// since it does no harm.
pub fn sweep_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_unfinished = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // A link is not ours, whatever its name.
        let kind = entry.file_type().ok();
        let kind = kind.filter(|kind| is_unfinished && (kind.is_file() || kind.is_dir()));
        let Some(kind) = kind else { continue };
        let path = entry.path();
        let Ok(lock) = open(&path) else { continue };
        if lock.try_lock().is_ok() {
            // Under the lock, so that a writer that just created it notices.
            drop(match kind.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            });
        }
    }
}

/// Opens it for locking, without following a link of its name.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        options.custom_flags(i32::try_from(flags).unwrap_or_default());
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_any_more_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let file = begin_file(path).unwrap();
        let packages = begin_folder(path).unwrap();
        fs::write(packages.folder.path().join("a.jsonl"), "{}").unwrap();
        fs::write(path.join(".dsr-dead01.part"), "half").unwrap();
        // Windows locks no folders.
        if cfg!(unix) {
            fs::create_dir(path.join(".dsr-packages-dead02.part")).unwrap();
            fs::write(path.join(".dsr-packages-dead02.part/b.jsonl"), "{}").unwrap();
        }
        fs::write(path.join("mine.part"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("mine.part", path.join(".dsr-link03.part")).unwrap();
        sweep_unfinished(path);
        let mut left: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.contains("link03"))
            .collect();
        left.sort();
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut expected = vec![
            name(file.path()),
            name(packages.folder.path()),
            "mine.part".to_owned(),
        ];
        expected.sort();
        assert_eq!(left, expected);
        assert!(packages.folder.path().join("a.jsonl").exists());
        #[cfg(unix)]
        assert!(path.join(".dsr-link03.part").symlink_metadata().is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_nameless_file_that_gets_no_name_is_copied_whole() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        // A file of another file system cannot be linked here.
        let Some(mut elsewhere) = begin_nameless(Path::new("/dev/shm")) else {
            return;
        };
        elsewhere.write_all(b"whole").unwrap();
        UnplacedFile::Nameless(elsewhere).place(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let again = begin_nameless(Path::new("/dev/shm")).unwrap();
        let again = UnplacedFile::Nameless(again).place(&path);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
