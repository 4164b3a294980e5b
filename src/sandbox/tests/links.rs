//! Exports that are done: their links and contents.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use reqwest::Response;
use zip::ZipArchive;

use super::*;
use crate::sandbox::state::clock::Moment;

const DAY: i64 = 24 * 3600;

fn quick() -> Sandbox {
    Sandbox::with(|settings| {
        settings.job_seconds = 0.0;
        // The same members for each law, so that their contents can be compared.
        settings.exports.members = ExportMembers::OlderJson;
    })
}

async fn link(sandbox: &Sandbox, task: &str) -> String {
    let reply = sandbox.get(RETRIEVALS, task).await;
    reply.body["results"]["results"]
        .as_str()
        .expect("a link")
        .to_owned()
}

async fn open(link: &str) -> Response {
    client().get(link).send().await.expect("a reply")
}

struct Export {
    bytes: Vec<u8>,
    events: Vec<Value>,
    profiles: Vec<Value>,
}

impl Export {
    fn people(&self) -> BTreeSet<&str> {
        let id = |value: &'_ Value| value.as_str().expect("an id").to_owned();
        let events: BTreeSet<_> = self
            .events
            .iter()
            .map(|event| id(&event["properties"]["distinct_id"]))
            .collect();
        let profiles = self.profiles.iter().map(|profile| &profile["$distinct_id"]);
        let profiles: BTreeSet<_> = profiles.map(|id| id.as_str().expect("an id")).collect();
        assert_eq!(
            events.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            profiles
        );
        profiles
    }

    fn oldest(&self) -> i64 {
        let time = |event: &Value| event["properties"]["time"].as_i64().expect("a time");
        self.events.iter().map(time).min().expect("an event")
    }
}

async fn export(sandbox: &Sandbox, body: Value) -> Export {
    let task = sandbox.create(RETRIEVALS, body).await.task_id();
    let bytes = open(&link(sandbox, &task).await)
        .await
        .bytes()
        .await
        .expect("a body")
        .to_vec();
    let mut zip = ZipArchive::new(Cursor::new(bytes.clone())).expect("a zip");
    let mut member = |name: &str| {
        let mut text = String::new();
        zip.by_name(name)
            .expect("a member")
            .read_to_string(&mut text)
            .expect("a text");
        text
    };
    let events = member("events.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let profiles = serde_json::from_str(&member("profiles.json")).expect("JSON");
    assert_eq!(zip.len(), 2);
    Export {
        bytes,
        events,
        profiles,
    }
}

#[tokio::test]
async fn a_link_serves_a_zip_of_known_length_without_credentials() {
    let sandbox = quick();
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    let link = link(&sandbox, &task).await;
    let (get, head) = (
        open(&link).await,
        client().head(&link).send().await.expect("a reply"),
    );
    assert_eq!((get.status().as_u16(), head.status().as_u16()), (200, 200));
    for response in [&get, &head] {
        assert_eq!(response.headers()["content-type"], "application/zip");
    }
    assert_eq!(
        get.headers()["content-length"],
        head.headers()["content-length"]
    );
    let length: usize = get.headers()["content-length"]
        .to_str()
        .expect("text")
        .parse()
        .expect("a number");
    assert_eq!(get.bytes().await.expect("a body").len(), length);
    assert!(head.bytes().await.expect("no body").is_empty());
}

#[tokio::test]
async fn a_client_that_sends_its_token_to_the_link_host_is_caught() {
    let sandbox = quick();
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    let link = link(&sandbox, &task).await;
    let reply = send(client().get(&link).bearer_auth(OAUTH_TOKEN)).await;
    assert_eq!(
        (reply.status, reply.error().contains("Authorization")),
        (400, true)
    );
}

#[tokio::test]
async fn a_forged_link_is_forbidden() {
    let sandbox = quick();
    let (task, other) = (
        sandbox.created(RETRIEVALS, "a").await,
        sandbox.created(RETRIEVALS, "b").await,
    );
    let link = link(&sandbox, &task).await;
    let (base, signature) = link.rsplit_once('/').expect("a path");
    let flipped = if signature.starts_with('0') { '1' } else { '0' };
    let forged = [
        format!("{base}/{flipped}{}", &signature[1..]),
        format!("{base}/{}", &signature[1..]),
        link.replace(&task, &other),
        link.replace(&task, "1600000000000000001"),
    ];
    for link in forged {
        assert_eq!(open(&link).await.status().as_u16(), 403, "{link}");
    }
}

#[tokio::test]
async fn links_of_another_state_are_worth_nothing() {
    let (one, other) = (quick(), quick());
    let task = one.created(RETRIEVALS, "user-17").await;
    let link = link(&one, &task).await;
    let moved = link.replace(
        &one.running.address().to_string(),
        &other.running.address().to_string(),
    );
    assert_eq!(open(&moved).await.status().as_u16(), 403);
}

#[tokio::test]
async fn a_link_works_for_fourteen_days_after_completion() {
    let sandbox = quick();
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    let link = link(&sandbox, &task).await;
    sandbox.let_pass(14 * DAY - 60);
    assert_eq!(open(&link).await.status().as_u16(), 200);
    sandbox.let_pass(60);
    let reply = send(client().get(&link)).await;
    assert_eq!((reply.status, reply.error()), (403, "the link has expired"));
}

#[tokio::test]
async fn a_link_follows_the_server_to_its_new_port() {
    let sandbox = quick();
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    let before = link(&sandbox, &task).await;
    let moved = start(patient_settings(sandbox.folder.path())).expect("a sandbox");
    let sandbox = Sandbox {
        running: moved,
        ..sandbox
    };
    let after = link(&sandbox, &task).await;
    assert_ne!(before, after);
    assert!(after.starts_with(&format!("http://{}/", sandbox.running.address())));
    assert_eq!(open(&after).await.status().as_u16(), 200);
}

#[tokio::test]
async fn an_export_holds_exactly_the_people_asked_for_less_one_in_ten_without_data() {
    let sandbox = quick();
    let ids: Vec<String> = (0..1000).map(|number| format!("user-{number}")).collect();
    let asked: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let export = export(&sandbox, json!({"distinct_ids": ids})).await;
    let people = export.people();
    assert!(people.is_subset(&asked));
    assert!(
        (50..150).contains(&(1000 - people.len())),
        "{}",
        people.len()
    );
    let insert_ids: BTreeSet<_> = export
        .events
        .iter()
        .map(|event| event["properties"]["$insert_id"].as_str())
        .collect();
    assert_eq!(insert_ids.len(), export.events.len());
    for event in &export.events {
        assert!(
            event["event"].is_string() && event["properties"]["time"].is_i64(),
            "{event}"
        );
    }
    assert!(
        export
            .profiles
            .iter()
            .all(|profile| profile["$properties"].is_object())
    );
}

#[tokio::test]
async fn what_is_made_up_of_a_person_is_always_the_same() {
    let sandbox = quick();
    let first = export(
        &sandbox,
        json!({"distinct_ids": ["user-17", "user-17", "b"]}),
    )
    .await;
    let alone = export(&quick(), json!({"distinct_ids": ["user-17"]})).await;
    let own = |export: &Export, id: &str| -> Vec<Value> {
        export
            .events
            .iter()
            .filter(|event| event["properties"]["distinct_id"] == id)
            .cloned()
            .collect()
    };
    assert!(!alone.events.is_empty());
    assert_eq!(own(&first, "user-17"), alone.events);
    assert!(first.profiles.contains(&alone.profiles[0]));

    let task = sandbox.created(RETRIEVALS, "user-17").await;
    let link = link(&sandbox, &task).await;
    let bytes = open(&link).await.bytes().await.expect("a body");
    assert_eq!(bytes, open(&link).await.bytes().await.expect("a body"));
    assert_eq!(bytes, alone.bytes);
}

#[tokio::test]
async fn a_ccpa_export_holds_the_last_year_only() {
    let sandbox = quick();
    let ids: Vec<String> = (0..50).map(|number| format!("user-{number}")).collect();
    let gdpr = export(&sandbox, json!({"distinct_ids": ids})).await;
    let ccpa = export(
        &sandbox,
        json!({"distinct_ids": ids, "compliance_type": "CCPA"}),
    )
    .await;
    let year_ago = Moment::now().seconds() - 365 * DAY;
    assert!(gdpr.oldest() < year_ago - 300 * DAY);
    assert!(ccpa.oldest() >= year_ago - 60 && ccpa.events.len() < gdpr.events.len());
    assert!(ccpa.events.iter().all(|event| gdpr.events.contains(event)));
    assert_eq!(ccpa.people(), gdpr.people());
}

#[tokio::test]
async fn a_part_of_an_export_is_handed_out_only_of_the_same_content() {
    let sandbox = quick();
    let task = sandbox
        .create(RETRIEVALS, json!({"distinct_ids": ["user-17"]}))
        .await
        .task_id();
    let link = link(&sandbox, &task).await;
    let whole = open(&link).await;
    let tag = whole.headers()["etag"].to_str().expect("a tag").to_owned();
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let whole = whole.bytes().await.expect("a body");
    let part = async |range: &str, tag: &str| {
        let asked = client()
            .get(&link)
            .header("Range", range)
            .header("If-Range", tag);
        asked.send().await.expect("a reply")
    };

    let rest = part("bytes=100-", &tag).await;
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.headers()["etag"], *tag);
    let length = whole.len();
    let range = format!("bytes 100-{}/{length}", length - 1);
    assert_eq!(rest.headers()["content-range"], *range);
    assert_eq!(rest.headers()["content-type"], "application/zip");
    assert_eq!(rest.bytes().await.expect("a body"), whole[100..]);

    let another = part("bytes=100-", "\"another\"").await;
    assert_eq!(another.status(), 200);
    assert_eq!(another.bytes().await.expect("a body"), whole);

    let none = part(&format!("bytes={length}-"), &tag).await;
    assert_eq!(none.status(), 416);
    assert_eq!(
        none.headers()["content-range"],
        *format!("bytes */{length}")
    );

    let head = client().head(&link).send().await.expect("a reply");
    assert_eq!(head.headers()["content-length"], *length.to_string());
}
