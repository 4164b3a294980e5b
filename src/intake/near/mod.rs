//! Held ids: how many of each excluded file the list has, and which listed ids nearly equal one.
//!
//! `--exclude` compares byte for byte, so a held id in other letters would protect nobody: a near
//! match stops everything. Memory grows with the held ids only.

use std::collections::HashSet;
use std::fmt;

use crate::domain::id_form::{Extent, Folder};
use crate::domain::{Exclusion, HashedMap, IdHasher, NearIndex};

use super::place::{At, Place};

mod difference;

/// How many pairs are listed; the rest are counted.
const KEPT: usize = 50;

#[derive(Debug)]
pub(crate) struct ExcludedIds {
    /// The hash of each id, and whether the list has it.
    exact: HashedMap<bool>,
    folded: NearIndex<Folded>,
    /// The label of each file, and the hashes of its ids.
    files: Vec<(String, Vec<u128>)>,
    near: NearIds,
    folder: Folder,
}

/// The first held id with this folded form.
#[derive(Debug, Clone)]
struct Folded {
    /// The label is the index of the file.
    place: At<usize>,
    /// For naming the difference; empty for a part.
    text: Box<str>,
    form: IdForm,
}

/// Whether a text is the value or the hash made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdForm {
    Value,
    Hash,
}

/// Listed ids, each with the held id it nearly equals. Never holds a value.
#[derive(Debug, Default)]
pub struct NearIds {
    kept: Vec<Pair>,
    count: usize,
}

#[derive(Debug)]
struct Pair {
    listed: At<String>,
    held: At<String>,
    difference: String,
}

impl ExcludedIds {
    pub(crate) fn new(hasher: IdHasher, labels: Vec<String>) -> Self {
        Self {
            exact: HashedMap::default(),
            folded: NearIndex::new(hasher),
            files: labels
                .into_iter()
                .map(|label| (label, Vec::new()))
                .collect(),
            near: NearIds::default(),
            folder: Folder::default(),
        }
    }

    /// Adds an id of an excluded file. `texts` are the value and the id made from it; `hash` is the
    /// id's.
    pub(crate) fn take(&mut self, place: At<usize>, texts: [&str; 2], hash: u128) {
        self.files[place.label].1.push(hash);
        if self.exact.insert(hash, false).is_some() {
            return;
        }
        for (text, form) in each_once(texts) {
            self.folder.fold(text, &mut |folded, extent| {
                let new = || Folded {
                    place,
                    text: match extent {
                        Extent::Whole => text.into(),
                        Extent::Part => "".into(),
                    },
                    form,
                };
                self.folded.add(folded, extent, new);
            });
        }
    }

    /// Checks a listed id against the held ids. `allowed` values may nearly equal one.
    pub(crate) fn compare(
        &mut self,
        place: Place<'_>,
        texts: [&str; 2],
        hash: u128,
        allowed: &HashSet<String>,
    ) {
        if let Some(is_found) = self.exact.get_mut(&hash) {
            *is_found = true;
            return;
        }
        let mut near = None;
        for (text, form) in each_once(texts) {
            self.folder.fold(text, &mut |folded, extent| {
                let found = self.folded.find(folded, extent);
                near = near
                    .take()
                    .or_else(|| found.map(|(whole, held)| (held, [*whole, extent], text, form)));
            });
        }
        if let Some((held, extents, text, form)) = near
            && !allowed.contains(texts[0])
        {
            self.near.count += 1;
            if self.near.kept.len() < KEPT {
                let difference = match extents {
                    [Extent::Whole, Extent::Whole] if held.form != form => {
                        "one is the hash of the other".to_owned()
                    }
                    [Extent::Whole, Extent::Whole] => difference::between(&held.text, text),
                    [Extent::Part, _] | [_, Extent::Part] => {
                        "one line holds several ids".to_owned()
                    }
                };
                self.near.kept.push(Pair {
                    listed: place.labelled(place.label.to_owned()),
                    held: held.place.labelled(self.files[held.place.label].0.clone()),
                    difference,
                });
            }
        }
    }

    /// How many ids each file has and how many were found, in the order of the files. Fails when a
    /// listed id nearly equals a held one.
    pub(crate) fn finish(self) -> Result<Vec<Exclusion>, NearIds> {
        if self.near.count > 0 {
            return Err(self.near);
        }
        let exclusions = self.files.into_iter().map(|(source, mut ids)| {
            ids.sort_unstable();
            ids.dedup();
            let found = ids.iter().filter(|id| self.exact.get(id) == Some(&true));
            Exclusion {
                source,
                ids: ids.len(),
                found: found.count(),
            }
        });
        Ok(exclusions.collect())
    }
}

/// How a value that was found differs from the one that was asked for, such as `differs in case`.
/// Never holds a value.
pub fn how_it_differs(asked: &str, found: &str) -> String {
    match asked.trim() == found.trim() {
        true => "differs in white space around it".to_owned(),
        false => difference::between(asked, found)
            .replace("differ in", "differs in")
            .replace("around them", "around it"),
    }
}

/// The value and, if it was hashed, the hash: one of the two files may already list hashes.
fn each_once([value, id]: [&str; 2]) -> impl Iterator<Item = (&str, IdForm)> {
    let made = (id != value).then_some((id, IdForm::Hash));
    [(value, IdForm::Value)].into_iter().chain(made)
}

impl fmt::Display for NearIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = match self.count {
            1 => "id nearly equals a held id",
            _ => "ids nearly equal held ids",
        };
        write!(
            f,
            "{} listed {equal}, and `--exclude` compares byte for byte",
            self.count
        )?;
        for pair in &self.kept {
            let Pair {
                listed,
                held,
                difference,
            } = pair;
            write!(f, "\n  {listed} and {held}: {difference}")?;
        }
        match self.count - self.kept.len() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
