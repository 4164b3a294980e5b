//! The commands that are searched: all of them.

use serde_json::json;

use super::canaries::{API_SECRET, HASH_KEY, IDS, PLAIN_ID};
use crate::support::{Call, OAUTH_TOKEN, Operator, PROJECT_TOKEN, Reply};

/// Commands that ask Mixpanel, without their options; `REQUEST` stands for an existing request.
pub(super) const ASKING: [&[&str]; 17] = [
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
    &[
        "delete",
        "--gdpr",
        "--preflight",
        "--yes",
        "own/ids.csv",
        "--max-wait",
        "0s",
    ],
    &[
        "lookup",
        "own/ids.csv",
        "--column",
        "distinct_id",
        "--output",
        "own/found.csv",
        "--max-wait",
        "0s",
    ],
    &["import", "--yes", "own/events.jsonl", "--max-wait", "0s"],
    &["apply", "own/own.plan", "--yes", "--max-wait", "0s"],
    &["status", "--refresh"],
    &["status", "REQUEST"],
    &["resume", "--max-wait", "0s"],
    &["cancel", "REQUEST"],
    &["download", "--to", "fetched", "--split"],
    &["doctor"],
    &["doctor", "--copies"],
    &[
        "profiles",
        "delete",
        "--yes",
        "own/ids.csv",
        "--max-wait",
        "0s",
    ],
    &[
        "profiles",
        "expire",
        "--not-seen-for",
        "24months",
        "--yes",
        "--at-most",
        "100%",
        "--max-wait",
        "0s",
        "--log",
        "own/log",
        "--output",
        "own/late.csv",
    ],
    &[
        "profiles",
        "expire",
        "--not-seen-for",
        "24months",
        "--yes",
        "--at-most",
        "100%",
        "--max-wait",
        "0s",
        "--profiles",
        "own/seen.csv",
        "--exclude",
        "own/hold.csv",
    ],
];

/// Commands that ask nobody, with their standard input.
pub(super) const LOCAL: [(&[&str], &str); 60] = [
    (&["help", "files"], ""),
    (&["man", "export"], ""),
    (&["auth", "ledger-key", "--to", "own/ledger-key"], ""),
    (&["find", "own/ids.csv"], ""),
    (
        &[
            "lookup",
            "--profiles",
            "own/users.csv",
            "--identities",
            "own/map.csv",
            "--column",
            "distinct_id",
            "--output",
            "own/found.csv",
            "own/ids.csv",
        ],
        "",
    ),
    (
        &["lookup", "--profiles", "own/bad.csv", "--no-header", "-"],
        PLAIN_ID,
    ),
    (
        &[
            "sanitize",
            "own/export.jsonl",
            "--keep",
            "own/keep.txt",
            "-o",
            "anonymous.jsonl",
        ],
        "",
    ),
    (
        &[
            "sanitize",
            "own/export.jsonl",
            "--keep",
            "own/odd.txt",
            "-o",
            "own/odd.jsonl",
        ],
        "",
    ),
    (&["audit", "verify"], ""),
    (&["audit", "head"], ""),
    (&["audit", "log"], ""),
    (&["ledger", "status"], ""),
    (&["ledger", "backup", "own/copy.db"], ""),
    (&["ledger", "accept", "--yes"], ""),
    (&["ledger", "init"], ""),
    (&["ledger", "roles"], ""),
    (&["ledger", "migrate"], ""),
    (&["ledger", "move", "--yes"], ""),
    (&["suppressions", "export"], ""),
    (
        &["suppressions", "export", "--ids", "--output", "own/list"],
        "",
    ),
    (&["suppressions", "check", "own/ids.csv", "own/bad.csv"], ""),
    (&["verify", "--since", "90d", "--ids", "own/ids.csv"], ""),
    (
        &[
            "verify",
            "REQUEST",
            "--events",
            "own/ids.csv",
            "--exit-status",
        ],
        "",
    ),
    (
        &["delete", "--gdpr", "own/ids.csv", "--plan", "new.plan"],
        "",
    ),
    (&["apply", "own/own.plan", "--dry-run"], ""),
    (&["approve", "own/own.plan", "--yes"], ""),
    (&["import", "own/events.jsonl", "--dry-run"], ""),
    (&["import", "own/bad.csv", "--yes"], ""),
    (&["guide"], ""),
    (&["report"], ""),
    (&["report", "REQUEST"], ""),
    (&["report", "REQUEST", "--format", "csv"], ""),
    (&["report", "REQUEST", "--output", "report.html"], ""),
    (&["purge", "--older-than", "1d", "--yes"], ""),
    (&["extend", "REQUEST", "--reason", "complex"], ""),
    (&["answered", "REQUEST", "--manner", "by letter"], ""),
    (&["answered", "REQUEST", "--copy", "warehouse"], ""),
    (&["auth", "login", "--with-token"], OAUTH_TOKEN),
    (&["auth", "login", OAUTH_TOKEN], ""),
    (
        &["init", "--with-token", "--skip", "project", "--offline"],
        OAUTH_TOKEN,
    ),
    (
        &["auth", "login", "--service-account", "--with-token"],
        "leaky.5d4c3b.mp-service-account:accountCANARY-2f7b90c41e8d55aa63",
    ),
    (&["auth", "logout", "--service-account"], ""),
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
    (&["project", "set", "shop", "--forget-limits"], ""),
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

/// Whether `dsr lookup` asks for the profiles of values, or `dsr profiles expire` for all.
pub(super) fn asks_for_values(call: &Call) -> bool {
    let form = call.body.as_str();
    form.is_some_and(|form| form.starts_with("where=") || form.starts_with("output_properties="))
}

/// Profiles of people who were not seen for years, their other ids, and people under legal hold.
pub(super) fn lay_out_profiles(operator: &Operator, quoted: &str) {
    operator.file(
        "own/seen.csv",
        format!("distinct_id,$last_seen\n{PLAIN_ID},2020-01-01\n\"{quoted}\",2020-01-01\n"),
    );
    operator.file(
        "own/map.csv",
        format!("distinct_id,resolved_distinct_id\n{PLAIN_ID},\"{quoted}\"\n"),
    );
    operator.file("own/hold.csv", format!("distinct_id\n{PLAIN_ID}-held\n"));
}

/// The profile of the first id.
pub(super) fn a_holder() -> Reply {
    let profile = json!({ "$distinct_id": PLAIN_ID, "$properties": { "$email": PLAIN_ID, "$last_seen": "2020-01-01" } });
    Reply::json(
        200,
        &json!({
            "page": 0, "page_size": 1000, "session_id": "s", "status": "ok", "total": 1,
            "results": [profile],
        }),
    )
}

/// A file to import: events of other ids, which hold the canaries, so that they are not suppressed.
pub(super) fn events() -> String {
    let event = |id: &&str| {
        let id = format!("new {id}");
        let properties =
            json!({ "time": 1_790_000_000, "distinct_id": id, "$insert_id": "a-1", "at": id });
        json!({ "event": "Buy", "properties": properties }).to_string() + "\n"
    };
    IDS.iter().map(event).collect()
}
