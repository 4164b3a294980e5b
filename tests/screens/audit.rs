//! `dsr audit`.

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};

#[test]
fn the_entries_of_a_deletion() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    let name = scene.request(1);
    scene.did(&["status"]).did(&["answered", &name]);
    snapshot!(scene.plain(&["audit", "log", &name]));
}

#[test]
fn the_last_entries() {
    let mut scene = Scene::with_a_deletion();
    // The columns' widths depend on the operator's name.
    let mut table = scene.runs(&["audit", "log", "--last", "2"]).stdout;
    while table.contains("  ") {
        table = table.replace("  ", " ");
    }
    snapshot!(scene.reads("dsr audit log --last 2", &table));
}

#[test]
fn the_head_of_the_trail() {
    snapshot!(Scene::with_a_deletion().pipes(&["audit", "head"]));
}

#[test]
fn the_trail_is_whole() {
    let mut scene = Scene::with_a_deletion();
    let head = scene.runs(&["audit", "head"]).stdout;
    scene.operator.file("heads", head);
    scene.shows_both(&["audit", "verify"]);
    snapshot!(scene.shows(&["audit", "verify", "--head", "heads"]));
}

#[test]
fn the_trail_was_changed() {
    let mut scene = Scene::with_a_deletion();
    let head = scene.runs(&["audit", "head"]).stdout;
    scene.operator.file("heads", head);
    scene
        .operator
        .change_trail("UPDATE jobs SET task_id = 'another'");
    scene.shows_both(&["audit", "verify"]);
    scene
        .operator
        .change_trail("DELETE FROM audit WHERE rowid = (SELECT MAX(rowid) FROM audit)");
    snapshot!(scene.shows(&["audit", "verify", "--head", "heads"]));
}

#[test]
fn a_head_is_of_another_ledger() {
    let mut scene = Scene::with_a_deletion();
    let head = format!("4:{}", "ab".repeat(32));
    snapshot!(
        scene
            .shows(&["audit", "verify", "--head", &head])
            .shows(&["audit", "verify", "--head", "nonsense"])
    );
}
