//! Where ids come from, and that a damaged source sends nothing.

use serde_json::json;

use crate::support::{Fake, Operator, Outcome};

fn export<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["export", "--gdpr"], args].concat()
}

fn export_file(fake: &Fake, text: impl AsRef<[u8]>, flags: &[&str]) -> Outcome {
    let operator = Operator::at(fake);
    operator.file("ids.csv", text);
    operator.run(&export(&[flags, &["ids.csv"]].concat()))
}

#[track_caller]
fn sends(text: impl AsRef<[u8]>, flags: &[&str], ids: &[&str]) {
    let fake = Fake::start();
    let outcome = export_file(&fake, text, flags);
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids(), ids, "{outcome}");
}

#[track_caller]
fn sends_nothing(text: impl AsRef<[u8]>, flags: &[&str]) -> Outcome {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", text);
    let outcome = operator.run(&export(&[flags, &["ids.csv"]].concat()));
    outcome
        .exits_with(5)
        .says("ids.csv")
        .says("nothing was sent");
    fake.was_not_called();
    assert!(operator.requests().is_empty(), "nor is anything recorded");
    outcome
}

#[test]
fn sources_of_every_kind_are_taken_together() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("one.csv", "distinct_id\na1\na2\n");
    operator.file("two", "user_id\na2\nb1\n");
    let args = export(&[
        "one.csv",
        "--id",
        "c1",
        "-",
        "--file",
        "two",
        "--id",
        "d1",
        "--id",
        "what/ever.csv",
        "--json",
    ]);
    let outcome = operator.run_with_input(&args, "distinct_id\ne1\n");
    outcome.exits_with(0);
    let mut ids = fake.posted_ids();
    ids.sort();
    assert_eq!(ids, ["a1", "a2", "b1", "c1", "d1", "e1", "what/ever.csv"]);
    assert_eq!(
        outcome.request()["ids"],
        json!({ "read": 8, "unique": 7, "duplicates": 1, "excluded": 0, "refused": 0 })
    );
}

#[test]
fn a_path_that_does_not_exist_is_never_an_id() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for path in [
        "missing.csv",
        "Missing.CSV",
        "x.tsv",
        "x.txt",
        "x.jsonl",
        "folder/x",
        "./x",
        "../x",
        "/x",
        "~/ids",
    ] {
        for command in [
            &["export", "--gdpr", path][..],
            &["delete", "--gdpr", "--yes", path],
        ] {
            let outcome = operator.run(command);
            outcome.exits_with(2).says(path).says("--id");
        }
    }
    let outcome = operator.run(&export(&["--json", "missing.csv"]));
    assert_eq!(outcome.exits_with(2).failure()["kind"], "usage");
    let named = operator.run(&export(&["--file", "missing"]));
    assert_ne!(named.status, Some(0), "{named}");
    fake.was_not_called();
}

#[test]
fn one_bad_source_beside_a_good_one_sends_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("good.csv", "distinct_id\na1\n");
    operator.file("bad.csv", "distinct_id\na2\nnull\n");
    operator
        .run(&export(&["good.csv", "bad.csv"]))
        .exits_with(5)
        .says("line 3");
    operator
        .run(&export(&["good.csv", "missing.csv"]))
        .exits_with(2);
    operator.run(&export(&["good.csv", "-", "-"])).exits_with(2);
    operator.run(&export(&["."])).exits_with(5);
    operator.run(&export(&[])).exits_with(2);
    fake.was_not_called();
}

#[test]
fn headers_are_recognised_however_they_are_written() {
    for header in [
        "distinct_id",
        "$distinct_id",
        "Distinct ID",
        "DISTINCT_ID",
        "distinctId",
        "user_id",
        "User ID",
        "\"distinct_id\"",
    ] {
        sends(format!("{header}\na1\na2\n"), &[], &["a1", "a2"]);
    }
    sends(
        "country,distinct_id,note\nDE,a1,x\nFR,a2,y\n",
        &[],
        &["a1", "a2"],
    );
}

#[test]
fn line_ends_marks_and_blank_lines_change_nothing() {
    let same = ["a1", "a2", "a3"];
    sends("\u{feff}distinct_id\na1\na2\na3\n", &[], &same);
    sends("distinct_id\r\na1\r\na2\r\na3\r\n", &[], &same);
    sends("distinct_id\ra1\ra2\ra3", &[], &same);
    sends("distinct_id\n\na1\n\n\na2\na3\n\n", &[], &same);
    sends("distinct_id\na1\na2\na3", &[], &same);
    let utf16: Vec<u8> = "\u{feff}distinct_id\na1\na2\na3\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    sends(utf16, &[], &same);
}

#[test]
fn delimiters_are_recognised_or_given() {
    sends("country;distinct_id\nDE;a1\nFR;a2\n", &[], &["a1", "a2"]);
    sends("country\tdistinct_id\nDE\ta1\n", &[], &["a1"]);
    sends(
        "country|distinct_id\nDE|a1\n",
        &["--delimiter", "|"],
        &["a1"],
    );
    sends("distinct_id\na|1\n", &["--delimiter", ","], &["a|1"]);
    sends(
        "country\tdistinct_id\nDE\ta1\n",
        &["--delimiter", "tab"],
        &["a1"],
    );
}

#[test]
fn a_column_is_chosen_by_name_or_number() {
    let table = "email,mp,distinct_id\nx@y.test,m1,a1\nz@y.test,m2,a2\n";
    sends(table, &["--column", "mp"], &["m1", "m2"]);
    sends(table, &["--column", "1"], &["x@y.test", "z@y.test"]);
    sends(
        "x,m1\ny,m2\n",
        &["--no-header", "--column", "2"],
        &["m1", "m2"],
    );
    sends("a1\na2\n", &["--no-header"], &["a1", "a2"]);
    let outcome = sends_nothing(table, &["--column", "nope"]);
    outcome.says("nope");
    sends_nothing(table, &["--column", "4"]);
    sends_nothing("x,m1\ny,m2\n", &["--no-header"]).says("--column");
}

#[test]
fn several_columns_that_may_be_meant_are_listed() {
    let outcome = sends_nothing("distinct_id,user_id\na1,b1\n", &[]);
    outcome.says("distinct_id").says("user_id").says("--column");
}

#[test]
fn a_first_line_that_is_an_id_is_not_swallowed() {
    let outcome = sends_nothing("alice@example.test\nbob@example.test\n", &[]);
    outcome.says("--no-header").never_says("alice@example.test");
}

#[test]
fn bad_lines_are_listed_with_their_numbers_and_without_their_values() {
    let text =
        "distinct_id,note\na1,x\nnull,x\n padded ,x\na4\n\"two\nlines\",x\n,x\nundefined,x\n0,x\n";
    let outcome = sends_nothing(text, &[]);
    for line in [
        "line 3", "line 4", "line 5", "line 6", "line 8", "line 9", "line 10",
    ] {
        outcome.says(line);
    }
    outcome.never_says("padded").never_says("lines\"");
    assert!(!outcome.stderr.contains("line 2:"), "{outcome}");
}

#[test]
fn every_value_that_means_nobody_is_refused() {
    let forbidden = [
        "00000000-0000-0000-0000-000000000000",
        "anon",
        "anonymous",
        "nil",
        "none",
        "null",
        "NULL",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "<nil>",
        "0",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
    ];
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for value in forbidden {
        let id = format!("--id={value}");
        operator
            .run(&["delete", "--gdpr", "--yes", &id])
            .exits_with(5);
    }
    operator
        .run(&["delete", "--gdpr", "--yes", "--id", ""])
        .exits_with(5);
    operator
        .run(&["delete", "--gdpr", "--yes", ""])
        .exits_with(5);
    fake.was_not_called();
}

#[test]
fn broken_files_are_told_apart_and_nothing_of_them_is_sent() {
    sends_nothing("distinct_id\na1\n\"a2\na3\n", &[]).says("quote");
    sends_nothing(b"distinct_id\na1\n\xff\xfe\xfd\n", &[]).says("line 3");
    sends_nothing(b"distinct_id\na1\na\x002\n", &[]).says("line 3");
    sends_nothing(b"PK\x03\x04distinct_id\na1\n", &[]);
    sends_nothing(format!("distinct_id\n{}\n", "x".repeat(5000)), &[]).says("line 2");
    let utf16: Vec<u8> = "distinct_id\na1\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    sends_nothing(utf16, &[]);
}

#[test]
fn an_expected_count_must_be_met_exactly() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\na1\na2\na2\n");
    for wrong in ["1", "3", "0"] {
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "ids.csv", "--expect", wrong]);
        outcome.exits_with(5).says("2").says("nothing was sent");
    }
    fake.was_not_called();
    assert!(operator.requests().is_empty());
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv", "--expect", "2"])
        .exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1", "a2"]);
}

#[test]
fn nothing_is_read_from_the_working_directory() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for name in ["config.toml", ".env", "dsr.toml", ".dsr.toml"] {
        operator.file(name, "DSR_PROJECT=evil\ndefault_project = \"evil\"\n");
    }
    let request = operator
        .run(&["export", "--gdpr", "a1", "--json"])
        .exits_with(0)
        .request();
    assert_eq!(request["project"], "shop");
}

#[test]
fn the_wanted_file_is_a_file_even_if_it_is_named_like_an_id() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("alice", "distinct_id\nb1\n");
    operator.run(&export(&["--id", "alice"])).exits_with(0);
    operator.run(&export(&["--file", "alice"])).exits_with(0);
    assert_eq!(fake.posted_ids(), ["alice", "b1"]);
}

#[test]
fn a_source_without_any_id_is_an_error() {
    let fake = Fake::start();
    for text in ["", "\n\n", "distinct_id\n", "distinct_id,country\n\n"] {
        let outcome = export_file(&fake, text, &[]);
        outcome.exits_with(5).says("nothing was sent");
    }
    let operator = Operator::at(&fake);
    operator.run(&export(&["-"])).exits_with(5);
    fake.was_not_called();
}

#[test]
fn flags_about_the_source_are_no_source() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for flags in [
        &["--no-header"][..],
        &["--column", "1"],
        &["--expect", "1"],
        &["--delimiter", ","],
    ] {
        operator.run(&export(flags)).exits_with(2);
    }
    fake.was_not_called();
}
