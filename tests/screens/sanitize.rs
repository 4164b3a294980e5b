//! `dsr sanitize`.

use crate::scene::{Scene, snapshot};

const EVENTS: &str = r#"{"event":"Buy","properties":{"time":1770000000,"distinct_id":"u1","$insert_id":"a","plan":"pro","$city":"Berlin"}}
{"event":"Buy","properties":{"time":1770000001,"distinct_id":"u2","$insert_id":"b","plan":"free","$device_id":"d"}}
{"event":"$identify","properties":{"time":1770000002,"distinct_id":"u2","$identified_id":"u2","$anon_id":"d2"}}
"#;
const ODD: &str = r#"{"event":"Mail anna@x.test","properties":{"time":1770000003,"distinct_id":"user-17-b","plan":"pro","note":"ask user-17-b, +49 151 2345678","$device_id":"d"}}
{"event":"Buy","properties":{"time":1500000000,"distinct_id":"u1"}}
{"event":"Buy","properties":{"time":1770000004}}
{"event":
"#;

fn with_export(more: &str) -> Scene {
    let scene = Scene::usual();
    scene
        .operator
        .file("export.jsonl", format!("{EVENTS}{more}"));
    scene.operator.file("keep.txt", "plan\nnote\n");
    scene
}

#[test]
fn events_are_made_anonymous() {
    let args = [
        "sanitize",
        "export.jsonl",
        "--keep",
        "keep.txt",
        "-o",
        "events.jsonl",
    ];
    snapshot!(with_export("").shows(&args));
}

#[test]
fn there_is_something_to_look_at() {
    let args = [
        "sanitize",
        "export.jsonl",
        "--keep",
        "keep.txt",
        "--time",
        "hour",
        "-o",
        "events.jsonl",
    ];
    snapshot!(with_export(ODD).shows(&args));
}

#[test]
fn a_list_keeps_an_id() {
    let mut scene = with_export("");
    scene.operator.file("keep.txt", "plan\n$device_id\n");
    let args = [
        "sanitize",
        "export.jsonl",
        "--keep",
        "keep.txt",
        "-o",
        "events.jsonl",
    ];
    snapshot!(scene.shows(&args));
}
