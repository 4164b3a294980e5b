//! The first reading: which ids there are, what joins them, and what the profiles say.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use super::fields::each_value;
use super::identities::Identities;
use super::record::ExportRecord;
use super::search::needles::{PersonTexts, is_telling};
use super::source::is_beside;
use crate::domain::ProjectZone;
use crate::packages::archive::documented::{JobMember, RecordedNames};
use crate::packages::archive::sink::{MemberFault, MemberSink, PiecePlace, RecordRow, RecordSink};
use crate::packages::{Limits, SplitError};

pub(crate) struct ExportCensus<'a> {
    folder: &'a Path,
    pub(crate) identities: Identities,
    pub(crate) needles: PersonTexts,
    pub(crate) events: u64,
    /// Rows of tables.
    pub(crate) rows: u64,
    is_beside: bool,
    /// Whether a property of this name is personal: to find that out takes longer than all else.
    personal: HashMap<Box<str>, bool>,
}

/// Names of properties that are remembered.
const MOST_NAMES: usize = 10_000;

impl<'a> ExportCensus<'a> {
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            identities: Identities::default(),
            needles: PersonTexts::default(),
            events: 0,
            rows: 0,
            is_beside: false,
            personal: HashMap::new(),
        }
    }

    /// Every id and profile value, to search for.
    pub(crate) fn needles(&mut self) -> PersonTexts {
        let mut needles = std::mem::take(&mut self.needles);
        for id in self.identities.ids_of_people() {
            needles.add_id(id);
        }
        needles
    }

    fn learn_value(&mut self, name: &str, value: &str) {
        let needles = &mut self.needles;
        each_value(value, &mut |part| needles.add_value(name, &part));
    }

    fn is_personal(&mut self, name: &str) -> bool {
        if let Some(is_personal) = self.personal.get(name) {
            return *is_personal;
        }
        let is_personal = is_personal(name);
        if self.personal.len() < MOST_NAMES {
            self.personal.insert(name.into(), is_personal);
        }
        is_personal
    }
}

impl RecordSink for ExportCensus<'_> {
    fn zone(&self) -> ProjectZone {
        ProjectZone::default()
    }

    fn record(&mut self, text: &[u8]) -> Result<(), SplitError> {
        if self.is_beside {
            return Ok(());
        }
        match ExportRecord::of(text) {
            ExportRecord::Event(event) => {
                self.events += 1;
                self.identities.learn(&event);
                for (name, value) in &event.properties {
                    if self.is_personal(name) {
                        self.learn_value(name, value);
                    }
                }
            }
            ExportRecord::Profile(person, properties) => {
                if let Some(id) = person.id() {
                    self.identities.learn_profile(id, &properties);
                }
                for (name, value) in &properties {
                    self.learn_value(name, value);
                }
            }
            ExportRecord::Other | ExportRecord::Unreadable => {}
        }
        Ok(())
    }

    fn row(&mut self, _: RecordRow<'_>) -> Result<(), SplitError> {
        self.rows += u64::from(!self.is_beside);
        Ok(())
    }

    fn broken(&mut self, _: &[u8], _: PiecePlace) -> Result<(), SplitError> {
        Ok(())
    }

    fn aside(&mut self, _: &[u8]) -> Result<(), SplitError> {
        Ok(())
    }
}

/// Whether the property of an event holds what its profile may lack. Ids have a search of their own.
fn is_personal(name: &str) -> bool {
    is_telling(name) && !name.ends_with("id")
}

impl MemberSink for ExportCensus<'_> {
    fn record_limit(&self) -> usize {
        Limits::default().record_bytes
    }

    fn root(&self) -> &Path {
        self.folder
    }

    fn begin_member(&mut self, name: &str, _: &'static str) {
        self.is_beside = is_beside(name);
    }

    fn keep_member(&mut self, _: &mut dyn BufRead) -> Result<(), MemberFault> {
        Ok(())
    }

    fn add_job_facts(
        &mut self,
        _: JobMember,
        _: RecordedNames,
        _: &[u8],
    ) -> Result<(), SplitError> {
        Ok(())
    }
}
