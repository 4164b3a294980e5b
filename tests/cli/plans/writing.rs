//! `--plan FILE`: what is in the file, and what is not.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use super::{PLAN, came_to_nothing, digest_of, plan_text, with_people, with_plan};
use crate::support::{Fake, NOWHERE, Operator, Running, people};

#[test]
fn a_plan_is_written_without_a_token_and_nothing_is_sent_or_recorded() {
    let fake = Fake::start();
    let operator = with_people(&fake, "", 1234).without("DSR_TOKEN");
    let args = [&PLAN[..], &["--ref", "T-7", "--json"]].concat();
    let outcome = operator.run(&args);
    let json = outcome.exits_with(0).json();
    let plan = &json["plan"];
    assert_eq!(json["request"]["id"], Value::Null);
    assert_eq!(json["request"]["jobs"].as_array().unwrap().len(), 3);
    assert_eq!(plan["digest"], digest_of(&operator).as_str());
    assert_eq!(
        (&plan["kind"], &plan["law"]),
        (&"delete".into(), &"gdpr".into())
    );
    assert_eq!(
        (&plan["project"], &plan["ref"]),
        (&"shop".into(), &"T-7".into())
    );
    assert_eq!(plan["ids"]["unique"], 1234);
    assert_eq!(
        plan["ids"]["duplicates"],
        json["request"]["ids"]["duplicates"]
    );
    assert_eq!(plan["limits"]["batch"], 500);
    assert_eq!(plan["limits"]["jobs"], 3);
    assert_eq!(plan["due"], json["request"]["due"]);
    assert_eq!(plan["approvals"], Value::Array(vec![]));
    came_to_nothing(&operator, &fake);
    let again = operator.run(&["status", "--all", "--cached"]);
    again.exits_with(0);
    assert!(operator.requests().is_empty());
}

#[test]
fn the_file_is_for_its_owner_alone_and_names_nobody() {
    let fake = Fake::start();
    let operator = with_people(&fake, "", 30);
    let command = operator.command_after("umask 0", &PLAN);
    let outcome = Running::start(command, "").end();
    outcome.exits_with(0).says("dsr approve erase.plan");
    assert!(outcome.stdout.contains(&digest_of(&operator)), "{outcome}");
    let path = operator.work().join("erase.plan");
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = plan_text(&operator);
    for id in people(30) {
        assert!(!text.contains(&id));
    }
    assert!(text.contains("\"user\": \""));
}

#[test]
fn what_is_in_its_place_stays_as_it_is() {
    let fake = Fake::start();
    let operator = with_people(&fake, "", 3);
    operator.file("erase.plan", "mine");
    let json = operator.run(&[&PLAN[..], &["--json"]].concat());
    assert_eq!(json.exits_with(2).failure()["kind"], "exists");
    assert_eq!(plan_text(&operator), "mine");
    let place = operator.work().join("erase.plan");
    std::fs::remove_file(&place).unwrap();
    symlink(operator.work().join("victim"), &place).unwrap();
    operator.run(&PLAN).exits_with(2).says("already exists");
    assert!(!operator.work().join("victim").exists());
    assert!(place.is_symlink());
}

#[test]
fn what_cannot_be_planned_leaves_no_file() {
    let fake = Fake::start();
    let operator = with_people(&fake, "", 3);
    operator.file("bad.csv", "distinct_id\na1\n1.23E+12\n");
    for (args, status) in [
        (&["delete", "--gdpr", "bad.csv", "--plan", "p"][..], 5),
        (
            &[
                "delete", "--gdpr", "ids.csv", "--expect", "9", "--plan", "p",
            ],
            5,
        ),
        (&["delete", "--gdpr", "ids.csv", "--plan", "missing/p"], 74),
        (&["delete", "--gdpr", "ids.csv", "--plan", "p", "--wait"], 2),
        (
            &["delete", "--gdpr", "ids.csv", "--plan", "p", "--dry-run"],
            2,
        ),
        (
            &[
                "export",
                "--gdpr",
                "ids.csv",
                "--plan",
                "p",
                "--project",
                "shop",
                "--project",
                "app",
            ],
            2,
        ),
    ] {
        operator.run(args).exits_with(status);
        assert!(!operator.work().join("p").exists(), "{args:?}");
    }
    let names = std::fs::read_dir(operator.work()).unwrap();
    assert_eq!(names.count(), 2, "the sources");
    came_to_nothing(&operator, &fake);
}

#[test]
fn without_a_ledger_key_there_is_no_plan_and_the_way_out_is_said() {
    let fake = Fake::start();
    let operator = with_people(&fake, "", 3).without("DSR_LEDGER_KEY_FILE");
    let outcome = operator.run(&PLAN);
    outcome.exits_with(2).says("dsr auth ledger-key --to FILE");
    assert!(!operator.work().join("erase.plan").exists());
}

#[test]
fn anybody_can_look_at_a_plan_without_key_token_or_project() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 1234);
    let stranger = Operator::new().with("DSR_API_URL", NOWHERE);
    stranger.file("erase.plan", plan_text(&operator));
    let look = stranger.run(&["apply", "erase.plan", "--dry-run"]);
    look.exits_with(0).says("cannot apply this plan");
    for text in [
        "shop (us)",
        "1,234 unique",
        "GDPR",
        "3 jobs",
        &digest_of(&operator),
    ] {
        assert!(look.stdout.contains(text), "no `{text}`\n{look}");
    }
    let json = stranger.run(&["apply", "erase.plan", "--dry-run", "--json"]);
    let json = json.exits_with(0).json();
    assert_eq!(json["plan"]["approvals_checked"], false);
    assert_eq!(json["plan"]["ids"]["unique"], 1234);
    assert!(!stranger.dsr_home().join("ledger.db").exists());
}
