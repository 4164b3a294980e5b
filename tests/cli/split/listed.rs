//! `--ids`: dsr compares the list with what the ledger knows, and splits nothing by a wrong one.

use super::*;

const DAY: i64 = 24 * 60 * 60;

/// The same export 40 days later, when the ledger has keyed hashes in the place of its ids. `None`
/// if the clock cannot be shifted here.
pub(super) fn in_40_days(mut exports: Exports) -> Option<Exports> {
    exports.operator = exports.operator.with_ledger_key();
    if !exports.operator.shift_clock(40 * DAY) {
        return None;
    }
    exports.operator.run(&["status"]);
    let kept = exports
        .operator
        .ledger_texts("SELECT request FROM payloads");
    assert!(kept.is_empty(), "the ids are gone");
    Some(exports)
}

fn request_of(exports: &Exports) -> String {
    let requests = exports.operator.ledger_texts("SELECT id FROM requests");
    requests[0].clone()
}

#[track_caller]
fn refuses_other_lists(exports: &Exports) {
    let request = request_of(exports);
    for (list, counts) in [
        (
            "anna\nzed\nnora\n",
            [
                "1 id is not in the request (line 2)",
                "1 id of the request is not",
            ],
        ),
        (
            "anna\nbob\nnora\nzed\nyan\n",
            ["2 ids are not in the request (lines 4, 5)", ""],
        ),
        ("anna\n", ["2 ids of the request are not", ""]),
        (
            "Anna\nbob\nnora\n",
            ["1 id is not in the request (line 1)", "1 id of the request"],
        ),
    ] {
        exports.operator.file("list.txt", list);
        let said = exports.download(&[&request, "--split", "--ids", "list.txt", "--json"]);
        said.exits_with(5).never_says("zed").never_says("nora");
        let message = said.failure()["message"]
            .as_str()
            .expect("a text")
            .to_owned();
        for count in counts {
            assert!(message.contains(count), "{count}: {message}");
        }
        assert_eq!(exports.names().len(), 1, "nothing is split: {said}");
    }
    exports.operator.file("list.txt", "nora\nbob\nanna\n");
    let outcome = exports.download(&[&request, "--split", "--ids", "list.txt", "--json"]);
    assert_eq!(packages(outcome.exits_with(0))["records"], 3);
}

#[test]
fn a_list_of_other_people_is_refused_while_the_ledger_keeps_the_ids() {
    let exports = exports(whole(&events()));
    exports.download(&[]).exits_with(0);
    refuses_other_lists(&exports);
}

#[test]
fn a_list_of_other_people_is_refused_when_the_ledger_has_hashes_only() {
    let exports = exports(whole(&events()));
    exports.download(&[]).exits_with(0);
    let Some(mut exports) = in_40_days(exports) else {
        return;
    };
    exports
        .download(&["--split"])
        .exits_with(5)
        .says("--ids FILE");
    let request = request_of(&exports);
    exports.operator.file("list.txt", "anna\nbob\nnora\n");
    let key = exports.operator.dsr_home().join("no-such-key");
    let kept = exports.operator.key_path().display().to_string();
    exports
        .operator
        .set("DSR_LEDGER_KEY_FILE", key.to_str().unwrap());
    let blind = exports.download(&[&request, "--split", "--ids", "list.txt"]);
    blind.exits_with(2).says("DSR_LEDGER_KEY_FILE");
    assert_eq!(exports.names().len(), 1, "{blind}");
    exports.operator.set("DSR_LEDGER_KEY_FILE", &kept);
    refuses_other_lists(&exports);
}

#[test]
fn one_list_serves_all_jobs_of_a_request() {
    let both = [event("anna", "x"), event("bob", "y")].join("\n");
    let archive = plain(&[("events.json", &both)]);
    let exports = Exports::of_two_jobs(move |_| handing_out(&archive, ""));
    exports.download(&[]).exits_with(0);
    let Some(exports) = in_40_days(exports) else {
        return;
    };
    exports.operator.file("list.txt", "bob\nanna\n");
    let request = request_of(&exports);
    let outcome = exports.download(&[&request, "--split", "--ids", "list.txt", "--json"]);
    outcome.exits_with(3);
    let downloads = outcome.json_lines()[0]["downloads"].clone();
    for (place, id) in ["anna", "bob"].into_iter().enumerate() {
        let packages = &downloads[place]["packages"];
        let folder = PathBuf::from(packages["path"].as_str().unwrap());
        assert!(folder.join(package_of(id)).is_dir(), "{outcome}");
        // The other job's person is no stranger.
        assert_eq!(packages["unassigned_by_reason"]["may_be_asked_for"], 1);
    }
}

#[test]
fn packages_are_checked_without_the_ids_and_without_the_archive() {
    let exports = exports(whole(&events()));
    let made = folder_of(exports.download(&["--split", "--json"]).exits_with(0));
    let Some(exports) = in_40_days(exports) else {
        return;
    };
    let request = request_of(&exports);
    let archive = exports.folder().join(&exports.names()[1]);
    assert!(archive.is_file(), "{}", archive.display());
    let page = made.join(package_of("anna")).join("index.html");
    let (whole, changed) = (fs::read(&page).unwrap(), "mine");
    for is_there in [true, false] {
        if !is_there {
            fs::remove_file(&archive).unwrap();
        }
        for name in [&[&*request][..], &[]] {
            let args = [name, &["--split", "--json"]].concat();
            let status = if is_there || name.is_empty() { 0 } else { 74 };
            let found = exports.download(&args);
            assert_eq!(
                packages(found.exits_with(status))["result"],
                "already_split"
            );
            fs::write(&page, changed).unwrap();
            let found = exports.download(&args);
            assert_eq!(packages(found.exits_with(74))["result"], "not_split");
            found.says("index.html");
            fs::write(&page, &whole).unwrap();
        }
    }
    fs::remove_dir_all(&made).unwrap();
    let none = exports.download(&["--split", "--json"]);
    assert_eq!(packages(none.exits_with(0)), Value::Null);
}

/// An export may have been asked for by `--expect-pattern`; `download` has no such option.
#[test]
fn a_list_of_ids_of_any_shape_is_compared_and_not_judged() {
    let exports = exports(whole(&events()));
    let people = ["--id", "kunde 1", "--id", "kunde 2"];
    let export = [
        "export",
        "--gdpr",
        "--expect-pattern",
        "kunde [0-9]+",
        "--json",
    ];
    let asked = exports.operator.run(&[&export[..], &people].concat());
    let request = asked.exits_with(0).request()["id"].clone();
    let request = request.as_str().expect("an id").to_owned();
    exports.operator.run(&["status", "--refresh"]);
    exports.download(&[&request]).exits_with(0);
    let Some(exports) = in_40_days(exports) else {
        return;
    };
    exports.operator.file("list.txt", "kunde 2\nkunde 1\n");
    let split = exports.download(&[&request, "--split", "--ids", "list.txt", "--json"]);
    assert_eq!(packages(&split)["count"], 2, "{split}");
}
