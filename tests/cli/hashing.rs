//! Products whose distinct_ids are hashes: the plain values are not on the wire, in the ledger or
//! on the screen.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::{Fake, Operator, Outcome};

// Hashes of `alice@example.com` and `bob@example.com` by sha256sum, sha1sum, md5sum and `openssl
// dgst -sha256 -mac HMAC -macopt key:…`.
const ALICE: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";
const BOB: &str = "5ff860bf1190596c7188ab851db691f0f3169c453936e9e1eba2f9a47f7a0018";
const ALICE_SHA1: &str = "fc2398a73dd54d6237c4fdb58fd7d75347cf5af3";
const ALICE_MD5: &str = "c160f8cc69a4f0bf2b0362752353d060";
const ALICE_HMAC: &str = "610dd0216457138e93ecb1244cb7dee60bc75118795aaf2c5d5156c7c751ff48";
const KEY: &str = "pass phrase of the product";

const PEOPLE: &str = "email,distinct_id\nx,alice@example.com\nx,bob@example.com\n";

fn operator(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    operator.file("ids.csv", PEOPLE);
    operator
}

/// Under the CCPA, since dsr would warn of some of the GDPR's months.
fn delete(operator: &Operator, flags: &[&str]) -> Outcome {
    operator.run(&[&["delete", "--ccpa", "--yes", "ids.csv"], flags].concat())
}

fn key_file(operator: &Operator, bytes: impl AsRef<[u8]>, mode: u32) -> &'static str {
    operator.file("key", bytes);
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(operator.work().join("key"), permissions).expect("a mode can be set");
    "key"
}

#[track_caller]
fn is_nowhere(plain: &str, operator: &Operator, outcome: &Outcome) {
    outcome.never_says(plain);
    for (path, bytes) in operator.files() {
        let holds = bytes
            .windows(plain.len())
            .any(|part| part == plain.as_bytes());
        assert!(!holds, "`{plain}` is in {}", path.display());
    }
}

#[test]
fn the_wire_and_the_ledger_hold_hashes_and_nothing_else() {
    let fake = Fake::start();
    let operator = operator(&fake);
    let outcome = delete(&operator, &["--hash", "sha256"]);
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids(), [ALICE, BOB]);
    for plain in ["alice", "bob", "example.com"] {
        is_nowhere(plain, &operator, &outcome);
    }
    for call in fake.calls() {
        assert!(!call.body.to_string().contains("example"), "{call:?}");
    }
}

#[test]
fn each_function_gives_what_its_standard_tool_gives() {
    for (flags, id) in [
        (&["--hash", "sha256"][..], ALICE.to_owned()),
        (&["--hash", "sha1"], ALICE_SHA1.to_owned()),
        (&["--hash", "md5"], ALICE_MD5.to_owned()),
        (
            &["--hash", "hmac-sha256", "--hash-key-file", "key"],
            ALICE_HMAC.to_owned(),
        ),
        (
            &["--hash", "md5", "--hash-prefix", "u_"],
            format!("u_{ALICE_MD5}"),
        ),
        (
            &["--hash", "md5", "--hash-prefix", "-"],
            format!("-{ALICE_MD5}"),
        ),
    ] {
        let fake = Fake::start();
        let operator = operator(&fake);
        key_file(&operator, KEY, 0o600);
        let args = ["delete", "--gdpr", "--yes", "alice@example.com"];
        operator.run(&[&args, flags].concat()).exits_with(0);
        assert_eq!(fake.posted_ids(), [id]);
    }
}

#[test]
fn people_are_told_apart_by_their_hashes() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file(
        "ids.csv",
        "distinct_id\nalice@example.com\nAlice@Example.com\n alice@example.com\n",
    );
    let lowered = ["--hash", "sha256", "--hash-lowercase", "--trim", "--json"];
    let request = delete(&operator, &lowered).exits_with(0).request();
    assert_eq!(
        request["ids"],
        json!({ "read": 3, "unique": 1, "duplicates": 2, "excluded": 0, "refused": 0 })
    );
    assert_eq!(fake.posted_ids(), [ALICE]);
}

#[test]
fn letters_are_lowered_only_on_request_and_capitals_are_told_of() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\nAlice@example.com\n");
    let outcome = delete(&operator, &["--hash", "sha256"]);
    outcome
        .exits_with(0)
        .says("1 id (`ids.csv`, line 2) looks like an e-mail address with capital letters")
        .says("--hash-lowercase");
    assert_ne!(fake.posted_ids(), [ALICE]);
    let outcome = delete(&operator, &["--hash", "sha256", "--hash-lowercase"]);
    assert!(!outcome.stderr.contains("Warning"), "{outcome}");
    assert_eq!(fake.posted_ids()[1], ALICE);
}

#[test]
fn white_space_that_would_make_another_hash_stops_everything() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\nalice@example.com \n");
    let outcome = delete(&operator, &["--hash", "sha256"]);
    outcome.exits_with(5).says("line 2").says("--trim");
    fake.was_not_called();
    delete(&operator, &["--hash", "sha256", "--trim"]).exits_with(0);
    assert_eq!(fake.posted_ids(), [ALICE]);
}

#[test]
fn hashes_and_devices_are_not_hashed_unnoticed() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", format!("distinct_id\n{ALICE}\n{BOB}\n"));
    delete(&operator, &["--hash", "sha256", "--dry-run"])
        .exits_with(0)
        .says("2 ids (`ids.csv`, lines 2, 3) look like a hash before dsr hashes them");
    operator.file("ids.csv", "distinct_id\na@b.test\n$device:77\n");
    delete(&operator, &["--hash", "sha256"])
        .exits_with(5)
        .says("line 3: Mixpanel knows an anonymous device id");
    fake.was_not_called();
}

#[test]
fn the_plan_shows_one_masked_example_to_compare_with_mixpanel() {
    let fake = Fake::start();
    let operator = operator(&fake);
    let flags = [
        "--hash",
        "sha256",
        "--hash-prefix",
        "u_",
        "--hash-lowercase",
        "--dry-run",
    ];
    let outcome = delete(&operator, &flags);
    outcome.exits_with(0).never_says("alice").never_says("bob");
    let shown = "  Hashed      sha256 of each value, lower-cased, after `u_`\n              \
                 `ids.csv`, line 2: a***e@e***.com -> u_ff8d…76\n";
    assert!(outcome.stdout.contains(shown), "{outcome}");
    let json = delete(&operator, &[&flags[..], &["--json"]].concat());
    json.never_says("alice").never_says(ALICE);
    assert_eq!(
        json.request()["hashing"],
        json!({
            "function": "sha256",
            "prefix": "u_",
            "lowercase": true,
            "example": {
                "source": "`ids.csv`",
                "line": 2,
                "value": "a***e@e***.com",
                "id": "u_ff8d…76",
            },
        })
    );
    let plain = delete(&operator, &["--dry-run", "--json"]);
    assert!(plain.request()["hashing"].is_null(), "{plain}");
    fake.was_not_called();
}

#[test]
fn what_is_sent_is_told_with_its_example_too() {
    let fake = Fake::start();
    let operator = operator(&fake);
    delete(&operator, &["--hash", "sha256"])
        .exits_with(0)
        .says("Hashed: sha256 of each value; `ids.csv`, line 2: a***e@e***.com -> ff8d…76");
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_to_run() {
    let fake = Fake::start();
    let operator = operator(&fake);
    let flags = ["--hash", "hmac-sha256", "--hash-key-file", "key"];
    for mode in [0o644, 0o640, 0o604, 0o660] {
        key_file(&operator, KEY, mode);
        let outcome = delete(&operator, &flags);
        outcome.exits_with(2).says("chmod 600 key").never_says(KEY);
    }
    fake.was_not_called();
    key_file(&operator, KEY, 0o400);
    delete(&operator, &flags).exits_with(0);
    assert_eq!(fake.posted_ids()[0], ALICE_HMAC);
}

#[test]
fn the_line_end_of_a_line_of_text_is_no_part_of_the_key() {
    let flags = ["--hash", "hmac-sha256", "--hash-key-file", "key"];
    let first_id = |key: &[u8]| {
        let fake = Fake::start();
        let operator = operator(&fake);
        key_file(&operator, key, 0o600);
        delete(&operator, &flags).exits_with(0);
        fake.posted_ids().remove(0)
    };
    for ending in ["", "\n", "\r\n"] {
        assert_eq!(first_id(format!("{KEY}{ending}").as_bytes()), ALICE_HMAC);
    }
    assert_ne!(
        first_id(b"\xff\x00\n"),
        first_id(b"\xff\x00"),
        "bytes are bytes"
    );
}

#[test]
fn without_a_key_nothing_is_hashed_or_sent() {
    let fake = Fake::start();
    let operator = operator(&fake);
    let outcome = delete(&operator, &["--hash", "hmac-sha256"]);
    outcome.exits_with(2).says("--hash-key-file");
    key_file(&operator, "\n", 0o600);
    let flags = ["--hash", "hmac-sha256", "--hash-key-file"];
    for (file, said) in [("key", "empty"), ("missing", "cannot read")] {
        let outcome = delete(&operator, &[&flags[..], &[file]].concat());
        outcome.exits_with(2).says(said);
    }
    let outcome = delete(&operator, &["--hash", "hmac-sha256", "--json"]);
    assert_eq!(outcome.exits_with(2).failure()["kind"], "hash_key");
    fake.was_not_called();
}

#[test]
fn flags_of_the_hash_that_mean_nothing_are_refused() {
    let fake = Fake::start();
    let operator = operator(&fake);
    key_file(&operator, KEY, 0o600);
    for flags in [
        &["--hash-lowercase"][..],
        &["--hash-prefix", "u_"],
        &["--hash-key-file", "key"],
        &["--hash", "sha256", "--hash-key-file", "key"],
        &["--hash", "sha256", "--hash-prefix", " u_"],
        &["--hash", "sha512"],
    ] {
        delete(&operator, flags).exits_with(2);
    }
    let long = "x".repeat(192);
    delete(&operator, &["--hash", "sha256", "--hash-prefix", &long]).exits_with(2);
    fake.was_not_called();
}
