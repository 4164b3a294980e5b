use super::*;

fn damage(text: &str) -> Option<Damage> {
    Form::of(text).damage()
}

fn doubts(text: &str) -> Vec<WarningKind> {
    let mut found = Vec::new();
    Form::of(text).doubts(&mut |kind| found.push(kind));
    found
}

#[track_caller]
fn all_are(damaged: &[&str], wanted: Damage) {
    for text in damaged {
        assert_eq!(damage(text), Some(wanted), "{text:?}");
    }
}

#[track_caller]
fn all_raise(doubtful: &[&str], wanted: WarningKind) {
    for text in doubtful {
        assert_eq!(damage(text), None, "{text:?}");
        assert_eq!(doubts(text), [wanted], "{text:?}");
    }
}

#[track_caller]
fn nothing_is_said_of(texts: &[&str]) {
    for text in texts {
        assert_eq!(damage(text), None, "{text:?}");
        assert_eq!(doubts(text), [], "{text:?}");
    }
}

#[test]
fn ordinary_ids_are_known_by_their_form() {
    let hex = "0123456789abcdef".repeat(4);
    for (text, kind) in [
        ("3e0b7f52-77aa-4c1e-9a4b-0000000000a1", IdKind::Uuid),
        ("3E0B7F52-77AA-4C1E-9A4B-0000000000A1", IdKind::CapitalUuid),
        ("3e0b7f5-277aa-4c1e-9a4b-0000000000a1", IdKind::Other),
        ("3e0b7f52-77aa-4c1e-9a4b-0000000-00a1", IdKind::Other),
        ("3e0b7f52-77aa-4c1e-9a4b-0000000000g1", IdKind::Other),
        ("alice@example.test", IdKind::Email),
        ("ünï@exämple.test", IdKind::Email),
        ("a@b@example.test", IdKind::Other),
        ("@example.test", IdKind::Other),
        ("a@localhost", IdKind::Other),
        ("0017", IdKind::Number),
        ("$device:3e0b7f52", IdKind::Device),
        ("$devic:3e0b7f52", IdKind::Other),
        (&hex[..32], IdKind::Hex32),
        (&hex[..40], IdKind::Hex40),
        (&hex, IdKind::Hex64),
        (&hex[..33], IdKind::Other),
        ("user-17", IdKind::Other),
    ] {
        assert_eq!(Form::of(text).kind, kind, "{text:?}");
    }
}

#[test]
fn nothing_is_said_of_ordinary_ids() {
    nothing_is_said_of(&[
        "user-17",
        "alice@example.test",
        "alice+tag@example.test",
        "0017",
        "-17",
        "+4915112345678",
        "@alice",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "a b",
        "Ünï",
        "O'Neill",
        "1e5",
        "5E10",
        "1E-05",
        "12e-5",
        "12e45",
        "E1",
        "v1.2.3",
        "1.5",
        "1.234",
        "192.168.100.200",
        "10:20",
        "#1",
        "#user",
        "##",
        "(x)",
        "nano",
        "Nan",
        "[1]",
        "3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
        "👩\u{200d}".trim_end_matches('\u{200d}'),
        "1,23",
        "1,2345",
        "12-34-56",
        "1.2.34",
        "2024-13-01",
        "32/13/2024",
        "may-day",
        "Mar-",
        "Marc-01",
        "Dec",
    ]);
}

#[test]
fn a_number_in_scientific_notation_has_lost_digits() {
    let damaged = [
        "1.23E+12",
        "1,23E+12",
        "1.23457e+12",
        "1E+12",
        "-1.5E+9",
        "1.2345E9",
        "12.3E+10",
        "1.5E-07",
        "1.23456789012346E+017",
    ];
    all_are(&damaged, Damage::Scientific);
    let ids = [
        "1E12",
        "1.E+12",
        ".5E+12",
        "1.5E+",
        "1.5E+1234",
        "1.5F+12",
        "a1.5E+12",
        "1.5E+12a",
    ];
    for text in ids {
        assert_eq!(damage(text), None, "{text:?}");
    }
}

#[test]
fn a_spreadsheets_errors_are_no_ids() {
    let damaged = [
        "#N/A",
        "#REF!",
        "#NAME?",
        "#VALUE!",
        "#DIV/0!",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#NV",
        "#BEZUG!",
        "#WERT!",
        "#GETTING_DATA",
        "###",
        "########",
        "Err:502",
    ];
    all_are(&damaged, Damage::SpreadsheetError);
    nothing_is_said_of(&[
        "#n/a!x",
        "#Ref!",
        "#A",
        "#!",
        "Err:50",
        "Err:5x2",
        "Error:502",
        "#NAME",
    ]);
}

#[test]
fn a_formula_is_no_id_and_an_equals_sign_is_suspicious() {
    let damaged = [
        "=\"0012345\"",
        "=A1",
        "=$A$1",
        "=A1+B1",
        "=A1:A9",
        "=SUM(A1:A9)",
        "=HYPERLINK(\"mailto:a@b.test\")",
        "=A!B(C)",
    ];
    all_are(&damaged[..7], Damage::Formula);
    all_raise(
        &["=abc", "=", "==", "=17", "=A1b", "=A", damaged[7]],
        WarningKind::EqualsSign,
    );
}

#[test]
fn what_programs_write_for_nothing_is_no_id() {
    all_are(&PLACEHOLDERS, Damage::Placeholder);
}

#[test]
fn numbers_as_spreadsheets_show_them_are_suspicious() {
    let grouped = [
        "1,234",
        "12,345,678",
        "-1,234",
        "1,234.56",
        "1.234.567",
        "1.234.567,00",
        "1'234'567",
        "1 234 567",
    ];
    all_raise(&grouped, WarningKind::GroupedDigits);
    all_raise(
        &["1234.0", "1.0", "1234.00", "1234,0"],
        WarningKind::ZeroFraction,
    );
}

#[test]
fn dates_are_suspicious() {
    let dates = [
        "2024-05-31",
        "2024/5/31",
        "2024.05.31",
        "2024-05-31 00:00:00",
        "2024-05-31T10:00:00Z",
        "5/31/2024",
        "31/5/24",
        "31.05.2024",
        "31-5-2024",
        "31-May",
        "31-May-24",
        "1-Mar-2024",
        "May-31",
        "Mar-01",
        "Sep-02",
        "Jan-1900",
    ];
    all_raise(&dates, WarningKind::Date);
}

#[test]
fn what_programs_put_around_text_is_suspicious() {
    all_raise(
        &["'00123", "\"abc\"", "'alice@example.test"],
        WarningKind::Quoted,
    );
    let around = [
        "mailto:alice@example.test",
        "Mailto:a@b.test",
        "Alice <alice@example.test>",
    ];
    all_raise(&around, WarningKind::AddressBook);
    nothing_is_said_of(&["\"abc", "m@b.test", "mail@to.test"]);
}

#[test]
fn long_ids_are_told_of() {
    let long = "x".repeat(256);
    all_raise(&[&long, &"1".repeat(256)], WarningKind::TooLong);
    nothing_is_said_of(&[&long[..255]]);
}

#[test]
fn control_characters_are_damage() {
    for control in ('\u{1}'..'\u{20}').chain('\u{7f}'..'\u{a0}') {
        let text = format!("a{control}b");
        assert_eq!(damage(&text), Some(Damage::Control), "{control:?}");
    }
    assert_eq!(damage("a\u{fffd}b"), Some(Damage::Replaced));
}

#[test]
fn what_nobody_sees_is_suspicious() {
    let hidden = [
        "a\u{200b}b",
        "a\u{202e}b",
        "a\u{feff}b",
        "a\u{ad}b",
        "a\u{2066}b",
        "👩\u{200d}🔬",
    ];
    all_raise(&hidden, WarningKind::Invisible);
    all_raise(
        &["a\u{a0}b", "a\u{2009}b", "a\u{3000}b"],
        WarningKind::UnusualSpace,
    );
    all_raise(
        &["Ã¼nï@example.test", "FranÃ§ois", "BjÃ¶rn", "Ã‰ric", "Â£"],
        WarningKind::Mojibake,
    );
    nothing_is_said_of(&["Ãna", "João", "ÂNGELA", "❤\u{fe0f}"]);
}

#[test]
fn blanks_outside_are_seen() {
    for text in [
        " a",
        "a ",
        "\u{feff}a",
        "a\u{200b}",
        "\u{202a}a\u{202c}",
        "\u{a0}a",
    ] {
        assert!(Form::of(text).is_blank_outside(), "{text:?}");
    }
    for text in ["a", "a b", "a\u{200b}b", "a\u{200d}"] {
        assert!(!Form::of(text).is_blank_outside(), "{text:?}");
    }
}
