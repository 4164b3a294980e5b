//! Whom the job asks for, what Mixpanel holds, and where each record must go.

use dsr::domain::{Disclosure, RetrievalScope};
use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// Ids that begin like others, look like something else, or need escaping.
const IDS: [&str; 23] = [
    "u",
    "u-1",
    "u-10",
    "u-100",
    "U-1",
    "u-1 ",
    "anna",
    "anna@example.test",
    "12345678901234567890123",
    "17",
    "1e3",
    "-5",
    "=1+1",
    "a,b",
    "a;b\tc",
    "q\"uote",
    "back\\slash",
    "שרה",
    "安娜",
    "e\u{301}va",
    "\u{e9}va",
    "null",
    "$device:u-1",
];

/// Ids that may be one person, written in two ways.
const NEAR: [&[&str]; 2] = [
    &["u-1", "U-1", "u-1 ", "$device:u-1"],
    &["e\u{301}va", "\u{e9}va"],
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Profile,
}

/// A record and its owner: `None` if it names nobody, or two people.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) mark: String,
    pub(crate) kind: Kind,
    pub(crate) owner: Option<String>,
    /// Written inside another person's record.
    pub(crate) is_inside: bool,
}

/// A record as it is written, with the records inside it.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) kind: Kind,
    pub(crate) owner: Option<String>,
    pub(crate) name: String,
    pub(crate) properties: Map<String, Value>,
}

pub(crate) struct World {
    pub(crate) scope: RetrievalScope,
    pub(crate) asked: Vec<String>,
    pub(crate) records: Vec<Record>,
    pub(crate) written: Vec<Written>,
    /// Names in the job's lists that are in no record.
    pub(crate) listed_names: Vec<String>,
}

impl World {
    /// Whether somebody must look at the packages first: a record names nobody, or perhaps a person
    /// who was asked for under another id; all records belong to others; or there are no events or
    /// no profiles.
    pub(crate) fn is_unclear(&self) -> bool {
        if self.scope == RetrievalScope::Ccpa(Disclosure::Categories) {
            return self.asked.len() > 1;
        }
        let is_asked = |id: &String| self.asked.contains(id);
        let may_be_asked = |id: &String| {
            let mut near = NEAR.iter().filter(|near| near.contains(&id.as_str()));
            near.any(|near| self.asked.iter().any(|id| near.contains(&id.as_str())))
        };
        let mut owners = self.records.iter().map(|record| record.owner.as_ref());
        let holds = |kind| self.records.iter().any(|record| record.kind == kind);
        let is_of_others_only = !owners.clone().flatten().any(is_asked);
        let is_certain =
            |owner: Option<&String>| owner.is_some_and(|id| is_asked(id) || !may_be_asked(id));
        is_of_others_only || !owners.all(is_certain) || !holds(Kind::Event) || !holds(Kind::Profile)
    }
}

pub(crate) fn make_world(chance: &mut Chance) -> World {
    let scope = *chance.pick(&[
        RetrievalScope::Gdpr,
        RetrievalScope::Gdpr,
        RetrievalScope::Ccpa(Disclosure::Data),
        RetrievalScope::Ccpa(Disclosure::Data),
        RetrievalScope::Ccpa(Disclosure::Sources),
        RetrievalScope::Ccpa(Disclosure::Categories),
    ]);
    let (mut asked, mut others) = (Vec::new(), Vec::new());
    let few = chance.one_in(4);
    for id in IDS {
        match chance.below(if few { 12 } else { 3 }) {
            0 => asked.push(id.to_owned()),
            _ if chance.one_in(3) => others.push(id.to_owned()),
            _ => {}
        }
    }
    if asked.is_empty() {
        asked.push("only".to_owned());
    }
    others.extend(["stranger".to_owned(), "line\nbreak".to_owned()]);
    let mut world = World {
        scope,
        asked,
        records: Vec::new(),
        written: Vec::new(),
        listed_names: (0..3).map(|n| format!("listed-name-{n}")).collect(),
    };
    if scope != RetrievalScope::Ccpa(Disclosure::Categories) {
        fill(&mut world, &others, chance);
    }
    world
}

fn fill(world: &mut World, others: &[String], chance: &mut Chance) {
    // Some archives have nothing unclear, and some have nothing at all.
    let most = *chance.pick(&[0, 3, 20, 60]);
    let has_unclear = chance.one_in(2);
    for _ in 0..chance.below(most + 1) {
        let owner = match chance.below(10) {
            0 if has_unclear => None,
            1 | 2 => Some(chance.pick(others).clone()),
            _ => Some(chance.pick(&world.asked).clone()),
        };
        let kind = *chance.pick(&[Kind::Event, Kind::Event, Kind::Event, Kind::Profile]);
        let record = make_record(world, kind, owner, false, chance);
        world.written.push(record);
    }
}

fn make_record(
    world: &mut World,
    kind: Kind,
    owner: Option<String>,
    is_inside: bool,
    chance: &mut Chance,
) -> Written {
    let mark = format!("mark-{:05}-end", world.records.len());
    world.records.push(Record {
        mark: mark.clone(),
        kind,
        owner: owner.clone(),
        is_inside,
    });
    let mut properties = Map::new();
    properties.insert("mark".to_owned(), mark.into());
    if kind == Kind::Event {
        properties.insert(
            "time".to_owned(),
            json!(1_600_000_000 + chance.below(100_000_000)),
        );
    }
    for name in ["$city", "plan", "note", "Distinct ID", "event"] {
        if chance.one_in(3) {
            let text = *chance.pick(&["", "x", "a \"b\", c", "{", "[1,", "ü\u{2028}", "=1", "🙂"]);
            properties.insert(name.to_owned(), text.into());
        }
    }
    if chance.one_in(6) {
        properties.insert(
            "$transactions".to_owned(),
            json!([{"$amount": 12}, {"$amount": 3}]),
        );
    }
    if let Some(owner) = owner.as_ref().filter(|_| !is_inside && chance.one_in(6)) {
        let mut everyone = world.asked.clone();
        everyone.push("stranger".to_owned());
        everyone.retain(|id| id != owner);
        let other = chance.pick(&everyone).clone();
        let inner = make_record(
            world,
            *chance.pick(&[Kind::Event, Kind::Profile]),
            Some(other),
            true,
            chance,
        );
        let inner = inner.as_json();
        let inside = match chance.below(5) {
            0 => inner,
            1 => json!([1, inner, "x"]),
            2 => inner.to_string().into(),
            3 => json!({"text": json!([inner]).to_string()}),
            _ => json!({"deep": {"list": [[inner]]}}),
        };
        properties.insert("cart".to_owned(), inside);
    }
    Written {
        kind,
        owner,
        name: (*chance.pick(&["Sign In", "Search", "", "a,b \"c\"", "購入"])).to_owned(),
        properties,
    }
}

impl Written {
    /// The form in GDPR exports.
    pub(crate) fn as_json(&self) -> Value {
        let mut properties = self.properties.clone();
        match self.kind {
            Kind::Event => {
                if let Some(owner) = &self.owner {
                    properties.insert("distinct_id".to_owned(), owner.as_str().into());
                }
                json!({"event": self.name, "properties": properties})
            }
            Kind::Profile => match &self.owner {
                Some(owner) => json!({"$distinct_id": owner, "$properties": properties}),
                None => json!({"$properties": properties}),
            },
        }
    }
}
