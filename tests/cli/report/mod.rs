//! `dsr report` says what went over the wire and is in the ledger, and no more.

mod days;
mod markup;
mod period;
mod request;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Fake, Operator, Outcome, Reply, object_reply};

fn quick() -> Fake {
    Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => done(),
    })
}

fn done() -> Reply {
    let results = json!({ "status": "SUCCESS", "distinct_ids": [] });
    Reply::json(200, &json!({ "status": "ok", "results": results }))
}

/// The evidence of a JSON report, after checking its digest.
#[track_caller]
fn evidence(outcome: &Outcome) -> Value {
    let report = outcome.exits_with(0).json()["report"].clone();
    let digest = Sha256::digest(report["evidence"].to_string());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["digest"], digest.as_str(), "{outcome}");
    report["evidence"].clone()
}

/// Checks that stdout is a sound page with these texts.
#[track_caller]
fn shows(outcome: &Outcome, texts: &[&str]) {
    let page = &outcome.exits_with(0).stdout;
    markup::is_sound(page);
    for text in texts {
        assert!(page.contains(text), "`{text}` is not on the page");
    }
}

/// The lines of a table, each by its columns' names.
#[track_caller]
fn table(text: &str) -> Vec<Value> {
    assert!(text.ends_with("\r\n"), "{text}");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().expect("a heading").clone();
    let line = |line: csv::StringRecord| -> Value {
        let cells = headings.iter().zip(line.iter());
        let cells = cells.map(|(name, cell)| (name.to_owned(), cell.into()));
        Value::Object(cells.collect())
    };
    let lines = reader.records();
    lines.map(|one| line(one.expect("a line"))).collect()
}

fn files_here(operator: &Operator) -> Vec<String> {
    let entries = std::fs::read_dir(operator.work()).expect("a folder of ours");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}
