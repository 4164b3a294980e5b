//! `dsr answered`.

use crate::download::{of_one_member, with_an_export};
use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};
use crate::support::handing_out;

fn with_a_finished_deletion() -> (Scene, String) {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    scene.did(&["status"]);
    let name = scene.request(1);
    (scene, name)
}

#[test]
fn a_person_was_told_and_the_day_is_corrected() {
    let (mut scene, name) = with_a_finished_deletion();
    scene.lives_on("2026-03-20");
    scene.shows(&["answered", &name, "--manner", "by e-mail"]);
    scene.shows(&["answered", &name, "--on", "2026-03-19"]);
    snapshot!(scene.shows_both(&["status", &name]));
}

#[test]
fn a_person_was_told_before_mixpanel_had_finished() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    snapshot!(scene.shows(&["answered", &name]));
}

#[test]
fn a_person_was_told_while_packages_are_drafts() {
    let archive = of_one_member("notes.bin", "Dear reader");
    let (mut scene, name) = with_an_export(move |_| handing_out(&archive, ""));
    scene.pipes(&["answered", &name]);
    scene.runs(&["download", &name, "--to", "archives", "--split"]);
    snapshot!(scene.pipes(&["answered", &name]));
}

#[test]
fn a_person_was_told_after_the_deadline() {
    let (mut scene, name) = with_a_finished_deletion();
    snapshot!(scene.lives_on("2026-05-04").shows(&["answered", &name]));
}

#[test]
fn a_day_of_an_answer_is_impossible() {
    let (mut scene, name) = with_a_finished_deletion();
    scene.shows(&["answered", &name, "--on", "2026-03-01"]);
    scene.shows(&["answered", &name, "--on", "2026-04-01"]);
    snapshot!(scene.shows(&["answered", &name, "--manner", ""]));
}

#[test]
fn copies_are_dealt_with() {
    let (mut scene, name) = with_a_finished_deletion();
    scene.shows(&["status", &name, "--cached"]);
    let copies = ["--copy", "warehouse", "--copy", "raw exports"];
    scene.pipes(&[&["answered", &name][..], &copies].concat());
    scene.pipes(&["answered", &name, "--copy", "anna@example.test"]);
    scene.pipes(&["answered", &name, "--withdraw-copy", "warehouse"]);
    snapshot!(scene.plain(&["status", &name, "--cached"]));
}

#[test]
fn an_answer_is_missing() {
    let (mut scene, name) = with_a_finished_deletion();
    scene.did(&["answered", &name]);
    scene.did(&["delete", "--ccpa", "--yes", "--id", "user-7"]);
    scene.did(&["status"]);
    scene.lives_on("2026-04-13");
    snapshot!(
        scene
            .shows(&["status"])
            .shows(&["status", "--due-within", "30d"])
    );
}
