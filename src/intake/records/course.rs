//! How far the reading of records has come, over all files.

use crate::intake::stream::meter::Meter;
use crate::intake::{Headway, Source};

/// Reports every 4096th record.
pub(crate) struct RecordCourse<'h> {
    meter: Meter,
    of_bytes: Option<u64>,
    values: usize,
    on_headway: &'h mut dyn FnMut(Headway),
}

impl<'h> RecordCourse<'h> {
    pub(crate) fn of(sources: &[Source], on_headway: &'h mut dyn FnMut(Headway)) -> Self {
        Self {
            meter: Meter::default(),
            of_bytes: sources.iter().map(Source::size).sum(),
            values: 0,
            on_headway,
        }
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    pub(crate) fn step(&mut self) {
        self.values += 1;
        if self.values.is_multiple_of(4096) {
            (self.on_headway)(Headway {
                values: self.values,
                bytes: self.meter.bytes(),
                of_bytes: self.of_bytes,
            });
        }
    }
}
