//! `dsr doctor`.

use serde_json::json;

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, NOWHERE, Operator, Reply, status_reply};

/// Offline, since the test's day is not the machine's.
const OFFLINE: [&str; 2] = ["doctor", "--offline"];

#[test]
fn nothing_is_set_up() {
    snapshot!(Scene::of(Operator::new()).pipes(&OFFLINE));
}

#[test]
fn all_is_well_on_this_machine() {
    let mut scene = Scene::with_a_deletion();
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.pipes(&OFFLINE).plain(&OFFLINE));
}

#[test]
fn mixpanel_is_asked() {
    let mut scene = Scene::at(saying("NOT_FOUND"));
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.pipes(&["doctor"]));
}

#[test]
fn mixpanel_refuses_the_token() {
    let refusing = Fake::answering(|_| Reply::error(401, "Invalid token"));
    let mut scene = Scene::at(refusing);
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.pipes(&["doctor"]));
}

#[test]
fn mixpanel_cannot_be_reached() {
    let mut scene = Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    scene.operator.set("DSR_API_URL", NOWHERE);
    snapshot!(scene.pipes(&["doctor"]));
}

/// The doctor's answer about copies, with these pipelines and two warehouse imports.
fn about_copies(pipelines: Reply) -> Scene {
    let imports = json!({ "status": "ok", "results": [
        { "id": 501, "import_type": "people", "sync_mode": "mirror_mode", "paused": false,
          "warehouse_source_id": 51, "run_every": 86_400_000_000_000_u64, "is_deleted": false },
        { "id": 502, "import_type": "event_stream", "sync_mode": "one_time", "paused": true },
    ] });
    let fake = Fake::answering(move |call| match call.path.as_str() {
        "/api/2.0/nessie/pipeline/jobs" => pipelines.clone(),
        path if path.ends_with("/imports") => Reply::json(200, &imports),
        path if path.ends_with("/me") => Reply::json(200, &json!({ "status": "ok" })),
        _ => status_reply("NOT_FOUND"),
    });
    let mut scene = Scene::with(fake, "project_id = 4242");
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    let account = scene.operator.private_file("account", "dsr.1f2e:secret\n");
    scene.operator.set("DSR_SERVICE_ACCOUNT_FILE", &account);
    scene
}

#[test]
fn copies_are_a_checklist() {
    let pipelines = json!({ "4242": [{
        "name": "events-daily-bigquery-monoschema", "frequency": "daily", "sync_enabled": "true",
        "last_dispatched": "2026-01-02 12:00:00 US/Pacific",
    }] });
    let mut scene = about_copies(Reply::json(200, &pipelines));
    let args = ["doctor", "--copies"];
    snapshot!(scene.pipes(&args).plain(&args));
}

#[test]
fn a_list_of_copies_cannot_be_read() {
    let mut scene = about_copies(Reply::json(200, &json!({})));
    snapshot!(scene.pipes(&["doctor", "--copies"]));
}

#[test]
fn a_sandbox_is_asked() {
    snapshot!(Scene::of(Operator::new()).pipes(&["--sandbox", "doctor", "--offline"]));
}
