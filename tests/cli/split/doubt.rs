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
    let folder = folder_of(&outcome);
    let page = fs::read_to_string(folder.join(package_of("nora")).join("index.html")).unwrap();
    assert!(!page.contains("delivered no data") && page.contains("with certainty"));
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
