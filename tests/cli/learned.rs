//! Batch limits that a server teaches: from what, for how long, and how they are reset.

use serde_json::Value;

use crate::support::{
    Call, Fake, Operator, Reply, csv_of, object_reply, people, same_people, states,
};

/// A Mixpanel that refuses more than `most` ids, with these words.
fn taking(most: usize, status: u16, kind: &'static str, body: &'static str) -> Fake {
    Fake::answering(move |call| match call.ids().len() > most {
        true => Reply::text(status, kind, body),
        false => object_reply(&format!("task-{}", call.place)),
    })
}

const PROXY: (u16, &str, &str) = (
    413,
    "text/html",
    "<html><h1>413 Request Entity Too Large</h1><hr>nginx</html>",
);
const COUNTED: (u16, &str, &str) = (
    400,
    "application/json",
    r#"{"status":"error","error":"Too many distinct_ids: at most 285 per request"}"#,
);

fn operator_at(fake: &Fake) -> Operator {
    Operator::at_with(fake, "rate = 1000")
}

/// Sends a deletion of new people; returns how many ids each POST had.
fn delete(operator: &Operator, fake: &Fake, name: &str, count: usize, status: i32) -> Vec<usize> {
    let before = fake.posts().len();
    let ids: String = (0..count).map(|n| format!("{name}-{n:04}\n")).collect();
    operator.file("ids.csv", format!("distinct_id\n{ids}"));
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "ids.csv"]);
    outcome.exits_with(status);
    let sizes = fake.posts().split_off(before);
    sizes.iter().map(|post| post.ids().len()).collect()
}

fn learned(operator: &Operator) -> Vec<Value> {
    let shown = operator.run(&["project", "show", "shop", "--json"]);
    let project = shown.exits_with(0).json()["project"].clone();
    project["learned"].as_array().expect("a list").clone()
}

#[test]
fn a_size_that_a_second_try_confirms_is_learned_with_its_day_and_its_reason() {
    for (status, kind, body) in [PROXY, COUNTED] {
        let fake = taking(60, status, kind, body);
        let operator = operator_at(&fake);
        assert_eq!(delete(&operator, &fake, "a", 110, 0), [110, 55, 55]);
        let lessons = learned(&operator);
        assert_eq!(lessons.len(), 1, "{lessons:?}");
        let lesson = &lessons[0];
        assert_eq!(
            (&lesson["kind"], &lesson["batch"], &lesson["refused"]),
            (&"delete".into(), &55.into(), &110.into())
        );
        assert!(lesson["expires_at"].as_str() > lesson["learned_at"].as_str());
        let shown = operator.run(&["project", "show", "shop"]);
        assert!(shown.stdout.contains("dsr sends 55 until"), "{shown}");
        assert!(shown.stdout.contains("Mixpanel refused 110 on"), "{shown}");
        assert_eq!(delete(&operator, &fake, "b", 110, 0), [55, 55]);
    }
}

#[test]
fn a_learned_limit_is_forgotten_after_thirty_days_or_on_a_word() {
    let (status, kind, body) = PROXY;
    let fake = taking(60, status, kind, body);
    let operator = operator_at(&fake);
    let forgets: [&dyn Fn(); 3] = [
        &|| {
            operator.change_ledger("UPDATE learned SET learned_at = '2020-01-01T00:00:00.000Z'");
        },
        // It was learned while the clock was years ahead.
        &|| {
            operator.change_ledger("UPDATE learned SET learned_at = '2099-01-01T00:00:00.000Z'");
        },
        &|| {
            let shown = operator.run(&["project", "set", "shop", "--forget-limits"]);
            shown.exits_with(0);
            assert!(!shown.stdout.contains("dsr sends 55"), "{shown}");
        },
    ];
    for (round, forget) in forgets.into_iter().enumerate() {
        let sizes = delete(&operator, &fake, &format!("{round}-"), 110, 0);
        assert_eq!(sizes, [110, 55, 55], "{round}");
        assert_eq!(learned(&operator).len(), 1);
        forget();
        assert!(learned(&operator).is_empty(), "{round}");
    }
    operator.run(&["project", "set", "shop"]).exits_with(2);
    operator
        .run(&["project", "set", "nobody", "--forget-limits"])
        .exits_with(2);
}

#[test]
fn below_fifty_ids_nothing_is_learned() {
    let (status, kind, body) = PROXY;
    let fake = taking(40, status, kind, body);
    let operator = operator_at(&fake);
    assert_eq!(delete(&operator, &fake, "a", 70, 0), [70, 35, 35]);
    assert!(learned(&operator).is_empty());
    // If no size helps, nothing is learned, even from tries with one id.
    let fake = taking(0, status, kind, body);
    let operator = operator_at(&fake);
    delete(&operator, &fake, "b", 5, 3);
    assert!(learned(&operator).is_empty());
}

#[test]
fn words_about_something_else_than_the_number_of_ids_are_a_refusal() {
    for text in [
        "distinct_ids must be at most 255 characters",
        "users: each id has a maximum of 255",
        "one of the ids is longer than the limit of 255 bytes",
        "rate limit exceeded for these distinct_ids: 60 per hour",
        "distinct_id exceeds maximum",
    ] {
        let fake = Fake::answering_posts(Reply::error(400, text));
        let operator = operator_at(&fake);
        let sizes = delete(&operator, &fake, "a", 120, 3);
        assert_eq!(sizes, [120], "{text}");
        assert_eq!(states(&operator.only_request()), ["refused"], "{text}");
        assert!(learned(&operator).is_empty(), "{text}");
    }
}

#[test]
fn every_id_is_sent_once_whatever_is_cut() {
    let (status, kind, body) = COUNTED;
    let fake = taking(60, status, kind, body);
    let operator = operator_at(&fake);
    let ids = people(400);
    operator.file("all.csv", csv_of(&ids, None));
    operator
        .run(&["delete", "--gdpr", "--yes", "all.csv"])
        .exits_with(0);
    let taken = fake.posts().into_iter().filter(|p| p.ids().len() <= 60);
    let taken: Vec<String> = taken.flat_map(|post: Call| post.ids()).collect();
    same_people(&taken, &ids);
}
