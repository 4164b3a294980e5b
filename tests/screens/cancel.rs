//! `dsr cancel`.

use crate::mixpanel::{obedient, saying};
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, Reply, usual};

#[test]
fn a_deletion_is_cancelled() {
    let mut scene = Scene::with_a_deletion_at(saying("REVOKED"));
    let name = scene.request(1);
    snapshot!(scene.shows(&["cancel", &name]));
}

#[test]
fn a_cancelled_deletion_is_still_pending() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    snapshot!(scene.shows(&["cancel", &name]));
}

#[test]
fn a_deletion_has_started_already() {
    let mut scene = Scene::with_a_deletion_at(Fake::answering(|call| match call.method.as_str() {
        "DELETE" => Reply::error(405, "already started"),
        _ => usual(call),
    }));
    let name = scene.request(1);
    snapshot!(scene.shows(&["cancel", &name]));
}

#[test]
fn a_deletion_is_done_already() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    let name = scene.request(1);
    snapshot!(scene.did(&["status"]).shows(&["cancel", &name]));
}

#[test]
fn an_export_cannot_be_cancelled() {
    let mut scene = Scene::usual();
    scene.did(&["export", "--gdpr", "ids.csv"]);
    let name = scene.request(1);
    snapshot!(scene.shows(&["cancel", &name]));
}

#[test]
fn what_was_never_sent_is_withdrawn() {
    let mut scene = Scene::at(obedient());
    scene.runs(&[
        "delete",
        "--gdpr",
        "--yes",
        "--max-wait",
        "0s",
        "--id",
        "deferred@x.test",
    ]);
    let name = scene.request(1);
    snapshot!(scene.shows(&["cancel", &name]));
}

#[test]
fn an_unknown_deletion_cannot_be_cancelled() {
    let mut scene = Scene::at(obedient());
    scene.runs(&["delete", "--gdpr", "--yes", "--id", "unknown@x.test"]);
    let name = scene.request(1);
    snapshot!(scene.shows(&["cancel", &name]));
}
