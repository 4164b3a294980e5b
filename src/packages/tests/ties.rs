//! Ids that the archive itself ties to a person of the request.

use super::*;

fn with(properties: &str) -> String {
    format!(r#"{{"event":"x","properties":{{{properties}}}}}"#)
}

fn split(people: &[&str], records: &[String]) -> (Bench, Report) {
    let members = [
        ("events.json", &*records.join("\n")),
        ("people.json", ""),
        ("summary.json", NO_NAMES),
    ];
    let bench = Bench::of_members(&members, people);
    let report = bench.split();
    (bench, report)
}

fn assert_kept_apart(asked: &str, tie: &[String], other: &str) {
    let mut records = tie.to_vec();
    records.push(event("carol", "certain", 1));
    for place in 0..=records.len() {
        let mut records = records.clone();
        records.insert(place, other.to_owned());
        let (bench, report) = split(&[asked, "carol"], &records);
        assert!(report.summary.is_draft(), "{records:?}");
        assert_eq!(report.unassigned.not_asked_for, 0, "{records:?}");
        let kept = bench.unassigned("may-be-asked-for.jsonl");
        assert!(kept.lines().any(|line| line == other), "{records:?}");
        let left = bench.target().join("unassigned/not-asked-for.jsonl");
        assert!(!left.exists(), "{records:?}");
        let page = bench.read(asked, "index.html");
        assert!(!page.contains("delivered no data"), "{records:?}");
        for (path, content) in files_below(&bench.package(asked)) {
            let is_data = path.extension().is_some_and(|end| end == "jsonl");
            let content = String::from_utf8(content).unwrap();
            assert!(!is_data || !content.contains(other), "{}", path.display());
        }
    }
}

#[test]
fn a_record_of_an_id_that_the_archive_ties_to_a_person_is_kept_apart() {
    let zed = event("zed", "y", 1);
    let profile =
        |id: &str, more: &str| format!(r#"{{"$distinct_id":"{id}","$properties":{{{more}}}}}"#);
    for (asked, tie) in [
        ("bob@x.com", profile("zed", r#""$email":"bob@x.com""#)),
        ("bob@x.com", profile("zed", r#""$email":"Bob@X.com""#)),
        (
            "bob",
            with(r#""distinct_id":"zed","$distinct_id_before_identity":"bob""#),
        ),
        (
            "bob",
            with(r#""distinct_id":"bob","$identified_id":"bob","$anon_id":"zed""#),
        ),
        (
            "bob",
            with(r#""distinct_id":"bob","$distinct_ids":["bob","zed"]"#),
        ),
        ("bob", with(r#""distinct_id":"bob","alias":"zed""#)),
        ("bob", with(r#""distinct_id":"bob","$user_id":"zed""#)),
        ("bob", profile("bob", r#""$distinct_ids":["bob","zed"]"#)),
        (
            "bob",
            r#"{"event":"x","distinct_id":"bob","$user_id":"zed"}"#.to_owned(),
        ),
    ] {
        assert_kept_apart(asked, &[tie], &zed);
    }
    let on_device = with(r#""distinct_id":"bob","$device_id":"dev9""#);
    for other in ["$device:dev9", "dev9", "DEV9"] {
        assert_kept_apart(
            "bob",
            std::slice::from_ref(&on_device),
            &event(other, "y", 1),
        );
    }
}

#[test]
fn ties_lead_on_from_id_to_id() {
    let chain: Vec<String> = (0..40)
        .map(|n| with(&format!(r#""distinct_id":"z{n}","alias":"z{}""#, n + 1)))
        .rev()
        .collect();
    let mut ties = vec![with(r#""distinct_id":"bob","alias":"z0""#)];
    assert_kept_apart("bob", &ties, &chain[39]);
    ties.extend(chain);
    assert_kept_apart("bob", &ties, &event("z40", "y", 1));
    let both = [
        with(r#""distinct_id":"bob","$email":"bob@x.com""#),
        with(r#""distinct_id":"zed","$email":"bob@x.com""#),
    ];
    assert_kept_apart("bob", &both, &event("zed", "y", 1));
}

#[test]
fn a_tie_in_a_table_counts_as_well() {
    for (events, profiles) in [
        ("x,bob,zed\nx,carol,\ny,zed,\n", "bob,\n"),
        ("x,carol,\ny,zed,\n", "bob,\nzed,bob\n"),
        ("x,carol,\ny,zed,\n", "bob,zed\n"),
    ] {
        let events = format!("event_name,distinct_id,$device_id\n{events}");
        let profiles = format!("distinct_id,$user_id\n{profiles}");
        let members = [
            ("events.csv", &*events),
            ("profiles.csv", &profiles),
            ("event_names.csv", "x,y\n"),
            ("event_properties.csv", "$device_id,distinct_id\n"),
            ("profile_properties.csv", "$user_id\n"),
        ];
        let mut bench = Bench::of_members(&members, &["bob", "carol"]);
        bench.about.scope = RetrievalScope::Ccpa(Disclosure::Data);
        let report = bench.split();
        assert_eq!(report.unassigned.not_asked_for, 0, "{events}{profiles}");
        assert!(report.unassigned.may_be_asked_for > 0, "{events}{profiles}");
    }
}

#[test]
fn what_ties_nobody_holds_nothing_back() {
    for (of_bob, of_zed) in [
        (r#""$device_id":"dev9""#, r#""$device_id":"dev8""#),
        (r#""$device_id":"unknown""#, r#""$device_id":"unknown""#),
        (r#""$user_id":null"#, r#""$user_id":null"#),
        (r#""plan":"pro","$os":"iOS""#, r#""plan":"pro","$os":"iOS""#),
        (r#""Distinct ID":"17""#, r#""Distinct ID":"17""#),
    ] {
        let records = [
            with(&format!(r#""distinct_id":"bob",{of_bob}"#)),
            with(&format!(r#""distinct_id":"zed",{of_zed}"#)),
        ];
        let (bench, report) = split(&["bob", "anna"], &records);
        assert!(!report.summary.is_draft(), "{records:?}");
        assert_eq!(report.unassigned.not_asked_for, 1, "{records:?}");
        let page = bench.read("anna", "index.html");
        assert!(page.contains("delivered no data"), "{records:?}");
    }
}
