//! `dsr delete`, from the plan and the question to the tasks.

use crate::mixpanel::{deletion_of, obedient, saying};
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, csv_of, people};

#[test]
fn the_plan_of_a_deletion_under_the_gdpr() {
    let args = ["delete", "--gdpr", "ids.csv", "--dry-run"];
    snapshot!(Scene::usual().shows_both(&args));
}

#[test]
fn the_plan_of_a_deletion_under_the_ccpa() {
    let args = ["delete", "--ccpa", "ids.csv", "--dry-run"];
    snapshot!(Scene::usual().shows_both(&args));
}

#[test]
fn the_plan_of_many_jobs() {
    let scene = &mut Scene::usual();
    scene
        .operator
        .file("many.csv", csv_of(&people(1234), Some(20)));
    let args = ["delete", "--gdpr", "many.csv", "--dry-run"];
    snapshot!(scene.shows_both(&args));
}

#[test]
fn the_plan_without_people_under_legal_hold() {
    let scene = &mut Scene::usual();
    scene.operator.file("hold.csv", "distinct_id\nuser-1002\n");
    let args = [
        "delete",
        "--gdpr",
        "ids.csv",
        "--exclude",
        "hold.csv",
        "--dry-run",
    ];
    snapshot!(scene.shows_both(&args));
}

#[test]
fn the_plan_of_hashed_ids() {
    let args = [
        "delete",
        "--gdpr",
        "ids.csv",
        "--hash",
        "sha256",
        "--dry-run",
    ];
    snapshot!(Scene::usual().shows(&args));
}

#[test]
fn a_deletion_asks_and_is_confirmed() {
    let answers = [("confirm (3): ", "3")];
    snapshot!(Scene::usual().types(&["delete", "--gdpr", "ids.csv"], &answers));
}

#[test]
fn a_deletion_asks_and_is_not_confirmed() {
    let answers = [("confirm (3): ", "yes")];
    snapshot!(Scene::usual().types(&["delete", "--gdpr", "ids.csv"], &answers));
}

#[test]
fn a_deletion_asks_in_plain_lines() {
    let answers = [("confirm (3): ", "4")];
    snapshot!(Scene::usual().types(&["delete", "--ccpa", "ids.csv", "--plain"], &answers));
}

#[test]
fn a_deletion_cannot_ask() {
    snapshot!(Scene::usual().shows(&["delete", "--gdpr", "ids.csv"]));
}

#[test]
fn a_deletion_is_accepted() {
    let args = ["delete", "--gdpr", "--yes", "--expect", "3", "ids.csv"];
    let again = [
        "delete", "--ccpa", "--yes", "--ref", "T-1", "ids.csv", "--new",
    ];
    snapshot!(Scene::usual().shows(&args).plain(&again));
}

#[test]
fn a_deletion_of_another_number_than_was_expected() {
    let args = ["delete", "--gdpr", "--yes", "--expect", "4", "ids.csv"];
    snapshot!(Scene::usual().shows(&args));
}

#[test]
fn a_deletion_of_several_jobs_is_waited_for() {
    let scene = &mut Scene::with(saying("SUCCESS"), "delete_batch = 2");
    snapshot!(scene.shows(&["delete", "--gdpr", "--yes", "ids.csv", "--wait"]));
}

#[test]
fn a_deletion_that_mixpanel_refuses() {
    let args = ["delete", "--gdpr", "--yes", "--id", "refused@x.test"];
    snapshot!(Scene::at(obedient()).shows(&args));
}

#[test]
fn a_deletion_of_which_one_job_is_refused() {
    let scene = &mut Scene::with(obedient(), "delete_batch = 1");
    scene
        .operator
        .file("two.csv", "distinct_id\nrefused@x.test\ndone@x.test\n");
    let args = ["delete", "--gdpr", "--yes", "two.csv"];
    snapshot!(scene.shows(&args).plain(&["status", "--cached", "--all"]));
}

#[test]
fn a_deletion_that_the_rate_limit_keeps_out() {
    snapshot!(Scene::at(obedient()).shows(&deletion_of("deferred@x.test")));
}

#[test]
fn a_deletion_of_which_nobody_knows_the_outcome() {
    let args = ["delete", "--gdpr", "--yes", "--id", "unknown@x.test"];
    snapshot!(Scene::at(obedient()).shows(&args));
}

#[test]
fn the_same_deletion_is_open_already() {
    let args = ["delete", "--gdpr", "--yes", "ids.csv"];
    snapshot!(Scene::usual().did(&args).shows(&args));
}

#[test]
fn a_deletion_needs_the_approval_of_another() {
    let scene = &mut Scene::with(Fake::start(), "approvals = 1");
    snapshot!(scene.shows(&["delete", "--gdpr", "--yes", "ids.csv"]));
}

#[test]
fn a_deletion_in_the_sandbox() {
    let args = ["--sandbox", "delete", "--gdpr", "--yes", "ids.csv"];
    snapshot!(Scene::usual().shows(&args));
}
