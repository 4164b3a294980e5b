//! Reads events from files: the ids each one names, and its time.
//!
//! A log may hold damaged lines that nobody wrote on purpose. They are noted, and the rest is read.
//! Nothing of a log is sent anywhere.

pub(super) mod event;
pub(super) mod json;
pub(super) mod taker;

use super::place::Place;
use super::problem::{Fault, Problems};
use super::reader::reading::Reading;
use super::reader::{self, Wanted};
use super::stream::meter::Meter;
use super::{Headway, IntakeError, ReadOptions, Source};
use event::{Event, EventOptions};
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
    let meter = Meter::default();
    let of_bytes = sources.iter().map(Source::size).sum();
    let mut values = 0;
    let mut hear = |place: Place<'_>, event: &Event<'_>| {
        sink(place, event);
        values += 1;
        if values % 4096 == 0 {
            let bytes = meter.bytes();
            on_headway(Headway {
                values,
                bytes,
                of_bytes,
            });
        }
    };
    let mut all = Vec::new();
    for source in sources {
        let mut taker = EventTaker {
            options,
            sink: &mut hear,
            nameless: 0,
            events: 0,
        };
        let read_options = ReadOptions {
            format: options.format,
            column: options.column.clone(),
            delimiter: options.delimiter,
            ..ReadOptions::default()
        };
        let wanted = Wanted::Events(&mut taker);
        let (reading, problems) = reader::read_file(source, &read_options, &meter, wanted)?;
        let (nameless, events) = (taker.nameless, taker.events);
        let label = reading.label.clone();
        // An empty file proves nothing about anyone.
        if reading.values == 0 {
            return Err(Fault::NoEvents.of(label));
        }
        if reading.values > 0 && nameless == reading.values {
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
