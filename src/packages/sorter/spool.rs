//! Writes the packages' data files in batches. Keeps no file open, and bounds the waiting data of
//! all people together.

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::newest::{EventSpot, Newest};
use super::tally::{EventTally, Names};
use crate::domain::to_hex;
use crate::packages::SplitError;
use crate::packages::people::People;
use crate::packages::record::{RecordFacts, RecordKind, fields_of};
use crate::packages::staging::{append_file, make_folder};

pub(crate) const EVENTS: &str = "events.jsonl";
pub(crate) const PROFILE: &str = "profile.json";
pub(crate) const OTHERS: &str = "other.jsonl";

/// How many bytes may wait for one file.
const BATCH_BYTES: usize = 64 * 1024;
/// How many bytes may wait for all files together.
const WAITING_BYTES: usize = 64 << 20;

pub(crate) struct ShelfSpool {
    shelves: Vec<Shelf>,
    names: Names,
    waiting: usize,
}

pub(crate) struct Shelf {
    pub(crate) folder: PathBuf,
    pub(crate) tally: EventTally,
    pub(crate) newest: Newest,
    events: DataFile,
    profiles: DataFile,
    others: DataFile,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PackageFile {
    pub(crate) name: &'static str,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    #[serde(skip)]
    pub(crate) records: u64,
}

impl ShelfSpool {
    pub(crate) fn new(people: &People<'_>, root: &Path, rows: usize) -> Result<Self, SplitError> {
        let shelf = |person| {
            let folder = root.join(people.name(person));
            make_folder(&folder)?;
            Ok(Shelf {
                folder,
                tally: EventTally::default(),
                newest: Newest::new(rows),
                events: DataFile::new(EVENTS),
                profiles: DataFile::new(PROFILE),
                others: DataFile::new(OTHERS),
            })
        };
        Ok(Self {
            shelves: (0..people.count()).map(shelf).collect::<Result<_, _>>()?,
            names: Names::default(),
            waiting: 0,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shelves.iter().all(Shelf::is_empty)
    }

    /// Files one event; `line` must be its text on one line.
    pub(crate) fn add_event(
        &mut self,
        person: usize,
        line: &[u8],
        facts: &RecordFacts<'_>,
    ) -> Result<(), SplitError> {
        let (time, number) = (facts.time, self.names.number(&facts.name));
        let shelf = &mut self.shelves[person];
        shelf.tally.add(number, time);
        let properties = &mut shelf.tally.event_properties;
        properties.add(facts.shape, &mut self.names, || property_names(line));
        let spot = EventSpot {
            time: time.unwrap_or(i64::MIN),
            start: shelf.events.bytes,
            length: u32::try_from(line.len()).unwrap_or(u32::MAX),
        };
        shelf.newest.add(spot);
        self.add(person, RecordKind::Event, &[line, b"\n"])
    }

    /// Files one profile, as an element of the array in `profile.json`.
    pub(crate) fn add_profile(
        &mut self,
        person: usize,
        line: &[u8],
        facts: &RecordFacts<'_>,
    ) -> Result<(), SplitError> {
        let properties = &mut self.shelves[person].tally.profile_properties;
        properties.add(facts.shape, &mut self.names, || property_names(line));
        let before: &[u8] = match self.shelves[person].profiles.records {
            0 => b"[\n",
            _ => b",\n",
        };
        self.add(person, RecordKind::Profile, &[before, line])
    }

    /// Counts records of other people that were cut out of this person's.
    pub(crate) fn count_taken_out(&mut self, person: usize, kind: RecordKind, count: u64) {
        let tally = &mut self.shelves[person].tally;
        tally.taken_out += count;
        if count > 0 {
            tally.reduced.insert(match kind {
                RecordKind::Event => EVENTS,
                RecordKind::Profile => PROFILE,
                RecordKind::Other => OTHERS,
            });
        }
    }

    pub(crate) fn add_other(&mut self, person: usize, line: &[u8]) -> Result<(), SplitError> {
        self.add(person, RecordKind::Other, &[line, b"\n"])
    }

    fn add(&mut self, person: usize, kind: RecordKind, parts: &[&[u8]]) -> Result<(), SplitError> {
        let shelf = &mut self.shelves[person];
        let file = match kind {
            RecordKind::Event => &mut shelf.events,
            RecordKind::Profile => &mut shelf.profiles,
            RecordKind::Other => &mut shelf.others,
        };
        file.records += 1;
        for part in parts {
            file.push(part);
            self.waiting += part.len();
        }
        if file.waiting.len() >= BATCH_BYTES {
            self.waiting -= file.flush(&shelf.folder)?;
        }
        if self.waiting >= WAITING_BYTES {
            for shelf in &mut self.shelves {
                for file in [&mut shelf.events, &mut shelf.profiles, &mut shelf.others] {
                    file.flush(&shelf.folder)?;
                }
            }
            self.waiting = 0;
        }
        Ok(())
    }

    pub(crate) fn into_shelves(self) -> (Vec<Shelf>, Names) {
        (self.shelves, self.names)
    }
}

/// The property names of a record: those inside `properties`, or all except the event's name.
fn property_names(line: &[u8]) -> Vec<Cow<'_, str>> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let fields = fields_of(text).unwrap_or_default().0.into_iter();
    let names = fields.map(|(name, _)| name).enumerate();
    let is_title = |place, name: &str| name == "event" || place == 0 && name == "event_name";
    names
        .filter(|(place, name)| !is_title(*place, name))
        .map(|(_, name)| name)
        .collect()
}

impl Shelf {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.records + self.profiles.records + self.others.records == 0
    }

    /// Writes the waiting data and lists the files. Leaves out files without a record, which would
    /// only mislead.
    pub(crate) fn finish(&mut self) -> Result<Vec<PackageFile>, SplitError> {
        if self.profiles.records > 0 {
            self.profiles.push(b"\n]\n");
        }
        let files = [&mut self.events, &mut self.profiles, &mut self.others].into_iter();
        files
            .filter(|file| file.records > 0)
            .map(|file| file.finish(&self.folder))
            .collect()
    }
}

/// One file that grows at its end, and is hashed on the way.
struct DataFile {
    name: &'static str,
    waiting: Vec<u8>,
    hash: Sha256,
    bytes: u64,
    records: u64,
}

impl DataFile {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            waiting: Vec::new(),
            hash: Sha256::new(),
            bytes: 0,
            records: 0,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn flush(&mut self, folder: &Path) -> Result<usize, SplitError> {
        // Taken, not cleared: thousands of empty buffers would keep their memory.
        let batch = std::mem::take(&mut self.waiting);
        if !batch.is_empty() {
            let path = folder.join(self.name);
            let mut file = append_file(&path)?;
            file.write_all(&batch).map_err(SplitError::write(&path))?;
            self.hash.update(&batch);
        }
        Ok(batch.len())
    }

    fn finish(&mut self, folder: &Path) -> Result<PackageFile, SplitError> {
        self.flush(folder)?;
        Ok(PackageFile {
            name: self.name,
            bytes: self.bytes,
            sha256: to_hex(&std::mem::take(&mut self.hash).finalize()),
            records: self.records,
        })
    }
}
