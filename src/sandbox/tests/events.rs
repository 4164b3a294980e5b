//! The raw export of events, and that it agrees with queries and export archives.

use super::queries::{queried, queried_with};
use super::*;

const EXPORT: &str = "/api/2.0/export";
const ALL: [(&str, &str); 2] = [("from_date", "2020-01-01"), ("to_date", "2100-01-01")];

impl Sandbox {
    fn export(&self, asked: &[(&str, &str)]) -> RequestBuilder {
        self.asked(Method::GET, EXPORT).query(asked)
    }

    async fn events(&self, asked: &[(&str, &str)]) -> Vec<Value> {
        let reply = self
            .export(&[&ALL[..], asked].concat())
            .send()
            .await
            .expect("a reply");
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["content-type"], "text/plain; charset=utf-8");
        let text = reply.text().await.expect("lines");
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    async fn events_of(&self, id: &str) -> Vec<Value> {
        let filter = format!(r#"properties["distinct_id"] == "{id}""#);
        self.events(&[("where", &filter)]).await
    }
}

#[tokio::test]
async fn the_events_of_one_person_are_those_of_their_export() {
    let sandbox = queried();
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    sandbox.let_pass(3600);
    let link = sandbox.get(RETRIEVALS, &task).await.body["results"]["results"].clone();
    let link = link.as_str().expect("a link");
    let archive = sandbox.client.get(link).send().await.expect("an archive");
    let archive = archive.bytes().await.expect("an archive");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).expect("a zip");
    let mut member = |name: &str| -> Vec<Value> {
        let file = archive.by_name(name).expect(name);
        let text = std::io::read_to_string(file).expect("a text");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let exported = member("events.json");
    assert!(!exported.is_empty());
    assert_eq!(sandbox.events_of("user-17").await, exported);

    let query = sandbox.asked(Method::POST, "/api/query/engage");
    let kind = "application/x-www-form-urlencoded";
    let query = query
        .header("content-type", kind)
        .body("distinct_id=user-17");
    let mut profile = send(query).await.body["results"][0].clone();
    let properties = profile["$properties"].as_object_mut().expect("properties");
    let seen = properties.remove("$last_seen").expect("a time");
    properties.remove("$distinct_ids").expect("ids");
    assert_eq!(member("people.json"), [profile]);
    let last = exported
        .iter()
        .filter_map(|event| event["properties"]["time"].as_i64())
        .max();
    let last = chrono::DateTime::from_timestamp(last.expect("a time"), 0).expect("a time");
    assert_eq!(seen, last.format("%Y-%m-%dT%H:%M:%S").to_string());
}

#[tokio::test]
async fn a_deleted_persons_events_are_gone_and_their_devices_stay() {
    let sandbox = queried();
    let everyone = sandbox.events(&[]).await.len();
    let (alice, dave) = ("user-1001", "$device:7f3a-04");
    let (of_alice, of_dave) = (
        sandbox.events_of(alice).await.len(),
        sandbox.events_of(dave).await,
    );
    assert!(of_alice > 0 && !of_dave.is_empty());
    sandbox.created(DELETIONS, alice).await;
    assert_eq!(sandbox.events(&[]).await.len(), everyone);
    sandbox.let_pass(3600);
    assert_eq!(sandbox.events_of(alice).await, [json!(null); 0]);
    assert_eq!(sandbox.events_of(dave).await, of_dave);
    assert_eq!(sandbox.events(&[]).await.len(), everyone - of_alice);
    assert_eq!(sandbox.events_of("nobody-17").await, [json!(null); 0]);
    // Nor does a later export have them.
    let task = sandbox.created(RETRIEVALS, alice).await;
    sandbox.let_pass(3600);
    let link = sandbox.get(RETRIEVALS, &task).await.body["results"]["results"].clone();
    let archive = sandbox
        .client
        .get(link.as_str().expect("a link"))
        .send()
        .await;
    let archive = archive
        .expect("an archive")
        .bytes()
        .await
        .expect("an archive");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).expect("a zip");
    for name in ["events.json", "people.json"] {
        assert_eq!(archive.by_name(name).expect(name).size(), 0);
    }
}

#[tokio::test]
async fn someone_who_returns_sends_one_event_after_the_deletion() {
    let sandbox = queried();
    let before = sandbox.events_of("returns-1").await;
    sandbox.erased("returns-1").await;
    assert_eq!(sandbox.events_of("returns-1").await, [json!(null); 0]);
    sandbox.let_pass(3600);
    let after = sandbox.events_of("returns-1").await;
    assert_eq!(after.len(), 1);
    let time = |event: &Value| event["properties"]["time"].as_i64();
    assert!(before.iter().all(|event| time(event) < time(&after[0])));
}

#[tokio::test]
async fn days_events_filters_and_limits_choose() {
    let sandbox = queried();
    let all = sandbox.events(&[]).await;
    let time = |event: &Value| event["properties"]["time"].as_i64().expect("a time");
    assert!(all.is_sorted_by_key(time));
    assert_eq!(sandbox.events(&[("limit", "3")]).await, all[..3]);
    let named = sandbox
        .events(&[("event", r#"["Search", "Purchase"]"#)])
        .await;
    let is_one =
        |event: &&Value| ["Search", "Purchase"].contains(&event["event"].as_str().unwrap());
    assert_eq!(
        named,
        all.iter().filter(is_one).cloned().collect::<Vec<_>>()
    );
    // Both days are whole.
    let first = chrono::DateTime::from_timestamp(time(&all[0]), 0)
        .expect("a time")
        .date_naive();
    let day = [
        ("from_date", first.to_string()),
        ("to_date", first.to_string()),
    ];
    let reply = sandbox
        .asked(Method::GET, EXPORT)
        .query(&day)
        .send()
        .await
        .expect("a reply");
    let lines = reply.text().await.expect("lines");
    assert!(lines.contains(&all[0].to_string()), "{lines}");
    let exact = sandbox
        .events(&[("limit", "1"), ("time_in_ms", "true")])
        .await;
    assert_eq!(time(&exact[0]), time(&all[0]) * 1000);
}

#[tokio::test]
async fn what_is_required_is_demanded() {
    let sandbox = queried();
    for asked in [
        &[][..],
        &[("from_date", "2026-01-01")],
        &[("to_date", "2026-01-01")],
        &[("from_date", "2026-01-02"), ("to_date", "2026-01-01")],
        &[("from_date", "2026-1-1"), ("to_date", "2026-01-01")],
        &[ALL[0], ALL[1], ("where", "all")],
        &[ALL[0], ALL[1], ("event", "Search")],
        &[ALL[0], ALL[1], ("limit", "0")],
        &[ALL[0], ALL[1], ("limit", "100001")],
        &[ALL[0], ALL[1], ("time_in_ms", "1")],
        &[ALL[0], ALL[1], ("distinct_id", "user-17")],
    ] {
        let reply = send(sandbox.export(asked)).await;
        assert_eq!(reply.status, 400, "{asked:?}");
        assert!(!reply.error().is_empty());
    }
}

#[tokio::test]
async fn a_long_export_is_compressed_if_asked() {
    let sandbox = queried();
    let plain = Client::builder().no_proxy().no_gzip();
    let plain = plain.build().expect("a client");
    let ask = |encoding: &'static str| {
        let request = sandbox.export(&ALL).header("accept-encoding", encoding);
        let request = request.build().expect("a request");
        plain.execute(request)
    };
    let packed = ask("br, gzip").await.expect("a reply");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.expect("bytes");
    let mut lines = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut lines)
        .expect("lines");
    let identity = ask("identity").await.expect("a reply");
    assert!(!identity.headers().contains_key("content-encoding"));
    assert!(lines == identity.text().await.expect("lines"), "{lines}");
}

#[tokio::test]
async fn exports_of_events_have_an_hourly_limit_of_their_own() {
    let sandbox = queried_with(|settings| settings.queries_per_hour = 1);
    assert_eq!(
        sandbox.export(&ALL).send().await.expect("a reply").status(),
        200
    );
    assert_eq!(send(sandbox.export(&ALL)).await.status, 429);
    assert_eq!(sandbox.known(&["user-17"]).await, ["user-17"]);
}
