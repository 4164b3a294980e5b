//! `dsr verify`.

use serde_json::json;

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};
use crate::support::{Call, Fake, Reply, object_reply, status_reply};

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

/// Before the deletion, and on the evening after it.
const BEFORE: u64 = 1_770_000_000;
const AFTER: u64 = 1_773_700_000;

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

fn with_one_profile(call: &Call) -> Reply {
    let event = |id: &str, time: u64| json!({ "event": "Login", "properties": { "distinct_id": id, "time": time } });
    let page = json!({
        "page": 0, "page_size": 1000, "session_id": "s", "status": "ok", "total": 1,
        "results": [{ "$distinct_id": "user-1001" }],
    });
    match call.path.rsplit('/').next() {
        Some("export") => {
            let events = [event("u-9", BEFORE), event("user-1002", AFTER)];
            Reply::text(
                200,
                "text/plain",
                &events.map(|event| format!("{event}\n")).concat(),
            )
        }
        Some("engage") => Reply::json(200, &page),
        _ if call.is_post() => object_reply(&format!("t-{}", call.place)),
        _ => status_reply("SUCCESS"),
    }
}

fn with_an_account() -> (Scene, String) {
    let fake = Fake::answering(with_one_profile);
    let mut scene = Scene::with(fake, "project_id = 4242\n");
    let account = scene
        .operator
        .private_file("../account", "dsr.mp-service-account:s");
    scene.operator.set("DSR_SERVICE_ACCOUNT_FILE", &account);
    scene
        .did(&["delete", "--gdpr", "--yes", "ids.csv"])
        .did(&["status"]);
    let name = scene.request(1);
    (scene, name)
}

#[test]
fn mixpanel_has_a_profile_and_events() {
    let (mut scene, name) = with_an_account();
    scene
        .operator
        .file("some.csv", "id\nuser-1001\nuser-1003\nu-9\n");
    scene.shows_both(&["verify", &name, "--ids", "some.csv"]);
    snapshot!(scene.pipes(&["audit", "log", &name]));
}

#[test]
fn all_deletions_of_some_days_are_verified() {
    let (mut scene, _) = with_an_account();
    scene
        .did(&["delete", "--gdpr", "--yes", "--id", "user-9"])
        .did(&["status"]);
    snapshot!(scene.shows(&["verify", "--since", "30d"]));
}
