//! Imported events, and deleted profiles.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::queries::{queried, queried_with};
use super::*;

fn event(id: &str, insert_id: &str, time: i64) -> Value {
    json!({ "event": "Buy", "properties": { "time": time, "distinct_id": id, "$insert_id": insert_id, "n": 1.50 } })
}

impl Sandbox {
    fn import_of(&self, body: &Value) -> RequestBuilder {
        self.asked(Method::POST, "/import")
            .query(&[("strict", "1")])
            .json(body)
    }

    async fn import(&self, body: Value) -> Reply {
        send(self.import_of(&body)).await
    }

    async fn imported(&self) -> Vec<Value> {
        let days = [
            ("from_date", "2020-01-01"),
            ("to_date", "2100-01-01"),
            ("event", "[\"Buy\"]"),
        ];
        let request = self.asked(Method::GET, "/api/2.0/export").query(&days);
        let text = request.send().await.expect("a reply");
        let text = text.text().await.expect("lines");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    async fn engage(&self, query: &[(&str, &str)], body: Value) -> reqwest::Response {
        let url = format!("http://{}/engage", self.running.address());
        let request = self.client.post(url).query(query).json(&body);
        request.send().await.expect("a reply")
    }
}

#[tokio::test]
async fn an_imported_event_counts_once_and_is_in_the_export() {
    let sandbox = queried();
    let events = json!([
        event("anon-1", "a", 1_790_000_000),
        event("anon-1", "b", 1_790_000_001)
    ]);
    for _ in 0..2 {
        let reply = sandbox.import(events.clone()).await;
        assert_eq!(
            (reply.status, &reply.body["num_records_imported"]),
            (200, &json!(2))
        );
    }
    let imported = sandbox.imported().await;
    assert_eq!(json!(imported), events);
    // A deletion erases what came before it was done.
    sandbox.erased("anon-1").await;
    assert!(sandbox.imported().await.is_empty());
    sandbox.import(events.clone()).await;
    assert_eq!(json!(sandbox.imported().await), events);
}

#[tokio::test]
async fn a_packed_body_is_taken_and_each_bad_event_is_named() {
    let sandbox = queried();
    let events = json!([
        event("anon-1", "a", 1_790_000_000),
        event("anon-1", "a b", 1_790_000_000),
        event("null", "c", 1_790_000_000),
        { "event": "Buy", "properties": { "time": "x", "distinct_id": "u", "$insert_id": "d" } },
        { "properties": {} },
    ]);
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer
        .write_all(events.to_string().as_bytes())
        .expect("memory");
    let request = sandbox
        .asked(Method::POST, "/import")
        .query(&[("strict", "1")])
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(packer.finish().expect("memory"));
    let reply = send(request).await;
    assert_eq!(
        (reply.status, &reply.body["num_records_imported"]),
        (400, &json!(1))
    );
    let failed = reply.body["failed_records"].as_array().expect("records");
    let named: Vec<_> = failed
        .iter()
        .map(|one| (&one["index"], &one["field"]))
        .collect();
    let fields = [
        "properties.$insert_id",
        "properties.distinct_id",
        "properties.time",
        "event",
    ];
    for (place, field) in fields.into_iter().enumerate() {
        assert_eq!(named[place], (&json!(place + 1), &json!(field)));
    }
    assert_eq!(failed[0]["insert_id"], "a b");
}

#[tokio::test]
async fn an_import_keeps_the_limits_and_the_account() {
    let sandbox = queried_with(|settings| {
        settings.max_import_events = 2;
        settings.max_import_bytes = 400;
    });
    let one = event("anon-1", "a", 1_790_000_000);
    let reply = sandbox.import(json!([one, one, one])).await;
    assert_eq!((reply.status, &reply.body["code"]), (413, &json!(413)));
    let mut long = one.clone();
    long["properties"]["x"] = "x".repeat(400).into();
    assert_eq!(sandbox.import(json!([long])).await.status, 413);
    assert_eq!(sandbox.import(json!([])).await.status, 400);
    assert_eq!(sandbox.import(json!({})).await.status, 400);
    let url = format!("http://{}/import?strict=1", sandbox.running.address());
    let bare = sandbox.client.post(&url).json(&json!([one]));
    assert_eq!(send(bare).await.body["error"], "Invalid credentials");
    let other = sandbox
        .client
        .post(format!("{url}&project_id=1"))
        .basic_auth(SERVICE_ACCOUNT, Some(SERVICE_ACCOUNT_SECRET))
        .json(&json!([one]));
    assert_eq!(send(other).await.status, 403);
    assert_eq!(sandbox.count("imported"), 0);
}

#[tokio::test]
async fn a_deleted_profile_is_gone_and_its_events_stay() {
    let sandbox = queried();
    assert_eq!(sandbox.known(&["user-17", "user-1001"]).await.len(), 2);
    let update = |id: &str| json!({ "$token": sandbox.project, "$distinct_id": id, "$delete": "", "$ignore_alias": true });
    let plain = sandbox.engage(&[], json!([update("user-17")])).await;
    assert_eq!(plain.text().await.expect("a text"), "1");
    assert_eq!(
        sandbox.known(&["user-17", "user-1001"]).await,
        ["user-1001"]
    );
    let strict = [("strict", "1"), ("verbose", "1")];
    let wrong = json!({ "$token": "x", "$distinct_id": "user-1001", "$delete": "" });
    let reply = sandbox
        .engage(&strict, json!([update(""), wrong, update("user-1001")]))
        .await;
    assert_eq!(reply.status(), 400);
    let body: Value = serde_json::from_str(&reply.text().await.expect("a text")).expect("JSON");
    assert_eq!(body["num_records_imported"], 1);
    let fields = ["$distinct_id", "$token"];
    for (place, field) in fields.into_iter().enumerate() {
        let record = &body["failed_records"][place];
        assert_eq!(
            (&record["index"], &record["field"]),
            (&json!(place), &json!(field))
        );
    }
    assert!(sandbox.known(&["user-1001"]).await.is_empty());
    let verbose = sandbox
        .engage(&[("verbose", "1")], json!([{ "$set": {} }]))
        .await;
    let body: Value = serde_json::from_str(&verbose.text().await.expect("a text")).expect("JSON");
    assert_eq!(body["status"], 0);
}
