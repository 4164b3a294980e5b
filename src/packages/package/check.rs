//! The checksums of everything beside `packages.json`, and whether they still hold. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::domain::to_hex;
use crate::packages::{PackageDamage, SplitError, SplitObserver, SplitProgress};

/// The SHA-256 of each file, by its path from the folder of the packages, with `/`.
pub(crate) type FileSums = BTreeMap<String, String>;

/// The checksums of all files below `root`.
pub(crate) fn hash_all(root: &Path) -> Result<FileSums, SplitError> {
    let sum = |name: String| {
        let path = root.join(&name);
        let sum = hash(&path).map_err(SplitError::write(&path))?;
        Ok((name, sum))
    };
    list_files(root).into_iter().map(sum).collect()
}

/// Compares all files below `root` with their checksums. `own` is the file that holds these. Fails
/// when `observer` stops.
pub(crate) fn find_damage(
    root: &Path,
    sums: &FileSums,
    own: &str,
    observer: SplitObserver<'_>,
) -> Result<PackageDamage, SplitError> {
    let mut damage = PackageDamage::default();
    let of = sums.len();
    for (place, (name, sum)) in sums.iter().enumerate() {
        match hash(&root.join(name)) {
            Ok(found) if found == *sum => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                damage.missing.push(name.clone());
            }
            Ok(_) | Err(_) => damage.changed.push(name.clone()),
        }
        let done = place + 1;
        if observer(SplitProgress::Checking { done, of }).is_break() {
            return Err(SplitError::Interrupted);
        }
    }
    let is_strange = |name: &String| name != own && !sums.contains_key(name);
    damage.added = list_files(root).into_iter().filter(is_strange).collect();
    Ok(damage)
}

/// Everything below `root` that is not a folder, and folders that cannot be read. Follows no link.
fn list_files(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else {
            found.insert(folder);
            continue;
        };
        for entry in entries.flatten() {
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => folders.push(name + "/"),
                false => drop(found.insert(name)),
            }
        }
    }
    found
}

/// Refuses links and anything else that is not a plain file.
fn hash(path: &Path) -> io::Result<String> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(to_hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}
