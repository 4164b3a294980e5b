//! The commands that are searched: each there is.

use super::canaries::{API_SECRET, HASH_KEY};
use crate::support::{OAUTH_TOKEN, PROJECT_TOKEN};

/// Each command that asks Mixpanel, with what comes before its options; `REQUEST` is one there is.
pub(super) const ASKING: [&[&str]; 10] = [
    &["export", "--gdpr", "own/ids.csv", "--max-wait", "0s"],
    &[
        "delete",
        "--gdpr",
        "--yes",
        "own/ids.csv",
        "--max-wait",
        "0s",
    ],
    &[
        "delete",
        "--gdpr",
        "--yes",
        "-",
        "--format",
        "text",
        "--max-wait",
        "0s",
        "--hash",
        "hmac-sha256",
        "--hash-key-file",
        "own/key",
    ],
    &["apply", "own/own.plan", "--yes", "--max-wait", "0s"],
    &["status", "--refresh"],
    &["status", "REQUEST"],
    &["resume", "--max-wait", "0s"],
    &["cancel", "REQUEST"],
    &["download", "--to", "fetched", "--split"],
    &["doctor"],
];

/// Each command that asks nobody, with what it reads from standard input.
pub(super) const LOCAL: [(&[&str], &str); 40] = [
    (&["help", "files"], ""),
    (&["man", "export"], ""),
    (&["auth", "ledger-key", "--to", "own/ledger-key"], ""),
    (&["find", "own/ids.csv"], ""),
    (&["audit", "verify"], ""),
    (&["audit", "head"], ""),
    (&["audit", "log"], ""),
    (&["suppressions", "export"], ""),
    (
        &["suppressions", "export", "--ids", "--output", "own/list"],
        "",
    ),
    (&["suppressions", "check", "own/ids.csv", "own/bad.csv"], ""),
    (
        &["delete", "--gdpr", "own/ids.csv", "--plan", "new.plan"],
        "",
    ),
    (&["apply", "own/own.plan", "--dry-run"], ""),
    (&["approve", "own/own.plan", "--yes"], ""),
    (&["guide"], ""),
    (&["report"], ""),
    (&["report", "REQUEST"], ""),
    (&["report", "REQUEST", "--format", "csv"], ""),
    (&["report", "REQUEST", "--output", "report.html"], ""),
    (&["purge", "--older-than", "1d", "--yes"], ""),
    (&["extend", "REQUEST", "--reason", "complex"], ""),
    (&["answered", "REQUEST", "--manner", "by letter"], ""),
    (&["auth", "login", "--with-token"], OAUTH_TOKEN),
    (&["auth", "login", OAUTH_TOKEN], ""),
    (&["auth", "status"], ""),
    (&["auth", "use", "main"], ""),
    (&["auth", "logout"], ""),
    (&["auth", "hash-key", "--with-key"], HASH_KEY),
    (&["auth", "hash-key", HASH_KEY], ""),
    (
        &["project", "add", "second", "--region", "eu"],
        PROJECT_TOKEN,
    ),
    (
        &["project", "add", "second", "--region", "eu", PROJECT_TOKEN],
        "",
    ),
    (&["project", "list"], ""),
    (&["project", "show"], ""),
    (&["project", "use", "shop"], ""),
    (&["project", "secret", "shop"], API_SECRET),
    (&["project", "remove", "shop"], ""),
    (&["completions", "bash"], ""),
    (&["__complete", "status", ""], ""),
    (
        &["--sandbox", "export", "--gdpr", "own/ids.csv", "--wait"],
        "",
    ),
    (&["delete", "--gdpr", "--yes", "own/bad.csv"], ""),
    (&["export", "--gdpr", "own/ids.csv", "--expect", "7"], ""),
];
