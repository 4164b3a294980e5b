//! What the doctor finds, that it names a fix, and that it changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::Connection;
use serde_json::Value;

use crate::support::{
    Fake, Keyring, NOWHERE, OAUTH_TOKEN, Operator, Outcome, PROJECT_TOKEN, Reply, Rules, Terminal,
    at_once, status_reply, usual, with_silent_bus,
};

/// A healthy Mixpanel, which knows no task that was not made.
fn knows_none() -> Fake {
    Fake::answering(|call| match call.method.as_str() {
        "GET" => status_reply("NOT_FOUND"),
        _ => usual(call),
    })
}

fn today() -> NaiveDate {
    DateTime::<Utc>::from(SystemTime::now()).date_naive()
}

fn well_kept(fake: &Fake) -> Operator {
    let operator = Operator::at(fake).with("DSR_TOKEN_ISSUED", &today().to_string());
    close(&operator.dsr_home(), 0o700);
    close(&operator.config_path(), 0o600);
    operator
}

fn close(path: &Path, mode: u32) {
    let changed = fs::set_permissions(path, fs::Permissions::from_mode(mode));
    changed.expect("a file of ours can be changed");
}

/// The checks of one kind, as `level: message → fix`.
fn found(outcome: &Outcome, what: &str) -> String {
    let checks = outcome.json()["doctor"]["checks"].clone();
    let of_kind = |check: &&Value| check["check"] == what;
    let checks = checks.as_array().expect("a list of checks");
    let checks = checks.iter().filter(of_kind);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |check: &Value| {
        let [level, message, fix] = ["level", "message", "fix"].map(|key| text(&check[key]));
        format!("{level}: {message} → {fix}")
    };
    checks.map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn finds(outcome: &Outcome, what: &str, parts: &[&str]) {
    let found = found(outcome, what);
    for part in parts {
        assert!(
            found.contains(part),
            "`{part}` in {what}:\n{found}\n{outcome}"
        );
    }
    outcome.did_not_panic();
    outcome.never_says(OAUTH_TOKEN).never_says(PROJECT_TOKEN);
}

#[test]
fn who_has_nothing_yet_is_told_what_to_do_and_nothing_is_made() {
    let operator = Operator::new();
    let outcome = operator.run(&["doctor", "--json"]);
    outcome.exits_with(2);
    assert_eq!(outcome.json()["doctor"]["level"], "problem");
    finds(&outcome, "token", &["problem: ", "DSR_TOKEN_FILE"]);
    finds(&outcome, "project", &["problem: ", "dsr project add"]);
    finds(&outcome, "ledger", &["ok: "]);
    assert!(!operator.dsr_home().exists(), "nothing was made");
    let human = operator.run(&["doctor"]);
    human.exits_with(2);
    let first = human.stdout.lines().next().unwrap();
    assert!(first.starts_with("Problem  "), "{human}");
}

#[test]
fn where_all_is_well_one_get_says_so_and_nothing_is_created() {
    let fake = knows_none();
    let operator = well_kept(&fake);
    let outcome = operator.run(&["doctor", "--json"]);
    outcome.exits_with(0);
    assert_eq!(outcome.json()["doctor"]["level"], "ok", "{outcome}");
    finds(&outcome, "mixpanel", &["ok: accepts the token"]);
    finds(&outcome, "token", &["ok: the token in DSR_TOKEN"]);
    let calls = fake.calls();
    assert_eq!(calls.len(), 1, "{calls:#?}");
    assert_eq!(calls[0].method, "GET");
    assert!(calls[0].path.contains("/data-deletions/v3.0/"));
    operator.run(&["doctor"]).exits_with(0);
    let tasks: Vec<String> = fake
        .gets()
        .iter()
        .map(|call| call.task().to_owned())
        .collect();
    assert_ne!(tasks[0], tasks[1], "a fresh one each time");
    assert!(operator.requests().is_empty());
    let human = operator.run(&["doctor"]);
    assert!(human.stdout.starts_with("Nothing is wrong"), "{human}");
    assert_eq!(human.stderr, "");
    let old = operator.with("DSR_TOKEN_ISSUED", "2020-01-01");
    assert_eq!(old.run(&["doctor"]).exits_with(4).stderr, "", "said once");
    let operator = old.with("DSR_TOKEN_ISSUED", &today().to_string());
    let before = fake.calls().len();
    let offline = operator.run(&["doctor", "--offline", "--json"]);
    finds(offline.exits_with(0), "mixpanel", &["skipped: not asked"]);
    finds(&offline, "clock", &["skipped: "]);
    let shown = operator.run(&["doctor", "--offline"]).stdout.clone();
    assert!(shown.contains("fine. 2 checks skipped"), "{shown}");
    assert_eq!(fake.calls().len(), before);
}

#[test]
fn what_mixpanel_says_is_told_apart() {
    let cases: [(Reply, i32, &[&str]); 9] = [
        (status_reply("NOT_FOUND"), 0, &["ok: ", "accepts the token"]),
        (
            Reply::error(404, "no such task"),
            0,
            &["ok: ", "cannot check region `us`"],
        ),
        (
            Reply::error(401, "no"),
            4,
            &["problem: ", "(401)", "DSR_TOKEN"],
        ),
        (
            Reply::error(403, "no"),
            4,
            &["problem: ", "(403)", "organization", "project", "everyone"],
        ),
        (Reply::error(429, "no"), 0, &["warning: ", "(429)"]),
        (Reply::error(500, "no"), 75, &["problem: ", "500"]),
        (
            Reply::text(200, "text/html", "<html>log in to the wifi</html>"),
            75,
            &["problem: "],
        ),
        (Reply::Reset, 75, &["problem: ", "check the network"]),
        (
            status_reply("SUCCESS"),
            0,
            &["warning: ", "`SUCCESS`", "for a task that does not exist"],
        ),
    ];
    for (reply, status, parts) in cases {
        let said = reply.clone();
        let fake = Fake::answering(move |_| said.clone());
        let outcome = well_kept(&fake).run(&["doctor", "--json"]);
        assert_eq!(outcome.status, Some(status), "{reply:?}\n{outcome}");
        finds(&outcome, "mixpanel", parts);
        outcome.never_says("token=");
        assert_eq!(fake.calls().len(), 1, "asked once: {reply:?}");
        assert!(fake.posts().is_empty());
    }
    let operator = Operator::at(&knows_none()).with("DSR_API_URL", NOWHERE);
    let outcome = operator.run(&["doctor", "--json", "-vvv"]);
    assert_eq!(outcome.status, Some(75), "{outcome}");
    assert!(!outcome.stdout.contains("token=") && !outcome.stderr.contains("token="));
}

#[test]
fn a_token_that_was_turned_away_is_remembered_and_a_later_success_clears_it() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(401, "no"),
        _ => status_reply("NOT_FOUND"),
    });
    let operator = well_kept(&fake);
    operator.has_an_empty_ledger();
    operator.run(&["doctor"]).exits_with(4);
    let offline = operator.run(&["doctor", "--offline", "--json"]);
    finds(offline.exits_with(4), "token", &["problem: ", "(401)"]);
    operator.run(&["doctor"]);
    let offline = operator.run(&["doctor", "--offline", "--json"]);
    finds(offline.exits_with(0), "token", &["ok: "]);
}

#[test]
fn every_project_is_asked_and_one_that_is_wrong_hides_none() {
    let fake = knows_none();
    let operator = well_kept(&fake);
    operator.write_config(&format!(
        "[projects.a]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"us\"\nrate = 1000\n\
         [projects.b]\nregion = \"eu\"\n\
         [projects.c]\ntoken = \"0123456789abcdef0123456789abcdef\"\nregion = \"in\"\nrate = 1000\n",
    ));
    let outcome = operator.run(&["doctor", "--json"]);
    outcome.exits_with(2);
    finds(
        &outcome,
        "project",
        &[
            "warning: ",
            "dsr project use",
            "problem: ",
            "`b` has no token",
        ],
    );
    assert_eq!(fake.gets().len(), 2);
    let one = operator.run(&["doctor", "--project", "c", "--json"]);
    finds(one.exits_with(0), "project", &["region in"]);
    assert_eq!(fake.gets().len(), 3);
    let unknown = operator.run(&["doctor", "--project", "nobody", "--json"]);
    finds(unknown.exits_with(2), "project", &["no project `nobody`"]);
    operator.write_config(&format!(
        "default_project = \"gone\"\n[projects.a]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"us\"\n"
    ));
    let outcome = operator.run(&["doctor", "--offline", "--json"]);
    finds(
        outcome.exits_with(2),
        "project",
        &["problem: ", "`gone`", "ok: "],
    );
    operator.write_config("[projects.a]\ntoken = 1\n");
    let outcome = operator.without("DSR_TOKEN").run(&["doctor", "--json"]);
    finds(outcome.exits_with(2), "config", &["problem: ", "line 2"]);
    assert_eq!(outcome.stdout.matches("line 2").count(), 1, "said once");
}

#[test]
fn the_doctor_keeps_the_pace_with_everybody_else() {
    let fake = Fake::with(Rules::PerSecond(2), |_| status_reply("NOT_FOUND"));
    let operator = Operator::at_with(&fake, "rate = 2");
    operator.has_an_empty_ledger();
    at_once([0, 1, 2], |_| {
        let outcome = operator.run(&["doctor", "--json"]);
        finds(outcome.exits_with(0), "mixpanel", &["ok: "]);
    });
    assert_eq!(fake.limited(), 0);
    assert!(fake.shortest_gap() >= Duration::from_millis(500));
}

type Damage = fn(&Path);

#[test]
fn a_damaged_ledger_is_found_left_as_it_is_and_nobody_is_asked() {
    let damages: [(&str, Damage); 4] = [
        ("no ledger", |path| {
            fs::write(path, vec![b'x'; 8192]).unwrap()
        }),
        ("pages of noise", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[4096..].iter_mut().for_each(|byte| *byte ^= 0xa5);
            fs::write(path, bytes).unwrap();
        }),
        ("an index without its row", |path| {
            let mut bytes = fs::read(path).unwrap();
            let place = bytes.windows(6).rposition(|part| part == b"export");
            bytes[place.unwrap()] = b'f';
            fs::write(path, bytes).unwrap();
            let ledger = Connection::open(path).unwrap();
            ledger
                .execute_batch(
                    "PRAGMA writable_schema = 1;
                     UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'jobs_by_task';",
                )
                .unwrap();
        }),
        ("a job of no request", |path| {
            let ledger = Connection::open(path).unwrap();
            ledger
                .execute_batch("PRAGMA foreign_keys = 0; DELETE FROM requests;")
                .unwrap();
        }),
    ];
    for (name, damage) in damages {
        let fake = knows_none();
        let operator = well_kept(&fake);
        operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
        let path = operator.dsr_home().join("ledger.db");
        damage(&path);
        operator.give_up_trail();
        let (before, calls) = (fs::read(&path).unwrap(), fake.calls().len());
        let outcome = operator.run(&["doctor", "--json"]);
        assert_eq!(outcome.status, Some(74), "{name}\n{outcome}");
        finds(
            &outcome,
            "ledger",
            &["problem: ", "damaged", "Restore a ledger"],
        );
        finds(&outcome, "mixpanel", &["not asked"]);
        assert!(fs::read(&path).unwrap() == before, "{name}: it was written");
        assert_eq!(fake.calls().len(), calls, "{name}");
    }
    let fake = knows_none();
    let operator = well_kept(&fake);
    operator.has_an_empty_ledger();
    operator.tamper_with("PRAGMA user_version = 4711");
    let outcome = operator.run(&["doctor", "--json"]);
    finds(outcome.exits_with(74), "ledger", &["4711", "newer"]);
}

#[test]
fn what_waits_in_the_ledger_is_told() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "GET" => status_reply("NOT_FOUND"),
        _ => Reply::Close,
    });
    let operator = well_kept(&fake);
    operator
        .run(&["export", "--gdpr", "a1", "--max-wait", "1s"])
        .exits_with(6);
    let outcome = operator.run(&["doctor", "--offline", "--json"]);
    finds(
        outcome.exits_with(0),
        "ledger",
        &["warning: ", "1 job", "dsr resume"],
    );
    let folder = operator.dsr_home().join("receipts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("one-that-ended.jsonl"), "{}\n").unwrap();
    let outcome = operator.run(&["doctor", "--offline", "--json"]);
    finds(&outcome, "ledger", &["warning: ", "receipt", "dsr status"]);
    assert!(folder.join("one-that-ended.jsonl").exists());
}

#[test]
fn what_others_can_read_is_found_with_the_command_that_closes_it() {
    let fake = knows_none();
    let operator = well_kept(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let ledger = operator.dsr_home().join("ledger.db");
    close(&ledger, 0o644);
    let outcome = operator.run(&["doctor", "--json"]);
    let fix = format!("chmod 600 {}", ledger.display());
    finds(outcome.exits_with(74), "files", &["problem: ", &fix]);
    close(&ledger, 0o600);
    close(&operator.dsr_home(), 0o755);
    close(&operator.config_path(), 0o644);
    let outcome = operator.run(&["doctor", "--json"]);
    finds(
        outcome.exits_with(0),
        "files",
        &["warning: ", "chmod 700", "chmod 600"],
    );

    let path = operator.private_file("token", OAUTH_TOKEN);
    let operator = operator.without("DSR_TOKEN").with("DSR_TOKEN_FILE", &path);
    close(Path::new(&path), 0o644);
    let outcome = operator.run(&["doctor", "--json"]);
    let fix = format!("chmod 600 {path}");
    finds(outcome.exits_with(4), "token", &["problem: ", &fix]);
}

#[test]
fn a_clock_that_is_wrong_is_found() {
    for (minutes, level, direction) in [
        (20, "warning: ", "behind"),
        (-20, "warning: ", "ahead of"),
        (2, "ok: ", ""),
    ] {
        let theirs = DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::minutes(minutes);
        let date = theirs.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let fake = Fake::answering(move |_| status_reply("NOT_FOUND").with("Date", &date));
        let outcome = well_kept(&fake).run(&["doctor", "--json"]);
        finds(outcome.exits_with(0), "clock", &[level, direction]);
    }
}

#[test]
fn it_is_said_where_each_value_comes_from_and_no_secret_is_among_them() {
    let fake = knows_none();
    let operator = well_kept(&fake)
        .with("DSR_LOG", "error")
        .with("HTTPS_PROXY", "http://me:PROXYSECRET@proxy.test:3128");
    operator.write_config(&format!(
        "[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"eu\"\nrate = 1000\ndelete_batch = 7\n"
    ));
    let outcome = operator.run(&["doctor", "--json"]);
    outcome.exits_with(0).never_says("PROXYSECRET");
    let settings = outcome.json()["doctor"]["settings"].clone();
    let from = |name: &str| {
        let settings = settings.as_array().unwrap();
        let setting = settings.iter().find(|setting| setting["name"] == name);
        let setting = setting.unwrap_or_else(|| panic!("{name}\n{outcome}"));
        let text = |key: &str| setting[key].as_str().unwrap().to_owned();
        (text("value"), text("from"))
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(from("region"), pair("eu", "config_file"));
    assert_eq!(from("delete_batch"), pair("7", "config_file"));
    assert_eq!(from("token"), pair("set", "config_file"));
    assert_eq!(from("api_url"), (fake.url(), "DSR_API_URL".to_owned()));
    assert_eq!(from("oauth_token"), pair("set", "DSR_TOKEN"));
    assert_eq!(from("log"), pair("error", "DSR_LOG"));
    assert_eq!(from("proxy"), pair("proxy.test:3128", "HTTPS_PROXY"));
    assert_eq!(from("ledger").1, "DSR_HOME");
    finds(&outcome, "version", &[env!("CARGO_PKG_VERSION")]);
}

#[test]
fn the_sandbox_has_a_doctor_too() {
    let operator = Operator::new();
    let outcome = operator.run(&["--sandbox", "doctor", "--json"]);
    outcome.exits_with(0);
    assert_eq!(outcome.json()["doctor"]["level"], "ok", "{outcome}");
    finds(&outcome, "mixpanel", &["ok: accepts the token"]);
    fs::write(operator.dsr_home().join("sandbox/ledger.db"), "no ledger").unwrap();
    let outcome = operator.run(&["--sandbox", "doctor"]);
    outcome.exits_with(74);
}

#[test]
fn a_keyring_that_never_answers_costs_three_seconds_once() {
    let fake = knows_none();
    let operator = well_kept(&fake);
    let operator = with_silent_bus(operator);
    let given = operator.run(&["doctor", "--json"]);
    finds(given.exits_with(0), "keyring", &["ok: ", "3 seconds"]);
    assert!(given.took < Duration::from_secs(6), "{given}");
    let operator = operator.without("DSR_TOKEN");
    let outcome = operator.run(&["doctor", "--json"]);
    finds(
        outcome.exits_with(4),
        "token",
        &["problem: ", "3 seconds", "DSR_TOKEN_FILE"],
    );
    finds(&outcome, "mixpanel", &["not asked"]);
    assert!(outcome.took < Duration::from_secs(6), "{outcome}");
}

#[test]
fn each_token_in_the_keyring_is_looked_at() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = knows_none();
    let operator = keyring.of(well_kept(&fake).without("DSR_TOKEN_ISSUED"));
    operator.write_config(&format!(
        "default_project = \"a\"\n\
         [projects.a]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"us\"\nrate = 1000\n\
         [projects.b]\ntoken = \"0123456789abcdef0123456789abcdef\"\nregion = \"us\"\nrate = 1000\n\
         auth = \"acme\"\n\
         [projects.c]\ntoken = \"1123456789abcdef0123456789abcdef\"\nregion = \"us\"\nrate = 1000\n\
         auth = \"gone\"\n",
    ));
    let login = |args: &[&str], status| {
        let args = [&["auth", "login", "--with-token"], args].concat();
        operator
            .run_with_input(&args, OAUTH_TOKEN)
            .exits_with(status);
    };
    login(&[], 0);
    login(&["--name", "acme", "--issued", "2024-01-01"], 4);
    let outcome = operator.run(&["doctor", "--json"]);
    outcome.exits_with(4);
    finds(
        &outcome,
        "token",
        &[
            "ok: the token in the keyring",
            "`acme` in the keyring expired on 2025-01-01",
            "dsr auth login --name acme",
            "dsr auth login --name gone",
        ],
    );
    finds(&outcome, "keyring", &["ok: answers"]);
    assert_eq!(fake.gets().len(), 1, "an expired one is not sent");
    keyring.lock();
    let outcome = operator.run(&["doctor", "--json"]);
    finds(outcome.exits_with(4), "token", &["problem: ", "is locked"]);
}

#[test]
fn it_reads_well_on_a_narrow_terminal() {
    // The answer comes only after the terminal has its width.
    let no = || Box::new(Reply::error(403, "no"));
    let fake = Fake::answering(move |_| Reply::After(Duration::from_millis(500), no()));
    let operator = well_kept(&fake);
    // A warning that is found before the problem.
    close(&operator.config_path(), 0o644);
    let mut terminal = Terminal::start(operator.command(&["doctor", "--color", "never"]));
    terminal.becomes_wide(60);
    let (status, screen) = terminal.ends();
    assert_eq!(status, 4, "{screen}");
    let before = screen.split("Settings").next().unwrap();
    let long = |line: &&str| line.trim_end().chars().count() > 60;
    assert_eq!(before.lines().find(long), None, "{screen}");
    assert!(
        screen.trim_start().starts_with("Problem  mixpanel shop:"),
        "{screen}"
    );
}
