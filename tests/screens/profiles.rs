//! `dsr profiles`.

use crate::scene::{Scene, snapshot};
use crate::support::{Fake, Reply};

const EXPIRE: [&str; 5] = [
    "--sandbox",
    "profiles",
    "expire",
    "--not-seen-for",
    "24months",
];

#[test]
fn profiles_that_nobody_saw_for_two_years_go() {
    let mut scene = Scene::usual();
    scene.shows_both(&[&EXPIRE[..], &["--dry-run"]].concat());
    scene.shows(&[&EXPIRE[..], &["--dry-run", "-o", "late.csv"]].concat());
    scene.types(&EXPIRE, &[("to confirm", "yes")]);
    scene.types(&EXPIRE, &[("to confirm", "2")]);
    snapshot!(scene.shows(&[&EXPIRE[..], &["--yes"]].concat()));
}

fn with_users() -> Scene {
    let scene = Scene::usual();
    let users = "distinct_id,$last_seen,plan\nu-1,2023-05-01T10:00:00,free\nu-2,2026-03-01T10:00:00,free\nu-3,,free\nu-4,last week,free\nundefined,2020-01-01,free\nu-5,2026-04-01,free\nu-6,2021-01-01,team\n";
    scene.operator.file("users.csv", users);
    scene
}

#[test]
fn what_is_kept_is_counted_and_a_share_protects_from_a_wrong_property() {
    let mut scene = with_users();
    let expire = [
        "profiles",
        "expire",
        "--not-seen-for",
        "24months",
        "--profiles",
        "users.csv",
        "--where",
        "plan=free",
    ];
    scene.shows(&[&expire[..], &["--dry-run"]].concat());
    scene.shows_both(&[&expire[..], &["--dry-run", "--at-most", "20%"]].concat());
    snapshot!(scene.pipes(&expire));
}

#[test]
fn the_profiles_of_a_list_go_and_their_events_stay() {
    let mut scene = Scene::usual();
    let delete = ["--sandbox", "profiles", "delete", "ids.csv"];
    scene.shows_both(&[&delete[..], &["--dry-run"]].concat());
    scene.types(&delete, &[("to confirm", "3")]);
    snapshot!(scene.shows(&["--sandbox", "status", "--all"]));
}

#[test]
fn an_answer_that_says_little_is_not_taken_for_more() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::text(200, "text/plain", "1"),
        1 => Reply::text(200, "text/plain", "0"),
        _ => Reply::error(401, "no"),
    });
    let mut scene = Scene::at(fake);
    let delete = ["profiles", "delete", "--yes", "ids.csv"];
    scene.pipes(&delete);
    scene.pipes(&delete);
    snapshot!(scene.pipes(&delete));
}
