use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::config::{folder_of, replace, sync_file, sync_folder_of};
use crate::domain::{Actor, IdLines, LedgerKey, PlanDigest, random_bytes};

use super::approval::{self, Approval};
use super::error::Flaw;
use super::header::{self, Header, Lock};
use super::read::digest_line;
use super::seal::Sealer;
use super::{MAX_HEADER_BYTES, PeopleDigest, PlanFile, PlanFileError};

/// Writes a plan to a new file that is private to its owner: complete and on disk, or not at all.
/// Calls `ids` twice; each call must begin with the first id.
///
/// # Errors
/// When the path is taken, the file cannot be written, or `ids` fails.
pub fn write<E, I>(
    path: &Path,
    header: &Header,
    key: &LedgerKey,
    ids: impl Fn() -> I,
) -> Result<PlanDigest, E>
where
    E: From<PlanFileError>,
    I: Iterator<Item = Result<IdLines, E>>,
{
    let failed = |source| failure(path, source);
    let mut people = PeopleDigest::new(key);
    for lines in ids() {
        lines?.ids().for_each(|id| people.add(id));
    }
    let lock = Lock {
        key: key.fingerprint(),
        salt: random_bytes(),
        people: people.to_string(),
    };
    let readable = header::to_bytes(header, &lock).map_err(|flaw: Flaw| flaw.of(path))?;
    if readable.len() > MAX_HEADER_BYTES {
        return Err(PlanFileError::TooLong.into());
    }
    let file = NamedTempFile::new_in(folder_of(path)).map_err(failed)?;
    let mut hashing = HashingWriter {
        hash: Sha256::new(),
        file: BufWriter::new(file),
    };
    hashing.write_all(&readable).map_err(failed)?;
    let mut sealer = Sealer::new(hashing, key, &lock.salt, &readable).map_err(failed)?;
    for lines in ids() {
        sealer.put(lines?.expose()).map_err(failed)?;
    }
    let HashingWriter { hash, mut file } = sealer.finish().map_err(failed)?;
    let digest = PlanDigest::new(hash.finalize().into());
    let finish = || {
        file.write_all(digest_line(&digest).as_bytes())?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        sync_file(file.as_file())?;
        // Replaces nothing, not even a dangling link.
        file.persist_noclobber(path)?;
        sync_folder_of(path)
    };
    finish().map_err(failed)?;
    Ok(digest)
}

impl PlanFile {
    /// Adds an approval to the plan with this digest and replaces the file, complete and on disk. It
    /// takes a path because Windows replaces no open file: drop the plan that was shown first.
    ///
    /// # Errors
    /// When `by` may not approve or has approved before, or the file cannot be written. Also when
    /// the file has another digest, or was not made under `key`.
    pub fn approve(
        path: &Path,
        shown: &PlanDigest,
        by: &Actor,
        key: &LedgerKey,
        at: DateTime<Utc>,
    ) -> Result<Self, PlanFileError> {
        let held = HeldPlan::take(path)?;
        // Under the lock, because others may have approved since the plan was shown.
        let now = Self::open(path)?;
        if now.digest() != shown {
            let path = path.to_owned();
            return Err(PlanFileError::Replaced { path });
        }
        now.check_approvals(key)?;
        now.demand_another(by)?;
        let approval = Approval::new(by.clone(), at, *now.digest(), key, now.salt());
        drop(now);
        held.append(&approval.to_line())
            .map_err(|source| failure(path, source))?;
        Self::open(path)
    }

    /// Checks that `by` neither made the plan nor has approved it.
    ///
    /// # Errors
    /// When `by` did, when a name is unclear, or when there are 100 approvals already.
    pub fn demand_another(&self, by: &Actor) -> Result<(), PlanFileError> {
        let creator = &self.header().created_by;
        if let Some(nobody) = [creator, by].into_iter().find(|by| !by.is_somebody()) {
            return Err(PlanFileError::Unclear { by: nobody.clone() });
        }
        if by.may_be(creator) {
            return Err(PlanFileError::OwnPlan { by: by.clone() });
        }
        let mut earlier = self.approvals().iter();
        if earlier.any(|approval| approval.by.may_be(by)) {
            return Err(PlanFileError::Again { by: by.clone() });
        }
        match self.approvals().len() {
            approval::MOST => {
                Err(Flaw::Damaged("more approvals than anybody needs").of(self.path()))
            }
            _ => Ok(()),
        }
    }
}

/// A plan file, locked against other approvals.
struct HeldPlan<'p> {
    path: &'p Path,
    _lock: File,
}

impl<'p> HeldPlan<'p> {
    fn take(path: &'p Path) -> Result<Self, PlanFileError> {
        let unreadable = |source| Flaw::Unreadable(source).of(path);
        loop {
            let lock = lock(path).map_err(unreadable)?;
            let metadata = fs::symlink_metadata(path).map_err(unreadable)?;
            if metadata.is_symlink() {
                // Replacing the link would leave its target unchanged.
                let path = path.to_owned();
                return Err(PlanFileError::Link { path });
            }
            // The previous holder of the lock may have replaced the file.
            if is_at(&lock, path).map_err(unreadable)? {
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// Copies the file with one more line, and puts the copy in its place.
    fn append(self, line: &str) -> io::Result<()> {
        let mut old = File::open(self.path)?;
        let mut new = NamedTempFile::new_in(folder_of(self.path))?;
        io::copy(&mut old, &mut new)?;
        new.write_all(line.as_bytes())?;
        // The same people can still read it: the ids are sealed.
        new.as_file()
            .set_permissions(old.metadata()?.permissions())?;
        sync_file(new.as_file())?;
        // Windows replaces no open file.
        drop(old);
        replace(new, self.path)
    }
}

/// Some network file systems lock only files opened for writing.
#[cfg(unix)]
fn lock(path: &Path) -> io::Result<File> {
    let file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path)?,
        other => other?,
    };
    file.lock()?;
    Ok(file)
}

/// Windows lets no one read or replace a locked file. So the lock is a file beside it that nobody else
/// can open, and that the system removes however the process ends.
#[cfg(not(unix))]
fn lock(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    use std::time::Duration;
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    const SHARING_VIOLATION: i32 = 32;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    options.share_mode(0).custom_flags(DELETE_ON_CLOSE);
    // Ten seconds: a holder needs milliseconds.
    for _ in 0..200 {
        match options.open(&name) {
            // A file that is just being removed is refused.
            Err(error)
                if error.raw_os_error() == Some(SHARING_VIOLATION)
                    || error.kind() == io::ErrorKind::PermissionDenied =>
            {
                std::thread::sleep(Duration::from_millis(50));
            }
            other => return other,
        }
    }
    options.open(&name)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    Ok(identity(file.metadata()?) == identity(fs::symlink_metadata(path)?))
}

/// The lock is another file there.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

fn failure(path: &Path, source: io::Error) -> PlanFileError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::AlreadyExists => PlanFileError::Exists { path },
        _ => PlanFileError::Write { path, source },
    }
}

struct HashingWriter<W> {
    hash: Sha256,
    file: W,
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
