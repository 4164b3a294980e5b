//! Terminals that are narrow, absent, or could be controlled by what is shown.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Call, Fake, Operator, Reply, Running, Terminal, object_reply, usual};

const TASK: &str = "3e0b7f52-77aa-4c1e-9a4b-0000000000a1";
/// An escape sequence, a bell, a direction override, and a C1 control.
const STEERING: &str = "x\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m";
const BAD: [char; 4] = ['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}'];

#[test]
fn where_nobody_can_be_asked_the_flag_is_named_at_once() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for (args, flag) in [
        (&["delete", "--gdpr", "a1"][..], "--yes"),
        (&["auth", "login"], "--with-token"),
    ] {
        for extra in [&[][..], &["--no-input"], &["--json"]] {
            let args = [args, extra].concat();
            // Standard input stays open and silent, as an inherited one.
            let mut child = operator.command(&args);
            child
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = child.spawn().unwrap();
            let silent = child.stdin.take();
            let start = Instant::now();
            while child.try_wait().unwrap().is_none() {
                assert!(start.elapsed() < Duration::from_secs(20), "{args:?} hangs");
                std::thread::sleep(Duration::from_millis(5));
            }
            drop(silent);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
            assert!(said.contains(flag), "{args:?}: {said}");
        }
    }
    fake.was_not_called();
}

#[test]
fn a_question_that_may_not_be_asked_names_the_flag_on_a_terminal_too() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).with("TERM", "xterm");
    for (args, flag) in [
        (&["delete", "--gdpr", "a1", "--no-input"][..], "--yes"),
        (&["auth", "login", "--no-input"], "--with-token"),
        (
            &["project", "add", "app", "--region", "eu", "--no-input"],
            "--with-token",
        ),
    ] {
        let (status, screen) = Terminal::start(operator.command(args)).ends();
        assert_eq!(status, 2, "{screen}");
        assert!(screen.contains(flag), "{screen}");
    }
    fake.was_not_called();
}

fn columns(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn a_narrow_terminal_wraps_and_loses_nothing() {
    let fake = Fake::answering_posts(object_reply(TASK));
    let operator = Operator::at(&fake)
        .with("TERM", "xterm")
        .with("NO_COLOR", "1");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1", "--ref", "TICKET-4711"])
        .exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let narrow = |args: &[&str]| {
        let is_narrow = "until stty size | grep -q ' 40$'; do sleep 0.05; done";
        let mut terminal = Terminal::start(operator.command_after(is_narrow, args));
        terminal.becomes_wide(40);
        let (status, screen) = terminal.ends();
        assert_eq!(status, 0, "{screen}");
        screen
    };
    for args in [
        &["status", &id, "--cached"][..],
        &["status", "--cached"],
        &["project", "list"],
    ] {
        let screen = narrow(args);
        // The terminal itself wraps sentences; a table would lose its shape.
        let prose = ["Request ", "  created "];
        let rows = screen
            .lines()
            .filter(|line| !prose.iter().any(|p| line.starts_with(p)));
        for line in rows {
            // A label and one word that must not be broken: people copy ids.
            let is_whole = line.split_whitespace().count() <= 2;
            assert!(
                columns(line) <= 40 || is_whole,
                "{args:?}: {line:?}\n{screen}"
            );
        }
        // Nothing is left out for lack of room.
        assert!(!screen.contains('…') && !screen.contains("..."), "{screen}");
    }
    let shown = narrow(&["status", &id, "--cached"]);
    assert!(shown.contains(&id), "{shown}");
    assert!(shown.contains(TASK), "the task id in one piece:\n{shown}");
    let screen = narrow(&["status", &id, "--cached", "--json"]);
    let object: Value = serde_json::from_str(screen.trim()).unwrap();
    let job = &object["request"]["jobs"][0];
    assert_eq!(
        (&object["request"]["id"], &job["task_id"]),
        (&json!(id), &json!(TASK))
    );
}

/// Names the task and its status in text that would control a terminal.
fn steering(call: &Call) -> Reply {
    match call.is_post() {
        true => object_reply(&format!("t-{STEERING}")),
        false => Reply::json(
            200,
            &json!({ "status": "ok", "results": { "status": STEERING } }),
        ),
    }
}

#[test]
fn nothing_that_others_say_steers_the_terminal() {
    let fake = Fake::answering(steering);
    let operator = Operator::at(&fake);
    operator.file("ids.csv", format!("{STEERING},email\na1,b\n"));
    let name = format!("{STEERING}.csv");
    operator.file(&name, "distinct_id\nuser-1\n");
    let bad = format!("distinct_id\n{STEERING}\n");
    operator.file("bad.csv", &bad);
    let dashed = format!("--{STEERING}");
    let runs: [&[&str]; 12] = [
        &["export", "--gdpr", "--ref", STEERING, &name],
        &["status"],
        &["status", "--all"],
        &["status", STEERING],
        &["export", "--gdpr", "ids.csv"],
        &["export", "--gdpr", "ids.csv", "--column", STEERING],
        &["export", "--gdpr", "bad.csv"],
        &["export", "--gdpr", "a1", "--project", STEERING],
        &["project", "show", STEERING],
        &["export", "--gdpr", "a1", &dashed],
        &["status", "--color", STEERING],
        &["export", "--gdpr", "a1", "--received", STEERING],
    ];
    for args in runs {
        for extra in [&[][..], &["--json"], &["-vvv"]] {
            let outcome = operator.run(&[args, extra].concat());
            outcome.did_not_panic();
            for text in [&outcome.stdout, &outcome.stderr] {
                let found = BAD.iter().find(|bad| text.contains(**bad));
                assert_eq!(found, None, "{:?}\n{text:?}", outcome.args);
            }
        }
    }
    // What an older dsr may have recorded.
    let ledger = Connection::open(operator.dsr_home().join("ledger.db")).unwrap();
    let unknown = "UPDATE jobs SET state = 'unknown', reason = $1";
    assert_ne!(ledger.execute(unknown, [STEERING]).unwrap(), 0);
    drop(ledger);
    operator.run(&["status", "--cached"]).says("is unknown: x");
    let id = operator.requests()[0]["id"].as_str().unwrap().to_owned();
    for args in [
        &["status", "--cached"][..],
        &["status", &id],
        &["cancel", &id],
        &["resume", &id],
    ] {
        let outcome = operator.run(args);
        for text in [&outcome.stdout, &outcome.stderr] {
            let found = BAD.iter().find(|bad| text.contains(**bad));
            assert_eq!(found, None, "{:?}\n{text:?}", outcome.args);
        }
    }
}

#[test]
fn a_reader_that_goes_away_in_the_middle_of_a_wait_stops_nothing() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false if call.place < 2 => crate::support::status_reply("PENDING"),
        false => crate::support::status_reply("SUCCESS"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let args = [
        "delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2", "--id", "a3", "--wait", "--json",
    ];
    let command = operator.script(r#""$0" "$@" | head -n 1; echo "over" >&2"#, &args);
    let outcome = Running::start(command, "").end();
    outcome.exits_with(0).says("over").did_not_panic();
    assert_eq!(outcome.stdout.lines().count(), 1);
    assert_eq!(fake.posted_ids(), ["a1", "a2", "a3"]);
    let request = operator.only_request();
    assert_eq!(crate::support::states(&request), ["done"; 3]);
}
