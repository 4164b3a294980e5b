//! `dsr import`.

use serde_json::json;

use crate::scene::{Scene, snapshot};
use crate::support::{Fake, Reply};

const IMPORT: [&str; 3] = ["--sandbox", "import", "events.jsonl"];

fn events(count: usize) -> String {
    let event = |number: usize| {
        let time = 1_788_220_800 + number * 3600;
        format!(
            "{{\"event\":\"Buy\",\"properties\":{{\"time\":{time},\"distinct_id\":\"anon-{}\",\"$insert_id\":\"i-{number}\"}}}}\n",
            number % 2
        )
    };
    (0..count).map(event).collect()
}

fn with_events() -> Scene {
    let scene = Scene::usual();
    scene.operator.file("events.jsonl", events(2500));
    scene
}

#[test]
fn events_are_imported_and_not_sent_again() {
    let mut scene = with_events();
    scene.shows_both(&[&IMPORT[..], &["--dry-run"]].concat());
    scene.types(&IMPORT, &[("confirm", "yes")]);
    scene.types(&IMPORT, &[("confirm", "2500")]);
    snapshot!(scene.shows(&[&IMPORT[..], &["--yes"]].concat()));
}

#[test]
fn a_line_that_mixpanel_could_not_take_is_named() {
    let mut scene = with_events();
    scene
        .operator
        .file("bad.jsonl", events(3) + "{\"event\":\"Buy\"}\n");
    scene.operator.file("cut.jsonl", &events(3)[..220]);
    scene.shows(&["--sandbox", "import", "--yes", "bad.jsonl"]);
    snapshot!(scene.shows(&["--sandbox", "import", "--yes", "cut.jsonl"]));
}

#[test]
fn refused_events_are_shown_by_line() {
    let fake = Fake::answering(|_| {
        let failed = |index: usize| {
            json!({
                "index": index,
                "$insert_id": format!("i-{index}"),
                "field": "properties.time",
                "message": "'properties.time' is invalid: must be specified as seconds since epoch",
            })
        };
        let body = json!({
            "code": 400,
            "num_records_imported": 8,
            "status": "Bad Request",
            "failed_records": [failed(3), failed(7)],
        });
        Reply::json(400, &body)
    });
    let mut scene = Scene::with(fake, "project_id = 4242");
    let account = scene.operator.private_file("account", "user:secret\n");
    scene.operator.set("DSR_SERVICE_ACCOUNT_FILE", &account);
    scene.operator.file("events.jsonl", events(10));
    snapshot!(scene.pipes(&["import", "--yes", "events.jsonl", "--failed", "again.jsonl"]));
}
