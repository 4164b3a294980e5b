//! Several dsr processes on one ledger: each step is taken once, and the others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::support::{Call, Fake, Operator, Outcome, Reply, in_turns, object_reply, status_reply};

const ROUNDS: u32 = 12;

/// A slow Mixpanel that accepts three ids at once and already has tasks with two people.
#[derive(Clone, Default)]
struct Slow {
    /// The tasks of each id.
    taken: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    is_open: Arc<Mutex<bool>>,
}

const EARLIER: [&str; 2] = ["person-3", "person-7"];

impl Slow {
    fn reply(&self, call: &Call) -> Reply {
        if !*self.is_open.lock().expect("nobody panicked") {
            return Reply::error(429, "later");
        }
        let wait = Duration::from_millis(5 + call.place as u64 % 4 * 15);
        Reply::After(wait, Box::new(self.decide(call)))
    }

    fn decide(&self, call: &Call) -> Reply {
        if call.method == "DELETE" {
            return Reply::text(204, "application/json", "");
        }
        if !call.is_post() {
            let ids: Vec<&str> = match call.task() {
                "earlier" => EARLIER.to_vec(),
                _ => return status_reply("PENDING"),
            };
            let results = json!({ "status": "PENDING", "result": "", "distinct_ids": ids });
            return Reply::json(200, &json!({ "status": "ok", "results": results }));
        }
        let ids = call.ids();
        let known: Vec<&String> = ids
            .iter()
            .filter(|id| EARLIER.contains(&id.as_str()))
            .collect();
        if !known.is_empty() {
            let error = json!({
                "conflicting_distinct_ids": known,
                "conflicting_task_ids": ["earlier"],
            });
            return Reply::json(409, &json!({ "status": "error", "error": error }));
        }
        if ids.len() > 3 {
            return Reply::error(413, "too many ids");
        }
        let task = format!("task-{}", call.place);
        let mut taken = self.taken.lock().expect("nobody panicked");
        for id in ids {
            taken.entry(id).or_default().push(task.clone());
        }
        object_reply(&task)
    }
}

/// An operator with a planned and unsent deletion of a dozen people.
fn with_planned() -> (Slow, Fake, Operator) {
    let slow = Slow::default();
    let answering = slow.clone();
    let fake = Fake::answering(move |call| answering.reply(call));
    let operator = Operator::in_memory(&fake, "rate = 1000\ndelete_batch = 6");
    let ids: Vec<String> = (0..12).map(|n| format!("person-{n}")).collect();
    operator.file("ids.txt", ids.join("\n"));
    let args = "delete --gdpr --yes --format text --max-wait 0s ids.txt";
    let args: Vec<&str> = args.split(' ').collect();
    operator.run(&args).exits_with(75);
    *slow.is_open.lock().expect("nobody panicked") = true;
    // Until the rate limit is over.
    std::thread::sleep(Duration::from_millis(2100));
    (slow, fake, operator)
}

/// What a process that lost the race must not say.
fn is_quiet(outcome: &Outcome) {
    outcome.did_not_panic();
    for word in ["damaged", "bug", "backup", "cannot go from", "report this"] {
        outcome.never_says(word);
    }
}

fn each_id_is_in_one_job(operator: &Operator, count: usize) {
    let kept = operator.kept_ids();
    let all: Vec<&String> = kept.values().flatten().collect();
    let unique: BTreeSet<&&String> = all.iter().collect();
    // Ids of ended jobs, which are hashed if there is a key.
    let hashed = operator.ledger_rows("SELECT hashes FROM people", |row| row.get::<_, Vec<u8>>(0));
    let hashed: BTreeSet<&[u8]> = hashed.iter().flat_map(|all| all.chunks(16)).collect();
    let gone = count - hashed.len();
    assert_eq!((all.len(), unique.len()), (gone, gone), "{kept:?}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

fn all_at_once(operator: &Operator, commands: &[Vec<&str>]) -> Vec<Outcome> {
    let running: Vec<_> = commands.iter().map(|args| operator.start(args)).collect();
    running.into_iter().map(|one| one.end()).collect()
}

#[test]
fn many_that_resume_cut_and_link_the_same_jobs_send_each_id_once() {
    let rounds: Vec<u32> = (0..ROUNDS).collect();
    in_turns(&rounds, 2, |round| {
        let (slow, _fake, operator) = with_planned();
        let several = 2 + (*round as usize % 4) * 2;
        let outcomes = all_at_once(&operator, &vec![vec!["resume"]; several]);
        for outcome in &outcomes {
            is_quiet(outcome);
            assert!(matches!(outcome.status, Some(0 | 75)), "{outcome}");
        }
        operator.run(&["resume"]).exits_with(0);
        let taken = slow.taken.lock().expect("nobody panicked").clone();
        assert!(taken.values().all(|tasks| tasks.len() == 1), "{taken:?}");
        assert_eq!(taken.len(), 10, "{taken:?}");
        each_id_is_in_one_job(&operator, 12);
        let request = operator.only_request();
        let jobs = request["jobs"].as_array().cloned();
        let jobs = jobs.unwrap_or_default();
        let linked = jobs.iter().filter(|job| job["task_id"] == "earlier");
        let linked: u64 = linked.map(|job| job["ids"].as_u64().unwrap()).sum();
        assert_eq!(linked, 2, "{request}");
    });
}

#[test]
fn a_cancellation_beside_a_resume_leaves_nothing_in_between() {
    let rounds: Vec<u32> = (0..ROUNDS / 2).collect();
    in_turns(&rounds, 2, |_| {
        let (slow, _fake, operator) = with_planned();
        let id = operator.only_request()["id"].as_str().unwrap().to_owned();
        let cancel = vec!["cancel", "--yes", &id];
        let commands = [vec!["resume"], cancel.clone(), vec!["resume"], cancel];
        for outcome in &all_at_once(&operator, &commands) {
            is_quiet(outcome);
        }
        let taken = slow.taken.lock().expect("nobody panicked").clone();
        assert!(taken.values().all(|tasks| tasks.len() == 1), "{taken:?}");
        each_id_is_in_one_job(&operator, 12);
        let posts = taken.len();
        operator.run(&["resume"]).did_not_panic();
        let taken = slow.taken.lock().expect("nobody panicked").clone();
        assert_eq!(taken.len(), posts, "what was cancelled is sent");
    });
}

#[test]
fn of_many_that_give_up_on_a_job_each_finds_it_given_up() {
    let fake = Fake::answering_posts(Reply::Close);
    let operator = Operator::in_memory(&fake, "rate = 1000");
    let args = ["export", "--gdpr", "--id", "person-1"];
    operator.run(&args).exits_with(6);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let commands = vec![vec!["resume", &id, "--abandon"]; 6];
    for outcome in &all_at_once(&operator, &commands) {
        is_quiet(outcome);
        // A process that begins after the race has nothing to give up on.
        assert!(matches!(outcome.status, Some(0 | 2)), "{outcome}");
    }
    operator.run(&["audit", "verify"]).exits_with(0);
    assert_eq!(
        operator
            .ledger_texts("SELECT event FROM audit WHERE event = 'job_abandoned'")
            .len(),
        1
    );
}
