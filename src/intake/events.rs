//! Events out of files: whom each is about, and when it came. Of an event nothing else is looked at.
//!
//! Unlike a list of ids a log may hold what nobody sent on purpose: a damaged line is noted and the
//! others are read. Nothing of it is sent anywhere.

use std::borrow::Cow;
use std::io::Read;

use crate::domain::{ProjectZone, event_time};

use super::columns::fold;
use super::event_json;
use super::feed::Meter;
use super::lines::Lines;
use super::problem::{Damage, Fault, Place, Problems};
use super::reader::{self, Name, Reading, Values, Wanted};
use super::rows::Cells;
use super::{Format, Headway, IntakeError, ReadOptions, Source, json, table};

/// How files of events are read; the same for each of a command.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    /// Recognised by its beginning and its name if not given.
    pub format: Option<Format>,
    /// What names the person, in place of the names that Mixpanel and its libraries use: a column or
    /// a key, with a dot before a key inside an object.
    pub column: Option<String>,
    /// What says when the event happened, likewise.
    pub time_column: Option<String>,
    /// The byte between two fields of a table; recognised if not given.
    pub delimiter: Option<u8>,
}

/// What a name of an event says about the person it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedAs {
    /// The event is about them: `distinct_id` or `$user_id`, or the device where there is nothing else.
    Person,
    /// Somebody's device, on which the event is another person's.
    Device,
}

/// What is known of one event.
#[derive(Debug, Default)]
pub struct Event<'e> {
    people: Vec<Cow<'e, str>>,
    devices: Vec<Cow<'e, str>>,
    /// When it happened, as it says itself.
    happened: Option<i64>,
    /// When Mixpanel received it. Beats the other: apps send what they kept, and exports of older
    /// projects have the former in the project's time zone.
    received: Option<i64>,
}

impl Event<'_> {
    /// When it came, in Unix seconds; `None` if it does not say.
    pub fn time(&self) -> Option<i64> {
        self.received.or(self.happened)
    }

    /// Whether one of its names is that of a device: Mixpanel may know it with `$device:` before it.
    pub fn is_device(&self, id: &str) -> bool {
        self.devices.iter().any(|device| device == id)
    }

    /// Whom it names, and as what.
    pub fn names(&self) -> impl Iterator<Item = (NamedAs, &str)> {
        let devices_as = match self.people.is_empty() {
            true => NamedAs::Person,
            false => NamedAs::Device,
        };
        let people = self.people.iter().map(|id| (NamedAs::Person, &**id));
        people.chain(self.devices.iter().map(move |id| (devices_as, &**id)))
    }
}

/// What the name of a column or key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Person,
    Device,
    Happened,
    Received,
}

impl Field {
    /// By the names that Mixpanel, its exports and its libraries use.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "distinct_id" | "$distinct_id" | "distinctId" => Self::Person,
            "$user_id" | "user_id" | "userId" => Self::Person,
            "$device_id" | "device_id" | "deviceId" => Self::Device,
            "time" | "$time" | "timestamp" => Self::Happened,
            "$mp_api_timestamp_ms" | "mp_processing_time_ms" => Self::Received,
            _ => return None,
        })
    }
}

impl<'e> Event<'e> {
    pub(super) fn add(&mut self, field: Field, text: Cow<'e, str>) {
        let time = |text: &str| event_time(text, ProjectZone::default());
        match field {
            Field::Person => self.people.push(text),
            Field::Device => self.devices.push(text),
            Field::Happened => self.happened = self.happened.or_else(|| time(&text)),
            Field::Received => self.received = self.received.or_else(|| time(&text)),
        }
    }
}

/// Where each event goes, with its place.
pub(super) type EventSink<'a> = &'a mut dyn FnMut(Place<'_>, &Event<'_>);

/// How a file of events was read, and what was in it.
#[derive(Debug)]
pub struct EventsRead {
    pub reading: Reading,
    /// Events that name nobody.
    pub nameless: usize,
    /// What could not be read.
    pub problems: Problems,
}

/// Takes the events of one file.
pub(super) struct EventTaker<'s> {
    options: &'s EventOptions,
    sink: EventSink<'s>,
    nameless: usize,
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

impl EventOptions {
    /// What is said under a name for which `is` knows whether the operator gave it, and which means
    /// `known` where nothing else was given.
    pub(super) fn field(&self, is: impl Fn(&str) -> bool, known: Option<Field>) -> Option<Field> {
        if self.column.as_deref().is_some_and(&is) {
            return Some(Field::Person);
        }
        if self.time_column.as_deref().is_some_and(is) {
            return Some(Field::Happened);
        }
        known.filter(|field| match field {
            Field::Person | Field::Device => self.column.is_none(),
            Field::Happened | Field::Received => self.time_column.is_none(),
        })
    }

    /// `properties.distinct_id` and `Distinct ID` are the key `distinct_id`.
    fn field_of_column(&self, name: &str) -> Option<Field> {
        let plain = name.trim().to_lowercase().replace(' ', "_");
        let plain = plain.strip_prefix("properties.").unwrap_or(&plain);
        self.field(|asked| fold(asked) == fold(name), Field::of(plain))
    }
}

impl EventTaker<'_> {
    pub(super) fn take_elements(
        &mut self,
        lines: Lines<impl Read>,
        format: Format,
        name: &Name,
    ) -> Result<Values, Fault> {
        json::each(lines, format, name, &mut |element, place, values| {
            match event_json::read(element, self.options) {
                Ok(event) => self.take(place, &event, values),
                Err(damage) => values.problems.note(place, damage),
            }
            Ok(())
        })
    }

    fn take(&mut self, place: Place<'_>, event: &Event<'_>, values: &mut Values) {
        values.count += 1;
        self.nameless += usize::from(event.names().next().is_none());
        (self.sink)(place, event);
    }

    /// The rows of a table that has a header.
    pub(super) fn take_rows(
        &mut self,
        lines: Lines<impl Read>,
        options: &ReadOptions,
        name: &Name,
    ) -> Result<Values, Fault> {
        let (mut rows, mut values) = table::begin(lines, options, name)?;
        let mut known: Option<Columns> = None;
        table::each_row(&mut rows, &mut values, name, |cells, place, values| {
            match &known {
                Some(columns) => match columns.event(cells) {
                    Ok(event) => self.take(place, &event, values),
                    Err(damage) => values.problems.note(place, damage),
                },
                None => known = Some(Columns::of(&cells.to_names(), self.options)?),
            }
            Ok(())
        })?;
        Ok(values)
    }
}

/// Which columns of a table say what.
struct Columns {
    width: usize,
    fields: Vec<(usize, Field)>,
}

impl Columns {
    fn of(names: &[String], options: &EventOptions) -> Result<Self, Fault> {
        let fields = names.iter().enumerate();
        let fields =
            fields.filter_map(|(place, name)| Some((place, options.field_of_column(name)?)));
        let fields: Vec<(usize, Field)> = fields.collect();
        let says = |one: Field, other: Field| {
            let mut found = fields.iter().map(|(_, field)| *field);
            found.any(|field| field == one || field == other)
        };
        let missing = |column: &str| Fault::MissingColumn(column.to_owned());
        if !says(Field::Person, Field::Device) {
            let count = names.len();
            let unknown = || Fault::NoKnownColumn { count };
            return Err(options.column.as_deref().map_or_else(unknown, missing));
        }
        if let Some(column) = &options.time_column
            && !says(Field::Happened, Field::Happened)
        {
            return Err(missing(column));
        }
        let width = names.len();
        Ok(Self { width, fields })
    }

    fn event<'c>(&self, cells: &Cells<'c>) -> Result<Event<'c>, Damage> {
        let mut event = Event::default();
        for (column, field) in &self.fields {
            let value = cells.pick(*column, self.width)?;
            let undecodable = Damage::Undecodable { encoding: "UTF-8" };
            let value = std::str::from_utf8(value).map_err(|_| undecodable)?;
            if !value.is_empty() {
                event.add(*field, Cow::Borrowed(value));
            }
        }
        Ok(event)
    }
}
