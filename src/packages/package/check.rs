//! Checks that earlier packages are complete and unchanged. Changes nothing.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::INSIDE;
use super::manifest::{ListedPackage, MANIFEST};
use crate::domain::to_hex;
use crate::packages::people::People;
use crate::packages::{ArchiveToSplit, PackageForm, SplitError, SplitObserver, SplitProgress};

/// The most bytes of a manifest: it names each kind of event and each property once.
const MOST_MANIFEST: u64 = 256 << 20;

#[derive(Debug, Default)]
pub(crate) struct PackageDamage {
    pub(crate) missing: Vec<String>,
    pub(crate) changed: Vec<String>,
}

impl PackageDamage {
    pub(crate) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty()
    }
}

/// Checks every package at `place` against its manifest, and the manifest against its SHA-256 in
/// `manifests` if known. Fails when `observer` stops.
pub(crate) fn find_damage(
    place: &Path,
    order: &ArchiveToSplit<'_>,
    people: &People<'_>,
    manifests: &[String],
    observer: SplitObserver<'_>,
) -> Result<PackageDamage, SplitError> {
    let mut damage = PackageDamage::default();
    let of = people.count();
    for person in 0..of {
        let name = people.name(person);
        let id = people.id(person).expose();
        let is_as_made = Package::open(place, name, order.form).and_then(|mut package| {
            let manifest = package.read(MANIFEST, MOST_MANIFEST)?;
            let noted = manifests.get(person);
            if noted.is_some_and(|noted| *noted != to_hex(&Sha256::digest(&manifest))) {
                return Ok(false);
            }
            let listed: ListedPackage = serde_json::from_slice(&manifest)?;
            let is_theirs = listed.distinct_id == id
                && listed.request == order.about.request.as_str()
                && listed.archive_sha256 == order.about.sha256;
            Ok(is_theirs && package.holds(&listed)?)
        });
        match is_as_made {
            Ok(true) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_missing(place, name) => {
                damage.missing.push(name.to_owned());
            }
            Ok(false) | Err(_) => damage.changed.push(name.to_owned()),
        }
        let done = person + 1;
        if observer(SplitProgress::Checking { done, of }).is_break() {
            return Err(SplitError::Interrupted);
        }
    }
    Ok(damage)
}

fn is_missing(place: &Path, name: &str) -> bool {
    let is_free = |path: PathBuf| path.symlink_metadata().is_err();
    is_free(place.join(name)) && is_free(place.join(format!("{name}.zip")))
}

enum Package {
    Folder(PathBuf),
    Zip(ZipArchive<BufReader<File>>),
}

impl Package {
    fn open(place: &Path, name: &str, form: PackageForm) -> io::Result<Self> {
        let folder = place.join(name);
        Ok(match form {
            PackageForm::Folders => Self::Folder(folder),
            PackageForm::Zips => {
                let file = open_file(&place.join(format!("{name}.zip")))?;
                Self::Zip(ZipArchive::new(BufReader::new(file))?)
            }
        })
    }

    fn with<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        match self {
            Self::Folder(folder) => read(&mut open_file(&folder.join(name))?),
            Self::Zip(zip) => read(&mut zip.by_name(&format!("{INSIDE}{name}"))?),
        }
    }

    fn read(&mut self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.with(name, |file| file.take(most).read_to_end(&mut bytes))?;
        Ok(bytes)
    }

    /// Whether every listed file is there, byte for byte, and a zip holds nothing else.
    fn holds(&mut self, listed: &ListedPackage) -> io::Result<bool> {
        if let Self::Zip(zip) = self
            && zip.len() != listed.files.len() + 1
        {
            return Ok(false);
        }
        for file in &listed.files {
            // A changed manifest may name any path.
            if file.name.contains(['/', '\\']) {
                return Ok(false);
            }
            let (bytes, sha256) = self.with(&file.name, |found| hash(found, file.bytes))?;
            if (bytes, &sha256) != (file.bytes, &file.sha256) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Refuses links and anything else that is not a plain file.
fn open_file(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The length and SHA-256 of a file; reads at most one byte more than `bytes`.
fn hash(file: &mut dyn Read, bytes: u64) -> io::Result<(u64, String)> {
    let mut file = file.take(bytes.saturating_add(1));
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((length, to_hex(&hash.finalize()))),
            count => {
                hash.update(&buffer[..count]);
                length += count as u64;
            }
        }
    }
}
