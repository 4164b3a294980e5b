//! `dsr status`: one request, all of them, and those that need somebody.

use crate::mixpanel::{deletion_of, obedient, saying};
use crate::scene::{Scene, snapshot};
use crate::support::Fake;

/// One request for each final state of a job.
fn with_every_end() -> Scene {
    let mut scene = Scene::at(obedient());
    let words = [
        "accepted", "running", "done", "failed", "revoked", "missing", "refused", "unknown",
        "deferred",
    ];
    for word in words {
        let id = format!("{word}@x.test");
        scene.runs(&[&deletion_of(&id)[..], &["--ref", word]].concat());
    }
    scene
}

#[test]
fn there_is_no_request_yet() {
    let mut scene = Scene::usual();
    scene.shows(&["status"]);
    scene.operator.has_an_empty_ledger();
    snapshot!(scene.shows_both(&["status"]));
}

#[test]
fn one_deletion_waits() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    snapshot!(scene.shows_both(&["status", &name, "--cached"]));
}

#[test]
fn one_deletion_runs() {
    let mut scene = Scene::with_a_deletion_at(saying("STARTED"));
    let name = scene.request(1);
    snapshot!(scene.shows_both(&["status", &name]));
}

#[test]
fn one_deletion_is_done() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    let name = scene.request(1);
    snapshot!(
        scene
            .shows(&["status"])
            .shows_both(&["status", &name])
            .shows(&["status"])
    );
}

#[test]
fn one_export_is_done() {
    let mut scene = Scene::at(saying("SUCCESS"));
    scene.did(&["export", "--ccpa", "ids.csv"]);
    let name = scene.request(1);
    snapshot!(scene.shows(&["status"]).shows(&["status", &name]));
}

#[test]
fn a_request_of_several_jobs() {
    let mut scene = Scene::with(obedient(), "delete_batch = 1");
    let list = "distinct_id\ndone@x.test\nrefused@x.test\nfailed@x.test\naccepted@x.test\n";
    scene.operator.file("list.csv", list);
    scene.runs(&["delete", "--gdpr", "--yes", "list.csv"]);
    let name = scene.request(1);
    snapshot!(scene.shows_both(&["status", &name, "--refresh"]));
}

#[test]
fn the_list_of_requests_in_every_state() {
    let mut scene = with_every_end();
    snapshot!(
        scene
            .shows(&["status", "--refresh"])
            .shows(&["status", "--all", "--cached"])
    );
}

#[test]
fn the_plain_list_of_requests_in_every_state() {
    let mut scene = with_every_end();
    snapshot!(scene.plain(&["status", "--refresh", "--all"]));
}

#[test]
fn a_job_in_each_state_by_itself() {
    let mut scene = with_every_end();
    scene.runs(&["status", "--refresh"]);
    for number in 1..=9 {
        let name = scene.request(number);
        scene.shows(&["status", &name, "--cached"]);
    }
    snapshot!(scene);
}

#[test]
fn a_job_that_was_planned_and_one_that_is_being_sent() {
    let mut scene = Scene::with(Fake::start(), "delete_batch = 1");
    scene.operator.halts_at(crate::support::Halt::OutcomeOf(1));
    let sends = scene
        .operator
        .start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    scene.waits_for_a_post();
    while !scene.operator.is_held() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let name = scene.request(1);
    scene
        .shows(&["status", "--cached"])
        .shows(&["status", &name, "--cached"]);
    sends.kill();
    scene.operator.goes_on();
    snapshot!(scene.shows_both(&["status", &name, "--cached"]));
}

#[test]
fn a_request_is_due_soon_and_then_overdue() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    scene.lives_on("2026-04-13");
    scene
        .shows(&["status", "--cached"])
        .shows(&["status", &name, "--cached"]);
    scene.shows(&["status", "--due-within", "7d"]);
    scene.lives_on("2026-04-16");
    scene.shows(&["status", "--due-within", "1d"]);
    scene.lives_on("2026-04-20");
    scene
        .shows(&["status", "--cached"])
        .shows(&["status", &name, "--cached"]);
    snapshot!(scene.shows_both(&["status", "--overdue", "--exit-status"]));
}

#[test]
fn no_request_is_overdue() {
    let mut scene = Scene::with_a_deletion();
    snapshot!(
        scene
            .shows(&["status", "--overdue", "--exit-status"])
            .shows(&["status", "--due-within", "7d"])
    );
}

#[test]
fn requests_in_the_two_laws_and_of_two_kinds() {
    let mut scene = Scene::with_a_deletion();
    scene.did(&["export", "--ccpa", "ids.csv", "--ref", "T-2"]);
    scene.did(&[
        "export",
        "--gdpr",
        "--id",
        "user-7",
        "--received",
        "2026-03-02",
    ]);
    snapshot!(scene.shows_both(&["status", "--cached"]));
}

#[test]
fn only_changes_are_shown() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    snapshot!(
        scene
            .shows(&["status", "--changes"])
            .shows(&["status", "--changes"])
    );
}

#[test]
fn the_ids_of_a_request_are_shown() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    scene.shows_both(&["status", &name, "--show-ids"]);
    snapshot!(scene);
}

#[test]
fn the_ids_of_a_request_are_not_kept_any_more() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    let name = scene.request(1);
    snapshot!(
        scene
            .did(&["status"])
            .shows(&["status", &name, "--show-ids"])
    );
}
