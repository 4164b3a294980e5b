//! Who gets in, and which paths exist.

use super::*;

const CALLS: [(Method, &str); 5] = [
    (Method::POST, "/data-retrievals/v3.0/"),
    (Method::GET, "/data-retrievals/v3.0/1/"),
    (Method::POST, "/data-deletions/v3.0/"),
    (Method::GET, "/data-deletions/v3.0/1/"),
    (Method::DELETE, "/data-deletions/v3.0/1/"),
];

#[tokio::test]
async fn a_missing_or_wrong_bearer_token_is_unauthorized() {
    let sandbox = Sandbox::new();
    for (method, path) in CALLS {
        let url = format!("{}{path}", sandbox.running.api_url());
        let call = || {
            sandbox
                .client
                .request(method.clone(), &url)
                .query(&[("token", &sandbox.project)])
        };
        let wrong = [
            call(),
            call().bearer_auth("real-looking-token"),
            call().bearer_auth(format!("{OAUTH_TOKEN}x")),
            call().basic_auth(OAUTH_TOKEN, None::<&str>),
            call().header("authorization", OAUTH_TOKEN),
            call().header("authorization", format!("Token {OAUTH_TOKEN}")),
        ];
        for request in wrong {
            let reply = send(request).await;
            assert_eq!(reply.status, 401, "{method} {path}");
            assert!(!reply.error().is_empty());
        }
    }
    assert_eq!(sandbox.count("task"), 0);
}

#[tokio::test]
async fn a_missing_or_malformed_project_token_is_forbidden() {
    let sandbox = Sandbox::new();
    let shouted = sandbox.project.to_uppercase();
    for (method, path) in CALLS {
        let url = format!("{}{path}", sandbox.running.api_url());
        let call = || {
            sandbox
                .client
                .request(method.clone(), &url)
                .bearer_auth(OAUTH_TOKEN)
        };
        let wrong = [
            call(),
            call().query(&[("token", "")]),
            call().query(&[("token", "abc")]),
            call().query(&[("token", &shouted)]),
            call().query(&[("token", FORBIDDEN_PROJECT_TOKEN)]),
            call().query(&[("token", &sandbox.project), ("token", &sandbox.project)]),
        ];
        for request in wrong {
            let reply = send(request).await;
            assert_eq!(reply.status, 403, "{method} {path}");
            assert!(!reply.error().is_empty());
        }
    }
}

#[tokio::test]
async fn a_numeric_project_id_is_told_to_be_a_project_token() {
    let sandbox = Sandbox {
        project: "2195193".into(),
        ..Sandbox::new()
    };
    let reply = sandbox
        .create(RETRIEVALS, json!({"distinct_ids": ["user-17"]}))
        .await;
    assert_eq!(reply.status, 403);
    assert!(
        reply.error().contains("use the project token"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn a_project_of_another_region_is_not_found_on_every_create() {
    let sandbox = Sandbox {
        project: WRONG_REGION_PROJECT_TOKEN.into(),
        ..Sandbox::new()
    };
    for collection in [RETRIEVALS, DELETIONS] {
        let reply = sandbox
            .create(collection, json!({"distinct_ids": ["user-17"]}))
            .await;
        assert_eq!(reply.status, 404);
        assert!(reply.error().contains("region"));
    }
    assert_eq!(sandbox.count("task"), 0);
}

#[tokio::test]
async fn a_path_without_its_slash_is_redirected_and_creates_nothing() {
    let sandbox = Sandbox::new();
    for (method, path) in CALLS {
        let path = path.trim_end_matches('/');
        let body = json!({"distinct_ids": ["user-17"]});
        let reply = send(sandbox.request(method.clone(), path).json(&body)).await;
        assert_eq!(reply.status, 301, "{method} {path}");
        let location = reply.headers["location"].to_str().expect("a text");
        assert_eq!(
            location,
            format!("/api/app{path}/?token={}", sandbox.project)
        );
    }
    assert_eq!(sandbox.count("task"), 0);
}

#[tokio::test]
async fn what_no_operation_takes_is_not_allowed() {
    let sandbox = Sandbox::new();
    let task = sandbox.created(RETRIEVALS, "user-17").await;
    let task = format!("{RETRIEVALS}{task}/");
    let calls = [
        (Method::GET, RETRIEVALS),
        (Method::GET, DELETIONS),
        (Method::DELETE, RETRIEVALS),
        (Method::DELETE, DELETIONS),
        (Method::DELETE, task.as_str()),
        (Method::POST, task.as_str()),
    ];
    for (method, path) in calls {
        let reply = send(sandbox.request(method.clone(), path)).await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert!(!reply.error().is_empty());
    }
    let reply = send(sandbox.request(Method::GET, "/projects/")).await;
    assert_eq!((reply.status, reply.error()), (404, "no such path"));
}
