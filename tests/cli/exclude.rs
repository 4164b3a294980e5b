//! Ids under legal hold: an excluded id is never sent.

use std::path::Path;

use crate::support::{Fake, Operator, Outcome, Terminal, csv_of, people, same_people};

const DELETE: [&str; 6] = [
    "delete",
    "--gdpr",
    "--yes",
    "ids.csv",
    "--exclude",
    "hold.csv",
];

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
    let lines = "  Excluded    10 ids\n              `hold.csv`: 15 ids, 10 found in the list\n";
    assert!(shown.exits_with(0).stdout.contains(lines), "{shown}");
    let counted = "40 read from `ids.csv`: 20 unique, 10 duplicates, 10 excluded\n";
    assert!(shown.stdout.contains(counted), "{shown}");
    let request = operator
        .run(&[args.as_slice(), &["--json"]].concat())
        .request();
    assert_eq!(request["ids"]["excluded"], 10);
    let without = operator.run(&dry_run);
    assert!(
        !without.exits_with(0).stdout.contains("xcluded"),
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
fn each_hold_file_says_how_many_ids_it_has_and_how_many_were_found() {
    let fake = Fake::start();
    let (operator, ids) = operator_with_a_hold(&fake);
    let other = [&ids[8..11], &ids[8..11]].concat();
    operator.file("other.txt", csv_of(&other, None));
    operator.file("empty-handed.txt", "nobody-1\nnobody-2\n");
    let plan = [
        "delete",
        "--gdpr",
        "--dry-run",
        "ids.csv",
        "--exclude",
        "hold.csv",
        "--exclude",
        "other.txt",
        "--exclude",
        "empty-handed.txt",
    ];
    let shown = operator.run(&plan);
    for line in [
        "Excluded    11 ids\n",
        "`hold.csv`: 15 ids, 10 found in the list\n",
        "`other.txt`: 3 ids, 3 found in the list\n",
        "`empty-handed.txt`: 2 ids, NONE found in the list\n",
    ] {
        assert!(shown.exits_with(0).stdout.contains(line), "{line}{shown}");
    }
    shown.says("none of the 2 ids in `empty-handed.txt`");
    let json = operator.run(&[&plan[..], &["--json"]].concat());
    let held = |source: &str, ids: u64, found: u64| serde_json::json!({ "source": source, "ids": ids, "found": found });
    let expected = serde_json::json!([
        held("`hold.csv`", 15, 10),
        held("`other.txt`", 3, 3),
        held("`empty-handed.txt`", 2, 0),
    ]);
    assert_eq!(json.exits_with(0).request()["exclusions"], expected);
    let kinds = json.json()["warnings"].clone();
    let warned = kinds.as_array().unwrap().iter();
    let count = warned
        .filter(|warning| warning["kind"] == "hold_not_found")
        .count();
    assert_eq!(count, 1, "{json}");
}

#[test]
fn the_question_says_what_each_hold_file_spares() {
    let fake = Fake::start();
    let (operator, _) = operator_with_a_hold(&fake);
    operator.file("none.txt", "nobody-1\n");
    let args = [
        "delete",
        "--gdpr",
        "ids.csv",
        "--exclude",
        "hold.csv",
        "--exclude",
        "none.txt",
    ];
    let mut terminal = Terminal::start(operator.command(&args));
    terminal.sees("to confirm");
    terminal.types("no");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    for line in [
        "`hold.csv`: 15 ids, 10 found in the list",
        "`none.txt`: 1 id, NONE found in the list",
    ] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    assert_eq!(fake.posts().len(), 0);
}

#[test]
fn a_plan_file_keeps_what_each_hold_file_spares() {
    let fake = Fake::start();
    let operator = crate::minimisation::with_key(&fake, "rate = 1000");
    operator.file("ids.csv", "distinct_id\na1\na2\na3\n");
    operator.file("hold.csv", "distinct_id\na2\nb9\n");
    let plan = [
        "delete",
        "--gdpr",
        "ids.csv",
        "--exclude",
        "hold.csv",
        "--plan",
        "erase.plan",
    ];
    operator.run(&plan).exits_with(0);
    let line = "`hold.csv`: 2 ids, 1 found in the list";
    let shown = operator.run(&["apply", "erase.plan", "--dry-run"]);
    assert!(shown.exits_with(0).stdout.contains(line), "{shown}");
    let json = operator.run(&["apply", "erase.plan", "--dry-run", "--json"]);
    let found = &json.json()["plan"]["exclusions"][0]["found"];
    assert_eq!(found, 1, "{json}");
    operator
        .run(&["apply", "erase.plan", "--yes"])
        .exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1", "a3"]);
}

/// Erases these ids except the held ones; each text is a whole file.
fn erase_but(fake: &Fake, ids: &str, hold: &str, more: &[&str]) -> (Operator, Outcome) {
    let operator = Operator::at(fake);
    operator.file("ids.csv", format!("distinct_id\n{ids}"));
    operator.file("hold.csv", format!("distinct_id\n{hold}"));
    let outcome = operator.run(&[DELETE.as_slice(), more].concat());
    (operator, outcome)
}

#[test]
fn a_listed_id_that_is_nearly_a_held_one_stops_everything_and_names_both_lines() {
    let fake = Fake::start();
    for (listed, held) in [
        ("kept@x.test", "Kept@X.test"),
        (
            "5bc8fbbc-bde5-4099-8164-d8399f767c45",
            "5BC8FBBC-BDE5-4099-8164-D8399F767C45",
        ),
        (
            "5bc8fbbc-bde5-4099-8164-d8399f767c45",
            "5bc8fbbcbde540998164d8399f767c45",
        ),
        ("strasse@x.test", "straße@x.test"),
        ("001001", "1001"),
        ("1001", "001001"),
        (
            "$device:5bc8fbbc-bde5-4099-8164-d8399f767c45",
            "5bc8fbbc-bde5-4099-8164-d8399f767c45",
        ),
        (
            "5bc8fbbc-bde5-4099-8164-d8399f767c45",
            "$device:5bc8fbbc-bde5-4099-8164-d8399f767c45",
        ),
    ] {
        let (_, outcome) = erase_but(&fake, &format!("{listed}\n"), &format!("{held}\n"), &[]);
        outcome
            .exits_with(5)
            .says("`ids.csv`, line 2")
            .says("`hold.csv`, line 2")
            .says("othing was sent")
            .never_says(listed)
            .never_says(held);
    }
    fake.was_not_called();
}

#[test]
fn a_held_id_in_another_form_or_decorated_never_spares_nobody() {
    let fake = Fake::start();
    for (listed, held) in [
        ("zo\u{eb}@x.test", "zoe\u{308}@x.test"),
        ("user17", "user\u{ff11}\u{ff17}"),
        ("user17", "u\u{200b}ser17"),
        ("1001", "1001.0"),
        ("user-17", "user\u{2011}17"),
        ("user-17", "{user-17}"),
        ("user-17", "'user-17"),
        ("user-17", "[user-17]"),
        ("user-17", "user-17/"),
        ("user-17", "* user-17"),
        ("user-17", "12. user-17"),
    ] {
        let (_, outcome) = erase_but(&fake, &format!("{listed}\n"), &format!("{held}\n"), &[]);
        outcome
            .exits_with(5)
            .says("`hold.csv`, line 2")
            .says("othing was sent")
            .never_says(listed)
            .never_says(held);
    }
    fake.was_not_called();
}

#[test]
fn a_near_match_says_in_what_the_two_differ() {
    let fake = Fake::start();
    for (listed, held, difference) in [
        ("User-17", "user-17", "differ in case"),
        ("uSer-17", "usEr-17", "differ in case"),
        ("0099", "99", "differ in leading zeros"),
        ("$device:ab-7", "ab-7", "one has `$device:` in front"),
        ("a@x.test", "mailto:a@x.test", "one has `mailto:` in front"),
        ("zo\u{eb}-1", "zoe\u{308}-1", "differ in Unicode form"),
        ("user17", "u\u{200b}ser17", "differ in Unicode form"),
        (
            "user-17",
            "{user-17}",
            "differ in the characters around them",
        ),
        (
            "5bc8fbbc-bde5-4099-8164-d8399f767c45",
            "5bc8fbbcbde540998164d8399f767c45",
            "differ in the dashes of a UUID",
        ),
        (
            "$device:User-17",
            "user-17",
            "one has `$device:` in front; differ in case",
        ),
        ("user-17", "user-16;user-17", "one line holds several ids"),
    ] {
        // Some would otherwise count as damaged.
        let allow = ["--allow", held];
        let (ids, hold) = (format!("{listed}\n"), format!("{held}\n"));
        let (_, outcome) = erase_but(&fake, &ids, &hold, &allow);
        let said = outcome.exits_with(5).stderr.clone();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let pair = format!("`ids.csv`, line 2 and `hold.csv`, line 2: {difference}");
        assert!(said.contains(&pair), "{listed} {held}\n{outcome}");
        // The message names nothing else.
        let rest = said.split_once(&pair).unwrap().1.trim_start();
        assert!(rest.starts_with("Hint"), "{listed} {held}\n{outcome}");
    }
    fake.was_not_called();
}

#[test]
fn near_ids_are_named_in_json_and_counted() {
    let fake = Fake::start();
    let list: String = (0..70).map(|n| format!("User-{n}\n")).collect();
    let (operator, outcome) = erase_but(&fake, &list, &list.to_lowercase(), &["--json"]);
    let failure = outcome.exits_with(5).failure();
    assert_eq!(failure["kind"], "near_hold", "{outcome}");
    let message = failure["message"].as_str().unwrap();
    assert!(message.starts_with("70 listed ids"), "{message}");
    assert!(
        message.contains("`ids.csv`, line 2 and `hold.csv`, line 2"),
        "{message}"
    );
    assert!(message.contains("and 20 more"), "{message}");
    assert!(operator.requests().is_empty());
}

#[test]
fn what_is_held_exactly_is_spared_whatever_else_is_near() {
    let fake = Fake::start();
    let (_, outcome) = erase_but(&fake, "user-1\nUser-2\nuser-2\n", "user-2\nUser-2\n", &[]);
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids(), ["user-1"]);
    // The operator allows one value, which belongs to another person.
    let (_, outcome) = erase_but(
        &fake,
        "user-3\nUser-4\n",
        "user-4\n",
        &["--allow", "User-4"],
    );
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids(), ["user-1", "user-3", "User-4"]);
}

#[test]
fn with_hashing_the_values_are_compared_and_not_their_hashes() {
    let fake = Fake::start();
    let hash = ["--hash", "sha256"];
    let (_, outcome) = erase_but(&fake, "a1@x.test\nkept@x.test\n", "Kept@x.test\n", &hash);
    outcome
        .exits_with(5)
        .says("`ids.csv`, line 3")
        .says("`hold.csv`, line 2");
    // Lower-cased before hashing, they are one id.
    let lowered = [&hash[..], &["--hash-lowercase"]].concat();
    let (_, outcome) = erase_but(&fake, "a1@x.test\nkept@x.test\n", "Kept@x.test\n", &lowered);
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids().len(), 1);
    // A hold file of hashes would be hashed once more, and hold nobody back.
    let held = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n";
    let (_, outcome) = erase_but(&fake, "y\nx\n", held, &hash);
    outcome
        .exits_with(5)
        .says("`ids.csv`, line 3")
        .says("`hold.csv`, line 2");
    assert_eq!(fake.posted_ids().len(), 1);
}

#[test]
fn a_hold_file_that_does_not_bite_stops_everything_or_says_so() {
    let fake = Fake::start();
    let cases = [
        ("braces", "txt", 5),
        ("bullet", "txt", 5),
        ("cell", "csv", 5),
        ("device", "txt", 5),
        ("leadzero", "csv", 5),
        ("markdown", "txt", 5),
        ("none", "txt", 0),
        ("quotes", "txt", 5),
        ("upper", "txt", 5),
        ("zerofrac", "csv", 5),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/exclude");
    for (name, extension, status) in cases {
        let operator = Operator::at(&fake);
        let hold = format!("hold.{extension}");
        for (from, to) in [("ids.csv", "ids.csv"), (&*hold, &*hold)] {
            let bytes = std::fs::read(folder.join(format!("{name}--{from}"))).unwrap();
            operator.file(to, bytes);
        }
        let args = ["delete", "--gdpr", "--yes", "ids.csv", "--exclude", &hold];
        let outcome = operator.run(&args);
        outcome.exits_with(status).says(&format!("`{hold}`"));
        match status {
            0 => drop(outcome.says("none of the 2 ids in `hold.txt`")),
            _ => {
                outcome
                    .says(&format!("`{hold}`, line "))
                    .says("othing was sent");
                assert!(operator.requests().is_empty(), "{name}");
            }
        }
        if ["upper", "leadzero", "device"].contains(&name) {
            outcome.says("`ids.csv`, line 2");
        }
    }
    assert_eq!(fake.posts().len(), 1);
}
