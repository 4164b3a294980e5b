//! What is left of people in dsr's files when their jobs have ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{
    Call, Fake, Operator, Reply, Running, csv_of, object_reply, people, skips_on_postgres, states,
};

fn quick() -> Fake {
    Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => status(call, "SUCCESS"),
    })
}

fn status(_: &Call, word: &str) -> Reply {
    let results = json!({ "status": word, "distinct_ids": [] });
    Reply::json(200, &json!({ "status": "ok", "results": results }))
}

/// An operator without a keyring, with a ledger key in a file.
#[track_caller]
pub(crate) fn with_key(fake: &Fake, settings: &str) -> Operator {
    Operator::at_with(fake, settings).with_ledger_key()
}

fn erase(operator: &Operator, ids: &[String]) {
    operator.file("ids.csv", csv_of(ids, None));
    let args = ["delete", "--gdpr", "--yes", "--new", "ids.csv"];
    operator.run(&args).exits_with(0);
    // The search finds what is there. A server never has it.
    let is_found = !operator.remains_of(&ids[..1]).is_empty();
    assert_ne!(is_found, operator.is_on_server());
    operator.run(&["status", "--refresh"]).exits_with(0);
    // The list is the operator's own file.
    fs::remove_file(operator.work().join("ids.csv")).expect("it is there");
}

#[test]
fn nothing_is_left_of_people_whose_deletion_is_done() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 7");
    let (few, many) = (people(60).split_off(59), people(59));
    erase(&operator, &many);
    erase(&operator, &few);
    assert!(operator.requests().iter().all(|r| r["state"] == "done"));
    let all = [many, few].concat();
    assert_eq!(operator.remains_of(&all), []);
    let sizes = operator.ledger_texts("SELECT CAST(SUM(length(hashes)) AS TEXT) FROM people");
    assert_eq!(sizes, [(16 * 60).to_string()], "16 bytes a person");
    // Nor is there anything from which ids could be guessed.
    let digests = "SELECT ids_digest FROM requests
                   WHERE REPLACE(ids_digest || ids_salt, '0', '') NOT IN ('', '-')";
    assert_eq!(operator.ledger_texts(digests), [""; 0]);
    let found = operator.run(&["find", "--json", &format!("--id={}", all[0])]);
    assert_eq!(found.exits_with(0).json()["found"], 1);
    assert_eq!(operator.remains_of(&all), []);
}

#[test]
fn a_log_that_another_dsr_keeps_open_holds_nobody_either() {
    if skips_on_postgres("the log is the file's") {
        return;
    }
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    operator.has_an_empty_ledger();
    // Open, like a dsr that waits for weeks between two looks.
    let path = operator.dsr_home().join("ledger.db");
    let other = rusqlite::Connection::open(path).unwrap();
    let count = |sql: &str| {
        other
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT COUNT(*) FROM jobs"), 0);
    let ids = people(20);
    erase(&operator, &ids);
    assert_eq!(count("SELECT COUNT(*) FROM jobs WHERE state = 'done'"), 1);
    assert_eq!(operator.remains_of(&ids), []);
}

#[test]
fn whatever_ends_a_job_ends_the_keeping_of_its_ids() {
    type End = fn(&Operator, &Value);
    let ways: [(&str, &str, End); 4] = [
        ("refused", "refused", |_, _| ()),
        ("failed", "FAILURE", |operator, _| {
            operator.run(&["status", "--refresh"]);
        }),
        ("revoked", "REVOKED", |operator, request| {
            let id = request["id"].as_str().unwrap();
            operator.run(&["cancel", id]).exits_with(0);
        }),
        ("unknown", "lost", |operator, request| {
            let id = request["id"].as_str().unwrap();
            operator.run(&["resume", id, "--abandon"]);
        }),
    ];
    for (state, word, end) in ways {
        let fake = Fake::answering(move |call| match (call.method.as_str(), word) {
            ("POST", "refused") => Reply::error(400, "no such thing"),
            ("POST", "lost") => Reply::text(500, "text/plain", "oops"),
            ("POST", _) => object_reply("t-1"),
            ("DELETE", _) => Reply::text(204, "application/json", ""),
            (_, word) => status(call, word),
        });
        let operator = with_key(&fake, "rate = 1000");
        let ids = vec!["somebody@example.test".to_owned()];
        operator.run(&["delete", "--gdpr", "--yes", &ids[0]]);
        end(&operator, &operator.only_request());
        let request = operator.only_request();
        assert_eq!(states(&request), [state], "{word}");
        assert_eq!(operator.remains_of(&ids), [], "{state}");
        let found = operator.run(&["find", &ids[0], "--json"]).json();
        assert_eq!(found["people"][0]["jobs"][0]["state"], state);
    }
}

#[test]
fn without_a_key_ids_stay_and_that_is_said() {
    if skips_on_postgres("a server's ledger always has a key") {
        return;
    }
    let fake = quick();
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "somebody"])
        .exits_with(0)
        .never_says("ids of");
    let refreshed = operator.run(&["status", "--refresh"]);
    refreshed
        .exits_with(0)
        .says("the ids of 1 job that has ended stay in the ledger")
        .says("dsr auth ledger-key --to")
        .never_says("somebody");
    assert_eq!(operator.kept_ids().len(), 1);
    // Looking needs no key and gives no warning.
    let cached = operator.run(&["status", "--cached", "--all"]);
    cached.exits_with(0).never_says("ids of");
    let found = operator
        .run(&["find", "--id", "somebody", "--id", "nobody", "--json"])
        .json();
    assert_eq!(
        (&found["found"], &found["not_found"]),
        (&json!(1), &json!(1))
    );
    let doctor = operator.run(&["doctor", "--json"]);
    let text = format!("{}{}", doctor.stdout, doctor.stderr);
    assert!(
        text.contains("1 job ended, and the ledger still has their ids"),
        "{doctor}"
    );
    // With a key the ids go, earlier ones as well.
    let path = operator.work().join("k").display().to_string();
    operator
        .run(&["auth", "ledger-key", "--to", &path])
        .exits_with(0);
    let operator = operator.with("DSR_LEDGER_KEY_FILE", &path);
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(operator.remains_of(&["somebody".to_owned()]), []);
}

#[test]
fn another_key_is_told_of_and_takes_nobodys_ids() {
    if skips_on_postgres("with another key a command ends at once") {
        return;
    }
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["first@example.test".to_owned()]);
    let own = operator.key_path().display().to_string();
    // The key of another ledger.
    let stranger = with_key(&Fake::start(), "rate = 1000");
    let other = operator.work().join("other.key").display().to_string();
    fs::copy(stranger.key_path(), &other).unwrap();
    let operator = operator.with("DSR_LEDGER_KEY_FILE", &other);
    operator
        .run(&["delete", "--gdpr", "--yes", "second@example.test"])
        .exits_with(0);
    operator
        .run(&["status", "--refresh"])
        .exits_with(0)
        .says("ids are hashed with the key");
    let find = ["find", "first@example.test", "--json"];
    let failure = operator.run(&find);
    assert_eq!(failure.exits_with(2).failure()["kind"], "ledger_key");
    let shown = operator.run(&["auth", "ledger-key"]);
    assert!(shown.stdout.contains("ANOTHER key"), "{shown}");
    let operator = operator.with("DSR_LEDGER_KEY_FILE", &own);
    operator.run(&["status", "--refresh"]).exits_with(0);
    for id in ["first@example.test", "second@example.test"] {
        assert_eq!(operator.run(&["find", id, "--json"]).json()["found"], 1);
        assert_eq!(operator.remains_of(&[id.to_owned()]), []);
    }
}

#[test]
fn a_key_that_others_can_read_or_that_is_none_is_not_used() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    let path = operator.key_path();
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    set(0o644);
    operator
        .run(&["auth", "ledger-key"])
        .exits_with(2)
        .says("chmod 600");
    set(0o600);
    let key = fs::read_to_string(&path).unwrap();
    operator
        .run(&["auth", "ledger-key", "-vvv"])
        .exits_with(0)
        .never_says(key.trim());
    let place = path.display().to_string();
    let taken = operator.run(&["auth", "ledger-key", "--to", &place]);
    taken.exits_with(2).never_says(key.trim());
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    fs::write(&path, "0123").unwrap();
    operator
        .run(&["auth", "ledger-key"])
        .exits_with(2)
        .never_says("0123");
}

#[test]
fn only_show_ids_shows_ids_and_only_while_they_are_kept() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
    let ids = people(3);
    operator.file("ids.csv", csv_of(&ids, None));
    let args = ["delete", "--gdpr", "--yes", "ids.csv"];
    operator.run(&args).exits_with(0);
    let request = operator.only_request();
    let name = request["id"].as_str().unwrap();
    let calls = fake.calls().len();
    let shown = operator.run(&["status", name, "--show-ids"]);
    shown.exits_with(0).says("people's ids");
    for id in &ids {
        assert!(shown.stdout.contains(id.as_str()), "{shown}");
    }
    let shown = operator
        .run(&["status", name, "--show-ids", "--json"])
        .request();
    let jobs = shown["jobs"].as_array().unwrap();
    let held = jobs
        .iter()
        .flat_map(|job| job["distinct_ids"].as_array().unwrap());
    let held: Vec<&str> = held.map(|id| id.as_str().unwrap()).collect();
    assert_eq!(held, ids);
    assert_eq!(fake.calls().len(), calls, "nobody was asked");
    operator.run(&["status", "--show-ids"]).exits_with(2);
    for args in [
        &["status", "-vvv"][..],
        &["status", name, "-vvv"],
        &["status", name, "--json"],
    ] {
        let outcome = operator.run(args);
        for id in &ids {
            outcome.never_says(id);
        }
    }
    let shown = operator.run(&["status", name, "--show-ids"]);
    for id in &ids {
        shown.exits_with(0).never_says(id);
    }
    assert!(shown.stdout.contains("only their keyed hashes"), "{shown}");
    let shown = operator
        .run(&["status", name, "--show-ids", "--json"])
        .request();
    assert_eq!(shown["jobs"][0]["distinct_ids"], Value::Null);
    assert_eq!(shown["jobs"][0]["ids"], 2);
}

/// Stops before each write, and so between any two.
#[test]
fn a_kill_between_any_two_steps_loses_nobody_and_hashes_nobody_twice() {
    // A server has its key from the first request on, and rewrites no pages.
    let only_in_a_file = ["people_key", "payloads_aside"];
    for write in [
        "UPDATE OF ids_digest ON requests",
        "INSERT ON people_key",
        "INSERT ON people WHEN (SELECT COUNT(*) FROM people) = 0",
        "INSERT ON people WHEN (SELECT COUNT(*) FROM people) = 2",
        "DELETE ON payloads",
        "INSERT ON payloads_aside",
        "DELETE ON payloads_aside",
    ] {
        let fake = quick();
        let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
        if operator.is_on_server() && only_in_a_file.iter().any(|table| write.contains(table)) {
            continue;
        }
        let ids = people(6);
        operator.file("ids.csv", csv_of(&ids, None));
        let args = ["delete", "--gdpr", "--yes", "ids.csv"];
        operator.run(&args).exits_with(0);
        // It stays open, so that there is something to rewrite.
        operator
            .run(&["export", "--gdpr", "stays-open"])
            .exits_with(0);
        operator.halts_before(write);
        let running: Running = operator.start(&["status", "--refresh"]);
        let start = std::time::Instant::now();
        let all_done = "SELECT CAST(COUNT(*) AS TEXT) FROM jobs WHERE state = 'done'";
        while operator.ledger_texts(all_done) != ["4"] || !operator.is_held() {
            assert!(
                start.elapsed().as_secs() < 30,
                "{write}: it was never reached"
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        running.kill();
        operator.goes_on();
        let open = operator.kept_ids().len();
        let hashed = operator.ledger_texts("SELECT CAST(COUNT(*) AS TEXT) FROM people");
        let hashed: usize = hashed[0].parse().unwrap();
        assert_eq!(open + hashed, 4, "{write}: each job has ids or hashes");
        operator.run(&["status", "--refresh"]).exits_with(0);
        assert_eq!(operator.kept_ids().len(), 1, "{write}: the export's");
        let sizes = operator.ledger_texts("SELECT CAST(SUM(length(hashes)) AS TEXT) FROM people");
        assert_eq!(sizes, ["96"], "{write}");
        let unclean = operator.ledger_texts("SELECT CAST(unclean AS TEXT) FROM people_key");
        assert_eq!(unclean, ["0"], "{write}");
        operator.file("all.csv", csv_of(&ids, None));
        let found = operator
            .run(&["find", "all.csv", "--id", "stays-open", "--json"])
            .json();
        assert_eq!(
            (&found["found"], &found["not_found"]),
            (&json!(7), &json!(0))
        );
        assert_eq!(operator.remains_of(&ids), [], "{write}");
    }
}
