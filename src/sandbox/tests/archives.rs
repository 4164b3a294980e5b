//! The kinds of export archives.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::*;

const KINDS: [ExportArchive; 3] = [
    ExportArchive::Plain,
    ExportArchive::ZipCrypto,
    ExportArchive::Aes,
];

fn sandbox(exports: Exports) -> Sandbox {
    Sandbox::with(|settings| {
        settings.job_seconds = 0.0;
        settings.exports = exports;
    })
}

fn of_kind(archive: ExportArchive) -> Exports {
    Exports {
        archive,
        ..Exports::default()
    }
}

async fn download(sandbox: &Sandbox, task: &str) -> Vec<u8> {
    let reply = sandbox.get(RETRIEVALS, task).await;
    let link = reply.body["results"]["results"]
        .as_str()
        .expect("a link")
        .to_owned();
    let response = client().get(link).send().await.expect("a reply");
    assert_eq!(response.status().as_u16(), 200);
    response.bytes().await.expect("a body").to_vec()
}

/// The members by name, read with `password`.
fn members(bytes: &[u8], password: &str) -> Result<Vec<(String, String)>, ZipError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let mut members = Vec::new();
    for place in 0..zip.len() {
        let mut member = zip.by_index_decrypt(place, password.as_bytes())?;
        let mut text = String::new();
        member.read_to_string(&mut text)?;
        members.push((member.name()?.into_owned(), text));
    }
    Ok(members)
}

fn older(members: ExportMembers) -> Exports {
    Exports {
        members,
        ..Exports::default()
    }
}

async fn members_of(exports: Exports, ids: &[String]) -> Vec<(String, String)> {
    members_for(exports, json!({"distinct_ids": ids})).await
}

async fn members_for(exports: Exports, order: Value) -> Vec<(String, String)> {
    let sandbox = sandbox(exports);
    let task = sandbox.create(RETRIEVALS, order).await.task_id();
    let bytes = download(&sandbox, &task).await;
    members(&bytes, &api_secret(&sandbox.project)).expect("the members")
}

fn some_ids() -> Vec<String> {
    (0..30).map(|number| format!("user-{number}")).collect()
}

#[tokio::test]
async fn the_api_secret_opens_locked_archives_and_nothing_else_does() {
    for kind in [ExportArchive::ZipCrypto, ExportArchive::Aes] {
        let sandbox = sandbox(of_kind(kind));
        let task = sandbox.created(RETRIEVALS, "user-17").await;
        let bytes = download(&sandbox, &task).await;
        assert!(!bytes.windows(7).any(|part| part == b"user-17"), "{kind:?}");
        assert!(
            members(&bytes, &api_secret(&sandbox.project)).is_ok(),
            "{kind:?}"
        );
        for wrong in [&api_secret("another"), &sandbox.project, OAUTH_TOKEN] {
            assert!(members(&bytes, wrong).is_err(), "{kind:?}");
        }
        let mut zip = ZipArchive::new(Cursor::new(&bytes)).expect("a zip");
        assert!(zip.by_index(0).is_err(), "{kind:?} needs a password");
    }
}

#[tokio::test]
async fn locked_archives_hold_what_plain_ones_do() {
    let ids = some_ids();
    let plain = members_of(of_kind(ExportArchive::Plain), &ids).await;
    for kind in [ExportArchive::ZipCrypto, ExportArchive::Aes] {
        let locked = members_of(of_kind(kind), &ids).await;
        // The exports end at different times, so only a person's last event may differ.
        assert_eq!(locked[1], plain[1], "{kind:?}");
        let lines = |members: &[(String, String)]| members[0].1.lines().count();
        assert!(lines(&plain).abs_diff(lines(&locked)) <= 1, "{kind:?}");
    }
}

#[tokio::test]
async fn tables_hold_the_same_people_with_the_same_values() {
    let ids = some_ids();
    let plain = members_of(older(ExportMembers::OlderJson), &ids).await;
    let tables = members_of(older(ExportMembers::OlderCsv), &ids).await;
    let names: Vec<&str> = tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["events.csv", "profiles.csv"]);
    let profiles: Vec<Value> = serde_json::from_str(&plain[1].1).expect("JSON");
    let mut rows = csv::Reader::from_reader(tables[1].1.as_bytes());
    let heading = rows.headers().expect("a heading").clone();
    let mut count = 0;
    for (row, profile) in rows.records().zip(&profiles) {
        let row = row.expect("a row");
        assert_eq!(row[0], profile["$distinct_id"]);
        for (name, value) in heading.iter().zip(&row).skip(1) {
            assert_eq!(value, profile["$properties"][name]);
        }
        count += 1;
    }
    assert_eq!(count, profiles.len());
    let mut events = csv::Reader::from_reader(tables[0].1.as_bytes());
    let first = events.records().next().expect("an event").expect("a row");
    let line: Value =
        serde_json::from_str(plain[0].1.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first[0], line["event"]);
    assert_eq!(first[2], line["properties"]["time"].to_string());
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let table = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows = table.into_records().map(|row| row.expect("a row"));
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[tokio::test]
async fn each_law_and_disclosure_gets_the_documented_members() {
    let ids = some_ids();
    let names = |members: &[(String, String)]| -> Vec<String> {
        members.iter().map(|(name, _)| name.clone()).collect()
    };
    let gdpr = members_of(Exports::default(), &ids).await;
    assert_eq!(names(&gdpr), ["events.json", "people.json", "summary.json"]);
    for line in gdpr[0].1.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        assert!(event["event"].is_string() && event["properties"]["distinct_id"].is_string());
    }
    let summary: Value = serde_json::from_str(&gdpr[2].1).expect("JSON");
    let keys: Vec<&String> = summary.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["event_names", "event_column_names", "profile_column_names"]
    );
    assert_eq!(summary["event_column_names"]["distinct_id"], json!({}));

    let ccpa = |disclosure: &str| {
        let order = json!({
            "distinct_ids": ids, "compliance_type": "CCPA", "disclosure_type": disclosure,
        });
        members_for(Exports::default(), order)
    };
    let lists = [
        "event_names.csv",
        "event_properties.csv",
        "profile_properties.csv",
    ];
    let all = [&["events.csv", "profiles.csv"][..], &lists].concat();
    for disclosure in ["Data", "Sources"] {
        let members = ccpa(disclosure).await;
        assert_eq!(names(&members), all);
        let events = rows(&members[0].1);
        assert_eq!(events[0][0], "event_name");
        let mut columns = events[0][1..].to_vec();
        columns.sort();
        assert_eq!(
            rows(&members[3].1),
            [columns.clone()],
            "the same as the list"
        );
        assert_eq!(columns.contains(&"page".to_owned()), disclosure == "Data");
        assert!(columns.contains(&"distinct_id".to_owned()));
        assert_eq!(rows(&members[1].1)[0][0], "distinct_id");
    }
    let events = rows(&ccpa("Data").await[0].1);
    let amount = events[0]
        .iter()
        .position(|name| name == "amount")
        .expect("a column");
    assert!(
        events[1..]
            .iter()
            .all(|row| row[amount].is_empty() != (row[0] == "Purchase"))
    );

    let categories = ccpa("Categories").await;
    assert_eq!(names(&categories), lists);
    for (_, text) in &categories {
        assert_eq!(rows(text).len(), 1, "one row of names");
        assert!(!text.contains("user-"), "no id at all");
    }
}

#[tokio::test]
async fn everyone_with_data_has_as_many_events_as_asked_for() {
    let exports = Exports {
        events_per_person: Some(250),
        ..Exports::default()
    };
    let members = members_of(exports, &some_ids()).await;
    let profiles = members[1].1.lines().count();
    assert_eq!(members[0].1.lines().count(), profiles * 250);
}

#[tokio::test]
async fn each_download_gets_the_same_bytes_from_any_server_of_the_folder() {
    for kind in KINDS {
        let sandbox = sandbox(of_kind(kind));
        let task = sandbox.created(RETRIEVALS, "user-17").await;
        let first = download(&sandbox, &task).await;
        assert_eq!(first, download(&sandbox, &task).await, "{kind:?}");
        let mut settings = patient_settings(sandbox.folder.path());
        settings.exports = of_kind(kind);
        let running = start(settings).expect("a sandbox");
        let other = Sandbox { running, ..sandbox };
        assert_eq!(first, download(&other, &task).await, "{kind:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn kept_exports_are_private_and_go_when_their_links_do() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = sandbox(Exports::default());
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    download(&sandbox, &task).await;
    let folder = sandbox.folder.path().join("exports");
    let kept = || -> Vec<_> {
        let entries = std::fs::read_dir(&folder).expect("the folder");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    };
    let files = kept();
    assert_eq!(files.len(), 1);
    let mode = |path: &Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&files[0])), (0o700, 0o600));
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(15 * 24 * 3600);
    let file = std::fs::File::options()
        .append(true)
        .open(&files[0])
        .expect("the file");
    file.set_modified(old).expect("an old file");
    let other = sandbox.created(RETRIEVALS, "user-18").await;
    download(&sandbox, &other).await;
    assert!(!kept().contains(&files[0]));
}
