//! Writes the members of an archive in every documented form.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::people::{Kind, World, Written};

/// JSON objects one a line, one over several lines each, or as an array.
pub(crate) fn as_json(records: &[&Written], chance: &mut Chance) -> String {
    let values: Vec<Value> = records.iter().map(|record| record.as_json()).collect();
    match chance.below(5) {
        0 => join(&values, "\n", false),
        1 => join(&values, "\r\n", false) + "\r\n",
        2 => join(&values, "\n", true),
        3 => format!("[{}]", join(&values, ",", false)),
        _ => format!("[\n{}\n]\n", join(&values, ",\n", true)),
    }
}

fn join(values: &[Value], between: &str, pretty: bool) -> String {
    let text = |value: &Value| match pretty {
        true => format!("{value:#}"),
        false => value.to_string(),
    };
    values.iter().map(text).collect::<Vec<_>>().join(between)
}

/// `events.csv` or `profiles.csv`: one column for each property of any record.
pub(crate) fn as_table(records: &[&Written], kind: Kind, chance: &mut Chance) -> String {
    let names: BTreeSet<&str> = records
        .iter()
        .flat_map(|record| record.properties.keys().map(String::as_str))
        .collect();
    let mut heading: Vec<&str> = match kind {
        Kind::Event => vec!["event_name", "distinct_id"],
        Kind::Profile => vec!["distinct_id"],
    };
    let fixed = heading.len();
    heading.extend(names);
    let end = *chance.pick(&["\n", "\r\n"]);
    let mut text = row(heading.iter().map(|name| (*name).to_owned())) + end;
    for record in records {
        let owner = record.owner.clone().unwrap_or_default();
        let first = match kind {
            Kind::Event => vec![record.name.clone(), owner],
            Kind::Profile => vec![owner],
        };
        let values = heading[fixed..].iter().map(|name| cell(record, name));
        text += &row(first.into_iter().chain(values));
        text += end;
    }
    text
}

fn cell(record: &Written, name: &str) -> String {
    match record.properties.get(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) if name == "$transactions" && record.kind == Kind::Profile => "15".to_owned(),
        Some(value) => value.to_string(),
    }
}

fn row(fields: impl Iterator<Item = String>) -> String {
    let quoted = |field: String| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    };
    fields.map(quoted).collect::<Vec<_>>().join(",")
}

/// The three lists: names of the records, and some names that are in no record.
pub(crate) fn lists(world: &World) -> Vec<(String, String)> {
    let names = |kind: Kind| {
        let of_kind = world
            .written
            .iter()
            .filter(move |record| record.kind == kind);
        of_kind.flat_map(|record| record.properties.keys().cloned())
    };
    let events = world
        .written
        .iter()
        .filter(|record| record.kind == Kind::Event);
    let events: BTreeSet<String> = events.map(|record| record.name.clone()).collect();
    let all: [(&str, BTreeSet<String>); 3] = [
        (
            "event_names.csv",
            events.into_iter().filter(|name| !name.is_empty()).collect(),
        ),
        (
            "event_properties.csv",
            names(Kind::Event)
                .chain(["distinct_id".to_owned()])
                .collect(),
        ),
        ("profile_properties.csv", names(Kind::Profile).collect()),
    ];
    let listed = |name: &str, own: BTreeSet<String>, more: &String| {
        let fields = own.into_iter().chain([more.clone()]);
        (name.to_owned(), row(fields) + "\n")
    };
    let more = world.listed_names.iter();
    all.into_iter()
        .zip(more)
        .map(|((name, own), more)| listed(name, own, more))
        .collect()
}

pub(crate) fn summary(world: &World) -> String {
    let set = |name: &String| json!({ name.as_str(): {}, "distinct_id": {} });
    let [a, b, c] = [0, 1, 2].map(|place| set(&world.listed_names[place]));
    json!({"event_names": a, "event_column_names": b, "profile_column_names": c}).to_string()
}
