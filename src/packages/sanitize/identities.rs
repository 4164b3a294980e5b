//! Which ids are one person, as far as the export says so. Ids that nothing joins are two people.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::fields::{Properties, each_value, text_of};
use super::record::{ExportedEvent, NoOwner, device_id, is_device, without_mark};
use crate::domain::{DistinctId, Leniency, PersonHasher};

/// More ids than the people of one request have. With more, it is not an export of known people.
pub(crate) const MOST_IDS: usize = 100_000;

#[derive(Default)]
pub(crate) struct Identities {
    places: HashMap<Box<str>, u32>,
    ids: Vec<Box<str>>,
    /// Leads to the same place for all ids of a person.
    parents: Vec<u32>,
    /// Whether it stands for one person; `unknown` and the like would tie everybody to everybody.
    can_tie: Vec<bool>,
    /// Each device with each id that used it.
    uses: HashSet<(u32, u32)>,
    /// Ids that an event names as anonymous: such a device may lack its mark.
    anonymous: HashSet<u32>,
    /// Ids that an event names as a user's.
    users: HashSet<u32>,
    is_full: bool,
}

/// Each id with its person's new id.
pub(crate) struct NewIds {
    places: HashMap<Box<str>, u32>,
    /// For each id, the place of the one that is first of its person.
    people: Vec<u32>,
    /// The new id at each of these places.
    new: Vec<String>,
    /// Devices that several people used: each stays a person of its own.
    pub(crate) shared_devices: u64,
}

impl Identities {
    /// Notes the ids of an event, and what it says about them.
    pub(crate) fn learn(&mut self, event: &ExportedEvent<'_>) {
        let owner = match event.owner() {
            Ok(owner) => Some(owner),
            Err(NoOwner::Nobody) => first_joined(event),
            Err(NoOwner::Several) => None,
        };
        let Some(owner) = owner else {
            return;
        };
        let owner = self.place(&owner);
        if let Some(user) = event.user() {
            self.tie(owner, user);
            self.note_user(user);
        }
        if let Some(device) = event.device() {
            self.note_use(&device, owner);
        }
        let is_alias = text_of(event.name) == "$create_alias";
        for (name, value) in &event.properties {
            match &**name {
                "$identified_id" => self.identify(owner, value, event),
                "alias" if is_alias => each_value(value, &mut |id| self.tie(owner, &id)),
                "$anon_id" | "$anon_distinct_id" | "$distinct_id_before_identity" => {
                    each_value(value, &mut |id| self.note_anonymous(&id, owner));
                }
                "$distinct_ids" => each_value(value, &mut |id| self.tie(owner, &id)),
                _ => {}
            }
        }
    }

    /// Ties a user to the event's person, or to the anonymous id if the event is still under that.
    fn identify(&mut self, owner: u32, user: &str, event: &ExportedEvent<'_>) {
        let is_anonymous = event.properties.iter().any(|(name, id)| {
            matches!(&**name, "$anon_id" | "$anon_distinct_id")
                && text_of(id) == self.ids[owner as usize].as_ref()
        });
        each_value(user, &mut |user| {
            self.note_user(&user);
            match is_anonymous {
                true => {
                    let user = self.place(&user);
                    let anonymous = self.ids[owner as usize].clone();
                    self.note_use(&anonymous, user);
                }
                false => self.tie(owner, &user),
            }
        });
    }

    fn note_user(&mut self, user: &str) {
        let user = self.place(user);
        self.users.insert(user);
    }

    fn note_anonymous(&mut self, anonymous: &str, owner: u32) {
        self.note_use(anonymous, owner);
        let anonymous = self.place(anonymous);
        self.anonymous.insert(anonymous);
    }

    /// Several people may have been anonymous under one id, one after the other.
    fn note_use(&mut self, anonymous: &str, user: u32) {
        let anonymous = self.place(anonymous);
        let can_tie = |place: u32| self.can_tie[place as usize];
        if can_tie(anonymous) && can_tie(user) {
            self.uses.insert((anonymous, user));
        }
    }

    /// Notes the ids of a profile.
    pub(crate) fn learn_profile(&mut self, id: &str, properties: &Properties<'_>) {
        let owner = self.place(id);
        let lists = properties
            .iter()
            .filter(|(name, _)| name == "$distinct_ids");
        for (_, list) in lists {
            each_value(list, &mut |id| self.tie(owner, &id));
        }
    }

    fn place(&mut self, id: &str) -> u32 {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        self.is_full |= self.ids.len() >= MOST_IDS;
        if self.is_full {
            return 0;
        }
        let place = self.ids.len() as u32;
        self.places.insert(id.into(), place);
        self.ids.push(id.into());
        self.parents.push(place);
        let judged = DistinctId::judge(id, Leniency::OuterWhiteSpace);
        self.can_tie.push(judged.is_ok());
        place
    }

    fn tie(&mut self, owner: u32, id: &str) {
        let place = self.place(id);
        let (one, other) = (owner as usize, place as usize);
        if !self.can_tie[one] || !self.can_tie[other] {
            return;
        }
        match (is_device(&self.ids[one]), is_device(&self.ids[other])) {
            (_, true) => drop(self.uses.insert((place, owner))),
            (true, false) => drop(self.uses.insert((owner, place))),
            (false, false) => self.join(owner, place),
        }
    }

    fn root(&self, mut place: u32) -> u32 {
        while self.parents[place as usize] != place {
            place = self.parents[place as usize];
        }
        place
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        // The smaller id stands for both, whatever the order of the events.
        let (first, second) = match self.ids[one as usize] <= self.ids[other as usize] {
            true => (one, other),
            false => (other, one),
        };
        self.parents[second as usize] = first;
    }

    /// Joins an anonymous id and the same id with or without the mark of a device. An id of a user
    /// is no device's.
    fn join_marked(&mut self) -> HashMap<u32, u32> {
        let mut marked_of = HashMap::new();
        for anonymous in std::mem::take(&mut self.anonymous) {
            let id = &self.ids[anonymous as usize];
            let (bare, marked) = (without_mark(id), device_id(id));
            let (Some(bare), Some(marked)) = (self.places.get(bare), self.places.get(&*marked))
            else {
                continue;
            };
            let (bare, marked) = (*bare, *marked);
            let can_tie = |place: u32| self.can_tie[place as usize];
            if can_tie(bare) && can_tie(marked) && !self.users.contains(&bare) {
                self.join(bare, marked);
                marked_of.insert(bare, marked);
            }
        }
        marked_of
    }

    /// Gives each device to its person, if it has only one. Returns how many devices are shared.
    fn join_devices(&mut self) -> u64 {
        let marked_of = self.join_marked();
        let mut users: HashMap<u32, BTreeSet<u32>> = HashMap::new();
        for (device, user) in std::mem::take(&mut self.uses) {
            let device = marked_of.get(&device).copied().unwrap_or(device);
            users.entry(device).or_default().insert(user);
        }
        loop {
            let mut alone = Vec::new();
            for (device, users) in &mut users {
                *users = users.iter().map(|user| self.root(*user)).collect();
                users.remove(&self.root(*device));
                if let (1, Some(user)) = (users.len(), users.first()) {
                    alone.push((*device, *user));
                }
            }
            if alone.is_empty() {
                let shared = users.values().filter(|users| users.len() > 1);
                return shared.count() as u64;
            }
            for (device, user) in alone {
                self.join(device, user);
            }
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// The ids that each stand for one person.
    pub(crate) fn ids_of_people(&self) -> impl Iterator<Item = &str> {
        let ids = self.ids.iter().zip(&self.can_tie);
        ids.filter(|(_, can_tie)| **can_tie).map(|(id, _)| &**id)
    }

    pub(crate) fn into_new(mut self, key: &PersonHasher) -> NewIds {
        let shared_devices = self.join_devices();
        let people: Vec<u32> = (0..self.ids.len() as u32).map(|id| self.root(id)).collect();
        let new_id = |(id, place): (&str, u32)| match people[place as usize] == place {
            true => {
                let id = ["person", id].concat();
                format!("anon-{}", key.hash_bytes(id.as_bytes()).hex())
            }
            false => String::new(),
        };
        let ids = self.ids.iter().map(|id| &**id);
        let new = ids.zip(0..).map(new_id).collect();
        NewIds {
            places: self.places,
            people,
            new,
            shared_devices,
        }
    }
}

/// An id of an event that only joins ids and has no distinct_id of its own, as in the examples of
/// Mixpanel's import API.
fn first_joined<'e>(event: &ExportedEvent<'e>) -> Option<Cow<'e, str>> {
    let mut first = None;
    for wanted in ["$identified_id", "$distinct_ids"] {
        let named = event.properties.iter().filter(|(name, _)| name == wanted);
        for (_, value) in named {
            each_value(value, &mut |id| {
                first.get_or_insert(id);
            });
        }
    }
    first
}

impl NewIds {
    /// The person with this id, and the new id. `None` if the first reading did not see it.
    pub(crate) fn find(&self, id: &str) -> Option<(u32, &str)> {
        let person = self.people[*self.places.get(id)? as usize];
        Some((person, &self.new[person as usize]))
    }

    pub(crate) fn ids(&self) -> usize {
        self.people.len()
    }
}
