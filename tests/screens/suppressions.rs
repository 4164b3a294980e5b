//! `dsr suppressions`.

use crate::mixpanel::obedient;
use crate::scene::{Scene, snapshot};

fn with_erased_people() -> Scene {
    let mut scene = Scene::at(obedient());
    for id in ["done@x.test", "running@x.test", "failed@x.test"] {
        scene.did(&["delete", "--gdpr", "--yes", "--id", id]);
    }
    scene.runs(&["status", "--refresh"]);
    scene
}

#[test]
fn the_list_of_people_not_to_track_again() {
    let mut scene = with_erased_people();
    scene.pipes(&["suppressions", "export"]);
    snapshot!(scene.pipes(&["suppressions", "export", "--format", "csv"]));
}

#[test]
fn the_list_is_written_to_a_file_and_again() {
    let mut scene = with_erased_people();
    let args = ["suppressions", "export", "--output", "list.txt"];
    scene.pipes(&args).pipes(&args);
    snapshot!(scene.pipes(&[&args[..], &["--replace"]].concat()));
}

#[test]
fn the_list_is_replaced_by_one_with_fewer_people() {
    let mut scene = with_erased_people();
    let args = ["suppressions", "export", "--output", "list.txt"];
    scene.did(&args);
    let fewer = [&args[..], &["--replace", "--since", "2026-03-17"]].concat();
    snapshot!(
        scene
            .pipes(&fewer)
            .pipes(&[&fewer[..], &["--allow-fewer"]].concat())
    );
}

#[test]
fn nobody_is_on_the_list() {
    let mut scene = Scene::usual();
    scene.did(&["export", "--gdpr", "ids.csv"]);
    snapshot!(scene.pipes(&["suppressions", "export"]));
}

#[test]
fn an_erased_person_was_collected_again() {
    let mut scene = with_erased_people();
    let event = |id: &str, time: u64| {
        format!(
            "{{\"event\":\"Login\",\"properties\":{{\"distinct_id\":\"{id}\",\"time\":{time}}}}}\n"
        )
    };
    // Before the deletions, and a month after.
    let events = [
        event("done@x.test", 1_770_000_000),
        event("done@x.test", 1_776_000_000),
        event("user-9", 1_776_000_000),
        "nonsense\n".to_owned(),
    ];
    scene.operator.file("events.jsonl", events.concat());
    let args = ["suppressions", "check", "events.jsonl"];
    scene.shows_both(&args);
    snapshot!(scene.shows(&[&args[..], &["--exit-status"]].concat()));
}

#[test]
fn nobody_was_collected_again() {
    let mut scene = with_erased_people();
    let event =
        "{\"event\":\"Login\",\"properties\":{\"distinct_id\":\"u-9\",\"time\":1776000000}}\n";
    scene.operator.file("events.jsonl", event);
    snapshot!(scene.shows(&["suppressions", "check", "events.jsonl"]));
}
