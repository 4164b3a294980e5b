//! `dsr extend`.

use crate::scene::{Scene, snapshot};

const REASON: [&str; 2] = ["--reason", "over 400 requests since March"];

#[test]
fn a_request_under_the_gdpr_is_extended_once() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    let args = [&["extend", &name][..], &REASON].concat();
    snapshot!(
        scene
            .shows(&args)
            .shows(&args)
            .shows(&["status", &name, "--cached"])
    );
}

#[test]
fn a_request_under_the_ccpa_is_extended() {
    let mut scene = Scene::usual();
    scene.did(&["export", "--ccpa", "ids.csv"]);
    let name = scene.request(1);
    snapshot!(scene.plain(&[&["extend", &name][..], &REASON].concat()));
}

#[test]
fn it_is_too_late_to_extend() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    scene.lives_on("2026-04-20");
    snapshot!(scene.shows(&[&["extend", &name][..], &REASON].concat()));
}

#[test]
fn no_reason_is_given() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    snapshot!(
        scene
            .shows(&["extend", &name])
            .shows(&["extend", &name, "--reason", " "])
    );
}
