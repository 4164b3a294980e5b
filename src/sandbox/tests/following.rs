//! Tasks over time: statuses and cancellation.

use super::*;

#[tokio::test]
async fn a_task_goes_through_the_documented_statuses_in_time() {
    let sandbox = Sandbox::new();
    let retrieval = sandbox.created(RETRIEVALS, "user-17").await;
    let deletion = sandbox.created(DELETIONS, "user-17").await;
    for status in ["PENDING", "STAGING", "STARTED", "STARTED", "SUCCESS"] {
        assert_eq!(
            sandbox.get(RETRIEVALS, &retrieval).await.task_status(),
            status
        );
        assert_eq!(
            sandbox.get(DELETIONS, &deletion).await.task_status(),
            status
        );
        sandbox.let_pass(900);
    }
}

#[tokio::test]
async fn a_job_takes_the_time_it_was_created_with() {
    let sandbox = Sandbox::with(|settings| settings.job_seconds = 0.2);
    let task = sandbox.created(DELETIONS, "user-17").await;
    let slower = start(patient_settings(sandbox.folder.path())).expect("a sandbox");
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    let sandbox = Sandbox {
        running: slower,
        ..sandbox
    };
    assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), "SUCCESS");
}

#[tokio::test]
async fn a_deletion_status_has_every_field_the_description_requires() {
    let sandbox = Sandbox::new();
    let body = json!({"distinct_ids": ["b", "a", "b"], "compliance_type": "ccpa"});
    let task = sandbox.create(DELETIONS, body).await.task_id();
    let mut reply = sandbox.get(DELETIONS, &task).await;
    assert_eq!(reply.status, 200);
    let date = reply.body["results"]["date_requested"].take();
    chrono::NaiveDateTime::parse_from_str(date.as_str().expect("a date"), "%Y-%m-%dT%H:%M:%S")
        .expect("no zone");
    assert!(reply.body["results"]["project_id"].take().is_u64());
    assert_eq!(
        reply.body,
        json!({"status": "ok", "results": {
            "tracking_id": task, "status": "PENDING", "requesting_user": "operator@example.test",
            "compliance_type": "CCPA", "project_id": null, "date_requested": null,
            "distinct_ids": ["b", "a", "b"],
        }})
    );
}

#[tokio::test]
async fn the_link_is_under_the_name_of_the_tasks_own_shape_and_empty_until_done() {
    for (create_reply, name) in [
        (CreateReply::Object, "results"),
        (CreateReply::List, "result"),
    ] {
        let sandbox = Sandbox::with(|settings| settings.create_reply = create_reply);
        let task = sandbox.created(RETRIEVALS, "user-17").await;
        for status in ["PENDING", "STAGING", "STARTED", "STARTED"] {
            let reply = sandbox.get(RETRIEVALS, &task).await;
            let results = json!({"status": status, name: "", "distinct_ids": ["user-17"]});
            assert_eq!(reply.body, json!({"status": "ok", "results": results}));
            sandbox.let_pass(900);
        }
        let reply = sandbox.get(RETRIEVALS, &task).await;
        let link = reply.body["results"][name].as_str().expect("a link");
        assert!(
            link.starts_with(&format!("http://{}/exports/", sandbox.running.address())),
            "{link}"
        );
    }
}

#[tokio::test]
async fn a_task_nobody_has_is_404() {
    let sandbox = Sandbox::new();
    for id in [
        "1600000000000000001",
        "3e0b7f52-8b1c-4d2e-9f3a-5c6d7e8f9a0b",
        "a%2Fb",
        "%20",
    ] {
        for collection in [RETRIEVALS, DELETIONS] {
            let reply = sandbox.get(collection, id).await;
            assert_eq!((reply.status, reply.error()), (404, "no such task"), "{id}");
        }
        assert_eq!(sandbox.cancel(id).await.status, 404);
    }
}

#[tokio::test]
async fn a_task_of_another_project_or_endpoint_is_not_found_and_tells_nothing() {
    let mut sandbox = Sandbox::with(|settings| settings.job_seconds = 0.0);
    let retrieval = sandbox.created(RETRIEVALS, "user-17").await;
    let deletion = sandbox.created(DELETIONS, "user-17").await;
    assert_eq!(
        sandbox.get(DELETIONS, &retrieval).await.task_status(),
        "NOT_FOUND"
    );
    assert_eq!(
        sandbox.get(RETRIEVALS, &deletion).await.task_status(),
        "NOT_FOUND"
    );
    sandbox.project = project_token("globex");
    for (collection, task) in [(RETRIEVALS, &retrieval), (DELETIONS, &deletion)] {
        let reply = sandbox.get(collection, task).await;
        assert_eq!(reply.task_status(), "NOT_FOUND");
        assert_eq!(reply.body["results"]["distinct_ids"], json!([]));
        assert!(
            !reply.body.to_string().contains("user-17")
                && !reply.body.to_string().contains("/exports/")
        );
    }
}

#[tokio::test]
async fn a_deletion_can_be_cancelled_until_it_starts() {
    for (seconds, before) in [(0, "PENDING"), (900, "STAGING")] {
        let sandbox = Sandbox::new();
        let task = sandbox.created(DELETIONS, "user-17").await;
        sandbox.let_pass(seconds);
        assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), before);
        let reply = sandbox.cancel(&task).await;
        assert_eq!((reply.status, reply.body), (204, Value::Null));
        assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), "REVOKED");
        sandbox.let_pass(7200);
        assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), "REVOKED");
    }
}

#[tokio::test]
async fn a_deletion_that_started_ended_or_was_revoked_cannot_be_cancelled() {
    for (seconds, before) in [(1800, "STARTED"), (3600, "SUCCESS")] {
        let sandbox = Sandbox::new();
        let task = sandbox.created(DELETIONS, "user-17").await;
        sandbox.let_pass(seconds);
        let reply = sandbox.cancel(&task).await;
        assert_eq!(
            (reply.status, reply.error().contains(before)),
            (405, true),
            "{}",
            reply.body
        );
        assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), before);
    }
    let sandbox = Sandbox::new();
    let task = sandbox.created(DELETIONS, "user-17").await;
    assert_eq!(sandbox.cancel(&task).await.status, 204);
    assert_eq!(sandbox.cancel(&task).await.status, 405);
}

#[tokio::test]
async fn what_is_not_a_deletion_of_this_project_cannot_be_cancelled() {
    let mut sandbox = Sandbox::new();
    let retrieval = sandbox.created(RETRIEVALS, "user-17").await;
    let deletion = sandbox.created(DELETIONS, "user-17").await;
    assert_eq!(sandbox.cancel(&retrieval).await.status, 404);
    let own = std::mem::replace(&mut sandbox.project, project_token("globex"));
    assert_eq!(sandbox.cancel(&deletion).await.status, 404);
    sandbox.project = own;
    assert_eq!(
        sandbox.get(DELETIONS, &deletion).await.task_status(),
        "PENDING"
    );
    assert_eq!(
        sandbox.get(RETRIEVALS, &retrieval).await.task_status(),
        "PENDING"
    );
}
