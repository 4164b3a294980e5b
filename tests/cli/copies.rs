//! `dsr doctor --copies`: which copies of the data Mixpanel lists, and that no odd answer means none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Call, Fake, NOWHERE, Operator, Outcome, Reply, status_reply};

const USER: &str = "dsr.1f2e3d.mp-service-account";
const SECRET: &str = "account-canary:4c5b6a7d8e";
const PIPELINES: &str = "/api/2.0/nessie/pipeline/jobs";
const IMPORTS: &str = "/api/app/projects/4242/warehouse-sources/imports";

fn pipelines() -> Value {
    json!({ "4242": [{
        "name": "events-daily-bigquery-monoschema",
        "Dispatcher": "backfill",
        "last_dispatched": "2026-01-02 12:00:00 US/Pacific",
        "frequency": "daily",
        "sync_enabled": "true",
    }] })
}

fn import(id: u64, paused: bool, is_deleted: bool) -> Value {
    json!({
        "id": id, "import_type": "people", "sync_mode": "mirror_mode",
        "created": "2026-01-02T03:04:05Z", "creator_id": 1, "creator_name": "Canary Operator",
        "creator_email": "canary@example.test", "warehouse_source_id": 51,
        "table_params": { "dataset": "crm", "table": "people" }, "paused": paused,
        "run_every": 86_400_000_000_000_u64, "last_dispatch": null, "is_deleted": is_deleted,
    })
}

fn imports() -> Value {
    let listed = [
        import(501, false, false),
        import(502, true, false),
        import(503, false, true),
    ];
    json!({ "status": "ok", "results": listed })
}

/// A Mixpanel with these two lists; the rest of the doctor is content.
fn listing(pipelines: Reply, imports: Reply) -> Fake {
    Fake::answering(move |call: &Call| match call.path.as_str() {
        PIPELINES => pipelines.clone(),
        IMPORTS => imports.clone(),
        path if path.ends_with("/me") => {
            Reply::json(200, &json!({ "status": "ok", "results": {} }))
        }
        _ => status_reply("NOT_FOUND"),
    })
}

fn set_up(fake: &Fake) -> Operator {
    let mut operator = Operator::at_with(fake, "rate = 1000\nproject_id = 4242");
    let path = operator.private_file("account", format!("{USER}:{SECRET}\n"));
    operator.set("DSR_SERVICE_ACCOUNT_FILE", &path);
    operator
}

fn asked(fake: &Fake) -> Vec<Call> {
    let calls = fake.calls().into_iter();
    let about_copies = |call: &Call| call.path.starts_with(IMPORTS) || call.path == PIPELINES;
    calls.filter(about_copies).collect()
}

fn doctor(operator: &Operator) -> Outcome {
    let outcome = operator.run(&["doctor", "--copies", "--json"]);
    for text in [USER, SECRET, "canary", "Canary", "crm"] {
        outcome.did_not_panic().never_says(text);
    }
    outcome
}

fn copies(outcome: &Outcome) -> Value {
    let copies = outcome.json()["doctor"]["copies"].clone();
    assert_eq!(copies.as_array().map(Vec::len), Some(1), "{outcome}");
    copies[0].clone()
}

/// The checks about copies, as `level: message`.
fn checks(outcome: &Outcome) -> String {
    let checks = outcome.json()["doctor"]["checks"].clone();
    let checks = checks.as_array().expect("checks").iter();
    let of_copies = checks.filter(|check| check["check"] == "copies");
    let lines = of_copies.map(|check| format!("{}: {}\n", check["level"], check["message"]));
    lines.collect()
}

#[test]
fn both_lists_are_asked_for_once_and_say_what_to_do() {
    let fake = listing(Reply::json(200, &pipelines()), Reply::json(200, &imports()));
    let operator = set_up(&fake);
    let outcome = doctor(&operator);
    let listed = copies(outcome.exits_with(0));
    assert_eq!(
        (&listed["project"], &listed["complete"]),
        (&json!("shop"), &json!(true))
    );
    let pipeline = &listed["pipelines"][0];
    assert_eq!(pipeline["name"], "events-daily-bigquery-monoschema");
    assert_eq!(pipeline["state"], "unknown");
    assert_eq!(pipeline["about"][0], "frequency: daily");
    let imports = listed["warehouse_imports"].as_array().expect("imports");
    let parts = |key: &str| {
        imports
            .iter()
            .map(|one| one[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(parts("name"), ["import 501", "import 502", "import 503"]);
    assert_eq!(parts("state"), ["active", "paused", "deleted"]);
    assert!(
        imports[0]["to_do"]
            .as_str()
            .expect("a text")
            .contains("first")
    );
    assert!(
        imports[2]["to_do"]
            .as_str()
            .expect("a text")
            .starts_with("nothing")
    );
    let calls = asked(&fake);
    assert_eq!(calls.len(), 2, "{calls:#?}");
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{SECRET}")));
    for (call, query) in calls.iter().zip(["project_id=4242", ""]) {
        assert_eq!((call.method.as_str(), call.query.as_str()), ("GET", query));
        assert_eq!(call.header("authorization"), Some(basic.as_str()));
    }
    assert!(fake.posts().is_empty(), "nothing is changed");
    let human = operator.run(&["doctor", "--copies"]);
    human.exits_with(0).never_says("canary");
    let shown = human.stdout.split_whitespace();
    let shown = shown.collect::<Vec<_>>().join(" ");
    for text in [
        "- pipeline events-daily-bigquery-monoschema",
        "- warehouse import 501: active",
        "the import then also removes them in Mixpanel",
        "`dsr answered REQUEST --copy 'pipeline events-daily-bigquery-monoschema' --copy 'warehouse import 501' --copy 'warehouse import 502'`",
    ] {
        assert!(shown.contains(text), "{text}\n{human}");
    }
}

#[test]
fn without_the_flag_nobody_is_asked_for_copies() {
    let fake = listing(Reply::json(200, &pipelines()), Reply::json(200, &imports()));
    let operator = set_up(&fake);
    let outcome = operator.run(&["doctor", "--json"]);
    assert!(
        outcome.exits_with(0).json()["doctor"]
            .get("copies")
            .is_none()
    );
    assert!(!operator.run(&["doctor"]).stdout.contains("copies"));
    operator
        .run(&["doctor", "--copies", "--offline"])
        .exits_with(2);
    assert!(asked(&fake).is_empty(), "no call");
}

/// Runs the doctor with one list as given and the other one whole; the status and what it knows of
/// the given list.
fn with_pipelines(reply: Reply) -> (Outcome, Value) {
    let fake = listing(reply, Reply::json(200, &imports()));
    let outcome = doctor(&set_up(&fake));
    let listed = copies(&outcome);
    assert_eq!(
        listed["warehouse_imports"].as_array().map(Vec::len),
        Some(3)
    );
    (outcome, listed["pipelines"].clone())
}

fn with_imports(reply: Reply) -> (Outcome, Value) {
    let fake = listing(Reply::json(200, &pipelines()), reply);
    let outcome = doctor(&set_up(&fake));
    let listed = copies(&outcome);
    assert_eq!(listed["pipelines"].as_array().map(Vec::len), Some(1));
    (outcome, listed["warehouse_imports"].clone())
}

#[track_caller]
fn is_unknown((outcome, list): &(Outcome, Value), status: i32) {
    outcome.exits_with(status);
    assert_eq!(list, &Value::Null, "{outcome}");
    assert_eq!(copies(outcome)["complete"], false);
    let checks = checks(outcome);
    assert!(checks.contains("could not check"), "{checks}");
    assert!(!checks.contains("lists no"), "{checks}");
}

#[test]
fn an_answer_that_cannot_be_read_is_never_no_copies() {
    let errors = |text: &str| Reply::error(200, text);
    let whole = pipelines().to_string();
    for (reply, status) in [
        (Reply::error(401, "no"), 4),
        (Reply::error(403, "no"), 4),
        (Reply::error(429, "later"), 75),
        (Reply::error(402, "not in your plan"), 75),
        (Reply::error(404, "no"), 75),
        (Reply::error(500, "no"), 75),
        (errors("no such project"), 75),
        (Reply::text(200, "text/html", "<html>log in</html>"), 75),
        (Reply::text(403, "text/html", "<html>log in</html>"), 75),
        (Reply::Reset, 75),
        (Reply::Close, 75),
        (
            Reply::Half {
                status: 200,
                body: whole.clone(),
            },
            75,
        ),
        (
            Reply::text(200, "application/json", &whole[..whole.len() - 2]),
            75,
        ),
    ] {
        is_unknown(&with_pipelines(reply.clone()), status);
        is_unknown(&with_imports(reply), status);
    }
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!({ "4243": [] }),
        json!({ "4242": {} }),
        json!({ "4242": null }),
        json!({ "4242": [{}] }),
        json!({ "4242": [{ "name": "" }] }),
        json!({ "4242": [null] }),
        json!({ "4242": [], "next": "page-2" }),
        json!({ "4242": [], "4243": [] }),
        json!({ "4242": [], "error": "timed out" }),
    ] {
        is_unknown(&with_pipelines(Reply::json(200, &body)), 75);
    }
    for body in [
        json!({}),
        json!({ "status": "ok" }),
        json!({ "results": [] }),
        json!({ "status": "partial", "results": [] }),
        json!({ "status": "ok", "results": {} }),
        json!({ "status": "ok", "results": [{ "paused": true }] }),
        json!({ "status": "ok", "results": [], "next": "page-2" }),
        json!({ "status": "ok", "results": [], "error": "timed out" }),
    ] {
        is_unknown(&with_imports(Reply::json(200, &body)), 75);
    }
    let twice = r#"{"4242":[{"name":"a"}],"4242":[]}"#;
    let (outcome, list) = with_pipelines(Reply::text(200, "application/json", twice));
    assert_eq!(list[0]["name"], "a", "{outcome}");
    assert_eq!(copies(&outcome)["complete"], false);
}

#[test]
fn an_empty_list_is_not_called_the_end_of_all_copies() {
    let (outcome, list) = with_pipelines(Reply::json(200, &json!({ "4242": [] })));
    outcome.exits_with(0);
    assert_eq!(list, json!([]));
    let said = checks(&outcome);
    assert!(
        said.contains("it may list only those made with its API"),
        "{said}"
    );
    let none = json!({ "status": "ok", "results": [] });
    let (outcome, list) = with_imports(Reply::json(200, &none));
    assert_eq!(
        (list, &copies(&outcome)["complete"]),
        (json!([]), &json!(true))
    );
}

#[test]
fn the_command_names_each_copy_once_and_says_which_it_cannot_name() {
    let pipeline = |name: &str| json!({ "name": name });
    let odd = [
        pipeline("daily"),
        pipeline("daily"),
        pipeline("ana's \"raw\" data"),
    ];
    let mut once = imports();
    once["results"] = json!([import(501, false, false)]);
    once["results"][0]["sync_mode"] = json!("one_time");
    let fake = listing(
        Reply::json(200, &json!({ "4242": odd })),
        Reply::json(200, &once),
    );
    let outcome = set_up(&fake).run(&["doctor", "--copies"]);
    let shown = outcome.exits_with(0).stdout.split_whitespace();
    let shown = shown.collect::<Vec<_>>().join(" ");
    for text in [
        "`dsr answered REQUEST --copy 'pipeline daily' --copy 'warehouse import 501'`.",
        "1 copy has a name that `--copy` does not take: choose a name for each",
        "somebody may start this import again",
    ] {
        assert!(shown.contains(text), "{text}\n{outcome}");
    }
    outcome.never_says("can bring them back");
}

#[test]
fn new_fields_and_states_are_shown_as_far_as_they_are_known() {
    let mut new = imports();
    new["results"][0]["paused"] = json!("snoozed");
    new["results"][0]["sync_mode"] = json!("quantum_mode");
    new["results"][0]["shard"] = json!({ "of": [1] });
    new["results"][1]["run_every"] = json!(7);
    new["results"][2]["import_type"] = json!(["list"]);
    let (outcome, list) = with_imports(Reply::json(200, &new));
    outcome.exits_with(0);
    assert_eq!(list[0]["state"], "unknown");
    assert_eq!(list[0]["about"][1], "mode: quantum_mode");
    assert_eq!(list[1]["about"][2], "runs: every 7 ns");
    assert_eq!(copies(&outcome)["complete"], true);
    new["total"] = json!(9);
    let (outcome, list) = with_imports(Reply::json(200, &new));
    outcome.exits_with(0);
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    assert_eq!(copies(&outcome)["complete"], false);
    assert!(checks(&outcome).contains("may lack some"), "{outcome}");
}

#[test]
fn nothing_that_mixpanel_says_can_break_the_terminal_or_quote_a_secret() {
    let names = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}evil\r\nok  copies: none",
        "right\u{202e}left\u{200b}",
        "for-anna@example.test",
        &format!("with {SECRET}"),
        &"long ".repeat(400),
    ];
    let rows: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let reply = Reply::json(200, &json!({ "4242": rows }));
    let fake = listing(reply, Reply::json(200, &imports()));
    let operator = set_up(&fake);
    for args in [
        &["doctor", "--copies"][..],
        &["doctor", "--copies", "--plain"],
    ] {
        let outcome = operator.run(args);
        outcome
            .exits_with(0)
            .never_says("anna@")
            .never_says("canary");
        for bad in ['\u{1b}', '\u{7}', '\r', '\u{202e}', '\u{200b}'] {
            assert!(!outcome.stdout.contains(bad), "{bad:?}\n{outcome}");
        }
        assert!(!outcome.stdout.contains("\nok  copies: none"), "{outcome}");
        let longest = outcome.stdout.lines().map(str::len).max();
        assert!(longest < Some(700), "{outcome}");
    }
    let listed = copies(&doctor(&operator))["pipelines"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(5), "none is left out");
}

#[test]
fn words_of_mixpanel_that_may_quote_a_person_are_never_shown() {
    for said in [
        "no access for boss@x.de",
        "no access for boss%40x.de",
        "distinct_id u1 not allowed",
        "+49 170 1234567 is unknown",
        "Ym9zc0B4LmRl",
    ] {
        for reply in [
            Reply::error(402, said),
            Reply::error(404, said),
            Reply::error(200, said),
        ] {
            let (outcome, list) = with_pipelines(reply);
            is_unknown(&(outcome, list), 75);
        }
        let fake = listing(Reply::error(400, said), Reply::error(200, said));
        let outcome = set_up(&fake).run(&["doctor", "--copies"]);
        let shown = outcome.exits_with(75).stdout.replace('\n', " ");
        assert!(shown.contains("Mixpanel refuses the question"), "{shown}");
        outcome.never_says(said).never_says("u1").never_says("boss");
        outcome.never_says("170").never_says("Ym9zc0");
    }
    let names = ["of boss%40x.de", "of Ym9zc0B4LmRl", "of boss\u{ff20}x.de"];
    let rows: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let listed = Reply::json(200, &json!({ "4242": rows }));
    let fake = listing(listed, Reply::json(200, &imports()));
    let outcome = set_up(&fake).run(&["doctor", "--copies"]);
    outcome
        .exits_with(0)
        .never_says("boss")
        .never_says("Ym9zc0");
}

#[test]
fn a_path_that_wants_a_slash_gets_one_and_no_other_redirect_is_followed() {
    let elsewhere = Fake::start();
    let moved = |place: &str| Reply::text(301, "text/html", "").with("Location", place);
    let slash = format!("{IMPORTS}/");
    let with_slash = moved(&slash);
    let fake = Fake::answering(move |call: &Call| match call.path.as_str() {
        PIPELINES => Reply::json(200, &pipelines()),
        IMPORTS => with_slash.clone(),
        path if path == slash => Reply::json(200, &imports()),
        _ => status_reply("NOT_FOUND"),
    });
    let listed = copies(&doctor(&set_up(&fake)));
    assert_eq!(
        listed["warehouse_imports"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(asked(&fake).len(), 3);
    is_unknown(&with_pipelines(moved(&elsewhere.url())), 75);
    is_unknown(&with_imports(moved(&elsewhere.url())), 75);
    elsewhere.was_not_called();
}

#[test]
fn what_is_missing_is_a_problem_with_its_fix() {
    let fake = listing(Reply::json(200, &pipelines()), Reply::json(200, &imports()));
    let operator = set_up(&fake).without("DSR_SERVICE_ACCOUNT_FILE");
    let outcome = doctor(&operator);
    assert_eq!(copies(outcome.exits_with(4))["complete"], false);
    let operator = Operator::at_with(&fake, "rate = 1000");
    let path = operator.private_file("account", format!("{USER}:{SECRET}\n"));
    let operator = operator.with("DSR_SERVICE_ACCOUNT_FILE", &path);
    let outcome = doctor(&operator);
    assert_eq!(copies(outcome.exits_with(2))["pipelines"], Value::Null);
    assert!(
        outcome
            .stdout
            .contains("dsr project set shop --project-id N")
    );
    assert!(asked(&fake).is_empty());
    let operator = set_up(&fake).with("DSR_API_URL", NOWHERE);
    let outcome = doctor(&operator);
    assert_eq!(copies(outcome.exits_with(75))["pipelines"], Value::Null);
}

#[test]
fn the_sandbox_has_copies_too() {
    let outcome = Operator::new().run(&["--sandbox", "doctor", "--copies", "--json"]);
    let listed = &outcome.exits_with(0).json()["doctor"]["copies"][0];
    assert_eq!(listed["complete"], true, "{outcome}");
    assert_eq!(listed["warehouse_imports"][0]["name"], "import 501");
}
