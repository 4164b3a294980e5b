//! The token and the key of hashed ids in a real Secret Service. They would replace a person's own,
//! so it runs only where `DSR_TEST_REQUIRE=secret-service` says that the keyring is there for the
//! test: `.ci/run`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output, Stdio};

const TOKEN: &str = "oauth-canary-in-the-keyring";
const SECOND: &str = "a-second-oauth-canary";

#[test]
fn a_token_is_kept_replaced_and_forgotten_in_a_real_keyring() {
    if !is_required() {
        println!("SKIPPED: a real keyring is tested only with DSR_TEST_REQUIRE=secret-service");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let dsr = |args: &[&str], input: &str| dsr(home.path(), args, input);

    let before = dsr(&["auth", "status"], "");
    assert_eq!(before.status.code(), Some(4), "{before:?}");

    let login = ["auth", "login", "--with-token", "--issued", "2026-11-01"];
    let kept = dsr(&login, &format!("{TOKEN}\n"));
    assert_eq!(kept.status.code(), Some(0), "{kept:?}");
    assert_eq!(
        lookup().as_deref(),
        Some(TOKEN),
        "what another program sees"
    );

    let status = json(&dsr(&["auth", "status", "--json"], ""));
    assert_eq!(status["token"]["source"], "keyring");
    assert_eq!(status["token"]["issued"], "2026-11-01");
    assert_eq!(status["token"]["expires"], "2027-11-01");
    let first = status["token"]["fingerprint"].clone();

    let replaced = dsr(&["auth", "login", "--with-token"], SECOND);
    assert_eq!(replaced.status.code(), Some(0), "{replaced:?}");
    assert_eq!(lookup().as_deref(), Some(SECOND), "one entry, the new one");
    let status = json(&dsr(&["auth", "status", "--json"], ""));
    assert_ne!(status["token"]["fingerprint"], first);

    let forgotten = dsr(&["auth", "logout"], "");
    assert_eq!(forgotten.status.code(), Some(0), "{forgotten:?}");
    assert_eq!(lookup(), None);
    let again = dsr(&["auth", "logout", "--json"], "");
    assert_eq!(json(&again)["removed"], false);

    for output in [kept, replaced, forgotten] {
        let shown = format!("{output:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains(SECOND), "{shown}");
    }
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    }
}

#[test]
fn the_key_of_hashed_ids_is_kept_and_used_beside_the_token() {
    if !is_required() {
        println!("SKIPPED: a real keyring is tested only with DSR_TEST_REQUIRE=secret-service");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let dsr = |args: &[&str], input: &str| dsr(home.path(), args, input);
    let plan = [
        "--sandbox",
        "export",
        "--gdpr",
        "--dry-run",
        "--json",
        "--hash",
        "hmac-sha256",
        "--id",
        "what do ya want for nothing?",
    ];
    let without = dsr(&plan, "");
    assert_eq!(without.status.code(), Some(2), "{without:?}");

    let kept = dsr(&["auth", "hash-key", "--with-key"], "Jefe\n");
    assert_eq!(kept.status.code(), Some(0), "{kept:?}");
    let planned = json(&dsr(&plan, ""));
    let example = &planned["request"]["hashing"]["example"];
    assert_eq!(example["id"], "5bdc…43", "RFC 4231, case 2");

    let file = home.path().join("key");
    std::fs::write(&file, b"\xff\x00\n").unwrap();
    let path = file.to_str().unwrap();
    let run = Command::new("chmod").args(["600", path]).status();
    assert!(run.unwrap().success());
    let bytes = dsr(&["auth", "hash-key", "--file", path], "");
    assert_eq!(bytes.status.code(), Some(0), "{bytes:?}");
    let from_keyring = json(&dsr(&plan, ""));
    let from_file = json(&dsr(&[&plan[..], &["--hash-key-file", path]].concat(), ""));
    let id = |plan: &serde_json::Value| plan["request"]["hashing"]["example"]["id"].clone();
    assert_eq!(
        id(&from_keyring),
        id(&from_file),
        "bytes come back as they were"
    );
    assert_ne!(id(&from_keyring), "5bdc…43");

    let removed = dsr(&["auth", "hash-key", "--remove"], "");
    assert_eq!(removed.status.code(), Some(0), "{removed:?}");
    assert_eq!(dsr(&plan, "").status.code(), Some(2));
    let again = dsr(&["auth", "hash-key", "--remove", "--json"], "");
    assert_eq!(json(&again)["removed"], false);
    let shown = format!("{kept:?}{bytes:?}{removed:?}");
    assert!(!shown.contains("Jefe"), "{shown}");
}

fn is_required() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    required.split(',').any(|part| part == "secret-service")
}

fn dsr(home: &std::path::Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dsr"))
        .args(args)
        .env("DSR_HOME", home)
        .env_remove("DSR_TOKEN")
        .env_remove("DSR_TOKEN_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that asks for nothing may have ended before it is written to.
    drop(std::io::Write::write_all(&mut stdin, input.as_bytes()));
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// The token as libsecret's own tool finds it.
fn lookup() -> Option<String> {
    let output = Command::new("secret-tool")
        .args([
            "lookup",
            "service",
            "dsr",
            "username",
            "mixpanel-oauth-token",
        ])
        .output()
        .expect("secret-tool is installed");
    let kept: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(kept["token"].as_str()?.to_owned())
}
