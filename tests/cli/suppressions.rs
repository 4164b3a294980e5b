//! `dsr suppressions export`: whom servers must not track again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::minimisation::with_key;
use crate::support::{
    Fake, Operator, Outcome, PROJECT_TOKEN, Reply, Running, find_program, object_reply,
    status_reply,
};

/// A Mixpanel that treats a deletion as its first id says.
pub(crate) fn obedient() -> Fake {
    Fake::answering(|call| {
        if call.is_post() {
            return match call.ids()[0].split('@').next() {
                Some("refused") => Reply::error(400, "no such thing"),
                Some("deferred") => Reply::error(429, "later"),
                Some(word) => object_reply(&format!("{word}-{}", call.place)),
                None => object_reply("t"),
            };
        }
        status_reply(match call.task().split('-').next() {
            Some("done") => "SUCCESS",
            Some("running") => "STARTED",
            Some("failed") => "FAILURE",
            Some("revoked") => "REVOKED",
            _ => "PENDING",
        })
    })
}

/// Deletes each id in turn, and asks how the deletions stand.
pub(crate) fn erase(operator: &Operator, ids: &[&str], more: &[&str]) {
    for id in ids {
        let args = ["delete", "--gdpr", "--yes", "--max-wait", "0s", "--id", id];
        operator.run(&[&args, more].concat());
    }
    operator.run(&["status", "--refresh"]);
}

/// Computes what the help says that a server computes.
fn hash_of(operator: &Operator, id: &str) -> String {
    let digits = fs::read_to_string(operator.key_path()).expect("a key");
    let digits = digits.trim().as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16);
    let key: Vec<u8> = digits.map(|pair| byte(pair).expect("hex")).collect();
    let mut keyed = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    keyed.update(id.as_bytes());
    let digest = keyed.finalize().into_bytes();
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn export(operator: &Operator, args: &[&str]) -> Outcome {
    operator.run(&[&["suppressions", "export"], args].concat())
}

/// Erasure by hash, from the whole list as JSON.
fn listed(operator: &Operator, args: &[&str]) -> BTreeMap<String, String> {
    let outcome = export(operator, &[&["--json"], args].concat());
    let list = outcome.exits_with(0).json();
    let people = list["people"].as_array().expect("people").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    people
        .map(|person| (text(&person["person_hash"]), text(&person["erasure"])))
        .collect()
}

#[test]
fn whoever_was_is_or_may_be_erased_is_listed_and_nobody_else() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    let words = [
        "done", "running", "accepted", "lost", "failed", "revoked", "refused", "deferred",
    ];
    let ids = words.map(|word| format!("{word}@x.test"));
    erase(&operator, &ids.each_ref().map(String::as_str), &[]);
    operator
        .run(&["export", "--gdpr", "exported@x.test"])
        .exits_with(0);
    operator.change_ledger(
        "UPDATE jobs SET state = 'unknown', task_id = NULL, submitted_at = NULL, next_check = NULL
         WHERE task_id LIKE 'lost-%'",
    );
    let expected = [
        ("done@x.test", "done"),
        ("running@x.test", "under_way"),
        ("accepted@x.test", "under_way"),
        ("lost@x.test", "unknown"),
    ];
    let expected = expected.map(|(id, erasure)| (hash_of(&operator, id), erasure.to_owned()));
    assert_eq!(listed(&operator, &[]), BTreeMap::from(expected));
    let whole = export(&operator, &["--json"]).json();
    let left = json!({ "deferred": 1, "failed": 1, "refused": 1, "revoked": 1 });
    assert_eq!(whole["end"]["not_listed_ids"], left);
    let text = export(&operator, &[]);
    text.exits_with(0)
        .says("1 person is on the list although the erasure is unknown")
        .says("4 people are not on the list: the ledger records no erasure of them")
        .never_says("x.test");
    // The order reveals nothing, and the end is marked.
    let lines: Vec<&str> = text.stdout.lines().collect();
    let hashes: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert!(hashes.is_sorted() && hashes.len() == 4, "{text}");
    assert_eq!(lines.last(), Some(&"# people: 4"), "{text}");
    let key = operator.run(&["auth", "ledger-key", "--json"]).json()["fingerprint"].clone();
    let said = format!("# key: {}", key.as_str().expect("a fingerprint"));
    assert!(lines.contains(&said.as_str()), "{text}");
    assert_eq!(whole["suppressions"]["key"], key);
}

#[test]
fn whoever_is_in_the_list_or_left_out_twice_is_not_counted_as_left_out() {
    let fake = Fake::answering(|call| match (call.is_post(), call.task()) {
        (true, _) => object_reply(&format!("t-{}", call.place)),
        (false, "t-2") => status_reply("SUCCESS"),
        (false, _) => status_reply("REVOKED"),
    });
    let operator = with_key(&fake, "rate = 1000");
    for id in ["back@x.test", "gone@x.test", "back@x.test", "gone@x.test"] {
        erase(&operator, &[id], &["--new"]);
    }
    for args in [&[][..], &["--since", "2999-01-01"]] {
        let text = export(&operator, args);
        text.exits_with(0)
            .says("1 person is not on the list: the ledger records no erasure of them (1 revoked)");
        let json = export(&operator, &[args, &["--json"]].concat()).json();
        assert_eq!(json["end"]["not_listed_ids"], json!({ "revoked": 1 }));
    }
}

#[test]
fn ids_are_shown_on_an_explicit_word_only_and_as_long_as_they_are_kept() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    let odd = "running=\"ü\",@x.test";
    erase(&operator, &["done@x.test", odd], &["--allow", odd]);
    for format in ["text", "csv", "jsonl"] {
        let outcome = export(&operator, &["--format", format]);
        outcome.exits_with(0).never_says("x.test");
        assert_eq!(
            outcome
                .stdout
                .matches(&hash_of(&operator, "done@x.test"))
                .count(),
            1
        );
    }
    let outcome = export(&operator, &["--ids"]);
    outcome.exits_with(0).says("people's ids");
    let lines: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let ids: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["distinct_id"].as_str())
        .collect();
    assert_eq!(ids, [odd]);
    assert_eq!(lines.last().unwrap()["end"]["counts"]["with_ids"], 1);
    assert!(!outcome.stdout.contains("done@"), "it is not kept any more");
    for format in ["text", "csv"] {
        export(&operator, &["--ids", "--format", format]).exits_with(2);
    }

    // Without ids, dsr does not warn of ids.
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@x.test"], &[]);
    let none = export(&operator, &["--ids"]);
    none.exits_with(0)
        .says("The list holds no ids")
        .never_says("people's ids")
        .never_says("x.test");
    let json = export(&operator, &["--ids", "--json"]).json();
    assert!(json.get("warnings").is_none(), "{json}");
}

#[test]
fn a_list_in_a_file_is_for_its_owner_and_takes_a_place_only_when_told_to() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@x.test"], &[]);
    let made = export(&operator, &["--output", "list.txt"]);
    made.exits_with(0);
    assert!(
        made.stdout
            .contains("The list of 1 person is in `list.txt`: 1 erased."),
        "{made}"
    );
    let path = operator.work().join("list.txt");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let first = fs::read_to_string(&path).unwrap();
    assert_eq!(mode(), 0o600);
    assert!(first.contains(&hash_of(&operator, "done@x.test")));
    erase(&operator, &["running@x.test"], &[]);
    export(&operator, &["--output", "list.txt"])
        .exits_with(2)
        .says("--replace");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        first,
        "it stays as it is"
    );
    let told = export(&operator, &["--output", "list.txt", "--replace", "--json"]);
    assert_eq!(told.exits_with(0).json()["end"]["counts"]["people"], 2);
    assert_eq!(
        (mode(), fs::read_to_string(&path).unwrap().lines().count()),
        (0o600, 7)
    );
    // A link is replaced, and its target never written.
    let other = operator.work().join(operator.file("other", "precious"));
    symlink(&other, operator.work().join("link")).unwrap();
    export(&operator, &["--output", "link"]).exits_with(2);
    export(&operator, &["--output", "link", "--replace"]).exits_with(0);
    assert_eq!(fs::read_to_string(other).unwrap(), "precious");
    export(&operator, &["--output", "no/such/folder"]).exits_with(74);
    let names = fs::read_dir(operator.work()).unwrap().count();
    assert_eq!(names, 3, "list, link and the other: nothing is left half");
}

#[test]
fn a_person_is_listed_once_a_project_and_each_project_has_its_own() {
    let fake = obedient();
    let second = format!(
        "[projects.app]\ntoken = \"{}\"\nregion = \"eu\"",
        PROJECT_TOKEN.replace('9', "8")
    );
    let operator = with_key(&fake, &format!("rate = 1000\n{second}\nrate = 1000"));
    erase(
        &operator,
        &["done@both.test", "done@shop.test"],
        &["--project", "shop"],
    );
    erase(
        &operator,
        &["running@both.test", "done@both.test"],
        &["--project", "app"],
    );
    // The same person again in the same project.
    erase(
        &operator,
        &["done@both.test"],
        &["--project", "shop", "--new"],
    );
    let [both, running, shop] =
        ["done@both.test", "running@both.test", "done@shop.test"].map(|id| hash_of(&operator, id));
    let rows = |args: &[&str]| -> Vec<String> {
        let outcome = export(&operator, &[&["--format", "csv"], args].concat());
        let rows = outcome.exits_with(0).stdout.lines().skip(1);
        let row = |row: &str| row.rsplit_once(',').unwrap().0.to_owned();
        rows.map(row).collect()
    };
    let mut expected = vec![
        format!("{both},app,done"),
        format!("{both},shop,done"),
        format!("{running},app,under_way"),
        format!("{shop},shop,done"),
    ];
    expected.sort();
    assert_eq!(rows(&[]), expected);
    expected.retain(|row| row.contains(",shop,"));
    assert_eq!(rows(&["--project", "shop"]), expected);
    let text = export(&operator, &[]).stdout;
    assert_eq!(text.matches(&both).count(), 1, "{text}");
    assert!(text.ends_with("# people: 3\n"), "{text}");
    assert!(text.contains("# projects: app, shop\n"), "{text}");
}

#[test]
fn a_list_may_begin_at_a_day() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@old.test", "running@new.test"], &[]);
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2026-02-27T23:59:59.999Z' WHERE task_id LIKE 'done-%'",
    );
    let count = |day: &str| listed(&operator, &["--since", day]).len();
    assert_eq!((count("2026-02-27"), count("2026-02-28")), (2, 1));
    export(&operator, &["--since", "yesterday"]).exits_with(2);
}

#[test]
fn without_the_ledgers_own_key_there_is_no_list() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@x.test"], &[]);
    let other = operator.private_file("other.key", "ab".repeat(32));
    let operator = operator.with("DSR_LEDGER_KEY_FILE", &other);
    let failure = export(&operator, &["--json", "--output", "list.txt"]);
    assert_eq!(failure.exits_with(2).failure()["kind"], "ledger_key");
    let operator = operator.without("DSR_LEDGER_KEY_FILE");
    let failure = export(&operator, &["--json"]);
    assert_eq!(failure.exits_with(2).failure()["kind"], "ledger_key");
    assert!(failure.stdout.is_empty(), "{failure}");
    assert!(!operator.work().join("list.txt").exists());
}

#[test]
fn whoever_cannot_be_read_is_not_left_out_in_silence() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    operator.file("two.csv", "distinct_id\ndone@1.test\ndone@2.test\n");
    operator
        .run(&["delete", "--gdpr", "--yes", "two.csv"])
        .exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    // A whole hash is missing; the rest can be read.
    operator.tamper_with("UPDATE people SET hashes = substr(hashes, 1, 16)");
    export(&operator, &["--output", "list.txt"]).exits_with(74);
    assert_eq!(
        fs::read_dir(operator.work()).unwrap().count(),
        1,
        "the source alone"
    );
}

/// How to run a library's code from the guide: it asks about the person in the file `who`.
struct Server {
    library: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// Turns the file into what the program runs.
    compiler: Option<&'static str>,
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

const SERVERS: [Server; 3] = [
    Server {
        library: "mixpanel-python",
        program: "python3",
        args: &["ask.py"],
        compiler: None,
        file: "ask.py",
        before: "class mp:\n    track = staticmethod(lambda *a: print('tracked'))\nuser_id = open('who', encoding='utf-8').read()\n",
        after: "",
    },
    Server {
        library: "mixpanel-node",
        program: "node",
        args: &["ask.js"],
        compiler: None,
        file: "ask.js",
        before: "const mixpanel = { track: () => console.log('tracked') };\nconst userId = require('fs').readFileSync('who', 'utf8');\n",
        after: "",
    },
    Server {
        library: "mixpanel-java",
        program: "java",
        args: &["-cp", ".", "Ask"],
        compiler: Some("javac"),
        file: "Ask.java",
        before: "import java.io.*; import java.nio.charset.*; import java.nio.file.*; import java.util.*;
            import javax.crypto.*; import javax.crypto.spec.*;
            class Ask {
              static class Delivery { void addMessage(Object m) { System.out.println(\"tracked\"); } }
              static class Messages { Object event(String id, String name, Object p) { return id; } }
              public static void main(String[] none) throws Exception {
                var delivery = new Delivery(); var messages = new Messages(); Object properties = null;
                var userId = Files.readString(Path.of(\"who\"));\n",
        after: "} }\n",
    },
];

/// The crontab line of the page on deletions.
fn runbook_line(command: &str) -> Vec<&'static str> {
    let mut lines = include_str!("../../docs/guide/after-a-deletion.md").lines();
    let line = lines.find(|line| line.starts_with('0') && line.contains(command));
    let (_, args) = line
        .expect("the line")
        .split_once(" dsr ")
        .expect("a command");
    args.split_whitespace().collect()
}

#[test]
fn what_cron_writes_is_what_the_guides_code_reads_and_any_other_list_stops_it() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(
        &operator,
        &["done@x.test", "running-ü-😀"],
        &["--allow", "running-ü-😀"],
    );
    fs::copy(operator.key_path(), operator.work().join("ledger.key")).unwrap();
    operator
        .run(&runbook_line("dsr suppressions export"))
        .exits_with(0);
    let list = fs::read_to_string(operator.work().join("suppressed.txt")).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    let guide = operator.run(&["guide", "opt-out", "--sdk", "server", "--json"]);
    let guide = guide.json()["guide"]["entries"].clone();
    let written = |format: &str| export(&operator, &["--format", format]).stdout;
    let wrong = [
        ("done@x.test\nrunning-ü-😀\n".to_owned(), "format 1"),
        (String::new(), "format 1"),
        (written("csv"), "format 1"),
        (written("jsonl"), "format 1"),
        (list.replacen("format 1", "format 2", 1), "format 1"),
        (list.replacen("# key: ", "# key: 0", 1), "another key"),
        (lines[..lines.len() - 1].join("\n"), "cut off"),
        (lines[..lines.len() - 2].join("\n"), "cut off"),
    ];
    for server in &SERVERS {
        let Some(program) = find_program(server.program) else {
            continue;
        };
        let mut entries = guide.as_array().unwrap().iter();
        let entry = entries.find(|entry| entry["library"] == server.library);
        let code = entry.unwrap()["calls"].as_str().unwrap();
        let whole = format!("{}{code}\n{}", server.before, server.after);
        operator.file(server.file, whole);
        let start = |program: &str, args: &[&str]| {
            let mut command = Command::new(program);
            let command_line = command.args(args).current_dir(operator.work());
            command_line.env("PYTHONUTF8", "1");
            Running::start(command, "").end()
        };
        if let Some(compiler) = server.compiler {
            let Some(compiler) = find_program(compiler) else {
                continue;
            };
            start(&compiler, &[server.file]).exits_with(0);
        }
        let run = |who: &str| {
            operator.file("who", who);
            start(&program, server.args)
        };
        for (who, expected) in [
            ("done@x.test", ""),
            ("running-ü-😀", ""),
            ("Done@x.test", "tracked\n"),
            ("17", "tracked\n"),
        ] {
            let outcome = run(who);
            assert_eq!(outcome.exits_with(0).stdout, expected, "{who}\n{outcome}");
        }
        for (other, words) in &wrong {
            operator.file("suppressed.txt", other);
            let outcome = run("done@x.test");
            assert_ne!(outcome.status, Some(0), "{other}\n{outcome}");
            assert!(outcome.stdout.is_empty(), "{other}\n{outcome}");
            assert!(outcome.stderr.contains(words), "{other}\n{outcome}");
        }
        operator.file("suppressed.txt", &list);
    }
}

#[test]
fn help_and_guide_have_the_same_code() {
    let operator = Operator::new();
    let help = export(&operator, &["--help"]).stdout;
    let guide = operator.run(&["guide", "opt-out", "--sdk", "server", "--json"]);
    let guide = guide.json()["guide"]["entries"].clone();
    let codes = [
        ("python", include_str!("../../src/guide/list.py")),
        ("js", include_str!("../../src/guide/list.js")),
    ];
    for (place, (language, code)) in codes.into_iter().enumerate() {
        let calls = guide[place]["calls"].as_str().unwrap();
        assert!(help.contains(code.trim_end()), "help: {language}");
        assert!(calls.starts_with(code), "guide: {language}");
    }
}
