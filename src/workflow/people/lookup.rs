//! Finds the distinct_ids of people by a property of their profiles, and the other ids of each.
//!
//! Takes a profile only if it has the value byte for byte. Memory grows with the values asked for
//! and the ids found, not with the profiles.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use serde::Serialize;

use crate::domain::IdHasher;
use crate::domain::id_form::{Extent, Folder};
use crate::intake::{Place, Profile, ValueKind, how_it_differs};

/// Mixpanel joins at most this many ids into one person.
const LARGEST_CLUSTER: usize = 500;

/// The values asked for, fed with profiles and then with identities.
pub struct Lookup {
    hasher: IdHasher,
    folder: Folder,
    values: Vec<AskedValue>,
    /// The first value of each folded form.
    forms: HashMap<u128, u32>,
    lines: Vec<AskedLine>,
    ids: Vec<FoundId>,
    /// The place of each id in `ids`, by its hash.
    known: HashMap<u128, u32>,
    /// Which value found which id.
    matches: HashSet<(u32, u32)>,
    /// How many ids there were when the last pass over the identities began.
    before: usize,
}

/// A value asked for, once.
struct AskedValue {
    text: Box<str>,
    /// The next value with the same folded form.
    next: Option<u32>,
    first_line: u32,
    profiles: usize,
    /// How a near value of another profile differs.
    near: Option<Rc<str>>,
}

struct AskedLine {
    source: Rc<str>,
    line: Option<u64>,
    element: Option<u64>,
    value: u32,
}

struct FoundId {
    id: Box<str>,
    listed_as: ListedAs,
    /// The first line that asks for it.
    line: u32,
    /// Another id of the same person, or itself.
    parent: u32,
}

/// What was found for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupAnswer {
    One,
    /// Several profiles have the value.
    Several,
    None,
    /// No profile has the value, but one nearly has.
    Near,
}

/// A line of the source with its answer.
#[derive(Debug, Clone)]
pub struct AnsweredLine {
    /// The source's name in messages; never a value.
    pub source: Rc<str>,
    pub line: Option<u64>,
    pub element: Option<u64>,
    pub answer: LookupAnswer,
    /// How many profiles have the value.
    pub profiles: usize,
    /// How a near value of another profile differs.
    pub near: Option<Rc<str>>,
}

/// Why an id is in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListedAs {
    One,
    Several,
    /// Another id of a person whose profile was found.
    Alias,
}

/// An id to be listed.
pub struct ListedId {
    pub id: Box<str>,
    pub listed_as: ListedAs,
    /// The place of its line in [`LookedUp::lines`].
    pub line: usize,
}

/// Everything that was found.
pub struct LookedUp {
    pub lines: Vec<AnsweredLine>,
    /// By line, each id once; the aliases of a person after the ids of profiles.
    pub ids: Vec<ListedId>,
    /// The lines of different values that are one person, as places in `lines`.
    pub joined: Vec<Vec<usize>>,
    /// The line and the number of ids of each person who has more ids than Mixpanel joins.
    pub large: Vec<(usize, usize)>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self {
            hasher: IdHasher::random(),
            folder: Folder::default(),
            values: Vec::new(),
            forms: HashMap::new(),
            lines: Vec::new(),
            ids: Vec::new(),
            known: HashMap::new(),
            matches: HashSet::new(),
            before: 0,
        }
    }
}

impl Lookup {
    /// Asks for a value.
    pub fn ask(&mut self, place: Place<'_>, text: &str) {
        let line = at(self.lines.len());
        let form = form_of(&mut self.folder, &self.hasher, text);
        let first = self.forms.get(&form).copied();
        let mut next = first;
        while let Some(value) = next
            && *self.values[value as usize].text != *text
        {
            next = self.values[value as usize].next;
        }
        let value = next.unwrap_or_else(|| {
            let value = at(self.values.len());
            self.values.push(AskedValue {
                text: text.into(),
                next: first,
                first_line: line,
                profiles: 0,
                near: None,
            });
            self.forms.insert(form, value);
            value
        });
        let source = match self.lines.last() {
            Some(last) if *last.source == *place.label => Rc::clone(&last.source),
            Some(_) | None => place.label.into(),
        };
        self.lines.push(AskedLine {
            source,
            line: place.line,
            element: place.element,
            value,
        });
    }

    /// Compares a profile with the values; returns whether it has one of them.
    pub fn take(&mut self, profile: &Profile<'_>) -> bool {
        let Self {
            hasher,
            folder,
            values,
            forms,
            ..
        } = self;
        let (mut matched, mut near) = (Vec::new(), Vec::new());
        profile.each_value(&mut |text, kind| {
            if text.is_empty() {
                return;
            }
            let mut next = forms.get(&form_of(folder, hasher, text)).copied();
            while let Some(place) = next {
                let value = &values[place as usize];
                next = value.next;
                match kind {
                    ValueKind::Text | ValueKind::List if *value.text == *text => {
                        matched.push(place);
                    }
                    ValueKind::List => {}
                    _ if value.near.is_some() => {}
                    ValueKind::Text => near.push((place, how_it_differs(&value.text, text))),
                    ValueKind::Number => near.push((place, "is a number, not text".to_owned())),
                    ValueKind::Piece => {
                        near.push((place, "is in a list that is not JSON".to_owned()));
                    }
                }
            }
        });
        for (place, difference) in near {
            if !matched.contains(&place) {
                let known = &mut values[place as usize].near;
                known.get_or_insert_with(|| difference.into());
            }
        }
        for place in &matched {
            self.found(*place, profile.id);
        }
        !matched.is_empty()
    }

    fn found(&mut self, value: u32, id: &str) {
        let place = self.place_of(id, ListedAs::One);
        if self.matches.insert((value, place)) {
            let asked = &mut self.values[value as usize];
            asked.profiles += 1;
            let found = &mut self.ids[place as usize];
            found.line = found.line.min(asked.first_line);
        }
    }

    fn place_of(&mut self, id: &str, listed_as: ListedAs) -> u32 {
        let new = at(self.ids.len());
        let place = *self
            .known
            .entry(self.hasher.hash(id.as_bytes()))
            .or_insert(new);
        if place == new {
            self.ids.push(FoundId {
                id: id.into(),
                listed_as,
                line: u32::MAX,
                parent: place,
            });
        }
        place
    }

    /// Joins the ids of one person, if one of them is known; returns whether one is.
    pub fn join(&mut self, ids: &[String]) -> bool {
        let known = |id: &String| self.known.get(&self.hasher.hash(id.as_bytes()));
        let Some(first) = ids.iter().find_map(known).copied() else {
            return false;
        };
        for id in ids {
            let place = self.place_of(id, ListedAs::Alias);
            let (one, other) = (self.root(first), self.root(place));
            self.ids[other as usize].parent = one;
        }
        true
    }

    /// Begins a pass over the identities. Returns false if the last pass found nothing new.
    pub fn begin_pass(&mut self) -> bool {
        let before = std::mem::replace(&mut self.before, self.ids.len());
        before < self.ids.len()
    }

    fn root(&mut self, mut place: u32) -> u32 {
        while self.ids[place as usize].parent != place {
            let parent = self.ids[place as usize].parent;
            let above = self.ids[parent as usize].parent;
            self.ids[place as usize].parent = above;
            place = above;
        }
        place
    }

    pub fn finish(mut self) -> LookedUp {
        let mut clusters: BTreeMap<u32, Cluster> = BTreeMap::new();
        for place in 0..at(self.ids.len()) {
            let root = self.root(place);
            let cluster = clusters.entry(root).or_default();
            cluster.ids += 1;
            cluster.first_line = cluster.first_line.min(self.ids[place as usize].line);
        }
        for (value, place) in std::mem::take(&mut self.matches) {
            let asked = &self.values[value as usize];
            if asked.profiles > 1 {
                self.ids[place as usize].listed_as = ListedAs::Several;
            }
            let line = asked.first_line as usize;
            let root = self.root(place);
            clusters.entry(root).or_default().lines.insert(line);
        }
        let mut ids: Vec<ListedId> = Vec::with_capacity(self.ids.len());
        for place in 0..at(self.ids.len()) {
            let root = self.root(place);
            let found = &mut self.ids[place as usize];
            let line = match found.listed_as {
                ListedAs::Alias => clusters.entry(root).or_default().first_line,
                ListedAs::One | ListedAs::Several => found.line,
            };
            ids.push(ListedId {
                id: std::mem::take(&mut found.id),
                listed_as: found.listed_as,
                line: line as usize,
            });
        }
        ids.sort_by_key(|listed| (listed.line, listed.listed_as == ListedAs::Alias));
        let lines = self.lines.iter().map(|line| line.answered(&self.values));
        let lines = lines.collect();
        let joined = clusters.values().filter(|cluster| cluster.lines.len() > 1);
        let mut joined: Vec<Vec<usize>> = joined
            .map(|cluster| cluster.lines.iter().copied().collect())
            .collect();
        joined.sort();
        let large = clusters.values();
        let large = large.filter(|cluster| cluster.ids > LARGEST_CLUSTER);
        let mut large: Vec<(usize, usize)> = large
            .map(|cluster| (cluster.first_line as usize, cluster.ids))
            .collect();
        large.sort_unstable();
        LookedUp {
            lines,
            ids,
            joined,
            large,
        }
    }
}

/// All ids of one person.
struct Cluster {
    ids: usize,
    first_line: u32,
    /// The first line of each value that found the person.
    lines: BTreeSet<usize>,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            ids: 0,
            first_line: u32::MAX,
            lines: BTreeSet::new(),
        }
    }
}

impl AskedLine {
    fn answered(&self, values: &[AskedValue]) -> AnsweredLine {
        let value = &values[self.value as usize];
        AnsweredLine {
            source: Rc::clone(&self.source),
            line: self.line,
            element: self.element,
            answer: match (value.profiles, &value.near) {
                (0, None) => LookupAnswer::None,
                (0, Some(_)) => LookupAnswer::Near,
                (1, _) => LookupAnswer::One,
                _ => LookupAnswer::Several,
            },
            profiles: value.profiles,
            near: value.near.clone(),
        }
    }
}

/// The intake reads fewer values than fit.
fn at(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The hash of the folded form. Equal values have equal forms.
fn form_of(folder: &mut Folder, hasher: &IdHasher, text: &str) -> u128 {
    let mut form = 0;
    folder.fold(text, &mut |folded, extent| {
        if extent == Extent::Whole {
            form = hasher.hash(folded.as_bytes());
        }
    });
    form
}
