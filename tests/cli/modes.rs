//! Files and folders are private from the moment they are made, whatever the umask. Reads the
//! system calls, so that it also sees files that are gone when the command ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Exports, Fake, Operator, Outcome, PROJECT_TOKEN, Running, handing_out};

const CALLS: &str = "open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,umask";

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the suite, not of dsr"
)]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    let can = tried.is_ok_and(|status| status.success());
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    assert!(
        can || !required.contains("strace"),
        "strace does not work here"
    );
    if !can {
        eprintln!("skipped: strace does not work here");
    }
    can
}

/// Runs a command under umask 0; returns each call that makes something, with its mode.
#[track_caller]
fn made_by(operator: &Operator, args: &[&str], input: &str) -> Vec<String> {
    let (calls, outcome) = trace(operator, args, input);
    outcome.exits_with(0);
    calls
}

#[track_caller]
fn made_by_failing(operator: &Operator, args: &[&str], input: &str) -> Vec<String> {
    let (calls, outcome) = trace(operator, args, input);
    outcome.exits_with(5);
    calls
}

fn trace(operator: &Operator, args: &[&str], input: &str) -> (Vec<String>, Outcome) {
    let trace = operator.work().join("trace");
    let script = format!(
        "umask 0; exec strace -f -qq -s 300 -e trace={CALLS} -o {} \"$0\" \"$@\"",
        trace.display()
    );
    let outcome = Running::start(operator.script(&script, args), input).end();
    let text = fs::read_to_string(&trace).expect("a trace");
    fs::remove_file(&trace).expect("a file of ours");
    let makes = |line: &&str| {
        let is_new = line.contains("O_CREAT") || line.contains("O_TMPFILE");
        (is_new || line.contains("mkdir") || line.contains("mask(0") || line.contains("chmod("))
            && !line.contains("= -1")
    };
    let calls = text.lines().filter(makes).map(str::to_owned);
    (calls.collect(), outcome)
}

/// Checks the mode of each call, less the umask that the process sets before it makes anything.
#[track_caller]
fn are_private(calls: &[String]) {
    assert!(
        calls.first().is_none_or(|call| call.contains("umask(077)")),
        "{calls:#?}"
    );
    for call in calls.iter().filter(|call| !call.contains("umask(")) {
        let mode = call
            .rsplit_once(", 0")
            .and_then(|(_, rest)| rest.split(')').next());
        let mode = u32::from_str_radix(mode.unwrap_or_default(), 8).expect("a mode");
        let wanted = if call.contains("mkdir") { 0o700 } else { 0o600 };
        let left = if call.contains("chmod") {
            mode
        } else {
            mode & !0o077
        };
        assert_eq!(left, wanted, "{call}");
    }
}

fn all_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(all_below(&path));
        }
        found.push(path);
    }
    found
}

#[track_caller]
fn is_private_below(folder: &Path) {
    for path in all_below(folder) {
        let mode = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
    }
}

#[test]
fn what_requests_and_settings_leave_is_private_from_its_creation_on() {
    if !can_trace() {
        return;
    }
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    fs::remove_dir_all(operator.dsr_home()).unwrap();
    let add = ["project", "add", "shop", "--region", "us"];
    let calls = made_by(&operator, &add, PROJECT_TOKEN);
    are_private(&calls);
    // More ids than fit into memory, so that they go through a file.
    let name = "a-long-name".repeat(16);
    let ids: String = (0..220_000).map(|n| format!("{n}-{name}\n")).collect();
    operator.file("ids.txt", &ids);
    let export = [
        "export", "--gdpr", "--format", "text", "ids.txt", "--expect", "1",
    ];
    let calls = made_by_failing(&operator, &export, "");
    are_private(&calls);
    assert!(
        calls
            .iter()
            .any(|call| call.contains("O_TMPFILE") || call.contains("/.tmp"))
    );
    let calls = made_by(&operator, &["export", "--gdpr", "a1"], "");
    are_private(&calls);
    for name in [
        "ledger.db\"",
        "ledger.db-wal",
        "ledger.db-shm",
        "holder",
        ".new\"",
        ".jsonl",
    ] {
        assert!(
            calls.iter().any(|call| call.contains(name)),
            "{name}\n{}",
            calls.join("\n")
        );
    }
    are_private(&made_by(&operator, &["status", "--refresh"], ""));
    is_private_below(&operator.dsr_home());
}

#[test]
fn what_is_fetched_and_split_is_private_from_its_creation_on() {
    if !can_trace() {
        return;
    }
    let operator = Operator::new();
    let export = [
        "--sandbox",
        "export",
        "--gdpr",
        "a1",
        "--wait",
        "--download",
        "got",
    ];
    let calls = made_by(&operator, &export, "");
    are_private(&calls);
    for name in ["server.db\"", ".part", "ledger.db\""] {
        assert!(
            calls.iter().any(|call| call.contains(name)),
            "{name}\n{}",
            calls.join("\n")
        );
    }
    is_private_below(&operator.dsr_home());
    is_private_below(&operator.work());
    let zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let exports = Exports::from(|_| handing_out(zip, ""));
    are_private(&made_by(
        &exports.operator,
        &["download", "--to", "got"],
        "",
    ));
    is_private_below(&exports.operator.work());
}
