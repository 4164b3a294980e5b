//! `dsr guide`.

use crate::scene::{Scene, snapshot};
use crate::support::Operator;

#[test]
fn the_topics_of_the_guide() {
    snapshot!(Scene::of(Operator::new()).shows_both(&["guide"]));
}

#[test]
fn what_a_deletion_does_not_do() {
    snapshot!(Scene::of(Operator::new()).shows_both(&["guide", "after-deletion"]));
}

#[test]
fn how_one_sdk_stops_collecting() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(scene.shows_both(&["guide", "opt-out", "--sdk", "swift"]));
}

#[test]
fn what_servers_do() {
    let mut scene = Scene::of(Operator::new());
    snapshot!(scene.shows(&["guide", "opt-out", "--sdk", "server"]));
}

#[test]
fn how_long_data_stays() {
    snapshot!(Scene::of(Operator::new()).shows(&["guide", "retention"]));
}

#[test]
fn a_topic_of_the_guide_is_not_known() {
    snapshot!(Scene::of(Operator::new()).shows(&["guide", "optout"]));
}
