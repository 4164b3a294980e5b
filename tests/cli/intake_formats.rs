//! Each file of `tests/golden/intake` has its expected result beside it, in `NAME.expected`: what
//! is sent and how the file was read, or what the error says. A new kind of damage needs two files
//! and no code. In files with an error, `secret` marks what must not be shown.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Fake, Operator, Outcome, at_once};

/// The fields of an `.expected` file. Missing fields are not checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Which rule it shows.
    why: String,
    #[serde(default)]
    args: Vec<String>,
    /// Whether standard input gives the same result; not if the file's name matters.
    #[serde(default = "yes")]
    stdin: bool,
    /// The ids that are sent, in order.
    ids: Option<Vec<String>>,
    /// How many values were read, if some repeat.
    values: Option<usize>,
    #[serde(default)]
    blank_lines: usize,
    format: Option<String>,
    delimiter: Option<String>,
    column: Option<String>,
    encoding: Option<String>,
    compression: Option<String>,
    /// Parts of the message, in place of `ids`.
    says: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

struct Golden {
    name: String,
    bytes: Vec<u8>,
    expected: Expected,
}

fn goldens() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/intake");
    let entries = fs::read_dir(folder).expect("the golden files are there");
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let is_expectation = |path: &PathBuf| path.extension().is_some_and(|e| e == "expected");
    let (expectations, files): (Vec<_>, Vec<_>) = paths.partition(is_expectation);
    assert_eq!(files.len(), expectations.len(), "each with its expectation");
    let golden = |path: PathBuf| {
        let name = path.file_name().expect("a file has a name");
        let name = name.to_string_lossy().into_owned();
        let beside = path.with_file_name(format!("{name}.expected"));
        let text = fs::read_to_string(beside).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected =
            toml_edit::de::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let bytes = fs::read(&path).expect("a golden file can be read");
        Golden {
            name,
            bytes,
            expected,
        }
    };
    files.into_iter().map(golden).collect()
}

impl Golden {
    fn args<'a>(&'a self, command: &[&'a str], source: &'a str) -> Vec<&'a str> {
        let own = self.expected.args.iter().map(String::as_str);
        command.iter().copied().chain(own).chain([source]).collect()
    }

    /// Runs `command` on the file, and on standard input if that gives the same.
    fn run(&self, operator: &Operator, command: &[&str]) -> Vec<Outcome> {
        operator.file(&self.name, &self.bytes);
        let mut outcomes = vec![operator.run(&self.args(command, &self.name))];
        if self.expected.stdin {
            let args = self.args(command, "-");
            outcomes.push(operator.run_with_bytes(&args, &self.bytes));
        }
        outcomes
    }

    fn is_sent(&self, ids: &[String]) {
        let why = &self.expected.why;
        let fake = Fake::start();
        let operator = Operator::at(&fake);
        for outcome in self.run(&operator, &["delete", "--gdpr", "--dry-run", "--json"]) {
            assert_eq!(outcome.status, Some(0), "{}: {why}\n{outcome}", self.name);
            let request = outcome.request();
            self.was_read_as(&request["sources"], &outcome);
            let read = self.expected.values.unwrap_or(ids.len());
            for (key, count) in [
                ("read", read),
                ("unique", ids.len()),
                ("duplicates", read - ids.len()),
            ] {
                let found = &request["ids"][key];
                assert_eq!(found, count, "{}: {why}, `{key}`", self.name);
            }
        }
        fake.was_not_called();
        let args = self.args(&["delete", "--gdpr", "--yes"], &self.name);
        operator.run(&args).exits_with(0);
        assert_eq!(fake.posted_ids(), ids, "{}: {why}", self.name);
    }

    fn was_read_as(&self, sources: &Value, outcome: &Outcome) {
        let expected = &self.expected;
        let [source] = sources.as_array().map_or(&[][..], Vec::as_slice) else {
            panic!("one source is planned\n{outcome}");
        };
        assert_eq!(source["blank_lines"], expected.blank_lines, "{outcome}");
        assert_eq!(
            source["compression"],
            json!(expected.compression),
            "{outcome}"
        );
        for (key, value) in [
            ("format", &expected.format),
            ("delimiter", &expected.delimiter),
            ("column", &expected.column),
            ("encoding", &expected.encoding),
        ] {
            if value.is_some() {
                assert_eq!(source[key], json!(value), "`{key}`\n{outcome}");
            }
        }
    }

    fn is_refused(&self, parts: &[String]) {
        let why = &self.expected.why;
        let fake = Fake::start();
        let operator = Operator::at(&fake);
        for outcome in self.run(&operator, &["delete", "--gdpr", "--yes"]) {
            assert_eq!(outcome.status, Some(5), "{}: {why}\n{outcome}", self.name);
            for part in parts {
                assert!(outcome.stderr.contains(part), "{why}: `{part}`\n{outcome}");
            }
            outcome.says("nothing was sent").never_says("secret");
        }
        fake.was_not_called();
        assert!(operator.requests().is_empty(), "nor is anything recorded");
    }
}

#[test]
fn every_golden_file_is_read_or_refused_as_is_expected_of_it() {
    let goldens = goldens();
    assert!(goldens.len() > 100, "the golden files are there");
    for several in goldens.chunks(4) {
        at_once(several, |golden| {
            let expected = &golden.expected;
            match (&expected.ids, &expected.says) {
                (Some(ids), None) => golden.is_sent(ids),
                (None, Some(parts)) => golden.is_refused(parts),
                _ => panic!("{}: `ids` or `says`", golden.name),
            }
        });
    }
}
