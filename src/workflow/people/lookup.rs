//! Finds the distinct_ids of people by a property of their profiles, and the other ids of each.
//!
//! Takes a profile only if it has the value byte for byte, and other ids only if they lead to no
//! other profile. Memory grows with the values asked for and the ids found, not with the profiles.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use serde::Serialize;

use crate::domain::id_form::{Folder, usual_forms};
use crate::domain::{DistinctId, FormMap, HashedMap, IdHasher, Leniency};
use crate::intake::{Identity, MainId, Place, Profile, ValueKind, how_it_differs};

/// Mixpanel joins at most this many ids into one person.
const LARGEST_CLUSTER: usize = 500;

/// The values asked for, fed with profiles and then with identities.
pub struct Lookup {
    hasher: IdHasher,
    folder: Folder,
    values: Vec<AskedValue>,
    /// The first value of each folded form.
    forms: FormMap<u32>,
    lines: Vec<AskedLine>,
    ids: Vec<FoundId>,
    /// The place of each id in `ids`, by its hash.
    known: HashedMap<u32>,
    /// Which value found which id.
    matches: HashSet<(u32, u32)>,
    /// How many ids there were when the last pass over the identities began.
    before: usize,
    has_identities: bool,
}

/// A value asked for, once.
struct AskedValue {
    text: Box<str>,
    /// The next value with the same folded form.
    next: Option<u32>,
    first_line: u32,
    profiles: usize,
    /// Whether a profile has it whose id cannot be used.
    has_unusable: bool,
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
    id: Rc<str>,
    listed_as: ListedAs,
    /// Whether it has a profile of its own, asked for or not.
    has_profile: bool,
    /// Whether the identities resolve other ids to it.
    is_resolved_to: bool,
    /// Whether the identities resolve it to another id.
    resolves: bool,
    /// The first line that asks for it.
    line: u32,
    /// Another id of the same person, or itself.
    parent: u32,
}

/// How a profile compares with the values asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    Equal,
    Near,
    Other,
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
    /// A profile has the value, and its id stands for no user or can be no id. The line may have
    /// other profiles, too.
    Unusable,
}

/// A line of the source with its answer.
#[derive(Debug, Clone)]
pub struct AnsweredLine {
    /// The source's name in messages; never a value.
    pub source: Rc<str>,
    pub line: Option<u64>,
    pub element: Option<u64>,
    pub answer: LookupAnswer,
    /// How many profiles with a usable id have the value.
    pub profiles: usize,
    /// How a near value of another profile differs.
    pub near: Option<Rc<str>>,
    /// Whether the identities join a profile of the line with another profile.
    pub joined: bool,
}

/// Why an id is in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListedAs {
    One,
    Several,
    /// The profile has the value, but the identities join it with another profile.
    Joined,
    /// Another id of a person whose profile was found.
    Alias,
}

/// An id to be listed.
pub struct ListedId {
    pub id: Rc<str>,
    pub listed_as: ListedAs,
    /// The id of the profile that it belongs to.
    pub profile: Rc<str>,
    /// The place of its line in [`LookedUp::lines`].
    pub line: usize,
}

/// Everything that was found.
pub struct LookedUp {
    pub lines: Vec<AnsweredLine>,
    /// By line, each id once; the aliases of a profile after it.
    pub ids: Vec<ListedId>,
    /// The lines of different values that share a profile, as places in `lines`.
    pub shared: Vec<Vec<usize>>,
    /// The line and the number of ids of each profile that has more ids than Mixpanel joins.
    pub large: Vec<(usize, usize)>,
    /// Whether any id that was found is in the identities.
    pub has_identities: bool,
}

impl Default for Lookup {
    fn default() -> Self {
        Self {
            hasher: IdHasher::random(),
            folder: Folder::default(),
            values: Vec::new(),
            forms: FormMap::new(IdHasher::random()),
            lines: Vec::new(),
            ids: Vec::new(),
            known: HashedMap::default(),
            matches: HashSet::new(),
            before: 0,
            has_identities: false,
        }
    }
}

impl Lookup {
    /// Asks for a value.
    pub fn ask(&mut self, place: Place<'_>, text: &str) {
        let line = at(self.lines.len());
        let form = self.folder.fold_whole(text);
        let first = self.forms.get(form).copied();
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
                has_unusable: false,
                near: None,
            });
            self.forms.entry(form).insert_entry(value);
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

    /// How many values were asked for, each once.
    pub fn count_values(&self) -> usize {
        self.values.len()
    }

    /// The value at this place, and usual other forms of it: without outer white space, composed
    /// (NFC), in lower case. A profile with one of these is near.
    pub fn forms_of(&mut self, place: usize) -> Vec<String> {
        let text = &self.values[place].text;
        let form = self.folder.fold_whole(text).to_owned();
        let mut forms = vec![text.to_string()];
        for other in usual_forms(text) {
            let is_near = self.folder.fold_whole(&other) == form;
            if is_near && !forms.contains(&other) {
                forms.push(other);
            }
        }
        forms
    }

    /// Compares a profile with all values.
    pub fn take(&mut self, profile: &Profile<'_>) {
        self.take_among(profile, &(0..self.values.len()));
    }

    /// Compares a profile with the values at these places.
    pub fn take_among(&mut self, profile: &Profile<'_>, among: &Range<usize>) -> Likeness {
        let Self {
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
            let mut next = forms.get(folder.fold_whole(text)).copied();
            while let Some(place) = next {
                let value = &values[place as usize];
                next = value.next;
                match kind {
                    _ if !among.contains(&(place as usize)) => {}
                    ValueKind::Text | ValueKind::List if *value.text == *text => {
                        matched.push(place);
                    }
                    ValueKind::List => {}
                    // One difference is enough to name.
                    _ if value.near.is_some() => near.push((place, String::new())),
                    ValueKind::Text => near.push((place, how_it_differs(&value.text, text))),
                    ValueKind::Number => near.push((place, "is a number, not text".to_owned())),
                    ValueKind::Piece => {
                        near.push((place, "is in a list that is not JSON".to_owned()));
                    }
                }
            }
        });
        let likeness = match (matched.is_empty(), near.is_empty()) {
            (false, _) => Likeness::Equal,
            (true, false) => Likeness::Near,
            (true, true) => Likeness::Other,
        };
        for (place, difference) in near {
            if !matched.contains(&place) {
                let known = &mut values[place as usize].near;
                known.get_or_insert_with(|| difference.into());
            }
        }
        for place in &matched {
            self.found(*place, profile.id);
        }
        likeness
    }

    fn found(&mut self, value: u32, id: &str) {
        if DistinctId::judge(id, Leniency::OuterWhiteSpace).is_err() {
            self.values[value as usize].has_unusable = true;
            return;
        }
        let place = self.place_of(id, ListedAs::One);
        self.ids[place as usize].has_profile = true;
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
                has_profile: false,
                is_resolved_to: false,
                resolves: false,
                line: u32::MAX,
                parent: place,
            });
        }
        place
    }

    /// Joins the ids of one person, if one of them is known; returns whether one is.
    pub fn join(&mut self, identity: &Identity) -> bool {
        let known = |id: &String| self.known.get(&self.hasher.hash(id.as_bytes()));
        let Some(first) = identity.ids.iter().find_map(known).copied() else {
            return false;
        };
        self.has_identities = true;
        let mut main = None;
        for id in &identity.ids {
            let place = self.place_of(id, ListedAs::Alias);
            let (one, other) = (self.root(first), self.root(place));
            self.ids[other as usize].parent = one;
            let main = *main.get_or_insert(place);
            match identity.main {
                MainId::Profile => self.ids[main as usize].has_profile = true,
                MainId::Resolved if place == main => self.ids[main as usize].is_resolved_to = true,
                MainId::Resolved => self.ids[place as usize].resolves = true,
                MainId::Unknown => {}
            }
        }
        true
    }

    /// Notes that a profile exists; its id may be one of those that the identities join.
    pub fn note_profile(&mut self, id: &str) {
        if let Some(place) = self.known.get(&self.hasher.hash(id.as_bytes())) {
            self.ids[*place as usize].has_profile = true;
        }
    }

    /// Whether an id belongs to the person of one of these ids, which are known.
    pub fn is_person_among(&mut self, id: &str, ids: &[Rc<str>]) -> bool {
        let person = self.person_of(id);
        person.is_some() && ids.iter().any(|one| self.person_of(one) == person)
    }

    fn person_of(&mut self, id: &str) -> Option<u32> {
        let place = *self.known.get(&self.hasher.hash(id.as_bytes()))?;
        Some(self.root(place))
    }

    /// The ids that the identities join with another one, person by person.
    pub fn joined_ids(&mut self) -> Vec<Rc<str>> {
        let places = 0..at(self.ids.len());
        let mut places: Vec<(u32, u32)> = places.map(|place| (self.root(place), place)).collect();
        places.sort_unstable();
        let people = places.chunk_by(|(one, _), (other, _)| one == other);
        let joined = people.filter(|ids| ids.len() > 1).flatten();
        let id = |(_, place): &(u32, u32)| Rc::clone(&self.ids[*place as usize].id);
        joined.map(id).collect()
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
        let mut clusters: HashMap<u32, Cluster> = HashMap::new();
        for place in 0..at(self.ids.len()) {
            let root = self.root(place);
            let cluster = clusters.entry(root).or_default();
            cluster.ids += 1;
            let found = &self.ids[place as usize];
            if found.has_profile {
                cluster.profiles += 1;
                cluster.profile = place;
            }
            if (found.has_profile || found.is_resolved_to) && !found.resolves {
                cluster.people += 1;
            }
        }
        let mut askers: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut joined: HashSet<u32> = HashSet::new();
        for (value, place) in std::mem::take(&mut self.matches) {
            askers.entry(place).or_default().push(value);
            let asked = &self.values[value as usize];
            if asked.profiles > 1 || asked.has_unusable {
                self.ids[place as usize].listed_as = ListedAs::Several;
            }
            if clusters[&self.root(place)].is_joined() {
                joined.insert(value);
            }
        }
        let (mut ids, mut large) = (Vec::with_capacity(self.ids.len()), BTreeSet::new());
        for place in 0..at(self.ids.len()) {
            let cluster = &clusters[&self.root(place)];
            let found = &self.ids[place as usize];
            let is_joined = cluster.is_joined();
            let (listed_as, profile) = match (found.listed_as, is_joined) {
                // Whose it is, nobody knows.
                (ListedAs::Alias, true) => continue,
                (ListedAs::Alias, false) => (ListedAs::Alias, &self.ids[cluster.profile as usize]),
                (_, true) => (ListedAs::Joined, found),
                (listed_as, false) => (listed_as, found),
            };
            let line = profile.line as usize;
            if !is_joined && cluster.ids > LARGEST_CLUSTER {
                large.insert((line, cluster.ids));
            }
            let is_alias = listed_as == ListedAs::Alias;
            let order = (line, Rc::clone(&profile.id), is_alias);
            ids.push((
                order,
                ListedId {
                    id: Rc::clone(&found.id),
                    listed_as,
                    profile: Rc::clone(&profile.id),
                    line,
                },
            ));
        }
        ids.sort_by(|(one, _), (other, _)| one.cmp(other));
        let lines = self.lines.iter().map(|line| AnsweredLine {
            joined: joined.contains(&line.value),
            ..line.answered(&self.values)
        });
        let mut lines_of = vec![Vec::new(); self.values.len()];
        for (place, line) in self.lines.iter().enumerate() {
            lines_of[line.value as usize].push(place);
        }
        let shared = askers.into_values().filter(|values| values.len() > 1);
        let shared = shared.map(|values| {
            let lines = values.into_iter().map(|value| &lines_of[value as usize]);
            let lines: BTreeSet<usize> = lines.flatten().copied().collect();
            lines.into_iter().collect()
        });
        let shared: BTreeSet<Vec<usize>> = shared.collect();
        LookedUp {
            lines: lines.collect(),
            ids: ids.into_iter().map(|(_, listed)| listed).collect(),
            shared: shared.into_iter().collect(),
            large: large.into_iter().collect(),
            has_identities: self.has_identities,
        }
    }
}

/// All ids of one person, or of several whom the identities join.
#[derive(Default)]
struct Cluster {
    ids: usize,
    profiles: usize,
    /// The profiles and the ids that others resolve to, without those that resolve to another.
    people: usize,
    /// The last of the profiles.
    profile: u32,
}

impl Cluster {
    /// Whether it may hold the ids of more than one person.
    fn is_joined(&self) -> bool {
        self.profiles.max(self.people) > 1
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
                _ if value.has_unusable => LookupAnswer::Unusable,
                (0, None) => LookupAnswer::None,
                (0, Some(_)) => LookupAnswer::Near,
                (1, _) => LookupAnswer::One,
                _ => LookupAnswer::Several,
            },
            profiles: value.profiles,
            near: value.near.clone(),
            joined: false,
        }
    }
}

/// The intake reads fewer values than fit.
fn at(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
