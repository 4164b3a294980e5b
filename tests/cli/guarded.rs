//! Keeps a running or dying dsr from exposing its memory and its files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::support::{Fake, OAUTH_TOKEN, Operator, PROJECT_TOKEN, Reply, Running, with_silent_bus};

#[test]
fn a_dsr_that_crashes_leaves_no_core_file() {
    let fake = Fake::answering_posts(Reply::Hang);
    let operator = Operator::at(&fake);
    let command = operator.command_after("ulimit -c unlimited", &["export", "--gdpr", "a1"]);
    let running = Running::start(command, "");
    fake.wait_for_posts(1);
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file"));
    let sizes: Vec<&str> = core.unwrap().split_whitespace().skip(4).collect();
    assert_eq!(sizes[..2], ["0", "0"], "{limits}");
    // Not QUIT: background processes of a shell ignore it.
    running.signal("ABRT");
    assert_eq!(running.end().status, None, "it crashed");
    let files = fs::read_dir(operator.work()).unwrap();
    let names: Vec<_> = files.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.is_empty(), "{names:?}");
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("it is there");
    metadata.permissions().mode() & 0o777
}

fn everything(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder can be listed").path();
        match path.is_dir() {
            true => found.extend(everything(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn everything_a_running_dsr_has_on_the_disk_is_for_its_owner_whatever_the_umask() {
    let fake = Fake::answering_posts(Reply::Hang);
    let operator = Operator::new()
        .with("DSR_TOKEN", OAUTH_TOKEN)
        .with("DSR_API_URL", &fake.url());
    let add = ["project", "add", "shop", "--region", "us"];
    let add = operator.command_after("umask 0", &add);
    Running::start(add, PROJECT_TOKEN).end().exits_with(0);
    let send = operator.command_after("umask 0", &["export", "--gdpr", "a1"]);
    let running = Running::start(send, "");
    fake.wait_for_posts(1);
    let found = everything(&operator.dsr_home());
    for path in &found {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(path), wanted, "{}", path.display());
    }
    let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
    for name in [
        "ledger.db",
        "ledger.db-wal",
        "holder",
        "senders",
        "receipts",
        "config.toml",
    ] {
        assert!(
            names.iter().any(|found| *found == name),
            "{name}: {names:?}"
        );
    }
    running.kill();
}

#[test]
fn a_keyring_that_never_answers_is_given_up_with_the_way_out() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).without("DSR_TOKEN");
    let operator = with_silent_bus(operator);
    for args in [
        &["auth", "status"][..],
        &["export", "--gdpr", "a1"],
        &["auth", "logout"],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(4).says("DSR_TOKEN_FILE");
        assert!(outcome.took >= Duration::from_secs(3), "{outcome}");
        assert!(outcome.took < Duration::from_secs(8), "{outcome}");
    }
    let login = operator.run_with_input(&["auth", "login", "--with-token"], OAUTH_TOKEN);
    login.exits_with(4).never_says(OAUTH_TOKEN);
    fake.was_not_called();
}
