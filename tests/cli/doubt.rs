//! A lost answer stays in doubt through all later events: what the screen, JSON, reports, `find`
//! and the suppression list say of the job after each event.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{
    Call, Fake, Operator, Outcome, Reply, object_reply, states, status_reply, usual,
};

const IDS: [&str; 2] = ["one@x.test", "two@x.test"];
const LONG_AGO: Duration = Duration::from_secs(16 * 60);

/// What each command says of the job after an event.
struct Told {
    state: &'static str,
    carried_out: &'static str,
    /// The entry in the suppression list.
    suppressed: Option<&'static str>,
    /// The exit status of `status REQUEST --exit-status --cached`.
    status: i32,
}

const IN_DOUBT: Told = Told {
    state: "unknown",
    carried_out: "possibly",
    suppressed: Some("unknown"),
    status: 6,
};

/// Loses its first answer, gives `later` to the next POSTs, and reports this status.
fn losing_the_first(later: Vec<Reply>, status: &'static str) -> Fake {
    Fake::answering(move |call| match (call.method.as_str(), call.place) {
        ("POST", 0) => Reply::Hang,
        ("POST", place) => later.get(place - 1).cloned().unwrap_or_else(|| usual(call)),
        ("DELETE", _) => Reply::text(204, "application/json", ""),
        _ => status_reply(status),
    })
}

/// One job of two ids whose answer was lost so long ago that no repeat settles it.
fn with_a_lost_answer(fake: &Fake) -> (Operator, String) {
    let operator = with_key(fake, "rate = 1000");
    let ids = ["--id", IDS[0], "--id", IDS[1]];
    let running = operator.start(&[&["delete", "--gdpr", "--yes"][..], &ids].concat());
    fake.wait_for_posts(1);
    running.kill();
    let request = operator.only_request();
    assert_eq!(states(&request), ["unknown"]);
    operator.age_attempts(LONG_AGO);
    let name = request["id"].as_str().expect("an id").to_owned();
    (operator, name)
}

fn texts<'v>(values: &'v Value, key: &str) -> Vec<&'v str> {
    let values = values.as_array().expect("a list").iter();
    values
        .map(|value| value[key].as_str().unwrap_or_default())
        .collect()
}

/// Asserts what each command says of both people and their jobs.
#[track_caller]
fn everything_says(operator: &Operator, name: &str, event: &str, told: &Told) {
    let status = operator.run(&["status", name, "--cached", "--exit-status", "--json"]);
    assert_eq!(status.status, Some(told.status), "{event}\n{status}");
    let request = status.request();
    let jobs = &request["jobs"];
    for job in jobs.as_array().expect("jobs") {
        assert_eq!(job["state"], told.state, "{event}\n{status}");
        assert_eq!(job["carried_out"], told.carried_out, "{event}\n{status}");
    }
    let screen = operator.run(&["status", name, "--cached"]).stdout;
    assert!(screen.contains(told.state), "{event}\n{screen}");

    let report = operator
        .run(&["report", name, "--json"])
        .exits_with(0)
        .json();
    let report = &report["report"]["evidence"];
    let groups = texts(&report["request"]["groups"], "carried_out");
    let alike = groups.iter().all(|group| *group == told.carried_out);
    assert!(alike && !groups.is_empty(), "{event}\n{report:#}");
    let ids = &report["request"]["ids"];
    for key in ["carried_out", "refused", "failed", "revoked"] {
        assert_eq!(ids[key], 0, "{event}: {key}\n{report:#}");
    }

    let found = operator.run(&["find", "--id", IDS[0], "--id", IDS[1], "--json"]);
    let people = found.exits_with(0).json()["people"].clone();
    for person in people.as_array().expect("people") {
        assert_eq!(
            texts(&person["jobs"], "carried_out"),
            [told.carried_out],
            "{event}\n{found}"
        );
    }
    let screen = operator
        .run(&["find", "--id", IDS[0], "--id", IDS[1]])
        .stdout;
    let possibly = told.carried_out == "possibly";
    assert_eq!(screen.contains("Possibly"), possibly, "{event}\n{screen}");

    let list = operator.run(&["suppressions", "export", "--json"]);
    let listed = list.exits_with(0).json()["people"].clone();
    let expected = vec![told.suppressed; 2];
    let listed: Vec<_> = texts(&listed, "erasure").into_iter().map(Some).collect();
    assert_eq!(listed, expected, "{event}\n{list}");
}

fn too_large() -> Reply {
    Reply::error(413, "too many distinct_ids: at most 1")
}

fn refused() -> Reply {
    Reply::error(400, "no such thing")
}

fn conflict_over_the_first() -> Reply {
    let error = json!({
        "conflicting_distinct_ids": [IDS[0]],
        "conflicting_task_ids": ["t-of-somebody"],
    });
    Reply::json(409, &json!({ "status": "error", "error": error }))
}

fn later() -> Reply {
    Reply::error(429, "later").with("Retry-After", "3600")
}

fn again(operator: &Operator, name: &str) -> Outcome {
    operator.run(&["resume", name, "--send-again", "--max-wait", "0s"])
}

#[test]
fn nothing_that_comes_after_a_lost_answer_dissolves_the_doubt() {
    type Event = fn(&Operator, &str);
    let nothing: Event = |_, _| {};
    let send_again: Event = |operator, name| {
        again(operator, name);
    };
    let withdraw: Event = |operator, name| {
        again(operator, name);
        operator
            .run(&["cancel", name])
            .exits_with(6)
            .says("an earlier attempt");
    };
    let cancel: Event = |operator, name| {
        again(operator, name).exits_with(0);
        let outcome = operator.run(&["cancel", name]);
        outcome
            .exits_with(6)
            .says("cancelled, but an earlier attempt")
            .says("--abandon");
    };
    let ask: Event = |operator, name| {
        again(operator, name).exits_with(0);
        operator.run(&["status", name, "--refresh"]);
    };
    let abandon: Event = |operator, name| {
        operator.run(&["resume", name, "--abandon"]).exits_with(0);
        // Hashes have replaced the ids.
        assert!(operator.kept_ids().is_empty());
    };
    let task = || object_reply("t-again");
    let cut = || vec![too_large(), later(), later()];
    let cut_and_refused = || vec![too_large(), refused(), refused()];
    let waits = Told {
        state: "deferred",
        status: 75,
        ..IN_DOUBT
    };
    let given_up = Told {
        status: 0,
        ..IN_DOUBT
    };
    let under_way = Told {
        state: "accepted",
        carried_out: "under_way",
        suppressed: Some("under_way"),
        status: 8,
    };
    let linked = || vec![conflict_over_the_first(), task()];
    let cases: [(&str, Vec<Reply>, &'static str, Event, &Told); 13] = [
        ("lost", vec![], "PENDING", nothing, &IN_DOUBT),
        (
            "refused",
            vec![refused(); 4],
            "PENDING",
            send_again,
            &IN_DOUBT,
        ),
        (
            "cut, refused",
            cut_and_refused(),
            "PENDING",
            send_again,
            &IN_DOUBT,
        ),
        ("deferred", vec![later()], "PENDING", send_again, &IN_DOUBT),
        ("cut", cut(), "PENDING", send_again, &waits),
        ("withdrawn", cut(), "PENDING", withdraw, &IN_DOUBT),
        ("cancelled", vec![task()], "REVOKED", cancel, &IN_DOUBT),
        ("revoked", vec![task()], "REVOKED", ask, &IN_DOUBT),
        ("failed", vec![task()], "FAILURE", ask, &IN_DOUBT),
        ("accepted", vec![task()], "PENDING", send_again, &under_way),
        ("linked", linked(), "PENDING", send_again, &under_way),
        ("linked, revoked", linked(), "REVOKED", ask, &IN_DOUBT),
        ("abandoned", vec![], "PENDING", abandon, &given_up),
    ];
    for (event, later, status, act, told) in cases {
        let fake = losing_the_first(later, status);
        let (operator, name) = with_a_lost_answer(&fake);
        act(&operator, &name);
        if event == "cut" {
            // The second half was not tried: the rate limit holds the whole project.
            operator.change_ledger("UPDATE jobs SET state = 'deferred' WHERE state = 'planned'");
        }
        everything_says(&operator, &name, event, told);
        // Nothing is sent again without a decision, whatever time has passed.
        if told.state == "unknown" {
            let posts = fake.posts().len();
            operator.run(&["resume", "--max-wait", "0s"]);
            assert_eq!(fake.posts().len(), posts, "{event}");
        }
    }
}

#[test]
fn a_job_that_was_cancelled_in_doubt_is_not_sent_again_within_the_quarter_of_an_hour_either() {
    let fake = losing_the_first(vec![object_reply("t-again")], "REVOKED");
    let (operator, name) = with_a_lost_answer(&fake);
    #[expect(clippy::disallowed_methods, reason = "the test's own clock")]
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ");
    operator.change_ledger(&format!("UPDATE attempts SET started_at = '{now}'"));
    again(&operator, &name).exits_with(0);
    operator.run(&["cancel", &name]).exits_with(6);
    let posts = fake.posts().len();
    operator.run(&["resume"]).exits_with(6).says("--abandon");
    assert_eq!(fake.posts().len(), posts);
    // The operator's decision closes it, and it stays unknown.
    operator.run(&["resume", &name, "--abandon"]).exits_with(0);
    assert_eq!(states(&operator.only_request()), ["unknown"]);
}

/// 2xx answers that do not name exactly one task.
fn unread_answers() -> [(&'static str, Reply); 4] {
    let several = json!({ "status": "ok", "results": [
        { "tracking_id": "t-one" }, { "tracking_id": "t-two" },
    ]});
    [
        (
            "no id",
            Reply::json(201, &json!({ "status": "ok", "results": {} })),
        ),
        ("no JSON", Reply::text(201, "application/json", "accepted!")),
        ("several tasks", Reply::json(201, &several)),
        (
            "cut off",
            Reply::Half {
                status: 201,
                body: r#"{"status":"ok","resu"#.to_owned(),
            },
        ),
    ]
}

#[test]
fn what_was_accepted_without_a_readable_task_is_not_sent_again_beyond_one_probe() {
    for (name, reply) in unread_answers() {
        for (kind, posts) in [("delete", 2), ("export", 1)] {
            let fake = Fake::answering_posts(reply.clone());
            let operator = Operator::at_with(&fake, "rate = 1000");
            let mut args = vec![kind, "--gdpr", "user-17"];
            args.extend((kind == "delete").then_some("--yes"));
            let outcome = operator.run(&args);
            outcome
                .exits_with(6)
                .says("--task")
                .says("--abandon")
                .never_says("15 minutes after the attempt");
            assert_eq!(fake.posts().len(), posts, "{kind}: {name}\n{outcome}");
            operator.run(&["resume"]).exits_with(6).says("--send-again");
            assert_eq!(fake.posts().len(), posts, "{kind}: {name}");
            let request = operator.only_request();
            assert_eq!(states(&request), ["unknown"], "{kind}: {name}");
            let reason = request["jobs"][0]["reason"].as_str().unwrap_or_default();
            assert_eq!(
                reason.contains("t-one, t-two"),
                name == "several tasks",
                "{reason}"
            );
        }
    }
}

#[test]
fn the_conflict_that_names_its_task_settles_what_was_accepted_unread() {
    let conflict = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ["user-17"],
        "conflicting_task_ids": ["t-made"],
    }});
    let fake = Fake::answering(move |call: &Call| match (call.is_post(), call.place) {
        (true, 0) => Reply::text(201, "application/json", ""),
        (true, _) => Reply::json(409, &conflict),
        (false, _) => status_reply("PENDING"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000");
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "user-17", "--json"]);
    let job = outcome.exits_with(0).request()["jobs"][0].clone();
    assert_eq!(
        (&job["state"], &job["task_id"], &job["possible_duplicate"]),
        (&json!("accepted"), &json!("t-made"), &json!(false))
    );
}

#[test]
fn each_kind_of_job_is_counted_where_some_were_refused() {
    let fake = Fake::answering(|call| match (call.is_post(), call.place) {
        (true, 0) => refused(),
        (true, 2) => later(),
        _ => usual(call),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let ids = ["--id", "a-1", "--id", "a-2", "--id", "a-3", "--id", "a-4"];
    let args = ["delete", "--gdpr", "--yes", "--max-wait", "0s"];
    operator
        .run(&[&args[..], &ids].concat())
        .exits_with(3)
        .says("Mixpanel refused 1 job; 1 job sent, 2 jobs not sent")
        .never_says("the rest went through");
}

/// Loses its first answer. Every later POST conflicts with a task of the same ids, which was made
/// on this day and can be revoked.
fn conflicting_with_a_task_of(made: Option<String>) -> Fake {
    let error = json!({ "conflicting_distinct_ids": IDS, "conflicting_task_ids": ["t-other"] });
    let conflict = json!({ "status": "error", "error": error });
    let revoked = AtomicBool::new(false);
    Fake::answering(move |call| match (call.method.as_str(), call.place) {
        ("POST", 0) => Reply::Hang,
        ("POST", _) => Reply::json(409, &conflict),
        ("DELETE", _) => {
            revoked.store(true, Ordering::SeqCst);
            Reply::text(204, "application/json", "")
        }
        _ => {
            let status = match revoked.load(Ordering::SeqCst) {
                true => "REVOKED",
                false => "PENDING",
            };
            let results = json!({ "status": status, "distinct_ids": IDS, "date_requested": made });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
    })
}

/// The first task may have ended, and a colleague may have made the one that the conflict names.
#[test]
#[expect(clippy::disallowed_methods, reason = "the clock is the test's")]
fn a_task_of_another_day_is_not_taken_for_the_one_whose_answer_was_lost() {
    let day = 24 * 3600;
    let today = chrono::Utc::now().naive_utc();
    let in_days = |days| {
        Some(
            (today + chrono::TimeDelta::days(days))
                .to_string()
                .replace(' ', "T"),
        )
    };
    let with_zone = |made: Option<String>| made.map(|made| format!("{made}Z"));
    for (made, age, is_own) in [
        (in_days(0), 3600, true),
        (in_days(35), 3600, false),
        (in_days(-35), 3600, false),
        (in_days(-35), 35 * day, true),
        (None, 3600, true),
        (None, 35 * day, false),
        (with_zone(in_days(0)), 3600, true),
        (with_zone(in_days(-90)), 3600, false),
        (Some("2026-01-02 03:04:05 UTC".to_owned()), 3600, false),
        (Some("2026-01-02".to_owned()), 3600, false),
        (Some("Fri, 2 Jan 2026 03:04:05".to_owned()), 3600, false),
    ] {
        let event = format!("made {made:?}, sent {age} s ago");
        let fake = conflicting_with_a_task_of(made);
        let (operator, name) = with_a_lost_answer(&fake);
        operator.age_attempts(Duration::from_secs(age));
        operator.run(&["resume", &name, "--send-again"]);
        let linked = operator.run(&["cancel", &name, "--json"]);
        if !is_own {
            linked.exits_with(3).never_says("revoked");
            operator.run(&["cancel", "t-other", "--yes"]);
        }
        let cancelled = operator.run(&["status", &name, "--cached", "--json"]);
        let jobs = cancelled.request()["jobs"].clone();
        let (state, carried_out) = match is_own {
            true => ("revoked", "no"),
            false => ("unknown", "possibly"),
        };
        for job in jobs.as_array().expect("jobs") {
            assert_eq!(job["state"], state, "{event}\n{cancelled}");
            assert_eq!(job["carried_out"], carried_out, "{event}\n{cancelled}");
        }
        if !is_own {
            everything_says(&operator, &name, &event, &IN_DOUBT);
        }
    }
}

/// A deletion that was made before the job was sent does not erase what was collected since.
#[test]
fn a_task_that_is_older_than_the_job_is_not_taken_at_the_operators_word() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => Reply::Hang,
        false => {
            let results = json!({ "status": "SUCCESS", "distinct_ids": IDS,
                                  "date_requested": "2026-01-02T03:04:05" });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
    });
    let (operator, name) = with_a_lost_answer(&fake);
    let refused = operator.run(&["resume", &name, "--task", "t-old"]);
    refused
        .exits_with(2)
        .says("made on 2026-01-02, before job 1 was sent; nothing was changed");
    everything_says(&operator, &name, "an older task", &IN_DOUBT);
}
