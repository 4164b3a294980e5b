//! `dsr download`, and the packages it makes.

use std::fs;
use std::io::{Cursor, Write};

use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};
use crate::support::{Call, Fake, Reply, handing_out, package_of, usual};

/// An operator whose export is finished, with this store.
pub(crate) fn with_an_export(
    store: impl Fn(&Call) -> Reply + Send + Sync + 'static,
) -> (Scene, String) {
    let store = Fake::answering(store);
    let link = format!("{}/export.zip?signature=secret", store.origin());
    let api = Fake::answering(move |call| match call.method.as_str() {
        "GET" => {
            let results = json!({ "status": "SUCCESS", "result": link, "distinct_ids": [] });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
        _ => usual(call),
    });
    let mut scene = Scene::at(api);
    scene.keeps(store);
    scene
        .operator
        .file("people.csv", "distinct_id\nanna\nbob\nnora\n");
    scene
        .did(&["export", "--gdpr", "people.csv"])
        .did(&["status"]);
    let name = scene.request(1);
    (scene, name)
}

pub(crate) fn of_one_member(name: &str, text: &str) -> Vec<u8> {
    of_members(&[(name, text)])
}

fn of_members(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn archive(people: &[&str]) -> Vec<u8> {
    let event = |id| json!({ "event": "visit", "properties": { "distinct_id": id, "time": 1_770_000_000 } });
    let lines = people.iter().map(|id| format!("{}\n", event(id)));
    let summary = r#"{"event_names":{},"event_column_names":{},"profile_column_names":{}}"#;
    of_members(&[
        ("events.json", &lines.collect::<String>()),
        ("people.json", ""),
        ("summary.json", summary),
    ])
}

fn of_people(people: &[&str]) -> (Scene, String) {
    let archive = archive(people);
    with_an_export(move |_| handing_out(&archive, ""))
}

#[test]
fn an_export_is_fetched_and_not_again() {
    let (mut scene, name) = of_people(&["anna", "bob"]);
    scene
        .pipes(&["download", &name])
        .pipes(&["download", &name]);
    snapshot!(scene.plain(&["download", &name, "--again"]));
}

#[test]
fn an_export_is_split_into_packages() {
    let (mut scene, name) = of_people(&["anna", "bob", "anna"]);
    snapshot!(scene.pipes(&["download", &name, "--split"]));
}

#[test]
fn an_export_is_split_into_packed_packages() {
    let (mut scene, name) = of_people(&["anna", "bob", "anna"]);
    snapshot!(scene.plain(&["download", &name, "--split", "--zip"]));
}

#[test]
fn a_record_is_of_somebody_else() {
    let (mut scene, name) = of_people(&["anna", "carl"]);
    scene.pipes(&["download", &name, "--split"]);
    snapshot!(scene.pipes(&["download", &name, "--split", "--checked"]));
}

#[test]
fn the_link_of_an_export_is_expired() {
    let (mut scene, name) = with_an_export(|_| Reply::text(403, "application/xml", "<Error/>"));
    snapshot!(scene.lives_on("2026-03-31").pipes(&["download", &name]));
}

#[test]
fn the_link_of_an_export_does_not_work_yet() {
    let (mut scene, name) = with_an_export(|_| Reply::text(403, "application/xml", "<Error/>"));
    snapshot!(scene.pipes(&["download", &name]));
}

#[test]
fn a_file_is_in_the_way_of_an_archive() {
    let (mut scene, name) = of_people(&["anna"]);
    let jobs = scene.operator.only_request()["jobs"].clone();
    let job = jobs[0]["id"].as_str().unwrap();
    fs::create_dir(scene.operator.work().join("archives")).unwrap();
    scene.operator.file(&format!("archives/{job}.zip"), "mine");
    snapshot!(scene.pipes(&["download", &name, "--to", "archives"]));
}

#[test]
fn packages_are_not_as_they_were_made() {
    let (mut scene, name) = of_people(&["anna", "bob"]);
    scene.runs(&["download", &name, "--to", "archives", "--split"]);
    let job = scene.operator.only_request()["jobs"][0]["id"].clone();
    let folder = format!("archives/{}-packages", job.as_str().unwrap());
    let folder = scene.operator.work().join(folder);
    fs::remove_dir_all(folder.join(package_of("anna"))).unwrap();
    fs::remove_file(folder.join(package_of("bob")).join("index.html")).unwrap();
    snapshot!(scene.pipes(&["download", &name, "--to", "archives", "--split"]));
}

#[test]
fn archives_are_looked_at_without_reading_them() {
    let (mut scene, _) = of_people(&["anna"]);
    snapshot!(scene.pipes(&["download"]).pipes(&["download"]));
}

#[test]
fn an_archive_is_damaged() {
    let (mut scene, name) = with_an_export(|_| handing_out(b"PK\x03\x04nonsense", ""));
    snapshot!(scene.pipes(&["download", &name]));
}

#[test]
fn an_export_is_not_finished() {
    let mut scene = Scene::usual();
    scene.did(&["export", "--gdpr", "ids.csv"]);
    let name = scene.request(1);
    snapshot!(scene.pipes(&["download", &name]).pipes(&["download"]));
}

#[test]
fn a_deletion_has_nothing_to_fetch() {
    let mut scene = Scene::with_a_deletion_at(saying("SUCCESS"));
    scene.did(&["status"]);
    let name = scene.request(1);
    snapshot!(scene.pipes(&["download", &name]));
}
