//! Records inside of a record that are another person's: found, and cut out of it.

use std::ops::Range;

use serde_json::value::RawValue;

use super::owner::Claims;
use super::page::Fields;
use super::record;
use crate::domain::ProjectZone;

/// What stands in the place of a record that was cut out: JSON, as all around it.
const CUT: &str = "\"(removed: a record of another person)\"";
/// What is in the text of every value that names a person: one of the keys, or an escape in it.
const NAMING: [&str; 4] = ["distinct_id", "$user_id", "$device_id", "\\u"];
/// How deep in others records are looked for; a value that goes deeper is not taken apart.
const MOST_LEVELS: usize = 64;

/// A record without those inside of it that are not its owner's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Apart {
    pub(super) outer: String,
    pub(super) cut: Vec<String>,
}

/// It goes deeper than it is looked into.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Whether a JSON value is an object or a list in which a person may be named. Keys with escapes
/// are not read here, so they may be anything.
pub(super) fn may_name_someone(value: &str) -> bool {
    let bytes = value.as_bytes();
    let holds = |text: &&str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    matches!(bytes.first(), Some(b'{' | b'[')) && NAMING.iter().any(holds)
}

/// Cuts out of `record` every inner record that names somebody and is not `own`.
///
/// # Errors
/// When it goes too deep to be sure.
pub(super) fn take_apart(
    record: &str,
    own: &dyn Fn(&Claims<'_>) -> bool,
) -> Result<Apart, TooDeep> {
    let mut search = Search {
        whole: record,
        own,
        found: Vec::new(),
    };
    for (name, value) in Fields::of(record).unwrap_or_default().0 {
        match &*name {
            // Part of the record itself.
            "properties" | "$properties" => search.look_into(value.get(), 0)?,
            _ => search.look_at(value.get(), 0)?,
        }
    }
    Ok(search.cut())
}

/// The same with a value that is no record itself, such as a field of a table.
///
/// # Errors
/// When it goes too deep to be sure.
pub(super) fn take_value_apart(
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
    found: Vec<Range<usize>>,
}

impl<'t> Search<'t, '_> {
    fn look_at(&mut self, value: &'t str, level: usize) -> Result<(), TooDeep> {
        if !may_name_someone(value) {
            return Ok(());
        }
        let claims = record::read(value, ProjectZone::default()).map(|facts| facts.claims);
        if claims.is_some_and(|claims| claims.name_someone() && !(self.own)(&claims)) {
            // A slice of the whole text: where it begins is told by its address.
            let start = value.as_ptr() as usize - self.whole.as_ptr() as usize;
            self.found.push(start..start + value.len());
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
        if let Some(fields) = Fields::of(value) {
            for (_, inner) in fields.0 {
                self.look_at(inner.get(), level + 1)?;
            }
        } else if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value) {
            for inner in elements {
                self.look_at(inner.get(), level + 1)?;
            }
        }
        Ok(())
    }

    fn cut(self) -> Apart {
        let (mut outer, mut done) = (String::new(), 0);
        for place in &self.found {
            outer.push_str(&self.whole[done..place.start]);
            outer.push_str(CUT);
            done = place.end;
        }
        outer.push_str(&self.whole[done..]);
        let cut = self.found.into_iter();
        Apart {
            outer,
            cut: cut.map(|place| self.whole[place].to_owned()).collect(),
        }
    }
}
