//! `--sandbox`: a rehearsal that touches nothing real.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Fake, OAUTH_TOKEN, Operator, PROJECT_TOKEN, at_once, csv_of, people, states};

#[test]
fn a_deletion_and_an_export_run_to_their_end_without_any_set_up() {
    let commands = [&["delete", "--gdpr", "--yes"][..], &["export", "--ccpa"]];
    at_once(commands, |command| {
        let operator = Operator::new();
        operator.file("ids.csv", csv_of(&people(30), Some(5)));
        let args = [&["--sandbox"], command, &["ids.csv", "--wait", "--json"]].concat();
        let outcome = operator.run(&args);
        outcome.exits_with(0);
        let last = outcome.json_lines().pop().unwrap();
        assert_eq!(states(&last["request"]), ["done"], "{outcome}");
        assert_eq!(last["request"]["ids"]["unique"], 30);
        let real = operator.dsr_home().join("ledger.db");
        assert!(!real.exists(), "nothing is mixed with real records");
        assert!(operator.requests().is_empty());
    });
}

#[test]
fn what_to_run_next_in_a_rehearsal_is_a_rehearsal() {
    let operator = Operator::new();
    let deleted = operator.run(&["--sandbox", "delete", "--gdpr", "--yes", "user-17"]);
    deleted
        .says("`dsr --sandbox status ")
        .says("`dsr --sandbox cancel ")
        .never_says("`dsr status");
    let unknown = operator.run(&["--sandbox", "status", "q0000000", "--json"]);
    unknown.exits_with(2).says("`dsr --sandbox status --all");
    // Also for a command line that dsr cannot read.
    let unreadable = operator.run(&["--sandbox", "extend", "q0000000"]);
    unreadable
        .exits_with(2)
        .says("`dsr --sandbox extend ")
        .never_says("`dsr extend");
}

const DELETE: [&str; 6] = [
    "--sandbox",
    "delete",
    "--gdpr",
    "--yes",
    "user-17",
    "--json",
];

#[test]
fn state_carries_over_from_one_command_to_the_next() {
    let operator = Operator::new();
    let first = operator.run(&DELETE).exits_with(0).request();
    let first_task = first["jobs"][0]["task_id"].as_str().unwrap();
    // The same command makes no new request while the first is open.
    operator.run(&DELETE).exits_with(2);
    // Without a ledger, the server itself answers 409 and names the task.
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "seen-head"] {
        let file = format!("sandbox/{file}");
        drop(std::fs::remove_file(operator.dsr_home().join(file)));
    }
    let again = operator.run(&DELETE);
    let request = again.exits_with(0).request();
    assert_eq!(states(&request), ["accepted"]);
    let job = &request["jobs"][0];
    assert_eq!(job["task_id"], first_task, "linked to the first\n{again}");
    assert_ne!(job["attempts"], 0, "the server was asked");
    assert!(
        job["reason"].as_str().unwrap().contains("linked"),
        "{again}"
    );
    std::thread::sleep(std::time::Duration::from_secs(5));
    let name = request["id"].as_str().unwrap();
    let after = operator.run(&["--sandbox", "status", name, "--json"]);
    assert_eq!(states(&after.exits_with(0).request()), ["done"], "{after}");
}

#[test]
fn nothing_of_the_real_environment_is_used() {
    let real = Fake::start();
    let operator = Operator::at(&real)
        .with("DSR_PROJECT_TOKEN", PROJECT_TOKEN)
        .with("DSR_REGION", "us");
    operator
        .run(&["--sandbox", "delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    operator
        .run(&["--sandbox", "status", "-vvv"])
        .exits_with(0)
        .never_says(OAUTH_TOKEN);
    operator.run(&["--sandbox", "resume"]).exits_with(0);
    operator.run(&["--sandbox", "auth", "status"]).exits_with(0);
    real.was_not_called();
    for (path, content) in operator.files() {
        let holds = |needle: &str| {
            content
                .windows(needle.len())
                .any(|part| part == needle.as_bytes())
        };
        assert!(!holds(OAUTH_TOKEN), "{path:?}");
        assert!(
            path == operator.config_path() || !holds(PROJECT_TOKEN),
            "{path:?}"
        );
    }
}

#[test]
fn a_rehearsal_keeps_every_rule_of_the_real_thing() {
    let operator = Operator::new();
    operator
        .run(&["--sandbox", "delete", "--gdpr", "user-17"])
        .exits_with(2)
        .says("--yes");
    operator
        .run(&["--sandbox", "delete", "--gdpr", "--yes", "missing.csv"])
        .exits_with(2);
    operator
        .run(&["--sandbox", "delete", "--gdpr", "--yes", "--id", "null"])
        .exits_with(5);
    let plan = operator.run(&[
        "--sandbox",
        "delete",
        "--gdpr",
        "--dry-run",
        "user-17",
        "--json",
    ]);
    assert_eq!(plan.exits_with(0).request()["id"], Value::Null);
}

#[test]
fn more_than_one_job_keeps_the_pace_of_the_sandbox() {
    let operator = Operator::new();
    operator.file("ids.csv", csv_of(&people(1234), None));
    let outcome = operator.run(&[
        "--sandbox",
        "delete",
        "--gdpr",
        "--yes",
        "ids.csv",
        "--json",
    ]);
    outcome.exits_with(0);
    let request = outcome.request();
    assert_eq!(states(&request), ["accepted"; 3]);
    for job in request["jobs"].as_array().unwrap() {
        assert_eq!(job["attempts"], 1, "no 429 was needed\n{outcome}");
    }
}

#[test]
fn a_served_sandbox_is_an_api_like_any_other() {
    let operator = Operator::new();
    let mut child = operator
        .command(&[
            "sandbox",
            "--port",
            "0",
            "--rate",
            "1000",
            "--job-seconds",
            "1",
            "--json",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let served: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(served["schema"], 1);
    let text = |key: &str| served["sandbox"][key].as_str().unwrap().to_owned();

    let client = Operator::new()
        .with("DSR_API_URL", &text("api_url"))
        .with("DSR_TOKEN", &text("token"))
        .with("DSR_PROJECT_TOKEN", &text("project_token"))
        .with("DSR_REGION", "us");
    client
        .run(&["export", "--gdpr", "user-17", "--wait"])
        .exits_with(0);
    let client = client.with("DSR_TOKEN", "someone-elses");
    client.run(&["export", "--gdpr", "user-17"]).exits_with(4);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_served_sandbox_says_what_opens_its_locked_exports_and_who_may_query() {
    let operator = Operator::new();
    let mut child = operator
        .command(&["sandbox", "--archive", "aes", "--events-per-person", "3"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(6)
        .map(|line| line.unwrap())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let (what, secret) = lines[4].rsplit_once(' ').unwrap();
    assert_eq!(what, "# API secret, the password of locked exports:");
    assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let account = ": sandbox.example.mp-service-account:sandbox-service-account-not-a-secret";
    assert!(lines[5].starts_with("# Service account, for queries of project "));
    assert!(lines[5].ends_with(account), "{lines:?}");
}

#[test]
fn rehearsals_at_the_same_time_share_one_sandbox() {
    let operator = Operator::new();
    let runs: Vec<_> = ["a1", "a2", "a3"]
        .map(|id| operator.start(&["--sandbox", "delete", "--gdpr", "--yes", id]))
        .into_iter()
        .collect();
    for run in runs {
        run.end().exits_with(0);
    }
    let listed = operator.run(&["--sandbox", "status", "--cached", "--all", "--json"]);
    let listed = listed.exits_with(0).json();
    assert_eq!(listed["requests"].as_array().unwrap().len(), 3);
}

#[test]
fn an_unknown_project_is_refused_as_outside_the_sandbox() {
    let operator = Operator::new();
    operator.file("ids.csv", csv_of(&people(3), None));
    operator.write_config(&format!(
        "[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"eu\"\n"
    ));
    let rehearse = |name: &str| {
        let delete = ["--sandbox", "delete", "--gdpr", "--yes", "ids.csv"];
        operator.run(&[&delete[..], &["--project", name]].concat())
    };
    for unknown in ["nope", "shpo"] {
        rehearse(unknown)
            .exits_with(2)
            .says(&format!("there is no project `{unknown}`"));
        for command in [&["status"][..], &["export", "--gdpr", "user-17"]] {
            operator
                .run(&[&["--sandbox", "--project", unknown], command].concat())
                .exits_with(2);
        }
    }
    rehearse("shpo").says("did you mean `shop`?");
    rehearse("shop").exits_with(0);
    rehearse("sandbox").exits_with(0);
    operator
        .run(&["--sandbox", "project", "add", "nope", "--region", "eu"])
        .exits_with(0);
    rehearse("nope").exits_with(0);
}

#[test]
fn a_project_of_the_environment_can_be_rehearsed() {
    let operator = Operator::new()
        .with("DSR_PROJECT", "shop")
        .with("DSR_PROJECT_TOKEN", PROJECT_TOKEN)
        .with("DSR_REGION", "eu");
    let delete = ["--sandbox", "delete", "--gdpr", "--yes", "user-17"];
    operator.run(&delete).exits_with(0);
}

#[test]
fn without_any_project_of_ones_own_every_name_can_be_rehearsed() {
    let operator = Operator::new();
    let delete = ["--sandbox", "delete", "--gdpr", "--yes", "user-17"];
    let named = [&delete[..], &["--project", "shop"]].concat();
    let outcome = operator.run(&named);
    outcome.exits_with(0);
    assert!(outcome.stdout.contains("project shop (us)"), "{outcome}");
}

#[test]
fn the_sandboxes_own_project_has_no_settings_and_the_way_out_works() {
    let operator = Operator::new();
    let set = ["--sandbox", "project", "set", "sandbox", "--verify", "on"];
    let add = "dsr --sandbox project add shop --region us";
    operator.run(&set).exits_with(2).says(add);
    let add: Vec<&str> = add.split(' ').skip(1).collect();
    operator.run(&add).exits_with(0);
    let set = ["--sandbox", "project", "set", "shop", "--verify", "on"];
    operator.run(&set).exits_with(0);
}

#[test]
fn no_setting_of_the_sandboxes_own_project_is_advised() {
    let operator = Operator::new();
    operator.file("keep.txt", "$os\n");
    let event = r#"{"event":"Buy","properties":{"time":1790000000,"distinct_id":"a1","$os":"x"}}"#;
    operator.file("e.jsonl", format!("{event}\n"));
    let sanitize = [
        "sanitize",
        "e.jsonl",
        "--keep",
        "keep.txt",
        "-o",
        "out.jsonl",
    ];
    let outcome = operator.run(&[&["--sandbox"][..], &sanitize].concat());
    outcome.exits_with(0);
    assert!(outcome.stdout.contains("read as UTC"), "{outcome}");
    assert!(!outcome.stdout.contains("project set"), "{outcome}");
}
