//! Texts and objects inside a record that name a person, however they are written.

use super::*;

/// The ways in which a record of bob may become a text.
const OF_BOB: [&str; 29] = [
    r#"data: {"distinct_id":"bob","s":"SECRET"}"#,
    "\u{feff}{\"distinct_id\":\"bob\",\"s\":\"SECRET\"}",
    "\u{200b}{\"distinct_id\":\"bob\",\"s\":\"SECRET\"}",
    r#"2026-01-01T00:00:00Z INFO track {"distinct_id": "bob", "s": "SECRET"}"#,
    r#"cb({"distinct_id":"bob","s":"SECRET"})"#,
    "{&quot;distinct_id&quot;:&quot;bob&quot;,&quot;s&quot;:&quot;SECRET&quot;}",
    "{&amp;quot;distinct_id&amp;quot;:&amp;quot;bob&amp;quot;,&amp;#34;s&amp;#34;:&#34;SECRET&#34;}",
    "%7B%22distinct_id%22%3A%22bob%22%2C%22s%22%3A%22SECRET%22%7D",
    "%257B%2522distinct%255Fid%2522%253A%2522bob%2522%252C%2522SECRET%2522%257D",
    r#"{\"distinct_id\":\"bob\",\"s\":\"SECRET\"}"#,
    r#"x {\u0022\u0064istinct_id\u0022:\u0022bob\u0022,\x22s\x22:\x22SECRET\x22}"#,
    "{'distinct_id': 'bob', 's': 'SECRET'}",
    "{distinct_id: bob, s: SECRET}",
    "distinct_id,s\nbob,SECRET",
    "distinct_id=bob&s=SECRET",
    "Distinct ID: bob; SECRET",
    "DISTINCT_ID=bob SECRET",
    "x=1&%24user_id=bob&s=SECRET",
    "$identified_id: bob SECRET",
    "ref_distinct_id=bob&s=SECRET",
    "mp_distinct_id: bob SECRET",
    "\u{ff44}istinct_id=bob SECRET",
    "distinct_id=anna,bob SECRET",
    "distinct_id: anna; bob SECRET",
    r#"distinct_id=["anna","bob","SECRET"]"#,
    r#"{"user_id":"bob","s":"SECRET"#,
    r#"data: {"userId":"bob","s":"SECRET"}"#,
    "{'user_id': 'bob', 's': 'SECRET'}",
    r#"{"mixpanel_id":"bob","s":"SECRET"#,
];

fn record(inside: &str) -> String {
    format!(r#"{{"event":"x","distinct_id":"anna","n":1,"v":{inside}}}"#)
}

fn assert_nothing_of_bob(bench: &Bench, what: &str) {
    for (path, content) in files_below(&bench.package("anna")) {
        let content = String::from_utf8(content).unwrap();
        for wrong in ["bob", "SECRET"] {
            assert!(!content.contains(wrong), "{what}: {}", path.display());
        }
    }
}

#[test]
fn a_text_that_names_somebody_else_is_in_no_package_however_it_is_written() {
    for text in OF_BOB {
        let value = Value::from(text);
        let cell = text.replace('"', "\"\"");
        let profile = format!(r#"{{"$distinct_id":"anna","$properties":{{"v":{value}}}}}"#);
        for (name, member) in [
            ("events.json", record(&value.to_string())),
            ("events.json", record(&format!(r#"{{"deep":[{value}]}}"#))),
            ("events.json", record(&format!(r#"{{{value}:1}}"#))),
            (
                "events.json",
                format!(r#"{{"event":{value},"distinct_id":"anna"}}"#),
            ),
            (
                "events.json",
                format!(r#"{{"distinct_id":"anna",{value}:1}}"#),
            ),
            ("people.json", profile),
            (
                "events.csv",
                format!("event_name,distinct_id,v\nx,anna,\"{cell}\"\n"),
            ),
        ] {
            let more = event("anna", "certain", 1);
            let more = match name {
                "events.csv" => "event_name,distinct_id\ncertain,anna\n",
                _ => &more,
            };
            let members = [(name, &*member), ("more/events.csv", more)];
            let bench = Bench::of_members(&members, &["anna", "bob"]);
            let report = bench.split();
            assert!(report.summary.is_draft(), "{member}");
            assert!(report.unassigned.broken > 0, "{member}");
            assert_nothing_of_bob(&bench, &member);
            let kept = files_below(&bench.target().join("unassigned"));
            let is_kept = |content: &Vec<u8>| String::from_utf8_lossy(content).contains("SECRET");
            assert!(kept.values().any(is_kept), "{member}");
        }
    }
}

#[test]
fn a_text_that_names_nobody_but_the_person_stays() {
    for text in [
        r#"data: {"distinct_id":"anna","n":1}"#,
        "cb({'distinct_id': 'anna'})",
        "distinct_id=anna&x=1",
        "%7B%22distinct_id%22%3A%22anna%22%7D",
        "your distinct_id",
        "distinct_id=anna,plan=pro",
        r#"{"distinct_id":"anna","plan":"pro"#,
        r#"{"distinct_id":"anna","#,
        "https://shop.test/?user_id=4711&order_user_id=5",
        "the user_id: bob",
        r#"data: {"order_user_id":"bob","rider":"x"}"#,
        "100% &amp; more \\ of it",
        "{&quot;user&quot;:&quot;bob&quot;}",
        "$distinct_id_before_identity=x",
    ] {
        let text = record(&Value::from(text).to_string());
        let bench = Bench::of_members(&[("events.json", &text)], &["anna"]);
        let report = bench.split();
        assert!(!report.summary.is_draft(), "{text}");
        assert_eq!(bench.lines("anna", "events.jsonl"), [text]);
    }
    // Longer than the person's id, so another id.
    for text in [
        "distinct_id=anna2",
        "distinct_id: anna-b",
        "distinct_id=anna@x.test",
    ] {
        let text = record(&Value::from(text).to_string());
        let bench = Bench::of_members(&[("events.json", &text)], &["anna", "bob"]);
        assert!(bench.split().summary.is_draft(), "{text}");
    }
}

#[test]
fn an_object_inside_that_names_somebody_else_by_any_field_is_taken_out() {
    for inner in [
        r#"{"$user_id":"bob","s":"SECRET"}"#,
        r#"{"Distinct ID":"bob","s":"SECRET"}"#,
        r#"{"distinctId":"bob","s":"SECRET"}"#,
        r#"{"$identified_id":"bob","s":"SECRET"}"#,
        r#"{"user_id":"bob","s":"SECRET"}"#,
        r#"{"userId":"bob","s":"SECRET"}"#,
        r#"{"event":"Pay","properties":{"user_id":"bob","s":"SECRET"}}"#,
        r#"{"ref_distinct_id":"bob","s":"SECRET"}"#,
        r#"{"mp_distinct_id":"bob","s":"SECRET"}"#,
        r#"{"mixpanel_user_id":"bob","s":"SECRET"}"#,
        r#"{"\uff44istinct_id":"bob","s":"SECRET"}"#,
        r#"{"$device_id":"bob-phone","s":"SECRET"}"#,
        r#"{"properties":{"Distinct ID":"bob","s":"SECRET"}}"#,
    ] {
        for inside in [
            inner.to_owned(),
            format!("[1,{inner}]"),
            Value::from(inner).to_string(),
        ] {
            let text = record(&inside);
            let bench = Bench::of_members(&[("events.json", &text)], &["anna", "bob"]);
            let report = bench.split();
            assert_nothing_of_bob(&bench, &text);
            assert_eq!(report.packages[0].events, 1, "{text}");
            assert_eq!(report.summary.taken_out, 1, "{text}");
            assert!(report.summary.is_draft(), "{text}");
        }
    }
}

#[test]
fn an_object_inside_that_names_a_person_asked_for_may_be_of_that_person() {
    for inner in [
        r#"{"$user_id":"bob","mail":"SECRET"}"#,
        r#"{"user_id":"bob","mail":"SECRET"}"#,
    ] {
        let text = record(inner);
        let bench = Bench::of_members(&[("events.json", &text)], &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(report.unassigned.no_owner, 0, "{inner}");
        let kept = bench.unassigned("may-be-asked-for.jsonl");
        assert_eq!(kept, format!("{inner}\n"));
    }
}

#[test]
fn an_event_is_not_taken_apart_for_its_own_user_and_device() {
    for text in [
        r#"{"event":"x","properties":{"distinct_id":"anna","$user_id":"anna-2","$device_id":"d-1"}}"#,
        r#"{"event":"$identify","properties":{"distinct_id":"anna","$identified_id":"anna","$anon_id":"d-1"}}"#,
        r#"{"event":"x","distinct_id":"anna","Distinct ID":"17","device":{"$device_id":"d-1"},"$device_id":"d-1"}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","user":{"$user_id":"anna","$device_id":"d-1"}}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","own":{"distinct_id":"anna","Distinct ID":"17"}}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","user":{"user_id":"anna"},"user_id":"4711"}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","$user_id":"anna","user":{"user_id":"4711"},"user_id":4711}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","user":"{\"user_id\":\"4711\"","user_id":"4711"}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","order":{"order_user_id":17,"device_id":"a","id":"b"}}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","ref_distinct_id":"bob","mp_distinct_id":"bob","user_id":"bob"}}"#,
    ] {
        let bench = Bench::of_members(&[("events.json", text)], &["anna"]);
        let report = bench.split();
        assert_eq!(report.summary.taken_out, 0, "{text}");
        assert_eq!(bench.lines("anna", "events.jsonl"), [text]);
    }
}

#[test]
fn properties_that_are_a_text_count_like_properties() {
    let record = |inner: &str| {
        let inner = Value::from(inner);
        format!(r#"{{"event":"x","distinct_id":"anna","properties":{inner}}}"#)
    };
    let of_bob = record(r#"{"distinct_id":"bob","s":"SECRET"}"#);
    let bench = Bench::of_members(&[("events.json", &of_bob)], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned.contradictory, 1);
    assert_eq!(
        bench.unassigned("contradictory.jsonl"),
        format!("{of_bob}\n")
    );

    let own = record(r#"{"distinct_id":"anna","s":1}"#);
    let bench = Bench::of_members(&[("events.json", &own)], &["anna"]);
    assert!(!bench.split().summary.is_draft());
    assert_eq!(bench.lines("anna", "events.jsonl"), [own]);
}

#[test]
fn records_inside_of_a_record_of_nobody_go_to_their_owners() {
    let annas = event("anna", "inner", 1);
    let text = format!(r#"{{"event":"batch","properties":{{"all":[{annas}]}}}}"#);
    let bench = Bench::of_members(&[("events.json", &text)], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(
        bench.lines("anna", "events.jsonl"),
        std::slice::from_ref(&annas)
    );
    let left = text.replace(&annas, "\"(removed: a record of another person)\"");
    assert_eq!(bench.unassigned("no-owner.jsonl"), format!("{left}\n"));
    assert_eq!(report.summary.taken_out, 1);
    assert!(report.summary.is_draft());

    // What is cut out must not name the owner.
    for text in [
        r#"{"event":"x","distinct_id":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","inner":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","properties":{"inner":{"distinct_id":"anna"}}}"#,
    ] {
        let bench = Bench::of_members(&[("events.json", text)], &["anna"]);
        assert_eq!(bench.split().unassigned.no_owner, 1);
        assert_eq!(
            bench.lines("anna", "other.jsonl"),
            [r#"{"distinct_id":"anna"}"#]
        );
    }
}

#[test]
fn a_heading_that_is_there_twice_is_no_text_about_somebody() {
    let table = "event_name,distinct_id,distinct_id,v\nx,anna,anna,distinct_id=bob SECRET\n";
    let bench = Bench::of_members(&[("a.csv", table)], &["anna"]);
    let report = bench.split();
    assert_eq!(
        (report.packages[0].events, report.unassigned.broken),
        (1, 1)
    );
    assert_nothing_of_bob(&bench, table);
}
