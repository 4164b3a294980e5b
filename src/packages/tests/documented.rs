//! The archives that Mixpanel documents: every member, and what a person gets of each.

use super::*;
use crate::packages::Unassigned;

const DATA: RetrievalScope = RetrievalScope::Ccpa(Disclosure::Data);
const CATEGORIES: RetrievalScope = RetrievalScope::Ccpa(Disclosure::Categories);

const EVENT_ROWS: &str = "event_name,distinct_id,time,$city,Distinct ID,event,plan\n\
    Sign In,anna,1700000000,Lima,not an id,x,\n\
    Search,bob,1700000100,,,,pro\n\
    Search,carl,1700000200,,,,\n";
const PROFILE_ROWS: &str = "distinct_id,$email,$transactions,$distinct_id\n\
    anna,anna@example.test,12.5,other\nbob,,,\n";
const LISTS: [(&str, &str); 3] = [
    ("event_names.csv", "Search,Sign In\n"),
    (
        "event_properties.csv",
        "$city,Distinct ID,distinct_id,event,plan,time\n",
    ),
    ("profile_properties.csv", "$email,$transactions\n"),
];

fn ccpa(members: &[(&str, &str)], scope: RetrievalScope, people: &[&str]) -> Bench {
    let mut bench = Bench::of_members(members, people);
    bench.about.scope = scope;
    bench
}

fn all_five() -> Vec<(&'static str, &'static str)> {
    let tables = [("events.csv", EVENT_ROWS), ("profiles.csv", PROFILE_ROWS)];
    tables.into_iter().chain(LISTS).collect()
}

fn page(bench: &Bench, id: &str) -> String {
    bench.read(id, "index.html")
}

#[test]
fn a_gdpr_export_is_understood_whole() {
    let events = [event("anna", "Sign In", 1), event("bob", "Search", 2)].join("\n");
    let people = [profile("anna"), profile("bob")].join("\n");
    let summary = r#"{"event_names":{"Sign In":{},"Search":{}},"event_column_names":{"distinct_id":{},"time":{}},"profile_column_names":{"$city":{}}}"#;
    let members = [
        ("events.json", &*events),
        ("people.json", &people),
        ("summary.json", summary),
    ];
    let bench = Bench::of_members(&members, &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned, Unassigned::default());
    for package in &report.packages {
        assert_eq!(
            (package.events, package.profiles, package.others),
            (1, 1, 0)
        );
    }
    let kept = std::fs::read_to_string(bench.target().join("job/summary.json")).unwrap();
    assert_eq!(kept, summary, "once, for the operator");
    // A person gets only the names in their own records.
    let names = &bench.manifest("anna")["names"];
    let expected = serde_json::json!({
        "events": ["Sign In"],
        "event_properties": ["distinct_id", "time"],
        "profile_properties": ["$city", "$distinct_id"],
    });
    assert_eq!(*names, expected);
    assert!(!page(&bench, "anna").contains("Search</th>"));
}

#[test]
fn a_ccpa_export_is_understood_whole() {
    let bench = ccpa(&all_five(), DATA, &["anna", "bob"]);
    let report = bench.split();
    let others = Unassigned {
        not_asked_for: 1,
        ..Unassigned::default()
    };
    assert_eq!(report.unassigned, others, "carl alone");
    assert!(!report.summary.is_draft());
    for package in &report.packages {
        assert_eq!(
            (package.events, package.profiles, package.others),
            (1, 1, 0)
        );
    }
    let anna = r#"{"event_name":"Sign In","distinct_id":"anna","time":"1700000000","$city":"Lima","Distinct ID":"not an id","event":"x"}"#;
    assert_eq!(bench.lines("anna", "events.jsonl"), [anna]);
    let bob = r#"{"event_name":"Search","distinct_id":"bob","time":"1700000100","plan":"pro"}"#;
    assert_eq!(
        bench.lines("bob", "events.jsonl"),
        [bob],
        "an empty cell is no property"
    );
    let page = page(&bench, "anna");
    assert!(page.contains("anna@example.test") && page.contains("<dd>One</dd>"));
    assert!(page.contains("(sum of the amounts)</dt><dd>12.5</dd>"));
    assert!(page.contains("<th scope=\"row\">Sign In</th><td><details>"));
    assert!(!page.contains("plan"), "the names are the person's own");
    for (name, text) in LISTS {
        let kept = bench.target().join("job").join(name);
        assert_eq!(std::fs::read_to_string(kept).unwrap(), text);
    }
}

#[test]
fn categories_of_one_person_are_listed() {
    let bench = ccpa(&LISTS, CATEGORIES, &["anna"]);
    let report = bench.split();
    assert_eq!(report.unassigned, Unassigned::default());
    let page = page(&bench, "anna");
    for shown in [
        "The categories of your data",
        "<li>Sign In</li>",
        "<li>E-mail address <code>$email</code></li>",
        "<dt>Names of events</dt><dd>2</dd>",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    for wrong in ["no data", "no profile", "no event", "events.jsonl", "None"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    let file: Value = serde_json::from_str(&bench.read("anna", "categories.json")).unwrap();
    assert_eq!(file["events"], serde_json::json!(["Search", "Sign In"]));
    assert!(!bench.package("anna").join("events.jsonl").exists());
    let index = std::fs::read_to_string(bench.target().join("index.csv")).unwrap();
    let rows: Vec<Vec<&str>> = index.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!((rows[0][5], rows[1][5]), ("categories", "10"), "{index}");
}

#[test]
fn categories_of_several_people_are_nobodys_and_no_page_says_that_there_is_no_data() {
    let bench = ccpa(&LISTS, CATEGORIES, &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned.shared_lists, 3);
    assert!(report.summary.is_draft());
    assert!(!bench.final_target().exists(), "nothing looks sendable");
    for id in ["anna", "bob"] {
        let page = page(&bench, id);
        assert!(page.contains("lists of names for several people together"));
        assert!(page.contains("do not send this page yet"));
        for wrong in ["no data", "Sign In", "E-mail address", "<dd>None</dd>"] {
            assert!(!page.contains(wrong), "{wrong}");
        }
    }
}

#[test]
fn a_name_without_its_content_is_read_by_its_content() {
    // A list that names people, a summary that holds a record, and tables without their columns.
    let members = [
        ("event_names.csv", "distinct_id,event\nanna,x\n"),
        (
            "summary.json",
            r#"{"event":"y","properties":{"distinct_id":"anna"}}"#,
        ),
        ("events.csv", "name,city\nx,y\n"),
        ("profiles.csv", "a,distinct_id\n1,anna\n"),
    ];
    let bench = Bench::of_members(&members, &["anna"]);
    let report = bench.split();
    assert_eq!(report.packages[0].events, 2);
    assert_eq!(
        (report.packages[0].profiles, report.packages[0].others),
        (0, 1)
    );
    assert_eq!(report.unassigned.members, 1);
    assert!(!bench.target().join("job").exists());
}

#[test]
fn what_is_not_understood_is_never_no_data() {
    let unclear = [
        ("notes.bin", "Dear reader"),
        ("events.json", "{\"event\":\"x\"}\n{\"event\":\"y\"}\n"),
        (
            "events.json",
            "{\"event\":\"x\",\"distinct_id\" \"anna\"}\nbroken\n",
        ),
        ("summary.json", r#"{"event_names":["x"]}"#),
        ("event_names.csv", "a\nb\n"),
    ];
    for member in unclear {
        let mut bench = Bench::of_members(&[member], &["anna"]);
        let report = bench.split();
        assert!(report.summary.is_draft(), "{member:?}");
        assert!(!bench.final_target().exists());
        let draft = page(&bench, "anna");
        assert!(draft.contains("do not send this page yet"));
        assert!(draft.contains("is certainly about this identifier"));
        assert!(!draft.contains("delivered no data"), "{member:?}");
        // After the check the packages are made, and still say what was not understood.
        bench.about.review = Review::Done;
        assert!(!bench.split().summary.is_draft());
        bench.draft = bench.folder.path().join("none");
        let checked = page(&bench, "anna");
        assert!(!checked.contains("do not send"));
        assert!(checked.contains("The company has checked this"));
        assert!(!checked.contains("delivered no data"), "{member:?}");
    }
}

#[test]
fn times_are_by_the_clock_of_the_project() {
    let text = [
        event("anna", "x", 1_700_000_000),
        event("anna", "y", 1_700_000_000).replace("1700000000", "\"2023-11-14T21:13:20Z\""),
    ];
    let mut bench = Bench::of_members(&[("events.json", &text.join("\n"))], &["anna"]);
    bench.about.zone = ProjectZone::parse("Europe/Berlin").unwrap();
    bench.split();
    let page = page(&bench, "anna");
    assert!(page.contains("Time (Europe/Berlin)") && !page.contains("Time (UTC)"));
    assert!(page.contains("the time zone of the project, Europe/Berlin"));
    assert_eq!(page.matches(">14 Nov 2023, 22:13:20</time>").count(), 2);
    assert_eq!(page.matches("datetime=\"2023-11-14T21:13:20Z\"").count(), 2);
    let manifest = bench.manifest("anna");
    assert_eq!(manifest["time_zone"], "Europe/Berlin");
    assert_eq!(manifest["time_zone_is_assumed"], false);
    assert_eq!(manifest["period"]["first_event"], "2023-11-14T21:13:20Z");
}

#[test]
fn a_time_zone_that_nobody_set_is_an_assumption() {
    let text = event("anna", "x", 1_700_000_000);
    let bench = Bench::of_members(&[("events.json", &text)], &["anna"]);
    bench.split();
    assert!(page(&bench, "anna").contains("they may be in the project’s time zone"));
    let manifest = bench.manifest("anna");
    assert_eq!(manifest["time_zone"], "UTC");
    assert_eq!(manifest["time_zone_is_assumed"], true);
}
