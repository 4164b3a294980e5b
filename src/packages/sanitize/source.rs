//! Reads what the operator names: archives, packages, files of JSON, and folders of these.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::record::ExportRecord;
use crate::domain::{ProjectZone, to_hex};
use crate::packages::archive::documented::{JobMember, RecordedNames};
use crate::packages::archive::sink::{MemberFault, MemberSink, PiecePlace, RecordRow, RecordSink};
use crate::packages::archive::{Archive, member, walk};
use crate::packages::{Limits, SplitError, SplitObserver, SplitProgress, is_locked};

/// Files that dsr makes beside the records of packages.
const NOT_RECORDS: [&str; 6] = [
    "manifest.json",
    "packages.json",
    "report.json",
    "categories.json",
    "summary.json",
    "index.csv",
];
/// The folder of records without a certain owner.
const UNASSIGNED: &str = "unassigned";

/// The files of one run, in order.
pub(crate) struct ExportFiles<'a> {
    paths: Vec<PathBuf>,
    password: Option<&'a SecretString>,
    /// Files that packages hold back from everybody.
    pub(crate) held_back: u64,
    /// Files and folders that are there already, and so are not read again.
    pub(crate) copies: u64,
    /// Folders of packages, each with the SHA-256 of its archive.
    packages: Vec<(PathBuf, String)>,
    seen: HashSet<PathBuf>,
}

/// Whether a member or a file holds no records of people.
fn is_beside(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    NOT_RECORDS.contains(&name) || name.ends_with(".html")
}

impl<'a> ExportFiles<'a> {
    /// Finds the files of all folders.
    pub(crate) fn find(
        sources: &[PathBuf],
        password: Option<&'a SecretString>,
    ) -> Result<Self, SplitError> {
        let mut files = Self {
            paths: Vec::new(),
            password,
            held_back: 0,
            copies: 0,
            packages: Vec::new(),
            seen: HashSet::new(),
        };
        for source in sources {
            match source.is_dir() {
                true => files.add_folder(source)?,
                false => files.add_file(source.clone()),
            }
        }
        Ok(files)
    }

    /// Leaves out packages whose archive, or whose packages in another form, are there too.
    pub(crate) fn leave_out_copies(&mut self) -> Result<(), SplitError> {
        let mut archives = HashSet::new();
        let is_packed = |path: &Path| {
            self.packages
                .iter()
                .any(|(folder, _)| path.starts_with(folder))
        };
        for path in self
            .paths
            .iter()
            .filter(|path| !self.packages.is_empty() && !is_packed(path))
        {
            archives.insert(sha256_of(path).map_err(|source| cannot_read(path, source))?);
        }
        for (folder, archive) in std::mem::take(&mut self.packages) {
            if archives.insert(archive) {
                continue;
            }
            self.copies += 1;
            self.paths.retain(|path| !path.starts_with(&folder));
            let unassigned = folder.join(UNASSIGNED);
            if unassigned.is_dir() {
                let count = count_files(&unassigned);
                self.held_back -= count.map_err(|source| cannot_read(&folder, source))?;
            }
        }
        Ok(())
    }

    /// Whether this file or folder was not found before, under whatever name.
    fn is_new(&mut self, path: &Path) -> bool {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let is_new = self.seen.insert(real);
        self.copies += u64::from(!is_new);
        is_new
    }

    fn add_file(&mut self, path: PathBuf) {
        if self.is_new(&path) {
            self.paths.push(path);
        }
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), SplitError> {
        if !self.is_new(folder) {
            return Ok(());
        }
        if let Some(archive) = archive_of(folder) {
            self.packages.push((folder.to_owned(), archive));
        }
        let failed = |source| cannot_read(folder, source);
        let entries = fs::read_dir(folder).map_err(failed)?;
        let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut paths = paths.map_err(failed)?;
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || is_beside(&name) {
                continue;
            }
            if name == UNASSIGNED && path.is_dir() {
                self.held_back += count_files(&path).map_err(failed)?;
            } else if path.is_dir() {
                self.add_folder(&path)?;
            } else {
                self.add_file(path);
            }
        }
        Ok(())
    }

    /// Passes every record of every file to `take`. `folder` is for unnamed files.
    pub(crate) fn read(
        &self,
        folder: &Path,
        take: TakeRecord<'_>,
        observer: SplitObserver<'_>,
    ) -> Result<(), SplitError> {
        let mut sink = ExportSink {
            folder,
            take,
            is_beside: false,
        };
        let size = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
        let of = self.paths.iter().map(size).sum();
        let mut before = 0;
        for path in &self.paths {
            let own = size(path);
            let mut observe = |progress: SplitProgress| {
                // An archive counts its unpacked bytes.
                let done = match progress {
                    SplitProgress::Reading { done, of } => {
                        (u128::from(own) * u128::from(done) / u128::from(of.max(1))) as u64
                    }
                    _ => 0,
                };
                let done = before + done.min(own);
                observer(SplitProgress::Reading { done, of })
            };
            self.read_file(path, own, &mut sink, &mut observe)?;
            before += own;
        }
        Ok(())
    }

    fn read_file(
        &self,
        path: &Path,
        size: u64,
        sink: &mut dyn MemberSink,
        observer: SplitObserver<'_>,
    ) -> Result<(), SplitError> {
        let failed = |source| cannot_read(path, source);
        let mut file = File::open(path).map_err(failed)?;
        let mut head = Vec::new();
        file.by_ref()
            .take(4)
            .read_to_end(&mut head)
            .map_err(failed)?;
        file.rewind().map_err(failed)?;
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            let mut archive = Archive::open(path, None, self.password, &Limits::default())?;
            return walk::read_members(&mut archive, sink, observer);
        }
        let mut is_stopped = false;
        let mut watched = Watched {
            file,
            done: 0,
            of: size,
            observer,
            is_stopped: &mut is_stopped,
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A file of JSON has no archives inside.
        let depth = member::MOST_PACKED;
        let read = match head.starts_with(b"\x1f\x8b") {
            true => {
                let mut bytes = MultiGzDecoder::new(BufReader::new(watched));
                member::read(name.trim_end_matches(".gz"), depth, &mut bytes, sink)
            }
            false => member::read(&name, depth, &mut watched, sink),
        };
        match read {
            Ok(_) => Ok(()),
            Err(_) if is_stopped => Err(SplitError::Interrupted),
            Err(MemberFault::Write(error)) => Err(error),
            Err(MemberFault::Read(source)) => Err(failed(source)),
        }
    }

    /// Whether an archive among the files is encrypted.
    pub(crate) fn are_locked(&self) -> bool {
        let is_locked = |path: &PathBuf| is_locked(path, &Limits::default());
        let mut paths = self.paths.iter();
        paths.any(|path| is_locked(path).unwrap_or_default())
    }
}

fn cannot_read(path: &Path, source: io::Error) -> SplitError {
    SplitError::Open {
        path: path.to_owned(),
        source,
    }
}

/// The SHA-256 of the archive whose packages the folder holds, if it does.
fn archive_of(folder: &Path) -> Option<String> {
    let text = fs::read(folder.join("packages.json")).ok()?;
    let packages: serde_json::Value = serde_json::from_slice(&text).ok()?;
    Some(packages["archive_sha256"].as_str()?.to_owned())
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(to_hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

fn count_files(folder: &Path) -> io::Result<u64> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        count += match path.is_dir() {
            true => count_files(&path)?,
            false => u64::from(!is_beside(&name)),
        };
    }
    Ok(count)
}

pub(crate) type TakeRecord<'t> = &'t mut dyn FnMut(ExportRecord<'_>) -> Result<(), SplitError>;

/// Passes on the records, and what should be one, of all members but those beside the records.
struct ExportSink<'a> {
    folder: &'a Path,
    take: TakeRecord<'a>,
    is_beside: bool,
}

impl ExportSink<'_> {
    fn pass(&mut self, record: ExportRecord<'_>) -> Result<(), SplitError> {
        match self.is_beside {
            true => Ok(()),
            false => (self.take)(record),
        }
    }
}

impl RecordSink for ExportSink<'_> {
    fn zone(&self) -> ProjectZone {
        ProjectZone::default()
    }

    fn record(&mut self, text: &[u8]) -> Result<(), SplitError> {
        self.pass(ExportRecord::of(text))
    }

    fn row(&mut self, _: RecordRow<'_>) -> Result<(), SplitError> {
        self.pass(ExportRecord::Row)
    }

    fn broken(&mut self, _: &[u8], piece: PiecePlace) -> Result<(), SplitError> {
        match piece {
            PiecePlace::Whole | PiecePlace::First => self.pass(ExportRecord::Unreadable),
            PiecePlace::Middle | PiecePlace::Last => Ok(()),
        }
    }

    fn aside(&mut self, _: &[u8]) -> Result<(), SplitError> {
        Ok(())
    }
}

impl MemberSink for ExportSink<'_> {
    fn record_limit(&self) -> usize {
        Limits::default().record_bytes
    }

    fn root(&self) -> &Path {
        self.folder
    }

    fn begin_member(&mut self, name: &str, _: &'static str) {
        self.is_beside = is_beside(name);
    }

    fn keep_member(&mut self, _: &mut dyn BufRead) -> Result<(), MemberFault> {
        Ok(self.pass(ExportRecord::Unreadable)?)
    }

    fn add_job_facts(
        &mut self,
        _: JobMember,
        _: RecordedNames,
        _: &[u8],
    ) -> Result<(), SplitError> {
        Ok(())
    }
}

/// A file that reports how much of it was read.
struct Watched<'w, 'o> {
    file: File,
    done: u64,
    of: u64,
    observer: &'w mut (dyn FnMut(SplitProgress) -> std::ops::ControlFlow<()> + 'o),
    is_stopped: &'w mut bool,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.done += count as u64;
        let (done, of) = (self.done, self.of);
        *self.is_stopped = (self.observer)(SplitProgress::Reading { done, of }).is_break();
        match *self.is_stopped {
            true => Err(io::Error::other("no more is to be read")),
            false => Ok(count),
        }
    }
}
