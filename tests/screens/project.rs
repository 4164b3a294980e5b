//! `dsr project`.

use crate::scene::{Scene, snapshot};
use crate::support::{Operator, PROJECT_TOKEN};

#[test]
fn a_project_is_added_and_shown() {
    let mut scene = Scene::of(Operator::new());
    let args = [
        "project",
        "add",
        "shop",
        "--region",
        "eu",
        "--data-groups",
        "2",
        "--with-token",
    ];
    scene
        .pipes_in(&args, PROJECT_TOKEN)
        .pipes_in(&args, PROJECT_TOKEN);
    snapshot!(
        scene
            .pipes(&["project", "show", "shop"])
            .plain(&["project", "show", "shop"])
    );
}

#[test]
fn a_project_is_added_by_hand() {
    let mut scene = Scene::of(Operator::new());
    let args = ["project", "add", "shop", "--region", "eu", "-q"];
    snapshot!(scene.types(&args, &[("(not shown): ", PROJECT_TOKEN)]));
}

#[test]
fn a_project_token_is_not_one() {
    let mut scene = Scene::of(Operator::new());
    let args = ["project", "add", "shop", "--region", "eu", "--with-token"];
    snapshot!(
        scene
            .pipes_in(&args, "2195193")
            .pipes_in(&args, "")
            .pipes_in(&args, "nonsense")
    );
}

#[test]
fn projects_are_listed() {
    let mut scene = Scene::of(Operator::new());
    scene.shows(&["project", "list"]);
    scene.operator.write_config(&format!(
        "default_project = \"app\"\n[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"eu\"\n\
         approvals = 1\n[projects.app]\ntoken = \"{}\"\nregion = \"us\"\n",
        "c4".repeat(16)
    ));
    snapshot!(scene.shows_both(&["project", "list"]));
}

#[test]
fn a_project_is_made_the_default_and_removed() {
    let mut scene = Scene::usual();
    scene
        .shows(&["project", "use", "shop"])
        .shows(&["project", "use", "shpo"]);
    scene.shows(&["project", "remove", "shop"]);
    snapshot!(scene.shows(&["project", "remove", "shop"]));
}

#[test]
fn a_setting_is_changed() {
    let mut scene = Scene::usual();
    scene.shows(&["project", "set", "shop", "--time-zone", "Europe/Berlin"]);
    scene.shows(&["project", "set", "shop", "--time-zone", "Europe/Bonn"]);
    snapshot!(scene.shows(&["project", "set", "shop", "--forget-limits"]));
}

#[test]
fn a_secret_cannot_be_kept_without_a_keyring() {
    let mut scene = Scene::usual();
    let args = ["project", "secret", "shop", "--with-secret"];
    snapshot!(scene.pipes_in(&args, &"0a".repeat(16)));
}
