//! Records inside of a record that are another person's, also those inside of its texts: found, and
//! cut out of it.

use std::ops::Range;

use serde_json::value::RawValue;

use super::may_name_someone;
use crate::domain::{JsonObject, ProjectZone};
use crate::packages::record;
use crate::packages::sorter::owner::Claims;

/// What stands in the place of a record that was cut out: JSON, as all around it.
const CUT: &str = "\"(removed: a record of another person)\"";
/// What is in a text that names a person and cannot be read.
const NAMING_KEY: &str = "distinct_id\"";
/// How deep in others records are looked for; a value that goes deeper is not taken apart.
const MOST_LEVELS: usize = 64;

/// A record without those inside of it that are not its owner's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Apart {
    pub(crate) outer: String,
    pub(crate) cut: Vec<String>,
}

/// It goes deeper than it is looked into.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Cuts out of `record` every inner record that names somebody and is not `own`.
///
/// # Errors
/// When it goes too deep to be sure.
pub(crate) fn take_apart(
    record: &str,
    own: &dyn Fn(&Claims<'_>) -> bool,
) -> Result<Apart, TooDeep> {
    let mut search = Search {
        whole: record,
        own,
        found: Vec::new(),
    };
    for (name, value) in JsonObject::of(record).unwrap_or_default().0 {
        match &*name {
            // Part of the record itself.
            "properties" | "$properties" if !is_text(value.get()) => {
                search.look_into(value.get(), 0)?;
            }
            _ => search.look_at(value.get(), 0)?,
        }
    }
    Ok(search.cut())
}

/// The same with a value that is no record itself, such as a field of a table.
///
/// # Errors
/// When it goes too deep to be sure.
pub(crate) fn take_value_apart(
    value: &str,
    own: &dyn Fn(&Claims<'_>) -> bool,
) -> Result<Apart, TooDeep> {
    let mut search = Search {
        whole: value,
        own,
        found: Vec::new(),
    };
    search.look_at(value, 0)?;
    Ok(search.cut())
}

struct Search<'t, 'o> {
    whole: &'t str,
    own: &'o dyn Fn(&Claims<'_>) -> bool,
    found: Vec<Found>,
}

/// A part of the whole that holds records of other people.
struct Found {
    place: Range<usize>,
    /// What stands there afterwards.
    left: String,
    cut: Vec<String>,
}

impl<'t> Search<'t, '_> {
    fn look_at(&mut self, value: &'t str, level: usize) -> Result<(), TooDeep> {
        let value = value.trim();
        if !may_name_someone(value) {
            return Ok(());
        }
        if is_text(value) {
            return self.look_into_text(value, level);
        }
        let claims = record::read(value, ProjectZone::default()).map(|facts| facts.claims);
        if claims.is_some_and(|claims| claims.name_someone() && !(self.own)(&claims)) {
            self.add(value, CUT.to_owned(), vec![value.to_owned()]);
            return Ok(());
        }
        self.look_into(value, level)
    }

    fn look_into(&mut self, value: &'t str, level: usize) -> Result<(), TooDeep> {
        if !may_name_someone(value) {
            return Ok(());
        }
        if level == MOST_LEVELS {
            return Err(TooDeep);
        }
        if let Some(fields) = JsonObject::of(value) {
            for (_, inner) in fields.0 {
                self.look_at(inner.get(), level + 1)?;
            }
            return Ok(());
        }
        if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value) {
            for inner in elements {
                self.look_at(inner.get(), level + 1)?;
            }
            return Ok(());
        }
        self.look_into_several(value, level)
    }

    /// A text may hold several values, such as lines of JSON, or be cut off in the middle of one.
    fn look_into_several(&mut self, text: &'t str, level: usize) -> Result<(), TooDeep> {
        let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        match values.collect::<Result<Vec<_>, _>>() {
            Ok(values) => {
                for inner in values {
                    self.look_at(inner.get(), level + 1)?;
                }
            }
            // It names somebody, and nobody can tell whom.
            Err(_) if text.contains(NAMING_KEY) => {
                self.add(text, CUT.to_owned(), vec![text.to_owned()]);
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// A text that is JSON itself is taken apart as the value that it holds.
    fn look_into_text(&mut self, value: &'t str, level: usize) -> Result<(), TooDeep> {
        let Ok(text) = serde_json::from_str::<String>(value) else {
            return Ok(());
        };
        if level == MOST_LEVELS {
            return Err(TooDeep);
        }
        let mut search = Search {
            whole: &text,
            own: self.own,
            found: Vec::new(),
        };
        search.look_at(&text, level + 1)?;
        let Apart { outer, cut } = search.cut();
        if !cut.is_empty() {
            self.add(value, serde_json::Value::from(outer).to_string(), cut);
        }
        Ok(())
    }

    /// `part` is a slice of the whole text: where it begins is told by its address.
    fn add(&mut self, part: &'t str, left: String, cut: Vec<String>) {
        let start = part.as_ptr() as usize - self.whole.as_ptr() as usize;
        self.found.push(Found {
            place: start..start + part.len(),
            left,
            cut,
        });
    }

    fn cut(self) -> Apart {
        let (mut outer, mut cut, mut done) = (String::new(), Vec::new(), 0);
        for found in self.found {
            outer.push_str(&self.whole[done..found.place.start]);
            outer.push_str(&found.left);
            done = found.place.end;
            cut.extend(found.cut);
        }
        outer.push_str(&self.whole[done..]);
        Apart { outer, cut }
    }
}

fn is_text(value: &str) -> bool {
    value.starts_with('"')
}
