use super::*;

fn page(exports: &Exports, request: &str) -> String {
    let page = exports.operator.run(&["report", request]);
    page.exits_with(0).stdout.clone()
}

fn fact(exports: &Exports, request: &str) -> Value {
    let report = exports.operator.run(&["report", request, "--json"]);
    let report = report.exits_with(0).json()["report"]["evidence"].clone();
    report["jobs"][0]["download"]["packages"].clone()
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let warnings = outcome.json()["warnings"].clone();
    let warnings = warnings.as_array().cloned().unwrap_or_default();
    let kinds = warnings.iter().map(|warning| warning["kind"].as_str());
    kinds.map(|kind| kind.expect("a word").to_owned()).collect()
}

#[test]
fn a_report_says_what_was_not_read_and_that_the_operator_released_it() {
    let exports = exports(archive_of(&[("notes.bin", "Dear reader")]));
    let request = request_of(&exports);
    exports.download(&[&request, "--split"]).exits_with(3);
    assert_eq!(
        fact(&exports, &request),
        Value::Null,
        "drafts are no packages"
    );
    let checked = exports.download(&[&request, "--split", "--checked", "--json"]);
    let folder = packages_of(checked.exits_with(0));
    let says = |page: &str| {
        for words in [
            "2 people",
            "2 without a matched record",
            "1 member not read",
            "released by the operator",
            "made on",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("beside it"));
    };
    says(&page(&exports, &request));
    let found = fact(&exports, &request);
    for (key, value) in [("packages", 2), ("without_data", 2), ("records", 0)] {
        assert_eq!(found[key], value, "{found}");
    }
    for (key, value) in [("members", 1), ("pieces", 0), ("records", 0)] {
        assert_eq!(found["not_in_packages"][key], value, "{found}");
    }
    assert_eq!(found["released_by_operator"], true);
    assert!(found["made_at"].is_string(), "{found}");
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    says(&page(&exports, &request));
}

const NO_NAMES: (&str, &str) = (
    "summary.json",
    r#"{"event_names":{},"event_column_names":{},"profile_column_names":{}}"#,
);

#[test]
fn a_report_names_records_under_another_id_and_what_is_missing() {
    for (archive, words, counts) in [
        (
            archive_of(&[
                ("people.json", r#"{"$distinct_id":"bob","$properties":{}}"#),
                NO_NAMES,
            ]),
            "1 part missing",
            [("records", 0), ("missing", 1)],
        ),
        (
            archive_of(&[
                ("events.json", &event("Bob", "x")),
                ("people.json", ""),
                NO_NAMES,
            ]),
            "1 record without a certain owner",
            [("records", 1), ("missing", 0)],
        ),
    ] {
        let exports = exports(archive);
        let request = request_of(&exports);
        let drafts = exports.download(&[&request, "--split"]);
        let is_missing = counts.contains(&("missing", 1));
        let said = drafts
            .exits_with(3)
            .stderr
            .contains("1 part of 1 archive is missing");
        assert_eq!(said, is_missing, "{drafts}");
        let args = [&request, "--split", "--checked"];
        exports.download(&args).exits_with(0);
        let page = page(&exports, &request);
        assert!(page.contains(words), "{words}: {page}");
        let found = fact(&exports, &request);
        for (key, value) in counts {
            assert_eq!(found["not_in_packages"][key], value, "{found}");
        }
        assert_eq!(found["released_by_operator"], true);
    }
}

#[test]
fn a_report_of_an_archive_that_was_read_whole_speaks_of_no_release() {
    let exports = exports(archive());
    let request = request_of(&exports);
    exports.download(&[&request, "--split"]).exits_with(0);
    let page = page(&exports, &request);
    for words in [
        "not read",
        "released by the operator",
        "without a certain owner",
    ] {
        assert!(!page.contains(words), "{words}");
    }
    assert_eq!(fact(&exports, &request)["released_by_operator"], false);
}

#[test]
fn an_answer_is_recorded_with_a_warning_where_packages_are_drafts_or_nothing_was_fetched() {
    let exports = exports(archive_of(&[("notes.bin", "Dear reader")]));
    let request = request_of(&exports);
    let answered = || exports.operator.run(&["answered", &request, "--json"]);
    let unfetched = answered();
    assert_eq!(warnings(unfetched.exits_with(0)), ["unfetched"]);
    exports.download(&[&request]).exits_with(0);
    assert!(warnings(answered().exits_with(0)).is_empty());
    exports
        .download(&[&request, "--split", "--zip"])
        .exits_with(3);
    let drafts = answered();
    assert_eq!(warnings(drafts.exits_with(0)), ["to_check"]);
    let warning = drafts.json()["warnings"][0]["message"].clone();
    let warning = warning.as_str().unwrap().to_owned();
    for words in ["-to-check", "--split --zip --checked"] {
        assert!(warning.contains(words), "{warning}");
    }
    exports
        .download(&[&request, "--split", "--zip", "--checked"])
        .exits_with(0);
    assert!(warnings(answered().exits_with(0)).is_empty());
}
