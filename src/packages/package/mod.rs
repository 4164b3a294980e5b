//! Makes one person's package from the sorted data: page, manifest, and the folder or zip around
//! them.

pub(super) mod check;
pub(super) mod contents;
pub(super) mod index;
pub(super) mod manifest;
pub(super) mod page;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::iter::Enumerate;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::{thread, vec};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::people::People;
use super::sorter::job::JobLists;
use super::sorter::spool::{EVENTS, PROFILE, PackageFile, Shelf};
use super::sorter::tally::Names;
use super::staging::create_file;
use super::{
    PackageForm, PackageReport, Provenance, SplitError, SplitObserver, SplitProgress, Unassigned,
};
use crate::domain::to_hex;
use contents::{CATEGORIES, PackageContents, PersonNames};

/// The folder of the files inside a zip.
const INSIDE: &str = "your-data/";

/// The most packages made at the same time; fewer if there are fewer cores.
const MOST_WORKERS: usize = 8;

type ShelfQueue = Enumerate<vec::IntoIter<Shelf>>;
type MadePackage = (usize, Result<PackageReport, SplitError>);

pub(crate) struct Maker<'a> {
    pub(crate) about: &'a Provenance,
    pub(crate) form: PackageForm,
    pub(crate) people: &'a People<'a>,
    pub(crate) names: &'a Names,
    pub(crate) unassigned: &'a Unassigned,
    /// The names that a *Categories* export delivers instead of records.
    pub(crate) categories: Option<&'a JobLists>,
    pub(crate) folder: &'a Path,
}

impl Maker<'_> {
    pub(crate) fn make_all(
        &self,
        shelves: Vec<Shelf>,
        observer: SplitObserver<'_>,
    ) -> Result<Vec<PackageReport>, SplitError> {
        let of = shelves.len();
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let queue = Mutex::new(shelves.into_iter().enumerate());
        let (sender, made) = channel();
        thread::scope(|scope| {
            for _ in 0..cores.min(MOST_WORKERS) {
                let (queue, sender) = (&queue, sender.clone());
                scope.spawn(move || self.make_from(queue, &sender));
            }
            drop(sender);
            // An early return drops `made`, so the workers stop after their current package.
            let mut reports = vec![None; of];
            for (done, (person, report)) in made.into_iter().enumerate() {
                reports[person] = Some(report?);
                let done = done + 1;
                if observer(SplitProgress::Writing { done, of }).is_break() {
                    return Err(SplitError::Interrupted);
                }
            }
            Ok(reports.into_iter().flatten().collect())
        })
    }

    /// Makes packages until the queue is empty or the receiver is gone.
    fn make_from(&self, queue: &Mutex<ShelfQueue>, made: &Sender<MadePackage>) {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((person, shelf)) = next() {
            if made.send((person, self.make(person, shelf))).is_err() {
                return;
            }
        }
    }

    fn make(&self, person: usize, mut shelf: Shelf) -> Result<PackageReport, SplitError> {
        let mut files = shelf.finish()?;
        let records = |name: &str| {
            let file = files.iter().find(|file| file.name == name);
            file.map_or(0, |file| file.records)
        };
        let (events, profiles) = (records(EVENTS), records(PROFILE));
        let others = files.iter().map(|file| file.records).sum::<u64>() - events - profiles;
        let kinds = shelf.tally.kinds(self.names);
        let names = match self.categories {
            Some(lists) => PersonNames::of_lists(lists),
            None => PersonNames {
                events: kinds.iter().map(|(name, _)| *name).collect(),
                event_properties: shelf.tally.event_properties.names(self.names),
                profile_properties: shelf.tally.profile_properties.names(self.names),
            },
        };
        let contents = PackageContents {
            id: self.people.id(person).expose(),
            events,
            profiles,
            others,
            kinds,
            tally: &shelf.tally,
            unassigned: self.unassigned,
            names,
            of_categories: self.categories.is_some(),
        };
        if contents.of_categories {
            files.push(write_categories(&contents.names, &shelf.folder)?);
        }
        let newest = shelf.newest.into_sorted();
        let page = page::PersonPage {
            about: self.about,
            contents: &contents,
            files: &files,
            newest: &newest,
            folder: &shelf.folder,
        };
        let written = write_page(&page, &shelf.folder)?;
        files.push(written);
        let manifest_bytes = manifest::write(&shelf.folder, self.about, &contents, &files)?;
        let bytes = files.iter().map(|file| file.bytes).sum::<u64>() + manifest_bytes;
        let name = self.people.name(person).to_owned();
        if self.form == PackageForm::Zips {
            let names = files.iter().map(|file| file.name);
            self.pack(&name, &shelf.folder, names.chain([manifest::MANIFEST]))?;
        }
        Ok(PackageReport {
            name,
            events,
            profiles,
            others,
            categories: match contents.of_categories {
                true => contents.names.count(),
                false => 0,
            },
            bytes,
        })
    }

    /// Replaces the folder with a zip whose bytes depend only on the files.
    fn pack(
        &self,
        name: &str,
        folder: &Path,
        files: impl Iterator<Item = &'static str>,
    ) -> Result<(), SplitError> {
        let path = self.folder.join(format!("{name}.zip"));
        let failed = |error: zip::result::ZipError| SplitError::write(&path)(error.into());
        let mut zip = ZipWriter::new(BufWriter::new(create_file(&path)?));
        for file in files {
            let source = folder.join(file);
            let mut content = File::open(&source).map_err(SplitError::write(&source))?;
            let length = content
                .metadata()
                .map_err(SplitError::write(&source))?
                .len();
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(DateTime::default())
                .unix_permissions(0o600)
                .large_file(length > u64::from(u32::MAX));
            // Inside a folder, so that unpacking does not scatter the files.
            zip.start_file(format!("{INSIDE}{file}"), options)
                .map_err(failed)?;
            io::copy(&mut content, &mut zip).map_err(SplitError::write(&path))?;
        }
        let mut file = zip.finish().map_err(failed)?;
        file.flush().map_err(SplitError::write(&path))?;
        fs::remove_dir_all(folder).map_err(SplitError::write(folder))
    }
}

fn write_categories(names: &PersonNames<'_>, folder: &Path) -> Result<PackageFile, SplitError> {
    let path = folder.join(CATEGORIES);
    let mut text =
        serde_json::to_vec_pretty(names).map_err(|error| SplitError::write(&path)(error.into()))?;
    text.push(b'\n');
    let mut file = create_file(&path)?;
    file.write_all(&text).map_err(SplitError::write(&path))?;
    Ok(PackageFile {
        name: CATEGORIES,
        bytes: text.len() as u64,
        sha256: to_hex(&Sha256::digest(&text)),
        records: 0,
    })
}

fn write_page(page: &page::PersonPage<'_>, folder: &Path) -> Result<PackageFile, SplitError> {
    let path = folder.join(page::PAGE);
    let mut hashed = HashedFile {
        file: BufWriter::with_capacity(64 * 1024, create_file(&path)?),
        hash: Sha256::new(),
        bytes: 0,
    };
    page.write(&mut hashed).map_err(SplitError::write(&path))?;
    hashed.file.flush().map_err(SplitError::write(&path))?;
    Ok(PackageFile {
        name: page::PAGE,
        bytes: hashed.bytes,
        sha256: to_hex(&hashed.hash.finalize()),
        records: 0,
    })
}

struct HashedFile {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
