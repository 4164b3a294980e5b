//! Files that survive a power cut, on every system.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// Returns once the file's content is on disk.
///
/// On macOS this also flushes the drive's cache. Some file systems there, such as network shares,
/// cannot do that: then dsr notes it in the log and flushes the file as any program does.
///
/// # Errors
/// When the system cannot write the content.
pub fn sync_file(file: &File) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let synced = file.sync_all();
    #[cfg(unix)]
    if synced.as_ref().is_err_and(cannot_flush_drive) {
        tracing::warn!("this file system cannot flush the drive's cache");
        return Ok(rustix::fs::fsync(file)?);
    }
    synced
}

/// Whether the file system does not know the request. `fcntl(2)` of macOS names ENOTSUP; servers of
/// shares also answer with the other errors.
#[cfg(unix)]
fn cannot_flush_drive(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let unknown = [Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOTTY, Errno::INVAL];
    Errno::from_io_error(error).is_some_and(|errno| unknown.contains(&errno))
}

/// Returns once the path's name is on disk: that takes a flush of its folder. Windows cannot flush
/// folders, and records names by itself.
///
/// # Errors
/// When the system cannot open or write the folder.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => sync_file(&File::open(folder_of(path))?),
        false => Ok(()),
    }
}

/// The folder that holds the path; `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Moves a file to `path`, in place of what is there; afterwards the new name is on disk.
///
/// # Errors
/// When the file cannot be moved. Then the old file is still there.
#[cfg(unix)]
pub fn replace(file: NamedTempFile, path: &Path) -> io::Result<()> {
    // Open, and so locked, until it has its name: another dsr sweeps unlocked leftovers.
    let _open = file.persist(path)?;
    sync_folder_of(path)
}

/// Windows replaces no file that is open, not even by a reader or a virus scanner. So this closes the
/// new file first, and tries for two seconds.
#[cfg(not(unix))]
pub fn replace(file: NamedTempFile, path: &Path) -> io::Result<()> {
    use std::time::Duration;
    let mut file = file.into_temp_path();
    for _ in 0..40 {
        match file.persist(path) {
            Err(failed) if failed.error.kind() == io::ErrorKind::PermissionDenied => {
                file = failed.path;
                std::thread::sleep(Duration::from_millis(50));
            }
            done => return Ok(done?),
        }
    }
    Ok(file.persist(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_a_request_that_the_file_system_does_not_know_is_made_in_another_way() {
        use rustix::io::Errno;
        for (errno, expected) in [
            (Errno::NOTSUP, true),
            (Errno::INVAL, true),
            (Errno::IO, false),
            (Errno::NOSPC, false),
        ] {
            assert_eq!(cannot_flush_drive(&errno.into()), expected, "{errno:?}");
        }
    }

    #[test]
    fn a_file_is_replaced_while_another_program_reads_it_for_a_moment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, "old").unwrap();
        let reader = File::open(&path).unwrap();
        let reading = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            drop(reader);
        });
        let new = NamedTempFile::new_in(folder.path()).unwrap();
        std::fs::write(new.path(), "new").unwrap();
        replace(new, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        reading.join().unwrap();
    }

    #[test]
    fn a_bare_name_is_in_this_folder() {
        assert_eq!(folder_of(Path::new("list.csv")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/list.csv")), Path::new("a"));
    }
}
