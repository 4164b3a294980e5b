//! Reads events from files: the ids each one names, and its time.
//!
//! A log may hold damaged lines that nobody wrote on purpose. They are noted, and the rest is read.
//! Nothing of a log is sent anywhere.

pub(super) mod event;
pub(super) mod taker;

use std::io::Read;

use crate::domain::ProjectZone;

use super::problem::{Fault, Problems};
use super::reader::reading::Reading;
use super::reader::{self, Wanted};
use super::records::course::RecordCourse;
use super::records::{RecordReader, Tally};
use super::{Format, Headway, IntakeError, ReadOptions, Source};
use event::EventOptions;
use taker::{EventSink, EventTaker};

/// How a file of events was read, and what it held.
#[derive(Debug)]
pub struct EventsRead {
    pub reading: Reading,
    /// Events without an id.
    pub nameless: usize,
    /// The lines that could not be read.
    pub problems: Problems,
}

/// Reads the files in order and passes every event to `sink`. Calls `on_headway` every 4096 events.
///
/// # Errors
/// When a file cannot be read to its end, or holds no event, or no event in it names an id.
pub fn read_events(
    sources: &[Source],
    options: &EventOptions,
    sink: EventSink<'_>,
    on_headway: &mut dyn FnMut(Headway),
) -> Result<Vec<EventsRead>, IntakeError> {
    let mut course = RecordCourse::of(sources, on_headway);
    let mut all = Vec::new();
    for source in sources {
        let read_options = ReadOptions {
            format: options.format,
            column: options.column.clone(),
            delimiter: options.delimiter,
            ..ReadOptions::default()
        };
        let meter = course.meter();
        let mut step = || course.step();
        let (read, events) = read_with((options, &mut *sink), &mut step, |wanted| {
            reader::read_file(source, &read_options, &meter, wanted)
        })?;
        let label = || read.reading.label.clone();
        // An empty file proves nothing about anyone.
        if read.reading.values == 0 {
            return Err(Fault::NoRecords("events").of(label()));
        }
        let is_named = options.column.is_some() || options.time_column.is_some();
        if events == 0 && !is_named {
            return Err(Fault::OnlyIds.of(label()));
        }
        all.push(read);
    }
    Ok(all)
}

/// Reads a raw export, which may be without an event, and passes every event to `sink`. Calls `step`
/// for each.
///
/// # Errors
/// When it cannot be read to its end, or no event in it names an id.
pub fn read_export(
    bytes: Box<dyn Read + '_>,
    label: String,
    zone: ProjectZone,
    sink: EventSink<'_>,
    step: &mut dyn FnMut(),
) -> Result<EventsRead, IntakeError> {
    let options = EventOptions {
        zone,
        ..EventOptions::default()
    };
    let read_options = ReadOptions {
        format: Some(Format::JsonLines),
        ..ReadOptions::default()
    };
    let (read, _) = read_with((&options, sink), step, |wanted| {
        reader::read_stream(bytes, label, None, &read_options, wanted)
    })?;
    Ok(read)
}

/// Returns also how many records have a time or the name of an event.
fn read_with(
    (options, sink): (&EventOptions, EventSink<'_>),
    step: &mut dyn FnMut(),
    read: impl FnOnce(Wanted<'_, '_>) -> Result<(Reading, Problems), IntakeError>,
) -> Result<(EventsRead, usize), IntakeError> {
    let mut taker = EventTaker {
        options,
        sink,
        nameless: 0,
        events: 0,
    };
    let mut reader = RecordReader {
        taker: &mut taker,
        pages: None,
        tally: Tally::default(),
        step,
    };
    let (reading, problems) = read(Wanted::Records(&mut reader))?;
    let (nameless, events) = (taker.nameless, taker.events);
    if reading.values > 0 && nameless == reading.values {
        return Err(Fault::Nameless.of(reading.label));
    }
    let read = EventsRead {
        reading,
        nameless,
        problems,
    };
    Ok((read, events))
}
