//! The formats a member can have, and what happens to a member of unknown format.

use super::*;
use crate::packages::Unassigned;

fn anna_and_bob() -> [String; 4] {
    [
        event("anna", "Sign In", 1_700_000_000),
        event("bob", "Sign In", 1_700_000_100),
        event("anna", "Search", 1_700_000_200),
        event("bob", "Purchase", 1_700_000_300),
    ]
}

fn assert_sorted(bench: &Bench) {
    let report = bench.split();
    let events = anna_and_bob();
    assert_eq!(
        bench.lines("anna", "events.jsonl"),
        [&*events[0], &events[2]]
    );
    assert_eq!(
        bench.lines("bob", "events.jsonl"),
        [&*events[1], &events[3]]
    );
    assert_eq!(report.unassigned, Unassigned::default());
}

#[test]
fn json_lines_are_split_whatever_the_member_is_called_and_however_lines_end() {
    let events = anna_and_bob();
    for text in [
        events.join("\n"),
        events.join("\n") + "\n",
        events.join("\r\n"),
        events.join("\n\n  \n"),
        format!("\u{feff}{}", events.join("\n")),
    ] {
        for name in ["events.jsonl", "a.csv", "data/x.bin", "noextension"] {
            assert_sorted(&Bench::of_members(&[(name, &text)], &["anna", "bob"]));
        }
    }
}

#[test]
fn arrays_and_objects_of_arrays_are_split_in_any_layout() {
    let [a, b, c, d] = anna_and_bob();
    for text in [
        format!("[{a},{b},{c},{d}]"),
        format!("\u{feff} [\n{a},\n{b},\n{c},\n{d}\n]\n"),
        format!("[{a},{b}]\n[{c},{d}]"),
        format!(r#"{{"events":[{a},{b},{c},{d}]}}"#),
        format!(r#"{{"events":[{a},{b}],"more":[],"late":[{c},{d}]}}"#),
        format!("{{\n  \"events\": [\n    {a},\n    {b},\n    {c},\n    {d}\n  ]\n}}\n"),
        format!("{a}{b}\n\n{c} {d}"),
    ] {
        assert_sorted(&Bench::of_members(&[("x", &text)], &["anna", "bob"]));
    }
}

#[test]
fn a_record_over_several_lines_is_put_on_one_without_touching_its_content() {
    let text = "[\n  {\n    \"event\": \"x  y\",\r\n    \"properties\": {\n      \"distinct_id\": \"anna\",\n      \"n\": 1.50\n    }\n  }\n]";
    let bench = Bench::of_members(&[("x.json", text)], &["anna"]);
    bench.split();
    let line = r#"{"event": "x  y","properties": {"distinct_id": "anna","n": 1.50}}"#;
    assert_eq!(bench.lines("anna", "events.jsonl"), [line]);
}

#[test]
fn one_record_may_be_all_of_a_member() {
    let text = profile("anna");
    for text in [text.clone(), format!("{text}\n"), format!("\n{text}")] {
        let bench = Bench::of_members(&[("profile.json", &text)], &["anna"]);
        assert_eq!(bench.split().packages[0].profiles, 1);
    }
}

#[test]
fn what_stands_around_the_records_of_an_object_is_kept() {
    let text = format!(
        r#"{{"page":0,"results":[{}],"empty":[],"total":1}}"#,
        profile("anna")
    );
    let bench = Bench::of_members(&[("x.json", &text)], &["anna"]);
    let report = bench.split();
    assert_eq!(report.unassigned.asides, 2);
    assert_eq!(
        bench.unassigned("asides.txt"),
        "\"page\":0\n\"empty\":[],\"total\":1\n"
    );
}

#[test]
fn an_export_of_nothing_is_nothing_that_was_not_understood() {
    for text in ["", "\n", "[]", r#"{"events":[],"profiles":[]}"#, "{}"] {
        let members = [
            ("events.json", text),
            ("people.json", text),
            ("summary.json", NO_NAMES),
        ];
        let bench = Bench::of_members(&members, &["anna"]);
        assert_eq!(bench.split().unassigned, Unassigned::default(), "{text:?}");
    }
}

#[test]
fn a_damaged_record_of_an_array_costs_only_itself() {
    let [a, b, c, d] = anna_and_bob();
    let text = format!(r#"[{a},{b},{{"event":"x", "distinct_id" "anna"}},7,{c},{d}]"#);
    let bench = Bench::of_members(&[("x.json", &text)], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned.broken, 2);
    let broken = bench.unassigned("broken.txt");
    assert_eq!(broken, "{\"event\":\"x\", \"distinct_id\" \"anna\"}\n7\n");
    assert_eq!(bench.lines("anna", "events.jsonl"), [a, c]);
}

#[test]
fn an_array_that_is_cut_off_gives_what_is_whole_and_keeps_the_rest() {
    let [a, b, c, _] = anna_and_bob();
    let half = &c[..c.len() / 2];
    let bench = Bench::of_members(&[("x.json", &format!("[{a},{b},{half}"))], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned.broken, 1);
    assert_eq!(bench.unassigned("broken.txt"), format!("{half}\n"));
    assert_eq!(bench.lines("anna", "events.jsonl"), [a]);
}

#[test]
fn a_record_longer_than_the_limit_is_kept_unread_and_the_next_one_is_read() {
    let long = event("anna", &"x".repeat(5000), 1);
    let short = event("anna", "y", 2);
    for text in [
        format!("{short}\n{long}\n{short}\n"),
        format!("[{short},{long},{short}]"),
        format!("{long} {short} {short}"),
    ] {
        let mut bench = Bench::of_members(&[("x", &text)], &["anna"]);
        bench.limits.record_bytes = 1000;
        let report = bench.split();
        assert_eq!(report.unassigned.broken, 1);
        assert_eq!(bench.unassigned("broken.txt"), format!("{long}\n"));
        assert_eq!(bench.lines("anna", "events.jsonl"), [&*short, &short]);
    }
}

#[test]
fn a_table_becomes_json_with_every_field_as_it_stands() {
    let text = "event,time,\"Distinct ID\",note,note\r\n\
                Sign In,1700000000,anna,\"a \"\"b\"\",\nc\",007\r\n\
                Search,2026-01-02T03:04:05Z,bob,,=1+1\r\n";
    let bench = Bench::of_members(&[("x.csv", text)], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned, Unassigned::default());
    let anna = r#"{"event":"Sign In","time":"1700000000","Distinct ID":"anna","note":"a \"b\",\nc","note (2)":"007"}"#;
    assert_eq!(bench.lines("anna", "events.jsonl"), [anna]);
    let period = &bench.manifest("bob")["period"];
    assert_eq!(period["first_event"], "2026-01-02T03:04:05Z");
}

#[test]
fn tables_with_other_delimiters_and_profiles_are_read() {
    let text = "$distinct_id\t$city\nanna\tLima\n";
    let bench = Bench::of_members(&[("people.tsv", text)], &["anna"]);
    assert_eq!(bench.split().packages[0].profiles, 1);
    let text = "distinct_id;event\nanna;x\n";
    let bench = Bench::of_members(&[("a.csv", text)], &["anna"]);
    assert_eq!(bench.split().packages[0].events, 1);
}

#[test]
fn a_quote_left_open_brings_no_other_persons_row_along() {
    let heading = "distinct_id,event,note\n";
    for rows in [
        "anna,x,\"open\nbob,y,plain\n",
        "anna,x,\"open\nbob,y,\"quoted\"\n",
        "anna,x,\"a\"b\nbob,y,\"c\n",
    ] {
        let text = format!("{heading}carl,z,fine\n{rows}");
        let bench = Bench::of_members(&[("a.csv", &text)], &["anna", "bob", "carl"]);
        let report = bench.split();
        assert_eq!(bench.lines("carl", "events.jsonl").len(), 1);
        assert!(report.unassigned.broken >= 1, "{rows}");
        for (id, other) in [("anna", "bob"), ("bob", "anna")] {
            for content in files_below(&bench.package(id)).into_values() {
                let content = String::from_utf8(content).unwrap();
                assert!(!content.contains(other), "{rows}");
            }
        }
        assert!(bench.unassigned("broken.txt").contains("anna,x,\""));
    }
}

#[test]
fn a_row_with_more_or_fewer_fields_is_kept_as_it_stands() {
    let text = "distinct_id,event\nanna,x\nanna,\"y\",z\nanna\nanna,w\n";
    let bench = Bench::of_members(&[("a.csv", text)], &["anna"]);
    let report = bench.split();
    assert_eq!(report.unassigned.broken, 2);
    assert_eq!(bench.unassigned("broken.txt"), "anna,\"y\",z\nanna\n");
    assert_eq!(bench.lines("anna", "events.jsonl").len(), 2);
}

#[test]
fn a_row_that_never_ends_takes_no_memory_and_is_kept() {
    let endless = format!("anna,\"{}", "row,row\n".repeat(10_000));
    let text = format!("distinct_id,event\nanna,x\n{endless}");
    let mut bench = Bench::of_members(&[("a.csv", &text)], &["anna"]);
    bench.limits.record_bytes = 4096;
    bench.split();
    assert_eq!(bench.unassigned("broken.txt"), format!("{endless}\n"));
    assert_eq!(bench.lines("anna", "events.jsonl").len(), 1);
}

#[test]
fn columns_of_a_table_that_disagree_are_nobodys() {
    let text = "distinct_id,properties.distinct_id,event\nanna,bob,x\nanna,,y\n,bob,z\n";
    let bench = Bench::of_members(&[("a.csv", text)], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned.contradictory, 1);
    assert_eq!(bench.lines("anna", "events.jsonl").len(), 1);
    assert_eq!(bench.lines("bob", "events.jsonl").len(), 1);
}

#[test]
fn a_member_of_unknown_form_is_kept_whole_under_a_name_of_ours() {
    let inner = b"\x89PNG\r\n\x1a\n and so on";
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("photos/anna.png", options()).unwrap();
    zip.write_all(inner).unwrap();
    zip.add_directory("empty/", options()).unwrap();
    zip.start_file("README", options()).unwrap();
    zip.write_all(b"Dear reader").unwrap();
    let bench = Bench::new(&zip.finish().unwrap().into_inner(), &["anna"]);
    let report = bench.split();
    assert_eq!((report.unassigned.members, report.members), (2, 2));
    let kept = bench.target().join("unassigned/members");
    assert_eq!(std::fs::read(kept.join("member-00001")).unwrap(), inner);
    assert_eq!(
        std::fs::read(kept.join("member-00002")).unwrap(),
        b"Dear reader"
    );
    let told: Value = serde_json::from_str(&bench.unassigned("report.json")).unwrap();
    assert_eq!(told["members"][0]["name"], "photos/anna.png");
    assert_eq!(told["members"][0]["kept_as"], "members/member-00001");
}

#[test]
fn bytes_that_are_no_utf8_are_kept_as_they_stand() {
    let mut text = event("anna", "x", 1).into_bytes();
    let whole = text.clone();
    text.extend_from_slice(b"\n{\"event\":\"\xff\",\"distinct_id\":\"anna\"}\n");
    text.extend_from_slice(&whole);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.jsonl", options()).unwrap();
    zip.write_all(&text).unwrap();
    let bench = Bench::new(&zip.finish().unwrap().into_inner(), &["anna"]);
    assert_eq!(bench.split().unassigned.broken, 1);
    let broken = std::fs::read(bench.target().join("unassigned/broken.txt")).unwrap();
    assert!(broken.windows(3).any(|part| part == b"\"\xff\""));
    assert_eq!(bench.lines("anna", "events.jsonl").len(), 2);
}

#[test]
fn records_are_found_in_wrappers_inside_of_wrappers() {
    let [a, b, c, _] = anna_and_bob();
    let person = profile("anna");
    for text in [
        format!(r#"{{"results":{{"events":[{a},{b},{c}],"profiles":[{person}]}}}}"#),
        format!(
            r#"{{"status":"ok", "results": {{ "page":{{"of":1}}, "events": [{a}, {b}, {c}]}}, "more":{{"people":{{"profiles":[{person}]}}}}}}"#
        ),
    ] {
        let bench = Bench::of_members(&[("x.json", &text)], &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(bench.lines("anna", "events.jsonl"), [&*a, &c], "{text}");
        assert_eq!(bench.lines("bob", "events.jsonl"), [&*b], "{text}");
        assert_eq!(report.packages[0].profiles, 1, "{text}");
        assert_eq!(report.unassigned.unclear(), 0, "{text}");
    }
}

#[test]
fn what_a_record_holds_is_never_taken_for_records() {
    let inner = r#"{"event":"inner","n":1}"#;
    for text in [
        format!(r#"{{"event":"x","distinct_id":"anna","context":{{"list":[{inner}]}}}}"#),
        format!(r#"{{"distinct_id":"anna","a":{{"b":{{"c":[{inner}]}}}}}}"#),
    ] {
        let bench = Bench::of_members(&[("x.json", &text)], &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(report.packages[1].events, 0, "{text}");
        assert_eq!(
            report.packages[0].events + report.packages[0].others,
            1,
            "{text}"
        );
    }
    // A record whose inner objects come before its id stays in one piece.
    let text = r#"{"context":{"os":"iOS"},"event":"x","distinct_id":"anna"}"#;
    let bench = Bench::of_members(&[("x.json", text)], &["anna"]);
    bench.split();
    assert_eq!(bench.lines("anna", "events.jsonl"), [text]);
}
