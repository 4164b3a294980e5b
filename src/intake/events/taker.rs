//! Takes events from JSON and from the rows of tables.

use std::borrow::Cow;
use std::io::Read;

use super::event::{Event, EventOptions, Field};
use super::json as event_json;
use crate::intake::ReadOptions;
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::reader::format::Format;
use crate::intake::reader::reading::{SourceName, Values};
use crate::intake::reader::rows::Cells;
use crate::intake::reader::{json, table};
use crate::intake::stream::lines::TextLines;

pub(crate) type EventSink<'a> = &'a mut dyn FnMut(Place<'_>, &Event<'_>);

pub(crate) struct EventTaker<'s> {
    pub(crate) options: &'s EventOptions,
    pub(crate) sink: EventSink<'s>,
    pub(crate) nameless: usize,
    /// Those with the time or the name of an event.
    pub(crate) events: usize,
}

impl EventTaker<'_> {
    pub(crate) fn take_elements(
        &mut self,
        lines: TextLines<impl Read>,
        format: Format,
        name: &SourceName,
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
        self.events += usize::from(event.is_event());
        (self.sink)(place, event);
    }

    /// Takes the rows of a table; the first row must be the heading.
    pub(crate) fn take_rows(
        &mut self,
        lines: TextLines<impl Read>,
        options: &ReadOptions,
        name: &SourceName,
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
        let missing = |column: &str| Fault::MissingColumn {
            column: column.to_owned(),
            known: Vec::new(),
        };
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
        if width == 1 && options.column.is_none() {
            return Err(Fault::OnlyIds);
        }
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
