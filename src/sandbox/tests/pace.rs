//! One call an interval and project, by time of arrival.

use std::time::{Duration, Instant};

use super::*;

/// One call in 20 s, so that the next one is early even on a slow machine.
const RATE: f64 = 0.05;

fn paced() -> Sandbox {
    Sandbox::with(|settings| settings.rate = RATE)
}

async fn look(sandbox: &Sandbox) -> Reply {
    sandbox.get(DELETIONS, "1").await
}

#[tokio::test]
async fn an_early_call_of_any_kind_is_429_without_retry_after() {
    let sandbox = paced();
    assert_eq!(look(&sandbox).await.status, 404);
    let early = [
        look(&sandbox).await,
        sandbox.get(RETRIEVALS, "1").await,
        sandbox.cancel("1").await,
        sandbox
            .create(DELETIONS, json!({"distinct_ids": ["user-17"]}))
            .await,
        sandbox.create(RETRIEVALS, json!({})).await,
    ];
    for reply in early {
        assert_eq!(reply.status, 429);
        assert!(
            reply.error().ends_with("limited to 0.05 req/s"),
            "{}",
            reply.body
        );
        assert!(!reply.headers.contains_key("retry-after"));
    }
    assert_eq!(sandbox.count("task"), 0);
}

#[tokio::test]
async fn a_refused_body_takes_a_slot_all_the_same() {
    let sandbox = paced();
    assert_eq!(sandbox.create(DELETIONS, json!({})).await.status, 400);
    assert_eq!(look(&sandbox).await.status, 429);
}

#[tokio::test]
async fn a_call_that_is_not_let_in_takes_no_slot() {
    let sandbox = paced();
    let url = format!("{}{DELETIONS}1/", sandbox.running.api_url());
    let call = || {
        sandbox
            .client
            .get(&url)
            .query(&[("token", &sandbox.project)])
    };
    assert_eq!(send(call()).await.status, 401);
    assert_eq!(send(call().bearer_auth("wrong")).await.status, 401);
    assert_eq!(look(&sandbox).await.status, 404);
    assert_eq!(look(&sandbox).await.status, 429);

    let forbidden = Sandbox {
        project: FORBIDDEN_PROJECT_TOKEN.into(),
        ..sandbox
    };
    assert_eq!(
        (look(&forbidden).await.status, look(&forbidden).await.status),
        (403, 403)
    );
}

#[tokio::test]
async fn a_slot_comes_back_one_interval_after_the_last_one_taken() {
    let sandbox = Sandbox::with(|settings| settings.rate = 2.0);
    let before = Instant::now();
    assert_eq!(look(&sandbox).await.status, 404);
    // Refused calls do not count.
    let mut refused = 0;
    while look(&sandbox).await.status == 429 {
        refused += 1;
        assert!(before.elapsed() < Duration::from_secs(10), "locked out");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refused > 0 && before.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn whoever_leaves_a_full_interval_after_each_reply_is_never_refused() {
    let sandbox = Sandbox::with(|settings| settings.rate = 200.0);
    for number in 0..200 {
        assert_eq!(look(&sandbox).await.status, 404, "call {number}");
        // Spins, because a sleep would take longer.
        let reply = Instant::now();
        while reply.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
    }
}

#[tokio::test]
async fn each_project_has_a_pace_of_its_own() {
    let mut sandbox = paced();
    for name in ["acme", "globex", "initech"] {
        sandbox.project = project_token(name);
        assert_eq!(look(&sandbox).await.status, 404);
    }
}

#[tokio::test]
async fn two_sandboxes_on_one_folder_keep_one_pace() {
    let first = paced();
    let settings = Settings {
        rate: RATE,
        ..patient_settings(first.folder.path())
    };
    let second = start(settings).expect("a sandbox");
    assert_eq!(look(&first).await.status, 404);
    let first = Sandbox {
        running: second,
        ..first
    };
    assert_eq!(look(&first).await.status, 429);
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_nobody_out() {
    let sandbox = paced();
    assert_eq!(look(&sandbox).await.status, 404);
    let hour_ahead = "UPDATE pace SET accepted_at = accepted_at + 3600000000";
    sandbox
        .database()
        .execute(hour_ahead, [])
        .expect("the pace");
    assert_eq!(look(&sandbox).await.status, 404);
    assert_eq!(look(&sandbox).await.status, 429);
}
