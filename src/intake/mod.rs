//! Reads sources into validated, unique ids. Every source is read to its end before anything is
//! sent.
//!
//! Messages name places and kinds of damage, never a value: values are personal data.

mod damage;
mod events;
mod feed;
mod hash;
mod import;
mod judge;
mod near;
mod place;
mod problem;
mod profiles;
mod reader;
mod records;
mod source;
mod stream;
mod unique;
mod warning;

use std::borrow::Cow;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::{Exclusion, IdHasher};

use feed::{Feed, FeedItem, ReadValue};
use judge::check::Checker;
use near::ExcludedIds;
use stream::meter::Meter;
use unique::Gathering;
use unique::spool::{IN_MEMORY, SpoolWriter};
use warning::WarningTally;

pub use encoding_rs::Encoding;
pub use events::event::{Event, EventOptions, NamedAs};
pub use events::{EventsRead, read_events, read_export};
pub use hash::{HashExample, HashWith, Hashed, Hashing, HashingError, LetterCase};
pub use import::{ImportEvent, ImportFile, ImportFileError, LineFault};
pub use judge::check::{CheckOptions, OuterSpace, Pattern};
pub use near::how_it_differs;
pub use place::{At, Place};
pub use problem::{Fault, IntakeError, Problem, Problems, Remedy};
pub use profiles::{
    DatedProfile, DatedProperties, Identity, MainId, Profile, ProfileSelection, RecordsRead,
    SelectedProfiles, ValueKind, demand_rereadable, read_dated_profiles, read_identities,
    read_profiles,
};
pub use reader::columns::HeaderRow;
pub use reader::format::Format;
pub use reader::read_bytes;
pub use reader::reading::{Reading, ValueSink};
pub use source::{Source, SourceError};
pub use stream::text::parse_encoding;
pub use stream::unpack::Packing;
pub use unique::restoring::Restoring;
pub use unique::{Batches, Counts, UniqueIds};
pub use warning::{Warning, WarningKind, Warnings};

/// How sources are read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Detected from the content and the file name if not given.
    pub format: Option<Format>,
    /// Where the ids are: a column by name or by number from 1, or a JSON key. A dot leads into an
    /// object.
    pub column: Option<String>,
    pub header: HeaderRow,
    /// The field separator, as one byte; detected from the first line if not given.
    pub delimiter: Option<u8>,
    /// For sources without a byte order mark; UTF-8 if not given.
    pub encoding: Option<&'static Encoding>,
    /// Read values of this property, which are no ids.
    pub property: Option<String>,
    pub check: CheckOptions,
}

/// What to keep of the ids.
pub enum Keep<'a> {
    Counts,
    /// Keep nothing; call this for each id with its place, repeated ones too.
    Heard(&'a mut dyn FnMut(Place<'_>, &str)),
    /// Ids that do not fit into memory go to an unnamed file in this folder.
    Ids(&'a Path),
    /// The same, and the place of each id stays in memory.
    IdsAndPlaces(&'a Path),
}

/// The result of [`read`].
#[derive(Debug, Default)]
pub struct Intake {
    pub counts: Counts,
    /// `None` unless they were to be kept.
    pub ids: Option<Rc<UniqueIds>>,
    /// Suspicious ids that dsr sends with a warning.
    pub warnings: Warnings,
    /// How values were hashed into ids, if they were.
    pub hashed: Option<Hashed>,
    /// How each file and standard input was read.
    pub readings: Vec<Reading>,
    /// The same for the excluded sources.
    pub excluded_readings: Vec<Reading>,
    /// How many ids of each excluded file were found.
    pub exclusions: Vec<Exclusion>,
}

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headway {
    pub values: usize,
    /// Bytes read so far, and the total if known.
    pub bytes: u64,
    pub of_bytes: Option<u64>,
}

/// Reads every source to its end, the excluded ones first. Calls `on_headway` now and then.
///
/// # Errors
/// When a source cannot be read or has no id, or when all ids are excluded. Also when a value is
/// damaged (each is listed with its line), or when a listed id nearly equals an excluded one.
pub fn read(
    sources: &[Source],
    excluded: &[Source],
    options: &ReadOptions,
    keep: Keep<'_>,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<Intake, IntakeError> {
    let all: Vec<Source> = excluded.iter().chain(sources).cloned().collect();
    let of_bytes = all.iter().map(Source::size).sum();
    let meter = Meter::default();
    let hasher = IdHasher::random();
    let mut feed = Feed::start(all.clone(), options.clone(), meter.clone(), hasher.clone());
    let (mut checker, what) = match options.property {
        Some(_) => (Checker::of_properties(&options.check), "value"),
        None => (Checker::new(&options.check), "id"),
    };
    let mut row_problems = Problems::default();
    let mut gathering = Gathering::new(hasher.clone());
    let mut held =
        (!excluded.is_empty()).then(|| ExcludedIds::new(hasher.clone(), labels_of(excluded)));
    let mut places = matches!(keep, Keep::IdsAndPlaces(_)).then(Vec::new);
    let (mut spool, mut hear) = match keep {
        Keep::Counts => (None, None),
        Keep::Heard(hear) => (None, Some(hear)),
        Keep::Ids(folder) | Keep::IdsAndPlaces(folder) => {
            (Some(SpoolWriter::new(folder, IN_MEMORY)), None)
        }
    };
    if excluded.is_empty() {
        gathering.end_excluded();
    }
    let mut ended = 0;
    let mut source_start = 0;
    let mut empty = None;
    let (mut readings, mut excluded_readings) = (Vec::new(), Vec::new());
    while let Some(next) = feed.next() {
        match next? {
            FeedItem::Values(block) => {
                gathering.start_source(block.label());
                let is_asked_for = ended >= excluded.len();
                for ReadValue { place, form, hash } in block.values() {
                    let Some(id) = checker.check(place, form) else {
                        continue;
                    };
                    // A trimmed or hashed id differs from the value that was hashed while reading.
                    let read = form.map_or(0, |form| form.text().len());
                    let is_as_read = matches!(id, Cow::Borrowed(id) if id.len() == read);
                    let hash = match is_as_read {
                        true => hash,
                        false => hasher.hash(id.as_bytes()),
                    };
                    gathering.take(place, &id, Some(hash))?;
                    if let (Some(held), Some(form)) = (&mut held, form) {
                        // One of the two files may already list hashes.
                        let texts = [form.text(), &id];
                        match is_asked_for {
                            true => held.compare(place, texts, hash, &options.check.allowed),
                            false => held.take(place.labelled(ended), texts, hash),
                        }
                    }
                    if !is_asked_for {
                        continue;
                    }
                    if let Some(spool) = &mut spool {
                        spool.put(&id).map_err(IntakeError::Spool)?;
                    }
                    if let Some(places) = &mut places {
                        places.push(place.labelled(Arc::clone(block.label())));
                    }
                    if let Some(hear) = &mut hear {
                        hear(place, &id);
                    }
                }
                feed.give_back(block);
                gathering.relieve();
                on_headway(Headway {
                    values: gathering.taken(),
                    bytes: meter.bytes(),
                    of_bytes,
                });
            }
            FeedItem::End(reading, problems) => {
                row_problems.extend(problems);
                match ended < excluded.len() {
                    true => excluded_readings.extend(reading),
                    false => readings.extend(reading),
                }
                if gathering.taken() == source_start {
                    empty = empty.or(Some(ended));
                }
                checker.end_source();
                ended += 1;
                source_start = gathering.taken();
                if ended == excluded.len() {
                    gathering.end_excluded();
                }
            }
        }
    }
    let hashed = checker.hashed();
    let (mut problems, warnings) = checker.finish();
    problems.extend(row_problems);
    let mut warnings = problems.into_result(warnings)?;
    let exclusions = held.map_or(Ok(Vec::new()), ExcludedIds::finish);
    let exclusions = exclusions.map_err(IntakeError::NearHeld)?;
    let (counts, order) = gathering.finish(&mut warnings);
    if counts.duplicates() * 5 > counts.read {
        warnings.add(WarningKind::Repeated, WarningTally::of(counts.duplicates()));
    }
    // It is the wrong file or cut short; an empty `--exclude` file would protect nobody.
    if let Some(empty) = empty {
        let label = all[empty].label();
        return Err(IntakeError::NoIds { label, what });
    }
    if counts.unique == 0 {
        return Err(IntakeError::AllExcluded {
            label: labels_of(sources).join(", "),
            by: labels_of(excluded).join(", "),
        });
    }
    let spool = spool.map(SpoolWriter::finish).transpose();
    let spool = spool.map_err(IntakeError::Spool)?;
    Ok(Intake {
        counts,
        ids: spool.map(|spool| {
            let ids = UniqueIds::new(spool, order, counts.unique);
            Rc::new(match places {
                Some(places) => ids.with_places(places),
                None => ids,
            })
        }),
        warnings,
        hashed,
        readings,
        excluded_readings,
        exclusions,
    })
}

fn labels_of(sources: &[Source]) -> Vec<String> {
    sources.iter().map(Source::label).collect()
}

#[cfg(test)]
mod tests;
