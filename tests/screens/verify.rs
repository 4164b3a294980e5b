//! `dsr verify`.

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};

/// A deletion of three people that is done, and some events.
fn with_events(events: &[(&str, u64)]) -> (Scene, String) {
    let mut scene = Scene::at(saying("SUCCESS"));
    scene
        .did(&["delete", "--gdpr", "--yes", "ids.csv"])
        .did(&["status"]);
    let name = scene.request(1);
    let line = |(id, time): &(&str, u64)| {
        format!(
            "{{\"event\":\"Login\",\"properties\":{{\"distinct_id\":\"{id}\",\"time\":{time}}}}}\n"
        )
    };
    let events: Vec<String> = events.iter().map(line).collect();
    scene.operator.file("events.jsonl", events.concat());
    (scene, name)
}

/// Before the deletion, and a month after.
const BEFORE: u64 = 1_770_000_000;
const AFTER: u64 = 1_776_000_000;

#[test]
fn everyone_is_gone() {
    let (mut scene, name) = with_events(&[("u-9", BEFORE), ("u-9", AFTER)]);
    snapshot!(scene.shows(&["verify", &name, "--events", "events.jsonl"]));
}

#[test]
fn one_is_not_yet_gone_and_one_was_collected_again() {
    let events = [("user-1001", BEFORE), ("user-1002", AFTER), ("u-9", AFTER)];
    let (mut scene, name) = with_events(&events);
    let args = ["verify", &name, "--events", "events.jsonl"];
    scene.shows_both(&args);
    scene.lives_on("2026-05-01");
    snapshot!(scene.shows(&[&args[..], &["--exit-status"]].concat()));
}

#[test]
fn an_export_is_cut_off() {
    let (mut scene, name) = with_events(&[("u-9", BEFORE), ("u-9", AFTER)]);
    let path = scene.operator.work().join("events.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    scene.operator.file("events.jsonl", &text[..text.len() - 3]);
    snapshot!(scene.shows(&["verify", &name, "--events", "events.jsonl"]));
}
