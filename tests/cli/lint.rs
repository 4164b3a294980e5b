//! What spreadsheets, scripts and wrong columns do to ids: certain damage stops everything,
//! suspicious values are reported by line, and neither is quoted.

use serde_json::{Value, json};

use crate::support::{Fake, Operator, Outcome};

/// Runs an export of this text; the fake answers as usual. Under the CCPA, since dsr would warn of
/// some of the GDPR's months.
fn export(fake: &Fake, text: impl AsRef<[u8]>, flags: &[&str]) -> Outcome {
    let operator = Operator::at(fake);
    operator.file("ids.csv", text);
    operator.run(&[&["export", "--ccpa", "ids.csv"], flags].concat())
}

fn table<V: AsRef<str>>(ids: impl IntoIterator<Item = V>) -> String {
    let mut text = "distinct_id\n".to_owned();
    for id in ids {
        let quoted = id.as_ref().replace('"', "\"\"");
        text.push_str(&format!("\"{quoted}\"\n"));
    }
    text
}

#[track_caller]
fn sends(ids: &[&str], flags: &[&str], wanted: &[&str]) -> Outcome {
    let fake = Fake::start();
    let outcome = export(&fake, table(ids), flags);
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids(), wanted, "{outcome}");
    outcome
}

#[track_caller]
fn sends_nothing(ids: &[&str], flags: &[&str]) -> Outcome {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", table(ids));
    let outcome = operator.run(&[&["export", "--ccpa", "ids.csv"], flags].concat());
    outcome.exits_with(5).says("nothing was sent");
    fake.was_not_called();
    assert!(operator.requests().is_empty(), "nor is anything recorded");
    outcome
}

#[track_caller]
fn warnings(outcome: &Outcome) -> Vec<Value> {
    let warnings = outcome.json()["warnings"].as_array().cloned();
    warnings.unwrap_or_default()
}

fn uuid(n: usize) -> String {
    format!("3e0b7f52-77aa-4c1e-9a4b-{n:012x}")
}

#[test]
fn what_is_no_id_is_listed_by_line_and_look_and_nothing_is_sent() {
    let odd = [
        ("1.23E+12", "a number in scientific notation"),
        ("#N/A", "looks like a spreadsheet's error"),
        ("=SUM(A1:A9)", "looks like a spreadsheet's formula"),
        ("secr\u{1b}et", "has a control character"),
        ("secr\tet", "has a control character"),
        (
            "\u{feff}secret",
            "begins or ends with an invisible character",
        ),
        ("NaN", "a placeholder for an empty value"),
        ("2024-05-31", "looks like a date"),
        ("1,234", "thousands separators"),
        ("'00123", "has a quote"),
        ("a\u{200b}b", "has an invisible character"),
        ("a\u{a0}b", "has white space inside"),
        ("1234.0", "a fraction of zero"),
        ("mailto:alice@example.test", "looks like a link"),
        ("BjÃ¶rn", "read in a wrong encoding"),
        ("u-1,u-2", "has a comma"),
        ("Gesamt", "looks like a total"),
        ("аlice", "mixes letters of several scripts"),
    ];
    let values: Vec<&str> = odd.iter().map(|(value, _)| *value).collect();
    let outcome = sends_nothing(&[&["fine-1"], &values[..]].concat(), &[]);
    outcome
        .says("18 values are damaged")
        .says("--allow")
        .says("--expect-pattern");
    for (line, (_, look)) in (3..).zip(odd) {
        let line = format!("line {line}: ");
        let said = outcome.stderr.lines().find(|said| said.contains(&line));
        assert!(
            said.is_some_and(|said| said.contains(look)),
            "{look}: {outcome}"
        );
    }
    for value in [
        "secr", "1.23", "#N", "SUM", "00123", "NaN", "fine-1", "alice", "Bj", "u-1",
    ] {
        outcome.never_says(value);
    }
}

#[test]
fn ordinary_ids_raise_no_warning() {
    let ids = [
        "user-17",
        "alice@example.test",
        "0017",
        "auth0|5f7c8e",
        "Ünï",
        "1e5",
        "佐藤テスト",
    ];
    let outcome = sends(&ids, &[], &ids);
    assert!(!outcome.stderr.contains("Warning"), "{outcome}");
    let outcome = sends(&ids, &["--json"], &ids);
    assert!(outcome.json().get("warnings").is_none(), "{outcome}");
}

#[test]
fn more_than_one_repeated_id_in_five_is_warned_of() {
    let half = sends(&["a", "a", "b", "b"], &[], &["a", "b"]);
    half.says("2 ids are repeated, more than one in five");
    let json = sends(&["a", "a", "b", "b"], &["--json"], &["a", "b"]);
    let [warning] = warnings(&json).try_into().expect("one kind");
    assert_eq!(warning["kind"], "repeated_ids");
    assert_eq!(warning["count"], 2);
    let fifth = sends(&["a", "b", "c", "d", "a"], &[], &["a", "b", "c", "d"]);
    assert!(!fifth.stderr.contains("Warning"), "{fifth}");
}

#[test]
fn three_addresses_among_five_thousand_uuids_stand_out() {
    let mut ids: Vec<String> = (0..5000).map(uuid).collect();
    for place in [7, 2000, 4999] {
        ids[place] = format!("person{place}@example.test");
    }
    let fake = Fake::start();
    let outcome = export(&fake, table(&ids), &["--dry-run"]);
    outcome.exits_with(0).says(
        "3 ids (`ids.csv`, lines 9, 2002, 5001) look like an e-mail address; 4,997 others look like a UUID",
    );
    fake.was_not_called();
}

#[test]
fn a_few_devices_and_numbers_of_another_length_stand_out() {
    let mut ids: Vec<String> = (0..1000)
        .map(|n| (4_000_000_000_u64 + n).to_string())
        .collect();
    ids[3] = "12345".to_owned();
    ids[9] = "$device:77".to_owned();
    let fake = Fake::start();
    let outcome = export(&fake, table(&ids), &["--dry-run"]);
    outcome
        .exits_with(0)
        .says("1 id (`ids.csv`, line 5) has a different number of digits; 998 others have 10")
        .says("1 id (`ids.csv`, line 11) is of an anonymous device");
    ids[3] = "0000012345".to_owned();
    ids[4] = "12345".to_owned();
    export(&fake, table(&ids), &["--dry-run"])
        .says("1 id (`ids.csv`, line 6) has fewer digits than the others (10, padded with zeros)");
}

#[test]
fn a_long_id_is_warned_of_and_never_cut() {
    let long = format!("x{}", "y".repeat(299));
    let outcome = sends(&["a", &long], &[], &["a", &long]);
    outcome
        .says("1 id (`ids.csv`, line 3) is longer than 255 bytes")
        .never_says("yyy");
    let fits = &long[..255];
    let outcome = sends(&[fits], &[], &[fits]);
    assert!(!outcome.stderr.contains("Warning"), "{outcome}");
}

#[test]
fn every_line_is_listed_on_request() {
    let ids: Vec<String> = (1..=1200).map(|n| format!("$device:{n}")).collect();
    let fake = Fake::start();
    let short = export(&fake, table(&ids), &["--dry-run"]);
    short.says(
        "1,200 ids (`ids.csv`, lines 2, 3, 4, 5, 6; and 1,195 more) are of an anonymous device",
    );
    assert_eq!(short.stderr.lines().count(), 1, "{short}");
    let long = export(&fake, table(&ids), &["--dry-run", "--show-warnings"]);
    long.says("\n  `ids.csv`, line 2\n")
        .says("\n  `ids.csv`, line 1001\n")
        .says("\n  and 200 more\n");
    assert!(!long.stderr.contains("line 1002"), "bounded");
    let json = export(&fake, table(&ids), &["--dry-run", "--json"]);
    let [warning] = warnings(&json).try_into().expect("one kind");
    assert_eq!(warning["kind"], "device_id");
    assert_eq!(
        (&warning["count"], &warning["not_listed"]),
        (&json!(1200), &json!(200))
    );
    let places = warning["places"].as_array().unwrap();
    assert_eq!(places.len(), 1000);
    assert_eq!(places[0], json!({ "source": "`ids.csv`", "line": 2 }));
    assert_eq!(places[999]["line"], 1001);
}

#[test]
fn warnings_name_each_source_and_stand_beside_errors() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("one.csv", table(["$device:1"]));
    operator.file("two.csv", table(["a", "$device:2", "null"]));
    let args = [
        "export",
        "--gdpr",
        "one.csv",
        "two.csv",
        "--id",
        "$device:3",
    ];
    let outcome = operator.run(&args);
    outcome
        .exits_with(5)
        .says(
            "3 ids (`one.csv`, line 2; `two.csv`, line 3; the id on the command line) are of an anonymous device",
        )
        .says("`two.csv`, line 4: the value stands for");
    let outcome = operator.run(&[&args[..], &["--json"]].concat());
    assert_eq!(outcome.exits_with(5).failure()["kind"], "bad_input");
    let object: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!(object["warnings"][0]["kind"], "device_id");
    assert_eq!(object["warnings"][0]["count"], 3);
    fake.was_not_called();
}

#[test]
fn white_space_is_refused_dropped_or_kept_as_the_operator_says() {
    let ids = ["a1", " a2", "a3\u{a0}", "\ta4 "];
    sends_nothing(&ids, &[])
        .says("3 values are damaged")
        .says("--trim")
        .says("--keep-whitespace");
    sends(&ids, &["--trim"], &["a1", "a2", "a3", "a4"])
        .says("3 ids (`ids.csv`, lines 3, 4, 5) had white space around them; dsr removed it");
    let spaces = [" a2", "a3\u{a0}"];
    sends(&spaces, &["--keep-whitespace"], &spaces)
        .says("2 ids (`ids.csv`, lines 2, 3) have white space around them; dsr keeps it");
    sends_nothing(&["a1", " null "], &["--trim"]).says("line 3");
    sends_nothing(&["a1", " null "], &["--keep-whitespace"]).says("line 3");
    sends_nothing(&["a1", "  "], &["--trim"]).says("line 3: the id is empty");
    // One hint for several problems fits the first.
    sends_nothing(&["a1", " a2", "null"], &[]).says("--trim");
    sends_nothing(&["a1", "null", " a2"], &[]).never_says("--trim");
    let fake = Fake::start();
    export(&fake, table(["a"]), &["--trim", "--keep-whitespace"]).exits_with(2);
    fake.was_not_called();
}

#[test]
fn what_is_trimmed_is_one_id_with_its_twin() {
    let outcome = sends(&["a", " a", "a "], &["--trim", "--json"], &["a"]);
    let ids = &outcome.request()["ids"];
    assert_eq!((&ids["read"], &ids["duplicates"]), (&json!(3), &json!(2)));
}

#[test]
fn only_the_very_value_that_is_allowed_goes_through() {
    let odd = ["0", "-1", "null", "1.23E+12", "#N/A", " x "];
    for value in odd {
        sends_nothing(&["a", value], &[]).says("line 3");
        let outcome = sends(&["a", value], &["--allow", value], &["a", value]);
        assert!(!outcome.stderr.contains("Warning"), "{outcome}");
    }
    let flags = ["--allow", "0", "--allow", "null"];
    sends(&["null", "0"], &flags, &["null", "0"]);
    sends_nothing(&["null", "NULL", "0"], &flags)
        .says("1 value is damaged")
        .says("line 3");
    sends_nothing(&["null", "1.23E+12"], &["--allow", "1.23E+13"]).says("2 values");
    sends_nothing(&["a", ""], &["--allow", ""]).says("line 3");
}

#[test]
fn every_id_must_match_the_expected_pattern_whole() {
    let pattern = ["--expect-pattern", r"user-\d{2}"];
    sends(&["user-17", "user-18"], &pattern, &["user-17", "user-18"]);
    sends_nothing(&["user-17", "user-188", "xuser-19", "secret"], &pattern)
        .says("3 values are damaged")
        .says("line 3: the id does not match")
        .says("line 4: ")
        .says("line 5: ")
        .never_says("secret");
    sends_nothing(&["user-17", " user-18"], &pattern).says("line 3: the id begins");
    let both = [&pattern[..], &["--trim"]].concat();
    sends(&["user-17", " user-18"], &both, &["user-17", "user-18"]);
    let odd = ["--expect-pattern", r"user \d{2}, .*"];
    sends(&["user 17, Ann"], &odd, &["user 17, Ann"]);
    sends_nothing(&["null"], &["--expect-pattern", ".*"]).says("line 2: the value stands for");
    let named = [&pattern[..], &["--allow", "odd"]].concat();
    sends(&["user-17", "odd"], &named, &["user-17", "odd"]);
    let fake = Fake::start();
    let outcome = export(&fake, table(["a"]), &["--expect-pattern", "("]);
    outcome.exits_with(2).says("--expect-pattern");
    fake.was_not_called();
}

#[test]
fn an_id_on_the_command_line_is_judged_as_one_in_a_file() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "1.23E+12"])
        .exits_with(5)
        .says("the id on the command line: the value is a number in scientific notation");
    operator
        .run(&["delete", "--gdpr", "--yes", "--id=#N/A"])
        .exits_with(5);
    fake.was_not_called();
    operator
        .run(&["delete", "--gdpr", "--yes", "--id", " a ", "--trim"])
        .exits_with(0)
        .says("1 id (the id on the command line) had white space around it");
    assert_eq!(fake.posted_ids(), ["a"]);
}
