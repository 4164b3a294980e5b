//! Which records of other ids may be of the people of a request: an id nearly equals theirs, or the
//! archive itself ties it to theirs.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::domain::id_form::{Extent, Folder};
use crate::domain::{DistinctId, IdHasher, Leniency, NearIndex};
use crate::packages::record::{RecordFacts, fields_of, naming};

/// How many forms of tied ids are kept. With more, every record of another id may be of somebody.
const MOST_TIES: usize = 1 << 20;

/// The ids of all people of a request, and the ids that the archive ties to one of them. `--exclude`
/// compares ids in nearly the same way.
#[derive(Debug)]
pub(crate) struct AskedForms {
    hasher: IdHasher,
    asked: NearIndex<()>,
    tied: NearIndex<()>,
    /// Hashes of the ids in `tied`: most records repeat them.
    seen: HashSet<u128>,
    folder: Folder,
}

impl AskedForms {
    pub(crate) fn new() -> Self {
        let hasher = IdHasher::random();
        Self {
            asked: NearIndex::new(hasher.clone()),
            tied: NearIndex::new(hasher.clone()),
            hasher,
            seen: HashSet::new(),
            folder: Folder::default(),
        }
    }

    /// Adds a person of the request.
    pub(crate) fn ask_for(&mut self, id: &DistinctId) {
        let asked = &mut self.asked;
        let mut add = |form: &str, extent| asked.add(form, extent, || ());
        self.folder.fold_delivered(id.expose(), &mut add);
    }

    /// Ties every id in a record of a person to that person.
    pub(crate) fn learn(&mut self, facts: &RecordFacts<'_>, record: &[u8]) {
        for id in [facts.claims.user.id(), facts.claims.device.id()] {
            id.into_iter().for_each(|id| self.tie(id));
        }
        if facts.names_more_ids {
            self.tie_all_in(&String::from_utf8_lossy(record));
        }
    }

    /// Whether any id of a record nearly equals a person's. Then its other ids are tied to that
    /// person.
    pub(crate) fn are_named_in(&mut self, record: &str) -> bool {
        let Self { asked, folder, .. } = self;
        let found = any_id(record, names_an_id, &mut |id| are_near(asked, folder, id));
        if found {
            self.tie_all_in(record);
        }
        found
    }

    /// Whether any id of a record is tied to a person. Then its other ids are tied as well.
    pub(crate) fn are_tied_to(&mut self, record: &str) -> bool {
        let Self { tied, folder, .. } = self;
        let is_full = tied.count() >= MOST_TIES;
        let found = is_full || any_id(record, ties_ids, &mut |id| are_near(tied, folder, id));
        if found {
            self.tie_all_in(record);
        }
        found
    }

    /// How many forms of ids are tied to people.
    pub(crate) fn ties(&self) -> usize {
        self.tied.count()
    }

    fn tie_all_in(&mut self, record: &str) {
        any_id(record, ties_ids, &mut |id| {
            self.tie(id);
            false
        });
    }

    fn tie(&mut self, id: &str) {
        let is_full = self.tied.count() >= MOST_TIES;
        if is_full || !self.seen.insert(self.hasher.hash(id.as_bytes())) {
            return;
        }
        // `unknown` and the like would tie everybody to everybody.
        if DistinctId::judge(id, Leniency::OuterWhiteSpace).is_ok() {
            let tied = &mut self.tied;
            let mut add = |form: &str, extent| {
                if extent == Extent::Whole {
                    tied.add(form, extent, || ());
                }
            };
            self.folder.fold_delivered(id, &mut add);
        }
    }
}

fn are_near(known: &NearIndex<()>, folder: &mut Folder, id: &str) -> bool {
    let mut found = false;
    folder.fold_delivered(id, &mut |form, extent| {
        found |= known.find(form, extent).is_some();
    });
    found
}

/// Passes the ids in the fields of a record that `is_name` accepts to `is_wanted`, until one is.
fn any_id(
    record: &str,
    is_name: fn(&str) -> bool,
    is_wanted: &mut dyn FnMut(&str) -> bool,
) -> bool {
    let fields = fields_of(record).unwrap_or_default().0;
    fields.into_iter().any(|(name, value)| match &*name {
        "properties" | "$properties" => {
            let inner = serde_json::from_str::<String>(value.get());
            inner.is_ok_and(|inner| any_id(&inner, is_name, is_wanted))
        }
        name => is_name(name) && any_text(value, is_wanted),
    })
}

fn names_an_id(name: &str) -> bool {
    ties_ids(name) || naming::id_field(name).is_some()
}

/// Beside a `distinct_id`, `Distinct ID` is an ordinary property.
fn ties_ids(name: &str) -> bool {
    matches!(name, "distinct_id" | "$distinct_id") || naming::ties_ids(name)
}

fn any_text(value: &RawValue, is_wanted: &mut dyn FnMut(&str) -> bool) -> bool {
    let text = value.get();
    match text.as_bytes() {
        [b'"', ..] => serde_json::from_str::<Cow<'_, str>>(text).is_ok_and(|id| is_wanted(&id)),
        [b'[', ..] => {
            let list = serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default();
            list.into_iter().any(|inner| any_text(inner, is_wanted))
        }
        _ => is_wanted(text),
    }
}
