//! Spellings in which a kept value holds an id, a name or a number of the person.

use serde_json::json;

use super::{PEOPLE, event, lines, sanitize};
use crate::support::{Fake, Operator};

/// The findings about the property `note` with this value.
fn found(value: &str) -> Vec<String> {
    let operator = Operator::at(&Fake::start());
    std::fs::create_dir(operator.work().join("raw")).expect("a folder");
    let events = [event("anna-4711", 1, json!({ "note": value }))];
    operator.file("raw/events.json", lines(&events));
    operator.file("raw/people.json", PEOPLE);
    operator.file("keep.txt", "note\n");
    let outcome = sanitize(&operator, &["raw", "-o", "o.jsonl"]);
    assert!(matches!(outcome.status, Some(0 | 3)), "{outcome}");
    let findings = outcome.json()["kept"][0]["findings"].clone();
    let findings = findings.as_array().expect("a list").iter();
    findings
        .map(|one| one["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

#[test]
fn an_id_is_found_in_braced_escapes_bare_entities_and_parted_hex() {
    let hex = |sign: &str| {
        let bytes = "anna-4711".bytes().map(|byte| format!("{byte:02x}"));
        bytes.collect::<Vec<_>>().join(sign)
    };
    let spelled = |before: &str, behind: &str| -> String {
        "anna-4711"
            .bytes()
            .map(|byte| format!("{before}{byte:x}{behind}"))
            .collect()
    };
    let decimal: String = "anna-4711"
        .bytes()
        .map(|byte| format!("&#{byte}"))
        .collect();
    for value in [
        spelled("\\u{", "}"),
        spelled("\\u{0000", "}"),
        spelled("&#x", " ").replace(' ', ""),
        format!("{decimal} "),
        hex(":"),
        hex(" "),
        format!("id {} seen", hex(":").to_uppercase()),
    ] {
        assert_eq!(found(&value), ["person_id"], "{value}");
    }
}

#[test]
fn a_name_and_a_number_are_found_in_a_form() {
    assert_eq!(found("q=Anna+Schmidt&x=1"), ["profile_value"]);
    assert_eq!(found("tel=%2B49+170+1234567"), ["phone"]);
}

#[test]
fn other_signs_between_letters_and_numbers_raise_no_alarm() {
    for value in [
        "00:1a:2b:3c:4d:5e",
        "41 42 43 44 45 46",
        "10 20 30 40 50 60 70",
        "C++ 11",
        "blue+green",
        "1+1",
        "a &# b",
        "\\u{zz}",
        "12:30:45",
    ] {
        assert_eq!(found(value), Vec::<String>::new(), "{value}");
    }
}
