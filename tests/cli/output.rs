//! What a person sees: the result on stdout, the rest on stderr, color and help.

use std::path::Path;
use std::process::Stdio;

use crate::support::{Fake, OAUTH_TOKEN, Operator, Terminal};

const STATUSES: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 74, 75, 129, 130, 143];
const ESCAPE: char = '\u{1b}';

fn operator_with_a_request(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17", "--ref", "T-1"])
        .exits_with(0);
    operator
}

#[test]
fn nothing_but_the_result_is_on_stdout() {
    let fake = Fake::start();
    let operator = operator_with_a_request(&fake);
    let outcome = operator.run(&["status", "nothing-like-it"]);
    outcome.exits_with(2).says("Error:").says("Hint:");
    assert!(outcome.stdout.is_empty(), "{outcome}");
    let outcome = operator.run(&["export", "--ccpa", "a1", "-q"]);
    outcome.exits_with(0);
    assert!(
        outcome.stderr.is_empty() && !outcome.stdout.is_empty(),
        "{outcome}"
    );
    let outcome = operator.run(&["status", "-vvv"]);
    assert!(
        !outcome.stdout.contains("DEBUG") && outcome.stderr.contains("DEBUG"),
        "{outcome}"
    );
}

#[test]
fn the_request_and_the_next_step_are_named() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "user-17"]);
    let request = operator.only_request();
    let id = request["id"].as_str().unwrap();
    let task = request["jobs"][0]["task_id"].as_str().unwrap();
    outcome.says("dsr status").says(&id[..8]);
    assert!(
        outcome.stdout.contains(id) && outcome.stdout.contains(task),
        "{outcome}"
    );
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let fake = Fake::start();
    let operator = operator_with_a_request(&fake);
    let wrong: [&str; 2] = ["status", "nothing-like-it"];
    for args in [
        &["status", "--cached"][..],
        &wrong,
        &["status", "--cached", "--color", "never"],
    ] {
        let outcome = operator.run(args);
        assert!(
            !outcome.stdout.contains(ESCAPE) && !outcome.stderr.contains(ESCAPE),
            "{outcome}"
        );
    }
    let outcome = operator.run(&["status", "--cached", "--color", "always"]);
    assert!(outcome.stdout.contains(ESCAPE), "{outcome}");
    let outcome = operator.run(&[&wrong[..], &["--color", "always"]].concat());
    assert!(outcome.stderr.contains(ESCAPE), "{outcome}");
    let json = operator.run(&["status", "--cached", "--json", "--color", "always"]);
    assert!(!json.stdout.contains(ESCAPE), "{json}");
    operator
        .run(&["status", "--color", "sometimes"])
        .exits_with(2);
}

#[test]
fn a_terminal_changes_colour_and_never_content() {
    let fake = Fake::start();
    let operator = operator_with_a_request(&fake)
        .with("TERM", "xterm")
        .with("NO_COLOR", "1");
    let piped = operator.run(&["status", "--cached", "--json"]).stdout;
    let (status, screen) =
        Terminal::start(operator.command(&["status", "--cached", "--json"])).ends();
    assert_eq!(status, 0);
    assert_eq!(screen.replace("\r\n", "\n"), piped);
    let (_, screen) = Terminal::start(operator.command(&["status", "--cached"])).ends();
    assert!(!screen.contains("\u{1b}[3"), "NO_COLOR: {screen:?}");
}

#[test]
fn control_characters_do_not_reach_the_screen() {
    let fake = Fake::answering_posts(crate::support::Reply::error(
        400,
        "bad \u{1b}[31mred\u{7} \u{202e}evil",
    ));
    let operator = Operator::at(&fake);
    let args = [
        "delete",
        "--gdpr",
        "--yes",
        "user-17",
        "--ref",
        "T\u{1b}]0;x\u{7}\u{202e}",
    ];
    let outcome = operator.run(&args);
    let listed = operator.run(&["status", "--all", "--cached"]);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let shown = operator.run(&["status", &id, "--cached"]);
    let missing = operator.run(&["export", "--gdpr", "a\u{1b}[31m/b.csv"]);
    for outcome in [outcome, listed, shown, missing] {
        for bad in [ESCAPE, '\u{7}', '\u{202e}'] {
            let found = outcome.stdout.contains(bad) || outcome.stderr.contains(bad);
            assert!(!found, "{bad:?} is on the screen\n{outcome}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic_and_the_work_is_recorded() {
    let fake = Fake::start();
    let operator = operator_with_a_request(&fake);
    let commands: [&[&str]; 8] = [
        &["delete", "--gdpr", "--yes", "a1"],
        &["export", "--gdpr", "a1", "--json"],
        &["status", "--all"],
        &["status", "--all", "--json"],
        &["completions", "bash"],
        &["help", "exit-status"],
        &["--help"],
        &["project", "list"],
    ];
    for args in commands {
        let mut child = operator
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        assert_ne!(output.status.code(), Some(101), "{args:?}");
        assert!(
            output.status.code().is_some(),
            "{args:?}: {:?}",
            output.status
        );
    }
    assert_eq!(fake.posts().len(), 3);
    assert_eq!(operator.requests().len(), 3);
}

#[test]
fn a_closed_stderr_is_no_panic() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for args in [
        &["delete", "--gdpr", "--yes", "a1"][..],
        &["delete", "--gdpr", "a1"],
        &["status", "x"],
    ] {
        let mut child = operator
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        let status = child.wait().unwrap();
        assert!(matches!(status.code(), Some(0 | 2)), "{args:?}: {status:?}");
    }
}

#[test]
fn a_full_disk_under_stdout_is_a_local_failure() {
    let fake = Fake::start();
    let operator = operator_with_a_request(&fake);
    for args in [&["status", "--cached"][..], &["project", "list", "--json"]] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let child = operator
            .command(args)
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(74), "{args:?}: {output:?}");
    }
}

#[test]
fn each_exit_status_is_documented() {
    let operator = Operator::new();
    let outcome = operator.run(&["help", "exit-status"]);
    outcome.exits_with(0);
    for status in STATUSES {
        let starts = |line: &str| line.trim_start().starts_with(&format!("{status} "));
        assert!(
            outcome.stdout.lines().any(starts),
            "{status} is missing\n{outcome}"
        );
    }
}

#[test]
fn the_help_of_every_command_ends_in_examples() {
    let operator = Operator::new();
    let commands: [&[&str]; 16] = [
        &[],
        &["export"],
        &["delete"],
        &["status"],
        &["resume"],
        &["auth"],
        &["auth", "login"],
        &["auth", "status"],
        &["auth", "logout"],
        &["project"],
        &["project", "add"],
        &["project", "list"],
        &["project", "show"],
        &["project", "use"],
        &["project", "remove"],
        &["sandbox"],
    ];
    for command in commands {
        for flag in ["--help", "-h"] {
            let outcome = operator.run(&[command, &[flag]].concat());
            outcome.exits_with(0);
            assert!(outcome.stdout.contains("Example"), "no example\n{outcome}");
            assert!(outcome.stderr.is_empty(), "{outcome}");
        }
    }
}

#[test]
fn what_is_typed_wrongly_is_explained() {
    let operator = Operator::new().with("DSR_TOKEN", OAUTH_TOKEN);
    for args in [
        &["exprot", "--gdpr", "a1"][..],
        &["export", "--gdrp", "a1"],
        &["--nope"],
        &[],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(2).says("--help");
        assert!(outcome.stdout.is_empty(), "{outcome}");
    }
    let operator = operator.with("DSR_LOG", "chatty");
    operator
        .run(&["project", "list"])
        .exits_with(2)
        .says("DSR_LOG");
}

#[test]
fn each_exit_status_is_in_the_reference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let reference = std::fs::read_to_string(path).unwrap();
    for status in STATUSES {
        let stands = reference.contains(&format!("| `{status}` |"));
        assert!(stands, "{status} is not in the reference");
    }
}

#[test]
fn a_submission_that_takes_a_while_shows_how_far_it_is() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "delete_batch = 1").with("TERM", "xterm");
    let args = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];
    let (status, screen) = Terminal::start(operator.command(&args)).ends();
    assert_eq!(status, 0);
    assert!(
        screen.contains("Submitting") && screen.contains("/2"),
        "{screen:?}"
    );
    let piped = operator.run(&["export", "--gdpr", "a1"]);
    assert!(!piped.stderr.contains("Submitting"), "{piped}");
    let quiet = operator.command(&[&args[..], &["-q"]].concat());
    assert!(!Terminal::start(quiet).ends().1.contains("Submitting"));
}
