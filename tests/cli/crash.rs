//! Unplanned ends: after each, every id is in exactly one known place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Fake, Operator, Reply, Running, csv_of, object_reply, people, same_people, states,
};

/// The least time between a call and its repeat. dsr counts 2 s from the intent on the disk, which
/// on a busy machine is well before the call arrives.
const SETTLE_AFTER: Duration = Duration::from_secs(1);
const DELETE: [&str; 4] = ["delete", "--gdpr", "--yes", "ids.csv"];

/// Three jobs of 500, 500 and 234.
fn operator_with_three_jobs(fake: &Fake) -> (Operator, Vec<String>) {
    let operator = Operator::at(fake);
    let ids = people(1234);
    operator.file("ids.csv", csv_of(&ids, Some(20)));
    (operator, ids)
}

fn task_ids(request: &Value) -> Vec<Value> {
    let jobs = request["jobs"].as_array().expect("a request has jobs");
    jobs.iter().map(|job| job["task_id"].clone()).collect()
}

fn notes_of_duplicates(operator: &Operator) -> Vec<u32> {
    let query = "SELECT CAST(number AS TEXT) FROM jobs WHERE reason LIKE '%possible duplicate%'
                 ORDER BY number";
    let numbers = operator.ledger_texts(query);
    let numbers = numbers.iter().map(|number| number.parse());
    numbers.collect::<Result<_, _>>().expect("numbers")
}

fn kept_ids(operator: &Operator, job: u32) -> BTreeSet<String> {
    let kept = operator.kept_ids().into_iter();
    let its = kept.filter(|((_, number), _)| *number == job);
    its.flat_map(|(_, ids)| ids).collect()
}

fn states_on_disk(operator: &Operator) -> Vec<String> {
    operator.ledger_texts("SELECT state FROM jobs ORDER BY request, number")
}

fn wait_for_state(operator: &Operator, state: &str) {
    for _ in 0..2000 {
        if states_on_disk(operator).iter().any(|found| found == state) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no job became {state}");
}

#[test]
fn a_kill_between_post_and_reply_leaves_an_unknown_job_that_resume_settles_once() {
    let fake = Fake::answering_post(1, Reply::Hang);
    let (operator, ids) = operator_with_three_jobs(&fake);
    let running = operator.start(&DELETE);
    fake.wait_for_posts(2);
    running.kill();

    let request = operator.only_request();
    assert_eq!(states(&request), ["accepted", "unknown", "planned"]);
    let tasks = task_ids(&request);
    assert_eq!(tasks[0], "3e0b7f52-77aa-4c1e-9a4b-0000000000a1");
    assert_eq!(tasks[1..], [Value::Null, Value::Null]);
    assert_eq!(
        request["state"], "unknown",
        "the worst is said of the whole"
    );
    let posts = fake.posts();
    assert_eq!(kept_ids(&operator, 2), BTreeSet::from_iter(posts[1].ids()));
    let unsent = kept_ids(&operator, 3);
    assert_eq!(unsent.len(), 234);

    let resumed = operator.run(&["resume", "--json"]);
    resumed.exits_with(0);
    let after = fake.posts();
    assert_eq!(
        after.len(),
        4,
        "the planned job, and the unknown one once\n{resumed}"
    );
    let (again, new): (Vec<_>, Vec<_>) = after[2..]
        .iter()
        .partition(|post| post.body == posts[1].body);
    assert_eq!(BTreeSet::from_iter(new[0].ids()), unsent);
    assert!(again[0].arrived - posts[1].arrived >= SETTLE_AFTER);
    let request = operator.only_request();
    assert_eq!(states(&request), ["accepted"; 3]);
    assert_eq!(notes_of_duplicates(&operator), [2], "{request:#}");
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 4);
    let once: Vec<String> = [&after[0], &after[1], new[0]]
        .iter()
        .flat_map(|post| post.ids())
        .collect();
    same_people(&once, &ids);
}

#[test]
fn a_kill_is_said_out_loud_by_the_next_command() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let (operator, _) = operator_with_three_jobs(&fake);
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    running.kill();
    let next = operator.run(&["status", "--cached"]);
    next.exits_with(0).says("unknown");
    assert!(next.stdout.contains("unknown"), "{next}");
}

#[test]
fn a_kill_between_two_posts_loses_nothing() {
    // One call in 5 s, so that dsr is surely waiting when it is killed.
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 0.2");
    let ids = people(1234);
    operator.file("ids.csv", csv_of(&ids, None));
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    wait_for_state(&operator, "accepted");
    running.kill();
    assert_eq!(
        states(&operator.only_request()),
        ["accepted", "planned", "planned"]
    );

    let operator = {
        let text = std::fs::read_to_string(operator.config_path()).unwrap();
        operator.write_config(&text.replace("0.2", "1000"));
        operator
    };
    let _ = operator.run(&["resume", "--max-wait", "30s"]).exits_with(0);
    same_people(&fake.posted_ids(), &ids);
}

#[test]
fn kills_at_any_moment_lose_nothing_and_double_nothing_without_a_note() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => Reply::After(
            Duration::from_millis(15),
            Box::new(object_reply(&format!("t-{}", call.place))),
        ),
        false => crate::support::status_reply("PENDING"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 4");
    let ids = people(120);
    operator.file("ids.csv", csv_of(&ids, None));
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    running.kill();
    for round in 0..6 {
        let running = operator.start(&["resume"]);
        std::thread::sleep(Duration::from_millis(60 + 23 * round));
        running.kill();
    }
    operator.run(&["resume"]).exits_with(0);
    let request = operator.only_request();
    assert_eq!(states(&request), ["accepted"; 30]);
    let posts = fake.posts();
    assert_eq!(
        BTreeSet::from_iter(fake.posted_ids()),
        BTreeSet::from_iter(ids)
    );
    // A repeat is the same call at least 2 s after the last one, and the ledger notes it. A repeat can
    // be killed, too: on a slow machine each dsr may send one.
    let mut repeats = BTreeMap::<_, usize>::new();
    for (place, post) in posts.iter().enumerate() {
        let Some(earlier) = posts[..place].iter().rfind(|p| p.ids() == post.ids()) else {
            let ids = post.ids();
            let known = posts[..place].iter().flat_map(|p| p.ids());
            assert!(!known.into_iter().any(|id| ids.contains(&id)), "half a job");
            continue;
        };
        assert_eq!(earlier.body, post.body);
        let gap = post.arrived - earlier.arrived;
        assert!(gap >= SETTLE_AFTER, "once more after {gap:?}");
        *repeats.entry(post.ids()).or_default() += 1;
    }
    assert!(repeats.values().all(|count| *count <= 7), "{repeats:?}");
    let noted = notes_of_duplicates(&operator).into_iter();
    let noted: Vec<_> = noted.map(|number| kept_ids(&operator, number)).collect();
    for ids in repeats.into_keys() {
        assert!(noted.contains(&BTreeSet::from_iter(ids)), "{request:#}");
    }
}

#[test]
fn a_signal_ends_the_run_after_the_post_that_is_under_way() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        // A machine that does much else needs its time to pass the signal on.
        let slow = Reply::After(Duration::from_secs(5), Box::new(object_reply("late-task")));
        let fake = Fake::answering_post(1, slow);
        let (operator, _) = operator_with_three_jobs(&fake);
        let running = operator.start(&DELETE);
        fake.wait_for_posts(2);
        running.signal(signal);
        if signal == "HUP" {
            // The shell and the system both send it.
            std::thread::sleep(Duration::from_millis(300));
            running.signal(signal);
        }
        let outcome = running.end();
        let outcome = outcome.exits_with(status).says("dsr resume");
        outcome.says("waits up to 10");
        assert_eq!(fake.posts().len(), 2, "no new POST\n{outcome}");
        let request = operator.only_request();
        assert_eq!(
            states(&request),
            ["accepted", "accepted", "planned"],
            "{outcome}"
        );
        assert_eq!(task_ids(&request)[1], "late-task");
    }
}

#[test]
fn a_second_signal_ends_the_run_at_once_and_names_the_unknown_job() {
    for format in ["--color=never", "--json"] {
        let fake = Fake::answering_post(1, Reply::Hang);
        let (operator, _) = operator_with_three_jobs(&fake);
        let running = operator.start(&[&DELETE[..], &[format]].concat());
        fake.wait_for_posts(2);
        running.signal("INT");
        std::thread::sleep(Duration::from_millis(300));
        running.signal("TERM");
        let signalled = Instant::now();
        let outcome = running.end();
        outcome.exits_with(143);
        assert!(signalled.elapsed() < Duration::from_secs(8), "{outcome}");
        let request = operator.only_request();
        assert_eq!(states(&request), ["accepted", "unknown", "planned"]);
        let said = match format {
            "--json" => {
                let error = outcome.failure();
                assert_eq!(error["kind"], "interrupted");
                format!("{} {}", error["message"], error["hint"])
            }
            _ => outcome.stderr.clone(),
        };
        for words in ["outcome of job 2 of request", "is unknown", "dsr resume"] {
            assert!(said.contains(words), "{said}");
        }
    }
}

#[test]
fn a_process_that_ignores_a_hang_up_goes_on() {
    let slow = Reply::After(Duration::from_millis(800), Box::new(object_reply("task-1")));
    let fake = Fake::answering_post(1, slow);
    let (operator, _) = operator_with_three_jobs(&fake);
    let command = operator.script("trap '' HUP; exec \"$0\" \"$@\"", &DELETE);
    let running = Running::start(command, "");
    fake.wait_for_posts(2);
    running.signal("HUP");
    running.end().exits_with(0);
    assert_eq!(fake.posts().len(), 3);
}

#[test]
fn a_post_without_answer_is_unknown_when_patience_after_a_signal_is_over() {
    let fake = Fake::answering_post(1, Reply::Hang);
    let (operator, _) = operator_with_three_jobs(&fake);
    let running = operator.start(&DELETE);
    fake.wait_for_posts(2);
    running.signal("TERM");
    let signalled = Instant::now();
    let outcome = running.end();
    outcome.exits_with(143);
    assert!(signalled.elapsed() < Duration::from_secs(20), "{outcome}");
    assert_eq!(fake.posts().len(), 2);
    assert_eq!(
        states(&operator.only_request()),
        ["accepted", "unknown", "planned"]
    );
}

#[test]
fn a_signal_while_waiting_for_the_pace_ends_the_run_soon() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 0.02");
    let ids = people(1234);
    operator.file("ids.csv", csv_of(&ids, None));
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    wait_for_state(&operator, "accepted");
    running.signal("INT");
    let outcome = running.end();
    outcome.exits_with(130);
    assert!(outcome.took < Duration::from_secs(15), "{outcome}");
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(
        states(&operator.only_request()),
        ["accepted", "planned", "planned"]
    );
}

#[test]
fn the_intent_is_in_the_ledger_before_the_post_is_answered() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let (operator, _) = operator_with_three_jobs(&fake);
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    assert_eq!(states_on_disk(&operator), ["sending", "planned", "planned"]);
    running.kill();
}

#[test]
fn a_job_that_is_being_sent_is_not_unknown_to_another_process() {
    let fake = Fake::answering_post(
        1,
        Reply::After(Duration::from_secs(2), Box::new(object_reply("slow"))),
    );
    let (operator, ids) = operator_with_three_jobs(&fake);
    let running = operator.start(&DELETE);
    fake.wait_for_posts(2);
    assert_eq!(states(&operator.only_request())[1], "sending");
    operator.run(&["resume"]);
    running.end().exits_with(0);
    same_people(&fake.posted_ids(), &ids);
}
