//! `dsr profiles expire` that asks Mixpanel for all profiles.

use serde_json::{Value, json};

use super::{days_ago, expire, listed};
use crate::preflight::{SECRET, USER, set_up};
use crate::support::{Call, Fake, Reply};

fn field(call: &Call, name: &str) -> Option<String> {
    let form = call.body.as_str().expect("a form");
    let mut fields = url::form_urlencoded::parse(form.as_bytes());
    let found = fields.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

fn profile(number: usize, of: usize) -> Value {
    let day = days_ago(if number < of / 50 { 900 } else { 2 });
    let id = match number {
        1 => json!(4711),
        number => json!(format!("person-{number}")),
    };
    json!({ "$distinct_id": id, "$properties": { "$last_seen": format!("{day}T08:00:00") } })
}

/// Pages of 100 profiles each, as far as `total` goes.
fn pages(of: usize, total: impl Fn(usize) -> usize + Send + Sync + 'static) -> Fake {
    Fake::answering(move |call| {
        let page: usize = field(call, "page").map_or(0, |page| page.parse().expect("a number"));
        let rows: Vec<Value> = (page * 100..of.min(page * 100 + 100))
            .map(|n| profile(n, of))
            .collect();
        Reply::json(
            200,
            &json!({ "page": page, "page_size": 100, "session_id": "s-1", "status": "ok",
                     "total": total(page), "results": rows }),
        )
    })
}

const DRY: [&str; 4] = ["24months", "--dry-run", "-o", "list.csv"];

#[test]
fn every_page_is_asked_for_and_compared_here() {
    let fake = pages(250, |_| 250);
    let operator = set_up(&fake, "");
    let outcome = expire(&operator, &DRY);
    let found = outcome.exits_with(0).json();
    assert_eq!(
        (&found["profiles"], &found["selected"]),
        (&json!(250), &json!(5))
    );
    assert_eq!(found["queries"], 3);
    assert_eq!(listed(&operator, "list.csv")[..2], ["person-0", "4711"]);
    for text in ["person-", "4711", USER, SECRET] {
        outcome.never_says(text);
    }
    let calls = fake.calls();
    assert_eq!(calls.len(), 3);
    for (page, call) in calls.iter().enumerate() {
        assert_eq!(call.path, "/api/query/engage");
        assert_eq!(
            field(call, "output_properties").unwrap(),
            r#"["$last_seen"]"#
        );
        assert_eq!(field(call, "page"), (page > 0).then(|| page.to_string()));
        assert_eq!(field(call, "where"), None);
    }
}

#[test]
fn doubtful_pages_select_nobody() {
    for total in [|page: usize| 250 + page, |_| 240, |_| 350] {
        let fake = pages(250, total);
        let operator = set_up(&fake, "");
        let outcome = expire(&operator, &DRY);
        let failure = outcome.exits_with(75).failure();
        assert_eq!(failure["kind"], "profiles", "{outcome}");
        outcome.never_says("person-");
        assert!(!operator.work().join("list.csv").exists());
    }
    // A profile on two pages: the pages may have shifted, and others may be missing.
    let shifted = Fake::answering(|call| {
        let page = field(call, "page").map_or(0, |page| page.parse().unwrap());
        let rows = [profile(page + 1, 3), profile(2, 3)];
        Reply::json(
            200,
            &json!({ "page": page, "page_size": 2, "session_id": "s", "status": "ok", "total": 4, "results": rows }),
        )
    });
    let outcome = expire(&set_up(&shifted, ""), &DRY);
    let hint = outcome.exits_with(75).failure()["hint"].clone();
    let hint = hint.as_str().unwrap();
    assert!(
        hint.contains("try again") && hint.contains("`--profiles FILE`"),
        "{hint}"
    );
}

#[test]
fn profiles_without_an_id_of_their_own_are_kept_and_counted() {
    let late = json!({ "$last_seen": "2020-01-01T00:00:00" });
    let ids = [
        json!(""),
        json!(null),
        json!(4.5),
        json!(["x"]),
        json!("twin"),
        json!("twin"),
        json!("u-1"),
    ];
    let rows = ids.map(|id| json!({ "$distinct_id": id, "$properties": late }));
    let fake = Fake::answering(move |_| {
        Reply::json(
            200,
            &json!({ "page": 0, "page_size": 100, "session_id": "s", "status": "ok", "total": 7, "results": rows }),
        )
    });
    let operator = set_up(&fake, "");
    let found = expire(&operator, &[&DRY[..], &["--at-most", "50%"]].concat());
    let found = found.exits_with(0).json();
    assert_eq!(listed(&operator, "list.csv"), ["u-1"]);
    let not_judged = &found["not_judged"];
    assert_eq!(
        (&not_judged["unusable"], &not_judged["repeated"]),
        (&json!(4), &json!(2))
    );
}

/// A first page of two, and then this answer.
fn then(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Fake {
    Fake::answering(move |call| match field(call, "page") {
        Some(_) => reply(),
        None => Reply::json(
            200,
            &json!({ "page": 0, "page_size": 1, "session_id": "s", "status": "ok", "total": 2, "results": [profile(9, 9)] }),
        ),
    })
}

#[test]
fn a_fault_that_comes_again_is_not_tried_again() {
    let page = |row: Value| json!({ "page": 1, "page_size": 1, "session_id": "s", "status": "ok", "total": 2, "results": [row] });
    let odd = page(json!({ "$distinct_id": "u", "$properties": [] }));
    let lists: [(Reply, i32); 7] = [
        (Reply::error(400, "no"), 3),
        (Reply::error(404, "no"), 3),
        (Reply::error(403, "no"), 4),
        (Reply::json(200, &odd), 3),
        (Reply::json(200, &json!({ "status": "ok", "rows": [] })), 3),
        (
            Reply::text(302, "text/plain", "").with("Location", "http://127.0.0.1:1/"),
            3,
        ),
        (Reply::error(503, "later"), 75),
    ];
    for (reply, status) in lists {
        let fake = then(move || reply.clone());
        let operator = set_up(&fake, "");
        let outcome = expire(&operator, &DRY);
        let hint = outcome.exits_with(status).failure()["hint"].clone();
        let hint = hint.as_str().unwrap();
        assert_eq!(hint.contains("try again"), status == 75, "{status}: {hint}");
        assert!(hint.contains("nothing was deleted"), "{hint}");
        assert!(status == 4 || hint.contains("--profiles FILE"), "{hint}");
        assert!(!operator.work().join("list.csv").exists());
        assert_eq!(fake.calls().len(), 2);
    }
}

#[test]
fn a_refused_query_is_3_and_sends_nothing() {
    let fake = Fake::answering(|_| Reply::json(400, &json!({ "status": "error", "error": "no" })));
    let outcome = expire(&set_up(&fake, ""), &DRY);
    let failure = outcome.exits_with(3).failure();
    assert!(
        failure["hint"]
            .as_str()
            .unwrap()
            .contains("nothing was deleted"),
        "{failure}"
    );
}

#[test]
fn the_hours_budget_holds_for_many_pages() {
    let fake = pages(500, |_| 500);
    let operator = set_up(&fake, "queries_per_hour = 3\n");
    let outcome = expire(&operator, &[&DRY[..], &["--max-wait", "10m"]].concat());
    let failure = outcome.exits_with(75).failure();
    assert!(failure["hint"].as_str().unwrap().contains("--max-wait"));
    // The first page says how many there are: no other query is spent.
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn a_429_a_403_and_no_account_select_nobody() {
    let fake = Fake::answering(|_| Reply::error(403, "no"));
    let operator = set_up(&fake, "");
    expire(&operator, &DRY).exits_with(4);
    let fake = Fake::answering(|_| Reply::error(429, "no"));
    let operator = set_up(&fake, "");
    expire(&operator, &[&DRY[..], &["--max-wait", "1s"]].concat()).exits_with(75);
    let fake = Fake::start();
    let mut operator = set_up(&fake, "");
    operator.unset("DSR_SERVICE_ACCOUNT_FILE");
    let outcome = expire(&operator, &DRY);
    outcome.exits_with(4).says("--profiles FILE");
    fake.was_not_called();
}
