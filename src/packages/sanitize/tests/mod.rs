//! Tests from outside: files go in, lines and a review come out.

mod copies;
mod ids;
mod search;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const NOW: &str = "2026-12-01T12:00:00Z";

struct Anonymised {
    lines: Vec<String>,
    review: SanitizeReview,
}

impl Anonymised {
    fn events(&self) -> Vec<Value> {
        let lines = self.lines.iter();
        lines
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// The text of one field of each event.
    fn texts(&self, field: &str) -> Vec<String> {
        let text = |event: &Value| {
            event["properties"][field]
                .as_str()
                .expect("text")
                .to_owned()
        };
        self.events().iter().map(text).collect()
    }

    fn findings(&self, property: &str) -> Vec<&'static str> {
        let kept = self.review.kept.iter().find(|kept| kept.name == property);
        let findings = kept.expect("a kept property").findings.iter();
        findings.map(|(finding, _)| finding.as_str()).collect()
    }
}

/// One run over files.
struct Run {
    folder: TempDir,
    keep: Vec<&'static str>,
    events: Option<Vec<&'static str>>,
    time: TimeStep,
    zone: &'static str,
    key: u8,
}

impl Run {
    fn keeping(keep: &[&'static str]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            keep: keep.to_vec(),
            events: None,
            time: TimeStep::Exact,
            zone: "UTC",
            key: 7,
        }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn list(&self, name: &str, names: &[&str]) -> PathBuf {
        self.file(name, names.join("\n"))
    }

    fn try_read(&self, sources: &[PathBuf]) -> Result<Anonymised, SanitizeError> {
        self.try_read_watched(sources, &mut |_| ControlFlow::Continue(()))
    }

    fn try_read_watched(
        &self,
        sources: &[PathBuf],
        observer: SplitObserver<'_>,
    ) -> Result<Anonymised, SanitizeError> {
        let keep = NameList::of_properties(&self.list("lists/keep", &self.keep)).unwrap();
        let events = self.events.as_ref();
        let events = events.map(|names| NameList::of_events(&self.list("lists/events", names)));
        let events = events.map(Result::unwrap);
        let order = SanitizeOrder {
            sources,
            password: None,
            keep: &keep,
            events: events.as_ref(),
            time: self.time,
            zone: ProjectZone::parse(self.zone).unwrap(),
            key: &LedgerKey::restore([self.key; 32]),
            now: NOW.parse::<DateTime<Utc>>().unwrap(),
            output: &self.folder.path().join("out"),
        };
        let mut out = Vec::new();
        let review = sanitize(&order, &mut out, observer)?;
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'));
        let lines = text.lines().map(str::to_owned).collect();
        Ok(Anonymised { lines, review })
    }

    fn read(&self, text: &str) -> Anonymised {
        let source = self.file("export.jsonl", text);
        self.try_read(&[source]).expect("events")
    }

    fn read_events(&self, events: &[Value]) -> Anonymised {
        self.read(&lines_of(events))
    }
}

fn lines_of(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// An event of `id` at a time that no other test event has.
fn event(name: &str, id: &str, number: u32, properties: Value) -> Value {
    let mut all = json!({
        "distinct_id": id, "time": 1_790_000_000 + number, "$insert_id": format!("i{number}"),
    });
    let all_fields = all.as_object_mut().unwrap();
    all_fields.extend(properties.as_object().unwrap().clone());
    json!({ "event": name, "properties": all })
}

fn zip_of(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn only_the_named_properties_survive_and_as_they_were() {
    let run = Run::keeping(&["plan", "cart", "n\"ew"]);
    let text = r#"{"event":"Buy","properties":{"time":1790000000,"distinct_id":"anna","$insert_id":"x1","plan":"pro","email":"anna@x.test","cart":{"b":[1.50,12345678901234567890,1e400],"a":"\u00e9\ud800\u0000"},"n\"ew":null,"$city":"Berlin","ip":"192.0.2.1"}}"#;
    let found = run.read(text);
    let line = &found.lines[0];
    let kept = r#","ip":0,"plan":"pro","cart":{"b":[1.50,12345678901234567890,1e400],"a":"\u00e9\ud800\u0000"},"n\"ew":null}}"#;
    assert!(line.ends_with(kept), "{line}");
    assert!(
        line.starts_with(r#"{"event":"Buy","properties":{"time":1790000000,"distinct_id":"anon-"#)
    );
    let review = &found.review;
    assert_eq!((review.read, review.written, review.people), (1, 1, 1));
    let mut dropped = review.dropped();
    dropped.sort();
    let once = ["$city", "email"];
    assert_eq!(dropped, once.map(|name| (name, 1)));
}

#[test]
fn what_an_import_needs_has_the_form_of_an_import() {
    let run = Run::keeping(&[]);
    let events: Vec<Value> = (0..50).map(|n| event("a", "anna", n, json!({}))).collect();
    let found = run.read_events(&events);
    for event in found.events() {
        let object = event.as_object().unwrap();
        assert_eq!(object.keys().collect::<Vec<_>>(), ["event", "properties"]);
        let properties = object["properties"].as_object().unwrap();
        let names = ["time", "distinct_id", "$insert_id", "ip"];
        assert_eq!(properties.keys().collect::<Vec<_>>(), names);
        assert!(properties["time"].is_u64());
        assert_eq!(properties["ip"], 0);
        let insert_id = properties["$insert_id"].as_str().unwrap();
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!(!insert_id.is_empty() && insert_id.len() <= 36 && insert_id.bytes().all(is_fit));
    }
}

#[test]
fn the_same_event_gets_the_same_insert_id_and_another_event_another() {
    let run = Run::keeping(&[]);
    let same = r#"{"event":"é","properties":{"time":1790000000,"distinct_id":"anna","$insert_id":"x1","mp_processing_time_ms":1}}
{"properties":{"$insert_id":"x1","mp_processing_time_ms":2,"time":1790000000,"distinct_id":"anna"},"event":"\u00e9"}
"#;
    let ids = run.read(same).texts("$insert_id");
    assert_eq!(ids[0], ids[1]);
    let others = [
        event("a", "anna", 0, json!({})),
        event("b", "anna", 0, json!({})),
        event("a", "bob", 0, json!({})),
        event("a", "anna", 1, json!({})),
        event("a", "anna", 0, json!({ "$insert_id": "x2" })),
        event("a", "anna", 0, json!({ "$insert_id": null, "n": 1 })),
        event("a", "anna", 0, json!({ "$insert_id": null, "n": "1" })),
        event("a", "anna", 0, json!({ "$insert_id": "", "n": 2 })),
        event("a", "anna", 0, json!({ "$insert_id": "", "n": 2, "m": 2 })),
    ];
    let mut ids = run.read_events(&others).texts("$insert_id");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), others.len());
}

#[test]
fn a_coarse_time_joins_no_events() {
    let mut run = Run::keeping(&[]);
    run.time = TimeStep::Day;
    let events: Vec<Value> = (0..100)
        .map(|n| event("a", "anna", n, json!({ "$insert_id": "same" })))
        .collect();
    let found = run.read_events(&events);
    let times: Vec<Value> = found
        .events()
        .iter()
        .map(|e| e["properties"]["time"].clone())
        .collect();
    assert!(times.iter().all(|time| *time == times[0]), "{times:?}");
    assert_eq!(times[0].as_i64().unwrap() % 86_400, 0);
    let mut ids = found.texts("$insert_id");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

#[test]
fn another_run_gives_the_same_events_and_another_key_others() {
    let mut run = Run::keeping(&["plan"]);
    let events = [
        event("a", "anna", 0, json!({ "plan": "pro" })),
        event("a", "bob", 1, json!({ "plan": "free" })),
    ];
    let first = run.read_events(&events).lines;
    assert_eq!(run.read_events(&events).lines, first);
    run.key = 8;
    let other = run.read_events(&events);
    let before: Vec<Value> = first
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for (one, other) in before.iter().zip(other.events()) {
        for field in ["distinct_id", "$insert_id"] {
            assert_ne!(one["properties"][field], other["properties"][field]);
        }
    }
}

#[test]
fn times_of_an_older_project_become_utc() {
    let mut run = Run::keeping(&[]);
    run.zone = "Europe/Berlin";
    // 2023-11-14T22:13:20 by the project's clock.
    let found = run.read_events(&[event("a", "anna", 0, json!({ "time": 1_700_000_000 }))]);
    assert_eq!(
        found.events()[0]["properties"]["time"],
        1_700_000_000 - 3_600
    );
}

#[test]
fn what_cannot_be_imported_is_counted_and_left_out() {
    let run = Run::keeping(&["plan"]);
    let text = r#"{"event":"a","properties":{"time":1790000000,"distinct_id":"anna"}}
{"event":"a","properties":{"time":1790000000}}
{"event":"a","properties":{"time":1e400,"distinct_id":"anna"}}
{"event":"a","properties":{"time":1790000000,"distinct_id":"anna","distinct_id":"bob"}}
{"event":"a","properties":{"time":1790000000,"time":1790000001,"distinct_id":"anna"}}
{"event":"a","properties":{"time":1790000000,"distinct_id":{"x":1}}}
{"event":1,"properties":{"time":1790000000,"distinct_id":"anna"}}
{"event":" ","properties":{"time":1790000000,"distinct_id":"anna"}}
{"event":"a","properties":[]}
{"event":"$identify","properties":{"time":1790000000,"distinct_id":"anna"}}
{"event":"a","properties":
{"event":"old","properties":{"time":1500000000,"distinct_id":"anna"}}
"#;
    let found = run.read(text);
    assert_eq!(found.lines.len(), 2);
    let expected = NotWritten {
        unreadable: 4,
        nobody: 2,
        several: 2,
        no_time: 1,
        held_back: 0,
    };
    assert_eq!(found.review.left_out, expected);
    assert_eq!((found.review.identity_events, found.review.too_old), (1, 1));
    assert!(found.review.has_findings());
}

#[test]
fn a_name_with_half_a_surrogate_pair_is_written_so_that_an_import_takes_it() {
    let text = r#"{"event":"a\ud83d","properties":{"time":1790000000,"distinct_id":"anna"}}"#;
    let found = Run::keeping(&[]).read(text);
    let name = found.events()[0]["event"].clone();
    assert!(name.as_str().unwrap().starts_with("a\u{fffd}"), "{name}");
}

#[test]
fn a_repeated_name_has_its_last_value() {
    let run = Run::keeping(&["plan"]);
    let text = r#"{"event":"a","properties":{"plan":"x","time":1790000000,"distinct_id":"anna","pl\u0061n":"y"}}"#;
    assert_eq!(run.read(text).texts("plan"), ["y"]);
}

#[test]
fn escaped_keys_do_not_tear_an_event_apart() {
    let run = Run::keeping(&["cart"]);
    let inner = r#"{"event":"in","properties":{"time":1790000001,"distinct_id":"bob"}}"#;
    let text = format!(
        r#"{{
 "\u0065vent": "Buy",
 "\u0070roperties": {{
  "time": 1790000000,
  "cart": [{inner}],
  "\u0064istinct_id": "anna"
 }}
}}
{{
 "event": "Buy",
 "properties": {{ "time": 1790000002, "\u0064istinct_id": "anna" }}
}}
"#
    );
    let found = run.read(&text);
    assert_eq!(found.review.left_out.total(), 0);
    let events = found.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["properties"]["cart"][0]["event"], "in");
    let ids = found.texts("distinct_id");
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn every_form_of_a_source_gives_the_same_events() {
    let run = Run::keeping(&["plan"]);
    let events: Vec<Value> = (0..20)
        .map(|n| {
            event(
                "a",
                "anna",
                n,
                json!({ "plan": format!("p{n}"), "deep": [[n]] }),
            )
        })
        .collect();
    let lines = lines_of(&events);
    let expected = run.read(&lines).lines;
    let array = serde_json::to_string_pretty(&events).unwrap();
    let people = r#"[{"$distinct_id":"anna","$properties":{"$name":"Anna Schmidt"}}]"#;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    let forms = [
        run.file("array.json", &array),
        run.file("packed.jsonl.gz", gzip.finish().unwrap()),
        run.file(
            "export.zip",
            zip_of(&[("people.json", people), ("events.json", &array)]),
        ),
        run.file(
            "utf16.json",
            array
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        ),
    ];
    for form in forms {
        let found = run.try_read(std::slice::from_ref(&form)).unwrap();
        assert_eq!(found.lines, expected, "{}", form.display());
        assert_eq!(found.review.left_out.total(), 0, "{}", form.display());
    }
    run.file("folder/p1/events.jsonl", &lines);
    run.file("folder/p1/manifest.json", r#"{"event":"no"}"#);
    run.file("folder/p1/index.html", "<html>");
    run.file("folder/unassigned/unclear.jsonl", "{}");
    run.file("folder/unassigned/report.json", "{}");
    let found = run.try_read(&[run.folder.path().join("folder")]).unwrap();
    assert_eq!(found.lines, expected);
    assert_eq!(found.review.left_out.held_back, 1);
}

#[test]
fn what_holds_no_events_is_refused() {
    let run = Run::keeping(&["plan"]);
    for (text, is_table) in [
        ("", false),
        (r#"{"$distinct_id":"anna","$properties":{}}"#, false),
        ("event_name,distinct_id,time\na,anna,1790000000\n", true),
    ] {
        let source = run.file("source.json", text);
        let error = run.try_read(&[source]).err().expect("an error");
        match is_table {
            true => assert!(matches!(error, SanitizeError::Table), "{error}"),
            false => assert!(matches!(error, SanitizeError::NoEvents), "{error}"),
        }
    }
    let missing = run.try_read(&[run.folder.path().join("none.json")]);
    assert!(matches!(
        missing,
        Err(SanitizeError::Source(SplitError::Open { .. }))
    ));
}

#[test]
fn only_listed_events_survive_and_each_day_is_counted_before_and_after() {
    let mut run = Run::keeping(&[]);
    run.events = Some(vec!["a"]);
    let events = [
        event("a", "anna", 0, json!({})),
        event("b", "anna", 1, json!({})),
        event("a", "anna", 90_000, json!({})),
    ];
    let found = run.read_events(&events);
    assert_eq!(found.lines.len(), 2);
    let review = &found.review;
    assert_eq!((review.read, review.written, review.not_listed), (3, 2, 1));
    let days: BTreeMap<(i64, &str), (u64, u64)> = review
        .days()
        .map(|(day, name, before, after)| ((day, name), (before, after)))
        .collect();
    let first = 1_790_000_000 / 86_400;
    let expected = [
        ((first, "a"), (1, 1)),
        ((first, "b"), (1, 0)),
        ((first + 1, "a"), (1, 1)),
    ];
    assert_eq!(days, expected.into());
}
