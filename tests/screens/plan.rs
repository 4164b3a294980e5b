//! A plan, another person's approval, and applying it.

use crate::scene::{Scene, snapshot};
use crate::support::{Fake, has_accounts};

const PLAN: [&str; 5] = ["delete", "--gdpr", "ids.csv", "--plan", "erase.plan"];

fn with_a_plan() -> Scene {
    let mut scene = Scene::with(Fake::start(), "approvals = 1");
    scene.did(&PLAN);
    scene
}

/// Like `with_a_plan`, made by another account; `None` without one, which is printed.
fn with_anothers_plan() -> Option<Scene> {
    let mut scene = Scene::with(Fake::start(), "approvals = 1");
    has_accounts().then(|| {
        scene.another(&PLAN).exits_with(0);
        scene
    })
}

#[test]
fn a_plan_is_written() {
    let mut scene = Scene::with(Fake::start(), "approvals = 1");
    snapshot!(scene.pipes(&PLAN).pipes(&PLAN));
}

#[test]
fn a_plan_to_export_is_written() {
    let mut scene = Scene::usual();
    snapshot!(scene.plain(&["export", "--ccpa", "ids.csv", "--plan", "export.plan"]));
}

#[test]
fn a_plan_is_looked_at() {
    let mut scene = with_a_plan();
    let args = ["apply", "erase.plan", "--dry-run"];
    snapshot!(scene.pipes(&args).plain(&args));
}

#[test]
fn a_plan_is_not_approved_by_whoever_made_it() {
    snapshot!(with_a_plan().pipes(&["approve", "erase.plan", "--yes"]));
}

#[test]
fn a_plan_is_not_applied_without_an_approval() {
    snapshot!(with_a_plan().pipes(&["apply", "erase.plan", "--yes"]));
}

#[test]
fn an_approval_cannot_ask() {
    let Some(mut scene) = with_anothers_plan() else {
        return;
    };
    snapshot!(scene.pipes(&["approve", "erase.plan"]));
}

#[test]
fn a_plan_is_approved_and_applied() {
    let Some(mut scene) = with_anothers_plan() else {
        return;
    };
    let approve = ["approve", "erase.plan", "--yes"];
    scene.pipes(&approve).pipes(&approve);
    scene.pipes(&["apply", "erase.plan", "--yes", "--expect", "3"]);
    scene.pipes(&["apply", "erase.plan", "--yes"]);
    let name = scene.request(1);
    snapshot!(scene.pipes(&["status", &name, "--cached"]));
}

#[test]
fn a_plan_is_about_another_number_of_people() {
    let mut scene = Scene::usual();
    scene.did(&PLAN);
    scene.pipes(&["apply", "erase.plan", "--yes", "--expect", "4"]);
    snapshot!(scene.pipes(&["apply", "erase.plan", "--yes", "--digest", &"ab".repeat(32)]));
}

#[test]
fn a_plan_is_too_old() {
    let mut scene = Scene::usual();
    scene.did(&PLAN);
    snapshot!(
        scene
            .lives_on("2026-05-04")
            .pipes(&["apply", "erase.plan", "--yes"])
    );
}

#[test]
fn a_plan_was_changed() {
    let mut scene = Scene::usual();
    scene.did(&PLAN);
    let path = scene.operator.work().join("erase.plan");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("2026", "2027", 1)).unwrap();
    snapshot!(scene.pipes(&["apply", "erase.plan", "--yes"]));
}

#[test]
fn a_file_is_no_plan() {
    let mut scene = Scene::usual();
    snapshot!(
        scene
            .pipes(&["apply", "ids.csv", "--yes"])
            .pipes(&["approve", "no.plan"])
    );
}
