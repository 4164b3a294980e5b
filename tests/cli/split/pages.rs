//! What the pages say beside the data.

use super::*;

#[test]
fn a_rehearsal_opens_the_sandboxs_exports_without_any_set_up() {
    let operator = Operator::new();
    let outcome = operator.rehearses_a_split(&["--gdpr", "--id=user-17", "--id=user-18"]);
    let found = the_download(&outcome);
    let file = fs::File::open(found["path"].as_str().unwrap()).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    assert!(
        archive.by_index_raw(0).unwrap().encrypted(),
        "as Mixpanel's are"
    );
    assert_eq!(packages(&outcome)["count"], 2);
    assert_ne!(packages(&outcome)["records"], 0);
    assert_eq!(packages(&outcome)["unassigned"], 0);
    let page = folder_of(&outcome).join(package_of("user-17"));
    let page = fs::read_to_string(page.join("index.html")).unwrap();
    assert!(page.contains("A rehearsal.") && page.contains("invented"));
}

#[test]
fn the_company_table_is_on_each_page_and_its_absence_is_said_once() {
    let exports = Exports::with(
        &["anna", "bob"],
        "/export.zip",
        "SUCCESS",
        "rate = 1000\nexport_batch = 1",
        |call| {
            let id = ["anna", "bob"][call.place];
            handing_out(&plain(&[("events.jsonl", &event(id, "seen"))]), "")
        },
    );
    let silent = exports.download(&["--split"]);
    silent
        .exits_with(0)
        .says("[company]")
        .says("dsr help files");
    assert_eq!(silent.stderr.matches("[company]").count(), 1, "{silent}");
    let path = exports.operator.dsr_home().join("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let with = |table: &str| fs::write(&path, format!("{config}\n[company]\n{table}\n")).unwrap();

    with("name = \"Shop <GmbH>\"");
    let other = exports.download(&["--split"]);
    other.exits_with(2);
    for entry in fs::read_dir(exports.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(0).never_says("[company]");
    let downloads = outcome.json()["downloads"].clone();
    for (place, id) in ["anna", "bob"].into_iter().enumerate() {
        let folder = downloads[place]["packages"]["path"].as_str().unwrap();
        let page = Path::new(folder).join(package_of(id)).join("index.html");
        assert!(
            fs::read_to_string(page)
                .unwrap()
                .contains("Shop &lt;GmbH&gt;"),
            "{id}"
        );
    }

    with("nmae = \"Shop\"");
    exports.download(&["--split"]).exits_with(2).says("line");
}
