//! A made-up person and their events. Everything follows from the SHA-256 of the id, so that all
//! exports of a person, from any sandbox, agree. All addresses are under `example.test`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::sandbox::hex;

const DAY: i64 = 24 * 3600;

const EVENTS: [&str; 6] = [
    "Sign In",
    "Page View",
    "Search",
    "Add To Cart",
    "Purchase",
    "Sign Out",
];
const CITIES: [&str; 6] = ["Berlin", "Lisbon", "Toronto", "Nairobi", "Osaka", "Lima"];
const SYSTEMS: [&str; 4] = ["Android", "iOS", "Windows", "Linux"];
const DEVICE: &str = "$device:";
const PLANS: [&str; 3] = ["free", "team", "enterprise"];

/// People whose ids begin so do something each day.
const BUSY: &str = "often";

/// People who have a profile and no events: their profiles were last seen over two years.
const SEEN: &str = "seen-";
const SEEN_PEOPLE: u32 = 60;
const SEEN_APART: i64 = 25 * DAY / 2;

/// People whom every project knows, with their `$email`: those of `tests/data/ids.csv`, a second
/// account of one of them, somebody who returns after a deletion, and somebody with daily events.
pub(crate) const EXAMPLES: [(&str, &str); 11] = [
    ("user-1001", "alice@example.test"),
    ("user-1002", "bob@example.test"),
    ("user-1003", "carol@example.test"),
    ("$device:7f3a-04", "dave@example.test"),
    ("user-1005", "erin@example.test"),
    ("user-1006", "frank@example.test"),
    ("4711", "grace@example.test"),
    ("heidi@example.test", "heidi@example.test"),
    ("user-2001", "alice@example.test"),
    ("returns-1", "ivan@example.test"),
    ("often-1", "judy@example.test"),
];

/// The period of events in an export: from `since` until before `until`, in Unix seconds.
#[derive(Clone, Copy)]
pub(crate) struct EventSpan {
    pub(crate) since: i64,
    pub(crate) until: i64,
    /// Events for each person; `None` for the person's own number.
    pub(crate) events_per_person: Option<u32>,
}

pub(crate) struct Person<'a> {
    pub(crate) id: &'a str,
    seed: [u8; 32],
}

impl<'a> Person<'a> {
    pub(crate) fn new(id: &'a str) -> Self {
        Self {
            id,
            seed: Sha256::digest(id).into(),
        }
    }

    /// One person in ten was never collected, and nobody whose id begins with `nobody`.
    pub(crate) fn has_data(&self) -> bool {
        self.unseen_for().is_some()
            || !self.id.starts_with("nobody") && !self.number(0).is_multiple_of(10)
    }

    /// The ids of the people who have a profile and no events.
    pub(crate) fn seen_people() -> impl Iterator<Item = String> {
        (1..=SEEN_PEOPLE).map(|number| format!("{SEEN}{number:02}"))
    }

    /// For how long nobody has seen such a person, in seconds.
    pub(crate) fn unseen_for(&self) -> Option<i64> {
        let number: u32 = self.id.strip_prefix(SEEN)?.parse().ok()?;
        (1..=SEEN_PEOPLE)
            .contains(&number)
            .then(|| i64::from(number) * SEEN_APART)
    }

    /// The anonymous id of this person's device, which a deletion of the person does not reach.
    pub(crate) fn device(&self) -> String {
        match self.id.starts_with(DEVICE) {
            true => self.id.to_owned(),
            false => format!("{DEVICE}{}", hex(&self.seed[20..28])),
        }
    }

    /// When this person did something. Evenly spaced over all time, so that overlapping exports
    /// agree; or over the span, if the number of events is given.
    pub(crate) fn times(&self, span: EventSpan) -> Box<dyn Iterator<Item = i64>> {
        let EventSpan { since, until, .. } = span;
        if self.unseen_for().is_some() {
            return Box::new(std::iter::empty());
        }
        if let Some(count) = span.events_per_person.map(i64::from) {
            return Box::new(
                (0..count).map(move |number| since + (until - since) * number / count),
            );
        }
        let pause = match self.id.starts_with(BUSY) {
            true => DAY,
            false => 45 * DAY + i64::from(self.number(1)) % (135 * DAY),
        };
        let phase = i64::from(self.number(2)) % pause;
        let first = since + (phase - since).rem_euclid(pause);
        let times = std::iter::successors(Some(first), move |time| Some(time + pause));
        Box::new(times.take_while(move |time| *time < until))
    }

    pub(crate) fn event(&self, time: i64) -> Value {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.seed)
            .chain_update(time.to_be_bytes())
            .finalize()
            .into();
        let name = pick(&EVENTS, digest[0]);
        let mut event = json!({
            "event": name,
            "properties": {
                "distinct_id": self.id,
                "time": time,
                "$insert_id": hex(&digest[..16]),
                "$city": pick(&CITIES, self.seed[12]),
                "$os": pick(&SYSTEMS, self.seed[13]),
                "mp_lib": "web",
                "page": format!("/page/{}", digest[1]),
            },
        });
        if name == "Purchase" {
            event["properties"]["amount"] = u32::from(digest[2]).into();
        }
        event
    }

    /// `None` for a device: it has events and no profile.
    pub(crate) fn profile(&self) -> Option<Value> {
        if self.id.starts_with(DEVICE) {
            return None;
        }
        let number = self.number(4) % 1_000_000;
        let example = EXAMPLES.iter().find(|(id, _)| *id == self.id);
        let email = example.map_or_else(
            || format!("person-{number}@example.test"),
            |(_, email)| (*email).to_owned(),
        );
        let phone = 15_550_000_000 + u64::from(number);
        let plan = pick(&PLANS, self.seed[14]);
        let mut profile = json!({
            "$distinct_id": self.id,
            "$properties": {
                "$name": format!("Sandbox Person {number}"),
                "$email": email,
                // Half of the phones are numbers, which no text equals.
                "$phone": match self.seed[17] % 2 {
                    0 => json!(phone),
                    _ => json!(format!("+{phone}")),
                },
                "$city": pick(&CITIES, self.seed[12]),
                "plan": plan,
            },
        });
        if plan != "free" {
            let paid =
                |byte: u8| json!({"$amount": u32::from(byte), "$time": "2026-01-02T03:04:05"});
            profile["$properties"]["$transactions"] =
                json!([paid(self.seed[15]), paid(self.seed[16])]);
        }
        Some(profile)
    }

    fn number(&self, index: usize) -> u32 {
        let at = index * 4;
        u32::from_be_bytes([
            self.seed[at],
            self.seed[at + 1],
            self.seed[at + 2],
            self.seed[at + 3],
        ])
    }
}

fn pick(words: &'static [&'static str], byte: u8) -> &'static str {
    words[usize::from(byte) % words.len()]
}
