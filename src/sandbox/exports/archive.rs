//! Made-up exports: a zip of what Mixpanel documents for a law and disclosure, about exactly the
//! requested ids.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Seek, Write};

use serde_json::{Map, Value, json};
use zip::result::ZipError;
use zip::unstable::write::FileOptionsExt;
use zip::write::FileOptions;
use zip::{AesMode, DateTime, ZipWriter};

use crate::sandbox::people::person::{EventSpan, Person};
use crate::sandbox::people::population::{Population, RETENTION};
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::task::{CreateCall, Disclosure, Law};
use crate::sandbox::{ExportArchive, ExportMembers, Exports, SandboxError};

const DAY: i64 = 24 * 3600;
/// The properties of an event in a *Sources* export: how it was collected.
const SOURCES: [&str; 4] = ["distinct_id", "time", "$os", "mp_lib"];

/// Writes the zip for `order` as of `until`, when the export was done, of what the project had then.
pub(crate) fn pack<W: Write + Seek>(
    order: &CreateCall,
    population: &Population,
    until: Moment,
    exports: Exports,
    api_secret: &str,
    out: W,
) -> Result<W, SandboxError> {
    let span = EventSpan {
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
        .filter(|person| population.has_data(person))
        .collect();
    let delivery = ExportDelivery {
        people: &people,
        population,
        span,
        only: match order.disclosure {
            Disclosure::Sources => Some(&SOURCES),
            Disclosure::Data | Disclosure::Categories => None,
        },
    };
    let mut zip = ZipWriter::new(out);
    let options = options(exports.archive, api_secret)?;
    for (name, write) in members(order, exports.members) {
        zip.start_file(name, options)?;
        write(&delivery, &mut zip).map_err(ZipError::from)?;
    }
    Ok(zip.finish()?)
}

type Member<'a> = (
    &'static str,
    fn(&ExportDelivery<'a>, &mut dyn Write) -> io::Result<()>,
);

/// The members of an export, and what writes each. Source: Mixpanel's page "End User Data
/// Management", August 2026. The older forms were never documented; clients of that time expected
/// them.
fn members<'a>(order: &CreateCall, members: ExportMembers) -> Vec<Member<'a>> {
    let lists: [Member<'a>; 3] = [
        ("event_names.csv", ExportDelivery::write_event_names),
        (
            "event_properties.csv",
            ExportDelivery::write_event_properties,
        ),
        (
            "profile_properties.csv",
            ExportDelivery::write_profile_properties,
        ),
    ];
    match (members, order.law, order.disclosure) {
        (ExportMembers::OlderJson, ..) => vec![
            ("events.jsonl", ExportDelivery::write_event_lines),
            ("profiles.json", ExportDelivery::write_profile_array),
        ],
        (ExportMembers::OlderCsv, ..) => vec![
            ("events.csv", ExportDelivery::write_older_events),
            ("profiles.csv", ExportDelivery::write_older_profiles),
        ],
        (ExportMembers::Documented, Law::Gdpr, _) => vec![
            ("events.json", ExportDelivery::write_event_lines),
            ("people.json", ExportDelivery::write_profile_lines),
            ("summary.json", ExportDelivery::write_summary),
        ],
        (ExportMembers::Documented, Law::Ccpa, Disclosure::Categories) => lists.into(),
        (ExportMembers::Documented, Law::Ccpa, Disclosure::Data | Disclosure::Sources) => vec![
            ("events.csv", ExportDelivery::write_event_table),
            ("profiles.csv", ExportDelivery::write_profile_table),
            lists[0],
            lists[1],
            lists[2],
        ],
    }
}

fn options(
    archive: ExportArchive,
    api_secret: &str,
) -> Result<FileOptions<'_, '_, ()>, SandboxError> {
    // A fixed date makes the file the same each time.
    let plain = FileOptions::default()
        .last_modified_time(DateTime::default())
        .large_file(true);
    Ok(match archive {
        ExportArchive::Plain => plain,
        ExportArchive::ZipCrypto => plain.with_deprecated_encryption(api_secret.as_bytes())?,
        ExportArchive::Aes => plain.with_aes_encryption(AesMode::Aes256, api_secret),
    })
}

/// How far an export reaches back, in seconds: retention for the GDPR, a year for the CCPA.
fn history(law: Law) -> i64 {
    match law {
        Law::Gdpr => RETENTION,
        Law::Ccpa => 365 * DAY,
    }
}

struct ExportDelivery<'a> {
    people: &'a [Person<'a>],
    population: &'a Population,
    span: EventSpan,
    /// The only event properties to deliver; `None` for all.
    only: Option<&'static [&'static str]>,
}

impl ExportDelivery<'_> {
    fn events(&self) -> impl Iterator<Item = Value> {
        let of = |person: &'_ Person<'_>| {
            let times = self.population.times(person, self.span).into_iter();
            times.map(|time| person.event(time)).collect::<Vec<_>>()
        };
        self.people.iter().flat_map(of)
    }

    fn event_names(&self) -> BTreeSet<String> {
        self.events()
            .map(|event| text_of(&event["event"]))
            .collect()
    }

    fn event_properties(&self) -> BTreeSet<String> {
        let all = self.events().flat_map(|event| keys(&event["properties"]));
        let delivered = |name: &String| self.only.is_none_or(|only| only.contains(&name.as_str()));
        all.filter(delivered).collect()
    }

    fn profiles(&self) -> impl Iterator<Item = Value> {
        self.people.iter().filter_map(Person::profile)
    }

    fn profile_properties(&self) -> BTreeSet<String> {
        self.profiles()
            .flat_map(|profile| keys(&profile["$properties"]))
            .collect()
    }

    fn write_event_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        self.events().try_for_each(|event| write_line(&event, out))
    }

    fn write_profile_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        self.profiles()
            .try_for_each(|profile| write_line(&profile, out))
    }

    fn write_profile_array(&self, out: &mut dyn Write) -> io::Result<()> {
        let profiles: Vec<Value> = self.profiles().collect();
        Ok(serde_json::to_writer(out, &profiles)?)
    }

    /// Three sets: objects with keys and no values.
    fn write_summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let set = |names: BTreeSet<String>| -> Map<String, Value> {
            names.into_iter().map(|name| (name, json!({}))).collect()
        };
        let summary = json!({
            "event_names": set(self.event_names()),
            "event_column_names": set(self.event_properties()),
            "profile_column_names": set(self.profile_properties()),
        });
        Ok(serde_json::to_writer(out, &summary)?)
    }

    /// One column for each property of the export.
    fn write_event_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.event_properties();
        let rows = self
            .events()
            .map(|event| (event["event"].clone(), event["properties"].clone()));
        write_table("event_name", &columns, rows, out)
    }

    fn write_profile_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.profile_properties();
        let rows = self.profiles().map(|mut profile| {
            let mut properties = profile["$properties"].take();
            if let Some(transactions) = properties["$transactions"].as_array() {
                let amounts = transactions
                    .iter()
                    .filter_map(|one| one["$amount"].as_u64());
                properties["$transactions"] = amounts.sum::<u64>().into();
            }
            (profile["$distinct_id"].take(), properties)
        });
        write_table("distinct_id", &columns, rows, out)
    }

    fn write_event_names(&self, out: &mut dyn Write) -> io::Result<()> {
        write_row(&self.event_names(), out)
    }

    fn write_event_properties(&self, out: &mut dyn Write) -> io::Result<()> {
        write_row(&self.event_properties(), out)
    }

    fn write_profile_properties(&self, out: &mut dyn Write) -> io::Result<()> {
        write_row(&self.profile_properties(), out)
    }

    fn write_older_events(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = ["distinct_id", "time", "$insert_id", "$city", "$os", "page"];
        let rows = self
            .events()
            .map(|event| (event["event"].clone(), event["properties"].clone()));
        write_table("event", columns, rows, out)
    }

    fn write_older_profiles(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows = self.profiles().map(|mut profile| {
            let properties = profile["$properties"].take();
            (profile["$distinct_id"].take(), properties)
        });
        write_table(
            "$distinct_id",
            ["$name", "$email", "$city", "plan"],
            rows,
            out,
        )
    }
}

fn keys(object: &Value) -> Vec<String> {
    let fields = object.as_object().into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect()
}

fn write_line(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// One row of names without a heading; no row without names.
fn write_row(names: &BTreeSet<String>, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    if !names.is_empty() {
        table.write_record(names)?;
    }
    table.flush()
}

/// A table with a first column `first`.
fn write_table<'c, C: AsRef<str> + 'c + ?Sized>(
    first: &str,
    columns: impl IntoIterator<Item = &'c C>,
    rows: impl Iterator<Item = (Value, Value)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns: Vec<&str> = columns.into_iter().map(AsRef::as_ref).collect();
    let mut table = csv::Writer::from_writer(out);
    table.write_record([first].iter().chain(&columns))?;
    for (title, properties) in rows {
        let values = columns.iter().map(|column| text_of(&properties[*column]));
        table.write_record([text_of(&title)].into_iter().chain(values))?;
    }
    table.flush()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
