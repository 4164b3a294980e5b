//! `dsr auth`.

use crate::scene::{Scene, snapshot};
use crate::support::{Fake, OAUTH_TOKEN, Operator};

fn without_a_token() -> Scene {
    Scene::of(Operator::at(&Fake::start()).without("DSR_TOKEN"))
}

#[test]
fn a_token_is_in_the_environment() {
    let mut scene = Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.shows_both(&["auth", "status"]));
}

#[test]
fn the_day_of_a_token_is_not_known() {
    snapshot!(Scene::usual().shows(&["auth", "status"]).shows(&[
        "auth",
        "status",
        "--exit-status"
    ]));
}

#[test]
fn a_token_expires_soon() {
    let mut scene = Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2025-03-28");
    snapshot!(scene.shows_both(&["auth", "status", "--exit-status"]));
}

#[test]
fn a_token_is_expired() {
    let mut scene = Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2025-03-01");
    snapshot!(scene.shows(&["auth", "status"]));
}

#[test]
fn there_is_no_token_and_no_keyring() {
    snapshot!(without_a_token().shows_both(&["auth", "status"]));
}

#[test]
fn a_token_cannot_be_kept_without_a_keyring() {
    let mut scene = without_a_token();
    scene.pipes_in(&["auth", "login", "--with-token"], OAUTH_TOKEN);
    snapshot!(scene.shows(&["auth", "login"]).shows(&["auth", "logout"]));
}

#[test]
fn mixpanel_turned_a_token_away() {
    let mut scene = Scene::at(crate::mixpanel::refusing(401, "Invalid token"));
    scene.runs(&["export", "--gdpr", "ids.csv"]);
    snapshot!(scene.shows(&["auth", "status"]));
}

#[test]
fn the_ledger_key_is_shown_and_carried_elsewhere() {
    let mut scene = Scene::with_a_deletion();
    scene.pipes(&["auth", "ledger-key"]);
    snapshot!(scene.pipes(&["auth", "ledger-key", "--to", "key"]).pipes(&[
        "auth",
        "ledger-key",
        "--to",
        "key"
    ]));
}
