//! The first reading: which ids there are, what joins them, and what the profiles say.

use super::fields::each_value;
use super::identities::Identities;
use super::names::KnownNames;
use super::record::ExportRecord;
use super::search::needles::{PersonTexts, is_telling};

#[derive(Default)]
pub(crate) struct ExportCensus {
    pub(crate) identities: Identities,
    pub(crate) needles: PersonTexts,
    pub(crate) events: u64,
    /// Rows of tables.
    pub(crate) rows: u64,
    /// Whether a property of an event is personal: to find that out takes longer than all else.
    personal: KnownNames<bool>,
    /// Whether a property is named like personal data.
    telling: KnownNames<bool>,
}

impl ExportCensus {
    /// Every id and profile value, to search for.
    pub(crate) fn needles(&mut self) -> PersonTexts {
        let mut needles = std::mem::take(&mut self.needles);
        for id in self.identities.ids_of_people() {
            needles.add_id(id);
        }
        needles
    }

    pub(crate) fn record(&mut self, record: &ExportRecord<'_>) {
        match record {
            ExportRecord::Event(event) => {
                self.events += 1;
                self.identities.learn(event);
                for (name, value) in &event.properties {
                    if self.personal.check(name, is_personal) {
                        self.learn_value(name, value);
                    }
                }
            }
            ExportRecord::Profile(person, properties) => {
                if let Some(id) = person.id() {
                    self.identities.learn_profile(id, properties);
                }
                for (name, value) in properties {
                    self.learn_value(name, value);
                }
            }
            ExportRecord::Row => self.rows += 1,
            ExportRecord::Other | ExportRecord::Unreadable => {}
        }
    }

    fn learn_value(&mut self, name: &str, value: &str) {
        let is_telling = self.telling.check(name, is_telling);
        let needles = &mut self.needles;
        each_value(value, &mut |part| {
            needles.add_value((name, is_telling), &part);
        });
    }
}

/// Whether the property of an event holds what its profile may lack. Ids have a search of their own.
fn is_personal(name: &str) -> bool {
    is_telling(name) && !name.trim_end_matches('s').ends_with("id")
}
