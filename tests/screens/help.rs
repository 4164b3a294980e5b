//! The help of every command, short and long, and the other pages of `dsr help`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::Command;

use crate::scene::{Scene, snapshot};
use crate::support::Operator;

/// Every command that is shown, by its snapshot's name: `dsr`, `dsr-export`, `dsr-auth-login`.
pub(crate) fn names() -> Vec<String> {
    fn add(names: &mut Vec<String>, command: &Command, name: String) {
        for below in command
            .get_subcommands()
            .filter(|below| !below.is_hide_set())
        {
            add(names, below, format!("{name} {}", below.get_name()));
        }
        names.push(name.replace(' ', "-"));
    }
    let mut names = Vec::new();
    add(&mut names, &dsr::cli::tree(), "dsr".to_owned());
    names
}

#[test]
fn the_help_of_every_command() {
    let (mut wrong, names) = (Vec::new(), names());
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        let words: Vec<&str> = name.split('-').skip(1).collect();
        let words = joined(&words);
        let mut scene = Scene::of(Operator::new());
        for flag in ["-h", "--help"] {
            let args: Vec<&str> = words.iter().map(String::as_str).chain([flag]).collect();
            scene.pipes(&args);
        }
        // One that differs must not hide the others.
        let compared = catch_unwind(AssertUnwindSafe(|| snapshot!(scene, name.clone())));
        if compared.is_err() {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "the help of {wrong:?}");
}

/// `hash-key` and `ledger-key` are one word each.
fn joined(words: &[&str]) -> Vec<String> {
    let text = words.join(" ");
    let text = text
        .replace("hash key", "hash-key")
        .replace("ledger key", "ledger-key");
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn topics_are_listed() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(scene.shows_both(&["help", "topics"]));
}

#[test]
fn the_exit_statuses_are_explained() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(scene.shows(&["help", "exit-status"]));
}

#[test]
fn the_variables_are_explained() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(scene.shows(&["help", "environment"]));
}

#[test]
fn the_files_are_explained() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(scene.pipes(&["help", "files"]));
}

#[test]
fn an_unknown_topic_is_refused() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(
        scene
            .shows(&["help", "exports"])
            .shows(&["help", "weather"])
    );
}
