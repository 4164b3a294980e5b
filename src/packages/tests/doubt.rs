//! Uncertain data makes drafts, and no draft says that there is no data.

use super::*;

const DATA: RetrievalScope = RetrievalScope::Ccpa(Disclosure::Data);
const CATEGORIES: RetrievalScope = RetrievalScope::Ccpa(Disclosure::Categories);
const NAMES: &str = r#"{"event_names":{"Sign In":{}},"event_column_names":{"time":{}},"profile_column_names":{"$city":{}}}"#;

fn assert_in_doubt(bench: &mut Bench, id: &str, what: &str) {
    for review in [Review::Open, Review::Done] {
        bench.about.review = review;
        let report = bench.split();
        assert_eq!(report.summary.is_draft(), review == Review::Open, "{what}");
        assert!(report.unassigned.unclear() > 0, "{what}");
        let page = bench.read(id, "index.html");
        for wrong in ["delivered no ", "named no categories", "<dd>None</dd>"] {
            assert!(!page.contains(wrong), "{what}: {wrong}");
        }
        let shown = "is certainly about this identifier";
        assert!(page.contains(shown), "{what}");
        bench.draft = bench.folder.path().join("none");
    }
}

fn with(properties: &str) -> String {
    format!(r#"{{"event":"x","properties":{{{properties}}}}}"#)
}

#[test]
fn a_record_that_may_be_of_a_person_asked_for_is_kept_apart_for_the_operator() {
    for (asked, properties) in [
        (
            "alice",
            r#""distinct_id":"anon-1","$identified_id":"alice""#,
        ),
        ("alice", r#""distinct_id":"anon-1","$user_id":"alice""#),
        ("alice", r#""distinct_id":"anon-1","$device_id":"alice""#),
        ("alice", r#""distinct_id":"anon-1","alias":"alice""#),
        (
            "alice",
            r#""distinct_id":"anon-1","$distinct_ids":["b1","alice"]"#,
        ),
        ("alice", r#""distinct_id":"Alice""#),
        ("123", r#""distinct_id":123.0"#),
        ("123", r#""distinct_id":1.23e2"#),
        ("1e3", r#""distinct_id":1000"#),
        ("17", r#""distinct_id":"0017""#),
        ("zo\u{e9}", "\"distinct_id\":\"zoe\u{301}\""),
        ("abc-123", r#""distinct_id":"$device:abc-123""#),
        ("$device:abc-123", r#""distinct_id":"abc-123""#),
        (
            "$device:abc-123",
            r#""distinct_id":"anon-1","$device_id":"abc-123""#,
        ),
        ("abc-123", r#""$device_id":"$device:abc-123""#),
    ] {
        let record = with(properties);
        let text = format!("{record}\n{}\n", event("bob", "y", 1));
        let mut bench = Bench::of_members(&[("events.json", &text)], &[asked, "bob"]);
        assert_in_doubt(&mut bench, asked, &record);
        let kept = bench.unassigned("may-be-asked-for.jsonl");
        assert_eq!(kept, format!("{record}\n"));
        assert_eq!(bench.lines("bob", "events.jsonl").len(), 1);
    }
}

#[test]
fn an_id_that_was_cut_off_rounded_or_imitated_is_kept_apart_as_well() {
    let long = "a".repeat(300);
    let cut = Value::from(&long[..255]).to_string();
    let wide = "\u{e9}".repeat(200);
    let cut_wide = Value::from(&wide[..254]).to_string();
    for (asked, id) in [
        (&*long, &*cut),
        (&wide, &cut_wide),
        ("12345678901234567", "12345678901234568"),
        ("12345678901234567", r#""12345678901234568""#),
        ("12345678901234567890", "1.2345678901234567e19"),
        ("12345678901234567890", "12345678901234567000"),
        ("anna", "\"\u{430}nna\""),
        ("\u{430}nna", "\"anna\""),
        ("Anna@x.test", "\"\u{391}nna@x.test\""),
    ] {
        let record = with(&format!(r#""distinct_id":{id}"#));
        let text = format!("{record}\n{}\n", event("bob", "y", 1));
        let mut bench = Bench::of_members(&[("events.json", &text)], &[asked, "bob"]);
        assert_in_doubt(&mut bench, asked, &record);
        let kept = bench.unassigned("may-be-asked-for.jsonl");
        assert_eq!(kept, format!("{record}\n"));
    }
}

#[test]
fn a_row_that_may_be_of_a_person_asked_for_is_kept_apart_as_well() {
    let table = "event_name,distinct_id,$user_id\nx,anon-1,alice\ny,bob,\n";
    let mut bench = Bench::of_members(&[("events.csv", table)], &["alice", "bob"]);
    bench.about.scope = DATA;
    assert_in_doubt(&mut bench, "alice", "a table");
    let profiles = "distinct_id,$email\nALICE,a@x.test\nbob,\n";
    let members = [
        ("events.csv", "event_name,distinct_id\n"),
        ("profiles.csv", profiles),
    ];
    let mut bench = Bench::of_members(&members, &["alice", "bob"]);
    bench.about.scope = DATA;
    assert_in_doubt(&mut bench, "alice", "a profile");
}

#[test]
fn a_record_of_somebody_else_holds_nothing_back() {
    let text = [
        event("bob", "y", 1),
        with(r#""distinct_id":"carl","$user_id":"carl","plan":"alice","$device_id":"d-1""#),
        with(r#""distinct_id":124"#),
    ];
    let members = [
        ("events.json", &*text.join("\n")),
        ("people.json", ""),
        ("summary.json", NO_NAMES),
    ];
    let bench = Bench::of_members(&members, &["alice", "bob", "123"]);
    let report = bench.split();
    assert!(!report.summary.is_draft());
    assert_eq!(report.unassigned.not_asked_for, 2);
    assert!(
        bench
            .read("alice", "index.html")
            .contains("delivered no data")
    );
}

#[test]
fn an_archive_of_strangers_alone_may_be_the_wrong_one() {
    let strangers = [event("carl", "x", 1), profile("dora")].join("\n");
    let mut bench = Bench::of_members(&[("events.json", &strangers)], &["alice"]);
    assert_in_doubt(&mut bench, "alice", "strangers");
    assert_eq!(bench.unassigned("not-asked-for.jsonl").lines().count(), 2);
    let text = format!("{strangers}\n{}", event("alice", "x", 1));
    let bench = Bench::of_members(&[("events.json", &text)], &["alice"]);
    assert!(!bench.split().summary.is_draft());
}

#[test]
fn a_delivery_that_names_more_than_it_holds_is_never_no_data() {
    let lists = [
        ("event_names.csv", "Sign In\n"),
        ("event_properties.csv", "distinct_id,time\n"),
        ("profile_properties.csv", "$email\n"),
    ];
    let heading = ("events.csv", "event_name,distinct_id,time\n");
    let with_tables: Vec<_> = lists.iter().copied().chain([heading]).collect();
    for (scope, members) in [
        (RetrievalScope::Gdpr, &[("summary.json", NAMES)][..]),
        (RetrievalScope::Gdpr, &[("summary.json", NO_NAMES)]),
        (
            RetrievalScope::Gdpr,
            &[
                ("events.json", ""),
                ("people.json", ""),
                ("summary.json", NAMES),
            ],
        ),
        (
            RetrievalScope::Gdpr,
            &[("people.json", ""), ("summary.json", NO_NAMES)],
        ),
        (RetrievalScope::Gdpr, &[]),
        (
            RetrievalScope::Gdpr,
            &[("events.json", ""), ("people.json", "")],
        ),
        (
            RetrievalScope::Gdpr,
            &[
                ("events.json", "event_name,distinct_id\n"),
                ("people.json", ""),
                ("summary.json", NO_NAMES),
            ],
        ),
        (RetrievalScope::Gdpr, &[("events.jsonl", "")]),
        (DATA, &lists),
        (DATA, &with_tables),
        (DATA, &[heading, ("profiles.csv", "distinct_id,$email\n")]),
        (DATA, &[("profiles.csv", "distinct_id,$email\n")]),
        (CATEGORIES, &[]),
    ] {
        let mut bench = Bench::of_members(members, &["alice"]);
        bench.about.scope = scope;
        assert_in_doubt(&mut bench, "alice", &format!("{scope:?} {members:?}"));
    }
}

#[test]
fn a_member_that_is_missing_counts_only_for_somebody_without_data() {
    let text = event("alice", "x", 1);
    let table = "event_name,distinct_id\nx,alice\n";
    for (scope, members, missing) in [
        (
            RetrievalScope::Gdpr,
            vec![("events.json", &*text), ("people.json", "")],
            vec!["summary.json"],
        ),
        (
            RetrievalScope::Gdpr,
            vec![("events.json", &text)],
            vec!["people.json", "summary.json"],
        ),
        (
            DATA,
            vec![
                ("events.csv", table),
                ("profiles.csv", "distinct_id\n"),
                ("event_properties.csv", "distinct_id\n"),
            ],
            vec!["event_names.csv", "profile_properties.csv"],
        ),
    ] {
        let split = |people: &[&str]| {
            let mut bench = Bench::of_members(&members, people);
            bench.about.scope = scope;
            let report = bench.split();
            (bench, report)
        };
        let (_, report) = split(&["alice"]);
        assert!(!report.summary.is_draft(), "{members:?}");
        let (bench, report) = split(&["alice", "bob"]);
        assert!(report.summary.is_draft(), "{members:?}");
        let report: Value = serde_json::from_str(&bench.unassigned("report.json")).unwrap();
        assert_eq!(report["missing"], serde_json::json!(missing), "{members:?}");
        let page = bench.read("bob", "index.html");
        assert!(
            !page.contains("delivered no data") && page.contains("delivery is missing")
                || page.contains("delivery are missing")
        );
    }
}

#[test]
fn names_of_events_without_an_event_are_in_doubt_though_there_are_profiles() {
    let members = [
        ("events.json", ""),
        ("people.json", &*profile("alice")),
        ("summary.json", NAMES),
    ];
    let bench = Bench::of_members(&members, &["alice"]);
    assert!(bench.split().summary.is_draft());
    assert!(
        !bench
            .read("alice", "index.html")
            .contains("delivered no event")
    );
}

#[test]
fn a_list_of_categories_that_is_missing_is_not_passed_over() {
    let members = [
        ("event_names.csv", "Sign In\n"),
        ("profile_properties.csv", ""),
    ];
    let mut bench = Bench::of_members(&members, &["alice"]);
    bench.about.scope = CATEGORIES;
    assert!(bench.split().summary.is_draft());
    let page = bench.read("alice", "index.html");
    assert!(page.contains("<li>Sign In</li>") && !page.contains("No record"));
}

#[test]
fn a_delivery_of_nothing_that_is_whole_is_no_data() {
    for (scope, members) in [
        (
            RetrievalScope::Gdpr,
            &[
                ("events.json", ""),
                ("people.json", "[]"),
                ("summary.json", NO_NAMES),
            ][..],
        ),
        (
            DATA,
            &[
                ("events.csv", "event_name,distinct_id,time\n"),
                ("profiles.csv", "distinct_id\n"),
                ("event_names.csv", "\n"),
                ("event_properties.csv", "distinct_id,time\n"),
                ("profile_properties.csv", ""),
            ],
        ),
    ] {
        let mut bench = Bench::of_members(members, &["alice"]);
        bench.about.scope = scope;
        let report = bench.split();
        assert!(!report.summary.is_draft(), "{members:?}");
        assert!(
            bench
                .read("alice", "index.html")
                .contains("delivered no data")
        );
    }
}
