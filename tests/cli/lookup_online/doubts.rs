//! Answers of Mixpanel that a lookup must not rely on.

use serde_json::{Value, json};

use super::{ask, names_nobody, page, row, values};
use crate::lookup::{answers, listed, lookup};
use crate::preflight::set_up;
use crate::support::{Fake, Operator, Outcome, Reply};

/// The outcome of a lookup of `anna@x.test` and `bob@x.test`, answered so.
fn answered(reply: Reply) -> (Operator, Outcome, usize) {
    let fake = Fake::answering(move |_| reply.clone());
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test", "bob@x.test"]);
    let outcome = operator.run(&["lookup", "ask.csv", "-o", "found.csv"]);
    names_nobody(&outcome);
    (operator, outcome, fake.calls().len())
}

#[test]
fn an_answer_that_does_not_add_up_is_never_none() {
    let anna = || row(&("user-1", json!("anna@x.test")));
    let with = |key: &str, value: Value| {
        let mut page = page(&[anna()]);
        page[key] = value;
        page
    };
    let of = |id: Value, properties: Value| {
        page(&[json!({ "$distinct_id": id, "$properties": properties })])
    };
    let email = |value: Value| json!({ "$email": value });
    let of_many = |total: u64| {
        let mut page = with("total", json!(total));
        page["page_size"] = json!(1);
        page
    };
    for (body, status) in [
        (page(&[anna(), anna()]), 75),
        (
            page(&[json!({ "$properties": { "$email": "anna@x.test" } })]),
            75,
        ),
        (page(&[json!({ "$distinct_id": "user-1" })]), 75),
        (of(json!("user-1"), json!({})), 75),
        (of(json!("user-1"), json!({ "$Email": "anna@x.test" })), 75),
        (of(json!("user-1"), email(json!(17))), 75),
        (of(json!("user-1"), email(Value::Null)), 75),
        (of(json!("user-1"), email(json!(["c@x.test"]))), 75),
        (of(json!("user-1"), email(json!("someone else"))), 75),
        (with("total", json!(2)), 75),
        (with("total", json!(0)), 75),
        (with("page", json!(1)), 75),
        (of_many(1_000_000_000_000), 75),
        (of_many(u64::MAX), 75),
        (with("status", json!("error")), 3),
        (with("error", json!("partial results for anna@x.test")), 3),
    ] {
        let (operator, outcome, calls) = answered(Reply::json(200, &body));
        outcome.exits_with(status).says("no list was written");
        outcome.never_says("partial results");
        assert_eq!(calls, 1, "{body}");
        assert!(!operator.work().join("found.csv").exists(), "{body}");
    }
    let half = Reply::Half {
        status: 200,
        body: page(&[anna()]).to_string(),
    };
    let moved = Reply::json(302, &page(&[])).with("Location", "/elsewhere");
    for (reply, status) in [
        (half, 75),
        (Reply::Reset, 75),
        (moved, 75),
        (Reply::error(500, "oh anna@x.test"), 75),
        (Reply::text(200, "text/html", "<html>log in</html>"), 75),
        (Reply::error(401, "bad credentials"), 4),
        (Reply::error(403, "no access"), 4),
    ] {
        let (operator, outcome, _) = answered(reply);
        outcome.exits_with(status).says("no list was written");
        assert!(!operator.work().join("found.csv").exists());
    }
    for status in [400, 413] {
        let (_, outcome, _) = answered(Reply::error(status, "expression too long: anna@x.test"));
        outcome
            .exits_with(3)
            .says("--profiles FILE")
            .says("fewer people at a time");
    }
}

#[test]
fn a_profile_without_a_usable_id_holds_up_nobody_else_and_is_never_listed() {
    let long = "i".repeat(5000);
    for id in [
        json!("null"),
        json!("undefined"),
        json!("$device:undefined"),
        json!("$device:null"),
        json!(""),
        json!(null),
        json!(1.5),
        json!(["user-3"]),
        json!("a\u{0}b"),
        json!(long),
    ] {
        let odd = json!({ "$distinct_id": id, "$properties": { "$email": "bob@x.test" } });
        let object = |profile: &Value| {
            let (id, email) = (&profile["$distinct_id"], &profile["$properties"]["$email"]);
            json!({ "distinct_id": id, "email": email }).to_string() + "\n"
        };
        let anna = row(&("user-1", json!("anna@x.test")));
        for (more, counted, places) in [
            (vec![], 0, vec!["2"]),
            (
                vec![row(&("user-2", json!("bob@x.test")))],
                1,
                vec!["2", "3"],
            ),
        ] {
            let all = [vec![anna.clone(), odd.clone()], more].concat();
            let body = page(&all);
            let fake = Fake::answering(move |_| Reply::json(200, &body));
            let operator = set_up(&fake, "");
            ask(&operator, &["anna@x.test", "bob@x.test"]);
            let lines: String = all.iter().map(object).collect();
            operator.file("users.jsonl", lines);
            operator.file("page.json", page(&all).to_string());
            for (name, files) in [
                ("online.csv", &[][..]),
                ("lines.csv", &["--profiles", "users.jsonl"]),
                ("page.csv", &["--profiles", "page.json"]),
            ] {
                let args = [files, &["ask.csv", "-o", name]].concat();
                let outcome = lookup(&operator, &args);
                names_nobody(outcome.exits_with(0));
                let expected = [("one".to_owned(), 1), ("unusable".to_owned(), counted)];
                assert_eq!(answers(&outcome), expected, "{id} {name}");
                let rows = listed(&operator, name);
                let listed: Vec<&str> = rows.iter().map(|row| row[4].as_str()).collect();
                assert_eq!(listed, places, "{id} {name}");
                assert!(
                    rows.iter().all(|row| row[0].starts_with("user-")),
                    "{rows:?}"
                );
                let args = [&["lookup", "ask.csv", "--exit-status"], files].concat();
                let shown = operator.run(&args);
                shown.exits_with(1);
                assert!(shown.stdout.contains("not usable (line 3)"), "{shown}");
                let said = shown.stdout.replace('\n', " ");
                let told = said.contains("dsr lists them (line 3: 1 profile)");
                assert_eq!(told, counted == 1, "{shown}");
                names_nobody(&shown);
            }
        }
    }
}

#[test]
fn what_comes_back_unasked_is_never_taken() {
    // One query has both values; the fake answers any query with the profile of the other batch.
    let many: Vec<String> = (0..201).map(|n| format!("p{n}@x.test")).collect();
    let fake = Fake::answering(|call| {
        let other = match values(call).contains(&"p0@x.test".to_owned()) {
            true => "p200@x.test",
            false => "p0@x.test",
        };
        Reply::json(200, &page(&[row(&("user-9", json!(other)))]))
    });
    let operator = set_up(&fake, "");
    let asked: Vec<&str> = many.iter().map(String::as_str).collect();
    ask(&operator, &asked);
    let outcome = operator.run(&["lookup", "ask.csv", "-o", "found.csv"]);
    outcome.exits_with(75).says("none of the values asked for");
    assert!(!operator.work().join("found.csv").exists());
}

#[test]
fn a_near_answer_of_the_server_is_near_and_an_equal_element_of_a_list_counts() {
    let fake = Fake::answering(|_| {
        let rows = [
            ("user-1", json!("Anna@x.test")),
            ("user-2", json!(["old@x.test", "bob@x.test"])),
            ("user-3", json!(4915112345_u64)),
        ];
        Reply::json(200, &page(&rows.each_ref().map(row)))
    });
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test", "bob@x.test", "4915112345"]);
    let outcome = lookup(&operator, &["ask.csv", "-o", "found.csv"]);
    let found = answers(outcome.exits_with(0));
    let words: Vec<&str> = found.iter().map(|(answer, _)| answer.as_str()).collect();
    assert_eq!(words, ["near", "one", "near"]);
    assert_eq!(outcome.json()["lines"][2]["near"], "is a number, not text");
    assert_eq!(listed(&operator, "found.csv").len(), 1);
    lookup(&operator, &["ask.csv", "--exit-status"]).exits_with(1);
}

#[test]
fn a_value_that_very_many_profiles_have_does_not_use_up_the_hour() {
    let fake = Fake::answering(|_| {
        let rows: Vec<Value> = (0..10).map(|n| json!({ "$distinct_id": format!("user-{n}"), "$properties": { "$email": "n@x.test" } })).collect();
        let mut page = page(&rows);
        page["page_size"] = json!(10);
        page["total"] = json!(100_000);
        Reply::json(200, &page)
    });
    let operator = set_up(&fake, "");
    ask(&operator, &["n@x.test"]);
    operator
        .run(&["lookup", "ask.csv"])
        .exits_with(75)
        .says("the last query");
    assert_eq!(fake.calls().len(), 1);
}
