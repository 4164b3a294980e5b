//! Whose a record is, and whose it is not.

use super::*;

/// Where a record went: the ids of its packages, and the unassigned files.
fn place_of(record: &str, people: &[&str]) -> Vec<String> {
    // A second line makes it JSON lines.
    let members = [(
        "a.jsonl",
        &*format!("{record}\n{}\n", event("someone", "x", 1)),
    )];
    let bench = Bench::of_members(&members, people);
    bench.split();
    let mut places = Vec::new();
    for (path, content) in files_below(&bench.target()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !String::from_utf8_lossy(&content)
            .lines()
            .any(|line| line == record)
        {
            continue;
        }
        let owner = people.iter().find(|id| path.starts_with(bench.package(id)));
        places.push(owner.map_or(name, |id| (*id).to_owned()));
    }
    places
}

#[test]
fn a_record_is_found_by_any_of_the_documented_fields() {
    for record in [
        r#"{"event":"x","distinct_id":"anna"}"#,
        r#"{"event":"x","$distinct_id":"anna"}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","properties":{"$distinct_id":"anna"}}"#,
        r#"{"$properties":{"$distinct_id":"anna"},"x":1}"#,
        r#"{"$distinct_id":"anna","$properties":{}}"#,
        r#"{"event":"x","distinct_id":null,"properties":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","distinct_id":"","properties":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","distinct_id":"anna","properties":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","properties":{"distinct\u005fid":"\u0061nna"}}"#,
        r#" {"event" : "x", "properties" : {"distinct_id" : "anna"}}"#.trim(),
    ] {
        assert_eq!(place_of(record, &["anna", "bob"]), ["anna"], "{record}");
    }
}

#[test]
fn ids_are_compared_byte_for_byte() {
    for id in ["Anna", "anna ", "ann", "anna\u{301}", "ANNA"] {
        let record = event(id, "x", 1);
        let place = if ["ann", "anna\u{301}"].contains(&id) {
            "not-asked-for.jsonl"
        } else {
            "may-be-asked-for.jsonl"
        };
        assert_eq!(place_of(&record, &["anna"]), [place], "{id:?}");
    }
}

#[test]
fn a_number_is_its_digits() {
    let record = |number: &str| format!(r#"{{"event":"x","distinct_id":{number}}}"#);
    let asked = ["12345678901234567890123", "17", "1e3", "-5"];
    for number in asked {
        assert_eq!(place_of(&record(number), &asked), [number]);
    }
    let rounded = "12345678901234567890124";
    for number in ["17.0", "1.7e1", "1000", "1E3", "5", rounded] {
        assert_eq!(
            place_of(&record(number), &asked),
            ["may-be-asked-for.jsonl"],
            "{number}"
        );
    }
    let other = record("12345678911234567890123");
    assert_eq!(place_of(&other, &asked), ["not-asked-for.jsonl"]);
    assert_eq!(
        place_of(r#"{"event":"x","distinct_id":"17"}"#, &asked),
        ["17"]
    );
}

#[test]
fn fields_that_disagree_are_nobodys_even_if_only_one_was_asked_for() {
    for record in [
        r#"{"event":"x","distinct_id":"anna","properties":{"distinct_id":"bob"}}"#,
        r#"{"event":"x","distinct_id":"anna","properties":{"distinct_id":"carl"}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","$distinct_id":"bob"}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna","distinct_id":"bob"}}"#,
        r#"{"event":"x","properties":{"distinct_id":"anna"},"properties":{"distinct_id":"bob"}}"#,
        r#"{"event":"x","distinct_id":17,"properties":{"distinct_id":"anna"}}"#,
        r#"{"event":"x","distinct_id":{},"properties":{"distinct_id":"anna"}}"#,
    ] {
        let place = place_of(record, &["anna", "bob"]);
        assert_eq!(place, ["contradictory.jsonl"], "{record}");
    }
}

#[test]
fn a_record_that_names_nobody_is_nobodys() {
    for record in [
        r#"{"event":"x"}"#,
        r#"{"event":"anna","properties":{"name":"anna","$name":"anna"}}"#,
        r#"{"event":"x","properties":"anna"}"#,
        r#"{"event":"x","properties":["distinct_id","anna"]}"#,
        r#"{"event":"x","properties":17}"#,
        r#"{"event":"x","distinct_id":null}"#,
        r#"{"event":"x","distinct_id":"\ud800"}"#,
        r#"{"event":"x","user_id":"bob","$user_id":"bob"}"#,
    ] {
        assert_eq!(place_of(record, &["anna"]), ["no-owner.jsonl"], "{record}");
    }
    for record in [
        r#"{"event":"x","distinct_id":["anna"]}"#,
        r#"{"event":"x","user_id":"anna","$user_id":"anna"}"#,
        r#"{"event":"x","properties":{"$email":"anna"}}"#,
    ] {
        let place = place_of(record, &["anna"]);
        assert_eq!(place, ["may-be-asked-for.jsonl"], "{record}");
    }
}

#[test]
fn user_and_device_count_only_where_there_is_no_distinct_id() {
    let record = |properties: &str| format!(r#"{{"event":"x","properties":{{{properties}}}}}"#);
    let people = ["anna", "bob", "tablet"];
    for (properties, place) in [
        (r#""$user_id":"anna""#, "anna"),
        (r#""$device_id":"tablet""#, "tablet"),
        (r#""$user_id":"anna","$device_id":"phone""#, "anna"),
        // Anna's tablet is in the request, but somebody else used it.
        (
            r#""$user_id":"carl","$device_id":"tablet""#,
            "may-be-asked-for.jsonl",
        ),
        (
            r#""$user_id":"anna","$device_id":"tablet""#,
            "contradictory.jsonl",
        ),
        (
            r#""$user_id":"anna","$user_id":"bob""#,
            "contradictory.jsonl",
        ),
        (
            r#""distinct_id":"carl","$user_id":"anna""#,
            "may-be-asked-for.jsonl",
        ),
        (
            r#""distinct_id":"carl","$device_id":"tablet""#,
            "may-be-asked-for.jsonl",
        ),
        (r#""distinct_id":"anna","$device_id":"tablet""#, "anna"),
        (r#""distinct_id":"anna","$user_id":"bob""#, "anna"),
        (r#""$device_id":"$device:tablet""#, "may-be-asked-for.jsonl"),
    ] {
        let record = record(properties);
        assert_eq!(place_of(&record, &people), [place], "{record}");
    }
}

#[test]
fn what_is_no_json_object_is_kept_as_it_stands() {
    for line in [
        r#"{"event":"x","properties":{"distinct_id":"anna""#,
        r#"{"event":"x","distinct_id":"anna"} trailing"#,
        r#"{'event':'x','distinct_id':'anna'}"#,
        r#"["anna"]"#,
        r#""anna""#,
        "# anna",
    ] {
        let text = format!(
            "{line}\n{}\n{}\n",
            event("anna", "x", 1),
            event("anna", "y", 2)
        );
        let bench = Bench::of_members(&[("a.jsonl", &text)], &["anna"]);
        assert_eq!(bench.split().unassigned.broken, 1);
        assert_eq!(bench.unassigned("broken.txt"), format!("{line}\n"));
        assert_eq!(bench.lines("anna", "events.jsonl").len(), 2, "{line}");
    }
}

#[test]
fn events_profiles_and_other_records_have_files_of_their_own() {
    let other = r#"{"distinct_id":"anna","consent":true}"#;
    let text = format!("{}\n{}\n{other}\n", event("anna", "x", 1), profile("anna"));
    let bench = Bench::of_members(&[("a", &text)], &["anna"]);
    let report = bench.split();
    assert_eq!(bench.lines("anna", "events.jsonl"), [event("anna", "x", 1)]);
    assert_eq!(
        bench.read("anna", "profile.json"),
        format!("[\n{}\n]\n", profile("anna"))
    );
    assert_eq!(bench.lines("anna", "other.jsonl"), [other]);
    let package = &report.packages[0];
    assert_eq!(
        (package.events, package.profiles, package.others),
        (1, 1, 1)
    );
}
