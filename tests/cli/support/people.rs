//! Made-up people, as lists and as files.

use std::collections::BTreeMap;

/// `count` distinct_ids, none of which is a part of another.
pub(crate) fn people(count: usize) -> Vec<String> {
    let id = |place: usize| match place % 3 {
        0 => format!("user-{place:05}@example.test"),
        1 => format!("$device:{place:05}-ab-{:04x}", place * 7),
        _ => format!("Usér:{place:05}/x+y="),
    };
    (0..count).map(id).collect()
}

/// A table with a `distinct_id` column beside another one; each `repeat_every`-th id is repeated.
pub(crate) fn csv_of(ids: &[String], repeat_every: Option<usize>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |id: &str, note: &str| {
        let written = writer.write_record([note, id]);
        written.expect("a vector can be written");
    };
    write("distinct_id", "country");
    for id in ids {
        write(id, "DE");
    }
    for id in ids.iter().step_by(repeat_every.unwrap_or(usize::MAX)) {
        if repeat_every.is_some() {
            write(id, "FR");
        }
    }
    let bytes = writer.into_inner().expect("a vector can be flushed");
    String::from_utf8(bytes).expect("ids are text")
}

#[track_caller]
pub(crate) fn same_people(found: &[String], expected: &[String]) {
    let (found, expected) = (count(found), count(expected));
    let missing: Vec<_> = expected
        .keys()
        .filter(|id| !found.contains_key(*id))
        .collect();
    let odd: Vec<_> = found
        .iter()
        .filter(|(id, times)| expected.get(*id) != Some(times))
        .collect();
    assert!(missing.is_empty(), "never sent: {missing:?}");
    assert!(
        odd.is_empty(),
        "not sent as often as they should be: {odd:?}"
    );
}

fn count(ids: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id.as_str()).or_insert(0) += 1;
    }
    counts
}
