//! Warnings: what was found, where, why it matters, what to do.

use crate::scene::{Scene, snapshot};

fn plan_of(text: &str) -> Scene {
    let mut scene = Scene::usual();
    scene.operator.file("list.csv", text);
    scene.shows(&["export", "--ccpa", "list.csv", "--dry-run"]);
    scene
}

#[test]
fn a_third_of_the_ids_are_repeated() {
    let text = "distinct_id\nuser-1\nuser-2\nuser-3\nuser-1\nuser-2\n";
    snapshot!(plan_of(text).plain(&["export", "--ccpa", "list.csv", "--dry-run"]));
}

#[test]
fn ids_look_like_rounded_numbers() {
    snapshot!(plan_of(
        "distinct_id\n1234567890123450000\n9876543210987650000\n"
    ));
}

#[test]
fn one_id_has_another_form_than_the_others() {
    let mut text = "distinct_id\n".to_owned();
    for number in 0..200 {
        text.push_str(&format!("3e0b7f52-77aa-4c1e-9a4b-{number:012}\n"));
    }
    text.push_str("4711\n");
    snapshot!(plan_of(&text));
}

#[test]
fn the_token_expires_soon() {
    let mut scene = Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2025-03-28");
    scene.shows(&["export", "--ccpa", "ids.csv"]);
    snapshot!(scene.plain(&["export", "--ccpa", "ids.csv", "--new"]));
}
