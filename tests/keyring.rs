//! The token and the key of hashed ids in a real Secret Service. The test would replace a person's
//! own entries, so it runs only if `DSR_TEST_REQUIRE=secret-service` says that the keyring is for
//! tests, as in `.ci/run`.

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
        "--allow",
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

#[test]
fn a_projects_api_secret_is_kept_shown_as_there_and_goes_with_its_project() {
    if !is_required() {
        println!("SKIPPED: a real keyring is tested only with DSR_TEST_REQUIRE=secret-service");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let dsr = |args: &[&str], input: &str| dsr(home.path(), args, input);
    let add = |name: &str, token: &str| {
        let args = ["project", "add", name, "--region", "eu", "--with-token"];
        let added = dsr(&args, token);
        assert_eq!(added.status.code(), Some(0), "{added:?}");
    };
    add("shop", "0123456789abcdef0123456789abcdef");
    add("app", "fedcba9876543210fedcba9876543210");
    let show = |name: &str| json(&dsr(&["project", "show", name, "--json"], ""))["project"].clone();
    assert_eq!(show("shop")["api_secret"], false);

    let kept = dsr(
        &["project", "secret", "shop", "--with-secret"],
        "a-secret-canary\n",
    );
    assert_eq!(kept.status.code(), Some(0), "{kept:?}");
    assert_eq!(show("shop")["api_secret"], true);
    assert_eq!(show("shop")["api_secret_from"], "keyring");
    assert_eq!(show("app")["api_secret"], false, "it is the one project's");
    let removed = dsr(&["project", "secret", "shop", "--remove"], "");
    assert_eq!(removed.status.code(), Some(0), "{removed:?}");
    assert_eq!(show("shop")["api_secret"], false);

    let file = home.path().join("secret");
    std::fs::write(&file, "a-secret-canary\n").unwrap();
    let path = file.to_str().unwrap();
    let set_mode = |mode| Command::new("chmod").args([mode, path]).status();
    assert!(set_mode("644").unwrap().success());
    let open = dsr(&["project", "secret", "shop", "--file", path], "");
    assert_eq!(open.status.code(), Some(2), "others can read it: {open:?}");
    assert_eq!(show("shop")["api_secret"], false);
    assert!(set_mode("600").unwrap().success());
    let read = dsr(&["project", "secret", "shop", "--file", path], "");
    assert_eq!(read.status.code(), Some(0), "{read:?}");
    assert_eq!(show("shop")["api_secret"], true);
    std::fs::remove_file(&file).unwrap();

    // Another name of the same project still needs it.
    add("store", "0123456789abcdef0123456789abcdef");
    let gone = dsr(&["project", "remove", "shop"], "");
    assert_eq!(gone.status.code(), Some(0), "{gone:?}");
    assert_eq!(show("store")["api_secret"], true);
    let gone = dsr(&["project", "remove", "store"], "");
    assert!(
        String::from_utf8_lossy(&gone.stderr).contains("API secret"),
        "{gone:?}"
    );
    add("shop", "0123456789abcdef0123456789abcdef");
    assert_eq!(show("shop")["api_secret"], false);

    let shown = format!("{kept:?}{removed:?}{read:?}{gone:?}");
    assert!(!shown.contains("canary"), "{shown}");
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    }
}

#[test]
fn one_ledger_key_is_made_kept_and_carried_to_another_machine() {
    if !is_required() {
        println!("SKIPPED: a real keyring is tested only with DSR_TEST_REQUIRE=secret-service");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let show = ["auth", "ledger-key", "--json"];
    let fingerprint = |home: &std::path::Path, args: &[&str]| {
        let output = dsr(home, args, "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        json(&output)["fingerprint"].as_str().unwrap().to_owned()
    };
    // Several processes that need a key at once make only one.
    let made = std::thread::scope(|scope| {
        let run = || fingerprint(home.path(), &show);
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        let made = runs.into_iter().map(|run| run.join().unwrap());
        made.collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(made.len(), 1, "{made:?}");
    let first = made.into_iter().next().unwrap();
    assert_eq!(json(&dsr(home.path(), &show, ""))["origin"], "keyring");

    let file = home.path().join("copy.key");
    let path = file.to_str().unwrap();
    assert_eq!(
        fingerprint(home.path(), &["auth", "ledger-key", "--json", "--to", path]),
        first
    );
    let key = std::fs::read_to_string(&file).unwrap();
    let other = "0123456789abcdef".repeat(4);
    std::fs::write(&file, &other).unwrap();
    let second = fingerprint(
        home.path(),
        &["auth", "ledger-key", "--json", "--from", path],
    );
    assert_ne!(second, first);
    assert_eq!(fingerprint(home.path(), &show), second);
    std::fs::write(&file, &key).unwrap();
    let from = dsr(home.path(), &["auth", "ledger-key", "--from", path], "");
    assert_eq!(fingerprint(home.path(), &show), first, "as it was");
    assert!(!format!("{from:?}").contains(key.trim()));
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
    // A command that asks for nothing may have ended already.
    drop(std::io::Write::write_all(&mut stdin, input.as_bytes()));
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// The token, as libsecret's own tool finds it.
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
