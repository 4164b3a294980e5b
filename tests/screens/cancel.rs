//! `dsr cancel`.

use crate::mixpanel::{deletion_of, obedient, saying};
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, Reply, usual};

fn cancelled(mut scene: Scene) -> Scene {
    let name = scene.request(1);
    scene.shows(&["cancel", &name]);
    scene
}

#[test]
fn a_deletion_is_cancelled() {
    snapshot!(cancelled(Scene::with_a_deletion_at(saying("REVOKED"))));
}

#[test]
fn a_cancelled_deletion_is_still_pending() {
    snapshot!(cancelled(Scene::with_a_deletion()));
}

#[test]
fn a_deletion_has_started_already() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "DELETE" => Reply::error(405, "already started"),
        _ => usual(call),
    });
    snapshot!(cancelled(Scene::with_a_deletion_at(fake)));
}

#[test]
fn a_deletion_is_done_already() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    scene.did(&["status"]);
    snapshot!(cancelled(scene));
}

#[test]
fn an_export_cannot_be_cancelled() {
    let mut scene = Scene::usual();
    scene.did(&["export", "--gdpr", "ids.csv"]);
    snapshot!(cancelled(scene));
}

#[test]
fn what_was_never_sent_is_withdrawn() {
    let mut scene = Scene::at(obedient());
    scene.runs(&deletion_of("deferred@x.test"));
    snapshot!(cancelled(scene));
}

#[test]
fn an_unknown_deletion_cannot_be_cancelled() {
    let mut scene = Scene::at(obedient());
    scene.runs(&["delete", "--gdpr", "--yes", "--id", "unknown@x.test"]);
    snapshot!(cancelled(scene));
}
