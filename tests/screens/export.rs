//! `dsr export`, from the plan to the tasks.

use crate::mixpanel::{obedient, saying};
use crate::scene::{Scene, snapshot};

const OF_BOTH: [&str; 7] = [
    "export",
    "--gdpr",
    "--project",
    "shop",
    "--project",
    "app",
    "ids.csv",
];

#[test]
fn the_plan_of_an_export_under_the_gdpr() {
    let args = ["export", "--gdpr", "ids.csv", "--dry-run"];
    snapshot!(Scene::usual().shows_both(&args));
}

#[test]
fn the_plan_of_an_export_under_the_ccpa() {
    let args = ["export", "--ccpa", "ids.csv", "--dry-run"];
    snapshot!(Scene::usual().shows_both(&args));
}

#[test]
fn the_plan_of_categories_that_were_collected() {
    let args = [
        "export",
        "--ccpa",
        "--disclosure",
        "categories",
        "ids.csv",
        "--dry-run",
    ];
    snapshot!(Scene::usual().shows(&args));
}

#[test]
fn the_plan_of_several_projects() {
    let args = [&OF_BOTH[..], &["--dry-run"]].concat();
    snapshot!(with_two_projects().shows_both(&args));
}

#[test]
fn an_export_is_accepted() {
    let args = ["export", "--gdpr", "ids.csv", "--ref", "T-1234"];
    let again = ["export", "--gdpr", "ids.csv", "--new"];
    snapshot!(Scene::usual().shows(&args).plain(&again));
}

#[test]
fn an_export_of_one_id() {
    snapshot!(Scene::usual().shows(&["export", "--ccpa", "user-1001"]));
}

#[test]
fn an_export_of_several_projects_is_accepted() {
    snapshot!(with_two_projects().shows(&OF_BOTH));
}

#[test]
fn an_export_is_waited_for() {
    let args = ["export", "--gdpr", "ids.csv", "--wait"];
    snapshot!(Scene::at(saying("SUCCESS")).shows(&args));
}

#[test]
fn an_export_is_not_waited_for_any_longer() {
    let args = ["export", "--gdpr", "ids.csv", "--wait", "--timeout", "5s"];
    snapshot!(Scene::usual().shows(&args));
}

#[test]
fn a_failed_export_is_waited_for() {
    let args = ["export", "--gdpr", "--wait", "--id", "failed@x.test"];
    snapshot!(Scene::at(obedient()).shows(&args));
}

#[test]
fn an_export_that_was_asked_for_long_ago() {
    let args = ["export", "--gdpr", "ids.csv", "--received", "2026-02-20"];
    snapshot!(Scene::usual().shows(&args));
}

#[test]
fn an_export_that_is_overdue_already() {
    let args = [
        "export",
        "--ccpa",
        "ids.csv",
        "--received",
        "2025-12-01",
        "--dry-run",
    ];
    snapshot!(Scene::usual().shows(&args));
}

fn with_two_projects() -> Scene {
    let scene = Scene::usual();
    let config = std::fs::read_to_string(scene.operator.config_path()).unwrap();
    let token = "c4".repeat(16);
    scene.operator.write_config(&format!(
        "{config}[projects.app]\ntoken = \"{token}\"\nregion = \"us\"\nrate = 1000\n"
    ));
    scene
}
