//! `dsr find`.

use crate::mixpanel::obedient;
use crate::scene::{Scene, snapshot};

fn with_records() -> Scene {
    let mut scene = Scene::at(obedient());
    let delete = [
        "delete",
        "--gdpr",
        "--yes",
        "--ref",
        "T-1",
        "--id",
        "done@x.test",
    ];
    scene.did(&[&delete[..], &["--id", "both@x.test"]].concat());
    scene.did(&[
        "export",
        "--ccpa",
        "--id",
        "waits@x.test",
        "--id",
        "both@x.test",
    ]);
    scene.did(&["status", "--refresh"]);
    scene
}

#[test]
fn people_are_found() {
    let mut scene = with_records();
    let args = [
        "find",
        "--id",
        "done@x.test",
        "--id",
        "both@x.test",
        "--id",
        "nobody@x.test",
    ];
    snapshot!(scene.shows_both(&args));
}

#[test]
fn nobody_is_found() {
    snapshot!(with_records().shows(&["find", "--id", "nobody@x.test"]));
}

#[test]
fn people_of_a_file_are_found_by_their_lines() {
    let mut scene = with_records();
    scene
        .operator
        .file("ask.csv", "distinct_id\nnobody@x.test\nboth@x.test\n");
    snapshot!(scene.shows(&["find", "ask.csv"]));
}

#[test]
fn somebody_is_sought_without_a_ledger() {
    snapshot!(Scene::usual().pipes(&["find", "--id", "done@x.test"]));
}
