//! `dsr lookup`: from e-mail addresses and other properties to distinct_ids.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{Fake, Operator, Outcome};

const USERS: &str = "distinct_id,$email\nu1,anna@x.test\nu2,bob@x.test\nu3,bob@x.test\n";

pub(crate) fn lookup(operator: &Operator, args: &[&str]) -> Outcome {
    operator.run(&[&["lookup"], args, &["--json"]].concat())
}

/// The answer and the number of profiles of each line.
pub(crate) fn answers(outcome: &Outcome) -> Vec<(String, u64)> {
    let found = outcome.json();
    let lines = found["lines"].as_array().expect("lines").iter();
    let answer = |line: &Value| {
        let answer = line["answer"].as_str().expect("an answer").to_owned();
        (answer, line["profiles"].as_u64().expect("a number"))
    };
    lines.map(answer).collect()
}

/// The rows of the list without its heading.
pub(crate) fn listed(operator: &Operator, name: &str) -> Vec<Vec<String>> {
    let mut table = csv::Reader::from_path(operator.work().join(name)).expect("a list");
    let heading = table.headers().expect("a heading").clone();
    let names = [
        "distinct_id",
        "answer",
        "profile",
        "source",
        "line",
        "element",
    ];
    assert_eq!(heading, names.to_vec());
    let rows = table.records().map(|row| row.expect("a row"));
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// The answers for values looked up in one file of profiles.
fn of(profiles: (&str, &str), values: &[&str], args: &[&str]) -> Vec<(String, u64)> {
    let operator = Operator::new();
    operator.file(profiles.0, profiles.1);
    let values = values
        .iter()
        .map(|value| format!("\"{}\"\n", value.replace('"', "\"\"")));
    operator.file("ask.csv", format!("e-mail\n{}", values.collect::<String>()));
    let args = [&["--profiles", profiles.0, "ask.csv"], args].concat();
    let outcome = lookup(&operator, &args);
    answers(outcome.exits_with(0))
}

fn words(answers: &[(String, u64)]) -> Vec<&str> {
    answers.iter().map(|(answer, _)| answer.as_str()).collect()
}

#[test]
fn the_list_goes_into_a_deletion_as_it_is() {
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", USERS);
    operator.file(
        "ask.csv",
        "name,E-Mail\nB,bob@x.test\nA,anna@x.test\nN,no@x.test\nC,Anna@x.test\nB,bob@x.test\n",
    );
    let args = [
        "lookup",
        "--profiles",
        "users.csv",
        "-o",
        "ids.csv",
        "ask.csv",
    ];
    let outcome = operator.run(&args);
    outcome.exits_with(0).never_says("x.test").never_says("u1");
    let lines = "5 lines: 1 has one profile, 2 have several (line 2: 2 profiles; line 6: 2 profiles), \
                 1 has none (line 4), 1 is near (line 5: differs in case).\n";
    assert!(outcome.stdout.starts_with(lines), "{outcome}");
    let rows = listed(&operator, "ids.csv");
    let row = |texts: [&str; 6]| texts.map(str::to_owned).to_vec();
    assert_eq!(
        rows,
        [
            row(["u2", "several", "u2", "ask.csv", "2", ""]),
            row(["u3", "several", "u3", "ask.csv", "2", ""]),
            row(["u1", "one", "u1", "ask.csv", "3", ""]),
        ]
    );
    let path = operator.work().join("ids.csv");
    let mode = path.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let plan = operator.run(&["delete", "--gdpr", "--dry-run", "ids.csv", "--json"]);
    assert_eq!(
        plan.exits_with(0).json()["request"]["ids"]["unique"],
        3,
        "{plan}"
    );
    operator.run(&args).exits_with(2).says("already exists");
    assert_eq!(listed(&operator, "ids.csv"), rows, "not overwritten");
}

#[test]
fn a_status_says_whether_every_line_has_a_profile() {
    let operator = Operator::new();
    operator.file("users.csv", USERS);
    for (value, status, plain) in [
        ("anna@x.test", 0, 0),
        ("bob@x.test", 0, 0),
        ("no@x.test", 1, 0),
        ("ANNA@x.test", 1, 0),
        ("null", 5, 5),
    ] {
        let args = ["--profiles", "users.csv", value];
        lookup(&operator, &args).exits_with(plain);
        let args = [&args[..], &["--exit-status"]].concat();
        lookup(&operator, &args).exits_with(status);
    }
    let missing = operator.run(&["lookup", "anna@x.test"]);
    missing.exits_with(2).says("--profiles");
}

#[test]
fn only_equal_bytes_are_taken_and_what_nearly_equals_is_named() {
    let operator = Operator::new();
    let users = "distinct_id,email\n\
         u1,\"a\"\"b\\c,d\"\nu2,joann@x.test\nu3,ann@x.test\nu4,trail@x.test \n\
         u5,zoe\u{308}@x.test\nu6,\u{131}@x.test\nu7,4915112345\nu8,0049\n";
    operator.file("users.csv", users);
    let asked = [
        ("a\"b\\c,d", "one", None),
        ("a\"b\\c", "none", None),
        ("ann@x.test", "one", None),
        ("nn@x.test", "none", None),
        (
            "trail@x.test",
            "near",
            Some("differs in white space around it"),
        ),
        ("trail@x.test ", "one", None),
        ("zo\u{eb}@x.test", "near", Some("differs in Unicode form")),
        ("i@x.test", "near", Some("differs in case")),
        ("4915112345", "one", None),
        (
            "+4915112345",
            "near",
            Some("differs in the characters around it"),
        ),
        ("49", "near", Some("differs in leading zeros")),
        ("' OR 1=1 --", "none", None),
    ];
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["email", ""]).expect("a row");
    for (value, ..) in asked {
        table.write_record([value, ""]).expect("a row");
    }
    operator.file("ask.csv", table.into_inner().expect("a table"));
    let outcome = lookup(&operator, &["--profiles", "users.csv", "ask.csv"]);
    let found = outcome.exits_with(0).json();
    for (line, (value, answer, near)) in found["lines"].as_array().unwrap().iter().zip(asked) {
        assert_eq!(line["answer"], answer, "{value}\n{outcome}");
        assert_eq!(line["near"], json!(near), "{value}\n{outcome}");
    }
}

#[test]
fn profiles_come_in_many_forms() {
    let one = [("one".to_owned(), 1)];
    let two = [("several".to_owned(), 2)];
    for (name, text, expected) in [
        (
            "a.csv",
            "\u{feff}Distinct ID;Name;Email\r\nu1;A;a@x.test\r\n",
            &one,
        ),
        (
            "a.tsv",
            "$distinct_id\t$properties.$email\nu1\ta@x.test\n",
            &one,
        ),
        (
            "l.csv",
            "distinct_id,$email\nu1,\"[\"\"b@x.test\"\",\"\"a@x.test\"\"]\"\n",
            &one,
        ),
        (
            "p.json",
            r#"{"results":[{"$distinct_id":1,"$properties":{"$email":"a@x.test"}}],"total":1,"page":0}"#,
            &one,
        ),
        (
            "l.jsonl",
            "{\"$distinct_id\":\"u1\",\"$properties\":{\"$email\":[\"x\",\"a@x.test\"]}}\n",
            &one,
        ),
        (
            "f.jsonl",
            "{\"distinct_id\":\"u1\",\"email\":\"a@x.test\"}\n",
            &one,
        ),
        (
            "a.json",
            "[\n {\"distinct_id\":\"u1\",\"email\":\"\\u0061@x.test\"},\n {\"distinct_id\":\"u2\",\"email\":\"a@x.test\"}\n]",
            &two,
        ),
        (
            "twice.csv",
            "distinct_id,$email\nu1,a@x.test\nu1,a@x.test\n",
            &one,
        ),
        (
            "both.jsonl",
            "{\"distinct_id\":\"u1\",\"email\":\"a@x.test\",\"$email\":\"a@x.test\"}\n",
            &one,
        ),
        ("unended.csv", "distinct_id,$email\nu1,a@x.test", &one),
    ] {
        assert_eq!(of((name, text), &["a@x.test"], &[]), expected, "{name}");
    }
    let operator = Operator::new();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(USERS.as_bytes()).expect("packed");
    operator.file("users.csv.gz", packed.finish().expect("packed"));
    let outcome = operator.run_with_input(
        &[
            "lookup",
            "--profiles",
            "users.csv.gz",
            "-",
            "--no-header",
            "--json",
        ],
        "anna@x.test\n",
    );
    assert_eq!(answers(outcome.exits_with(0)), one);
}

#[test]
fn long_ids_keep_each_digit_and_a_number_is_no_text() {
    let operator = Operator::new();
    let profiles = r#"{"$distinct_id":12345678901234567890,"$properties":{"$phone":"4915"}}
{"$distinct_id":"u2","$properties":{"$phone":4916}}
"#;
    operator.file("users.jsonl", profiles);
    operator.file("ask.csv", "phone\n4915\n4916\n");
    let args = [
        "--profiles",
        "users.jsonl",
        "--by",
        "$phone",
        "-o",
        "ids.csv",
        "ask.csv",
    ];
    let outcome = lookup(&operator, &args);
    assert_eq!(words(&answers(outcome.exits_with(0))), ["one", "near"]);
    assert_eq!(outcome.json()["lines"][1]["near"], "is a number, not text");
    assert_eq!(listed(&operator, "ids.csv")[0][0], "12345678901234567890");
}

#[test]
fn pages_may_come_in_any_order_and_none_may_be_missing() {
    let operator = Operator::new();
    let page = |number: u64, ids: &[&str]| {
        let results = ids.iter().map(
            |id| json!({ "$distinct_id": id, "$properties": { "$email": format!("{id}@x.test") } }),
        );
        let results: Vec<Value> = results.collect();
        json!({ "page": number, "page_size": 2, "session_id": "s-1", "status": "ok",
                "total": 3, "results": results })
        .to_string()
    };
    let (first, second) = (page(0, &["a", "b"]), page(1, &["c"]));
    operator.file("0.json", &first);
    operator.file("1.json", &second);
    operator.file("all.json", format!("{second}{first}"));
    operator.file("twice.json", format!("{second}{first}{first}"));
    operator.file("list.json", format!("[{second},\n{first}]"));
    operator.file("lines.jsonl", format!("{second}\n{first}\n"));
    for files in [
        &["--profiles", "1.json", "--profiles", "0.json"][..],
        &["--profiles", "all.json"],
        &["--profiles", "list.json"],
        &["--profiles", "lines.jsonl"],
    ] {
        let outcome = lookup(&operator, &[files, &["a@x.test"]].concat());
        assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
    }
    for file in ["0.json", "1.json"] {
        let outcome = lookup(&operator, &["--profiles", file, "nobody@x.test"]);
        outcome.exits_with(5).says("of 3 profiles");
    }
    for [one, other] in [["twice.json", "twice.json"], ["all.json", "1.json"]] {
        let files = ["--profiles", one, "--profiles", other, "a@x.test"];
        let outcome = lookup(&operator, &files);
        outcome.exits_with(5).says("the page is given twice");
    }
    let empty = r#"{"page":0,"page_size":1000,"total":0,"results":[]}"#;
    operator.file("none.json", empty);
    let outcome = lookup(&operator, &["--profiles", "none.json", "a@x.test"]);
    assert_eq!(words(&answers(outcome.exits_with(0))), ["none"]);
}

#[test]
fn a_page_may_be_larger_than_the_longest_line() {
    let operator = Operator::new();
    let profile = |number: usize| {
        json!({ "$distinct_id": format!("u{number}"),
                "$properties": { "$email": format!("u{number}@x.test"), "text": "x".repeat(60_000) } })
    };
    let results: Vec<Value> = (0..100).map(profile).collect();
    let page = json!({ "page": 0, "page_size": 1000, "total": 100, "results": results });
    operator.file("page.json", page.to_string());
    let outcome = lookup(&operator, &["--profiles", "page.json", "u99@x.test"]);
    assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_never_a_no() {
    let page = r#"{"page":0,"total":2,"results":[{"$distinct_id":"a","$properties":{"$email":"a@x.test"}},{"$distinct_id":"b","$properties":{"$email":"b@x.test"}}]}"#;
    let table = "distinct_id,$email\na,a@x.test\nb,b@x.test\n";
    let lines = "{\"distinct_id\":\"a\",\"$email\":\"a@x.test\"}\n{\"distinct_id\":\"b\",\"$email\":\"b@x.test\"}\n";
    for (name, text) in [("p.json", page), ("t.csv", table), ("l.jsonl", lines)] {
        for end in (1..text.len()).step_by(3) {
            let operator = Operator::new();
            operator.file(name, &text[..end]);
            let outcome = lookup(&operator, &["--profiles", name, "b@x.test"]);
            // No program can tell a cut between two lines.
            let is_between =
                name != "p.json" && [&text[end - 1..end], &text[end..=end]].contains(&"\n");
            match outcome.status {
                Some(5) => {}
                Some(0) if is_between => {}
                // Its last row is whole, except perhaps its last value.
                Some(0) if name == "t.csv" && outcome.stdout.contains("no_line_end") => {}
                _ => panic!("{name} to {end}\n{outcome}"),
            }
        }
    }
}

#[test]
fn what_is_damaged_or_ambiguous_is_refused_without_a_value() {
    for (name, text) in [
        ("ragged.csv", "distinct_id,$email\nu1,canary@x.test\nu2\n"),
        (
            "quote.csv",
            "distinct_id,$email\nu1,\"canary@x.test\nu2,b\n",
        ),
        ("other.csv", "distinct_id,name\nu1,canary@x.test\n"),
        (
            "rivals.csv",
            "distinct_id,Email,E-mail\nu1,canary@x.test,b\n",
        ),
        (
            "two.csv",
            "distinct_id,email,$email\nu1,canary@x.test,b@x.test\n",
        ),
        (
            "two-ids.csv",
            "distinct_id,$distinct_id,$email\nu1,u2,canary@x.test\n",
        ),
        (
            "two.jsonl",
            "{\"distinct_id\":\"u1\",\"$email\":\"canary@x.test\",\"email\":\"b\"}\n",
        ),
        (
            "inside.csv",
            "distinct_id,$email\nu1,\"canary@x.test\nu2,b@x.test\"\n",
        ),
        (
            "swallowed.csv",
            "distinct_id,name,$email\nu1,\"A,canary@x.test\nu2,B\",b@x.test\nu3,C,c@x.test\n",
        ),
        ("headless.csv", "canary-id,canary@x.test\nu2,b@x.test\n"),
        ("named.csv", "distinct_id,canary\nu2,b@x.test\n"),
        (
            "key.jsonl",
            "{\"distinct_id\":\"u1\",\"$email\":\"canary@x.test\",\"$email\":\"b\"}\n",
        ),
        ("nobody.jsonl", "{\"$email\":\"canary@x.test\"}\n"),
        (
            "error.json",
            "{\"error\":\"canary@x.test is over the limit\"}\n",
        ),
        ("empty.csv", "distinct_id,$email\n"),
        ("empty.json", ""),
    ] {
        let operator = Operator::new();
        operator.file(name, text);
        operator.file("ask.csv", "email\ncanary@x.test\n");
        let args = ["lookup", "--profiles", name, "-o", "ids.csv", "ask.csv"];
        let outcome = operator.run(&args);
        outcome.exits_with(5).never_says("canary");
        assert!(!operator.work().join("ids.csv").exists(), "{name}");
    }
}

#[test]
fn aliases_are_found_over_any_number_of_steps() {
    let operator = Operator::at(&Fake::start());
    operator.file(
        "users.csv",
        "distinct_id,$email\nu1,a@x.test\nu2,b@x.test\nu9,z@x.test\n",
    );
    operator.file("ask.csv", "email\na@x.test\nb@x.test\n");
    // Each row is of use only after the one below it.
    operator.file(
        "map.csv",
        "distinct_id,resolved_distinct_id\nfar,mid\n$device:1,near\nmid,near\nnear,u1\nx,y\n$device:2,u2\nalone,\n",
    );
    let args = [
        "--profiles",
        "users.csv",
        "--identities",
        "map.csv",
        "-o",
        "ids.csv",
        "ask.csv",
    ];
    let outcome = lookup(&operator, &args);
    let found = outcome.exits_with(0).json();
    let ids = json!({ "profiles": 2, "aliases": 5, "devices": 2 });
    assert_eq!(found["ids"], ids, "{outcome}");
    assert_eq!(found["shared"], json!([]));
    let rows = listed(&operator, "ids.csv");
    let lines: BTreeMap<&str, (&str, &str)> = rows
        .iter()
        .map(|row| (row[0].as_str(), (row[1].as_str(), row[4].as_str())))
        .collect();
    let alias = |line| ("alias", line);
    let expected = BTreeMap::from([
        ("u1", ("one", "2")),
        ("u2", ("one", "3")),
        ("near", alias("2")),
        ("mid", alias("2")),
        ("far", alias("2")),
        ("$device:1", alias("2")),
        ("$device:2", alias("3")),
    ]);
    assert_eq!(lines, expected);
    let plan = operator.run(&["delete", "--gdpr", "--dry-run", "ids.csv", "--json"]);
    assert_eq!(plan.exits_with(0).json()["request"]["ids"]["unique"], 7);
}

#[test]
fn a_large_cluster_is_told_and_unusable_identities_are_refused() {
    let operator = Operator::new();
    operator.file("users.csv", "distinct_id,$email\nu1,a@x.test\n");
    let devices: Vec<String> = (1..=500)
        .map(|number| format!("$device:{number}"))
        .collect();
    let profile = json!({ "$distinct_id": "u1", "$distinct_ids": devices });
    operator.file("list.jsonl", format!("{profile}\n"));
    let args = [
        "lookup",
        "--profiles",
        "users.csv",
        "--identities",
        "list.jsonl",
        "a@x.test",
    ];
    let outcome = operator.run(&args);
    outcome.exits_with(0).says("one person has 501 ids");
    for files in [["-", "list.jsonl"], ["users.csv", "-"]] {
        let args = ["--profiles", files[0], "--identities", files[1], "a@x.test"];
        let input = operator.run_with_input(&[&["lookup"], &args[..]].concat(), "x");
        input.exits_with(5).says("read only once");
    }
    let table = "distinct_id,resolved_distinct_id\nu1,anonymous\n";
    operator.file("bad.csv", table);
    let args = [
        "--profiles",
        "users.csv",
        "--identities",
        "bad.csv",
        "a@x.test",
    ];
    let refused = lookup(&operator, &args);
    refused.exits_with(5).says("remove these ids");
    operator.file("bad.csv", "distinct_id,name\nu1,x\n");
    lookup(&operator, &args).exits_with(5);
}

#[test]
fn a_profile_that_was_taken_is_not_near_as_well() {
    let operator = Operator::new();
    let profile = json!({ "distinct_id": "u1", "$email": ["A@x.test", "a@x.test"] });
    operator.file("users.jsonl", format!("{profile}\n"));
    let outcome = lookup(&operator, &["--profiles", "users.jsonl", "a@x.test"]);
    assert_eq!(answers(outcome.exits_with(0)), [("one".to_owned(), 1)]);
    assert_eq!(outcome.json()["lines"][0]["near"], Value::Null);
}
