//! A ledger that was set back (a backup, a snapshot, another volume) sends nothing until the
//! operator has decided about what it lacks.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::support::{Fake, Operator, Reply, Terminal, csv_of, people, skips_on_postgres, states};

/// The head as `dsr audit head` prints it, without its time.
pub(crate) fn head_of(operator: &Operator) -> String {
    let line = operator
        .run(&["audit", "head"])
        .exits_with(0)
        .stdout
        .clone();
    line.split(' ').next().expect("a head").to_owned()
}

pub(crate) fn seen_by(operator: &Operator) -> String {
    let text = fs::read_to_string(operator.beside_ledger("seen-head"));
    text.expect("what was seen is noted").trim().to_owned()
}

/// An operator whose ledger knows one request, and who has sent another one since.
#[track_caller]
pub(crate) fn set_back(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let copy = operator.copies_ledger();
    operator
        .run(&["delete", "--gdpr", "--yes", "b1"])
        .exits_with(0);
    operator.puts_back(&copy);
    operator
}

#[test]
fn a_ledger_that_was_set_back_is_not_written_to_and_sends_nothing() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    let before = operator.ledger_bytes();
    for args in [
        &["delete", "--gdpr", "--yes", "b1"][..],
        &["export", "--gdpr", "c1"],
        &["resume"],
        &["status"],
        &["status", "--exit-status"],
        &["status", "--changes"],
        &["find", "b1"],
        &["report", "--from", "2020-01-01", "--to", "2020-02-01"],
        &["suppressions", "export"],
        &["download"],
        &["purge", "--older-than", "3years", "--yes"],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(74).never_says("b1");
        let json = operator.run(&[args, &["--json"]].concat());
        assert_eq!(json.failure()["kind"], "ledger_set_back", "{json}");
    }
    for args in [
        &["status", "--cached"][..],
        &["audit", "log"],
        &["audit", "head"],
    ] {
        operator.run(args).exits_with(0).says("older copy");
    }
    let verified = operator.run(&["audit", "verify"]);
    let first = verified.exits_with(74).stdout.lines().next();
    let first = first.unwrap_or_default();
    assert!(first.contains("older copy"), "{verified}");
    let json = operator.run(&["audit", "verify", "--json"]).json();
    assert_eq!(json["audit"]["set_back"], true);
    let status = operator.run(&["ledger", "status"]);
    for label in ["Last entry of its audit trail:", "Last seen on this host:"] {
        assert!(status.exits_with(74).stdout.contains(label), "{status}");
    }
    let doctor = operator.doctor();
    doctor.exits_with(74).never_says("Nothing is wrong");
    assert_eq!(fake.posts().len(), 2, "nothing was sent");
    let after = operator.ledger_bytes();
    assert!(before == after, "not a byte was written");
}

#[test]
fn an_accepted_ledger_goes_on_and_its_trail_has_the_decision() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    let (seen, has) = (seen_by(&operator), head_of(&operator));
    let alone = operator.run(&["ledger", "accept"]);
    alone.exits_with(2).says("--yes");
    assert_eq!(seen_by(&operator), seen);
    let accepted = operator.run(&["ledger", "accept", "--yes", "--json"]);
    let accepted = accepted.exits_with(0).json()["accepted"].clone();
    assert_eq!(accepted["seen"], json!(seen));
    assert_eq!(accepted["head_before"], json!(has));
    assert_eq!(accepted["unknown"], json!({ "jobs": 0, "ids": 0 }));
    assert_eq!(seen_by(&operator), head_of(&operator));
    let query = "SELECT details FROM audit WHERE event = 'set_back_accepted'";
    let told = operator.ledger_texts(query);
    assert!(told.len() == 1 && told[0].contains(&seen), "{told:?}");
    let verified = operator.run(&["audit", "verify"]);
    let shown = &verified.exits_with(0).stdout;
    assert!(
        shown.replace('\n', " ").contains("Accepted on"),
        "{verified}"
    );
    operator
        .doctor()
        .exits_with(0)
        .never_says("Nothing is wrong");
    operator
        .run(&["delete", "--gdpr", "--yes", "c1"])
        .exits_with(0);
    assert_eq!(fake.posts().len(), 3);
    let again = operator.run(&["ledger", "accept", "--yes", "--json"]);
    assert_eq!(again.exits_with(0).json()["accepted"], json!(null));
}

#[test]
fn what_may_have_been_sent_since_is_unknown_and_not_sent_again() {
    // The first POST is turned away, so the jobs are planned when the ledger is copied.
    let fake = Fake::answering_post(0, Reply::error(401, "no"));
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 2");
    operator.file("ids.csv", csv_of(&people(4), None));
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(4);
    let copy = operator.copies_ledger();
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 3);
    operator.puts_back(&copy);
    operator.run(&["resume"]).exits_with(74);

    let mut terminal = Terminal::start(operator.command(&["ledger", "accept"]));
    terminal.sees("does not know whether these jobs were sent");
    terminal.sees("(2): ");
    terminal.types("3");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    let mut terminal = Terminal::start(operator.command(&["ledger", "accept"]));
    terminal.sees("2 jobs, 4 ids");
    terminal.sees("Requests made after");
    terminal.sees("(2): ");
    terminal.types("2");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    // A plain `resume` would send nothing.
    assert!(screen.contains("--send-again"), "{screen}");

    let shown = operator.run(&["status", "--cached", "--all", "--json"]);
    let id = shown.json()["requests"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let request = operator
        .run(&["status", &id, "--cached", "--json"])
        .request();
    assert_eq!(states(&request), ["unknown", "unknown"]);
    operator.run(&["audit", "verify"]).exits_with(0);
    for shown in [
        operator.run(&["report", &id, "--format", "html"]),
        operator.run(&["audit", "log", &id]),
    ] {
        let text = &shown.exits_with(0).stdout;
        assert!(
            text.contains("may have been sent in the lost time"),
            "{shown}"
        );
        assert!(!text.contains("(set_back)"), "{shown}");
    }
    let report = operator.run(&["report", &id, "--json"]).json();
    let job = &report["report"]["evidence"]["jobs"][0];
    assert_eq!(
        job["attempts"][0]["certain"], true,
        "the one that was refused"
    );
    assert_eq!(job["attempts"][1]["certain"], false, "{job}");
    let moments = report["report"]["evidence"]["request"]["moments"].clone();
    let moments = moments.as_array().expect("moments");
    let sending = moments.iter().find(|moment| moment["state"] == "sending");
    assert_eq!(
        sending.expect("one")["jobs"],
        1,
        "job 2 was never sent here"
    );
    // Only the operator's decision sends it again, however soon that is.
    operator.run(&["resume"]).exits_with(6).says("--send-again");
    assert_eq!(fake.posts().len(), 3, "nothing was sent twice");
}

#[test]
fn what_was_seen_is_noted_before_a_post_leaves() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let operator = Operator::at(&fake);
    let running = operator.start(&["delete", "--gdpr", "--yes", "a1"]);
    fake.wait_for_posts(1);
    let seen = seen_by(&operator);
    running.kill();
    let last = "SELECT seq || ':' || hash FROM audit
                WHERE event = 'job_moved' AND details LIKE '%\"state\":\"sending\"%'";
    assert_eq!(operator.ledger_texts(last), [seen]);
    let modes = fs::metadata(operator.beside_ledger("seen-head")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&modes.permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// A crash between the commit and the note, or another process: never a false alarm.
#[test]
fn a_note_that_is_older_stops_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let older = fs::read(operator.beside_ledger("seen-head")).unwrap();
    operator.run(&["export", "--gdpr", "a2"]).exits_with(0);
    fs::write(operator.beside_ledger("seen-head"), older).unwrap();
    operator.run(&["export", "--gdpr", "a3"]).exits_with(0);
    assert_eq!(seen_by(&operator), head_of(&operator));
    assert_eq!(fake.posts().len(), 3);
    let left = fs::read_dir(operator.dsr_home()).unwrap();
    let left = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".part")
    });
    assert_eq!(left.count(), 0, "nothing is left beside it");
}

/// A copy on a new disk, which nothing shows to be old.
#[test]
fn a_ledger_that_this_host_has_not_seen_sends_nothing_until_it_is_accepted() {
    if skips_on_postgres("a new host takes a server's ledger as it is") {
        return;
    }
    let fake = Fake::answering_post(0, Reply::json(429, &json!({"error": "busy"})));
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "--max-wait", "0s", "a1"])
        .exits_with(75);
    let copy = operator.copies_ledger();
    operator.run(&["resume"]).exits_with(0);
    let sent = fake.posts().len();
    operator.puts_back(&copy);
    fs::remove_file(operator.beside_ledger("seen-head")).unwrap();
    operator.run(&["audit", "verify"]).exits_with(0);
    for args in [
        &["resume"][..],
        &["status"],
        &["find", "a1"],
        &["delete", "--gdpr", "--yes", "b1"],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(74).says("has not seen this ledger");
        assert!(outcome.stderr.contains("dsr ledger accept"), "{outcome}");
    }
    operator
        .run(&["status", "--cached"])
        .exits_with(0)
        .says("has not seen this ledger");
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    assert_eq!(operator.only_request()["jobs"][0]["state"], "unknown");
    operator.run(&["resume"]).exits_with(6);
    assert_eq!(fake.posts().len(), sent);
}

#[test]
fn several_processes_on_one_ledger_raise_no_alarm() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let runs: Vec<_> = (0..6)
        .map(|place| operator.start(&["export", "--gdpr", &format!("a{place}")]))
        .collect();
    for run in runs {
        run.end().exits_with(0);
    }
    operator.run(&["export", "--gdpr", "b"]).exits_with(0);
    assert_eq!(seen_by(&operator), head_of(&operator));
    assert_eq!(fake.posts().len(), 7);
}

#[test]
fn a_ledger_that_is_gone_is_not_made_anew_without_a_word() {
    if skips_on_postgres("a file goes missing; a server is asked") {
        return;
    }
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    fs::remove_file(operator.dsr_home().join("ledger.db")).unwrap();
    for args in [
        &["delete", "--gdpr", "--yes", "b1"][..],
        &["status"],
        &["audit", "verify"],
    ] {
        operator.run(args).exits_with(74).says("missing");
    }
    let doctor = operator.doctor();
    doctor.exits_with(74).never_says("Nothing is wrong");
    assert!(doctor.stdout.contains("missing"), "{doctor}");
    assert!(!operator.dsr_home().join("ledger.db").exists());
    assert_eq!(fake.posts().len(), 1);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    operator
        .run(&["delete", "--gdpr", "--yes", "b1"])
        .exits_with(0);
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn a_note_that_is_damaged_stops_everything_until_it_is_accepted() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    fs::write(operator.beside_ledger("seen-head"), "\u{0}\u{0}").unwrap();
    operator
        .run(&["export", "--gdpr", "a2"])
        .exits_with(74)
        .says("seen-head");
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    operator.run(&["export", "--gdpr", "a2"]).exits_with(0);
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_set_back_ledger_of_an_older_schema_stays_as_it_is() {
    if skips_on_postgres("the format is a number in the file") {
        return;
    }
    let fake = Fake::start();
    let operator = set_back(&fake);
    let ledger = Connection::open(operator.dsr_home().join("ledger.db")).unwrap();
    let version: i64 = ledger
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    let older = version - 1;
    ledger.pragma_update(None, "user_version", older).unwrap();
    drop(ledger);
    operator.run(&["status", "--cached"]).exits_with(74);
    let ledger = Connection::open(operator.dsr_home().join("ledger.db")).unwrap();
    let now: i64 = ledger
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(now, older);
    operator.give_up_trail();
}

#[test]
fn the_sandbox_has_a_note_of_its_own() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    operator
        .run(&["--sandbox", "export", "--gdpr", "a1"])
        .exits_with(0);
    assert!(operator.dsr_home().join("sandbox/seen-head").exists());
    fs::remove_file(operator.dsr_home().join("sandbox/ledger.db")).unwrap();
    operator
        .run(&["--sandbox", "export", "--gdpr", "a1"])
        .exits_with(74);
    operator
        .run(&["--sandbox", "ledger", "accept", "--yes"])
        .exits_with(0);
    operator
        .run(&["--sandbox", "export", "--gdpr", "a1"])
        .exits_with(0);
    operator.run(&["export", "--gdpr", "a2"]).exits_with(74);
}

#[test]
fn nothing_is_decided_while_another_dsr_sends() {
    let fake = Fake::answering_post(1, Reply::Hang);
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let running = operator.start(&["export", "--gdpr", "a2"]);
    fake.wait_for_posts(2);
    operator
        .run(&["ledger", "accept", "--yes"])
        .exits_with(2)
        .says("another dsr is sending");
    running.kill();
}

#[test]
fn where_no_job_waits_a_word_is_asked_for() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    let accept = |typed: &str| {
        let mut terminal = Terminal::start(operator.command(&["ledger", "accept"]));
        terminal.sees("Type accept to confirm: ");
        terminal.types(typed);
        terminal.ends()
    };
    let (status, screen) = accept("0");
    assert_eq!(status, 2, "{screen}");
    let (status, screen) = accept("accept");
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("suppression list"), "{screen}");
}

#[test]
fn the_people_of_the_lost_span_are_named_as_missing_on_the_suppression_list() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 1000").with_ledger_key();
    let delete = |id: &str| {
        let outcome = operator.run(&["delete", "--gdpr", "--yes", id]);
        outcome.exits_with(0);
    };
    let export = [
        "suppressions",
        "export",
        "--output",
        "list.txt",
        "--replace",
    ];
    delete("a1");
    let copy = operator.copies_ledger();
    delete("b1");
    operator.run(&export).exits_with(0).never_says("older copy");
    operator.puts_back(&copy);
    let accepted = operator.run(&["ledger", "accept", "--yes"]);
    accepted.exits_with(0).says("suppression list");
    accepted.says("Keep the last list");
    let list = fs::read(operator.work().join("list.txt")).expect("a list");
    let refused = operator.run(&export);
    refused.exits_with(2).says("older copy");
    refused.says("another file").never_says("--allow-fewer");
    let after = fs::read(operator.work().join("list.txt")).expect("a list");
    assert!(list == after, "nobody fell off it");
    let apart = ["suppressions", "export", "--output", "more.txt"];
    let apart = operator.run(&apart);
    apart
        .exits_with(0)
        .says("older copy")
        .says("Keep the last list");
}
