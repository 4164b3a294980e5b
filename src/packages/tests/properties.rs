//! For any input, each record comes out once, unchanged, and with nobody else.

use proptest::prelude::*;

use super::*;

const PEOPLE: [&str; 6] = [
    "anna",
    "bob",
    "1234567890123456789",
    "=cmd|' /C calc'!A0",
    "שרה",
    "a\"b\\c",
];

#[derive(Debug, Clone)]
struct Sent {
    text: String,
    owner: Option<&'static str>,
}

fn owned_record() -> impl Strategy<Value = Sent> {
    let value = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(serde_json::json!({"name": "bob", "deep": ["anna"]})),
    ];
    let shape = 0..6;
    (0..PEOPLE.len(), value, shape, ".{0,20}").prop_map(|(person, value, shape, name)| {
        let owner = PEOPLE[person];
        let (id, name) = (Value::from(owner), Value::from(name));
        let text = match shape {
            0 => format!(r#"{{"event":{name},"properties":{{"distinct_id":{id},"v":{value}}}}}"#),
            1 => {
                format!(r#"{{"event":{name}, "distinct_id" : {id},"properties":{{"v":{value}}}}}"#)
            }
            2 => format!(r#"{{"$distinct_id":{id},"$properties":{{"v":{value}}}}}"#),
            3 => format!(r#"{{"v":{value},"properties":{{"$user_id":{id}}},"event":{name}}}"#),
            4 => format!(r#"{{"distinct_id":{id},"v":{value}}}"#),
            _ => format!(
                r#"{{"properties":{{"v":{value},"time":17,"distinct_id":{id}}},"event":{name}}}"#
            ),
        };
        Sent {
            text,
            owner: Some(owner),
        }
    })
}

fn stray_record() -> impl Strategy<Value = Sent> {
    let text = prop_oneof![
        "[a-z]{1,8}".prop_map(|id| event(&format!("other-{id}"), "x", 1)),
        Just(r#"{"event":"x"}"#.to_owned()),
        Just(r#"{"event":"x","distinct_id":"anna","properties":{"distinct_id":"bob"}}"#.to_owned()),
        any::<u32>().prop_map(|number| format!(r#"{{"event":"x","n":{number}}}"#)),
    ];
    text.prop_map(|text| Sent { text, owner: None })
}

/// A number makes each text unique, so that the test can follow it.
fn records() -> impl Strategy<Value = Vec<Sent>> {
    let record = prop_oneof![4 => owned_record(), 1 => stray_record()];
    prop::collection::vec(record, 1..60).prop_map(|mut records| {
        for (number, record) in records.iter_mut().enumerate() {
            let end = record.text.pop();
            assert_eq!(end, Some('}'));
            record.text.push_str(&format!(",\"n{number}\":{number}}}"));
        }
        records
    })
}

fn as_member(records: &[Sent], layout: usize) -> String {
    let texts: Vec<&str> = records.iter().map(|record| &*record.text).collect();
    match layout {
        0 => texts.join("\n"),
        1 => format!("[{}]", texts.join(",")),
        2 => format!("[\n  {}\n]\n", texts.join(",\n  ")),
        _ => format!("{{\"records\":[{}]}}", texts.join(", ")),
    }
}

fn lines_by_folder(bench: &Bench) -> BTreeMap<String, Vec<String>> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, content) in files_below(&bench.target()) {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if [
            "index.html",
            "manifest.json",
            "index.csv",
            "report.json",
            "packages.json",
        ]
        .contains(&&*file)
        {
            continue;
        }
        let folder = path.parent().unwrap().file_name().unwrap();
        let text = String::from_utf8(content).unwrap();
        let lines = lines
            .entry(folder.to_string_lossy().into_owned())
            .or_default();
        let records = text
            .split('\n')
            .filter(|line| !["[", "]", "[]", ""].contains(line));
        lines.extend(records.map(|line| match file.as_str() {
            "profile.json" => line.strip_suffix(',').unwrap_or(line).to_owned(),
            _ => line.to_owned(),
        }));
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_in_exactly_one_place_and_the_right_one(
        first in records(),
        second in records(),
        layouts in (0..4usize, 0..4usize),
        batch in prop_oneof![Just(64), Just(1000)],
    ) {
        let members = [
            ("a", as_member(&first, layouts.0)),
            ("b", as_member(&second, layouts.1)),
        ];
        let members: Vec<_> = members.iter().map(|(name, text)| (*name, &**text)).collect();
        let mut bench = Bench::of_members(&members, &PEOPLE);
        bench.limits.rows = batch;
        let report = bench.split();

        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in first.iter().chain(&second) {
            let folder = record.owner.map_or("unassigned".to_owned(), name_of);
            expected.entry(folder).or_default().push(record.text.clone());
        }
        let mut found = lines_by_folder(&bench);
        found.retain(|_, lines| !lines.is_empty());
        for lines in expected.values_mut().chain(found.values_mut()) {
            lines.sort();
        }
        prop_assert_eq!(&found, &expected);

        let packed: u64 = report.packages.iter().map(|one| one.events + one.profiles + one.others).sum();
        let counts = report.unassigned;
        let unassigned = counts.not_asked_for + counts.no_owner + counts.contradictory;
        prop_assert_eq!(packed + unassigned, (first.len() + second.len()) as u64);
        prop_assert_eq!(counts.broken + counts.asides + counts.members, 0);
        prop_assert_eq!(report.packages.len(), PEOPLE.len());
    }

    #[test]
    fn no_bytes_whatever_are_lost_or_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("x", options()).unwrap();
        zip.write_all(&bytes).unwrap();
        Bench::new(&zip.finish().unwrap().into_inner(), &["anna"]).split();
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_almost_json_is_lost_or_panics(
        is_wrapper in any::<bool>(),
        text in r#"[\[\]{}",: \n\\a1]{0,60}"#,
    ) {
        let beginning = if is_wrapper { r#"{"a":{"# } else { r#"{"event":"# };
        let text = format!("{beginning}{text}");
        let mut bench = Bench::of_members(&[("x", &text)], &["anna"]);
        bench.limits.record_bytes = 16;
        bench.split();
        let kept: Vec<u8> = files_below(&bench.target().join("unassigned"))
            .into_iter()
            .filter(|(path, _)| !path.ends_with("report.json"))
            .flat_map(|(_, content)| content)
            .collect();
        // Brackets, commas and white space between values are not data; everything else is kept.
        let letters = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
        let (kept, given) = (letters(&kept), letters(text.as_bytes()));
        // The name of an array of records is not data.
        prop_assert!(kept == given || is_wrapper && kept < given, "{} of {}", kept, given);
    }
}
