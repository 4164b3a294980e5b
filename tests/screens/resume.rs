//! `dsr resume`: goes on after an interruption, and settles unknown jobs.

use crate::mixpanel::silent;
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, Reply};

#[test]
fn there_is_nothing_to_resume() {
    snapshot!(Scene::with_a_deletion().shows(&["resume"]));
}

#[test]
fn a_deferred_job_is_sent() {
    let fake = Fake::answering_post(0, Reply::error(429, "API is limited to 1 req/s"));
    let mut scene = Scene::at(fake);
    scene.runs(&["delete", "--gdpr", "--yes", "--max-wait", "0s", "ids.csv"]);
    snapshot!(scene.shows(&["resume"]));
}

#[test]
fn an_unknown_job_stays_unknown() {
    let mut scene = Scene::with_a_deletion_at(silent());
    let name = scene.request(1);
    scene.lives_on("2026-03-17");
    snapshot!(
        scene
            .shows(&["resume"])
            .shows(&["resume", &name])
            .plain(&["resume", &name])
    );
}

#[test]
fn an_unknown_job_became_this_task() {
    let mut scene = Scene::with_a_deletion_at(silent());
    let name = scene.request(1);
    let task = "3e0b7f52-77aa-4c1e-9a4b-0000000000a1";
    snapshot!(
        scene
            .lives_on("2026-03-17")
            .shows(&["resume", &name, "--task", task])
    );
}

#[test]
fn an_unknown_job_is_sent_again_and_stays_unknown() {
    let mut scene = Scene::with_a_deletion_at(silent());
    let name = scene.request(1);
    snapshot!(
        scene
            .lives_on("2026-03-17")
            .shows(&["resume", &name, "--send-again"])
    );
}

#[test]
fn an_unknown_job_is_given_up() {
    let mut scene = Scene::with_a_deletion_at(silent());
    let name = scene.request(1);
    scene
        .lives_on("2026-03-17")
        .shows(&["resume", &name, "--abandon"]);
    snapshot!(scene.shows(&["status", &name, "--cached"]));
}

#[test]
fn a_job_that_is_not_unknown_is_given_up() {
    let mut scene = Scene::with_a_deletion();
    let name = scene.request(1);
    snapshot!(scene.shows(&["resume", &name, "--abandon"]));
}

#[test]
fn one_of_several_unknown_jobs_is_meant() {
    let mut scene = Scene::with(silent(), "delete_batch = 1");
    scene.runs(&["delete", "--gdpr", "--yes", "ids.csv"]);
    let name = scene.request(1);
    scene.lives_on("2026-03-17");
    scene.runs(&["resume"]);
    snapshot!(scene.shows(&[
        "resume",
        &name,
        "--task",
        "3e0b7f52-77aa-4c1e-9a4b-0000000000a1"
    ]));
}
