//! Records without a certain owner: the packages are drafts, with status 3.

use super::*;

fn two_jobs(archive: Vec<u8>) -> Exports {
    let settings = "rate = 1000\nexport_batch = 1";
    Exports::with(
        &["anna", "bob"],
        "/export.zip",
        "SUCCESS",
        settings,
        move |_| handing_out(&archive, ""),
    )
}

#[test]
fn a_record_of_a_person_of_another_job_makes_drafts() {
    let both = [event("anna", "x"), event("bob", "y")].join("\n");
    let exports = two_jobs(plain(&[("events.json", &both)]));
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(3);
    for download in outcome.json_lines()[0]["downloads"].as_array().unwrap() {
        let packages = &download["packages"];
        assert_eq!(packages["to_check"], true);
        assert_eq!(packages["unassigned_by_reason"]["may_be_asked_for"], 1);
        assert_eq!(packages["unassigned_by_reason"]["not_asked_for"], 0);
    }
}

#[test]
fn a_person_whose_records_come_under_another_id_is_not_told_that_there_is_no_data() {
    let other = r#"{"event":"x","properties":{"distinct_id":"anon-1","$user_id":"nora"}}"#;
    let text = format!("{}\n{other}", event("anna", "x"));
    let exports = exports(plain(&[("events.json", &text)]));
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(3).never_says("nora");
    assert_eq!(packages(&outcome)["without_data"], 0);
    let said = exports.download(&["--split"]);
    let said = said.never_says("delivered no data").stdout.clone();
    assert!(said.contains("No record matches 2 people with certainty"));
    let folder = folder_of(&outcome);
    let page = fs::read_to_string(folder.join(package_of("nora")).join("index.html")).unwrap();
    assert!(!page.contains("delivered no data") && page.contains("is certainly about"));
    let kept = fs::read_to_string(folder.join("unassigned/may-be-asked-for.jsonl")).unwrap();
    assert_eq!(kept, format!("{other}\n"));
}

#[test]
fn drafts_in_the_other_form_get_a_folder_of_their_own_too() {
    let unclear = format!(
        "{}\n{}",
        events(),
        r#"{"event":"of nobody","properties":{}}"#
    );
    let exports = exports(plain(&[("events.jsonl", &unclear)]));
    for (more, ending) in [
        (&[][..], "-1-to-check"),
        (&["--zip"], "-1-zips-to-check"),
        (&["--checked"], "-1-packages"),
        (&["--zip", "--checked"], "-1-zips-packages"),
    ] {
        let request = exports.operator.only_request()["id"].clone();
        let request = request.as_str().unwrap().to_owned();
        let args = [&[&request, "--split", "--json"], more].concat();
        let name = folder_of(&exports.download(&args)).display().to_string();
        assert!(name.ends_with(ending), "{name}");
    }
}

fn unclear(id: &str) -> Vec<u8> {
    let nobody = r#"{"event":"of nobody","properties":{}}"#;
    plain(&[("events.json", &format!("{}\n{nobody}", event(id, "x")))])
}

fn request_of(exports: &Exports) -> String {
    let request = exports.operator.only_request()["id"].clone();
    request.as_str().expect("an id").to_owned()
}

#[test]
fn checked_releases_only_the_archives_that_were_drafts_before() {
    let exports = Exports::of_two_jobs(move |call| match call.place {
        0 => handing_out(&unclear("anna"), ""),
        1 | 2 => Reply::text(403, "application/xml", "<Error/>"),
        _ => handing_out(&unclear("bob"), ""),
    });
    let request = request_of(&exports);
    exports.download(&[&request, "--split"]).exits_with(7);
    let args = [&*request, "--split", "--checked", "--json"];
    let outcome = exports.download(&args);
    let failure = outcome.exits_with(3).failure();
    let downloads = outcome.json_lines()[0]["downloads"].clone();
    assert_eq!(downloads[0]["packages"]["to_check"], false, "{outcome}");
    assert_eq!(downloads[1]["packages"]["to_check"], true, "{outcome}");
    let message = failure["message"].as_str().unwrap();
    assert!(
        message.contains("was not here as a draft before"),
        "{message}"
    );
    let hint = failure["hint"].as_str().unwrap();
    let folder = downloads[1]["packages"]["path"].as_str().unwrap();
    assert!(folder.ends_with("-2-to-check"), "{folder}");
    assert!(hint.contains(folder), "{hint}");
    assert_eq!(hint.matches("-to-check").count(), 1, "{hint}");
    exports.download(&args).exits_with(0);
}

#[test]
fn checked_releases_nothing_at_first_and_nothing_of_another_archive() {
    let nothing = |id: &str| unclear(id);
    let exports = Exports::of(&["anna", "bob"], move |call| match call.place {
        0 => handing_out(&nothing("anna"), ""),
        _ => handing_out(&nothing("bob"), ""),
    });
    let request = request_of(&exports);
    let args = [&*request, "--split", "--checked", "--json"];
    let first = exports.download(&args);
    assert_eq!(packages(first.exits_with(3))["to_check"], true);
    let made = folder_of(exports.download(&args).exits_with(0));

    // Somebody has looked at this archive: its packages can be made again without the drafts.
    fs::remove_dir_all(folder_of(&first)).unwrap();
    fs::remove_dir_all(&made).unwrap();
    let made = folder_of(exports.download(&args).exits_with(0));

    fs::remove_dir_all(&made).unwrap();
    let archive = the_download(&first)["path"].clone();
    fs::remove_file(archive.as_str().unwrap()).unwrap();
    let other = exports.download(&[&args[..], &["--again"]].concat());
    assert_eq!(packages(other.exits_with(3))["to_check"], true, "{other}");
}
