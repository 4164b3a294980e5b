//! `dsr purge`: removes records that were kept long enough, and nothing else.

use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Fake, Operator, Reply, Terminal, object_reply};

const OLD: &str = "2020-05-31T12:00:00.000Z";

fn done() -> Fake {
    let results = json!({ "status": "SUCCESS", "distinct_ids": [] });
    let status = Reply::json(200, &json!({ "status": "ok", "results": results }));
    Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => status.clone(),
    })
}

/// One request closed in 2020, one closed just now, and one from 2020 that is still open.
fn with_records(fake: &Fake) -> Operator {
    let operator = with_key(fake, "rate = 1000");
    for id in ["old@x.test", "open@x.test", "young@x.test"] {
        operator
            .run(&["delete", "--gdpr", "--yes", id])
            .exits_with(0);
        operator.run(&["status", "--refresh"]).exits_with(0);
        if id != "young@x.test" {
            operator.change_ledger(&format!(
                "UPDATE requests SET created = '{OLD}';
                 UPDATE steps SET at = '{OLD}';
                 UPDATE jobs SET submitted_at = '{OLD}', checked_at = '{OLD}';"
            ));
        }
    }
    operator.change_ledger("UPDATE jobs SET state = 'accepted' WHERE task_id = 't-1'");
    operator
}

fn tasks(operator: &Operator) -> Vec<String> {
    operator.ledger_texts("SELECT task_id FROM jobs ORDER BY task_id")
}

#[test]
fn only_what_was_closed_long_enough_ago_goes_and_a_note_of_it_stays() {
    let fake = done();
    let operator = with_records(&fake);
    let calls = fake.calls().len();
    let subjects = "SELECT subject_request_id FROM jobs ORDER BY task_id";
    let subjects = operator.ledger_texts(subjects);
    let dry = ["purge", "--older-than", "3years", "--dry-run", "--json"];
    let shown = operator.run(&dry).exits_with(0).json();
    assert_eq!(shown["found"]["requests"], 1);
    assert_eq!(shown["found"]["first_closed"], OLD);
    assert_eq!(shown["purged"], Value::Null);
    assert_eq!(tasks(&operator), ["t-0", "t-1", "t-2"]);

    let purged = operator.run(&["purge", "--older-than", "3years", "--yes", "--json"]);
    let purged = purged.exits_with(0).json();
    assert_eq!(
        purged["purged"],
        json!({
            "requests": 1, "ids": 1, "first_closed": OLD, "last_closed": OLD,
        })
    );
    assert_eq!(purged["purges"].as_array().unwrap().len(), 1);
    assert_eq!(tasks(&operator), ["t-1", "t-2"]);
    assert_eq!(fake.calls().len(), calls, "Mixpanel is not told");

    let stays = operator.run(&["find", "old@x.test", "--json"]).json();
    assert_eq!(stays["found"], 1, "what the suppression list still says");
    let missing = operator.run(&["find", "nobody@x.test", "--json"]).json();
    assert_eq!(missing["found"], 0);
    assert_eq!(missing["warnings"][0]["kind"], "purged");
    let others = operator.run(&[
        "find",
        "--id",
        "open@x.test",
        "--id",
        "young@x.test",
        "--json",
    ]);
    assert_eq!(others.json()["found"], 2);
    let again = operator.run(&["purge", "--older-than", "3years", "--yes", "--json"]);
    assert_eq!(again.exits_with(0).json()["found"], Value::Null);
    let bytes = operator.ledger_bytes();
    // Tasks stay in the audit trail; the pages of the ledger hold nothing else of the request.
    let holds = |name: &str| {
        bytes
            .windows(name.len())
            .any(|part| part == name.as_bytes())
    };
    assert!(
        holds(&subjects[1]) && !holds(&subjects[0]),
        "it is in no page"
    );
}

#[test]
fn less_than_24_months_is_refused_with_the_rule() {
    let fake = done();
    let operator = with_records(&fake);
    for older in ["23months", "1y", "700d", "2999-01-01"] {
        let outcome = operator.run(&["purge", "--older-than", older, "--yes"]);
        outcome.exits_with(2).says("24 months").says("7101");
    }
    for older in ["soon", "-3years", "24"] {
        operator
            .run(&["purge", &format!("--older-than={older}"), "--yes"])
            .exits_with(2);
    }
    operator.run(&["purge", "--yes"]).exits_with(2);
    assert_eq!(tasks(&operator).len(), 3);
    operator
        .run(&["purge", "--older-than", "24months", "--yes"])
        .exits_with(0);
    assert_eq!(tasks(&operator).len(), 2);
}

#[test]
fn nothing_goes_unless_the_number_is_typed() {
    let fake = done();
    let operator = with_records(&fake);
    let purge = ["purge", "--older-than", "3years"];
    let alone = operator.run(&purge);
    alone.exits_with(2).says("--yes");
    let mut terminal = Terminal::start(operator.command(&purge));
    terminal.sees("Type the number of requests to confirm (1): ");
    terminal.types("2");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    assert!(
        screen.contains("You did not type 1. Nothing was removed."),
        "{screen}"
    );
    assert_eq!(tasks(&operator).len(), 3);
    let mut terminal = Terminal::start(operator.command(&purge));
    terminal.sees("closed before");
    terminal.sees("(1): ");
    terminal.types("1");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert_eq!(tasks(&operator), ["t-1", "t-2"]);
}

#[test]
fn a_purge_that_cannot_be_written_removes_nothing() {
    let fake = done();
    let operator = with_records(&fake);
    operator.fails_before("INSERT ON purges");
    let before = operator.ledger_texts("SELECT request || to_state FROM steps ORDER BY 1");
    let outcome = operator.run(&["purge", "--older-than", "3years", "--yes"]);
    assert_ne!(outcome.status, Some(0), "{outcome}");
    let after = operator.ledger_texts("SELECT request || to_state FROM steps ORDER BY 1");
    assert_eq!(before, after);
    assert_eq!(tasks(&operator).len(), 3);
}
