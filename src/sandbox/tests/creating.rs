//! The replies and refusals of a create.

use super::*;

const SUBJECT: &str = "3e0b7f52-8b1c-4d2e-9f3a-5c6d7e8f9a0b";

#[tokio::test]
async fn the_object_shape_has_a_uuid_task_id() {
    let sandbox = Sandbox::new();
    for collection in [RETRIEVALS, DELETIONS] {
        let reply = sandbox
            .create(collection, json!({"distinct_ids": ["user-17"]}))
            .await;
        let id = reply.task_id();
        assert_eq!(
            reply.body,
            json!({"status": "ok", "results": {"task_id": id}})
        );
        let uuid = uuid::Uuid::parse_str(&id).expect("a UUID");
        assert_eq!((uuid.get_version_num(), uuid.to_string()), (4, id));
    }
}

#[tokio::test]
async fn the_list_shape_has_a_19_digit_tracking_id_and_the_documented_fields() {
    let sandbox = Sandbox::with(|settings| settings.create_reply = CreateReply::List);
    let body = json!({"distinct_ids": ["a", "b"], "compliance_type": "CCPA", "disclosure_type": "Sources"});
    let reply = sandbox.create(RETRIEVALS, body).await;
    let id = reply.task_id();
    assert!(
        id.len() == 19 && id.bytes().all(|byte| byte.is_ascii_digit()),
        "{id}"
    );
    id.parse::<i64>().expect("64 bits");

    let mut item = reply.body["results"][0].clone();
    let date = item["date_requested"].take();
    let date = date.as_str().expect("a date");
    let date =
        chrono::NaiveDateTime::parse_from_str(date, "%Y-%m-%dT%H:%M:%S%.6f").expect("no zone");
    let created: i64 = sandbox
        .database()
        .query_row("SELECT created_at FROM task", [], |row| row.get(0))
        .expect("a task");
    assert_eq!(date.and_utc().timestamp_micros(), created);
    assert!(item["project_id"].take().is_u64());
    assert_eq!(
        item,
        json!({
            "tracking_id": id, "status": "PENDING", "compliance_type": "ccpa", "disclosure_type": "SOURCES",
            "destination_url": null, "date_requested": null, "project_id": null,
            "requesting_user": "operator@example.test", "distinct_id_count": 2,
        })
    );
}

#[tokio::test]
async fn both_shapes_come_in_turn_even_across_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lists = Vec::new();
    for _ in 0..4 {
        let settings = Settings {
            create_reply: CreateReply::Alternate,
            ..patient_settings(folder.path())
        };
        let running = start(settings).expect("a sandbox");
        let request = client()
            .post(format!("{}{RETRIEVALS}", running.api_url()))
            .query(&[("token", project_token("acme"))])
            .bearer_auth(OAUTH_TOKEN);
        let reply = send(request.json(&json!({"distinct_ids": ["a"]}))).await;
        lists.push(reply.body["results"].is_array());
    }
    assert_eq!(lists, [false, true, false, true]);
}

#[tokio::test]
async fn a_bad_body_is_refused_with_a_reason() {
    let sandbox = Sandbox::new();
    for body in [
        json!({}),
        json!({"distinct_ids": []}),
        json!({"distinct_ids": [17]}),
        json!(["user-17"]),
    ] {
        for collection in [RETRIEVALS, DELETIONS] {
            let reply = sandbox.create(collection, body.clone()).await;
            assert_eq!(reply.status, 400, "{body}");
            assert!(!reply.error().is_empty());
        }
    }
    let reply = send(sandbox.request(Method::POST, DELETIONS).body("no json")).await;
    assert_eq!(
        (reply.status, reply.error()),
        (400, "the body is not valid JSON")
    );
    assert_eq!(sandbox.count("task"), 0);
}

#[tokio::test]
async fn too_many_ids_are_413_for_deletions_and_400_for_retrievals() {
    let sandbox = Sandbox::with(|settings| {
        settings.max_deletion_ids = 2;
        settings.max_retrieval_ids = 3;
    });
    let (two, three, four) = (
        json!(["a", "b"]),
        json!(["c", "d", "e"]),
        json!(["f", "g", "h", "i"]),
    );
    assert_eq!(
        sandbox
            .create(DELETIONS, json!({"distinct_ids": two}))
            .await
            .status,
        201
    );
    assert_eq!(
        sandbox
            .create(RETRIEVALS, json!({"distinct_ids": three}))
            .await
            .status,
        201
    );
    let deletion = sandbox
        .create(DELETIONS, json!({"distinct_ids": three}))
        .await;
    assert_eq!(
        (
            deletion.status,
            deletion.error().contains("too many distinct_ids")
        ),
        (413, true)
    );
    let retrieval = sandbox
        .create(RETRIEVALS, json!({"distinct_ids": four}))
        .await;
    assert_eq!(
        (
            retrieval.status,
            retrieval.error().contains("too many distinct_ids")
        ),
        (400, true)
    );
    assert_eq!(sandbox.count("task"), 2);
}

#[tokio::test]
async fn a_body_over_eight_mebibytes_is_413_and_the_reply_arrives() {
    let sandbox = Sandbox::new();
    let body = |size: usize| {
        let frame = r#"{"distinct_ids":[""]}"#.len();
        format!(r#"{{"distinct_ids":["{}"]}}"#, "x".repeat(size - frame))
    };
    let fits = send(
        sandbox
            .request(Method::POST, RETRIEVALS)
            .body(body(8 << 20)),
    )
    .await;
    assert_eq!(fits.status, 201);
    for size in [(8 << 20) + 1, 24 << 20] {
        let reply = send(sandbox.request(Method::POST, RETRIEVALS).body(body(size))).await;
        assert_eq!(
            (reply.status, reply.error()),
            (413, "the body is larger than 8 MiB")
        );
    }
    // No other refusal cuts the caller off either.
    let request = sandbox
        .client
        .post(format!("{}{RETRIEVALS}", sandbox.running.api_url()));
    assert_eq!(send(request.body(body(24 << 20))).await.status, 401);
}

#[tokio::test]
async fn an_id_with_an_active_deletion_is_a_conflict_and_nothing_is_created() {
    let sandbox = Sandbox::new();
    let first = sandbox.created(DELETIONS, "user-17").await;
    let second = sandbox.created(DELETIONS, "user-18").await;
    let ids = json!({"distinct_ids": ["user-16", "user-17", "user-17", "user-18"]});
    let reply = sandbox.create(DELETIONS, ids).await;
    assert_eq!(reply.status, 409);
    assert_eq!(reply.body["status"], "error");
    let error = &reply.body["error"];
    assert_eq!(
        error["conflicting_distinct_ids"],
        json!(["user-17", "user-18"])
    );
    assert_eq!(error["conflicting_task_ids"], json!([first, second]));
    assert!(error["error"].is_string());
    assert_eq!(sandbox.count("task"), 2);
    sandbox.created(DELETIONS, "user-16").await;
}

#[tokio::test]
async fn ids_conflict_byte_for_byte_in_their_own_project_and_among_deletions_only() {
    let mut sandbox = Sandbox::new();
    sandbox.created(RETRIEVALS, "user-17").await;
    sandbox.created(RETRIEVALS, "user-17").await;
    sandbox.created(DELETIONS, "user-17").await;
    sandbox.created(RETRIEVALS, "user-17").await;
    for other in ["USER-17", "user-17 ", "user-17\0", "üser-17"] {
        sandbox.created(DELETIONS, other).await;
    }
    sandbox.project = project_token("globex");
    sandbox.created(DELETIONS, "user-17").await;
}

#[tokio::test]
async fn a_deletion_conflicts_until_it_is_done_and_no_longer() {
    let sandbox = Sandbox::new();
    let body = || json!({"distinct_ids": ["user-17"]});
    sandbox.created(DELETIONS, "user-17").await;
    sandbox.let_pass(3590);
    assert_eq!(sandbox.create(DELETIONS, body()).await.status, 409);
    sandbox.let_pass(10);
    let second = sandbox.create(DELETIONS, body()).await.task_id();
    let reply = sandbox.create(DELETIONS, body()).await;
    assert_eq!(reply.body["error"]["conflicting_task_ids"], json!([second]));
}

#[tokio::test]
async fn a_cancelled_deletion_conflicts_no_longer() {
    let sandbox = Sandbox::new();
    let first = sandbox.created(DELETIONS, "user-17").await;
    assert_eq!(sandbox.cancel(&first).await.status, 204);
    sandbox.created(DELETIONS, "user-17").await;
}

#[tokio::test]
async fn a_repeated_subject_request_id_is_refused_in_its_own_project() {
    let mut sandbox = Sandbox::new();
    let body = |id: &str| {
        json!({
            "distinct_ids": [id], "subject_request_id": SUBJECT,
            "status_callback_urls": ["https://dsr.example.test/callback"],
        })
    };
    sandbox.create(DELETIONS, body("user-17")).await.task_id();
    for collection in [RETRIEVALS, DELETIONS] {
        let reply = sandbox.create(collection, body("user-18")).await;
        assert_eq!(
            (reply.status, reply.error().contains("subject_request_id")),
            (400, true)
        );
    }
    assert_eq!(sandbox.count("task"), 1);
    // A repeated POST must find its task, whatever else it repeats.
    assert_eq!(sandbox.create(DELETIONS, body("user-17")).await.status, 409);
    sandbox.project = project_token("globex");
    sandbox.create(DELETIONS, body("user-17")).await.task_id();
}

#[tokio::test]
async fn what_goes_with_callbacks_is_stored_and_nobody_is_called() {
    let sandbox = Sandbox::with(|settings| settings.job_seconds = 0.0);
    // A connection here would succeed at once.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a mode");
    let url = format!(
        "https://{}/callback",
        listener.local_addr().expect("an address")
    );
    let body = json!({"distinct_ids": ["a"], "subject_request_id": SUBJECT, "status_callback_urls": [url]});
    let task = sandbox.create(DELETIONS, body).await.task_id();
    assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), "SUCCESS");
    let sql = "SELECT subject_request_id, status_callback_urls FROM task";
    let stored: (String, String) = sandbox
        .database()
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("a task");
    assert_eq!(stored, (SUBJECT.to_owned(), json!([url]).to_string()));
    assert!(listener.accept().is_err());
}
