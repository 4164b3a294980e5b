//! One call a second for each project, whoever makes it; and what a 429 leads to.

use std::time::{Duration, Instant};

use crate::support::{
    Call, Fake, Operator, Reply, Rules, at_once, csv_of, object_reply, people, same_people, states,
    status_reply,
};

const SECOND: Duration = Duration::from_secs(1);

fn usual(call: &Call) -> Reply {
    match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply("PENDING"),
    }
}

fn gaps(fake: &Fake) -> Vec<Duration> {
    let arrivals: Vec<Instant> = fake.posts().iter().map(|post| post.arrived).collect();
    arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// A 429 with these headers to the first POST; then as usual.
fn limited_once(headers: &[(&'static str, &str)]) -> Fake {
    let limited = headers.iter().fold(
        Reply::error(429, "API is limited to 1 req/s"),
        |reply, (name, value)| reply.with(name, value),
    );
    Fake::answering(move |call| match call.is_post() && call.place == 0 {
        true => limited.clone(),
        false => usual(call),
    })
}

#[test]
fn two_processes_on_one_ledger_share_the_pace() {
    let fake = Fake::with(Rules::PerSecond(1), usual);
    let operator = Operator::at_with(&fake, "delete_batch = 100");
    let ids = people(600);
    operator.file("one.csv", csv_of(&ids[..300], None));
    operator.file("two.csv", csv_of(&ids[300..], None));
    let one = operator.start(&["delete", "--gdpr", "--yes", "one.csv"]);
    let two = operator.start(&["delete", "--gdpr", "--yes", "two.csv"]);
    one.end().exits_with(0);
    two.end().exits_with(0);
    assert_eq!(fake.limited(), 0);
    assert_eq!(fake.posts().len(), 6);
    same_people(&fake.posted_ids(), &ids);
    assert!(fake.shortest_gap() >= SECOND, "{:?}", fake.shortest_gap());
}

#[test]
fn two_resumes_at_once_send_each_job_once() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(401, "not yet"),
        _ => usual(call),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 5");
    let ids = people(200);
    operator.file("ids.csv", csv_of(&ids, None));
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(4);
    let one = operator.start(&["resume"]);
    let two = operator.start(&["resume"]);
    let three = operator.start(&["resume"]);
    for running in [one, two, three] {
        running.end().did_not_panic();
    }
    operator.run(&["resume"]).exits_with(0);
    let accepted: Vec<String> = fake.posts()[1..].iter().flat_map(Call::ids).collect();
    same_people(&accepted, &ids);
}

#[test]
fn questions_and_creates_share_one_pace() {
    let fake = Fake::with(Rules::PerSecond(1), usual);
    let operator = Operator::at_with(&fake, "delete_batch = 1");
    operator
        .run(&["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"])
        .exits_with(0);
    let asking = operator.start(&["status"]);
    let sending = operator.start(&["export", "--gdpr", "a3"]);
    asking.end().exits_with(0);
    sending.end().exits_with(0);
    assert!(fake.posts().len() == 3 && fake.gets().len() >= 2);
    assert_eq!(fake.limited(), 0);
    assert!(fake.shortest_gap() >= SECOND, "{:?}", fake.shortest_gap());
}

#[test]
fn waiting_for_the_end_keeps_the_pace() {
    let fake = Fake::with(Rules::PerSecond(1), |call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false if call.place < 2 => status_reply("PENDING"),
        false => status_reply("SUCCESS"),
    });
    let operator = Operator::at_with(&fake, "");
    operator
        .run(&["export", "--gdpr", "a1", "--wait"])
        .exits_with(0);
    assert_eq!(fake.limited(), 0);
    assert!(fake.shortest_gap() >= SECOND, "{:?}", fake.shortest_gap());
}

#[test]
fn two_projects_have_a_pace_each() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "delete_batch = 1");
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    let other = "[projects.app]\ntoken = \"00000000000000000000000000000001\"\nregion = \"us\"\ndelete_batch = 1\n";
    operator.write_config(&format!("{text}{other}"));
    let args = [
        "delete",
        "--gdpr",
        "--yes",
        "--id",
        "a1",
        "--id",
        "a2",
        "--project",
        "shop",
        "--project",
        "app",
    ];
    operator.run(&args).exits_with(0);
    let posts = fake.posts();
    assert_eq!(posts.len(), 4);
    for token in [
        "9f2c41d07ab35e6680cc17d4e2b1a95f",
        "00000000000000000000000000000001",
    ] {
        let arrivals: Vec<Instant> = posts
            .iter()
            .filter(|post| post.query.contains(token))
            .map(|post| post.arrived)
            .collect();
        assert_eq!(arrivals.len(), 2);
        assert!(arrivals[1] - arrivals[0] >= SECOND);
    }
}

#[test]
fn a_wait_in_seconds_is_obeyed() {
    let fake = limited_once(&[("Retry-After", "3")]);
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    let gaps = gaps(&fake);
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0] >= Duration::from_secs(3), "{gaps:?}");
    assert_eq!(operator.only_request()["jobs"][0]["attempts"], 2);
}

#[test]
fn a_wait_until_a_date_counts_from_the_servers_own_clock() {
    let fake = limited_once(&[
        ("Date", "Sun, 22 Nov 2020 08:00:00 GMT"),
        ("Retry-After", "Sun, 22 Nov 2020 08:00:03 GMT"),
    ]);
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    let gaps = gaps(&fake);
    assert!(
        gaps.len() == 1 && gaps[0] >= Duration::from_secs(3),
        "{gaps:?}"
    );
}

#[test]
fn a_429_without_a_wait_leads_to_longer_and_longer_ones() {
    let fake = Fake::answering(|call| match call.is_post() && call.place < 2 {
        true => Reply::error(429, "API is limited to 1 req/s"),
        false => usual(call),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    let gaps = gaps(&fake);
    assert_eq!(gaps.len(), 2);
    assert!(gaps[0] >= SECOND, "{gaps:?}");
    assert!(gaps[1] >= 2 * SECOND, "{gaps:?}");
}

#[test]
fn waits_that_make_no_sense_are_not_obeyed_and_crash_nothing() {
    let waits = [
        "-1",
        "0",
        "99999999999999999999",
        "soon",
        "",
        "Sun, 22 Nov 1970 08:00:00 GMT",
        "1e9",
        "86401",
    ];
    at_once(waits, |wait| {
        let fake = limited_once(&[("Retry-After", wait)]);
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "user-17"]);
        outcome.did_not_panic().exits_with(0);
        let gaps = gaps(&fake);
        assert!(gaps.len() == 1 && gaps[0] >= SECOND, "`{wait}`: {gaps:?}");
        assert!(gaps[0] < 20 * SECOND, "`{wait}`: {gaps:?}");
    });
}

#[test]
fn a_429_is_a_429_whatever_its_body() {
    for reply in [
        Reply::text(429, "text/html", "<html>slow down</html>"),
        Reply::text(429, "text/plain", ""),
        Reply::Half {
            status: 429,
            body: "{\"sta".to_owned(),
        },
        Reply::text(
            429,
            "application/json",
            r#"{"status":"ok","results":{"task_id":"no"}}"#,
        ),
    ] {
        let fake = Fake::answering_post(0, reply);
        let operator = Operator::at(&fake);
        operator
            .run(&["delete", "--gdpr", "--yes", "user-17", "--max-wait", "0s"])
            .exits_with(75);
        assert_eq!(states(&operator.only_request()), ["deferred"]);
        assert_eq!(fake.posts().len(), 1);
    }
}

#[test]
fn without_time_to_wait_the_job_is_deferred_and_resumed_later() {
    let fake = limited_once(&[("Retry-After", "2")]);
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 2");
    let ids = people(6);
    operator.file("ids.csv", csv_of(&ids, None));
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "ids.csv", "--max-wait", "0s"]);
    outcome.exits_with(75).says("dsr resume");
    assert!(outcome.took < Duration::from_secs(10), "{outcome}");
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(
        states(&operator.only_request()),
        ["deferred", "planned", "planned"]
    );

    operator.run(&["resume"]).exits_with(0);
    let posts = fake.posts();
    assert_eq!(posts.len(), 4);
    assert!(posts[1].arrived - posts[0].arrived >= 2 * SECOND);
    let accepted: Vec<String> = posts[1..].iter().flat_map(Call::ids).collect();
    same_people(&accepted, &ids);
}

#[test]
fn a_429_to_one_process_holds_the_others_back() {
    let fake = limited_once(&[("Retry-After", "3")]);
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1", "--max-wait", "0s"])
        .exits_with(75);
    operator
        .run(&["export", "--gdpr", "a2", "--max-wait", "1m"])
        .exits_with(0);
    let gaps = gaps(&fake);
    assert!(gaps[0] >= 3 * SECOND, "{gaps:?}");
}

#[test]
fn a_question_that_is_limited_is_asked_again_later() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "GET" if call.place == 0 => {
            Reply::error(429, "API is limited to 1 req/s").with("Retry-After", "2")
        }
        "GET" => status_reply("STARTED"),
        _ => usual(call),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    operator.run(&["status"]).exits_with(0);
    let gets = fake.gets();
    assert_eq!(gets.len(), 2);
    assert!(gets[1].arrived - gets[0].arrived >= 2 * SECOND);
    assert_eq!(states(&operator.only_request()), ["running"]);
}

#[test]
fn a_shorter_wait_does_not_cut_a_longer_one_short() {
    let fake = Fake::answering(|call| match call.place {
        0 if call.is_post() => Reply::After(
            Duration::from_secs(2),
            Box::new(Reply::error(429, "API is limited to 1 req/s")),
        ),
        1 if call.is_post() => Reply::error(429, "scan quota").with("Retry-After", "5"),
        _ => usual(call),
    });
    let operator = Operator::at(&fake);
    let one = operator.start(&["delete", "--gdpr", "--yes", "a1"]);
    fake.wait_for_posts(1);
    let two = operator.start(&["delete", "--gdpr", "--yes", "a2"]);
    one.end().exits_with(0);
    two.end().exits_with(0);
    let posts = fake.posts();
    assert_eq!(posts.len(), 4);
    let gap = posts[2].arrived - posts[1].arrived;
    assert!(gap >= Duration::from_secs(5), "{gap:?}");
}

#[test]
fn a_wait_longer_than_there_is_time_for_ends_the_run_at_once() {
    let fake = limited_once(&[("Retry-After", "3600")]);
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
    outcome.exits_with(75).says("dsr resume");
    assert!(outcome.took < Duration::from_secs(10), "{outcome}");
    let job = operator.only_request()["jobs"][0].clone();
    assert_eq!(job["state"], "deferred");
    operator.run(&["resume"]).exits_with(75);
    assert_eq!(fake.posts().len(), 1, "the wait is not over");
}

#[test]
fn jobs_to_send_go_before_the_questions_of_a_watch() {
    let fake = Fake::answering(usual);
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let ids = people(160);
    operator.file("watched.csv", csv_of(&ids[..100], None));
    operator.file("sent.csv", csv_of(&ids[100..], None));
    operator
        .run(&["delete", "--gdpr", "--yes", "watched.csv"])
        .exits_with(0);
    operator.make_due();
    let slow = std::fs::read_to_string(operator.config_path()).unwrap();
    operator.write_config(&slow.replace("rate = 1000", "rate = 20"));
    let watch = operator.start(&["status", "--watch"]);
    let patience = Instant::now() + 20 * SECOND;
    while fake.gets().is_empty() {
        assert!(Instant::now() < patience, "the watch asks nothing");
        std::thread::sleep(Duration::from_millis(10));
    }
    let sent = operator.run(&["delete", "--gdpr", "--yes", "sent.csv"]);
    sent.exits_with(0);
    let posts = fake.posts().split_off(100);
    let (first, last) = (posts[0].arrived, posts[59].arrived);
    let between = |get: &Call| get.arrived > first && get.arrived < last;
    let between = fake.gets().iter().filter(|get| between(get)).count();
    println!("60 POSTs in {:?}, {between} GETs between", last - first);
    assert!(between <= 6, "{between} GETs between 60 POSTs");
    // The watch goes on afterwards.
    let patience = Instant::now() + 20 * SECOND;
    while !fake.gets().iter().any(|get| get.arrived > last) {
        assert!(Instant::now() < patience, "the watch has stopped");
        std::thread::sleep(Duration::from_millis(10));
    }
    watch.signal("INT");
    watch.end().exits_with(130);
    assert_eq!(fake.limited(), 0);
}
