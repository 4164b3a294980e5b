//! From a fetched archive to what a person gets: what dsr says of it, and the ways out it names.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Exports, Outcome, Reply, handing_out, package_of, the_download};

/// Packages that were made before, or at the same time.
mod packages;

fn archive_of(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("a member");
        zip.write_all(text.as_bytes()).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

fn event(id: &str, name: &str) -> String {
    format!(r#"{{"event":"{name}","properties":{{"distinct_id":"{id}"}}}}"#)
}

/// An event of each of two people.
fn archive() -> Vec<u8> {
    let events = [event("anna", "x"), event("bob", "y")].join("\n");
    archive_of(&[("events.jsonl", &events)])
}

fn exports(archive: Vec<u8>) -> Exports {
    Exports::of(&["anna", "bob"], move |_| handing_out(&archive, ""))
}

fn request_of(exports: &Exports) -> String {
    let request = exports.operator.only_request()["id"].clone();
    request.as_str().expect("an id").to_owned()
}

fn path_of(outcome: &Outcome) -> PathBuf {
    let path = the_download(outcome)["path"].clone();
    PathBuf::from(path.as_str().expect("a path"))
}

fn packages_of(outcome: &Outcome) -> PathBuf {
    let path = the_download(outcome)["packages"]["path"].clone();
    PathBuf::from(path.as_str().expect("a path"))
}

/// What an outcome says became of each export.
fn results(outcome: &Outcome) -> Vec<String> {
    let downloads = outcome.json_lines()[0]["downloads"].clone();
    let all = downloads.as_array().expect("a list").iter();
    all.map(|one| one["result"].as_str().expect("a word").to_owned())
        .collect()
}

/// The first command that a failure's hint names, as arguments.
#[track_caller]
fn way_out(outcome: &Outcome) -> Vec<String> {
    let hint = outcome.failure()["hint"].clone();
    let hint = hint.as_str().expect("a hint").to_owned();
    let command = hint.split('`').find_map(|text| text.strip_prefix("dsr "));
    let command = command.unwrap_or_else(|| panic!("no command: {hint}"));
    command.split(' ').map(str::to_owned).collect()
}

#[track_caller]
fn follow(exports: &Exports, outcome: &Outcome) -> Outcome {
    let way = way_out(outcome);
    let mut args: Vec<&str> = way.iter().map(String::as_str).collect();
    args.push("--json");
    exports.operator.run(&args)
}

fn move_away(path: &Path) {
    fs::rename(path, path.with_extension("moved")).expect("it can be moved");
}

