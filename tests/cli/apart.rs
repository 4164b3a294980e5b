//! While an id is in an open deletion of the ledger, no other request sends it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crate::support::{
    Call, Fake, Model, Operator, Reply, account, csv_of, disagreements, object_reply, people,
    same_people, states, status_reply,
};

fn first_then_all(fake: &Fake) -> (Operator, Vec<String>) {
    let operator = Operator::at_with(fake, "rate = 1000");
    let ids = people(10);
    operator.file("first.csv", csv_of(&ids[..4], None));
    operator.file("all.csv", csv_of(&ids, None));
    (operator, ids)
}

const FIRST: [&str; 4] = ["delete", "--gdpr", "--yes", "first.csv"];
const ALL: [&str; 5] = ["delete", "--gdpr", "--yes", "all.csv", "--json"];

#[test]
fn ids_that_a_task_of_another_request_has_are_linked_and_not_sent() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply("STARTED"),
    });
    let (operator, ids) = first_then_all(&fake);
    operator.run(&FIRST).exits_with(0);
    let outcome = operator.run(&ALL);
    let request = outcome.exits_with(0).request();
    assert_eq!(fake.posts().len(), 2, "{outcome}");
    assert_eq!(fake.gets().len(), 1, "the older task is asked first");
    same_people(&fake.posts()[1].ids(), &ids[4..]);
    assert_eq!(states(&request), ["accepted", "accepted"]);
    let linked = &request["jobs"][1];
    assert_eq!(
        (&linked["ids"], &linked["task_id"]),
        (&4.into(), &"task-0".into())
    );
    assert_eq!(linked["attempts"], 0);
    assert!(
        linked["reason"]
            .as_str()
            .unwrap()
            .contains("linked: task task-0")
    );
}

#[test]
fn an_export_does_not_stand_in_the_way_of_a_deletion() {
    let fake = Fake::start();
    let (operator, ids) = first_then_all(&fake);
    operator
        .run(&["export", "--gdpr", "first.csv"])
        .exits_with(0);
    operator.run(&ALL).exits_with(0);
    same_people(&fake.posts()[1].ids(), &ids);
    operator.run(&["export", "--gdpr", "all.csv"]).exits_with(0);
    same_people(&fake.posts()[2].ids(), &ids);
}

#[test]
fn ids_that_an_earlier_request_has_not_sent_yet_are_kept_back_until_it_has() {
    let fake = Fake::answering_post(0, Reply::error(401, "not yet"));
    let (operator, ids) = first_then_all(&fake);
    operator.run(&FIRST).exits_with(4);
    let outcome = operator.run(&ALL);
    let request = outcome.exits_with(75).request();
    same_people(&fake.posts()[1].ids(), &ids[4..]);
    assert_eq!(states(&request), ["accepted", "planned"], "{outcome}");
    assert!(
        request["jobs"][1]["reason"]
            .as_str()
            .unwrap()
            .contains("no task yet")
    );

    // One run sends the earlier request, and links to its task what waits for it.
    let settled = operator.run(&["resume"]);
    settled.exits_with(0);
    assert_eq!(fake.posts().len(), 3, "linked, not sent\n{settled}");
    same_people(&fake.posts()[2].ids(), &ids[..4]);
    let name = request["id"].as_str().unwrap();
    let all = operator.requests();
    let request = all.iter().find(|one| one["id"] == name).unwrap();
    assert_eq!(states(request), ["accepted", "accepted"]);
}

#[test]
fn one_resume_follows_a_chain_of_requests_to_its_end() {
    let is_open = Arc::new(AtomicBool::new(false));
    let door = Arc::clone(&is_open);
    let fake = Fake::answering(move |call| match (call.is_post(), door.load(SeqCst)) {
        (true, false) => Reply::error(401, "not yet"),
        (true, true) => object_reply(&format!("task-{}", call.place)),
        (false, _) => status_reply("STARTED"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000");
    let ids = people(7);
    // Each request shares an id with the one before.
    for (name, range) in [("a", 0..2), ("b", 1..4), ("c", 3..6), ("d", 5..7)] {
        let file = format!("{name}.csv");
        operator.file(&file, csv_of(&ids[range], None));
        operator
            .run(&["delete", "--gdpr", "--yes", &file])
            .exits_with(4);
    }
    is_open.store(true, SeqCst);
    let before = fake.posts().len();
    operator.run(&["resume"]).exits_with(0);
    let sent: Vec<String> = fake.posts()[before..].iter().flat_map(Call::ids).collect();
    same_people(&sent, &ids);
    for request in operator.requests() {
        let states = states(&request);
        let is_with_mixpanel = |state: &String| ["accepted", "running"].contains(&&**state);
        assert!(states.iter().all(is_with_mixpanel), "{request}");
    }
    let posts = fake.posts().len();
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), posts);
}

#[test]
fn a_job_that_waits_for_another_request_names_it_and_what_lets_it_go() {
    let fake = Fake::answering_posts(Reply::text(502, "text/html", "<html>"));
    let (operator, _) = first_then_all(&fake);
    operator.run(&FIRST).exits_with(6);
    operator.age_attempts(Duration::from_secs(3600));
    let first = operator.only_request()["id"].clone();
    let first = &first.as_str().unwrap()[..8];
    operator.file("few.csv", csv_of(&people(3), None));
    let delete = ["delete", "--gdpr", "--yes", "few.csv", "--json"];
    let outcome = operator.run(&delete);
    let request = outcome.exits_with(75).request();
    let own = &request["id"].as_str().unwrap()[..8];
    let by_word = format!("`dsr resume {first} --task TASK_ID`");
    let then = format!("then run `dsr resume {own}`");
    let names_both = |text: &str| {
        assert!(
            text.contains(&by_word) && text.contains("--abandon"),
            "{text}"
        );
        assert!(text.contains(&then), "{text}");
        assert!(text.contains(&format!("request {first}")), "{text}");
    };
    for outcome in [outcome, operator.run(&["resume", own, "--json"])] {
        let failure = outcome.exits_with(75).failure();
        names_both(failure["hint"].as_str().unwrap());
        let message = failure["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("request {first} has some")),
            "{message}"
        );
        assert!(
            message.contains("outcome of its job 1 is unknown"),
            "{message}"
        );
    }
    let status = operator.run(&["status", "--cached"]);
    let said = status
        .exits_with(0)
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>();
    let said = said.join(" ");
    names_both(&said);
    assert!(
        said.contains(&format!("{own} waits: request {first}")),
        "{status}"
    );
    assert!(
        !said.contains(&format!("Continue with `dsr resume {own}`")),
        "{status}"
    );
    let posts = fake.posts().len();

    operator.run(&["resume", first, "--abandon"]).exits_with(0);
    operator.run(&["resume", own]);
    same_people(&fake.posts()[posts].ids(), &people(3));
}

#[test]
fn a_job_that_waits_for_an_unsent_one_names_both_commands() {
    let fake = Fake::answering_post(0, Reply::error(401, "not yet"));
    let (operator, _) = first_then_all(&fake);
    operator.run(&FIRST).exits_with(4);
    let first = operator.only_request()["id"].clone();
    let first = &first.as_str().unwrap()[..8];
    let outcome = operator.run(&ALL);
    let request = outcome.exits_with(75).request();
    let own = &request["id"].as_str().unwrap()[..8];
    let hint = outcome.failure()["hint"].clone();
    assert_eq!(
        hint,
        format!("run `dsr resume {first}`, then `dsr resume {own}`")
    );
}

#[test]
fn an_unknown_deletion_keeps_its_ids_from_being_sent_by_another() {
    let fake = Fake::answering_posts(Reply::text(502, "text/html", "<html>"));
    let (operator, ids) = first_then_all(&fake);
    operator.run(&FIRST).exits_with(6);
    let before = fake.posts().len();
    let request = operator.run(&ALL).request();
    assert!(
        fake.posts()[before..]
            .iter()
            .all(|post| post.ids().len() == 6)
    );
    let sent = fake.posts().split_off(before);
    same_people(&sent[0].ids(), &ids[4..]);
    assert!(
        states(&request).contains(&"planned".to_owned()),
        "{request}"
    );
}

#[test]
fn ids_of_a_task_that_has_ended_meanwhile_are_sent() {
    let model = Model::start();
    let (operator, ids) = first_then_all(&model.fake);
    operator.run(&FIRST).exits_with(0);
    // dsr has not asked since.
    model.end_all();
    let outcome = operator.run(&ALL);
    let request = outcome.exits_with(0).request();
    same_people(&model.fake.posts()[1].ids(), &ids);
    assert_eq!(states(&request), ["accepted"], "{outcome}");
    // The state that dsr learned on the way is in the ledger.
    let older = operator
        .requests()
        .into_iter()
        .find(|r| r["id"] != request["id"]);
    assert_eq!(states(&older.expect("two")), ["done"]);
    let asked = [&ids[..4], &ids].map(|ids| ids.iter().cloned().collect());
    let found = disagreements(&operator, &model, &asked);
    assert!(found.is_empty(), "{found:#?}\n{:#?}", account(&operator));
}

#[test]
fn only_the_ids_that_the_older_task_has_are_linked() {
    let other = people(10)[1].clone();
    let fake = Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => Reply::json(
            200,
            &serde_json::json!({ "status": "ok", "results": {
                "status": "PENDING", "distinct_ids": [other, "stranger"],
            }}),
        ),
    });
    let (operator, ids) = first_then_all(&fake);
    operator.run(&FIRST).exits_with(0);
    let outcome = operator.run(&ALL);
    let request = outcome.exits_with(0).request();
    let sent = fake.posts()[1].ids();
    same_people(&sent, &[&ids[..1], &ids[2..]].concat());
    assert_eq!(request["linked_ids"], 1, "{outcome}");
    // The older task has other ids than were sent, so nobody knows what it erases.
    let requests = operator.requests();
    let older = requests.iter().find(|r| r["id"] != request["id"]);
    assert_eq!(states(older.expect("two")), ["unknown"]);
}
