//! Projects: the file that dsr and people write to, and the environment in its place.

use std::os::unix::fs::PermissionsExt;

use crate::support::{
    Call, Fake, OAUTH_TOKEN, Operator, PROJECT_TOKEN, csv_of, people, same_people,
};

const OTHER: &str = "00000000000000000000000000000abc";

fn add(operator: &Operator, args: &[&str], token: &str) -> crate::support::Outcome {
    operator.run_with_input(&[&["project", "add"], args].concat(), token)
}

fn sizes(posts: &[Call]) -> Vec<usize> {
    posts.iter().map(|post| post.ids().len()).collect()
}

#[test]
fn projects_are_added_listed_shown_used_and_removed() {
    let operator = Operator::new();
    add(&operator, &["shop", "--region", "eu"], PROJECT_TOKEN)
        .exits_with(0)
        .never_says(PROJECT_TOKEN);
    add(
        &operator,
        &["app", "--region", "us", "--with-token"],
        &format!("{OTHER}\n"),
    )
    .exits_with(0);
    let list = operator
        .run(&["project", "list", "--json"])
        .exits_with(0)
        .json();
    let names: Vec<_> = list["projects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].clone())
        .collect();
    assert_eq!(names, ["app", "shop"]);
    let shown = operator
        .run(&["project", "show", "--json"])
        .exits_with(0)
        .json();
    assert_eq!(
        shown["project"]["name"], "shop",
        "the first one is the default"
    );
    assert_eq!(shown["project"]["region"], "eu");
    assert_eq!(
        shown["project"]["api_url"],
        "https://eu.mixpanel.com/api/app"
    );
    assert_eq!(shown["project"]["delete_batch"], 500);
    assert_eq!(shown["project"]["export_batch"], 2000);
    operator.run(&["project", "use", "app"]).exits_with(0);
    let shown = operator
        .run(&["project", "show", "--json"])
        .exits_with(0)
        .json();
    assert_eq!(shown["project"]["name"], "app");
    operator.run(&["project", "remove", "app"]).exits_with(0);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    assert!(text.contains(PROJECT_TOKEN) && !text.contains(OTHER));
    operator.run(&["project", "show", "app"]).exits_with(2);
    operator.run(&["project", "use", "app"]).exits_with(2);
    operator.run(&["project", "remove", "app"]).exits_with(2);
}

#[test]
fn the_config_file_is_for_its_owner_only() {
    let operator = Operator::new();
    add(&operator, &["shop", "--region", "eu"], PROJECT_TOKEN).exits_with(0);
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(operator.config_path()), 0o600);
    assert_eq!(mode(operator.dsr_home()), 0o700);
    operator.write_config(&std::fs::read_to_string(operator.config_path()).unwrap());
    std::fs::set_permissions(operator.config_path(), PermissionsExt::from_mode(0o644)).unwrap();
    operator.run(&["project", "use", "shop"]).exits_with(0);
    assert_eq!(mode(operator.config_path()), 0o600);
}

#[test]
fn edits_by_hand_survive() {
    let operator = Operator::new();
    let text = format!(
        "# asked legal in May\n[projects.old]\ntoken = \"{OTHER}\" # from Ann\nregion = \"eu\"\nrate = 0.5\n"
    );
    operator.write_config(&text);
    add(&operator, &["new", "--region", "us"], PROJECT_TOKEN).exits_with(0);
    operator.run(&["project", "use", "old"]).exits_with(0);
    operator.run(&["project", "remove", "new"]).exits_with(0);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    for kept in ["# asked legal in May", "# from Ann", "rate = 0.5", OTHER] {
        assert!(text.contains(kept), "`{kept}` is gone:\n{text}");
    }
}

#[test]
fn holidays_are_added_with_a_project_shown_and_counted() {
    let operator = Operator::new();
    let days = ["2027-01-01", "2026-12-25", "2027-01-01"];
    let flags = days.map(|day| format!("--holiday={day}"));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let args = [&["shop", "--region", "eu"], flags.as_slice()].concat();
    let shown = add(&operator, &args, PROJECT_TOKEN);
    shown.exits_with(0);
    let line = "Holidays      2026-12-25, 2027-01-01  (config file)";
    assert!(shown.stdout.contains(line), "{shown}");
    let shown = operator.run(&["project", "show", "--json"]).json();
    assert_eq!(shown["project"]["holidays"].as_array().unwrap().len(), 3);
    add(
        &operator,
        &["app", "--region", "eu", "--holiday", "2025-12-25"],
        OTHER,
    )
    .exits_with(0);
    for (project, due) in [("shop", "2025-12-25"), ("app", "2025-12-26")] {
        let plan = ["export", "--gdpr", "a1", "--dry-run", "--json"];
        let flags = ["--received", "2025-11-25", "--project", project];
        let plan = operator.run(&[&plan[..], &flags].concat());
        assert_eq!(plan.request()["due"], due, "{project}");
    }
    add(
        &operator,
        &["x", "--region", "eu", "--holiday", "Christmas"],
        OTHER,
    )
    .exits_with(2);
}

#[test]
fn what_cannot_be_a_project_is_not_added() {
    let operator = Operator::new();
    add(&operator, &["shop", "--region", "eu"], PROJECT_TOKEN).exits_with(0);
    let before = std::fs::read_to_string(operator.config_path()).unwrap();
    add(&operator, &["shop", "--region", "us"], OTHER)
        .exits_with(2)
        .says("shop");
    add(&operator, &["a/b", "--region", "us"], OTHER).exits_with(2);
    add(&operator, &["x", "--region", "mars"], OTHER).exits_with(2);
    add(&operator, &["x"], OTHER).exits_with(2).says("--region");
    add(&operator, &["x", "--region", "us"], "").exits_with(2);
    add(&operator, &["x", "--region", "us"], "12345678")
        .exits_with(2)
        .says("project id");
    add(
        &operator,
        &["x", "--region", "us", "--delete-batch", "0"],
        OTHER,
    )
    .exits_with(2);
    add(
        &operator,
        &["x", "--region", "us", "--delete-batch", "2001"],
        OTHER,
    )
    .exits_with(2);
    add(&operator, &["x", "--region", "us", "--rate", "-1"], OTHER).exits_with(2);
    add(&operator, &["x", "--region", "us", OTHER], OTHER).exits_with(2);
    assert_eq!(
        std::fs::read_to_string(operator.config_path()).unwrap(),
        before
    );
}

#[test]
fn without_a_project_the_way_to_one_is_shown() {
    let operator = Operator::new().with("DSR_TOKEN", OAUTH_TOKEN);
    let outcome = operator.run(&["export", "--gdpr", "user-17"]);
    outcome
        .exits_with(2)
        .says("dsr project add")
        .says("--sandbox");
    operator.run(&["project", "list"]).exits_with(0);
}

#[test]
fn several_projects_are_submitted_to_each_with_its_own_token() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    operator.write_config(&format!(
        "{text}[projects.app]\ntoken = \"{OTHER}\"\nregion = \"eu\"\nrate = 1000\ndelete_batch = 10\n"
    ));
    let ids = people(25);
    operator.file("ids.csv", csv_of(&ids, None));
    let args = [
        "delete",
        "--gdpr",
        "--yes",
        "ids.csv",
        "--project",
        "shop",
        "--project",
        "app",
        "--json",
    ];
    let outcome = operator.run(&args);
    outcome.exits_with(0);
    let requests = outcome.json()["requests"].as_array().unwrap().clone();
    let names: Vec<_> = requests
        .iter()
        .map(|request| request["project"].clone())
        .collect();
    assert_eq!(names, ["shop", "app"]);
    for (token, jobs) in [(PROJECT_TOKEN, 1), (OTHER, 3)] {
        let posts: Vec<Call> = fake
            .posts()
            .into_iter()
            .filter(|post| post.query == format!("token={token}"))
            .collect();
        assert_eq!(posts.len(), jobs);
        let sent: Vec<String> = posts.iter().flat_map(Call::ids).collect();
        same_people(&sent, &ids);
    }
    assert_eq!(operator.requests().len(), 2);
    operator.run(&["status", "--json"]).exits_with(0);
    for get in fake.gets() {
        let place = fake
            .posts()
            .iter()
            .position(|post| get.task().ends_with(&format!("{:x}", post.place + 0xa1)));
        assert_eq!(
            get.query,
            fake.posts()[place.unwrap()].query,
            "each task is asked about in its own project"
        );
    }
}

#[test]
fn a_project_that_is_not_there_or_named_twice_sends_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&[
            "export",
            "--gdpr",
            "a1",
            "--project",
            "shop",
            "--project",
            "nope",
        ])
        .exits_with(2)
        .says("nope");
    operator
        .run(&[
            "export",
            "--gdpr",
            "a1",
            "--project",
            "shop",
            "--project",
            "shop",
        ])
        .exits_with(2);
    fake.was_not_called();
    assert!(operator.requests().is_empty());
}

#[test]
fn with_several_projects_and_no_default_one_must_be_named() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    operator.write_config(&format!(
        "{text}[projects.app]\ntoken = \"{OTHER}\"\nregion = \"us\"\n"
    ));
    operator
        .run(&["export", "--gdpr", "a1"])
        .exits_with(2)
        .says("shop")
        .says("app")
        .says("--project");
    fake.was_not_called();
    let operator = operator.with("DSR_PROJECT", "app");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator
        .run(&["export", "--gdpr", "a1", "--project", "shop"])
        .exits_with(0);
    let queries: Vec<String> = fake.posts().into_iter().map(|post| post.query).collect();
    assert_eq!(
        queries,
        [format!("token={OTHER}"), format!("token={PROJECT_TOKEN}")]
    );
}

#[test]
fn data_groups_and_own_limits_change_the_size_of_jobs() {
    let cases = [
        ("data_groups = 3", "delete", vec![500, 500, 234]),
        ("data_groups = 6", "delete", vec![285, 285, 285, 285, 94]),
        ("data_groups = 0", "delete", vec![500, 500, 234]),
        ("delete_batch = 700", "delete", vec![700, 534]),
        (
            "delete_batch = 2000\ndata_groups = 1",
            "delete",
            vec![1000, 234],
        ),
        ("data_groups = 6", "export", vec![1234]),
        ("export_batch = 1000", "export", vec![1000, 234]),
    ];
    for (settings, kind, expected) in cases {
        let fake = Fake::start();
        let operator = Operator::at_with(&fake, &format!("rate = 1000\n{settings}"));
        let ids = people(1234);
        operator.file("ids.csv", csv_of(&ids, None));
        let mut args = vec![kind, "--gdpr", "ids.csv"];
        args.extend((kind == "delete").then_some("--yes"));
        operator.run(&args).exits_with(0);
        assert_eq!(sizes(&fake.posts()), expected, "{settings}");
        same_people(&fake.posted_ids(), &ids);
    }
}

#[test]
fn settings_out_of_range_stop_everything() {
    let fake = Fake::start();
    for settings in [
        "delete_batch = 0",
        "delete_batch = 5000",
        "rate = 0",
        "rate = -1.0",
        "data_groups = -1",
        "data_group = 2",
        "rate = \"fast\"",
    ] {
        let operator = Operator::at_with(&fake, settings);
        operator
            .run(&["delete", "--gdpr", "--yes", "a1"])
            .exits_with(2);
    }
    fake.was_not_called();
}

#[test]
fn the_environment_alone_is_enough() {
    let fake = Fake::start();
    let operator = Operator::new()
        .with("DSR_TOKEN", OAUTH_TOKEN)
        .with("DSR_PROJECT_TOKEN", PROJECT_TOKEN)
        .with("DSR_REGION", "eu")
        .with("DSR_API_URL", &fake.url());
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    assert_eq!(fake.posts()[0].query, format!("token={PROJECT_TOKEN}"));
    assert!(!operator.config_path().exists());
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.gets().len(), 1);
    let operator = operator.without("DSR_API_URL").without("DSR_REGION");
    operator
        .run(&["export", "--gdpr", "a1"])
        .exits_with(2)
        .says("DSR_REGION");
    let operator = operator.with("DSR_REGION", "mars");
    operator
        .run(&["export", "--gdpr", "a1"])
        .exits_with(2)
        .says("DSR_REGION");
}

#[test]
fn file_and_environment_that_contradict_each_other_are_an_error() {
    let fake = Fake::start();
    let operator = Operator::at(&fake)
        .with("DSR_PROJECT_TOKEN", OTHER)
        .with("DSR_PROJECT", "shop");
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
    outcome
        .exits_with(2)
        .says("DSR_PROJECT_TOKEN")
        .never_says(OTHER)
        .never_says(PROJECT_TOKEN);
    let operator = operator
        .with("DSR_PROJECT_TOKEN", PROJECT_TOKEN)
        .with("DSR_REGION", "eu");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(2)
        .says("DSR_REGION");
    fake.was_not_called();
    let operator = operator.with("DSR_REGION", "us");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
}

#[test]
fn plain_http_is_for_loopback_only() {
    for url in [
        "http://mixpanel.test/api/app",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1:80",
        "https://u:p@127.0.0.1/",
    ] {
        let operator = Operator::at(&Fake::start()).with("DSR_API_URL", url);
        operator
            .run(&["export", "--gdpr", "a1"])
            .exits_with(2)
            .says("DSR_API_URL");
        assert!(operator.requests().is_empty());
    }
}

#[test]
fn a_request_whose_project_has_changed_is_not_sent_elsewhere() {
    let fake = Fake::answering(|call| match call.place {
        0 => crate::support::Reply::error(401, "no"),
        _ => crate::support::object_reply("t-1"),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(4);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    operator.write_config(&text.replace(PROJECT_TOKEN, OTHER));
    let outcome = operator.run(&["resume"]);
    assert_ne!(outcome.status, Some(0), "{outcome}");
    assert_eq!(
        fake.posts().len(),
        1,
        "the ids belong to another project\n{outcome}"
    );
    operator.write_config(&text);
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn callbacks_go_with_an_id_of_our_own_for_each_job() {
    let fake = Fake::answering(|call| match call.place {
        0 => crate::support::Reply::error(429, "slow down").with("Retry-After", "1"),
        place => crate::support::object_reply(&format!("t-{place}")),
    });
    let url = "https://hooks.example.test/mixpanel";
    let operator = Operator::at_with(
        &fake,
        &format!("rate = 1000\ndelete_batch = 1\ncallbacks = [\"{url}\"]"),
    );
    operator
        .run(&["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"])
        .exits_with(0);
    let subject = |post: &Call| post.body["subject_request_id"].as_str().unwrap().to_owned();
    let posts = fake.posts();
    assert_eq!(posts.len(), 3);
    for post in &posts {
        assert_eq!(post.body["status_callback_urls"], serde_json::json!([url]));
        let id = subject(post);
        assert!(
            id.len() == 36 && id.as_bytes()[14] == b'4',
            "a UUIDv4: {id}"
        );
        assert_eq!(id, id.to_lowercase());
    }
    assert_eq!(subject(&posts[0]), subject(&posts[1]), "the same job again");
    assert_ne!(subject(&posts[1]), subject(&posts[2]));
}

#[test]
fn a_project_that_demands_approvals_is_not_erased_from_without_them() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "approvals = 1");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(2)
        .says("approv");
    fake.was_not_called();
}
