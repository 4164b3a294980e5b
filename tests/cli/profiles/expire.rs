//! Which profiles of a file `dsr profiles expire` selects, and when it selects nobody.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{NO_ERASURE, days_ago, expire, listed, log};
use crate::support::{Fake, Operator};

/// Ten old profiles, and so many that were seen yesterday.
fn users(recent: usize) -> String {
    let old = (0..10).map(|n| format!("old-{n:04},{}T10:00:00,free\n", days_ago(800 + n)));
    let new = (0..recent).map(|n| format!("new-{n:04},{}T10:00:00,paid\n", days_ago(1)));
    let rows: Vec<String> = old.chain(new).collect();
    format!("$distinct_id,$last_seen,plan\n{}", rows.concat())
}

fn dry<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["24months", "--profiles", file, "--dry-run"], more].concat()
}

#[test]
fn a_dry_run_selects_by_the_window_writes_the_list_and_sends_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("users.csv", users(200));
    let outcome = expire(
        &operator,
        &dry("users.csv", &["-o", "list.csv", "--log", "log.jsonl"]),
    );
    let found = outcome.exits_with(0).json();
    assert_eq!(found["scope"], NO_ERASURE);
    assert_eq!(found["profiles"], 210);
    assert_eq!(found["selected"], 10);
    assert_eq!(found["seen_since"], 200);
    assert_eq!(found["outcome"], "dry_run");
    let expected: Vec<String> = (0..10).map(|n| format!("old-{n:04}")).collect();
    assert_eq!(listed(&operator, "list.csv"), expected);
    for name in ["list.csv", "log.jsonl"] {
        let mode = std::fs::metadata(operator.work().join(name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{name}");
    }
    outcome.never_says("old-").never_says("new-");
    let lines = log(&operator, "log.jsonl");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["profiles"], 210);
    assert_eq!(lines[0]["selected"], 10);
    assert_eq!(lines[0]["deleted"], 0);
    assert_eq!(lines[0]["window"], "24 months");
    assert_eq!(lines[0]["outcome"], "dry_run");
    assert!(!lines[0].to_string().contains("old-"));
    fake.was_not_called();
    assert!(!operator.dsr_home().join("ledger.db").exists());
}

#[test]
fn the_limits_day_itself_stays() {
    let operator = Operator::at(&Fake::start());
    let rows = [
        ("before", days_ago(91) + "T23:59:59"),
        ("day-start", days_ago(90) + "T00:00:00"),
        ("day-end", days_ago(90) + "T23:59:59"),
        ("after", days_ago(89) + "T00:00:00"),
    ];
    let rows =
        rows.map(|(id, time)| json!({ "$distinct_id": id, "$properties": { "$last_seen": time } }));
    operator.file("users.jsonl", rows.map(|row| format!("{row}\n")).concat());
    let args = [
        "90days",
        "--profiles",
        "users.jsonl",
        "--dry-run",
        "--at-most",
        "50%",
        "-o",
        "l.csv",
    ];
    expire(&operator, &args).exits_with(0);
    assert_eq!(listed(&operator, "l.csv"), ["before"]);
}

#[test]
fn a_unix_time_is_utc_and_a_text_without_offset_follows_the_projects_clock() {
    // Kolkata is ahead of UTC, Los Angeles behind it; neither's midnight is UTC's.
    for zone in ["Asia/Kolkata", "America/Los_Angeles"] {
        let fake = Fake::start();
        let operator = Operator::at_with(&fake, &format!("time_zone = \"{zone}\""));
        let clock: chrono_tz::Tz = zone.parse().unwrap();
        let today = super::now().with_timezone(&clock).date_naive();
        let limit = today - chrono::Days::new(90);
        let midnight = limit.and_hms_opt(0, 0, 0).unwrap();
        let first = midnight.and_local_timezone(clock).unwrap().timestamp();
        let utc = chrono::DateTime::from_timestamp(first, 0).unwrap();
        let before = utc - chrono::TimeDelta::seconds(1);
        let rows = [
            ("late-seconds", json!(first - 1)),
            ("late-milliseconds", json!(first * 1000 - 1)),
            ("late-digits", json!((first - 1).to_string())),
            ("late-offset", json!(before.to_rfc3339())),
            (
                "late-text",
                json!(format!("{}T23:59:59", limit.pred_opt().unwrap())),
            ),
            ("day-seconds", json!(first)),
            ("day-milliseconds", json!(first * 1000)),
            ("day-digits", json!(first.to_string())),
            ("day-offset", json!(utc.to_rfc3339())),
            ("day-text", json!(format!("{limit}T00:00:00"))),
            ("exponent", json!("1e9")),
            ("spreadsheet", json!("1.5E+09")),
        ];
        let rows = rows
            .map(|(id, time)| json!({ "$distinct_id": id, "$properties": { "$last_seen": time } }));
        operator.file("users.jsonl", rows.map(|row| format!("{row}\n")).concat());
        let args = [
            "90days",
            "--profiles",
            "users.jsonl",
            "--dry-run",
            "--at-most",
            "50%",
            "-o",
            "l.csv",
        ];
        let found = expire(&operator, &args).exits_with(0).json();
        let listed = listed(&operator, "l.csv");
        assert!(
            listed.iter().all(|id| id.starts_with("late-")),
            "{listed:?}"
        );
        assert_eq!(
            (listed.len(), &found["seen_since"]),
            (5, &json!(5)),
            "{zone}"
        );
        assert_eq!(found["not_judged"]["unreadable"], 2);
    }
}

#[test]
fn every_hint_works_in_the_same_command() {
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", users(30));
    let hint = |more: &[&str]| {
        let outcome = expire(
            &operator,
            &[&["24months", "--profiles", "users.csv"], more].concat(),
        );
        let hint = outcome.exits_with(5).failure()["hint"].clone();
        hint.as_str().unwrap().to_owned()
    };
    let added = hint(&["--yes"]);
    assert!(
        added.contains("add `--at-most 25% --dry-run --output FILE` to"),
        "{added}"
    );
    let changed = hint(&["--dry-run", "--at-most", "3"]);
    let words = "change `--at-most 3` to `--at-most 25%`, and add `--output FILE`";
    assert!(changed.contains(words), "{changed}");
    let only_changed = hint(&["--dry-run", "--at-most", "3", "-o", "list.csv"]);
    assert!(
        only_changed.ends_with("change `--at-most 3` to `--at-most 25%`"),
        "{only_changed}"
    );
    for list in [
        "$device:d\n",
        "name,mail\nx,y\n",
        "distinct_id,distinct_id\nx,y\n",
        "distinct_id\n x \n",
        "distinct_id\nundefined\n",
        "distinct_id\n1.5E+11\n",
        "distinct_id\n\\N\n",
        "{\"a\":1}\n",
        "a b\nc d\n",
        "",
    ] {
        operator.file("hold.csv", list);
        let hint = hint(&["--dry-run", "--exclude", "hold.csv"]);
        assert!(!hint.contains("`--"), "{list:?}: {hint}");
    }
    operator.file("heads.csv", "u-1,2020-01-01\n");
    operator.file("lines.txt", "a b\nc d\n");
    let wide: Vec<u8> = users(30)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    operator.file("wide.csv", wide);
    for name in ["heads.csv", "lines.txt", "wide.csv", "missing.csv"] {
        let outcome = expire(&operator, &dry(name, &[]));
        let failure = outcome.exits_with(5).failure();
        assert!(
            !failure["hint"].as_str().unwrap().contains("add `--"),
            "{failure}"
        );
    }
    operator.file("hold.csv", b"distinct_id\nm\xfcller\n");
    let hint = hint(&["--dry-run", "--exclude", "hold.csv"]);
    assert!(!hint.contains("`--"), "{hint}");
}

#[test]
fn only_a_log_of_dsr_is_appended_to() {
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", users(300));
    let lines = "{\"$distinct_id\":\"u-1\",\"$properties\":{}}\n";
    operator.file("users.jsonl", lines);
    operator.file("other.log", "{\"schema\":1,\"at\":\"2026-01-01\"}\n");
    operator.file("long.log", format!("{{\"at\":\"{}", "x".repeat(9_000_000)));
    for name in ["users.csv", "users.jsonl", "other.log", "long.log"] {
        let path = operator.work().join(name);
        let before = std::fs::read(&path).unwrap();
        let outcome = expire(&operator, &dry("users.csv", &["--log", name]));
        assert_eq!(outcome.exits_with(2).failure()["kind"], "usage");
        assert!(std::fs::read(&path).unwrap() == before, "{name}");
    }
    let pipe = operator.work().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for name in ["/dev/null", "/dev/full", "pipe", "."] {
        expire(&operator, &dry("users.csv", &["--log", name]))
            .exits_with(2)
            .says("regular file");
    }
    operator.file("empty.log", "");
    std::os::unix::fs::symlink("empty.log", operator.work().join("link.log")).unwrap();
    for _ in 0..2 {
        expire(&operator, &dry("users.csv", &["--log", "link.log"])).exits_with(0);
    }
    assert_eq!(log(&operator, "empty.log").len(), 2);
}

#[test]
fn a_share_above_the_most_is_refused_and_the_message_says_how_to_go_on() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("users.csv", users(189));
    let args = dry("users.csv", &["-o", "list.csv", "--log", "log.jsonl"]);
    let outcome = expire(&operator, &args);
    let failure = outcome.exits_with(5).failure();
    assert_eq!(failure["kind"], "too_many_selected");
    let message = failure["message"].as_str().unwrap();
    assert!(
        message.contains("10 of 199 profiles (5.03%)") && message.contains("5%"),
        "{message}"
    );
    let hint = failure["hint"].as_str().unwrap();
    assert!(
        hint.ends_with("add `--at-most 5.03%` to the same command"),
        "{hint}"
    );
    assert!(!operator.work().join("list.csv").exists());
    assert_eq!(
        log(&operator, "log.jsonl")[0]["outcome"],
        "too_many_selected"
    );
    expire(&operator, &dry("users.csv", &["--at-most", "5.03%"])).exits_with(0);
    expire(&operator, &dry("users.csv", &["--at-most", "10"])).exits_with(0);
    expire(&operator, &dry("users.csv", &["--at-most", "9"])).exits_with(5);
    operator.file("few.csv", users(190));
    expire(&operator, &dry("few.csv", &[])).exits_with(0);
    fake.was_not_called();
}

#[test]
fn what_cannot_be_judged_is_counted_and_kept() {
    let operator = Operator::at(&Fake::start());
    let old = days_ago(900);
    let future = super::now().date_naive() + chrono::Days::new(3);
    let rows = [
        json!({ "$distinct_id": "late-1", "$properties": { "$last_seen": old } }),
        json!({ "$distinct_id": "none-1", "$properties": { "$email": "a@x.test" } }),
        json!({ "$distinct_id": "null-1", "$properties": { "$last_seen": null } }),
        json!({ "$distinct_id": "word-1", "$properties": { "$last_seen": "long ago" } }),
        json!({ "$distinct_id": "zero-1", "$properties": { "$last_seen": 0 } }),
        json!({ "$distinct_id": "list-1", "$properties": { "$last_seen": [old] } }),
        json!({ "$distinct_id": "soon-1", "$properties": { "$last_seen": future.to_string() } }),
        json!({ "$distinct_id": "undefined", "$properties": { "$last_seen": old } }),
        json!({ "$distinct_id": "", "$properties": { "$last_seen": old } }),
        json!({ "$distinct_id": "twin-1", "$properties": { "$last_seen": old } }),
        json!({ "$distinct_id": "twin-1", "$properties": { "$last_seen": days_ago(1) } }),
    ];
    operator.file("users.jsonl", rows.map(|row| format!("{row}\n")).concat());
    let args = dry("users.jsonl", &["--at-most", "50%", "-o", "list.csv"]);
    let found = expire(&operator, &args).exits_with(0).json();
    assert_eq!(listed(&operator, "list.csv"), ["late-1"]);
    let not_judged =
        json!({ "undated": 2, "unreadable": 3, "future": 1, "unusable": 2, "repeated": 1 });
    assert_eq!(found["not_judged"], not_judged);
    assert_eq!(found["seen_since"], 1);
    let shown = operator.run(
        &[
            &["profiles", "expire", "--not-seen-for"],
            &args[..4],
            &["--at-most", "50%"],
        ]
        .concat(),
    );
    let words = shown.exits_with(0).stdout.clone();
    assert!(
        words.contains("Not judged") && words.contains(NO_ERASURE),
        "{shown}"
    );
}

#[test]
fn a_value_counts_byte_for_byte_and_all_must_hold() {
    let operator = Operator::at(&Fake::start());
    let old = days_ago(900);
    let row = |id: &str, plan: serde_json::Value, n: serde_json::Value| {
        format!(
            "{}\n",
            json!({ "$distinct_id": id, "$properties": { "$last_seen": old, "plan": plan, "n": n } })
        )
    };
    let rows = [
        row("u-1", json!("free"), json!(3)),
        row("u-2", json!("Free"), json!(3)),
        row("u-3", json!("free"), json!(30)),
        row("u-4", json!(["free"]), json!(3)),
        row("u-5", json!("free"), json!("3")),
        row("u-6", json!("free"), json!(3.0)),
    ];
    operator.file("users.jsonl", rows.concat());
    let args = [
        "--where",
        "plan=free",
        "--where",
        "n=3",
        "--at-most",
        "5",
        "-o",
        "list.csv",
    ];
    let found = expire(&operator, &dry("users.jsonl", &args))
        .exits_with(0)
        .json();
    assert_eq!(listed(&operator, "list.csv"), ["u-1", "u-5"]);
    assert_eq!(found["not_meant"], 4);
    for (more, status) in [
        (["--where", "plan"], 2),
        (["--where", "=free"], 2),
        (["--where", "$last_seen=x"], 2),
        (["--where", "$distinct_id=u-1"], 2),
        (["--by", "distinct_id"], 2),
        (["--by", "nothing"], 5),
        (["--where", "nothing=x"], 0),
    ] {
        expire(&operator, &dry("users.jsonl", &more)).exits_with(status);
    }
}

#[test]
fn a_doubtful_file_selects_nobody() {
    let operator = Operator::at(&Fake::start());
    let whole = users(300);
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(whole.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    operator.file("users.csv.gz", &packed);
    let args = dry("users.csv.gz", &[]);
    assert_eq!(
        expire(&operator, &args).exits_with(0).json()["selected"],
        10
    );
    operator.file("users.csv.gz", &packed[..packed.len() - 20]);
    expire(&operator, &args).exits_with(5);
    let row =
        |id: &str| json!({ "$distinct_id": id, "$properties": { "$last_seen": days_ago(900) } });
    let page = |number: u64, total: u64, ids: &[&str]| {
        let rows: Vec<_> = ids.iter().map(|id| row(id)).collect();
        json!({ "page": number, "page_size": 2, "session_id": "s", "status": "ok", "total": total, "results": rows })
    };
    let cut = format!("{}\n{{\"$distinct_id\":\"u-2\",", row("u-1"));
    let missing = page(0, 3, &["u-1", "u-2"]).to_string();
    let no_column = "distinct_id,seen\nu-1,2020-01-01\n".to_owned();
    let no_heading = "u-1,2020-01-01\nu-2,2020-01-01\n".to_owned();
    for (name, text) in [
        ("cut.jsonl", cut),
        ("page.json", missing),
        ("column.csv", no_column),
        ("heading.csv", no_heading),
        ("empty.csv", String::new()),
    ] {
        operator.file(name, text);
        let outcome = expire(
            &operator,
            &dry(name, &["--at-most", "100%", "-o", "list.csv"]),
        );
        outcome.exits_with(5).never_says("u-1");
        assert!(!operator.work().join("list.csv").exists(), "{name}");
    }
    let pages = [page(0, 3, &["u-1", "u-2"]), page(1, 3, &["u-3"])];
    operator.file("0.json", pages[0].to_string());
    operator.file("1.json", pages[1].to_string());
    let both = dry("0.json", &["--profiles", "1.json", "--at-most", "100%"]);
    assert_eq!(expire(&operator, &both).exits_with(0).json()["selected"], 3);
}

#[test]
fn nobody_late_is_no_failure() {
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", users(300));
    let args = [
        "5years",
        "--profiles",
        "users.csv",
        "--yes",
        "-o",
        "list.csv",
        "--log",
        "log",
    ];
    let found = expire(&operator, &args).exits_with(0).json();
    assert_eq!(found["outcome"], "nothing_selected");
    assert!(!operator.work().join("list.csv").exists());
    expire(&operator, &args).exits_with(0);
    assert_eq!(log(&operator, "log").len(), 2);
}

#[test]
fn nothing_begins_without_a_usable_window_log_or_place_for_the_list() {
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", users(300));
    for window in ["0days", "24", "1.5years", "9999999years", "-3months"] {
        expire(&operator, &[window, "--profiles", "users.csv", "--dry-run"]).exits_with(2);
    }
    operator.file("there.csv", "mine");
    expire(&operator, &dry("users.csv", &["-o", "there.csv"])).exits_with(2);
    expire(&operator, &dry("users.csv", &["-o", "-"])).exits_with(2);
    expire(
        &operator,
        &dry("users.csv", &["--log", "no/such/folder.log"]),
    )
    .exits_with(74);
    expire(&operator, &dry("users.csv", &["--log", "users.csv"])).exits_with(2);
    let unchanged = std::fs::read_to_string(operator.work().join("users.csv")).unwrap();
    assert_eq!(unchanged, users(300));
    expire(&operator, &dry("users.csv", &["--log", "new.log"])).exits_with(0);
    let line = std::fs::read_to_string(operator.work().join("new.log")).unwrap();
    operator.file("cut.log", line.trim_end());
    expire(&operator, &dry("users.csv", &["--log", "cut.log"])).exits_with(0);
    assert_eq!(log(&operator, "cut.log").len(), 2);
    let unconfirmed = expire(&operator, &["24months", "--profiles", "users.csv"]);
    unconfirmed.exits_with(2).says("--yes");
}
