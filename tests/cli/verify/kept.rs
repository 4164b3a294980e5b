//! `verify = true`: ids stay until profiles were asked for, and never longer than ten days.

use serde_json::json;

use super::mixpanel::{Mixpanel, PEOPLE, online, text};
use super::{LONG_AGO, event, people, soon};
use crate::support::{Operator, shows, skips_on_postgres};

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
fn ids_stay_until_a_whole_check_finds_no_profile() {
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
    let profiles = json!({ "with": 1, "without": 2, "not_asked": 0, "found_before": null });
    assert_eq!(found["profiles"], profiles);
    assert_eq!(mixpanel.asked().len(), 3);
    assert_eq!(kept(&operator), 3, "one has a profile");
    // Such as of another project, which knows nobody.
    mixpanel.has_profiles(&[]);
    mixpanel.has_events(text(&[]));
    let args = [id.as_str(), "--json", "--exit-status"];
    let found = online(&operator, &args).exits_with(1).json();
    assert_eq!(found["profiles"]["found_before"]["count"], 1, "{found}");
    assert_eq!(kept(&operator), 3, "no event at all");
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    let found = online(&operator, &args).exits_with(0).json();
    assert_eq!(people(&found), [3, 0, 0, 0, 0, 0], "{found}");
    let none = json!({ "with": 0, "without": 3, "not_asked": 0, "found_before": null });
    assert_eq!(found["profiles"], none);
    assert_eq!(mixpanel.asked().len(), 9);
    assert_eq!(kept(&operator), 0);
    nothing_remains(&operator);
    operator.run(&["audit", "verify"]).exits_with(0);
    // Now the list is needed.
    let found = online(&operator, &args).exits_with(0).json();
    assert_eq!(found["profiles"]["not_asked"], 3);
    assert_eq!(mixpanel.asked().len(), 9);
}

#[test]
fn a_profile_that_was_found_is_not_forgotten_by_a_check_that_does_not_ask() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &PEOPLE);
    mixpanel.has_profiles(&["17", "$device:d-7"]);
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    let some = operator.file("some.csv", "id\n17\ndone@x.test\n");
    let all = operator.file("all.csv", format!("id\n{}\n", PEOPLE.join("\n")));
    let events = operator.file(
        "e.jsonl",
        super::lines(&[event("s", LONG_AGO), event("s", soon())]),
    );
    online(&operator, &[&id, "--ids", all, "--exit-status"]).exits_with(1);
    mixpanel.has_profiles(&[]);
    for args in [
        &[id.as_str()][..],
        &[&id, "--ids", some],
        &[&id, "--events", events],
        &["--since", "9d"],
        &["--since", "9d", "--events", events],
    ] {
        let args = [args, &["--exit-status"][..]].concat();
        let screen = online(&operator, &args);
        screen.exits_with(1);
        assert!(
            shows(&screen.stdout, "2 people had a profile on"),
            "{screen}"
        );
        assert!(shows(&screen.stdout, "`--ids FILE`"), "{screen}");
        assert!(!shows(&screen.stdout, "Nobody is present"), "{screen}");
        let found = online(&operator, &[&args[..], &["--json"]].concat());
        let found = found.exits_with(1).json();
        let one = found["requests"].get(0).unwrap_or(&found);
        assert_eq!(one["profiles"]["found_before"]["count"], 2, "{found}");
    }
    let report = operator.run(&["report", &id, "--json"]).json();
    let check = &report["report"]["evidence"]["request"]["erasure_check"];
    assert_eq!(check["found_before"]["count"], 2, "{check}");
    let page = operator.run(&["report", &id]).exits_with(0).stdout.clone();
    assert!(page.contains("2 people had a profile on"), "{page}");
    let log = operator.run(&["audit", "log"]);
    assert!(shows(&log.stdout, "2 had a profile before"), "{log}");
    // Everyone was asked about: the profiles are gone.
    online(&operator, &[&id, "--ids", all, "--exit-status"]).exits_with(0);
    online(&operator, &[&id, "--exit-status"]).exits_with(0);
    operator.run(&["audit", "verify"]).exits_with(0);
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
fn ids_that_are_overdue_are_hashed_before_any_command_uses_them() {
    for args in [
        &["verify", "REQUEST"][..],
        &["report", "REQUEST", "--with-ids"],
        &["ledger", "backup", "copy.db"],
        &["suppressions", "export", "--ids", "--output", "list.jsonl"],
        &["answered", "REQUEST", "--copy", "warehouse"],
    ] {
        let mixpanel = Mixpanel::start();
        let mut operator = mixpanel.operator("verify = true");
        let id = mixpanel.erases(&operator, &PEOPLE);
        mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
        let args = args.iter().map(|arg| match *arg {
            "REQUEST" => id.as_str(),
            arg => arg,
        });
        let args: Vec<&str> = args.collect();
        if !operator.shift_clock(10 * DAY + 60) {
            return;
        }
        operator.run(&args).exits_with(0).never_says("done@x.test");
        assert_eq!(mixpanel.asked(), [""; 0], "{args:?}");
        assert_eq!(kept(&operator), 0, "{args:?}");
        nothing_remains(&operator);
    }
}

#[test]
fn overdue_ids_that_cannot_be_hashed_are_not_used() {
    if skips_on_postgres("a server's ledger always has a key") {
        return;
    }
    let mixpanel = Mixpanel::start();
    let mut operator = mixpanel.operator("verify = true");
    let id = mixpanel.erases(&operator, &PEOPLE);
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    let shown = operator.run(&["status", &id, "--show-ids"]);
    assert!(shown.stdout.contains("done@x.test"), "{shown}");
    if !operator.shift_clock(10 * DAY + 60) {
        return;
    }
    std::fs::write(operator.key_path(), "not a key").expect("it is there");
    for args in [
        &["verify", id.as_str()][..],
        &["report", &id, "--with-ids"],
        &["report", &id, "--with-ids", "--json"],
        &["status", &id, "--show-ids"],
        &["status", &id, "--show-ids", "--json"],
        &["suppressions", "export", "--ids"],
    ] {
        operator.run(args).never_says("done@x.test");
        assert_eq!(mixpanel.asked(), [""; 0], "{args:?}");
        assert_eq!(kept(&operator), 3, "{args:?}");
    }
}

#[test]
fn a_clock_that_was_ahead_keeps_ids_no_longer() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("verify = true");
    mixpanel.erases(&operator, &PEOPLE);
    operator
        .change_ledger("UPDATE steps SET at = '2099-01-01T00:00:00.000Z' WHERE to_state = 'done'");
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(kept(&operator), 0);
    nothing_remains(&operator);
}

#[test]
fn ids_of_another_request_are_not_asked_about() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &PEOPLE);
    // Its ids are there until it is done.
    operator
        .run(&["delete", "--gdpr", "--yes", "--new", "--id", "17"])
        .exits_with(0);
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    let found = online(&operator, &[&id, "--json"]).exits_with(0).json();
    assert_eq!(found["profiles"]["not_asked"], 3, "{found}");
    assert_eq!(mixpanel.asked(), [""; 0]);
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
