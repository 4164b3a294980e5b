//! Reads profiles and identities from files, to find the distinct_ids of people.
//!
//! A missing record would be a false "no", so any damage, and any sign that a file was cut off or
//! that a page is missing, refuses everything.

mod identity;
mod profile;

use super::problem::{Fault, Problems};
use super::reader::reading::Reading;
use super::reader::{self, Wanted};
use super::records::course::RecordCourse;
use super::records::pages::Pages;
use super::records::{Content, RecordReader, RecordTaker};
use super::{Headway, IntakeError, ReadOptions, Source, Warnings};
use crate::domain::{DistinctId, Leniency};
use crate::intake::damage::Damage;
use identity::{IdentitySink, IdentityTaker};
use profile::{ProfileSink, ProfileTaker};

pub use profile::{Profile, ValueKind};

/// Reads the files in order, and passes each profile to `sink`, which returns whether it was asked
/// for. Calls `on_headway` now and then.
///
/// # Errors
/// When a file cannot be read to its end or may be incomplete, when no profile has the property, or
/// when a profile that was asked for has no usable id.
pub fn read_profiles(
    sources: &[Source],
    property: &str,
    sink: ProfileSink<'_>,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<Vec<Reading>, IntakeError> {
    let mut taker = ProfileTaker::new(property, sink);
    let readings = read_all(sources, &mut taker, on_headway)?;
    let read: usize = readings.iter().map(|reading| reading.values).sum();
    match readings.first() {
        Some(first) if read > 0 && !taker.has_property => {
            Err(Fault::NoProperty(property.to_owned()).of(first.label.clone()))
        }
        Some(_) | None => Ok(readings),
    }
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
) -> Result<Vec<Reading>, IntakeError> {
    for source in sources {
        if !source.is_rereadable() {
            return Err(Fault::ReadOnce.of(source.label()));
        }
    }
    let mut taker = IdentityTaker::new(sink);
    let readings = read_all(sources, &mut taker, on_headway)?;
    match readings.first() {
        Some(first) if !taker.has_links => Err(Fault::NoIdentities.of(first.label.clone())),
        Some(_) | None => Ok(readings),
    }
}

fn read_all(
    sources: &[Source],
    taker: &mut dyn RecordTaker,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<Vec<Reading>, IntakeError> {
    let mut course = RecordCourse::of(sources, on_headway);
    let mut pages = Pages::default();
    let mut problems = Problems::default();
    let mut readings = Vec::new();
    for source in sources {
        let known = pages.count();
        let meter = course.meter();
        let mut reader = RecordReader {
            taker: &mut *taker,
            pages: Some(&mut pages),
            step: &mut || course.step(),
        };
        let wanted = Wanted::Records(&mut reader);
        let options = ReadOptions::default();
        let (reading, damaged) = reader::read_file(source, &options, &meter, wanted)?;
        // A query may find nobody, but then there is a page.
        if reading.values == 0 && damaged.count() == 0 && pages.count() == known {
            return Err(Fault::NoRecords(taker.what()).of(reading.label));
        }
        problems.extend(damaged);
        readings.push(reading);
    }
    problems.into_result(Warnings::default())?;
    pages.demand_all()?;
    Ok(readings)
}

/// The id in a field: a string, or a whole number digit for digit. Empty if there is none.
fn id_in<'c>(content: Option<&'c Content<'_>>) -> Result<&'c str, Damage> {
    match content {
        None => Ok(""),
        Some(Content::Text(text)) => Ok(text),
        Some(Content::Cell(text)) => Ok(text),
        Some(Content::Number(digits)) => {
            let figures = digits.strip_prefix('-').unwrap_or(digits);
            match figures.bytes().all(|byte| byte.is_ascii_digit()) {
                true => Ok(digits),
                false => Err(Damage::FRACTION),
            }
        }
        Some(Content::List(_)) => Err(Damage::NotAnId("a list")),
        Some(Content::Other) => Err(Damage::NotAnId("null, true, false or an object")),
    }
}

/// Refuses what stands for "no user" and what can be no id: it would join or erase many people.
fn demand_usable(id: &str) -> Result<(), Damage> {
    DistinctId::judge(id, Leniency::OuterWhiteSpace).map_err(Damage::from)
}
