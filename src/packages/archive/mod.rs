//! Opens the zip: checks that it is the right archive and safe, and yields its members' bytes.

pub(super) mod content;
pub(super) mod documented;
pub(super) mod encoding;
pub(super) mod member;
pub(super) mod sink;
mod spans;
pub(super) mod walk;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zip::read::{ArchiveOffset, Config, ZipFile};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{Danger, Limits, SplitError, SplitObserver, SplitProgress};
use crate::domain::to_hex;
use spans::Tail;

/// Below this many unpacked bytes no archive is too dense: a small file of equal lines is harmless.
const DENSITY_FLOOR: u64 = 64 << 20;
/// The most directory bytes per member on average; names are far shorter.
const DIRECTORY_BYTES_A_MEMBER: u64 = 1024;
const BUFFER_BYTES: usize = 128 * 1024;

pub(crate) type Zip = ZipArchive<BufReader<MeteredFile>>;

pub(crate) struct Archive<'a> {
    zip: Zip,
    password: Option<&'a SecretString>,
    /// Uncompressed bytes, by the archive's directory.
    declared: u64,
    /// The most members, including those of inner archives.
    members: usize,
    allowance: Allowance,
}

/// The limits that are left while reading, for all members and inner archives together.
pub(crate) struct Budget<'b> {
    pub(crate) password: Option<&'b SecretString>,
    allowance: Allowance,
    unpacked: u64,
    /// How many members inner archives may still have.
    pub(crate) members: usize,
    /// Why reading must stop before the end, if it must.
    pub(crate) stop: Option<SplitError>,
    declared: u64,
    observer: SplitObserver<'b>,
}

impl<'a> Archive<'a> {
    /// Opens and checks the archive without unpacking it. `sha256` is what it must have, if that is
    /// known.
    pub(crate) fn open(
        path: &Path,
        sha256: Option<&str>,
        password: Option<&'a SecretString>,
        limits: &Limits,
    ) -> Result<Self, SplitError> {
        let failed = |source| SplitError::Open {
            path: path.to_path_buf(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        if let Some(sha256) = sha256
            && sha256_of(&mut file).map_err(failed)? != sha256
        {
            return Err(SplitError::Changed);
        }
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let members = limits.members;
        let tail = Tail::read(&mut file).map_err(failed)?;
        let mut zip = open_zip(file, members)?;
        let allowance = Allowance::of(length, limits);
        let declared = vet(&mut zip, &tail, members)?;
        allowance.check(declared)?;
        Ok(Self {
            zip,
            password,
            declared,
            members,
            allowance,
        })
    }

    pub(crate) fn begin<'b>(&mut self, observer: SplitObserver<'b>) -> (&mut Zip, Budget<'b>)
    where
        'a: 'b,
    {
        let budget = Budget {
            password: self.password,
            allowance: self.allowance,
            unpacked: 0,
            members: self.members - self.zip.len(),
            stop: None,
            declared: self.declared,
            observer,
        };
        (&mut self.zip, budget)
    }
}

/// Refuses a zip that nobody would pack by mistake, without unpacking it. Returns the uncompressed
/// size by its directory, in bytes.
pub(crate) fn vet<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    tail: &Tail,
    limit: usize,
) -> Result<u64, SplitError> {
    let mut declared = 0_u64;
    if zip.len() > limit {
        return Err(SplitError::Unsafe(Danger::TooManyMembers));
    }
    if zip.has_duplicate_names() {
        return Err(SplitError::Unsafe(Danger::DuplicateNames));
    }
    for place in 0..zip.len() {
        let entry = zip.by_index_data(place).map_err(SplitError::NotZip)?;
        let name = entry
            .name()
            .map_err(|_| SplitError::Unsafe(Danger::UnreadableName))?;
        let kind = kind_of(entry.unix_mode());
        // Checks the raw name too, because a reader may show either.
        let danger = danger_in_name(name.as_bytes())
            .or_else(|| danger_in_name(entry.name_raw()))
            .or(kind);
        if let Some(danger) = danger {
            return Err(SplitError::Unsafe(danger));
        }
        declared = declared.saturating_add(entry.size());
    }
    let overlap = zip.has_overlapping_files();
    if overlap.map_err(SplitError::NotZip)? {
        return Err(SplitError::Unsafe(Danger::Overlap));
    }
    match spans::account_for_all(zip, tail).map_err(SplitError::NotZip)? {
        true => Ok(declared),
        false => Err(SplitError::Unsafe(Danger::Unaccounted)),
    }
}

/// Whether any member is encrypted. Reads only the directory and checks nothing else.
pub fn is_locked(archive: &Path, limits: &Limits) -> Result<bool, SplitError> {
    let file = File::open(archive).map_err(|source| SplitError::Open {
        path: archive.to_path_buf(),
        source,
    })?;
    let zip = open_zip(file, limits.members)?;
    for place in 0..zip.len() {
        let entry = zip.by_index_data(place).map_err(SplitError::NotZip)?;
        if entry.encrypted() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the file ends with a whole directory, even one that is too long for `limits`.
pub fn has_directory(file: File, limits: &Limits) -> bool {
    !matches!(open_zip(file, limits.members), Err(SplitError::NotZip(_)))
}

/// Reads the archive's directory, in memory bounded by `members`.
fn open_zip(file: File, members: usize) -> Result<Zip, SplitError> {
    let room = (members as u64 + 1024) * DIRECTORY_BYTES_A_MEMBER;
    let meter = Rc::new(Cell::new(room));
    let metered = MeteredFile {
        file,
        left: Rc::clone(&meter),
    };
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let reader = BufReader::with_capacity(BUFFER_BYTES, metered);
    let zip = ZipArchive::with_config(config, reader).map_err(|error| match meter.get() {
        0 => SplitError::Unsafe(Danger::TooManyMembers),
        _ => SplitError::NotZip(error),
    })?;
    meter.set(u64::MAX);
    Ok(zip)
}

pub(crate) fn open_member<'z, R: Read + Seek>(
    zip: &'z mut ZipArchive<R>,
    place: usize,
    password: Option<&SecretString>,
) -> Result<ZipFile<'z, R>, SplitError> {
    let member = place + 1;
    if let Ok(file) = zip.by_index_raw(place)
        && let Some(method) = name_of(file.compression())
    {
        return Err(SplitError::Compression { member, method });
    }
    let opened = match password {
        Some(password) => zip.by_index_decrypt(place, password.expose_secret().as_bytes()),
        None => zip.by_index(place),
    };
    opened.map_err(|error| match error {
        ZipError::InvalidPassword => SplitError::WrongPassword,
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => SplitError::PasswordNeeded,
        ZipError::Io(source) => SplitError::Damaged { member, source },
        ZipError::InvalidArchive(_) => SplitError::Damaged {
            member,
            source: error.into(),
        },
        source => SplitError::Unsupported { member, source },
    })
}

/// The name of a compression that dsr cannot read; `None` for the others.
fn name_of(method: CompressionMethod) -> Option<&'static str> {
    Some(match method {
        // AES members use one of the other compressions.
        CompressionMethod::STORE | CompressionMethod::DEFLATE | CompressionMethod::AES => {
            return None;
        }
        CompressionMethod::DEFLATE64 => "Deflate64",
        CompressionMethod::BZIP2 => "BZIP2",
        CompressionMethod::LZMA => "LZMA",
        CompressionMethod::ZSTD => "Zstandard",
        CompressionMethod::XZ => "XZ",
        CompressionMethod::PPMD => "PPMd",
        _ => "another compression than Deflate",
    })
}

fn sha256_of(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(to_hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

fn danger_in_name(name: &[u8]) -> Option<Danger> {
    let drive = name.get(1) == Some(&b':') && name[0].is_ascii_alphabetic();
    match name {
        [] => Some(Danger::UnreadableName),
        _ if name.contains(&0) => Some(Danger::Nul),
        _ if name.contains(&b'\\') => Some(Danger::Backslash),
        _ if name.starts_with(b"/") => Some(Danger::AbsolutePath),
        _ if drive => Some(Danger::DriveLetter),
        _ if name.split(|byte| *byte == b'/').any(|part| part == b"..") => Some(Danger::Traversal),
        _ => None,
    }
}

/// The danger in a Unix mode that is neither a plain file nor a folder.
fn kind_of(mode: Option<u32>) -> Option<Danger> {
    match mode.unwrap_or(0) & 0o170_000 {
        0 | 0o100_000 | 0o040_000 => None,
        0o120_000 => Some(Danger::SymbolicLink),
        _ => Some(Danger::SpecialFile),
    }
}

#[derive(Debug, Clone, Copy)]
struct Allowance {
    total: u64,
    dense: u64,
}

impl Allowance {
    fn of(length: u64, limits: &Limits) -> Self {
        Self {
            total: limits.bytes,
            dense: length.saturating_mul(limits.ratio).max(DENSITY_FLOOR),
        }
    }

    fn breach(self, unpacked: u64) -> Option<Danger> {
        match unpacked {
            _ if unpacked > self.total => Some(Danger::TooLarge),
            _ if unpacked > self.dense => Some(Danger::TooDense),
            _ => None,
        }
    }

    fn check(self, unpacked: u64) -> Result<(), SplitError> {
        self.breach(unpacked)
            .map_or(Ok(()), |danger| Err(SplitError::Unsafe(danger)))
    }
}

/// Counts a member's real bytes, whatever the directory says.
pub(crate) struct Counted<'c, 'b, R> {
    pub(crate) file: R,
    pub(crate) budget: &'c mut Budget<'b>,
}

impl<R: Read> Read for Counted<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let budget = &mut *self.budget;
        budget.unpacked += count as u64;
        // The directory does not list what is inside members, so progress leaves it out.
        let progress = SplitProgress::Reading {
            done: budget.unpacked.min(budget.declared),
            of: budget.declared,
        };
        if let Err(error) = budget.allowance.check(budget.unpacked) {
            budget.stop = Some(error);
        } else if (budget.observer)(progress).is_break() {
            budget.stop = Some(SplitError::Interrupted);
        }
        match budget.stop {
            Some(_) => Err(io::Error::other("no more is to be read")),
            None => Ok(count),
        }
    }
}

/// Limits how much of the archive file is read while its directory is loaded.
#[derive(Debug)]
pub(crate) struct MeteredFile {
    file: File,
    left: Rc<Cell<u64>>,
}

impl Read for MeteredFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let left = self.left.get().saturating_sub(count as u64);
        self.left.set(left);
        if left == 0 {
            return Err(io::Error::other("the directory of the archive is too long"));
        }
        Ok(count)
    }
}

impl Seek for MeteredFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}
