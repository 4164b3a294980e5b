//! `dsr lookup` never takes a wrong person, and never calls a doubtful file a "no".

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lookup::{answers, listed, lookup};
use crate::support::{Fake, Operator, Outcome};

const ALIASES: [&str; 6] = [
    "--profiles",
    "users.csv",
    "--identities",
    "map.csv",
    "-o",
    "ids.csv",
];

/// The columns `distinct_id`, `answer` and `profile` of the list.
fn rows(operator: &Operator) -> Vec<[String; 3]> {
    let rows = listed(operator, "ids.csv").into_iter();
    rows.map(|row| [row[0].clone(), row[1].clone(), row[2].clone()])
        .collect()
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let found = outcome.json();
    let warnings = found["warnings"].as_array().into_iter().flatten();
    warnings
        .map(|warning| warning["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

#[test]
fn each_alias_names_the_profile_that_it_belongs_to() {
    let operator = Operator::new();
    operator.file("users.csv", "distinct_id,email\nu2,b@x.test\nu1,b@x.test\n");
    operator.file(
        "map.csv",
        "distinct_id,resolved_distinct_id\nd1,u1\nd2,u2\nd3,d1\n",
    );
    lookup(&operator, &[&ALIASES[..], &["b@x.test"]].concat()).exits_with(0);
    let row = |texts: [&str; 3]| texts.map(str::to_owned);
    assert_eq!(
        rows(&operator),
        [
            row(["u1", "several", "u1"]),
            row(["d1", "alias", "u1"]),
            row(["d3", "alias", "u1"]),
            row(["u2", "several", "u2"]),
            row(["d2", "alias", "u2"]),
        ]
    );
}

#[test]
fn a_shared_device_brings_in_nobody() {
    // The other person may have no e-mail address at all, and may be asked for as well.
    for (asked, last) in [
        ("a@x.test", "u9,"),
        ("a@x.test", "u9,z@x.test"),
        ("all", "u9,z@x.test"),
    ] {
        let operator = Operator::new();
        operator.file(
            "users.csv",
            format!("distinct_id,email\nu1,a@x.test\nu2,c@x.test\n{last}\n"),
        );
        operator.file(
            "map.csv",
            "distinct_id,resolved_distinct_id\nd1,u1\nd1,u9\nd2,u9\nd3,u2\n",
        );
        let asked = match asked {
            "all" => "email\na@x.test\nc@x.test\nz@x.test\n".to_owned(),
            one => format!("email\n{one}\nc@x.test\n"),
        };
        operator.file("ask.csv", &asked);
        let args = [&ALIASES[..], &["--exit-status", "ask.csv"]].concat();
        let outcome = lookup(&operator, &args);
        outcome.exits_with(1);
        assert_eq!(warnings(&outcome), ["joined_profiles"], "{outcome}");
        let found = outcome.json();
        assert_eq!(found["lines"][0]["joined"], true);
        assert_eq!(found["lines"][1]["joined"], false);
        let mut expected = vec![
            ["u1", "joined", "u1"],
            ["u2", "one", "u2"],
            ["d3", "alias", "u2"],
        ];
        if asked.contains("z@") {
            expected.push(["u9", "joined", "u9"]);
        }
        assert_eq!(rows(&operator), expected, "{outcome}");
    }
}

#[test]
fn a_second_person_is_seen_who_is_only_in_the_identities() {
    let list = |id: &str| {
        let properties = json!({ "$email": format!("{id}@x.test"), "$distinct_ids": [id, "d1"] });
        json!({ "$distinct_id": id, "$properties": properties }).to_string()
    };
    let lists = format!("{}\n{}\n", list("u1"), list("u2"));
    let head = "distinct_id,resolved_distinct_id\n";
    for (name, map, expected) in [
        ("map.json", lists, "joined"),
        ("map.csv", format!("{head}d1,u1\nd1,u2\nd2,u2\n"), "joined"),
        // One person: each id resolves to one other, over a step or to an id without a profile.
        ("map.csv", format!("{head}d1,u1\nd2,d1\nu1,u1\n"), "one"),
        ("map.csv", format!("{head}u1,u3\nd1,u3\n"), "one"),
    ] {
        let operator = Operator::new();
        operator.file("users.csv", "distinct_id,email\nu1,a@x.test\n");
        operator.file(name, &map);
        let files = ["--profiles", "users.csv", "--identities", name];
        let rest = ["-o", "ids.csv", "--exit-status", "a@x.test"];
        let outcome = lookup(&operator, &[files, rest].concat());
        let rows = rows(&operator);
        assert_eq!(rows[0], ["u1", expected, "u1"], "{outcome}");
        match expected {
            "joined" => {
                outcome.exits_with(1);
                assert_eq!(warnings(&outcome), ["joined_profiles"], "{outcome}");
                assert_eq!(rows.len(), 1, "{rows:?}");
            }
            _ => {
                outcome.exits_with(0);
                assert_eq!(rows.len(), 3, "{rows:?}");
            }
        }
    }
}

#[test]
fn lines_that_share_a_profile_are_named_with_all_that_repeat_them() {
    let operator = Operator::new();
    let profile = json!({ "distinct_id": "u1", "email": ["a@x.test", "b@x.test"] });
    let other = json!({ "distinct_id": "u2", "email": "c@x.test" });
    operator.file("users.jsonl", format!("{profile}\n{other}\n"));
    operator.file(
        "ask.csv",
        "email\na@x.test\nc@x.test\nb@x.test\na@x.test\nc@x.test\n",
    );
    let outcome = lookup(&operator, &["--profiles", "users.jsonl", "ask.csv"]);
    let found = outcome.exits_with(0).json();
    let groups = found["shared"].as_array().expect("groups").iter();
    let lines = |group: &Value| -> Vec<u64> {
        let lines = group.as_array().expect("a group").iter();
        lines
            .map(|line| line["line"].as_u64().expect("a line"))
            .collect()
    };
    assert_eq!(groups.map(lines).collect::<Vec<_>>(), [vec![2, 4, 5]]);
}

#[test]
fn pages_need_all_people_and_no_other() {
    let page = |number: u64, ids: &[&str], total: u64, more: &str| {
        let results = ids
            .iter()
            .map(|id| json!({ "$distinct_id": id, "$properties": { "$email": "a@x.test" } }));
        let results = Value::from_iter(results);
        format!("{{\"page\":{number},\"total\":{total}{more},\"results\":{results}}}\n")
    };
    for (text, status) in [
        (
            page(0, &["a", "b"], 3, "") + &page(1, &["b", "c"], 3, ""),
            0,
        ),
        (
            page(0, &["a", "b"], 4, "") + &page(1, &["a", "b"], 4, ""),
            5,
        ),
        (page(0, &["a", "b"], 3, "") + &page(1, &["b"], 3, ""), 5),
        (page(0, &["a", "b"], 1, ""), 5),
        (page(0, &["a"], 1, ",\"status\":\"error\""), 5),
        (page(0, &["a"], 1, ",\"error\":\"canary\""), 5),
        (page(0, &["a"], 1, ",\"status\":\"ok\",\"error\":null"), 0),
    ] {
        let operator = Operator::new();
        // Read as a document and line by line.
        for name in ["pages.json", "pages.jsonl"] {
            operator.file(name, &text);
            let outcome = lookup(&operator, &["--profiles", name, "a@x.test"]);
            outcome.exits_with(status).never_says("canary");
        }
    }
}

#[test]
fn each_file_needs_the_property_but_a_page_of_a_query_does_not() {
    let operator = Operator::new();
    operator.file("users.csv", "distinct_id,email\nu1,a@x.test\nu2,\n");
    operator.file("names.jsonl", "{\"distinct_id\":\"u3\",\"name\":\"A\"}\n");
    operator.file("empty.csv", "distinct_id,email\nu3,\n");
    for other in ["names.jsonl", "empty.csv"] {
        let args = ["--profiles", "users.csv", "--profiles", other, "b@x.test"];
        let outcome = lookup(&operator, &args);
        outcome.exits_with(5).says(other);
    }
    let page = |number: u64, properties: &str| {
        format!(
            "{{\"page\":{number},\"total\":2,\"results\":[{{\"$distinct_id\":\"{number}\",\"$properties\":{properties}}}]}}"
        )
    };
    operator.file("0.json", page(0, "{}"));
    operator.file("1.json", page(1, "{\"$email\":\"a@x.test\"}"));
    let args = ["--profiles", "0.json", "--profiles", "1.json", "a@x.test"];
    let outcome = lookup(&operator, &args);
    assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
    let records = json!({ "read": 2, "with_property": 1 });
    assert_eq!(outcome.json()["records"], records);
    operator.file("1.json", page(1, "{\"$name\":\"A\"}"));
    lookup(&operator, &args).exits_with(5);
}

#[test]
fn identities_of_nobody_are_told() {
    let operator = Operator::new();
    operator.file("users.csv", "distinct_id,email\nu1,a@x.test\n");
    operator.file("map.csv", "distinct_id,resolved_distinct_id\nx,y\n");
    let outcome = lookup(&operator, &[&ALIASES[..], &["a@x.test"]].concat());
    assert_eq!(warnings(outcome.exits_with(0)), ["no_identities"]);
    operator.file("map.csv", "distinct_id,resolved_distinct_id\nu1,\nx,y\n");
    fs::remove_file(operator.work().join("ids.csv")).expect("a list");
    let outcome = lookup(&operator, &[&ALIASES[..], &["a@x.test"]].concat());
    assert_eq!(warnings(outcome.exits_with(0)), [""; 0]);
}

#[test]
fn a_last_line_without_an_end_is_read_if_it_is_whole() {
    let operator = Operator::new();
    operator.file(
        "users.csv",
        "distinct_id,email\r\nu1,a@x.test\r\nu2,b@x.test",
    );
    let outcome = lookup(&operator, &["--profiles", "users.csv", "b@x.test"]);
    assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
    assert_eq!(warnings(&outcome), ["no_line_end"]);
    operator.file(
        "users.csv",
        "distinct_id,email,name\nu1,a@x.test,A\nu2,b@x.test",
    );
    lookup(&operator, &["--profiles", "users.csv", "b@x.test"]).exits_with(5);
}

#[test]
fn fields_of_several_lines_are_read_unless_they_may_hide_rows() {
    let operator = Operator::new();
    operator.file(
        "users.csv",
        "distinct_id,address,email\nu1,\"Main St 5,\nBerlin, DE\nEarth\",a@x.test\nu2,\"\n\",b@x.test\n",
    );
    for value in ["a@x.test", "b@x.test"] {
        let outcome = lookup(&operator, &["--profiles", "users.csv", value]);
        assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
    }
    let input = "email,name\n\"a@x.test\nb@x.test\",A\n";
    operator.file("ask.csv", input);
    let outcome = lookup(&operator, &["--profiles", "users.csv", "ask.csv"]);
    outcome.exits_with(5).says("ask.csv");
}

#[test]
fn a_value_that_was_cut_stands_out_in_its_source() {
    let operator = Operator::new();
    operator.file("users.csv", "distinct_id,email\nu1,a1@x.test\n");
    let whole: String = (1..=40).map(|n| format!("a{n}@x.test\n")).collect();
    operator.file("ask.csv", format!("email\n{whole}canary"));
    let outcome = lookup(&operator, &["--profiles", "users.csv", "ask.csv"]);
    outcome.exits_with(0).never_says("canary");
    assert_eq!(warnings(&outcome), ["other_kind"]);
    let found = outcome.json();
    let message = found["warnings"][0]["message"].as_str().expect("words");
    assert!(
        message.starts_with("1 value does not look like an e-mail"),
        "{message}"
    );
    assert_eq!(found["warnings"][0]["places"][0]["line"], 42);
}

#[test]
fn an_output_is_a_file_and_an_interrupted_one_leaves_nothing() {
    let operator = Operator::new();
    operator.file("users.csv", "distinct_id,email\nu1,a@x.test\n");
    let args = ["--profiles", "users.csv", "-o", "-", "a@x.test"];
    lookup(&operator, &args).exits_with(2).never_says("u1");
    assert!(!operator.work().join("-").exists());

    let pipe = operator.work().join("pipe.csv");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let before = names(&operator);
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let args = [
            "lookup",
            "--profiles",
            "pipe.csv",
            "-o",
            "ids.csv",
            "a@x.test",
        ];
        let running = operator.start(&args);
        std::thread::sleep(Duration::from_millis(500));
        running.signal(signal);
        running.end().exits_with(status);
        assert_eq!(names(&operator), before);
    }
}

fn names(operator: &Operator) -> BTreeSet<OsString> {
    let entries = fs::read_dir(operator.work()).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").file_name())
        .collect()
}

#[test]
fn a_list_of_nobody_is_not_written() {
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", "distinct_id,$email\nu1,anna@x.test\n");
    operator.file("ask.csv", "email,name\nno@x.test,N\n");
    let args = ["lookup", "--profiles", "users.csv", "-o", "a list.csv"];
    let outcome = operator.run(&[&args[..], &["ask.csv"]].concat());
    let shown = outcome.exits_with(0).stdout.replace('\n', " ");
    assert!(shown.contains("dsr wrote no list"), "{outcome}");
    assert!(!operator.work().join("a list.csv").exists());
    let outcome = operator.run(&[&args[..], &["anna@x.test"]].concat());
    let shown = outcome.exits_with(0).stdout.replace('\n', " ");
    let next = "`dsr delete --gdpr --dry-run 'a list.csv'`";
    assert!(shown.contains(next), "{outcome}");
    let args = [
        "lookup",
        "--profiles",
        "users.csv",
        "--output=-l.csv",
        "anna@x.test",
    ];
    let shown = operator.run(&args).exits_with(0).stdout.replace('\n', " ");
    assert!(
        shown.contains("`dsr delete --gdpr --dry-run ./-l.csv`"),
        "{shown}"
    );
    let plan = operator.run(&["delete", "--gdpr", "--dry-run", "./-l.csv"]);
    plan.exits_with(0);
    let wrong = operator.run(&["delete", "--gdpr", "--dry-run", "ask.csv"]);
    wrong
        .exits_with(5)
        .says("`dsr lookup`")
        .says("`--column NAME`");
    operator.file("ask.csv", "person,name\nno@x.test,N\n");
    let wrong = operator.run(&["delete", "--gdpr", "--dry-run", "ask.csv"]);
    wrong.exits_with(5).never_says("dsr lookup");
}

#[test]
fn the_encoding_is_that_of_the_list_and_profiles_are_utf_8() {
    let operator = Operator::new();
    operator.file("ask.csv", b"email\nzo\xeb@x.test\n");
    operator.file("users.csv", "distinct_id,$email\nu1,zo\u{eb}@x.test\n");
    operator.file("latin.csv", b"distinct_id,$email\nu1,zo\xeb@x.test\n");
    let with = |file| {
        let args = ["--encoding", "windows-1252", "--profiles", file, "ask.csv"];
        lookup(&operator, &args)
    };
    let outcome = with("users.csv");
    assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
    let outcome = with("latin.csv");
    outcome
        .exits_with(5)
        .says("`--encoding` holds for your list only");
    let help = operator
        .run(&["lookup", "--help"])
        .stdout
        .replace('\n', " ");
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("files of profiles must be UTF-8"), "{help}");
}

#[test]
fn the_hint_for_a_page_fits_what_is_wrong_with_it() {
    let page = |words: &str| {
        format!(
            r#"{{"page":0,"page_size":9,"session_id":"s","results":[{{"$distinct_id":"a","$properties":{{"$email":"a@x.test"}}}}],{words}}}"#
        )
    };
    let good = page(r#""total":1"#);
    for (text, hint) in [
        (format!("{good}{good}"), "name each page once"),
        (page(r#""total":"1""#), "save each page as Mixpanel sent it"),
        (page(r#""error":"x""#), "ask for the pages again"),
    ] {
        let operator = Operator::new();
        operator.file("p.json", text);
        let outcome = lookup(&operator, &["--profiles", "p.json", "a@x.test"]);
        outcome.exits_with(5).says(hint).never_says("UTF-8");
    }
}

#[test]
fn a_line_that_is_too_long_or_has_a_key_twice_is_not_one_of_another_encoding() {
    let long = "x".repeat(5 << 20);
    for (line, hint) in [
        (
            format!(r#"{{"$distinct_id":"a","$properties":{{"$email":"a@x.test","b":"{long}"}}}}"#),
            "leave out fields",
        ),
        (
            r#"{"$distinct_id":"a","$distinct_id":"b","$properties":{"$email":"a@x.test"}}"#.into(),
            "keep one of the keys",
        ),
    ] {
        let operator = Operator::new();
        operator.file("users.jsonl", format!("{line}\n"));
        let outcome = lookup(&operator, &["--profiles", "users.jsonl", "a@x.test"]);
        outcome
            .exits_with(5)
            .says(hint)
            .never_says("UTF-8")
            .never_says("fetch");
    }
    let operator = Operator::new();
    operator.file("ids.jsonl", "{\"id\":\"a\",\"id\":\"b\"}\n");
    let args = ["--sandbox", "delete", "--gdpr", "--dry-run", "ids.jsonl"];
    let outcome = operator.run(&args);
    outcome.exits_with(5).says("keep one of the keys");
}

#[test]
fn a_negative_zero_is_no_id() {
    let operator = Operator::new();
    let line = r#"{"$distinct_id":-0,"$properties":{"$email":"a@x.test"}}"#;
    operator.file("users.jsonl", format!("{line}\n"));
    let args = ["--profiles", "users.jsonl", "-o", "found.csv", "a@x.test"];
    let outcome = lookup(&operator, &args);
    assert_eq!(answers(outcome.exits_with(0))[0].0, "unusable");
    assert!(!operator.work().join("found.csv").exists());
    operator.file("ids.json", "[-0]");
    let args = ["delete", "--gdpr", "--dry-run", "ids.json", "--sandbox"];
    operator.run(&args).exits_with(5).says("negative zero");
}
