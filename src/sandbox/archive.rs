//! Made-up exports: a zip of the events and profiles of exactly the ids that were asked for.
//!
//! Everything about a person follows from the SHA-256 of the id, so that every export of it, from
//! any sandbox, agrees. Nothing in it is real, and all addresses are under `example.test`.

use std::collections::HashSet;
use std::io::{Cursor, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use super::clock::Moment;
use super::task::{Law, Order};
use super::{SandboxError, hex};

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
const PLANS: [&str; 3] = ["free", "team", "enterprise"];

/// The zip for `order` as of `until`, the moment the export was finished.
pub(super) fn pack(order: &Order, until: Moment) -> Result<Vec<u8>, SandboxError> {
    let since = until.seconds() - history(order.law);
    let (mut events, mut profiles) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    let people = order
        .distinct_ids
        .iter()
        .filter(|id| seen.insert(id.as_str()))
        .map(|id| Person::new(id))
        .filter(Person::has_data);
    for person in people {
        for time in person.times(since, until.seconds()) {
            serde_json::to_writer(&mut events, &person.event(time))?;
            events.push(b'\n');
        }
        profiles.push(person.profile());
    }

    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // A fixed date keeps the file the same, byte for byte, at every download.
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    let members = [
        ("events.jsonl", events),
        ("profiles.json", serde_json::to_vec(&profiles)?),
    ];
    for (name, content) in members {
        zip.start_file(name, options)?;
        zip.write_all(&content)
            .map_err(zip::result::ZipError::from)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// How far back an export reaches, in seconds: retention for the GDPR, a year for the CCPA.
fn history(law: Law) -> i64 {
    match law {
        Law::Gdpr => 2 * 365 * DAY,
        Law::Ccpa => 365 * DAY,
    }
}

/// Someone who does not exist.
struct Person<'a> {
    id: &'a str,
    seed: [u8; 32],
}

impl<'a> Person<'a> {
    fn new(id: &'a str) -> Self {
        Self {
            id,
            seed: Sha256::digest(id).into(),
        }
    }

    /// One person in ten has none: nothing was ever collected, or it is gone.
    fn has_data(&self) -> bool {
        !self.number(0).is_multiple_of(10)
    }

    /// When this person did something, from `since` on and before `until`, in Unix seconds.
    ///
    /// Evenly spaced over all time, so that two exports agree wherever they overlap.
    fn times(&self, since: i64, until: i64) -> impl Iterator<Item = i64> {
        let pause = 45 * DAY + i64::from(self.number(1)) % (135 * DAY);
        let phase = i64::from(self.number(2)) % pause;
        let first = since + (phase - since).rem_euclid(pause);
        std::iter::successors(Some(first), move |time| Some(time + pause))
            .take_while(move |time| *time < until)
    }

    fn event(&self, time: i64) -> Value {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.seed)
            .chain_update(time.to_be_bytes())
            .finalize()
            .into();
        json!({
            "event": pick(&EVENTS, digest[0]),
            "properties": {
                "distinct_id": self.id,
                "time": time,
                "$insert_id": hex(&digest[..16]),
                "$city": pick(&CITIES, self.seed[12]),
                "$os": pick(&SYSTEMS, self.seed[13]),
                "page": format!("/page/{}", digest[1]),
            },
        })
    }

    fn profile(&self) -> Value {
        let number = self.number(4) % 1_000_000;
        json!({
            "$distinct_id": self.id,
            "$properties": {
                "$name": format!("Sandbox Person {number}"),
                "$email": format!("person-{number}@example.test"),
                "$city": pick(&CITIES, self.seed[12]),
                "plan": pick(&PLANS, self.seed[14]),
            },
        })
    }

    /// The `index`-th number of this person's seed.
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
