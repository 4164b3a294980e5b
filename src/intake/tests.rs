use std::io::Write;

use indexmap::IndexSet;
use proptest::prelude::*;

use super::*;
use crate::domain::{DistinctId, IdLines};

fn read_text(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Intake, IntakeError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_ref()).unwrap();
    let source = Source::File(file.path().to_owned());
    let folder = file.path().parent().unwrap();
    read(&[source], &[], options, Keep::Ids(folder), &mut |_| ())
}

fn all_ids(intake: &Intake) -> Vec<String> {
    let limit = std::num::NonZeroUsize::new(3).unwrap();
    let batches = intake.ids.as_ref().unwrap().batches(limit);
    let ids: Vec<IdLines> = batches.map(Result::unwrap).collect();
    let ids = ids.iter().flat_map(IdLines::ids);
    ids.map(str::to_owned).collect()
}

fn ids(text: impl AsRef<[u8]>) -> Vec<String> {
    ids_with(text, &ReadOptions::default())
}

fn ids_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> Vec<String> {
    all_ids(&read_text(text, options).unwrap())
}

fn error(text: impl AsRef<[u8]>) -> String {
    error_with(text, &ReadOptions::default())
}

fn error_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    read_text(text, options).unwrap_err().to_string()
}

fn no_header() -> ReadOptions {
    ReadOptions {
        header: HeaderRow::Absent,
        ..ReadOptions::default()
    }
}

fn any_pattern() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.check.pattern = Some(Pattern::new("(?s).*").unwrap());
    options
}

fn column(name: &str) -> ReadOptions {
    ReadOptions {
        column: Some(name.to_owned()),
        ..ReadOptions::default()
    }
}

#[test]
fn a_duplicate_is_taken_once_and_counted() {
    let intake = read_text("distinct_id\na\nb\na\nA\n", &ReadOptions::default()).unwrap();
    let counts = intake.counts;
    assert_eq!((counts.read, counts.unique, counts.duplicates()), (4, 3, 1));
}

#[test]
fn known_headers_are_recognised() {
    for header in [
        "distinct_id",
        "$distinct_id",
        "Distinct ID",
        "distinctId",
        "user_id",
        "\"$user_id\"",
        "id",
    ] {
        assert_eq!(ids(format!("{header}\na\nb\n")), ["a", "b"], "{header}");
    }
    assert_eq!(ids("email,Distinct ID,n\nx@y.z,a,1\n,b,2\n"), ["a", "b"]);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    for text in [
        "distinct_id\na\nb",
        "distinct_id\r\na\r\nb\r\n",
        "distinct_id\ra\rb\r",
        "\u{feff}distinct_id\na\nb\n",
        "\n\ndistinct_id\n\na\n\n\nb\n\n",
    ] {
        assert_eq!(ids(text), ["a", "b"], "{text:?}");
    }
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain("distinct_id\na\nü\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(ids(utf16), ["a", "ü"]);
}

#[test]
fn quoted_fields_keep_their_delimiters_and_quotes() {
    assert_eq!(
        ids_with(
            "n,distinct_id\n1,\"a,b\"\n2,\"say \"\"hi\"\"\"\n",
            &any_pattern()
        ),
        ["a,b", "say \"hi\""]
    );
}

#[test]
fn other_delimiters_are_recognised_or_given() {
    assert_eq!(ids("n;distinct_id\n1;a\n2;b.c\n"), ["a", "b.c"]);
    assert_eq!(ids("n\tdistinct_id\n1\ta\n"), ["a"]);
    assert_eq!(ids("n|user_id\n1|a\n"), ["a"]);
    assert_eq!(ids_with("n;who\n1;a\n", &column("who")), ["a"]);
    let given = ReadOptions {
        delimiter: Some(b'#'),
        ..ReadOptions::default()
    };
    assert_eq!(ids_with("n#distinct_id\n1#a\n", &given), ["a"]);
}

#[test]
fn without_a_header_the_first_line_is_an_id() {
    assert_eq!(ids_with("a\nb\n", &no_header()), ["a", "b"]);
    let second = ReadOptions {
        column: Some("2".to_owned()),
        ..no_header()
    };
    assert_eq!(ids_with("1,a\n2,b\n", &second), ["a", "b"]);
    assert!(error_with("1;a\n", &no_header()).contains("2 columns and no header"));
}

#[test]
fn a_first_line_that_is_no_known_header_is_not_swallowed() {
    let message = error("secret-person\nb\n");
    assert!(message.contains("no known header"), "{message}");
    assert!(!message.contains("secret-person"));
    let message = error("secret-person,x\nb,y\n");
    assert!(message.contains("2 columns"), "{message}");
    assert!(!message.contains("secret-person"));
}

#[test]
fn several_candidates_are_listed() {
    let message = error("distinct_id,user_id\na,b\n");
    assert!(message.contains("`distinct_id`, `user_id`"), "{message}");
    assert_eq!(
        ids_with("distinct_id,user_id\na,b\n", &column("user_id")),
        ["b"]
    );
    assert_eq!(ids_with("distinct_id,user_id\na,b\n", &column("2")), ["b"]);
    assert!(error_with("distinct_id\na\n", &column("who")).contains("no column `who`"));
}

#[test]
fn every_problem_is_listed_with_its_line_and_without_its_value() {
    let message =
        error("n,distinct_id\n1,fine\n\n2, secret\n3,null\n4\n5,\n6,\"two\nlines\"\n7,fine-7\n");
    for expected in [
        "5 values are damaged",
        "line 4: the id begins or ends",
        "line 5: the value stands for",
        "line 6: 1 field, but the first line has 2",
        "line 7: the id is empty",
        "line 8: the id has a line break",
    ] {
        assert!(message.contains(expected), "{expected} in {message}");
    }
    assert!(!message.contains("secret"));
}

#[test]
fn a_quote_that_is_never_closed_is_an_error() {
    for text in [
        "distinct_id\na\n\"b\nc\nd\n",
        "distinct_id\na\n\"b",
        "n,distinct_id\n1,a\n2,\"b\n3,c\n",
        "n,distinct_id\n1,a\n\"2,b\n3,c\n",
    ] {
        let message = error(text);
        assert!(message.contains("never closed"), "{text:?}: {message}");
    }
}

#[test]
fn damaged_text_is_an_error() {
    assert!(error(b"distinct_id\na\xff\n").contains("line 2: the line is not valid UTF-8"));
    assert!(error("distinct_id\na\u{fffd}\n").contains("replacement character"));
    assert!(error("distinct_id\na\0b\n").contains("NUL"));
    assert!(error(b"PK\x03\x04xxxx").contains("spreadsheet"));
    assert!(error(b"\x1f\x8b\x08xxxx").contains("unpack"));
}

#[test]
fn no_id_at_all_is_an_error() {
    assert!(error("distinct_id\n").contains("no id"));
    assert!(error("").contains("no id"));
    assert!(error("\n\n").contains("no id"));
}

#[test]
fn a_folder_is_no_source() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::File(folder.path().to_owned());
    let options = ReadOptions::default();
    let error = read(&[source], &[], &options, Keep::Counts, &mut |_| ()).unwrap_err();
    assert!(matches!(error, IntakeError::Folder { .. }), "{error:?}");
}

#[test]
fn many_problems_are_counted_beyond_those_listed() {
    let text = format!("distinct_id\n{}", "null\n".repeat(200));
    let message = error(text);
    assert!(message.starts_with("200 values are damaged"));
    assert!(message.ends_with("and 150 more"));
}

proptest! {
    #[test]
    fn whatever_is_written_as_csv_is_read_back(values in prop::collection::vec("[!-~][ -~]{0,20}[!-~]", 1..50)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["n", "distinct_id"]).unwrap();
        for value in &values {
            writer.write_record(["x", value]).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let wanted: IndexSet<String> = values.into_iter().collect();
        match read_text(text, &any_pattern()) {
            Ok(intake) => {
                prop_assert_eq!(all_ids(&intake), wanted.into_iter().collect::<Vec<_>>());
            }
            Err(error) => {
                let is_nobody = |value: &String| DistinctId::new(value).is_err();
                let is_heading = |value: &String| value == "distinct_id";
                prop_assert!(wanted.iter().any(|v| is_nobody(v) || is_heading(v)), "{}", error);
            }
        }
    }

    #[test]
    fn no_input_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_text(&bytes, &ReadOptions::default());
        let _ = read_text(&bytes, &no_header());
    }
}
