//! `verify = true`: ids stay until profiles were asked for, and never longer than ten days.

use serde_json::json;

use super::mixpanel::{Mixpanel, PEOPLE, online, text};
use super::{LONG_AGO, event, people, soon};
use crate::support::Operator;

const DAY: i64 = 24 * 60 * 60;

fn kept(operator: &Operator) -> usize {
    operator.kept_ids().values().map(Vec::len).sum()
}

fn nothing_remains(operator: &Operator) {
    // Two digits are in any file.
    let ids = PEOPLE.iter().filter(|id| **id != "17");
    let ids: Vec<String> = ids.map(|id| (*id).to_owned()).collect();
    assert_eq!(operator.remains_of(&ids), []);
}

#[test]
fn ids_stay_until_the_profiles_of_everyone_were_asked_for() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("verify = true");
    let id = mixpanel.erases(&operator, &PEOPLE);
    assert_eq!(kept(&operator), 3);
    mixpanel.has_profiles(&["17"]);
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    // A check of files asks for no profile.
    operator.file("e.jsonl", super::lines(&[event("s", LONG_AGO)]));
    super::verify(&operator, &id, &["e.jsonl"]).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(kept(&operator), 3);
    let found = online(&operator, &[&id, "--json"]).exits_with(0).json();
    assert_eq!(people(&found), [2, 0, 1, 0, 0, 0], "{found}");
    let profiles = json!({ "with": 1, "without": 2, "not_asked": 0 });
    assert_eq!(found["profiles"], profiles);
    assert_eq!(mixpanel.asked().len(), 3);
    assert_eq!(kept(&operator), 0);
    nothing_remains(&operator);
    operator.run(&["audit", "verify"]).exits_with(0);
    // Now the list is needed.
    let found = online(&operator, &[&id, "--json"]).exits_with(0).json();
    assert_eq!(found["profiles"]["not_asked"], 3);
    assert_eq!(mixpanel.asked().len(), 3);
}

#[test]
fn ids_stay_ten_days_at_most() {
    let mixpanel = Mixpanel::start();
    let mut operator = mixpanel.operator("verify = true");
    mixpanel.erases(&operator, &PEOPLE);
    if !operator.shift_clock(10 * DAY - 600) {
        return;
    }
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(kept(&operator), 3);
    operator.shift_clock(10 * DAY + 60);
    // Another host, whose config file says nothing of it.
    let settings = operator.config_path();
    let text = std::fs::read_to_string(&settings).expect("a config file");
    operator.write_config(&text.replace("verify = true", ""));
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(kept(&operator), 0);
    nothing_remains(&operator);
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn only_deletions_that_were_made_with_the_setting_keep_their_ids() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    mixpanel.erases(&operator, &["done@x.test"]);
    assert_eq!(kept(&operator), 0);
    let set = operator.run(&["project", "set", "shop", "--verify", "on", "--json"]);
    assert_eq!(set.exits_with(0).json()["project"]["verify"], true);
    mixpanel.erases(&operator, &["17"]);
    assert_eq!(kept(&operator), 1);
    let set = operator.run(&["project", "set", "shop", "--verify", "off", "--json"]);
    assert_eq!(set.exits_with(0).json()["project"]["verify"], false);
    mixpanel.erases(&operator, &["$device:d-7"]);
    assert_eq!(kept(&operator), 1);
    let doctor = operator.run(&["doctor", "--offline"]);
    doctor.never_says("the ledger still has their ids");
}
