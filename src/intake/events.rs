//! Events out of files: whom each is about, and when it came. Of an event nothing else is looked at.
//!
//! Unlike a list of ids a log may hold what nobody sent on purpose: a damaged line is noted and the
//! others are read. Nothing of it is sent anywhere.

use std::borrow::Cow;
use std::io::Read;

use crate::domain::{ProjectZone, event_time};

use super::columns::fold;
use super::event_json::{self, Keys};
use super::feed::Meter;
use super::lines::Lines;
use super::problem::{LineDamage, Place, Problems};
use super::reader::{self, Name, Reading, Values, Wanted};
use super::rows::{Cells, Row, Rows};
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
    pub(super) people: Vec<Cow<'e, str>>,
    pub(super) devices: Vec<Cow<'e, str>>,
    /// When it happened, as it says itself.
    pub(super) happened: Option<i64>,
    /// When Mixpanel received it. Beats the other: apps send what they kept, and exports of older
    /// projects have the former in the project's time zone.
    pub(super) received: Option<i64>,
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
    pub(super) fn add_id(&mut self, field: Field, id: Cow<'e, str>) {
        match field {
            Field::Person => self.people.push(id),
            Field::Device => self.devices.push(id),
            Field::Happened | Field::Received => {}
        }
    }

    pub(super) fn add_time(&mut self, field: Field, text: &str) {
        let time = match field {
            Field::Happened => &mut self.happened,
            Field::Received => &mut self.received,
            Field::Person | Field::Device => return,
        };
        *time = time.or_else(|| event_time(text, ProjectZone::default()));
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
    keys: Keys,
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
            keys: Keys::new(options.column.as_deref(), options.time_column.as_deref()),
            sink: &mut hear,
            nameless: 0,
        };
        let read_options = options.of_reader();
        let wanted = Wanted::Events(&mut taker);
        let (reading, problems) = reader::read_file(source, &read_options, &meter, wanted)?;
        let nameless = taker.nameless;
        let label = reading.label.clone();
        if reading.values == 0 && problems.count() > 0 {
            return Err(IntakeError::NoEvents { label });
        }
        if reading.values > 0 && nameless == reading.values {
            return Err(IntakeError::Nameless { label });
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
    fn of_reader(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            column: self.column.clone(),
            delimiter: self.delimiter,
            ..ReadOptions::default()
        }
    }
}

impl EventTaker<'_> {
    pub(super) fn take_lines(
        &mut self,
        lines: Lines<impl Read>,
        name: &Name,
    ) -> Result<Values, IntakeError> {
        json::each_line(lines, name, &mut |element, place, values| {
            self.take_element(element, place, values);
            Ok(())
        })
    }

    pub(super) fn take_document(
        &mut self,
        text: impl Read,
        name: &Name,
    ) -> Result<Values, IntakeError> {
        json::each_in_document(text, name, &mut |element, place, values| {
            self.take_element(element, place, values);
            Ok(())
        })
    }

    fn take_element(&mut self, element: &[u8], place: Place<'_>, values: &mut Values) {
        match event_json::read(element, &self.keys) {
            Ok(event) => self.take(place, &event, values),
            Err(damage) => values.problems.note_line(place, damage),
        }
    }

    fn take(&mut self, place: Place<'_>, event: &Event<'_>, values: &mut Values) {
        values.count += 1;
        self.nameless += usize::from(event.names().next().is_none());
        (self.sink)(place, event);
    }

    /// The rows of a table that has a header.
    pub(super) fn take_rows(
        &mut self,
        mut lines: Lines<impl Read>,
        options: &ReadOptions,
        name: &Name,
    ) -> Result<Values, IntakeError> {
        let (delimiter, blank_lines) = table::begin(&mut lines, options, name)?;
        let mut rows = Rows::new(lines, delimiter);
        let mut values = Values {
            blank_lines,
            ..Values::default()
        };
        let mut columns = None;
        loop {
            let (number, row) = rows.advance().map_err(|error| name.failed(error))?;
            let place = name.on_line(number);
            match (row, &columns) {
                (Row::End, _) => return Ok(values),
                (Row::Blank, _) => values.blank_lines += 1,
                (Row::Whole(cells), None) => {
                    columns = Some(Columns::of(&cells.to_names(), &self.keys, &name.label)?);
                }
                (Row::Whole(cells), Some(columns)) => match columns.event(&cells) {
                    Ok(event) => self.take(place, &event, &mut values),
                    Err(damage) => values.problems.note_line(place, damage),
                },
                (Row::Damaged(damage), _) => values.problems.note_line(place, damage),
                (Row::Broken(damage), _) => {
                    values.problems.note_line(place, damage);
                    return Ok(values);
                }
            }
        }
    }
}

/// Which columns of a table say what.
struct Columns {
    width: usize,
    fields: Vec<(usize, Field)>,
}

impl Columns {
    fn of(names: &[String], keys: &Keys, label: &str) -> Result<Self, IntakeError> {
        let fields = names.iter().enumerate();
        let fields = fields.filter_map(|(place, name)| Some((place, keys.field_of_column(name)?)));
        let fields: Vec<(usize, Field)> = fields.collect();
        let is_name = |field: &Field| matches!(field, Field::Person | Field::Device);
        let missing = |column: &str| IntakeError::MissingColumn {
            label: label.to_owned(),
            column: column.to_owned(),
        };
        match (fields.iter().any(|(_, field)| is_name(field)), &keys.person) {
            (false, Some(column)) => return Err(missing(column)),
            (false, None) => {
                return Err(IntakeError::NoKnownColumn {
                    label: label.to_owned(),
                    count: names.len(),
                });
            }
            (true, _) => {}
        }
        if let Some(column) = &keys.time
            && !fields.iter().any(|(_, field)| *field == Field::Happened)
        {
            return Err(missing(column));
        }
        let width = names.len();
        Ok(Self { width, fields })
    }

    fn event<'c>(&self, cells: &Cells<'c>) -> Result<Event<'c>, LineDamage> {
        let mut event = Event::default();
        for (column, field) in &self.fields {
            let value = cells.pick(*column, self.width)?;
            let undecodable = LineDamage::Undecodable { encoding: "UTF-8" };
            let value = std::str::from_utf8(value).map_err(|_| undecodable)?;
            if !value.is_empty() {
                event.add_id(*field, Cow::Borrowed(value));
                event.add_time(*field, value);
            }
        }
        Ok(event)
    }
}

impl Keys {
    /// `properties.distinct_id` and `Distinct ID` are the key `distinct_id`.
    fn field_of_column(&self, name: &str) -> Option<Field> {
        let asked = |key: &Option<String>| key.as_ref().map(|key| fold(key) == fold(name));
        let plain = name.trim().to_lowercase().replace(' ', "_");
        let plain = plain.strip_prefix("properties.").unwrap_or(&plain);
        let known = Field::of(plain);
        match (asked(&self.person), asked(&self.time)) {
            (Some(true), _) => Some(Field::Person),
            (_, Some(true)) => Some(Field::Happened),
            (person, time) => known.filter(|field| match field {
                Field::Person | Field::Device => person.is_none(),
                Field::Happened | Field::Received => time.is_none(),
            }),
        }
    }
}
