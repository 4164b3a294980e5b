//! `dsr lookup`.

use crate::scene::{Scene, snapshot};

fn with_files() -> Scene {
    let scene = Scene::usual();
    let file = |name, text: &str| scene.operator.file(name, text).to_owned();
    file(
        "users.csv",
        "Distinct ID,Name,Email\nu1,A,anna@x.test\nu2,B,bob@x.test\nu3,B,bob@x.test\nu4,E,Eve@x.test\nu5,C,carl@x.test\n",
    );
    file(
        "emails.csv",
        "email\nanna@x.test\nbob@x.test\nnobody@x.test\neve@x.test\ncarl@x.test\n",
    );
    file(
        "identities.csv",
        "distinct_id,resolved_distinct_id\n$device:1,u1\nu5,u1\n$device:2,u2\nold,u2\n",
    );
    file("cut.csv", "distinct_id,email\nu1,anna@x.test\nu2,bo");
    file(
        "page.json",
        "{\"page\":0,\"total\":2,\"results\":[{\"$distinct_id\":\"u1\",\"$properties\":{\"$email\":\"anna@x.test\"}}]}",
    );
    scene
}

#[test]
fn ids_are_looked_up_and_written() {
    let args = [
        "lookup",
        "--profiles",
        "users.csv",
        "-o",
        "found.csv",
        "emails.csv",
    ];
    snapshot!(with_files().shows(&args));
}

#[test]
fn ids_are_looked_up_in_mixpanel() {
    let mut scene = Scene::usual();
    scene.operator.file(
        "emails.csv",
        "email\nalice@example.test\nbob@example.test\nnobody@example.test\nBob@example.test\n",
    );
    let args = ["--sandbox", "lookup", "-o", "found.csv", "emails.csv"];
    snapshot!(scene.shows(&args));
}

#[test]
fn values_that_cannot_be_asked_for_are_refused() {
    let mut scene = with_files();
    scene.operator.file(
        "odd.csv",
        "email\n\"anna\"\"@x.test\"\nbob@x.test\ncarl\\@x.test\n",
    );
    snapshot!(scene.shows(&["--sandbox", "lookup", "odd.csv"]));
}

#[test]
fn aliases_are_looked_up_too() {
    let args = [
        "lookup",
        "--profiles",
        "users.csv",
        "--identities",
        "identities.csv",
        "emails.csv",
    ];
    snapshot!(with_files().shows(&args));
}

#[test]
fn one_value_is_looked_up() {
    let mut scene = with_files();
    scene.shows(&["lookup", "--profiles", "users.csv", "anna@x.test"]);
    snapshot!(scene.shows(&["lookup", "--profiles", "users.csv", "nobody@x.test"]));
}

#[test]
fn profiles_that_may_be_incomplete_are_refused() {
    let mut scene = with_files();
    scene.shows(&["lookup", "--profiles", "cut.csv", "emails.csv"]);
    scene.shows(&["lookup", "--profiles", "page.json", "emails.csv"]);
    scene.shows(&[
        "lookup",
        "--profiles",
        "users.csv",
        "--by",
        "$phone",
        "--column",
        "email",
        "emails.csv",
    ]);
    snapshot!(scene.shows(&["lookup", "emails.csv"]));
}

#[test]
fn a_profile_has_no_usable_id() {
    let mut scene = with_files();
    scene.operator.file(
        "odd.csv",
        "distinct_id,email\nu1,anna@x.test\nnull,bob@x.test\nu2,carl@x.test\n$device:null,carl@x.test\n",
    );
    scene.shows(&["lookup", "--profiles", "odd.csv", "emails.csv"]);
    snapshot!(scene.shows(&["lookup", "--profiles", "odd.csv", "bob@x.test"]));
}
