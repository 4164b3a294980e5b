//! `dsr doctor`.

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, NOWHERE, Operator, Reply};

/// Offline, since the test's day is not the machine's.
const OFFLINE: [&str; 2] = ["doctor", "--offline"];

#[test]
fn nothing_is_set_up() {
    snapshot!(Scene::of(Operator::new()).pipes(&OFFLINE));
}

#[test]
fn all_is_well_on_this_machine() {
    let mut scene = Scene::with_a_deletion();
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.pipes(&OFFLINE).plain(&OFFLINE));
}

#[test]
fn mixpanel_is_asked() {
    let mut scene = Scene::at(saying("NOT_FOUND"));
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.pipes(&["doctor"]));
}

#[test]
fn mixpanel_refuses_the_token() {
    let refusing = Fake::answering(|_| Reply::error(401, "Invalid token"));
    let mut scene = Scene::at(refusing);
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    snapshot!(scene.pipes(&["doctor"]));
}

#[test]
fn mixpanel_cannot_be_reached() {
    let mut scene = Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-01-15");
    scene.operator.set("DSR_API_URL", NOWHERE);
    snapshot!(scene.pipes(&["doctor"]));
}

#[test]
fn a_sandbox_is_asked() {
    snapshot!(Scene::of(Operator::new()).pipes(&["--sandbox", "doctor", "--offline"]));
}
