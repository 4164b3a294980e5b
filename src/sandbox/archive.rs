//! Made-up exports: a zip of the events and profiles of exactly the ids that were asked for.
//!
//! Everything about a person follows from the SHA-256 of the id, so that every export of it, from
//! any sandbox, agrees. Nothing in it is real, and all addresses are under `example.test`.

use std::collections::HashSet;
use std::io::{self, Seek, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::result::ZipError;
use zip::unstable::write::FileOptionsExt;
use zip::write::FileOptions;
use zip::{AesMode, DateTime, ZipWriter};

use super::clock::Moment;
use super::task::{Law, Order};
use super::{ExportArchive, Exports, SandboxError, hex};

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

/// Writes the zip for `order` as of `until`, the moment the export was finished.
pub(super) fn pack<W: Write + Seek>(
    order: &Order,
    until: Moment,
    exports: Exports,
    api_secret: &str,
    out: W,
) -> Result<W, SandboxError> {
    let span = Span {
        since: until.seconds() - history(order.law),
        until: until.seconds(),
        events_per_person: exports.events_per_person,
    };
    let mut seen = HashSet::new();
    let people: Vec<Person<'_>> = order
        .distinct_ids
        .iter()
        .filter(|id| seen.insert(id.as_str()))
        .map(|id| Person::new(id))
        .filter(Person::has_data)
        .collect();

    let mut zip = ZipWriter::new(out);
    let options = options(exports.archive, api_secret)?;
    let written = match exports.archive {
        ExportArchive::Plain | ExportArchive::ZipCrypto | ExportArchive::Aes => {
            zip.start_file("events.jsonl", options)?;
            let events = write_event_lines(&mut zip, &people, span);
            zip.start_file("profiles.json", options)?;
            events.and_then(|()| write_profile_array(&mut zip, &people))
        }
        ExportArchive::Csv => {
            zip.start_file("events.csv", options)?;
            let events = write_event_table(&mut zip, &people, span);
            zip.start_file("profiles.csv", options)?;
            events.and_then(|()| write_profile_table(&mut zip, &people))
        }
    };
    written.map_err(ZipError::from)?;
    Ok(zip.finish()?)
}

fn options(
    archive: ExportArchive,
    api_secret: &str,
) -> Result<FileOptions<'_, '_, ()>, SandboxError> {
    // A fixed date keeps the file the same, byte for byte, whenever it is made.
    let plain = FileOptions::default()
        .last_modified_time(DateTime::default())
        .large_file(true);
    Ok(match archive {
        ExportArchive::Plain | ExportArchive::Csv => plain,
        ExportArchive::ZipCrypto => plain.with_deprecated_encryption(api_secret.as_bytes())?,
        ExportArchive::Aes => plain.with_aes_encryption(AesMode::Aes256, api_secret),
    })
}

fn write_event_lines(out: &mut dyn Write, people: &[Person<'_>], span: Span) -> io::Result<()> {
    for person in people {
        for time in person.times(span) {
            serde_json::to_writer(&mut *out, &person.event(time))?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn write_profile_array(out: &mut dyn Write, people: &[Person<'_>]) -> io::Result<()> {
    for (place, person) in people.iter().enumerate() {
        out.write_all(if place == 0 { b"[" } else { b"," })?;
        serde_json::to_writer(&mut *out, &person.profile())?;
    }
    out.write_all(if people.is_empty() { b"[]" } else { b"]" })
}

fn write_event_table(out: &mut dyn Write, people: &[Person<'_>], span: Span) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let columns = ["distinct_id", "time", "$insert_id", "$city", "$os", "page"];
    table.write_record(["event"].into_iter().chain(columns))?;
    for person in people {
        for time in person.times(span) {
            let event = person.event(time);
            let properties = columns.map(|column| text_of(&event["properties"][column]));
            table.write_record([text_of(&event["event"])].into_iter().chain(properties))?;
        }
    }
    table.flush()
}

fn write_profile_table(out: &mut dyn Write, people: &[Person<'_>]) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let columns = ["$name", "$email", "$city", "plan"];
    table.write_record(["$distinct_id"].into_iter().chain(columns))?;
    for person in people {
        let profile = person.profile();
        let properties = columns.map(|column| text_of(&profile["$properties"][column]));
        table.write_record(
            [text_of(&profile["$distinct_id"])]
                .into_iter()
                .chain(properties),
        )?;
    }
    table.flush()
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// How far back an export reaches, in seconds: retention for the GDPR, a year for the CCPA.
fn history(law: Law) -> i64 {
    match law {
        Law::Gdpr => 2 * 365 * DAY,
        Law::Ccpa => 365 * DAY,
    }
}

/// Which events of a person an export holds: from `since` on and before `until`, in Unix seconds.
#[derive(Clone, Copy)]
struct Span {
    since: i64,
    until: i64,
    /// As many as this for each; otherwise as many as the person's habits make.
    events_per_person: Option<u32>,
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

    /// When this person did something.
    ///
    /// Evenly spaced over all time, so that two exports agree wherever they overlap; over the span
    /// where the number of events is given.
    fn times(&self, span: Span) -> Box<dyn Iterator<Item = i64>> {
        let Span { since, until, .. } = span;
        if let Some(count) = span.events_per_person.map(i64::from) {
            return Box::new(
                (0..count).map(move |number| since + (until - since) * number / count),
            );
        }
        let pause = 45 * DAY + i64::from(self.number(1)) % (135 * DAY);
        let phase = i64::from(self.number(2)) % pause;
        let first = since + (phase - since).rem_euclid(pause);
        let times = std::iter::successors(Some(first), move |time| Some(time + pause));
        Box::new(times.take_while(move |time| *time < until))
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
