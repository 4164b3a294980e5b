//! From a fetched archive to a person's package: what dsr reports, and the commands it names.

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

/// What `dsr report` and `dsr answered` say of packages.
mod evidence;
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

#[test]
fn a_file_in_the_way_of_one_archive_stops_no_other() {
    let archive = archive();
    let exports = Exports::of(&["a1"], move |_| handing_out(&archive, ""));
    for id in ["a2", "a3"] {
        exports
            .operator
            .run(&["export", "--gdpr", id])
            .exits_with(0);
    }
    exports.operator.run(&["status"]).exits_with(0);
    let jobs = exports
        .operator
        .ledger_texts("SELECT request || '-1' FROM jobs ORDER BY request");
    fs::create_dir(exports.folder()).unwrap();
    let stray = exports.folder().join(format!("{}.zip", jobs[1]));
    fs::write(&stray, "mine").unwrap();
    let outcome = exports.download(&["--json"]);
    let failure = outcome.exits_with(2).failure();
    assert_eq!(failure["kind"], "exists");
    let name = stray.file_name().unwrap().to_str().unwrap();
    assert!(
        failure["message"].as_str().unwrap().contains(name),
        "{outcome}"
    );
    let mut found = results(&outcome);
    found.sort();
    assert_eq!(found, ["fetched", "fetched", "in_the_way"], "{outcome}");
    assert_eq!(fs::read_to_string(&stray).unwrap(), "mine");
    let people = exports.download(&[]);
    assert!(
        people.exits_with(2).stdout.contains("not fetched"),
        "{people}"
    );
    move_away(&stray);
    let after = follow(&exports, &outcome);
    assert_eq!(the_download(after.exits_with(0))["result"], "fetched");
}

#[test]
fn who_interrupts_a_fetch_is_shown_what_was_not_fetched() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let archive = archive();
        let exports = Exports::of(&["a1"], move |_| {
            thread::sleep(Duration::from_secs(3));
            handing_out(&archive, "")
        });
        exports
            .operator
            .run(&["export", "--gdpr", "a2"])
            .exits_with(0);
        exports.operator.run(&["status"]).exits_with(0);
        for flags in [&["--json"][..], &[]] {
            let calls = exports.store.calls().len();
            let running = exports.operator.start(&[&["download"], flags].concat());
            let begun = Instant::now();
            while exports.store.calls().len() == calls {
                assert!(begun.elapsed() < Duration::from_secs(60), "it never begins");
                thread::sleep(Duration::from_millis(5));
            }
            running.signal(signal);
            let outcome = running.end();
            outcome.exits_with(status).never_says("No finished exports");
            match flags.is_empty() {
                false => assert_eq!(results(&outcome), ["interrupted", "interrupted"]),
                true => assert!(outcome.stdout.contains("not fetched: interrupted")),
            }
        }
    }
}

#[test]
fn of_two_at_once_the_later_one_goes_on_with_what_the_other_fetched() {
    for flags in [&[][..], &["--split"], &["--split", "--zip"]] {
        let (archive, come) = (archive(), Arc::new(AtomicUsize::new(0)));
        let exports = Exports::of(&["anna", "bob"], move |_| {
            // Both have asked before either has the whole archive.
            come.fetch_add(1, Ordering::SeqCst);
            let begun = Instant::now();
            while come.load(Ordering::SeqCst) < 2 && begun.elapsed() < Duration::from_secs(30) {
                thread::sleep(Duration::from_millis(5));
            }
            handing_out(&archive, "")
        });
        let request = request_of(&exports);
        let folder = exports.folder().display().to_string();
        let args = ["download", &request, "--to", &folder, "--json"];
        let args = [&args[..], flags].concat();
        let runs = [exports.operator.start(&args), exports.operator.start(&args)];
        let outcomes = runs.map(|run| run.end());
        let mut all = Vec::new();
        for outcome in &outcomes {
            all.extend(results(outcome.exits_with(0)));
            let packages = the_download(outcome)["packages"].clone();
            assert_eq!(packages.is_null(), flags.is_empty(), "{outcome}");
            assert_eq!(packages["count"] == 2, !flags.is_empty(), "{outcome}");
        }
        all.sort();
        assert_eq!(all, ["already_fetched", "fetched"]);
        let expected = if flags.is_empty() { 1 } else { 2 };
        assert_eq!(exports.names().len(), expected, "{:?}", exports.names());
        exports.operator.run(&["audit", "verify"]).exits_with(0);
    }
}

#[test]
fn a_folder_that_was_moved_is_known_again_where_it_is_now() {
    let exports = exports(archive());
    let request = request_of(&exports);
    let split = exports.download(&[&request, "--split", "--json"]);
    let old = path_of(split.exits_with(0));
    let new = exports.operator.dsr_home().join("elsewhere");
    fs::rename(exports.folder(), &new).unwrap();
    let to = new.display().to_string();
    for more in [&[][..], &["--again"], &["--split"]] {
        let args = ["download", &request, "--to", &to, "--json"];
        let found = exports.operator.run(&[&args[..], more].concat());
        let result = the_download(found.exits_with(0))["result"].clone();
        assert_eq!(result, "already_fetched", "{found}");
        assert_eq!(path_of(&found), new.join(old.file_name().unwrap()));
        if more == ["--split"] {
            assert_eq!(the_download(&found)["packages"]["result"], "already_split");
        }
    }
    assert_eq!(exports.store.calls().len(), 1);
    // dsr does not mistake another file of that name for the archive.
    fs::write(new.join(old.file_name().unwrap()), "mine").unwrap();
    let args = ["download", &request, "--to", &to, "--json"];
    let said = exports.operator.run(&args);
    assert_eq!(the_download(said.exits_with(74))["result"], "gone");
    let again = follow(&exports, &said);
    assert_eq!(again.exits_with(2).failure()["kind"], "exists");
    move_away(&new.join(old.file_name().unwrap()));
    let fetched = follow(&exports, &again);
    assert_eq!(the_download(fetched.exits_with(0))["result"], "fetched");
}

#[test]
fn a_link_that_cannot_have_ended_is_tried_again_before_there_is_a_new_export() {
    for status in [403, 404, 204] {
        let exports = Exports::of(&["a1"], move |_| Reply::text(status, "text/plain", ""));
        let said = exports.download(&["--json"]);
        let hint = said.exits_with(7).failure()["hint"].clone();
        let hint = hint.as_str().unwrap();
        let (retry, anew) = (hint.find("dsr download"), hint.find("dsr export"));
        assert!(retry.is_some() && retry < anew, "{hint}");
        // A link that may have ended is not worth another try.
        exports
            .operator
            .change_ledger("UPDATE jobs SET submitted_at = '2020-01-01T00:00:00.000Z'");
        let said = exports.download(&["--json"]);
        let hint = said.exits_with(7).failure()["hint"].clone();
        assert!(!hint.as_str().unwrap().contains("dsr download"), "{hint}");
        assert!(hint.as_str().unwrap().contains("dsr export"), "{hint}");
    }
}

/// A nightly run reads no archive again; naming a request checks its archive.
#[test]
fn only_a_named_request_is_hashed_where_size_and_time_are_as_they_were() {
    let exports = exports(archive());
    let path = path_of(exports.download(&["--json"]).exits_with(0));
    let request = request_of(&exports);
    let (mut bytes, before) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap());
    let set_time = |time| {
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
    };
    let says = |args: &[&str], status: i32, result: &str| {
        let outcome = exports.download(&[args, &["--json"]].concat());
        let found = the_download(outcome.exits_with(status));
        assert_eq!(found["result"], result, "{args:?} {outcome}");
    };
    let is_read = |args: &[&str]| {
        let outcome = exports.download(args);
        !outcome.exits_with(0).stdout.contains("same size and time")
    };
    assert!(!is_read(&[]));
    assert!(is_read(&[&request]));
    // Another time and the same bytes: dsr reads it and finds it unchanged.
    set_time(before.modified().unwrap() - Duration::from_secs(60));
    assert!(is_read(&[]));
    bytes[40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    says(&[], 74, "changed");
    set_time(before.modified().unwrap());
    says(&[], 0, "already_fetched");
    says(&[&request], 74, "changed");
}
