use super::*;
use crate::domain::DistinctIdError;

const GOOD: &str = r#"{"event":"Buy","properties":{"time":1790000000,"distinct_id":"anon-7","$insert_id":"a-1","n":12345678901234567890.10}}"#;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn open(text: &str) -> Result<ImportFile, ImportFileError> {
    let (_folder, path) = file(text);
    ImportFile::open(&path, 1000, &mut |_| {})
}

fn fault_of(text: &str) -> (usize, LineFault) {
    match open(text) {
        Err(ImportFileError::Line { line, fault, .. }) => (line, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_keeps_its_bytes() {
    let text = format!("{GOOD}\r\n {} \n", GOOD.replace("a-1", "a-2"));
    let mut found = open(&text).unwrap();
    let events = found.read(0, 2).unwrap();
    assert_eq!(events[0].json, GOOD.as_bytes());
    assert_eq!(
        events[1].json,
        format!(" {} ", GOOD.replace("a-1", "a-2")).as_bytes()
    );
    assert_eq!(events[1].insert_id, "a-2");
    assert_eq!(found.day_count, 1);
    assert_eq!(found.days.0.to_string(), "2026-09-21");
    assert_eq!(found.people.len(), 1);
    assert_eq!(found.repeated.count, 0);
}

#[test]
fn every_way_in_which_a_line_is_wrong_names_the_line() {
    let with = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        format!("{GOOD}\n{}\n", GOOD.replace(from, to))
    };
    let long = format!("\"{}\"", "a".repeat(37));
    for (text, fault) in [
        (with("\"n\"", "\"time\""), LineFault::Twice("time")),
        (
            with("\"n\"", "\"distinct_id\""),
            LineFault::Twice("distinct_id"),
        ),
        (with(r#""event":"Buy","#, ""), LineFault::OtherMembers),
        (
            with(r#""event":"Buy","#, r#""event":"a","event":"b","#),
            LineFault::OtherMembers,
        ),
        (
            with(r#""event":"Buy","#, r#""event":"a","x":1,"#),
            LineFault::OtherMembers,
        ),
        (with(r#""Buy""#, "7"), LineFault::NoName),
        (with(r#""Buy""#, r#"" ""#), LineFault::NoName),
        (with("1790000000", r#""1790000000""#), LineFault::NoTime),
        (with("1790000000", "-5"), LineFault::NoTime),
        (with("1790000000", "null"), LineFault::NoTime),
        (with("1790000000", "1e300"), LineFault::NoTime),
        (with(r#""anon-7""#, "7"), LineFault::NoId),
        (
            with(r#""anon-7""#, r#""""#),
            LineFault::BadId(DistinctIdError::Empty),
        ),
        (
            with(r#""anon-7""#, r#""undefined""#),
            LineFault::BadId(DistinctIdError::Forbidden),
        ),
        (with(r#""a-1""#, r#""""#), LineFault::BadInsertId),
        (with(r#""a-1""#, r#""a_1""#), LineFault::BadInsertId),
        (with(r#""a-1""#, "1"), LineFault::BadInsertId),
        (with(r#""a-1""#, &long), LineFault::BadInsertId),
        (format!("{GOOD}\n[]\n"), LineFault::NotAnObject),
        (format!("{GOOD}\n\n"), LineFault::NotAnObject),
        (format!("{GOOD}\n{GOOD}{GOOD}\n"), LineFault::NotAnObject),
        (
            format!("{GOOD}\n{{\"event\":\"a\",\"properties\":[]}}\n"),
            LineFault::NoProperties,
        ),
        (format!("{GOOD}\n{GOOD}"), LineFault::Unended),
        (format!("{GOOD}\n{}", &GOOD[..40]), LineFault::Unended),
        (
            format!("{GOOD}\n{}\n", "x".repeat(1001)),
            LineFault::TooLong,
        ),
    ] {
        assert_eq!(fault_of(&text), (2, fault), "{text}");
    }
    assert!(matches!(open(""), Err(ImportFileError::Empty { .. })));
}

#[test]
fn events_that_mixpanel_counts_once_are_named() {
    let other = GOOD.replace("12345678901234567890.10", "2");
    let text = format!("{GOOD}\n{}\n{other}\n{GOOD}\n", GOOD.replace("Buy", "Sell"));
    let found = open(&text).unwrap();
    assert_eq!(
        (found.repeated.count, found.repeated.lines),
        (2, vec![3, 4])
    );
}

#[test]
fn batches_keep_both_limits() {
    let lines: Vec<String> = (0..10)
        .map(|n| GOOD.replace("a-1", &format!("a-{n}")) + "\n")
        .collect();
    let found = open(&lines.concat()).unwrap();
    assert_eq!(found.batches(4, 100_000), [4, 4, 2]);
    let line = GOOD.len() + 1;
    // An array of three events has two commas and two brackets.
    assert_eq!(found.batches(100, line * 3 + 1), [3, 3, 3, 1]);
    assert_eq!(found.batches(100, line * 3), [2, 2, 2, 2, 2]);
    assert_eq!(found.batches(100, 1), [1; 10]);
}

#[test]
fn a_file_that_changes_is_not_sent() {
    let (_folder, path) = file(&format!("{GOOD}\n{GOOD}\n"));
    let mut found = ImportFile::open(&path, 1000, &mut |_| {}).unwrap();
    std::fs::write(&path, format!("{}\n", GOOD.replace("Buy", "Sel"))).unwrap();
    for first in [0, 1] {
        let read = found.read(first, 1);
        assert!(
            matches!(read, Err(ImportFileError::Changed { .. })),
            "{first}: {read:?}"
        );
    }
    assert!(matches!(
        found.read(1, 2),
        Err(ImportFileError::Changed { .. })
    ));
}
