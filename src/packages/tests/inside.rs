//! Data inside other data: archives in archives, texts in another encoding, records in records.

use super::*;
use crate::packages::{Danger, Unassigned};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = format!("\u{feff}{text}");
    units.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, options()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn two_events() -> String {
    [event("anna", "x", 1), event("bob", "y", 2)].join("\n")
}

fn assert_read(bytes: &[u8]) {
    let bench = Bench::new(bytes, &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned, Unassigned::default());
    assert_eq!(
        (report.packages[0].events, report.packages[1].events),
        (1, 1)
    );
}

#[test]
fn members_that_are_packed_or_in_utf16_are_read() {
    let text = two_events();
    let table = "event_name,distinct_id\nx,anna\ny,bob\n";
    let inner = zip_of(&[("events.json", &text)]);
    assert_read(&archive(&[("a.zip", &inner)]));
    assert_read(&archive(&[("events.json.gz", &gzip(text.as_bytes()))]));
    assert_read(&archive(&[("events.csv.gz", &gzip(table.as_bytes()))]));
    assert_read(&archive(&[("events.json", &utf16(&text))]));
    assert_read(&archive(&[("events.csv", &utf16(table))]));
    assert_read(&archive(&[("a", &utf16(&text)[2..])]));
    let deep = archive(&[("inner.zip", &archive(&[("x.gz", &gzip(&utf16(&text)))]))]);
    assert_read(&deep);
}

#[test]
fn what_is_packed_and_damaged_is_kept_whole_and_nothing_of_it_is_filed() {
    let long = (0..2000).map(|n| event("anna", "x", n)).collect::<Vec<_>>();
    let packed = gzip(long.join("\n").as_bytes());
    let inner = zip_of(&[("a.json", &long.join("\n"))]);
    let mut damaged = inner.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let locked = zip_with_password(&two_events());
    for bytes in [
        &packed[..packed.len() - 4],
        &inner[..inner.len() - 9],
        &damaged,
        &locked,
        b"PK\x03\x04 and no zip",
    ] {
        let outer = archive(&[("events.json", two_events().as_bytes()), ("more", bytes)]);
        let bench = Bench::new(&outer, &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(report.unassigned.members, 1);
        assert_eq!(report.packages[0].events, 1, "of the other member");
        let kept = bench.target().join("unassigned/members/member-00002");
        assert_eq!(std::fs::read(kept).unwrap(), bytes);
        assert!(report.summary.is_draft());
    }
}

fn zip_with_password(text: &str) -> Vec<u8> {
    let options = options().with_aes_encryption(zip::AesMode::Aes256, "another");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("events.json", options).unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn more_archives_inside_of_each_other_than_anybody_makes_are_kept_whole() {
    let mut bytes = two_events().into_bytes();
    for _ in 0..4 {
        bytes = gzip(&bytes);
    }
    let report = Bench::new(&archive(&[("a.gz", &bytes)]), &["anna", "bob"]).split();
    assert_eq!(report.unassigned.members, 1);
}

#[test]
fn the_bounds_hold_for_what_is_inside_as_well() {
    let bomb = gzip(&vec![b' '; 80 << 20]);
    let error = Bench::new(&archive(&[("a.gz", &bomb)]), &["anna"]).fails();
    assert!(
        matches!(error, SplitError::Unsafe(Danger::TooDense)),
        "{error:?}"
    );

    let inner = archive(&[("a", b"x"), ("b", b"x"), ("c", b"x")]);
    let mut bench = Bench::new(&archive(&[("a.zip", &inner)]), &["anna"]);
    bench.limits.members = 3;
    assert!(matches!(
        bench.fails(),
        SplitError::Unsafe(Danger::TooManyMembers)
    ));

    let inner = archive(&[("../up", b"x")]);
    let error = Bench::new(&archive(&[("a.zip", &inner)]), &["anna"]).fails();
    assert!(matches!(error, SplitError::Unsafe(Danger::Traversal)));

    let mut bench = Bench::new(&archive(&[("a.gz", &gzip(&[b' '; 5000]))]), &["anna"]);
    bench.limits.bytes = 4000;
    assert!(matches!(
        bench.fails(),
        SplitError::Unsafe(Danger::TooLarge)
    ));
}

#[test]
fn who_interrupts_it_while_something_inside_is_read_is_heard() {
    let many = (0..4000).map(|n| event("anna", "x", n)).collect::<Vec<_>>();
    let bytes = archive(&[("a.gz", &gzip(many.join("\n").as_bytes()))]);
    for calls in 2..6 {
        let bench = Bench::new(&bytes, &["anna"]);
        let (path, target) = (bench.folder.path().join("export.zip"), bench.final_target());
        let order = bench.order(&path, &target);
        let mut left = calls;
        let error = split(&order, &mut |_| {
            left -= 1;
            match left {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        assert!(matches!(error, Err(SplitError::Interrupted)), "{error:?}");
    }
}

#[test]
fn records_of_other_people_inside_of_a_record_go_to_their_owners() {
    let bobs = event("bob", "inner", 1);
    let carls = r#"{"$distinct_id":"carl","$properties":{"$email":"carl@example.test"}}"#;
    let own = r#"{"distinct_id":"anna","n":1}"#;
    let note = "\"(removed: a record of another person)\"";
    let text = format!(
        r#"{{"event":"x","properties":{{"distinct_id":"anna","a":[{bobs},2],"deep":{{"b":{carls}}},"own":{own},"time":7}}}}"#
    );
    let left = text.replace(&bobs, note).replace(carls, note);
    for text in [text.clone(), format!("[{text}]"), format!("{text}\n{text}")] {
        let bench = Bench::of_members(&[("events.json", &text)], &["anna", "bob"]);
        let report = bench.split();
        let count = text.matches("\"own\"").count();
        assert_eq!(
            bench.lines("anna", "events.jsonl"),
            vec![left.clone(); count]
        );
        assert_eq!(
            bench.lines("bob", "events.jsonl"),
            vec![bobs.clone(); count]
        );
        assert_eq!(
            bench.unassigned("not-asked-for.jsonl"),
            format!("{carls}\n").repeat(count)
        );
        assert_eq!(report.summary.taken_out, 2 * count as u64);
        assert_eq!(
            bench.manifest("anna")["records_of_others_removed"],
            2 * count
        );
        let page = bench.read("anna", "index.html");
        assert!(page.contains("parts of your records may be about other people"));
        assert!(!report.summary.is_draft(), "each is somebody's");
    }
}

#[test]
fn records_are_taken_out_of_the_cells_of_a_table_and_out_of_each_other() {
    let carls = event("carl", "innermost", 1);
    let bobs = format!(r#"{{"event":"inner","distinct_id":"bob","with":{carls}}}"#);
    let cell = format!("[{bobs},1]").replace('"', "\"\"");
    let text = format!("event_name,distinct_id,cart\nx,anna,\"{cell}\"\n");
    let bench = Bench::of_members(&[("events.csv", &text)], &["anna", "bob", "carl"]);
    let report = bench.split();
    let packages: Vec<u64> = report.packages.iter().map(|one| one.events).collect();
    assert_eq!(packages, [1, 1, 1]);
    assert_eq!(report.summary.taken_out, 2);
    assert_eq!(bench.lines("carl", "events.jsonl"), [carls]);
    for (own, others) in [("anna", ["bob", "carl"]), ("bob", ["anna", "carl"])] {
        for (path, content) in files_below(&bench.package(own)) {
            let content = String::from_utf8(content).unwrap();
            for other in others {
                assert!(!content.contains(other), "{other} in {}", path.display());
            }
        }
    }
}

#[test]
fn a_record_in_the_place_of_a_name_or_a_time_is_taken_out_as_well() {
    let bobs = r#"{"distinct_id":"bob"}"#;
    let cell = bobs.replace('"', "\"\"");
    let members = [
        (
            "events.json",
            format!(r#"{{"event":{bobs},"distinct_id":"anna","time":{bobs}}}"#),
        ),
        (
            "events.csv",
            format!("event_name,distinct_id\n\"{cell}\",anna\n"),
        ),
    ];
    for (name, text) in members {
        let bench = Bench::of_members(&[(name, &text)], &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(report.packages[0].events, 1);
        assert!(report.packages[1].others >= 1);
        for (path, content) in files_below(&bench.package("anna")) {
            let content = String::from_utf8(content).unwrap();
            assert!(!content.contains("bob"), "{}", path.display());
        }
    }
}

#[test]
fn a_record_that_goes_too_deep_to_be_sure_is_nobodys() {
    let bobs = event("bob", "inner", 1);
    let deep = format!("{}{bobs}{}", "[".repeat(100), "]".repeat(100));
    let text = format!(r#"{{"event":"x","distinct_id":"anna","deep":{deep}}}"#);
    let bench = Bench::of_members(&[("events.json", &text)], &["anna", "bob"]);
    let report = bench.split();
    assert_eq!(report.unassigned.broken, 1);
    assert_eq!(report.packages[0].events + report.packages[1].events, 0);
}

#[test]
fn a_record_inside_without_a_name_or_with_the_same_stays() {
    for inner in [
        r#"{"items":[{"sku":"distinct_id"}]}"#,
        r#"{"distinct_id":"anna"}"#,
        r#"{"properties":{"$user_id":"anna"}}"#,
        r#"[["distinct_id"]]"#,
        r#""{\"distinct_id\": \"anna\", \"n\": 1.50}""#,
        r#""[{\"sku\":\"distinct_id\"}]""#,
        r#""\"distinct_id\"""#,
    ] {
        let text = format!(r#"{{"event":"x","distinct_id":"anna","inner":{inner}}}"#);
        let bench = Bench::of_members(&[("events.json", &text)], &["anna"]);
        assert_eq!(bench.split().summary.taken_out, 0, "{inner}");
        assert_eq!(bench.lines("anna", "events.jsonl"), [text]);
    }
}

/// SDKs and data pipelines send a whole object as a string in one property.
fn as_text(json: &str) -> String {
    Value::from(json).to_string()
}

#[test]
fn records_of_other_people_inside_of_a_text_go_to_their_owners_as_well() {
    let bobs = event("bob", "inner", 1);
    let own = as_text(r#"{"distinct_id":"anna","n":1}"#);
    let note = "\"(removed: a record of another person)\"";
    let within = |text: &str| format!(r#"{{"deep":[{text},1]}}"#);
    for (inside, left) in [
        (as_text(&bobs), as_text(note)),
        (
            as_text(&format!(" \n[{bobs}] ")),
            as_text(&format!(" \n[{note}] ")),
        ),
        (
            as_text(&within(&as_text(&bobs))),
            as_text(&within(&as_text(note))),
        ),
        (as_text(&as_text(&bobs)), as_text(&as_text(note))),
        (within(&as_text(&bobs)), within(&as_text(note))),
        (
            as_text(&format!("{bobs}\n{{\"n\":1}}")),
            as_text(&format!("{note}\n{{\"n\":1}}")),
        ),
        (
            as_text(&bobs).replace("distinct", "\\u0064istinct"),
            as_text(note),
        ),
        (as_text(&bobs).replacen('{', "\\u007b", 1), as_text(note)),
    ] {
        let text = |inside: &str| {
            format!(r#"{{"event":"x","distinct_id":"anna","own":{own},"blob":{inside},"time":7}}"#)
        };
        let bench = Bench::of_members(&[("events.json", &text(&inside))], &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(
            bench.lines("anna", "events.jsonl"),
            [text(&left)],
            "{inside}"
        );
        let found = bench.lines("bob", "events.jsonl");
        assert_eq!(found, [bobs.as_str()], "{inside}");
        assert_eq!(report.summary.taken_out, 1, "{inside}");
        assert_eq!(bench.manifest("anna")["records_of_others_removed"], 1);
        for (path, content) in files_below(&bench.package("anna")) {
            let content = String::from_utf8(content).unwrap();
            assert!(!content.contains("bob"), "{inside}: {}", path.display());
        }
    }
}

#[test]
fn texts_as_properties_and_in_cells_are_taken_apart_wherever_they_begin() {
    let bobs = r#"{"distinct_id":"bob","s":"SECRET"}"#;
    let cell = |text: &str| text.replace('"', "\"\"");
    let members = [(
        "events.csv",
        format!(
            "event_name,distinct_id,a,b\nx,anna,\" {}\",\"{}\"\n",
            cell(bobs),
            cell(&as_text(bobs))
        ),
    )];
    for (name, text) in members {
        let bench = Bench::of_members(&[(name, &text)], &["anna", "bob"]);
        let report = bench.split();
        assert_eq!(report.packages[0].events, 1, "{name}");
        assert!(report.packages[1].others >= 1, "{name}");
        for (path, content) in files_below(&bench.package("anna")) {
            let content = String::from_utf8(content).unwrap();
            assert!(!content.contains("SECRET"), "{}", path.display());
        }
    }
}

#[test]
fn a_text_of_json_that_is_cut_off_is_withheld_if_it_names_somebody() {
    let cut_off = r#"{"distinct_id":"bob","s":"SECR"#;
    let text = |inside: &str| format!(r#"{{"event":"x","distinct_id":"anna","a":{inside}}}"#);
    let bench = Bench::of_members(
        &[("events.json", &text(&as_text(cut_off)))],
        &["anna", "bob"],
    );
    let report = bench.split();
    assert!(!bench.read("anna", "events.jsonl").contains("SECR"));
    assert_eq!((report.unassigned.broken, report.summary.taken_out), (1, 1));
    assert!(report.summary.is_draft(), "somebody has to look at it");

    for harmless in ["[note] of a distinct_id", "{", "[1,", r#"{"name":"x"#] {
        let text = text(&as_text(harmless));
        let bench = Bench::of_members(&[("events.json", &text)], &["anna"]);
        assert_eq!(bench.split().unassigned, Unassigned::default());
        assert_eq!(bench.lines("anna", "events.jsonl"), [text]);
    }
}
