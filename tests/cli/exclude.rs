//! Ids under legal hold: whoever is in an excluded file is never sent.

use crate::support::{Fake, Operator, csv_of, people, same_people};

const DELETE: [&str; 6] = [
    "delete",
    "--gdpr",
    "--yes",
    "ids.csv",
    "--exclude",
    "hold.csv",
];

/// Thirty people, the first ten of them on hold beside five strangers.
fn operator_with_a_hold(fake: &Fake) -> (Operator, Vec<String>) {
    let operator = Operator::at_with(fake, "rate = 1000\ndelete_batch = 8");
    let all = people(35);
    let (ids, strangers) = all.split_at(30);
    let hold = [&ids[..10], strangers].concat();
    operator.file("ids.csv", csv_of(ids, Some(3)));
    operator.file("hold.csv", csv_of(&hold, Some(4)));
    (operator, ids.to_vec())
}

#[test]
fn an_excluded_id_is_not_sent_and_is_counted_apart() {
    let fake = Fake::start();
    let (operator, ids) = operator_with_a_hold(&fake);
    let outcome = operator.run(&[DELETE.as_slice(), &["--expect", "20", "--json"]].concat());
    let request = outcome.exits_with(0).request();
    same_people(&fake.posted_ids(), &ids[10..]);
    let counts = serde_json::json!(
        { "read": 40, "unique": 20, "duplicates": 10, "excluded": 10, "refused": 0 }
    );
    assert_eq!(request["ids"], counts);
    assert_eq!(operator.only_request()["ids"], counts, "also later");
    assert_eq!(request["jobs"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_plan_says_what_is_excluded_and_by_what() {
    let fake = Fake::start();
    let (operator, _) = operator_with_a_hold(&fake);
    operator.file("more.txt", "user_id\nUsér:00011/x+y=\n");
    let dry_run = ["delete", "--gdpr", "--dry-run", "ids.csv"];
    let args = [dry_run.as_slice(), &["--exclude", "hold.csv"]].concat();
    let shown = operator.run(&args);
    let line = "  Excluded    10 ids, by `hold.csv`\n";
    assert!(shown.exits_with(0).stdout.contains(line), "{shown}");
    assert!(shown.stdout.contains("20 unique, 10 duplicates"), "{shown}");
    let request = operator
        .run(&[args.as_slice(), &["--json"]].concat())
        .request();
    assert_eq!(request["ids"]["excluded"], 10);
    let without = operator.run(&dry_run);
    assert!(
        !without.exits_with(0).stdout.contains("Excluded"),
        "{without}"
    );
    assert_eq!(fake.posts().len(), 0);
}

#[test]
fn several_files_and_standard_input_can_be_excluded() {
    let fake = Fake::start();
    let (operator, ids) = operator_with_a_hold(&fake);
    let more = csv_of(&ids[8..12], None);
    let args = [DELETE.as_slice(), &["--exclude", "-"]].concat();
    operator.run_with_input(&args, &more).exits_with(0);
    same_people(&fake.posted_ids(), &ids[12..]);
    let twice = ["export", "--gdpr", "-", "--exclude", "-"];
    operator.run_with_input(&twice, &more).exits_with(2);
}

#[test]
fn an_excluded_file_that_is_missing_damaged_or_empty_stops_everything() {
    let fake = Fake::start();
    let (operator, _) = operator_with_a_hold(&fake);
    for (text, says) in [
        (None, "cannot read `hold.csv`"),
        (Some("distinct_id\n"), "there is no id in `hold.csv`"),
        (Some("distinct_id\nok\nnull\n"), "`hold.csv`, line 3"),
        (Some("who\na\n"), "`hold.csv` has no known header"),
    ] {
        match text {
            Some(text) => drop(operator.file("hold.csv", text)),
            None => std::fs::remove_file(operator.work().join("hold.csv")).unwrap(),
        }
        operator.run(&DELETE).exits_with(5).says(says);
    }
    assert_eq!(fake.posts().len(), 0);
    assert!(operator.requests().is_empty());
}

#[test]
fn excluding_everyone_is_an_error_that_says_so() {
    let fake = Fake::start();
    let (operator, ids) = operator_with_a_hold(&fake);
    operator.file("hold.csv", csv_of(&ids, None));
    operator
        .run(&DELETE)
        .exits_with(5)
        .says("each id in `ids.csv` is excluded by `hold.csv`")
        .says("nothing was sent");
    assert_eq!(fake.posts().len(), 0);
}

#[test]
fn an_id_that_is_on_hold_in_another_case_is_warned_of_without_its_value() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\nkept@x.test\nother\n");
    operator.file("hold.csv", "distinct_id\nKept@x.test\n");
    let outcome = operator.run(&DELETE);
    outcome
        .exits_with(0)
        .says("differing from another id in capital letters only")
        .says("`hold.csv`, line 2")
        .never_says("ept@x");
    assert_eq!(fake.posted_ids(), ["kept@x.test", "other"]);
}
