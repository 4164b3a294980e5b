//! What a service account may ask: who gets in, and the profiles of a project.

use super::*;

const QUERY: &str = "/api/query/engage";
const PIPELINES: &str = "/api/2.0/nessie/pipeline/jobs";

impl Sandbox {
    fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    fn imports(&self) -> String {
        format!(
            "/api/app/projects/{}/warehouse-sources/imports",
            project_id(&self.project)
        )
    }

    /// As the service account, about the sandbox's project.
    pub(super) fn asked(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, self.address(path))
            .query(&[("project_id", project_id(&self.project))])
            .basic_auth(SERVICE_ACCOUNT, Some(SERVICE_ACCOUNT_SECRET))
    }

    async fn query(&self, form: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        let request = self.asked(Method::POST, QUERY).header("content-type", kind);
        send(request.body(body)).await
    }

    /// The ids that have profiles, of those asked for.
    pub(super) async fn known(&self, ids: &[&str]) -> Vec<Value> {
        self.found(&[("distinct_ids", &json!(ids).to_string())])
            .await
    }

    async fn found(&self, form: &[(&str, &str)]) -> Vec<Value> {
        let reply = self.query(form).await;
        assert_eq!(
            (reply.status, &reply.body["status"]),
            (200, &json!("ok")),
            "{}",
            reply.body
        );
        let results = reply.body["results"].as_array().expect("profiles");
        assert_eq!(reply.body["total"], results.len());
        results
            .iter()
            .map(|one| one["$distinct_id"].clone())
            .collect()
    }

    pub(super) async fn erased(&self, id: &str) {
        self.created(DELETIONS, id).await;
        self.let_pass(3600);
    }
}

/// The account sees the sandbox's own project before it has called.
pub(super) fn queried() -> Sandbox {
    queried_with(|_| {})
}

pub(super) fn queried_with(change: impl FnOnce(&mut Settings)) -> Sandbox {
    Sandbox {
        project: project_token("sandbox"),
        ..Sandbox::with(change)
    }
}

fn with_email(email: &str) -> String {
    format!(r#"properties["$email"] == "{email}""#)
}

#[tokio::test]
async fn only_the_account_is_answered() {
    let sandbox = queried();
    let calls = [
        (Method::GET, "/api/app/me".to_owned()),
        (Method::POST, QUERY.to_owned()),
        (Method::GET, "/api/2.0/export".to_owned()),
        (Method::GET, PIPELINES.to_owned()),
        (Method::GET, sandbox.imports()),
    ];
    for (method, path) in calls {
        let call = || {
            let request = sandbox
                .client
                .request(method.clone(), sandbox.address(&path));
            request.query(&[("project_id", project_id(&sandbox.project))])
        };
        for request in [
            call(),
            call().bearer_auth(OAUTH_TOKEN),
            call().basic_auth(SERVICE_ACCOUNT, None::<&str>),
            call().basic_auth(SERVICE_ACCOUNT, Some("wrong")),
            call().basic_auth(SERVICE_ACCOUNT_SECRET, Some(SERVICE_ACCOUNT)),
            call().basic_auth(&sandbox.project, Some("")),
        ] {
            let reply = send(request).await;
            assert_eq!(reply.status, 401, "{method} {path}");
            assert!(!reply.error().is_empty());
        }
    }
    assert_eq!(sandbox.count("query"), 0);
    // The account's own credentials are no token.
    let task = sandbox.asked(Method::GET, "/api/app/data-deletions/v3.0/1/");
    assert_eq!(send(task).await.status, 401);
}

#[tokio::test]
async fn a_project_of_another_is_forbidden_until_it_has_called() {
    let mut sandbox = queried();
    sandbox.project = project_token("shop");
    // The project, whether it calls first, and what the account then gets.
    let forbidden = FORBIDDEN_PROJECT_TOKEN.to_owned();
    for (project, calls, status) in [
        (project_token("shop"), false, 403),
        (forbidden.clone(), false, 403),
        (forbidden, true, 403),
        (project_token("shop"), true, 200),
    ] {
        sandbox.project = project;
        if calls {
            sandbox.get(DELETIONS, "1").await;
        }
        assert_eq!(sandbox.query(&[]).await.status, status);
        for path in [PIPELINES, &sandbox.imports()] {
            let list = sandbox.asked(Method::GET, path);
            assert_eq!(send(list).await.status, status, "{path}");
        }
    }
    for (id, status) in [
        ("", 400),
        ("shop", 400),
        ("-1", 400),
        ("1", 403),
        ("99999999999", 403),
    ] {
        let query = sandbox
            .client
            .post(format!("{}?project_id={id}", sandbox.address(QUERY)));
        let query = query.basic_auth(SERVICE_ACCOUNT, Some(SERVICE_ACCOUNT_SECRET));
        assert_eq!(send(query).await.status, status, "{id}");
    }
    let without = sandbox.client.post(sandbox.address(QUERY));
    let without = without.basic_auth(SERVICE_ACCOUNT, Some(SERVICE_ACCOUNT_SECRET));
    assert_eq!(send(without).await.status, 400);
}

#[tokio::test]
async fn the_account_and_what_copies_the_data_are_shown() {
    let sandbox = queried();
    let id = project_id(&sandbox.project);
    let me = sandbox.client.get(sandbox.address("/api/app/me"));
    let me = send(me.basic_auth(SERVICE_ACCOUNT, Some(SERVICE_ACCOUNT_SECRET))).await;
    assert_eq!(me.body["results"]["user_email"], SERVICE_ACCOUNT);
    assert_eq!(me.body["results"]["projects"][id.to_string()]["id"], id);
    let pipelines = send(sandbox.asked(Method::GET, PIPELINES)).await;
    assert!(
        pipelines.body[id.to_string()][0]["name"].is_string(),
        "{}",
        pipelines.body
    );
    let imports = send(sandbox.asked(Method::GET, &sandbox.imports())).await;
    assert_eq!(
        imports.body["results"][0]["import_type"], "people",
        "{}",
        imports.body
    );
}

#[tokio::test]
async fn nobody_and_devices_have_no_profile() {
    let sandbox = queried();
    let asked = [
        "user-17",
        "nobody-17",
        "$device:7f3a-04",
        "user-1001",
        "4711",
        "user-17",
    ];
    assert_eq!(
        sandbox.known(&asked).await,
        [json!(4711), json!("user-1001"), json!("user-17")]
    );
    assert_eq!(
        sandbox.found(&[("distinct_id", "user-17")]).await,
        ["user-17"]
    );
    // One in ten was never collected.
    let ids: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert!((80..97).contains(&sandbox.known(&ids).await.len()));
}

#[tokio::test]
async fn a_person_is_found_by_email_phone_and_id() {
    let sandbox = queried();
    let by = async |filter: &str| sandbox.found(&[("where", filter)]).await;
    assert_eq!(
        by(&with_email("alice@example.test")).await,
        ["user-1001", "user-2001"]
    );
    assert_eq!(by(&with_email("Alice@example.test")).await, [""; 0]);
    let either = [
        with_email("bob@example.test"),
        with_email("heidi@example.test"),
    ]
    .join(" or ");
    assert_eq!(by(&either).await, ["heidi@example.test", "user-1002"]);
    let list = r#"properties["$email"] in ["bob@example.test", "nobody@example.test"]"#;
    assert_eq!(by(list).await, ["user-1002"]);
    let part = r#""ob@example" in properties["$email"]"#;
    assert_eq!(by(part).await, ["user-1002"]);
    assert_eq!(
        by(r#"properties["$distinct_id"] == "user-17""#).await,
        ["user-17"]
    );
    // A phone that is a number is equal to no text.
    let profiles = sandbox
        .query(&[("distinct_ids", r#"["user-1001", "user-1002"]"#)])
        .await;
    let phone = |number: usize| profiles.body["results"][number]["$properties"]["$phone"].clone();
    assert!(
        phone(0).is_number() && phone(1).is_string(),
        "{}",
        profiles.body
    );
    let (number, text) = (phone(0), phone(1));
    let equals = |value: &str| format!(r#"properties["$phone"] == {value}"#);
    assert_eq!(by(&equals(&number.to_string())).await, ["user-1001"]);
    assert_eq!(by(&equals(&format!("\"{number}\""))).await, [""; 0]);
    assert_eq!(by(&equals(&text.to_string())).await, ["user-1002"]);
}

#[tokio::test]
async fn someone_named_in_a_task_is_found_from_then_on() {
    let sandbox = queried();
    let profile = sandbox.query(&[("distinct_id", "user-17")]).await;
    let email = profile.body["results"][0]["$properties"]["$email"].clone();
    let filter = with_email(email.as_str().expect("an email"));
    assert_eq!(sandbox.found(&[("where", &filter)]).await, [""; 0]);
    sandbox.created(RETRIEVALS, "user-17").await;
    assert_eq!(sandbox.found(&[("where", &filter)]).await, ["user-17"]);
}

#[tokio::test]
async fn only_the_asked_properties_are_shown() {
    let sandbox = queried();
    let whole = sandbox.query(&[("distinct_id", "user-1001")]).await;
    let properties = &whole.body["results"][0]["$properties"];
    assert_eq!(properties["$email"], "alice@example.test");
    assert_eq!(properties["$distinct_ids"][0], "user-1001");
    assert!(properties["$last_seen"].is_string() && properties["$name"].is_string());
    let form = [
        ("distinct_id", "user-1001"),
        ("output_properties", r#"["$email", "none"]"#),
    ];
    let part = sandbox.query(&form).await;
    let only = json!({"$email": "alice@example.test"});
    assert_eq!(part.body["results"][0]["$properties"], only);
}

#[tokio::test]
async fn a_deleted_person_is_gone_when_the_deletion_is_done_and_not_before() {
    let sandbox = queried();
    let both = ["user-1001", "user-1002"];
    let task = sandbox.created(DELETIONS, "user-1001").await;
    assert_eq!(sandbox.known(&both).await, both);
    sandbox.let_pass(3599);
    assert_eq!(sandbox.known(&both).await, both);
    sandbox.let_pass(1);
    assert_eq!(sandbox.get(DELETIONS, &task).await.task_status(), "SUCCESS");
    assert_eq!(sandbox.known(&both).await, ["user-1002"]);
    let alice = with_email("alice@example.test");
    assert_eq!(sandbox.found(&[("where", &alice)]).await, ["user-2001"]);
    // A new deletion changes nothing of that, cancelled or not.
    let again = sandbox.created(DELETIONS, "user-1001").await;
    assert_eq!(sandbox.known(&both).await, ["user-1002"]);
    assert_eq!(sandbox.cancel(&again).await.status, 204);
    assert_eq!(sandbox.known(&both).await, ["user-1002"]);
    // Another project has people of its own.
    let other = Sandbox {
        project: project_token("shop"),
        ..sandbox
    };
    other.get(DELETIONS, "1").await;
    assert_eq!(other.known(&both).await, both);
}

#[tokio::test]
async fn a_cancelled_deletion_erases_nobody() {
    let sandbox = queried();
    let task = sandbox.created(DELETIONS, "user-17").await;
    assert_eq!(sandbox.cancel(&task).await.status, 204);
    sandbox.let_pass(7200);
    assert_eq!(sandbox.known(&["user-17"]).await, ["user-17"]);
}

#[tokio::test]
async fn someone_returns_as_long_after_the_deletion_as_it_took() {
    let sandbox = queried();
    let both = ["returns-1", "user-17"];
    sandbox.erased("returns-1").await;
    sandbox.erased("user-17").await;
    assert_eq!(sandbox.known(&["user-17"]).await, [""; 0]);
    // The deletion of `returns-1` is an hour older.
    assert_eq!(sandbox.known(&both).await, ["returns-1"]);
    sandbox.erased("returns-1").await;
    assert_eq!(sandbox.known(&both).await, [""; 0]);
    sandbox.let_pass(3600);
    assert_eq!(sandbox.known(&both).await, ["returns-1"]);
}

#[tokio::test]
async fn pages_are_of_one_list_and_need_their_session() {
    let sandbox = queried_with(|settings| settings.page_size = 2);
    let ids = r#"["a1", "a2", "a3", "a4", "a5", "nobody"]"#;
    let page = async |number: &str, session: &str| {
        let form = [
            ("distinct_ids", ids),
            ("page", number),
            ("session_id", session),
        ];
        sandbox
            .query(&form[..if session.is_empty() { 2 } else { 3 }])
            .await
    };
    let first = page("0", "").await;
    let session = first.body["session_id"]
        .as_str()
        .expect("a session")
        .to_owned();
    assert_eq!(
        (&first.body["page"], &first.body["page_size"]),
        (&json!(0), &json!(2))
    );
    let total = first.body["total"].as_u64().expect("a total");
    assert!(total > 2, "{total}");
    // What is erased between two pages leaves none of them short.
    sandbox.erased("a1").await;
    let mut listed = first.body["results"].as_array().expect("profiles").len();
    for number in 1..4 {
        let next = page(&number.to_string(), &session).await;
        assert_eq!((next.status, &next.body["page"]), (200, &json!(number)));
        listed += next.body["results"].as_array().expect("profiles").len();
    }
    assert_eq!(listed as u64, total);
    assert_eq!(page("1", "").await.status, 400);
    assert_eq!(
        page("1", "1764540000000000-0123456789abcdef").await.status,
        400
    );
    let other = [
        ("distinct_ids", r#"["b"]"#),
        ("page", "1"),
        ("session_id", &session),
    ];
    assert_eq!(sandbox.query(&other).await.status, 400);
}

#[tokio::test]
async fn a_form_that_is_not_documented_is_refused() {
    let sandbox = queried();
    for form in [
        &[("where", r#"properties["$email"] != "a""#)][..],
        &[("where", "")],
        &[("distinct_ids", "user-17")],
        &[("distinct_ids", "[17]")],
        &[("distinct_ids", r#"["a"]"#), ("distinct_ids", r#"["b"]"#)],
        &[("distinct_ids", r#"["a"]"#), ("distinct_id", "b")],
        &[("output_properties", "$email")],
        &[("page", "-1")],
        &[("selector", "all")],
        &[("filter_by_cohort", r#"{"id":12345}"#)],
    ] {
        let reply = sandbox.query(form).await;
        assert_eq!(reply.status, 400, "{form:?}");
        assert!(!reply.error().is_empty());
    }
    let json = sandbox
        .asked(Method::POST, QUERY)
        .json(&json!({"distinct_ids": ["a"]}));
    assert_eq!(send(json).await.status, 400);
    assert_eq!(send(sandbox.asked(Method::GET, QUERY)).await.status, 405);
}

#[tokio::test]
async fn a_project_has_so_many_queries_an_hour() {
    let sandbox = queried_with(|settings| settings.queries_per_hour = 3);
    for _ in 0..2 {
        assert_eq!(sandbox.query(&[]).await.status, 200);
    }
    assert_eq!(sandbox.query(&[("page", "x")]).await.status, 400);
    let late = sandbox.query(&[]).await;
    assert_eq!(late.status, 429);
    assert!(late.error().contains("3 an hour"), "{}", late.body);
    assert!(!late.headers.contains_key("retry-after"));
    assert_eq!(sandbox.count("query"), 3);
    // Neither exports of events nor other projects nor the tasks are of that limit.
    let export = sandbox.asked(Method::GET, "/api/2.0/export");
    assert_eq!(send(export).await.status, 400);
    sandbox.created(DELETIONS, "user-17").await;
    let minutes = "UPDATE query SET asked_at = asked_at - 3600000000 WHERE rowid = 1";
    sandbox.database().execute(minutes, []).expect("a query");
    assert_eq!(sandbox.query(&[]).await.status, 200);
    assert_eq!(sandbox.query(&[]).await.status, 429);
    let other = Sandbox {
        project: project_token("shop"),
        ..sandbox
    };
    other.get(DELETIONS, "1").await;
    assert_eq!(other.query(&[]).await.status, 200);
}

#[tokio::test]
async fn a_project_has_five_queries_at_once() {
    // On a busy machine, the first query may be counted before the others have come in.
    for _ in 0..5 {
        let (waiting, statuses) = six_at_once().await;
        if waiting {
            assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
            return;
        }
    }
    panic!("six queries were never under way at once");
}

/// Whether one of six queries ended while the others could not, and the statuses of all.
async fn six_at_once() -> (bool, Vec<u16>) {
    let sandbox = std::sync::Arc::new(queried());
    // No query can be counted while another program writes.
    let lock = sandbox.database();
    lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let queries = (0..6).map(|_| {
        let sandbox = std::sync::Arc::clone(&sandbox);
        tokio::spawn(async move { sandbox.query(&[]).await.status })
    });
    let queries: Vec<_> = queries.collect();
    let one_ends = async {
        while !queries.iter().any(tokio::task::JoinHandle::is_finished) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let has_ended = tokio::time::timeout(std::time::Duration::from_secs(3), one_ends).await;
    lock.execute_batch("COMMIT").expect("the lock");
    let mut statuses = Vec::new();
    for query in queries {
        statuses.push(query.await.expect("a query"));
    }
    statuses.sort_unstable();
    (has_ended.is_ok(), statuses)
}
