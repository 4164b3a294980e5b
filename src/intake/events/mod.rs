//! Reads events from files: the ids each one names, and its time.
//!
//! A log may hold damaged lines that nobody wrote on purpose. They are noted, and the rest is read.
//! Nothing of a log is sent anywhere.

pub(super) mod event;
pub(super) mod taker;

use super::problem::{Fault, Problems};
use super::reader::reading::Reading;
use super::reader::{self, Wanted};
use super::records::course::RecordCourse;
use super::records::{RecordReader, RecordTaker, Tally};
use super::{Headway, IntakeError, ReadOptions, Source};
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
        let mut taker = EventTaker {
            options,
            sink: &mut *sink,
            nameless: 0,
            events: 0,
        };
        let read_options = ReadOptions {
            format: options.format,
            column: options.column.clone(),
            delimiter: options.delimiter,
            ..ReadOptions::default()
        };
        let meter = course.meter();
        let mut reader = RecordReader {
            taker: &mut taker,
            pages: None,
            tally: Tally::default(),
            step: &mut || course.step(),
        };
        let wanted = Wanted::Records(&mut reader);
        let (reading, problems) = reader::read_file(source, &read_options, &meter, wanted)?;
        let (nameless, events) = (taker.nameless, taker.events);
        let label = reading.label.clone();
        // An empty file proves nothing about anyone.
        if reading.values == 0 {
            return Err(Fault::NoRecords(taker.what()).of(label));
        }
        if nameless == reading.values {
            return Err(Fault::Nameless.of(label));
        }
        let is_named = options.column.is_some() || options.time_column.is_some();
        if events == 0 && !is_named {
            return Err(Fault::OnlyIds.of(label));
        }
        all.push(EventsRead {
            reading,
            nameless,
            problems,
        });
    }
    Ok(all)
}
