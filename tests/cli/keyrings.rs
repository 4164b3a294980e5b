//! Several tokens in a real keyring, and keyrings that fail, each with its fix.

use std::time::Duration;

use crate::support::{Call, Fake, Keyring, OAUTH_TOKEN, Operator, Reply, usual};

const ACME: &str = "a-second-oauth-canary-1f2e3d";
const RENEWED: &str = "a-third-oauth-canary-4c5b6a";

fn login(operator: &Operator, args: &[&str], token: &str) {
    let args = [&["auth", "login", "--with-token"], args].concat();
    operator
        .run_with_input(&args, token)
        .exits_with(0)
        .never_says(token);
}

fn two_projects(operator: &Operator) {
    operator.write_config(
        "default_project = \"shop\"\n\
         [projects.shop]\ntoken = \"9f2c41d07ab35e6680cc17d4e2b1a95f\"\nregion = \"us\"\nrate = 1000\n\
         [projects.app]\ntoken = \"0123456789abcdef0123456789abcdef\"\nregion = \"us\"\nrate = 1000\n\
         auth = \"acme\"\n",
    );
}

fn bearers(calls: &[Call]) -> Vec<String> {
    let bearer = |call: &Call| call.header("authorization").unwrap_or_default().to_owned();
    calls.iter().map(bearer).collect()
}

#[test]
fn each_project_calls_with_the_token_it_names_and_the_others_with_the_default() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    let operator = keyring.of(Operator::at(&fake));
    two_projects(&operator);
    login(&operator, &[], OAUTH_TOKEN);
    let missing = operator.run(&["export", "--gdpr", "a1", "--project", "app"]);
    missing
        .exits_with(4)
        .says("dsr auth login --name acme")
        .never_says("meanwhile");
    let both = ["--project", "shop", "--project", "app"];
    let missing = operator.run(&[&["export", "--gdpr", "a1"], &both[..]].concat());
    missing
        .exits_with(4)
        .says("dsr auth login --name acme")
        .says("project `app`. To work on the other projects");
    fake.was_not_called();

    login(&operator, &["--name", "acme"], ACME);
    operator
        .run(&[&["export", "--gdpr", "a1"], &both[..]].concat())
        .exits_with(0);
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(
        bearers(&fake.posts()),
        [bearer(OAUTH_TOKEN), bearer(ACME)],
        "each with its own"
    );
    operator.run(&["status"]).exits_with(0);
    let asked = bearers(&fake.gets());
    assert_eq!(asked.len(), 2);
    assert!(asked.contains(&bearer(OAUTH_TOKEN)) && asked.contains(&bearer(ACME)));

    let chosen = operator.run(&["auth", "use", "acme", "--json"]);
    assert_eq!(chosen.exits_with(0).json()["token"]["name"], "acme");
    operator.run(&["export", "--gdpr", "a2"]).exits_with(0);
    assert_eq!(bearers(&fake.posts())[2], bearer(ACME));
    operator.run(&["auth", "use", "nobody"]).exits_with(4);
    operator.run(&["auth", "use", "main"]).exits_with(0);
    operator.run(&["export", "--gdpr", "a3"]).exits_with(0);
    assert_eq!(bearers(&fake.posts())[3], bearer(OAUTH_TOKEN));

    // The environment beats the keyring, whatever a project names.
    let given = Operator::with(operator, "DSR_TOKEN", RENEWED);
    let args = ["export", "--gdpr", "a4", "--project", "app"];
    given.run(&args).exits_with(0);
    assert_eq!(bearers(&fake.posts())[4], bearer(RENEWED));
    for (path, content) in given.files() {
        let text = String::from_utf8_lossy(&content).into_owned();
        let holds = [OAUTH_TOKEN, ACME, RENEWED].map(|token| text.contains(token));
        assert_eq!(holds, [false; 3], "{path:?}");
    }
}

#[test]
fn tokens_are_listed_and_forgotten_by_name() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let operator = keyring.of(Operator::new());
    operator.run(&["auth", "status"]).exits_with(4);
    login(
        &operator,
        &["--name", "acme", "--issued", "2026-11-01"],
        ACME,
    );
    let only = operator.run(&["auth", "status", "--json"]).json();
    assert_eq!(only["token"]["name"], "acme", "the first is the default");
    assert_eq!(only["token"]["expires"], "2027-11-01");
    login(&operator, &[], OAUTH_TOKEN);

    two_projects(&operator);
    let status = operator.run(&["auth", "status"]);
    status
        .exits_with(0)
        .never_says(ACME)
        .never_says(OAUTH_TOKEN);
    let lines: Vec<&str> = status.stdout.lines().collect();
    let is_of = |line: &str, name, user| line.starts_with(name) && line.contains(user);
    assert!(is_of(lines[1], "main", "(default)"), "{status}");
    assert!(is_of(lines[2], "acme", "app"), "{status}");

    operator
        .run(&["auth", "logout"])
        .exits_with(2)
        .says("--name");
    let out = operator.run(&["auth", "logout", "--name", "acme", "--json"]);
    assert_eq!(out.exits_with(0).json()["removed"], true);
    assert!(out.stdout.contains("names the token `acme`"), "{out}");
    assert_eq!(keyring.look_up("mixpanel-oauth-token:acme"), None);
    assert!(keyring.look_up("mixpanel-oauth-token").is_some());
    let third = ["auth", "login", "--with-token", "--name", "third"];
    let third = operator.run_with_input(&third, RENEWED);
    third.exits_with(0).says("dsr auth use third");
    let main = operator.run(&["auth", "logout", "--name", "main"]);
    main.exits_with(0).says("dsr auth use NAME");
    operator
        .run(&["auth", "status"])
        .exits_with(4)
        .says("dsr auth login");
    let last = operator.run(&["auth", "logout"]);
    last.exits_with(0).never_says("dsr auth use");
    assert_eq!(keyring.look_up("mixpanel-oauth-token"), None);
    assert_eq!(keyring.look_up("mixpanel-oauth-token-names"), None);
    operator.run(&["auth", "status"]).exits_with(4);
}

#[test]
fn who_kept_a_token_before_there_were_names_has_to_do_nothing() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    let operator = keyring.of(Operator::at(&fake));
    let kept = format!(r#"{{"token":"{OAUTH_TOKEN}","issued":"2026-11-01"}}"#);
    keyring.store("mixpanel-oauth-token", &kept);
    let status = operator.run(&["auth", "status", "--json"]).json();
    assert_eq!(status["token"]["source"], "keyring");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    assert_eq!(bearers(&fake.posts()), [format!("Bearer {OAUTH_TOKEN}")]);
    // dsr reports an entry of another program, and a login repairs it.
    keyring.store("mixpanel-oauth-token", "{}");
    let damaged = operator.run(&["auth", "status"]);
    damaged.exits_with(4).says("dsr auth login");
    login(&operator, &[], OAUTH_TOKEN);
    operator.run(&["auth", "status"]).exits_with(0);
}

#[test]
fn a_token_that_was_turned_away_is_told_of_until_a_new_one_is_kept() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::answering(|call| match call.header("authorization") {
        Some(bearer) if bearer.ends_with(RENEWED) => usual(call),
        _ => Reply::error(401, "no such token"),
    });
    let operator = keyring.of(Operator::at(&fake));
    two_projects(&operator);
    login(&operator, &[], OAUTH_TOKEN);
    login(&operator, &["--name", "acme"], ACME);
    let args = ["export", "--gdpr", "a1", "--project", "app"];
    operator.run(&args).exits_with(4);
    assert_eq!(fake.posts().len(), 1);

    let next = operator.run(&["status", "--cached"]);
    next.exits_with(0)
        .says("dsr auth login --name acme")
        .says("401");
    let status = operator.run(&["auth", "status", "--json"]);
    let tokens = &status.exits_with(0).json()["tokens"];
    assert!(tokens[0]["rejected_at"].is_null(), "main is the default");
    assert!(tokens[1]["rejected_at"].is_string());
    operator
        .run(&["auth", "status", "--exit-status"])
        .exits_with(4)
        .says("`acme`");

    // The open job goes on with the new token.
    let args = ["auth", "login", "--name", "acme", "--with-token"];
    let renewed = operator.run_with_input(&args, RENEWED);
    renewed.exits_with(0).says("1 open request now uses it");
    let next = operator.run(&["status", "--cached", "--json"]);
    let warnings = &next.exits_with(0).json()["warnings"];
    assert!(warnings.is_null(), "nothing is held against it: {warnings}");
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(
        bearers(&fake.posts())[1..],
        [format!("Bearer {RENEWED}")],
        "sent once, with the new one"
    );
    operator
        .run(&["auth", "status", "--exit-status"])
        .exits_with(0);
}

#[test]
fn a_locked_keyring_is_unlocked_as_the_hint_says() {
    let Some(mut keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    let operator = keyring.of(Operator::at(&fake));
    login(&operator, &[], OAUTH_TOKEN);
    keyring.lock();
    for (args, input) in [
        (&["auth", "status"][..], ""),
        (&["delete", "--gdpr", "--yes", "a1"], ""),
        (&["auth", "login", "--with-token"], RENEWED),
        (&["auth", "logout"], ""),
    ] {
        let outcome = operator.run_with_input(args, input);
        outcome
            .exits_with(4)
            .says("is locked")
            .says("gnome-keyring-daemon --replace --unlock")
            .says("DSR_TOKEN_FILE");
        assert!(outcome.took < Duration::from_secs(5), "{outcome}");
    }
    fake.was_not_called();
    keyring.unlock();
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    assert_eq!(bearers(&fake.posts()), [format!("Bearer {OAUTH_TOKEN}")]);
}

#[test]
fn where_there_is_no_keyring_it_is_said_what_is_missing() {
    let operator = Operator::new();
    let nowhere = format!("unix:path={}/nowhere", operator.work().display());
    for address in ["disabled:", nowhere.as_str()] {
        let operator = Operator::new().with("DBUS_SESSION_BUS_ADDRESS", address);
        let outcome = operator.run(&["auth", "status"]);
        outcome
            .exits_with(4)
            .says("no session bus")
            .says("DSR_TOKEN_FILE");
    }
    let Some(bus) = Keyring::start_empty() else {
        return;
    };
    let outcome = bus.of(Operator::new()).run(&["auth", "status"]);
    outcome
        .exits_with(4)
        .says("no program on the session bus")
        .says("gnome-keyring")
        .says("DSR_TOKEN_FILE");
}
