//! A file is where a command's output must go. One rule for all commands: status 2, kind `exists`,
//! the message names the file, and the file stays as it was.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::minimisation::with_key;
use crate::support::{Exports, Fake, Outcome, handing_out};

/// The commands that write a file or folder, with the option that names it. The last argument is
/// the file.
const WRITERS: &[(&str, &str, &[&str])] = &[
    ("export", "--plan", &["--gdpr", "a1", "--plan", "out"]),
    ("delete", "--plan", &["--gdpr", "a1", "--plan", "out"]),
    ("report", "--output", &["--output", "out"]),
    ("suppressions export", "--output", &["--output", "out"]),
    ("auth ledger-key", "--to", &["--to", "out"]),
    ("ledger backup", "FILE", &["out"]),
    (
        "sanitize",
        "--output",
        &["raw.jsonl", "--keep", "keep.txt", "--key", "k", "-o", "out"],
    ),
    (
        "lookup",
        "--output",
        &["--profiles", "users.csv", "-o", "out", "a@x.test"],
    ),
    (
        "profiles expire",
        "--output",
        &[
            "--not-seen-for",
            "1year",
            "--profiles",
            "seen.csv",
            "--at-most",
            "1",
            "--dry-run",
            "-o",
            "out",
        ],
    ),
];
const FETCHERS: &[(&str, &str)] = &[
    ("download", "--to"),
    ("export", "--download"),
    ("apply", "--download"),
    ("import", "--failed"),
];
/// Pages that each run writes again.
const REPLACES: (&str, &str) = ("man", "--output");

fn is_refused(outcome: &Outcome, path: &Path) {
    let failure = outcome.exits_with(2).failure();
    assert_eq!(failure["kind"], "exists", "{outcome}");
    let message = failure["message"].as_str().expect("a message");
    assert!(message.contains("already exists"), "{outcome}");
    let name = path.file_name().expect("a name").to_str().expect("UTF-8");
    assert!(message.contains(name), "{outcome}");
    assert!(failure["hint"].is_string(), "{outcome}");
}

#[test]
fn what_is_in_the_way_of_a_file_ends_every_command_alike() {
    let fake = Fake::start();
    let operator = with_key(&fake, "");
    let request = ["delete", "--gdpr", "--yes", "b1"];
    operator.run(&request).exits_with(0);
    let calls = fake.calls().len();
    let path = operator.work().join("out");
    operator.file("users.csv", "distinct_id,email\nu1,a@x.test\n");
    operator.file("seen.csv", "distinct_id,$last_seen\nu1,2020-01-01\n");
    let event =
        r#"{"event":"e","properties":{"distinct_id":"a1","time":1790000000,"plan":"free"}}"#;
    operator.file("raw.jsonl", event);
    operator.file("keep.txt", "plan\n");
    for (command, _, args) in WRITERS {
        let words: Vec<&str> = command.split(' ').collect();
        let args = [&words[..], args, &["--json"]].concat();
        fs::write(&path, "mine").unwrap();
        is_refused(&operator.run(&args), &path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine", "{command}");
        fs::remove_file(&path).unwrap();

        symlink("victim", &path).unwrap();
        is_refused(&operator.run(&args), &path);
        assert!(path.is_symlink(), "{command}");
        assert!(!operator.work().join("victim").exists(), "{command}");
        fs::remove_file(&path).unwrap();

        fs::create_dir(&path).unwrap();
        is_refused(&operator.run(&args), &path);
        fs::remove_dir(&path).unwrap();

        operator.run(&args).exits_with(0);
        fs::remove_file(&path).unwrap();
        drop(fs::remove_file(path.with_extension("review.html")));
    }
    assert_eq!(fake.calls().len(), calls, "nothing was sent");
}

#[test]
fn what_is_in_the_way_of_an_archive_or_its_packages_ends_it_alike() {
    let archive = b"PK\x05\x06".iter().chain(&[0; 18]).copied();
    let archive: Vec<u8> = archive.collect();
    let exports = Exports::from(move |_| handing_out(&archive, ""));
    let job = exports.operator.only_request()["jobs"][0]["id"].clone();
    let name = job.as_str().expect("an id").to_owned();
    fs::create_dir(exports.folder()).unwrap();
    let path = exports.folder().join(format!("{name}.zip"));
    fs::write(&path, "mine").unwrap();
    is_refused(&exports.download(&["--json"]), &path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    exports.store.was_not_called();
    fs::remove_file(&path).unwrap();

    let packages = exports.folder().join(format!("{name}-packages"));
    fs::write(&packages, "mine").unwrap();
    is_refused(&exports.download(&["--split", "--json"]), &packages);
    assert_eq!(fs::read_to_string(&packages).unwrap(), "mine");
}

/// A new command that writes files must be added to the lists above.
#[test]
fn every_command_that_names_a_file_or_folder_is_known_here() {
    let readers = [
        ("approve", "FILE"),
        ("apply", "FILE"),
        ("download", "--ids"),
        ("import", "FILE"),
        ("sanitize", "--keep"),
        ("sanitize", "--events"),
        ("sanitize", "--key"),
        ("lookup", "--profiles"),
        ("lookup", "--identities"),
        ("profiles expire", "--profiles"),
        // Each run appends to it.
        ("profiles expire", "--log"),
        ("suppressions check", "FILE"),
        ("verify", "--events"),
        ("verify", "--ids"),
        ("auth ledger-key", "--from"),
        ("audit verify", "--head"),
    ];
    let writers = WRITERS
        .iter()
        .map(|(command, option, _)| (*command, *option));
    let known: BTreeSet<(&str, &str)> = writers
        .chain(FETCHERS.iter().copied())
        .chain(readers)
        .chain([REPLACES])
        .collect();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let reference = fs::read_to_string(reference).expect("the reference");
    let mut found = BTreeSet::new();
    let mut command = "";
    for line in reference.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            command = heading.strip_prefix("dsr ").unwrap_or("");
        }
        let Some(option) = line
            .strip_prefix("| `")
            .and_then(|row| row.split('`').next())
        else {
            continue;
        };
        let (name, value) = option.rsplit_once('<').unwrap_or((option, ""));
        let value = value.trim_end_matches('.').trim_end_matches('>');
        let is_named = ["FILE", "DIR"].iter().any(|word| value.ends_with(word));
        if is_named && !command.is_empty() {
            let name = name.rsplit(", ").next().unwrap_or(name).trim();
            found.insert((command, if name.is_empty() { value } else { name }));
        }
    }
    assert_eq!(found, known);
}
