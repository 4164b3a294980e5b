//! `--preflight`: what goes over the wire, what is said of the answer, and the hour's budget.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Call, Fake, Keyring, OAUTH_TOKEN, Operator, Outcome, Reply, shows, usual};

mod checks;
mod waits;

pub(crate) const USER: &str = "dsr.1f2e3d.mp-service-account";
pub(crate) const SECRET: &str = "account-canary:4c5b6a7d8e";
const IDS: &str = "id\nuser-17\nuser-nobody-4\nuser-18\nuser-17\n4711\nuser-nobody-9\n";
const DRY_RUN: [&str; 5] = ["delete", "--gdpr", "--dry-run", "--preflight", "ids.csv"];

fn is_query(call: &Call) -> bool {
    call.path.ends_with("/engage")
}

fn page(ids: &[Value]) -> Value {
    let results = ids
        .iter()
        .map(|id| json!({ "$distinct_id": id, "$properties": {} }));
    json!({
        "page": 0, "page_size": 1000, "session_id": "1-A", "status": "ok", "total": ids.len(),
        "results": results.collect::<Vec<_>>(),
    })
}

/// Everybody has a profile but those who are nobody. An id of digits comes as a number.
fn profiles(call: &Call) -> Reply {
    if !is_query(call) {
        return usual(call);
    }
    let known = call.ids().into_iter().filter(|id| !id.contains("nobody"));
    let ids: Vec<Value> = known
        .map(|id| id.parse::<u64>().map_or(json!(id), |number| json!(number)))
        .collect();
    Reply::json(200, &page(&ids))
}

pub(crate) fn set_up(fake: &Fake, settings: &str) -> Operator {
    let settings = format!("rate = 1000\nproject_id = 4242\n{settings}");
    let mut operator = Operator::at_with(fake, &settings).with_ledger_key();
    let path = operator.private_file("account", format!("{USER}:{SECRET}\n"));
    operator.set("DSR_SERVICE_ACCOUNT_FILE", &path);
    operator.file("ids.csv", IDS);
    operator
}

#[track_caller]
fn shown(outcome: &Outcome, text: &str) {
    assert!(shows(&outcome.stdout, text), "{outcome}");
}

fn names_no_id(outcome: &Outcome) {
    for id in ["user-17", "user-18", "nobody", "4711", USER, SECRET] {
        outcome.never_says(id);
    }
}

#[test]
fn a_preflight_is_one_form_with_the_account_and_says_who_has_no_profile() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "");
    let outcome = operator.run(&DRY_RUN);
    outcome.exits_with(0).says("1 query");
    shown(
        &outcome,
        "3 of 5 ids have a profile; 2 have none (`ids.csv`, lines 3, 7)",
    );
    shown(&outcome, "may still have events");
    names_no_id(&outcome);
    let calls = fake.calls();
    let [call] = &calls[..] else {
        panic!("one call, and nothing else: {calls:#?}");
    };
    assert_eq!(call.method, "POST");
    assert_eq!(call.path, "/api/query/engage");
    assert_eq!(call.query, "project_id=4242");
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{SECRET}")));
    assert_eq!(call.header("authorization"), Some(basic.as_str()));
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(call.header("content-type"), form);
    let ids = [
        "user-17",
        "user-nobody-4",
        "user-18",
        "4711",
        "user-nobody-9",
    ];
    assert_eq!(call.ids(), ids);

    let json = operator.run(&[&["--json"][..], &DRY_RUN].concat());
    names_no_id(&json);
    let preflight = &json.exits_with(0).json()["request"]["preflight"];
    assert_eq!(preflight["with_profile"], 3);
    let lines = preflight["places_without_profile"].as_array().unwrap();
    let lines: Vec<_> = lines.iter().map(|place| place["line"].clone()).collect();
    assert_eq!(lines, [3, 7]);
    let log = operator
        .run(&["audit", "log", "--json"])
        .exits_with(0)
        .json();
    let entries = log["audit"]["entries"].as_array().unwrap();
    let told = entries
        .iter()
        .filter(|one| one["event"] == "profiles_asked");
    assert_eq!(told.count(), 2, "an entry a command: {log}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn a_deletion_asks_before_it_sends() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "");
    let args = ["delete", "--gdpr", "--yes", "--preflight", "ids.csv"];
    let outcome = operator.run(&args);
    outcome.exits_with(0).says("2 of 5 ids have no profile");
    names_no_id(&outcome);
    let posts = fake.posts();
    assert!(is_query(&posts[0]) && !is_query(&posts[1]), "{posts:#?}");
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[1].ids().len(), 5, "the operator decides, not dsr");
}

#[test]
fn without_an_account_or_a_project_id_nothing_is_sent() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "").without("DSR_SERVICE_ACCOUNT_FILE");
    operator
        .run(&DRY_RUN)
        .exits_with(4)
        .says("DSR_SERVICE_ACCOUNT_FILE");
    let operator = Operator::at(&fake);
    operator.file("ids.csv", IDS);
    operator
        .run(&DRY_RUN)
        .exits_with(2)
        .says("dsr project set shop --project-id N");
    operator
        .run(&["project", "set", "shop", "--project-id", "77"])
        .exits_with(0);
    let config = std::fs::read_to_string(operator.config_path()).unwrap();
    assert!(config.contains("project_id = 77"), "{config}");
    fake.was_not_called();
}

#[test]
fn an_account_file_must_be_private_and_one_line_and_is_never_shown() {
    let fake = Fake::answering(profiles);
    for text in ["", "no colon", "user:\n", "a b:secret", "u:s\nv:t\n"] {
        let operator = set_up(&fake, "");
        operator.private_file("account", text);
        let outcome = operator.run(&DRY_RUN);
        outcome
            .exits_with(4)
            .never_says("secret")
            .never_says("key file");
    }
    let operator = set_up(&fake, "").with("DSR_SERVICE_ACCOUNT_FILE", "open");
    operator.file("open", format!("{USER}:{SECRET}"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = operator.work().join("open");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let outcome = operator.run(&DRY_RUN);
        outcome
            .exits_with(4)
            .says("chmod 600")
            .never_says("key file");
        names_no_id(&outcome);
    }
    fake.was_not_called();
}

#[test]
fn an_odd_answer_is_never_no_profile() {
    let short = json!({
        "page": 0, "page_size": 1000, "session_id": "1-A", "status": "ok", "total": 2,
        "results": [{ "$distinct_id": "user-17" }],
    });
    let whole = page(&[json!("user-17")]);
    let mut error = whole.clone();
    error["status"] = json!("error");
    let mut partial = page(&[]);
    partial["error"] = json!("query timed out, partial results");
    let mut nameless = whole.clone();
    nameless["results"][0] = json!({ "$properties": {} });
    let html = Reply::text(200, "text/html", "<html>log in</html>");
    let cut = Reply::Half {
        status: 200,
        body: whole.to_string(),
    };
    let moved = Reply::json(302, &whole).with("Location", "/elsewhere");
    for (reply, status) in [
        (Reply::json(200, &short), 75),
        (Reply::json(200, &error), 3),
        (Reply::json(200, &partial), 3),
        (Reply::json(200, &nameless), 75),
        (Reply::json(200, &page(&[json!("USER-17")])), 75),
        (
            Reply::json(200, &page(&[json!("user-17"), json!("user-17")])),
            75,
        ),
        (Reply::json(200, &page(&[json!(4711.0)])), 75),
        (Reply::json(200, &json!({ "status": "ok" })), 75),
        (html, 75),
        (cut, 75),
        (moved, 75),
        (Reply::json(500, &whole), 75),
        (Reply::error(401, "no such account as user-17"), 4),
        (Reply::error(403, "user-17 is not yours"), 4),
        (Reply::error(400, "user-17 is odd"), 3),
        (Reply::Close, 75),
    ] {
        let shown = format!("{reply:?}");
        let fake = Fake::answering(move |call| match is_query(call) {
            true => reply.clone(),
            false => usual(call),
        });
        let operator = set_up(&fake, "");
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "--preflight", "ids.csv"]);
        assert_eq!(outcome.status, Some(status), "{shown}: {outcome}");
        outcome.never_says("have none").never_says("has none");
        names_no_id(&outcome);
        let posts = fake.posts();
        assert_eq!(posts.len(), 1, "no second query, no deletion: {shown}");
        assert!(operator.requests().is_empty(), "{shown}");
    }
}

#[test]
fn who_has_no_profile_is_reported_in_every_mode() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "");
    let delete = [
        "delete",
        "--gdpr",
        "--yes",
        "--new",
        "--preflight",
        "ids.csv",
    ];
    for more in [&[][..], &["-q"]] {
        let outcome = operator.run(&[&delete[..], more].concat());
        outcome.exits_with(0).says("2 of 5 ids have no profile");
        outcome.says("(`ids.csv`, lines 3, 7)");
        names_no_id(&outcome);
    }
    for kind in ["delete", "export"] {
        let args = [kind, "--gdpr", "--new", "--preflight", "ids.csv", "--json"];
        let yes = (kind == "delete").then_some("--yes");
        let args: Vec<_> = args.into_iter().chain(yes).collect();
        let outcome = operator.run(&args);
        names_no_id(&outcome);
        let json = outcome.exits_with(0).json();
        assert_eq!(json["request"]["state"], "accepted", "{json}");
        let warnings = json["warnings"].as_array().cloned().unwrap_or_default();
        let missing = warnings.iter().find(|one| one["kind"] == "no_profile");
        let missing = missing.unwrap_or_else(|| panic!("{json}"));
        assert_eq!(missing["count"], 2);
        let places = missing["places"].as_array().unwrap();
        let lines: Vec<_> = places.iter().map(|place| place["line"].clone()).collect();
        assert_eq!(lines, [3, 7]);
    }
}

#[test]
fn if_nobody_has_a_profile_the_number_of_the_project_may_be_wrong() {
    let fake = Fake::answering(|call| match is_query(call) {
        true => Reply::json(200, &page(&[])),
        false => usual(call),
    });
    let operator = set_up(&fake, "");
    let delete = ["delete", "--gdpr", "--yes", "--preflight", "ids.csv", "-q"];
    for args in [&DRY_RUN[..], &delete] {
        let outcome = operator.run(args);
        outcome.exits_with(0).says("dsr project show shop");
        outcome.says("project_id");
    }
}

#[test]
fn a_plan_names_the_earlier_requests_of_its_people() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "GET" => crate::support::status_reply("SUCCESS"),
        _ => profiles(call),
    });
    let operator = set_up(&fake, "");
    operator.file("first.csv", "id\nuser-17\nuser-18\nuser-30\n");
    let erase = ["delete", "--gdpr", "--yes", "first.csv", "--wait"];
    operator.run(&erase).exits_with(0);
    operator.file("second.csv", "id\n4711\n");
    let export = ["export", "--gdpr", "second.csv"];
    operator.run(&export).exits_with(0);
    let calls = fake.calls().len();
    let plan = operator.run(&["delete", "--gdpr", "--dry-run", "ids.csv"]);
    shown(plan.exits_with(0), "2 were erased under request");
    shown(&plan, "1 is being exported under request");
    names_no_id(&plan);
    assert_eq!(fake.calls().len(), calls, "only the ledger is asked");
    let json = operator.run(&["delete", "--gdpr", "--dry-run", "ids.csv", "--json"]);
    let earlier = json.exits_with(0).json()["request"]["earlier"].clone();
    let of = |kind: &str| {
        let mut all = earlier.as_array().into_iter().flatten();
        all.find(|one| one["kind"] == kind).cloned().unwrap()
    };
    assert_eq!(of("delete")["carried_out"], "yes");
    assert_eq!(of("delete")["ids"], 2);
    assert_eq!(of("export")["carried_out"], "under_way");
    assert_eq!(of("export")["ids"], 1);
}

#[test]
fn the_doctor_asks_who_the_account_is_and_needs_none() {
    let me = |call: &Call| match call.path.as_str() {
        "/api/app/me" => Reply::json(200, &json!({ "status": "ok", "results": {} })),
        _ => usual(call),
    };
    let fake = Fake::answering(me);
    let operator = set_up(&fake, "");
    let outcome = operator.run(&["doctor"]);
    shown(&outcome, "service account shop: Mixpanel accepts it");
    names_no_id(&outcome);
    let me = fake
        .gets()
        .into_iter()
        .find(|call| call.path == "/api/app/me");
    assert!(
        me.unwrap()
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    assert!(fake.posts().is_empty());
    let status = operator.run(&["auth", "status", "--json"]);
    shown(status.exits_with(0), "account_file");

    let refusing = Fake::answering(|call| match call.path.as_str() {
        "/api/app/me" => Reply::error(401, "no"),
        _ => usual(call),
    });
    let operator = set_up(&refusing, "");
    let outcome = operator.run(&["doctor", "--json"]);
    shown(
        outcome.exits_with(4),
        "Mixpanel refuses the service account",
    );
    let without = set_up(&refusing, "").without("DSR_SERVICE_ACCOUNT_FILE");
    without.run(&["doctor"]).never_says("service account");
}

#[test]
fn the_keyring_keeps_an_account_beside_the_token_of_its_name() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "").without("DSR_SERVICE_ACCOUNT_FILE");
    let operator = keyring.of(operator).with("DSR_TOKEN", OAUTH_TOKEN);
    operator
        .run(&DRY_RUN)
        .exits_with(4)
        .says("dsr auth login --service-account");
    fake.was_not_called();
    let login = ["auth", "login", "--service-account", "--with-token"];
    for wrong in ["no colon", "a:b\nc:d", ":secret", ""] {
        operator.run_with_input(&login, wrong).exits_with(2);
    }
    let line = format!("{USER}:{SECRET}\n");
    let kept = operator.run_with_input(&login, &line);
    shown(kept.exits_with(0), "The service account is in the keyring");
    let acme = [&login[..], &["--name", "acme"]].concat();
    operator
        .run_with_input(&acme, "acme:other-secret")
        .exits_with(0);
    let status = operator.run(&["auth", "status", "--json"]);
    let accounts = status.exits_with(0).json()["service_accounts"].clone();
    let names: Vec<_> = accounts
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["main", "acme"]);
    let plan = operator.run(&DRY_RUN);
    shown(plan.exits_with(0), "3 of 5 ids have a profile");
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{SECRET}")));
    assert_eq!(
        fake.posts()[0].header("authorization"),
        Some(basic.as_str())
    );
    let logout = ["auth", "logout", "--service-account", "--json"];
    let gone = operator.run(&logout);
    assert_eq!(gone.exits_with(0).json()["removed"], true);
    assert_eq!(operator.run(&logout).json()["removed"], false);
    operator.run(&DRY_RUN).exits_with(4);
    for outcome in [kept, status, plan, gone] {
        names_no_id(&outcome);
        outcome.never_says("other-secret");
    }
}
