//! What is found in the properties that stay.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Run, event};
use crate::domain::to_hex;

const ID: &str = "user-4711/anna";

/// The findings in one value of an event of `ID`, whose profile has a name.
fn found_in(value: Value) -> Vec<&'static str> {
    let run = Run::keeping(&["note"]);
    let profile = json!({
        "$distinct_id": ID,
        "$properties": { "$name": "Anna Maria Schmidt", "plan": "premium", "note": "gift", "$age": 41 },
    });
    let events = [
        event(
            "a",
            ID,
            0,
            json!({ "note": value, "$device_id": "dev-0815-xyz" }),
        ),
        profile,
    ];
    run.read_events(&events).findings("note")
}

/// Lines of eight characters, as MIME breaks base64.
fn in_lines(packed: &str) -> String {
    let lines = packed.as_bytes().chunks(8);
    let lines: Vec<&str> = lines
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    lines.join("\r\n")
}

/// A space between all characters.
fn apart(text: &str) -> String {
    let chars: Vec<String> = text.chars().map(String::from).collect();
    chars.join(" ")
}

#[test]
fn an_id_is_found_in_every_spelling() {
    let spelled = |form: String| json!(form);
    let percent: String = ID.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let twice = percent.replace('%', "%25");
    let entities: String = ID.chars().map(|c| format!("&#{};", c as u32)).collect();
    let escapes: String = ID
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let unseen: String = ID.chars().flat_map(|c| [c, '\u{200b}']).collect();
    let wide: String = ID
        .chars()
        .map(|c| match c {
            '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap(),
            c => c,
        })
        .collect();
    let values = [
        json!(ID),
        json!(["x", { "deep": [{ "ref": format!("see {ID}!") }] }]),
        json!({ ID: 1 }),
        spelled(ID.to_uppercase()),
        spelled(percent),
        spelled(twice),
        spelled(entities),
        spelled(escapes),
        spelled(unseen),
        spelled(wide),
        spelled(ID.chars().rev().collect()),
        spelled(to_hex(ID.as_bytes())),
        spelled(to_hex(ID.as_bytes()).to_uppercase()),
        spelled(STANDARD.encode(ID)),
        spelled(STANDARD.encode(format!("a{ID}"))),
        spelled(URL_SAFE_NO_PAD.encode(format!("id={ID};"))),
        spelled(json!({ "id": ID }).to_string()),
        spelled("$device:dev-0815-xyz".to_owned()),
        spelled("dev-0815-xyz".to_owned()),
        spelled(to_hex(&Sha256::digest("$device:dev-0815-xyz"))),
        spelled(STANDARD.encode(STANDARD.encode(ID))),
        spelled(STANDARD.encode(STANDARD.encode(STANDARD.encode(ID)))),
        spelled(to_hex(STANDARD.encode(ID).as_bytes())),
        spelled(format!(
            "a/{}",
            STANDARD.encode(r#"{"i":"\u0075ser-4711/anna"}"#)
        )),
        spelled(STANDARD.encode(Sha256::digest(ID))),
        spelled(URL_SAFE_NO_PAD.encode(Sha256::digest(ID))),
        spelled(in_lines(&STANDARD.encode(format!("see {ID}, please.")))),
        spelled(format!("note:\r\n{}", in_lines(&STANDARD.encode(ID)))),
        spelled(apart(ID)),
        spelled(format!("it is {}!", apart(ID))),
    ];
    for value in values {
        assert_eq!(found_in(value.clone()), ["person_id"], "{value}");
    }
    assert_eq!(found_in(json!("user-4712/anna")), [""; 0]);
}

#[test]
fn personal_looks_are_found_in_every_spelling() {
    const MAIL: &str = "other@mail.example";
    let packed = |text: &str| STANDARD.encode(text);
    for (value, kind) in [
        ("other%40mail.example".to_owned(), "email"),
        (
            "https://a.example/unsub/other%40mail.example".to_owned(),
            "email",
        ),
        ("other&#64;mail.example".to_owned(), "email"),
        ("other&commat;mail.example".to_owned(), "email"),
        (r#"{"a":"other\u0040mail.example"}"#.to_owned(), "email"),
        (MAIL.chars().rev().collect(), "email"),
        (to_hex(MAIL.as_bytes()), "email"),
        (packed(MAIL), "email"),
        (packed(&packed(MAIL)), "email"),
        (format!("https://a.example/unsub/{}", packed(MAIL)), "email"),
        (packed("contact: other@mail.example please"), "email"),
        (packed("203.0.113.77"), "ip_address"),
        ("%32%30%33.0.113.77".to_owned(), "ip_address"),
        (packed(r#"{"phone":"+491701234567"}"#), "phone"),
        ("%2B491701234567".to_owned(), "phone"),
        ("https%3A%2F%2Fa.example%2F%3Fb%3Dc".to_owned(), "query"),
        (in_lines(&packed(MAIL)), "email"),
        (format!("see\n\n{}", in_lines(&packed(MAIL))), "email"),
        (apart(MAIL), "email"),
        (apart("a@x.com").replace(' ', "\u{a0}"), "email"),
        ("DE89 3704 0044 0532 0130 00".to_owned(), "long_number"),
    ] {
        assert_eq!(found_in(json!(value)), [kind], "{value}");
    }
    let mut deep = MAIL.to_owned();
    for _ in 0..4 {
        deep = packed(&deep);
    }
    assert_eq!(found_in(json!(deep)), ["encoded"]);
}

#[test]
fn a_phone_number_of_the_profile_is_found_as_a_number() {
    let run = Run::keeping(&["note"]);
    let found = run.read_events(&[
        json!({ "$distinct_id": "anna", "$properties": { "$phone": "+49 170 1234567" } }),
        event("a", "anna", 0, json!({ "note": 491_701_234_567_u64 })),
    ]);
    assert_eq!(found.findings("note"), ["profile_value"]);
}

#[test]
fn a_value_of_the_profile_is_found_unless_its_property_has_the_same_name() {
    for value in [
        json!("anna maria schmidt"),
        json!("Dear Anna Maria Schmidt,"),
        json!(STANDARD.encode("Anna Maria Schmidt")),
        json!("premium"),
        json!(["Premium"]),
    ] {
        assert_eq!(found_in(value.clone()), ["profile_value"], "{value}");
    }
    for value in [
        json!("gift"),
        json!("premium plan"),
        json!(41),
        json!("pro"),
    ] {
        assert_eq!(found_in(value.clone()), [""; 0], "{value}");
    }
}

#[test]
fn a_name_that_an_event_drops_is_searched_for_in_what_it_keeps() {
    let run = Run::keeping(&["note"]);
    let anna = |number, properties| event("a", "anna", number, properties);
    let events = [
        anna(0, json!({ "First Name": "Annegret", "page": "Home" })),
        anna(1, json!({ "Last Name": "山田" })),
        anna(2, json!({ "nickname": "Li", "note": "Lisbon" })),
        anna(3, json!({ "note": "from Annegret" })),
        anna(4, json!({ "note": "Home" })),
        anna(5, json!({ "note": "山田さんへ" })),
        anna(6, json!({ "note": "LI" })),
    ];
    let found = run.read_events(&events);
    assert_eq!(found.findings("note"), ["profile_value"]);
    let counts: Vec<u64> = found.review.kept[0]
        .findings
        .iter()
        .map(|(_, count)| count)
        .collect();
    assert_eq!(counts, [3]);
}

#[test]
fn personal_looks_are_counted_for_each_event() {
    let run = Run::keeping(&["note", "n"]);
    let events: Vec<Value> = (0..10)
        .map(|n| {
            event(
                "a",
                "anna",
                n,
                json!({ "note": "x@y.example", "n": 12_345_678_901_234_567_890_u64 }),
            )
        })
        .collect();
    let found = run.read_events(&events);
    let counts: Vec<_> = found.review.kept[0].findings.iter().collect();
    assert_eq!(counts.len(), 1);
    assert_eq!(counts[0].1, 10);
    assert_eq!(found.findings("n"), ["long_number"]);
}

#[test]
fn the_name_of_an_event_is_searched_too() {
    let mut run = Run::keeping(&[]);
    run.time = crate::packages::TimeStep::Hour;
    let found = run.read_events(&[
        event("Invite anna@x.test", "u-1", 0, json!({})),
        event("Page of user-17-x", "user-17-x", 1, json!({})),
        event("Sign Up", "u-1", 2, json!({})),
        event("Seen 2026-09-21 14:30", "u-1", 3, json!({})),
        event(&"long ".repeat(52), "u-1", 4, json!({})),
    ]);
    assert_eq!(found.review.odd_events(), 4);
}

#[test]
fn a_kept_property_that_is_named_like_an_id_is_found() {
    let run = Run::keeping(&["user_id", "E-Mail", "plan_name"]);
    let properties = json!({ "user_id": "k", "E-Mail": "k", "plan_name": "k" });
    let found = run.read_events(&[event("a", "anna", 0, properties)]);
    assert_eq!(found.findings("user_id"), ["telling_name"]);
    assert_eq!(found.findings("E-Mail"), ["telling_name"]);
    assert_eq!(found.findings("plan_name"), [""; 0]);
}

/// The findings in one value of a property, with the hour as the time of its event.
fn found_with_hours(property: &'static str, value: Value) -> Vec<(&'static str, u64)> {
    let mut run = Run::keeping(&[property]);
    run.time = crate::packages::TimeStep::Hour;
    // 2026-09-21T14:13:20
    let at = |n| event("a", "anna", n, json!({ property: value }));
    let found = run.read_events(&[at(0), at(1)]);
    let findings = found.review.kept[0].findings.iter();
    findings
        .map(|(found, count)| (found.as_str(), count))
        .collect()
}

#[test]
fn a_finer_time_is_found_wherever_it_is_in_a_value() {
    for value in [
        json!(1_790_000_123),
        json!("1790000123456"),
        json!({ "at": 1_790_000_123 }),
        json!([{ "deep": ["2026-09-21T14:30:00Z"] }]),
        json!({ "2026-09-21T14:30:00Z": 1 }),
        json!("paid at 2026-09-21T14:30:00Z, thanks"),
        json!("paid on 2026-09-21 14:30:00."),
        json!("order-1790000123"),
        json!("https://shop.example/1790000123/a"),
        json!("2026-09-21T16%3A30%3A00%2B02%3A00"),
        json!("MTc5MDAwMDEyMw=="),
    ] {
        assert_eq!(
            found_with_hours("note", value.clone()),
            [("exact_time", 2)],
            "{value}"
        );
    }
    for value in [
        json!("2026-09-21T14:00:00Z"),
        json!("on 2026-09-21, at home"),
        json!(1_789_999_200),
        json!({ "at": 1_600_000_123 }),
        json!("2026-09-21 and 14 more"),
        json!("v1.79.3"),
        json!(12.5),
    ] {
        assert_eq!(found_with_hours("note", value.clone()), [], "{value}");
    }
}

#[test]
fn names_that_tell_are_found_at_each_event_also_inside_values() {
    for name in [
        "billing_first_name",
        "recipient_emails",
        "email2",
        "phone_number",
        "Mobile Number",
        "date_of_birth",
        "dob",
        "street_1",
        "customer_name",
        "$user_ids",
    ] {
        assert_eq!(
            found_with_hours(name, json!("k")),
            [("telling_name", 2)],
            "{name}"
        );
        let inside = json!([{ "by": { name: "k" } }]);
        assert_eq!(
            found_with_hours("note", inside),
            [("telling_name", 2)],
            "{name}"
        );
    }
    for name in [
        "plan_name",
        "page_number",
        "file_name",
        "hotel",
        "phones_sold",
        "mailing",
    ] {
        assert_eq!(found_with_hours(name, json!("k")), [], "{name}");
    }
    // Each thing in a list has a name.
    let cart = json!([{ "name": "Blue shirt", "display_name": "Shirt" }]);
    assert_eq!(found_with_hours("note", cart), []);
}

#[test]
fn ids_that_stand_for_nobody_are_not_searched_for() {
    let run = Run::keeping(&["note"]);
    let found = run.read_events(&[event("a", "unknown", 0, json!({ "note": "unknown" }))]);
    assert_eq!(found.findings("note"), [""; 0]);
}

#[test]
fn the_page_shows_samples_and_hides_nothing() {
    let run = Run::keeping(&["note"]);
    let events: Vec<Value> = (0..50)
        .map(|n| {
            event(
                "<b>",
                "anna",
                n,
                json!({ "note": format!("n{n}"), "<i>": 1 }),
            )
        })
        .chain([event(
            "<b>",
            "anna",
            99,
            json!({ "note": "late@x.example" }),
        )])
        .collect();
    let mut page = Vec::new();
    run.read_events(&events)
        .review
        .write_page(&mut page)
        .unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("late@x.example"),
        "a finding is shown even if it comes late"
    );
    assert!(page.contains("&lt;b&gt;") && page.contains("&lt;i&gt;"));
    assert!(!page.contains("<b>") && !page.contains("<i>"));
}
