//! `dsr report`: the text of a page, a table, and the messages beside them.

use crate::download::{of_one_member, with_an_export};
use crate::mixpanel::saying;
use crate::scene::{Scene, snapshot};
use crate::support::handing_out;

fn with_a_finished_deletion() -> (Scene, String) {
    let mut scene = Scene::at(saying("SUCCESS"));
    scene
        .did(&["delete", "--gdpr", "--yes", "--ref", "T-1234", "ids.csv"])
        .did(&["status"]);
    let name = scene.request(1);
    (scene, name)
}

#[test]
fn the_text_of_a_finished_deletions_report() {
    let (mut scene, name) = with_a_finished_deletion();
    let page = scene.runs(&["report", &name]).stdout;
    snapshot!(scene.reads("the report's text", &text_of(&page)));
}

#[test]
fn the_text_of_an_open_exports_report() {
    let mut scene = Scene::usual();
    scene.did(&["export", "--ccpa", "ids.csv"]);
    let name = scene.request(1);
    let page = scene.runs(&["report", &name]).stdout;
    snapshot!(scene.reads("the report's text", &text_of(&page)));
}

#[test]
fn the_text_of_a_split_exports_report() {
    let archive = of_one_member("notes.bin", "Dear reader");
    let (mut scene, name) = with_an_export(move |_| handing_out(&archive, ""));
    scene.runs(&["download", &name, "--split"]);
    scene.runs(&["download", &name, "--split", "--checked"]);
    let page = scene.runs(&["report", &name]).stdout;
    let text = text_of(&page);
    let (_, text) = text.split_once("Fetched exports").unwrap();
    let (text, _) = text.split_once("Each step").unwrap();
    snapshot!(scene.reads("what the report says of archives", text));
}

#[test]
fn the_text_of_a_periods_report() {
    let (mut scene, _) = with_a_finished_deletion();
    // Requests received on one day have no order.
    scene.lives_on("2026-03-17");
    scene.did(&["export", "--ccpa", "ids.csv"]);
    let page = scene
        .runs(&["report", "--from", "2026-03-01", "--to", "2026-03-31"])
        .stdout;
    snapshot!(scene.reads("the report's text", &text_of(&page)));
}

#[test]
fn a_report_is_written_to_a_file() {
    let (mut scene, name) = with_a_finished_deletion();
    snapshot!(scene.pipes(&["report", &name, "--output", "report.html"]));
}

#[test]
fn a_report_as_a_table() {
    let (mut scene, name) = with_a_finished_deletion();
    snapshot!(scene.pipes(&["report", &name, "--format", "csv"]));
}

#[test]
fn a_period_ends_before_it_begins() {
    let (mut scene, _) = with_a_finished_deletion();
    snapshot!(scene.pipes(&["report", "--from", "2026-04-01", "--to", "2026-03-01"]));
}

/// The text of a page, a line for each element with text.
fn text_of(page: &str) -> String {
    let (_, body) = page.split_once("<body").unwrap();
    let mut lines = Vec::new();
    for part in body.split('<').skip(1) {
        let text = part.split_once('>').map_or("", |(_, text)| text).trim();
        if !text.is_empty() {
            lines.push(text);
        }
    }
    lines.join("\n")
}
