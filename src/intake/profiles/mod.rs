//! Reads profiles and identities from files, to find the distinct_ids of people, and to select
//! profiles by a time.
//!
//! A missing record would be a false "no", so any damage, and any sign that a file was cut off or
//! that a page is missing, refuses everything.

mod dated;
mod identity;
mod profile;
mod selection;

use super::problem::{Fault, Problems};
use super::reader::reading::Reading;
use super::reader::{self, Wanted};
use super::records::course::RecordCourse;
use super::records::pages::Pages;
use super::records::{RecordReader, RecordTaker, Tally};
use super::{Headway, IntakeError, ReadOptions, Source, Warnings};
use crate::domain::{DistinctId, Leniency};
use crate::intake::damage::Damage;
use dated::{DatedSink, DatedTaker};
use identity::{IdentitySink, IdentityTaker};
use profile::{ProfileSink, ProfileTaker};

pub use dated::{DatedProfile, DatedProperties};
pub use identity::{Identity, MainId};
pub use profile::{Profile, ValueKind};
pub use selection::{ProfileSelection, SelectedProfiles};

/// How files of profiles or identities were read.
#[derive(Debug, Default)]
pub struct RecordsRead {
    pub readings: Vec<Reading>,
    /// How many records have the property, or ids of one person.
    pub having: usize,
    /// The labels of tables whose last line has no line end: they may be cut off in their last
    /// field.
    pub unended: Vec<String>,
}

impl RecordsRead {
    /// How many records there are; a person may have several.
    pub fn records(&self) -> usize {
        self.readings.iter().map(|reading| reading.values).sum()
    }
}

/// Reads the files in order, and passes each profile to `sink`. Calls `on_headway` now and then.
///
/// # Errors
/// When a file cannot be read to its end or may be incomplete, or when a file or a query has no
/// profile with the property.
pub fn read_profiles(
    sources: &[Source],
    property: &str,
    sink: ProfileSink<'_>,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<RecordsRead, IntakeError> {
    let mut taker = ProfileTaker::new(property, sink);
    read_all(sources, &mut taker, on_headway)
}

/// Reads the files in order, and passes each profile to `sink`. An id that is not usable is empty or
/// as it is written: it stops nothing.
///
/// # Errors
/// When a file cannot be read to its end or may be incomplete, or when a file or a query has no
/// profile with the time.
pub fn read_dated_profiles(
    sources: &[Source],
    wanted: &DatedProperties,
    sink: DatedSink<'_>,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<RecordsRead, IntakeError> {
    read_all(sources, &mut DatedTaker::new(wanted, sink), on_headway)
}

/// Reads the files in order, and passes the ids of one person that each record names to `sink`,
/// which returns whether it knows one of them.
///
/// # Errors
/// When a file cannot be read to its end, may be incomplete, or names no identities. Also when one
/// of the ids of a known person is not usable.
pub fn read_identities(
    sources: &[Source],
    sink: IdentitySink<'_>,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<RecordsRead, IntakeError> {
    read_all(sources, &mut IdentityTaker { sink }, on_headway)
}

/// # Errors
/// When a source can be read only once.
pub fn demand_rereadable(sources: &[Source]) -> Result<(), IntakeError> {
    let once = sources.iter().find(|source| !source.is_rereadable());
    once.map_or(Ok(()), |source| Err(Fault::ReadOnce.of(source.label())))
}

fn read_all(
    sources: &[Source],
    taker: &mut dyn RecordTaker,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<RecordsRead, IntakeError> {
    let mut course = RecordCourse::of(sources, on_headway);
    let mut pages = Pages::default();
    let mut problems = Problems::default();
    let mut read = RecordsRead::default();
    let mut without = None;
    for source in sources {
        let known = pages.count();
        let meter = course.meter();
        let mut reader = RecordReader {
            taker: &mut *taker,
            pages: Some(&mut pages),
            tally: Tally::default(),
            step: &mut || course.step(),
        };
        let wanted = Wanted::Records(&mut reader);
        let options = ReadOptions::default();
        let (reading, damaged) = reader::read_file(source, &options, &meter, wanted)?;
        let tally = reader.tally;
        // A query may find nobody, but then there is a page.
        if reading.values == 0 && damaged.count() == 0 && pages.count() == known {
            return Err(Fault::NoRecords(taker.what()).of(reading.label));
        }
        problems.extend(damaged);
        if tally.records > 0 && tally.having == 0 {
            without.get_or_insert(reading.label.clone());
        }
        if tally.is_unended {
            read.unended.push(reading.label.clone());
        }
        read.having += tally.having;
        read.readings.push(reading);
    }
    problems.into_result(Warnings::default())?;
    read.having += pages.finish(|| taker.lacking())?;
    match without {
        Some(label) => Err(taker.lacking().of(label)),
        None => Ok(read),
    }
}

/// Refuses what stands for "no user" and what can be no id: it would join or erase many people.
fn demand_usable(id: &str) -> Result<(), Damage> {
    DistinctId::judge(id, Leniency::OuterWhiteSpace).map_err(Damage::from)
}
