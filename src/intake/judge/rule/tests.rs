use super::*;

fn look(text: &str) -> Option<Look> {
    ValueForm::of(text).look()
}

#[track_caller]
fn all_are(looks: Look, texts: &[&str]) {
    for text in texts {
        assert_eq!(look(text), Some(looks), "{text:?}");
    }
}

#[track_caller]
fn all_are_ids(texts: &[&str]) {
    for text in texts {
        assert_eq!(look(text), None, "{text:?}");
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
        assert_eq!(ValueForm::of(text).kind, kind, "{text:?}");
    }
}

#[test]
fn ids_in_real_use_are_ids() {
    all_are_ids(&[
        "user-17",
        "anna",
        "alice@example.test",
        "alice+tag@example.test",
        "first.last@sub.example.test",
        "müller@exämple.test",
        "анна@example.test",
        "佐藤@example.test",
        "0017",
        "-17",
        "+4915112345678",
        "@alice",
        "@alice:matrix.test",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "google-oauth2|103547991597142817347",
        "samlp|corp|anna@example.test",
        "us-east-1:3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
        "urn:uuid:3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
        "user:123",
        "42:1001",
        "42:4711000",
        "1234567/7654321",
        "org/user",
        "$device:18d0b2f3a4-0c1d",
        "$device:3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
        "aGVsbG8gd29ybGQhIQ==",
        "aGVs+G8/d29ybGQ=",
        "-KgXQ3_x9-",
        "name#1234",
        "a=b",
        "~anna",
        "Ünï",
        "Große",
        "Łukasz",
        "นภา",
        "محمد",
        "ירושלים",
        "हिन्दी",
        "김철수",
        "さとうテスト佐藤",
        "taro太郎",
        "1e5",
        "5E10",
        "1E-05",
        "12e-5",
        "E1",
        "v1.2.3",
        "1.5",
        "1.234",
        "192.168.100.200",
        "10:20",
        "nano",
        "12-34-56",
        "1.2.34",
        "2024-13-01",
        "may-day",
        "Marc-01",
        "Dec",
        "3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
    ]);
}

#[test]
fn a_character_outside_the_rule_is_refused() {
    all_are(
        Look::WhiteSpace,
        &[
            "a b",
            "Users to delete",
            "a\u{a0}b",
            "a\u{2028}b",
            "a\u{3000}b",
        ],
    );
    all_are(Look::Separator, &["a,b", "a;b", "a,", "a; b", "a、b"]);
    all_are(Look::Quote, &["O'Neill", "'00123", "\"abc\"", "a`b"]);
    all_are(
        Look::Bracket,
        &["{3e0b}", "(x)", "[1]", "ObjectId(507f1f77)", "a[0]"],
    );
    all_are(Look::List, &["[\"a\"]", "{\"a\":1}", "['a']"]);
    all_are(
        Look::Escape,
        &["ann%40example.test", "a&amp;b", "a\\u0040b"],
    );
    all_are(Look::Masked, &["a***@example.test"]);
    all_are(
        Look::Markup,
        &["<td>a</td>", "Ann<a@b.test>", "Alice <alice@example.test>"],
    );
    all_are(
        Look::Link,
        &["https://x.test/u/1", "mailto:a@b.test", "tel:+4930"],
    );
    all_are(Look::Conflict, &["<<<<<<< HEAD", ">>>>>>> branch"]);
    all_are(Look::Comment, &["# comment", "#5bc8fbbc", "// x", "-- x"]);
    all_are(Look::ListMarker, &["- a", "* a", "1. a", "12) a", "• a"]);
    all_are(Look::OuterJoint, &["a.", "$device:", "a:", "|a", "b|"]);
    all_are(Look::Ruler, &["---", "====", "...", "_", "-", "=", "//"]);
    all_are(
        Look::OtherCharacter,
        &["a!", "a?b", "a^b", "a&b", "👩", "a→b"],
    );
    let uuid = "3e0b7f52-77aa-4c1e-9a4b-0000000000a1";
    all_are(
        Look::Several,
        &[&format!("{uuid}|{uuid}"), "a@b.test/b@b.test"],
    );
}

#[test]
fn look_alikes_are_refused() {
    all_are(
        Look::Typographic,
        &[
            "5bc8\u{2011}bde5",
            "a\u{2013}b",
            "\u{201c}a\u{201d}",
            "a\u{2019}b",
            "a\u{2026}",
            "a\u{2212}b",
        ],
    );
    all_are(Look::Imitation, &["ａlice", "ﾃｽﾄ", "𝐚lice", "x²"]);
    all_are(
        Look::MixedScripts,
        &[
            "аnna",
            "5bc8fbbс-bde5-4099-8164-d8399f767c45",
            "αlpha",
            "paураl@example.test",
        ],
    );
    all_are(
        Look::Mojibake,
        &[
            "Ã¼nï@example.test",
            "FranÃ§ois",
            "BjÃ¶rn",
            "Ã‰ric",
            "StraÃŸe",
        ],
    );
    all_are(
        Look::Invisible,
        &[
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{feff}b",
            "a\u{ad}b",
            "a\u{200d}b",
        ],
    );
    all_are(Look::Replaced, &["a\u{fffd}b"]);
    for control in ('\u{1}'..'\u{20}').chain('\u{7f}'..'\u{a0}') {
        assert_eq!(
            look(&format!("a{control}b")),
            Some(Look::Control),
            "{control:?}"
        );
    }
}

#[test]
fn known_words_are_no_ids_in_any_language_and_case() {
    all_are(
        Look::Heading,
        &[
            "distinct_id",
            "$distinct_id",
            "Distinct ID",
            "USER_ID",
            "userId",
            "id",
            "E-Mail",
            "Kunden",
        ],
    );
    all_are(
        Look::Total,
        &[
            "Total",
            "TOTAL:",
            "Grand Total",
            "Gesamtergebnis",
            "Итого",
            "合計",
            "总计",
            "Összesen",
        ],
    );
    all_are(
        Look::Placeholder,
        &[
            "NaN",
            "nan",
            "NaT",
            "<NA>",
            "\\N",
            "(null)",
            "<null>",
            "[null]",
            "(none)",
            "(not set)",
            "[object Object]",
            "Loading...",
            "なし",
        ],
    );
    all_are(
        Look::TypeName,
        &["string", "VARCHAR", "uuid", "System.Object"],
    );
}

#[test]
fn what_programs_write_around_a_list_names_the_program() {
    for (program, lines) in [
        (
            Look::Psql,
            &[
                "(2 rows)",
                "(1 row)",
                "(2 Zeilen)",
                "Timing is on.",
                "Time: 3.212 ms",
                "COPY 2",
                "---+---",
            ][..],
        ),
        (
            Look::Mysql,
            &[
                "+----+",
                "2 rows in set (0.00 sec)",
                "mysql: [Warning] Using a password",
                "[Warning] x",
            ],
        ),
        (Look::Sqlcmd, &["(5 rows affected)", "(1 row affected)"]),
        (Look::Sqlplus, &["2 rows selected.", "no rows selected"]),
        (Look::Markdown, &["|---|", "| --- | --- |"]),
        (Look::Drawn, &["| a |", "2 rows", "┌──┐", "│ a │"]),
        (Look::Uniq, &["3 3e0b7f52", "12 u-1"]),
        (
            Look::Grep,
            &[
                "3:a@b.test",
                "ids.csv:u-1",
                "12:3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
            ],
        ),
    ] {
        for line in lines {
            assert_eq!(look(line), Some(program), "{line:?}");
        }
    }
}

#[test]
fn spreadsheet_damage_is_not_an_id() {
    all_are(
        Look::SpreadsheetError,
        &[
            "#N/A",
            "#REF!",
            "#NAME?",
            "#VALUE!",
            "#DIV/0!",
            "#NV",
            "#BEZUG!",
            "#ÜBERLAUF!",
            "Err:502",
        ],
    );
    all_are(
        Look::Formula,
        &["=\"0012345\"", "=A1", "=$A$1", "=SUM(A1:A9)", "=17"],
    );
    all_are(
        Look::Scientific,
        &[
            "1.23E+12",
            "1,23E+12",
            "1.23457e+12",
            "1E+12",
            "-1.5E+9",
            "1.2345E9",
            "1.5E-07",
        ],
    );
    all_are(
        Look::GroupedDigits,
        &[
            "1,234",
            "12,345,678",
            "-1,234",
            "1,234.56",
            "1.234.567",
            "1'234'567",
            "1 234 567",
        ],
    );
    all_are(Look::ZeroFraction, &["1234.0", "1.0", "1234.00", "1234,0"]);
    all_are(
        Look::Date,
        &[
            "2024-05-31",
            "2024/5/31",
            "2024-05-31 00:00:00",
            "2024-05-31T10:00:00Z",
            "5/31/2024",
            "31.05.2024",
            "31-May",
            "31-Mai",
            "mai-26",
            "31-May-24",
            "May-31",
            "Sep-02",
            "Mär-26",
        ],
    );
}
