//! `dsr lookup` that asks Mixpanel: what goes over the wire, what is taken of the answers, and what
//! is never sent.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lookup::{answers, listed, lookup};
use crate::preflight::{SECRET, USER, set_up};
use crate::support::{Call, Fake, Operator, Outcome, Reply};

mod doubts;
mod identities;
mod settings;
mod turns;

/// A profile: its id, and its `$email` as JSON.
type Profile = (&'static str, Value);

fn field(call: &Call, name: &str) -> Option<String> {
    let form = call.body.as_str().expect("a form");
    let mut fields = url::form_urlencoded::parse(form.as_bytes());
    let found = fields.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

/// The values that a query asks for. Panics unless the expression has only documented forms.
pub(crate) fn values(call: &Call) -> Vec<String> {
    let expression = field(call, "where").expect("a query of values");
    let one = |part: &str| {
        let rest = part.strip_prefix("properties[\"$email\"] == \"");
        let value = rest.and_then(|rest| rest.strip_suffix('"'));
        let value = value.expect("a documented comparison");
        assert!(!value.contains(['"', '\\']), "{expression}");
        value.to_owned()
    };
    expression.split(" or ").map(one).collect()
}

fn row((id, email): &Profile) -> Value {
    let id = id.parse::<u64>().map_or(json!(id), |number| json!(number));
    json!({ "$distinct_id": id, "$properties": { "$email": email } })
}

fn page(rows: &[Value]) -> Value {
    json!({
        "page": 0, "page_size": 1000, "session_id": "1-A", "status": "ok", "total": rows.len(),
        "results": rows,
    })
}

/// Answers as Mixpanel does: `==` is false between different types.
fn mixpanel(profiles: Vec<Profile>) -> Fake {
    Fake::answering(move |call| {
        let asked = values(call);
        let has =
            |(_, email): &&Profile| email.as_str().is_some_and(|e| asked.iter().any(|a| a == e));
        let rows: Vec<Value> = profiles.iter().filter(has).map(row).collect();
        Reply::json(200, &page(&rows))
    })
}

fn ask(operator: &Operator, values: &[&str]) {
    let quoted = |value: &&str| format!("\"{}\"\n", value.replace('"', "\"\""));
    let rows: String = values.iter().map(quoted).collect();
    operator.file("ask.csv", format!("email\n{rows}"));
}

fn names_nobody(outcome: &Outcome) {
    for text in ["x.test", "user-", "4711", USER, SECRET] {
        outcome.never_says(text);
    }
}

#[test]
fn the_answers_are_those_of_the_offline_way() {
    let profiles = || {
        vec![
            ("user-1", json!("anna@x.test")),
            ("user-2", json!("bob@x.test")),
            ("user-3", json!("bob@x.test")),
            ("4711", json!("dora d@x.test")),
            ("user-5", json!("zo\u{eb}@x.test")),
            ("user-6", json!("Eve@x.test")),
        ]
    };
    let fake = mixpanel(profiles());
    let operator = set_up(&fake, "");
    ask(
        &operator,
        &[
            "bob@x.test",
            "anna@x.test",
            "no@x.test",
            "ANNA@x.test",
            "dora d@x.test",
            " bob@x.test",
            "zoe\u{308}@x.test",
            "bob@x.test",
            "Eve@x.test",
        ],
    );
    let outcome = lookup(&operator, &["ask.csv", "-o", "online.csv"]);
    outcome.exits_with(0);
    names_nobody(&outcome);
    let rows: Vec<String> = profiles()
        .iter()
        .map(|(id, email)| format!("{id},{}\n", email.as_str().unwrap()))
        .collect();
    operator.file("users.csv", format!("distinct_id,email\n{}", rows.concat()));
    let offline = lookup(
        &operator,
        &["--profiles", "users.csv", "ask.csv", "-o", "offline.csv"],
    );
    assert_eq!(answers(&outcome), answers(offline.exits_with(0)));
    assert_eq!(
        listed(&operator, "online.csv"),
        listed(&operator, "offline.csv")
    );
    assert_eq!(outcome.json()["lines"], offline.json()["lines"]);
    assert_eq!(
        outcome.json()["asked"],
        json!({ "project": "shop", "values": 8, "queries": 1 })
    );

    let calls = fake.calls();
    let [call] = &calls[..] else {
        panic!("one call, and nothing else: {calls:#?}");
    };
    assert_eq!(
        (call.path.as_str(), call.query.as_str()),
        ("/api/query/engage", "project_id=4242")
    );
    assert_eq!(
        field(call, "output_properties").as_deref(),
        Some(r#"["$email"]"#)
    );
    assert_eq!(field(call, "distinct_ids"), None);
    let sent = values(call);
    for value in [
        " bob@x.test",
        "dora d@x.test",
        "zoe\u{308}@x.test",
        "ANNA@x.test",
        "Eve@x.test",
    ] {
        assert!(
            sent.contains(&value.to_owned()),
            "{value} is sent as it is: {sent:?}"
        );
    }
    let plan = ["delete", "--gdpr", "--dry-run", "online.csv", "--json"];
    assert_eq!(
        operator.run(&plan).exits_with(0).json()["request"]["ids"]["unique"],
        5
    );
}

#[test]
fn a_value_that_mixpanel_cannot_be_asked_for_is_refused_before_anything_is_sent() {
    let fake = mixpanel(Vec::new());
    let operator = set_up(&fake, "");
    for odd in [
        "a\"b@x.test",
        "a\\b@x.test",
        "a\tb@x.test",
        "a\u{1}b@x.test",
        "a\u{85}b@x.test",
    ] {
        ask(&operator, &["anna@x.test", odd, "bob@x.test", odd]);
        let outcome = operator.run(&["lookup", "ask.csv", "-o", "found.csv"]);
        outcome.exits_with(5).says("2 values cannot be asked for");
        outcome
            .says("line 3")
            .says("line 5")
            .says("--profiles FILE");
        names_nobody(&outcome);
    }
    ask(&operator, &["anna@x.test"]);
    for by in ["a\"b", "a\\b", "a\nb"] {
        let outcome = operator.run(&["lookup", "ask.csv", "--by", by, "--column", "email"]);
        outcome.exits_with(2).says("--profiles FILE");
    }
    operator.file("users.csv", "distinct_id,email\nuser-1,anna@x.test\n");
    let offline = ["--profiles", "users.csv", "--id", "a\"b@x.test"];
    assert_eq!(
        answers(lookup(&operator, &offline).exits_with(0))[0].0,
        "none"
    );
    fake.was_not_called();
    assert!(!operator.work().join("found.csv").exists());
    assert!(!operator.dsr_home().join("ledger.db").exists());
}

#[test]
fn every_page_of_every_batch_is_read() {
    let fake = Fake::answering(|call| {
        let asked = values(call);
        let number = field(call, "page").map_or(0, |page| page.parse().expect("a number"));
        let session = format!("s-{}", asked[0]);
        if number > 0 {
            assert_eq!(field(call, "session_id"), Some(session.clone()));
        }
        let rows: Vec<Value> = asked.iter().skip(number * 90).take(90).collect::<Vec<_>>().iter()
            .map(|value| json!({ "$distinct_id": format!("user-{value}"), "$properties": { "$email": value } }))
            .collect();
        let mut page = page(&rows);
        page["page"] = json!(number);
        page["page_size"] = json!(90);
        page["session_id"] = json!(session);
        page["total"] = json!(asked.len());
        Reply::json(200, &page)
    });
    let operator = set_up(&fake, "");
    let many: Vec<String> = (0..450).map(|n| format!("p{n}@x.test")).collect();
    let asked: Vec<&str> = many.iter().map(String::as_str).collect();
    ask(&operator, &asked);
    let outcome = lookup(&operator, &["ask.csv", "-o", "found.csv"]);
    outcome.exits_with(0);
    assert_eq!(outcome.json()["answers"]["one"], 450);
    assert_eq!(outcome.json()["asked"]["queries"], 7, "pages of 90");
    assert_eq!(listed(&operator, "found.csv").len(), 450);
    for call in fake.calls() {
        assert!(values(&call).len() <= 200);
        assert!(field(&call, "where").unwrap().len() <= 16 * 1024);
    }
    // Long values make short batches.
    let long: Vec<String> = (0..20)
        .map(|n| format!("{n:03}{}@x.test", "p".repeat(2000)))
        .collect();
    let asked: Vec<&str> = long.iter().map(String::as_str).collect();
    ask(&operator, &asked);
    let before = fake.calls().len();
    lookup(&operator, &["ask.csv"]).exits_with(0);
    let calls = fake.calls().split_off(before);
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert!(field(&call, "where").unwrap().len() <= 16 * 1024);
    }
}

#[test]
fn a_lookup_keeps_to_the_hours_queries_and_leaves_one_entry_without_a_value() {
    let fake = mixpanel(vec![("user-1", json!("p1@x.test"))]);
    let operator = set_up(&fake, "queries_per_hour = 2");
    let many: Vec<String> = (0..401).map(|n| format!("p{n}@x.test")).collect();
    let asked: Vec<&str> = many.iter().map(String::as_str).collect();
    ask(&operator, &asked);
    let outcome = operator.run(&["lookup", "ask.csv", "-o", "found.csv"]);
    outcome
        .exits_with(75)
        .says("401 values")
        .says("3 queries")
        .says("--max-wait");
    fake.was_not_called();
    ask(&operator, &asked[..3]);
    lookup(&operator, &["ask.csv"]).exits_with(0);
    lookup(&operator, &["ask.csv"]).exits_with(0);
    operator.run(&["lookup", "ask.csv"]).exits_with(75);
    assert_eq!(fake.calls().len(), 2);
    let waiting = operator.start(&["lookup", "ask.csv", "--max-wait", "3h", "-o", "found.csv"]);
    std::thread::sleep(Duration::from_secs(2));
    waiting.signal("INT");
    let outcome = waiting.end();
    outcome.exits_with(130).says("no list was written");
    assert_eq!(fake.calls().len(), 2);
    assert!(!operator.work().join("found.csv").exists());
    let log = operator
        .run(&["audit", "log", "--json"])
        .exits_with(0)
        .json();
    let entries = log["audit"]["entries"].as_array().unwrap();
    let told: Vec<&Value> = entries
        .iter()
        .filter(|one| one["event"] == "values_asked")
        .collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(
        !log.to_string().contains("x.test") && !log.to_string().contains("email"),
        "{log}"
    );
    let shown = operator.run(&["audit", "log"]);
    assert!(shown.stdout.contains("profiles of 3 values"), "{shown}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn nobody_found_at_all_may_be_the_wrong_project() {
    let fake = mixpanel(Vec::new());
    let operator = set_up(&fake, "");
    let outcome = operator.run(&["lookup", "no@x.test"]);
    outcome.exits_with(0).says("project_id").says("--by");
    outcome.never_says("no@x.test");
    operator
        .run(&["lookup", "no@x.test", "--exit-status"])
        .exits_with(1);
}
