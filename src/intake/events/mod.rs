//! Events out of files: whom each is about, and when it came. Of an event nothing else is looked at.
//!
//! Unlike a list of ids a log may hold what nobody sent on purpose: a damaged line is noted and the
//! others are read. Nothing of it is sent anywhere.

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

/// How a file of events was read, and what was in it.
#[derive(Debug)]
pub struct EventsRead {
    pub reading: Reading,
    /// Events that name nobody.
    pub nameless: usize,
    /// What could not be read.
    pub problems: Problems,
}

/// Reads the files one after the other, and has `sink` hear of every event. `on_headway` hears now and
/// then how far it has come.
///
/// # Errors
/// When a file cannot be read to its end, holds no events, or none of them names anybody: then it is
/// not known where its ids stand.
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
        };
        let read_options = ReadOptions {
            format: options.format,
            column: options.column.clone(),
            delimiter: options.delimiter,
            ..ReadOptions::default()
        };
        let wanted = Wanted::Events(&mut taker);
        let (reading, problems) = reader::read_file(source, &read_options, &meter, wanted)?;
        let nameless = taker.nameless;
        let label = reading.label.clone();
        if reading.values == 0 && problems.count() > 0 {
            return Err(Fault::NoEvents.of(label));
        }
        if reading.values > 0 && nameless == reading.values {
            return Err(Fault::Nameless.of(label));
        }
        all.push(EventsRead {
            reading,
            nameless,
            problems,
        });
    }
    Ok(all)
}
