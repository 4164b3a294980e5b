//! What a lookup needs before it asks, and what it says of its list.

use serde_json::json;

use super::{ask, mixpanel};
use crate::lookup::{answers, lookup};
use crate::preflight::{SECRET, USER, set_up};
use crate::support::Operator;

#[test]
fn nothing_is_asked_before_the_cheap_checks_are_done() {
    let fake = mixpanel(Vec::new());
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test"]);
    operator.file("there.csv", "mine");
    for (args, status, text) in [
        (&["ask.csv", "-o", "there.csv"][..], 2, "already exists"),
        (&["ask.csv", "-o", "nowhere/ids.csv"], 74, "nowhere"),
        (&["none.csv"], 2, "none.csv"),
        (&["ask.csv", "--identities", "none.csv"], 5, "none.csv"),
        (&["ask.csv", "--identities", "there.csv"], 5, "there.csv"),
        (&["ask.csv", "--identities", "-"], 5, "read only once"),
        (&["ask.csv", "--by", ""], 2, "--by"),
        (&["ask.csv", "--project", "mars"], 2, "mars"),
        (
            &["ask.csv", "--profiles", "users.csv", "--max-wait", "1s"],
            2,
            "--max-wait",
        ),
    ] {
        let outcome = operator.run(&[&["lookup"], args].concat());
        outcome.exits_with(status).says(text);
    }
    let without = set_up(&fake, "").without("DSR_SERVICE_ACCOUNT_FILE");
    ask(&without, &["anna@x.test"]);
    without
        .run(&["lookup", "ask.csv"])
        .exits_with(4)
        .says("DSR_SERVICE_ACCOUNT_FILE");
    let nameless = Operator::at(&fake);
    nameless
        .run(&["lookup", "anna@x.test"])
        .exits_with(2)
        .says("--project-id N");
    fake.was_not_called();
}

#[test]
fn the_number_of_the_project_may_come_from_the_environment() {
    let fake = mixpanel(vec![("user-1", json!("anna@x.test"))]);
    let mut operator = Operator::at(&fake).with("DSR_PROJECT_ID", "4242");
    let path = operator.private_file("account", format!("{USER}:{SECRET}\n"));
    operator.set("DSR_SERVICE_ACCOUNT_FILE", &path);
    lookup(&operator, &["anna@x.test"]).exits_with(0);
    assert_eq!(fake.calls()[0].query, "project_id=4242");
    let shown = operator
        .run(&["project", "show", "--json"])
        .exits_with(0)
        .json();
    assert!(shown.to_string().contains("4242"), "{shown}");
    let doctor = operator.run(&["doctor", "--offline", "--json"]).json();
    assert!(doctor.to_string().contains("DSR_PROJECT_ID"), "{doctor}");
    for wrong in ["0", "-1", "x", "4294967296", "4242 1"] {
        operator.set("DSR_PROJECT_ID", wrong);
        operator
            .run(&["lookup", "anna@x.test"])
            .exits_with(2)
            .says("DSR_PROJECT_ID");
    }
    let operator = set_up(&fake, "").with("DSR_PROJECT_ID", "4243");
    for args in [&["lookup", "anna@x.test"][..], &["export", "--gdpr", "a1"]] {
        operator
            .run(args)
            .exits_with(2)
            .says("DSR_PROJECT_ID")
            .says("config file");
    }
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn the_number_in_the_environment_is_of_one_project_only() {
    let fake = mixpanel(Vec::new());
    let operator = set_up(&fake, "").with("DSR_PROJECT_ID", "4242");
    let config = std::fs::read_to_string(operator.config_path()).unwrap();
    let one = config.replace("project_id = 4242\n", "");
    let other = "[projects.other]\ntoken = \"fedcba9876543210fedcba9876543210\"\nregion = \"us\"\n";
    operator.write_config(&format!("{one}\n{other}"));
    for project in ["shop", "other"] {
        let args = ["lookup", "anna@x.test", "--project", project];
        operator.run(&args).exits_with(2).says("project_id");
    }
    fake.was_not_called();
}

#[test]
fn a_rehearsal_may_begin_with_a_query_of_any_project() {
    let operator = Operator::new();
    operator.file(
        "ask.csv",
        "email\nalice@example.test\nbob@example.test\nnone@example.test\n",
    );
    for project in ["shop", "app"] {
        let args = [
            "--sandbox",
            "lookup",
            "--project",
            project,
            "ask.csv",
            "--json",
        ];
        let outcome = operator.run(&args);
        let words: Vec<String> = answers(outcome.exits_with(0))
            .into_iter()
            .map(|(word, _)| word)
            .collect();
        assert_eq!(words, ["several", "one", "none"]);
    }
}

#[test]
fn a_list_that_a_deletion_refuses_is_said_to_be_so() {
    let odd = ["1.5e3", "a,b", "a\"b", "a%40b"];
    let operator = Operator::new();
    let rows = odd.iter().zip(1..).map(|(id, n)| {
        json!({ "$distinct_id": id, "$properties": { "$email": format!("p{n}@x.test") } })
            .to_string()
            + "\n"
    });
    operator.file(
        "users.jsonl",
        format!(
            "{}{}\n",
            rows.collect::<String>(),
            json!({ "$distinct_id": "user-5", "$properties": { "$email": "p5@x.test" } })
        ),
    );
    operator.file(
        "ask.csv",
        "email\np1@x.test\np2@x.test\np3@x.test\np4@x.test\np5@x.test\n",
    );
    let outcome = operator.run(&[
        "lookup",
        "--profiles",
        "users.jsonl",
        "ask.csv",
        "-o",
        "ids.csv",
    ]);
    outcome
        .exits_with(0)
        .says("4 ids of the list look like damage (lines 2, 3, 4, 5)");
    for id in odd {
        outcome.never_says(id);
    }
    let delete = ["delete", "--gdpr", "--dry-run", "ids.csv"];
    operator
        .run(&["--sandbox"].into_iter().chain(delete).collect::<Vec<_>>())
        .exits_with(5);
    let allowed: Vec<&str> = odd.iter().flat_map(|id| ["--allow", id]).collect();
    let all = [&["--sandbox"][..], &delete, &allowed].concat();
    operator.run(&all).exits_with(0);
    operator.file("ask.csv", "email\np5@x.test\n");
    let plain = operator.run(&[
        "lookup",
        "--profiles",
        "users.jsonl",
        "ask.csv",
        "-o",
        "plain.csv",
    ]);
    plain.exits_with(0).never_says("look like damage");
}
