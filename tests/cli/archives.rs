//! Archives as Mixpanel documents them, from the plan of an export to the packages.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{
    Exports, Fake, Operator, Outcome, PROJECT_TOKEN, at_once, handing_out, object_reply,
    package_of, the_download,
};

fn zip_of(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in members {
        zip.start_file(*name, options).expect("a member");
        zip.write_all(text.as_bytes()).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

fn exports(members: &[(&str, &str)]) -> Exports {
    let archive = zip_of(members);
    Exports::of(&["anna", "bob"], move |_| handing_out(&archive, ""))
}

fn packages(outcome: &Outcome) -> Value {
    the_download(outcome)["packages"].clone()
}

fn folder_of(outcome: &Outcome) -> PathBuf {
    PathBuf::from(packages(outcome)["path"].as_str().expect("a path"))
}

fn page(folder: &Path, id: &str) -> String {
    fs::read_to_string(folder.join(package_of(id)).join("index.html")).expect("a page")
}

#[test]
fn a_categories_export_is_planned_as_one_id_a_job_and_says_why() {
    let fake = Fake::answering(|call| object_reply(&format!("t-{}", call.place)));
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\nanna\nbob\ncarl\n");
    let export = ["export", "--ccpa", "--disclosure", "categories", "ids.csv"];
    let why = "the categories of several people cannot be told apart";
    let plan = operator.run(&[&export[..], &["--dry-run"]].concat());
    plan.exits_with(0);
    let said = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("3 jobs of 1 id each") && said.contains(why),
        "{plan}"
    );
    let json = operator.run(&[&export[..], &["--dry-run", "--json"]].concat());
    let planned = json.exits_with(0).request();
    let sizes: Vec<&Value> = planned["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["ids"])
        .collect();
    assert_eq!(sizes, [1, 1, 1]);
    assert!(planned["one_id_a_job"].as_str().unwrap().contains(why));
    let others = operator.run(&["export", "--ccpa", "ids.csv", "--dry-run", "--json"]);
    let others = others.exits_with(0).request();
    assert_eq!(
        (&others["jobs"][0]["ids"], &others["one_id_a_job"]),
        (&3.into(), &Value::Null)
    );

    operator.run(&export).exits_with(0);
    let posts = fake.posts();
    let mut ids: Vec<Value> = posts
        .iter()
        .map(|post| post.body["distinct_ids"].clone())
        .collect();
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [["anna"], ["bob"], ["carl"]].map(Value::from));
}

#[test]
fn categories_of_several_people_are_never_given_to_one_of_them() {
    let lists = [
        ("event_names.csv", "Secret Event\n"),
        ("event_properties.csv", "distinct_id,time\n"),
        ("profile_properties.csv", "$email\n"),
    ];
    let exports = exports(&lists);
    // As an earlier dsr sent it.
    exports
        .operator
        .tamper_with("UPDATE requests SET law = 'ccpa', disclosure = 'categories'");
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(3);
    assert_eq!(outcome.failure()["kind"], "to_check");
    assert!(outcome.stderr.contains("several people"), "{outcome}");
    let found = packages(&outcome);
    assert_eq!(
        (&found["to_check"], &found["without_data"]),
        (&true.into(), &0.into())
    );
    assert_eq!(found["unassigned_by_reason"]["shared_lists"], 3);
    let folder = folder_of(&outcome);
    for id in ["anna", "bob"] {
        let page = page(&folder, id);
        for wrong in ["no data", "Secret Event", "no profile"] {
            assert!(!page.contains(wrong), "{wrong}");
        }
    }
    assert!(folder.join("job/event_names.csv").exists());
}

#[test]
fn what_is_not_understood_is_looked_at_before_anything_is_sendable() {
    let event = r#"{"event":"x","properties":{"distinct_id":"anna"}}"#;
    let exports = exports(&[("events.json", event), ("notes.bin", "Dear reader")]);
    let first = exports.download(&["--split", "--zip", "--json"]);
    first.exits_with(3);
    assert_eq!(packages(&first)["to_check"], true);
    let hint = first.failure()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("--split --zip --checked"), "{hint}");
    let draft = folder_of(&first);
    assert!(draft.to_str().unwrap().ends_with("-to-check"));
    // dsr reports it again, and makes nothing that looks ready to send.
    exports
        .download(&["--split", "--zip"])
        .exits_with(3)
        .says("--checked");
    assert_eq!(
        exports
            .names()
            .iter()
            .filter(|name| name.contains("packages"))
            .count(),
        0
    );
    let told = exports.operator.run(&["audit", "log", "--json"]);
    assert!(!told.stdout.contains("packages_made"), "{told}");

    let request = the_download(&first)["request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let checked = exports.download(&[&request, "--split", "--checked", "--json"]);
    checked.exits_with(0);
    assert_eq!(packages(&checked)["to_check"], false);
    let bob = page(&folder_of(&checked), "bob");
    assert!(bob.contains("The company has checked this"));
    assert!(!bob.contains("delivered no data"));
    let again = exports.download(&["--split", "--json"]);
    again.exits_with(0);
    assert_eq!(packages(&again)["result"], "already_split");
}

#[test]
fn drafts_of_several_archives_are_all_named_and_counted() {
    let name = |id: &str| format!(r#"{{"event":"x","properties":{{"distinct_id":"{id}"}}}}"#);
    let nobody = r#"{"event":"of nobody","properties":{}}"#;
    let archive_of = move |id: &str| {
        let events = [&name(id), &name("carl"), nobody, nobody].join("\n");
        zip_of(&[("events.json", &events)])
    };
    let exports =
        Exports::of_two_jobs(move |call| handing_out(&archive_of(["anna", "bob"][call.place]), ""));
    let outcome = exports.download(&["--split", "--zip", "--json"]);
    outcome.exits_with(3);
    let failure = outcome.failure();
    let message = failure["message"].as_str().unwrap();
    for count in ["2 archives", "4 of 6 parts"] {
        assert!(message.contains(count), "{count}: {message}");
    }
    let hint = failure["hint"].as_str().unwrap();
    let downloads = outcome.json_lines()[0]["downloads"].clone();
    for download in downloads.as_array().unwrap() {
        let folder = download["packages"]["path"].as_str().unwrap();
        assert!(hint.contains(folder), "{folder}: {hint}");
    }
    let request = exports.operator.only_request()["id"].clone();
    let folder = exports.folder().display().to_string();
    let again = format!(
        "dsr download {} --to {folder} --split --zip --checked`",
        &request.as_str().unwrap()[..8]
    );
    assert!(hint.contains(&again), "{again}: {hint}");
}

#[test]
fn the_hint_to_a_draft_repeats_the_command_in_a_rehearsal_too() {
    let operator = Operator::new();
    operator
        .run(&["--sandbox", "export", "--gdpr", "user-17", "--wait"])
        .exits_with(0);
    let fetched = operator.run(&["--sandbox", "download", "--to", "my exports", "--json"]);
    let found = the_download(fetched.exits_with(0));
    // The sandbox's archive is clear, so put another one in its place.
    let archive = zip_of(&[("notes.bin", "Dear reader")]);
    fs::write(found["path"].as_str().unwrap(), &archive).unwrap();
    let sha256: String = <sha2::Sha256 as sha2::Digest>::digest(&archive)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ledger = operator.dsr_home().join("sandbox/ledger.db");
    let change = format!(
        "UPDATE downloads SET sha256 = '{sha256}', bytes = {}",
        archive.len()
    );
    let connection = rusqlite::Connection::open(ledger).unwrap();
    connection.execute_batch(&change).unwrap();
    let name = found["request_id"].as_str().unwrap();
    let args = [
        "--sandbox",
        "download",
        name,
        "--to",
        "my exports",
        "--split",
    ];
    let again = format!("`dsr --sandbox download {name} --to 'my exports' --split --checked`");
    operator.run(&args).exits_with(3).says(&again);
}

#[test]
fn a_record_inside_of_another_persons_goes_to_its_owner() {
    let event = r#"{"event":"x","properties":{"distinct_id":"anna","with":[{"event":"y","properties":{"distinct_id":"bob"}}]}}"#;
    let exports = exports(&[("events.json", event)]);
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(0);
    assert_eq!(
        (
            &packages(&outcome)["records"],
            &packages(&outcome)["taken_out"]
        ),
        (&2.into(), &1.into())
    );
    let folder = folder_of(&outcome);
    let events =
        |id: &str| fs::read_to_string(folder.join(package_of(id)).join("events.jsonl")).unwrap();
    assert!(!events("anna").contains("bob"));
    assert!(events("bob").contains(r#""event":"y""#));
}

#[test]
fn the_time_zone_of_a_project_is_set_shown_and_on_the_page() {
    let operator = Operator::new();
    let add = |zone: &str, name: &str| {
        let args = [
            "project",
            "add",
            name,
            "--region",
            "eu",
            "--with-token",
            "--time-zone",
            zone,
        ];
        operator.run_with_input(&args, PROJECT_TOKEN)
    };
    add("Berlin", "shop").exits_with(2).says("Europe/Berlin");
    add("Europe/Berlin", "shop").exits_with(0);
    let shown = operator.run(&["project", "show", "--json"]).json();
    assert_eq!(shown["project"]["time_zone"], "Europe/Berlin");
    let set = [
        "project",
        "set",
        "shop",
        "--time-zone",
        "Asia/Tokyo",
        "--json",
    ];
    let shown = operator.run(&set).json();
    assert_eq!(shown["project"]["time_zone"], "Asia/Tokyo");
    operator.write_config(&format!(
        "[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"eu\"\ntime_zone = \"Mars\"\n"
    ));
    operator.run(&["project", "show"]).says("time_zone");

    let event = r#"{"event":"x","properties":{"distinct_id":"a1","time":1700000000}}"#;
    let archive = zip_of(&[("events.json", event)]);
    let settings = "rate = 1000\ntime_zone = \"Europe/Berlin\"";
    let exports = Exports::with(&["a1"], "/export.zip", "SUCCESS", settings, move |_| {
        handing_out(&archive, "")
    });
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(0);
    let page = page(&folder_of(&outcome), "a1");
    assert!(page.contains("Time (Europe/Berlin)"));
    assert!(page.contains("datetime=\"2023-11-14T21:13:20Z\">14 Nov 2023, 22:13:20<"));
}

#[test]
fn a_rehearsal_delivers_what_mixpanel_documents_for_each_law() {
    let orders = [
        &["--gdpr"][..],
        &["--ccpa"],
        &["--ccpa", "--disclosure", "sources"],
        &["--ccpa", "--disclosure", "categories"],
    ];
    at_once(orders, |order| {
        let operator = Operator::new();
        let outcome = operator.rehearses_a_split(&[order, &["user-17"]].concat());
        let found = packages(&outcome);
        assert_eq!(
            (&found["unassigned"], &found["to_check"]),
            (&0.into(), &false.into())
        );
        let page = page(&folder_of(&outcome), "user-17");
        assert!(
            !page.contains("no data") && !page.contains("no profile"),
            "{order:?}"
        );
        let is_categories = order.contains(&"categories");
        assert_eq!(found["records"] == 0, is_categories, "{outcome}");
        assert_eq!(page.contains("The categories of your data"), is_categories);
    });
}
