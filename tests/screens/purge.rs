//! `dsr purge`.

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};

const OLD: [&str; 3] = ["purge", "--older-than", "3years"];

fn with_an_old_request() -> Scene {
    let mut scene = Scene::at(saying("SUCCESS"));
    scene
        .lives_on("2022-03-14")
        .did(&["delete", "--gdpr", "--yes", "ids.csv"])
        .did(&["status"]);
    scene.lives_on("2026-03-16");
    scene
}

#[test]
fn old_records_are_shown_and_removed() {
    let mut scene = with_an_old_request();
    scene.shows_both(&[&OLD[..], &["--dry-run"]].concat());
    scene.keeps_names();
    snapshot!(
        scene
            .shows(&[&OLD[..], &["--yes"]].concat())
            .shows(&["audit", "verify"])
    );
}

#[test]
fn a_removal_asks() {
    let mut scene = with_an_old_request();
    scene.shows(&OLD);
    snapshot!(scene.types(&OLD, &[("confirm", "no")]));
}

#[test]
fn there_is_nothing_old() {
    snapshot!(Scene::with_a_deletion().shows(&[&OLD[..], &["--yes"]].concat()));
}

#[test]
fn records_are_too_young_to_be_removed() {
    let mut scene = with_an_old_request();
    snapshot!(scene.shows(&["purge", "--older-than", "3months", "--yes"]));
}
