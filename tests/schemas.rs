//! `docs/schemas` has exactly the words and commands of the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};

use dsr::config::Origin;
use dsr::credentials::{AccountOrigin, SecretOrigin, TokenOrigin};
use dsr::domain::{Disclosure, ExitStatus, JobState, Kind, Law, Region};
use dsr::guide::{Sdk, Topic};
use dsr::intake::WarningKind;
use dsr::packages::PackageForm;
use dsr::report::{Nature, Timing};

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn words_at(file: &str, place: &str) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(&read(file)).unwrap();
    let words = schema.pointer(place).and_then(Value::as_array);
    let words = words.unwrap_or_else(|| panic!("{file} has no list at {place}"));
    let count = words.len();
    let words: BTreeSet<String> = words.iter().map(Value::to_string).collect();
    assert_eq!(words.len(), count, "{file} {place} has a word twice");
    words
}

fn as_written(values: impl IntoIterator<Item = impl Serialize>) -> BTreeSet<String> {
    let values = values.into_iter().map(|value| json!(value).to_string());
    values.collect()
}

fn typed<T: ValueEnum>() -> BTreeSet<String> {
    let values = T::value_variants().iter();
    let names = values.filter_map(|value| Some(value.to_possible_value()?.get_name().to_owned()));
    as_written(names)
}

#[test]
fn the_words_of_the_schemas_are_those_of_the_code() {
    let or_none = |mut words: BTreeSet<String>| {
        words.insert(Value::Null.to_string());
        words
    };
    let shared = "definitions.json";
    let guide = "/properties/guide/properties";
    let lists = [
        (shared, "/$defs/state/enum", as_written(JobState::ALL)),
        (shared, "/$defs/kind/enum", as_written(Kind::ALL)),
        (shared, "/$defs/law/enum", as_written(Law::ALL)),
        (
            shared,
            "/$defs/disclosure/enum",
            or_none(as_written(Disclosure::ALL)),
        ),
        (shared, "/$defs/region/enum", as_written(Region::ALL)),
        (
            shared,
            "/$defs/exitStatus/enum",
            as_written(ExitStatus::ALL.map(ExitStatus::code)),
        ),
        (
            "auth-status.json",
            "/$defs/token/properties/source/enum",
            as_written(TokenOrigin::ALL),
        ),
        (
            "auth-status.json",
            "/$defs/account/properties/source/enum",
            as_written(AccountOrigin::ALL),
        ),
        (
            "project.json",
            "/$defs/origin/enum",
            as_written(Origin::ALL),
        ),
        (
            "project.json",
            "/$defs/project/properties/api_secret_from/enum",
            or_none(as_written(SecretOrigin::ALL)),
        ),
        (
            "downloads.json",
            "/$defs/packages/properties/form/enum",
            as_written(PackageForm::ALL),
        ),
        (
            "guide.json",
            &format!("{guide}/topic/enum"),
            // `dsr guide copies` prints a page, in the shape of a help topic.
            &typed::<Topic>() - &as_written([Topic::Copies.name(), Topic::Retention.name()]),
        ),
        (
            "guide.json",
            &format!("{guide}/entries/items/properties/sdk/enum"),
            typed::<Sdk>(),
        ),
        (
            "report.json",
            "/$defs/answer/properties/nature/enum",
            as_written(Nature::ALL),
        ),
        (
            "report.json",
            "/$defs/answer/properties/timing/enum",
            as_written(Timing::ALL),
        ),
        (
            "completions.json",
            "/properties/completions/properties/shell/enum",
            typed::<clap_complete::Shell>(),
        ),
    ];
    for (file, place, words) in lists {
        assert_eq!(words_at(file, place), words, "{file} {place}");
    }
}

/// A script would wait in vain for a word that dsr never prints.
#[test]
fn each_word_for_a_failure_or_a_warning_is_said_somewhere() {
    let mut code = String::new();
    gather(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands"),
        &mut code,
    );
    gather(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli.rs"),
        &mut code,
    );
    for file in ["failures/bug.rs", "talk/progress.rs", "status/watch.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/ui")
            .join(file);
        gather(&path, &mut code);
    }
    let of_ids = as_written(WarningKind::ALL.map(WarningKind::word));
    let failures = words_at("definitions.json", "/$defs/errorKind/enum");
    let warnings = words_at("definitions.json", "/$defs/warningKind/enum");
    assert!(of_ids.is_subset(&warnings));
    for word in failures.union(&(&warnings - &of_ids)) {
        assert!(code.contains(word), "nothing says {word}");
    }
}

fn gather(path: &Path, code: &mut String) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            gather(&entry.unwrap().path(), code);
        }
    } else {
        code.push_str(&std::fs::read_to_string(path).unwrap());
    }
}

#[test]
fn each_command_has_its_row_and_each_row_its_command() {
    let mut commands = BTreeSet::new();
    leaves(&dsr::cli::tree(), &mut Vec::new(), &mut commands);
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `dsr "));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let named = cells.flat_map(|cell| cell.split('`').filter(|part| part.starts_with("dsr ")));
    let mut rows = BTreeSet::new();
    for name in named {
        assert!(rows.insert(name.to_owned()), "`{name}` has two rows");
    }
    assert_eq!(rows, commands);
}

/// The commands without subcommands, with all their words.
fn leaves(command: &clap::Command, words: &mut Vec<String>, found: &mut BTreeSet<String>) {
    words.push(command.get_name().to_owned());
    match command.has_subcommands() {
        true => command
            .get_subcommands()
            .for_each(|inner| leaves(inner, words, found)),
        false => drop(found.insert(words.join(" "))),
    }
    words.pop();
}
