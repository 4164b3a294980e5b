//! An id with an open deletion in the ledger is not sent again by another request.

use crate::support::{
    Fake, Model, Operator, Reply, account, csv_of, disagreements, object_reply, people,
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

    operator.run(&["resume"]).exits_with(75);
    assert_eq!(fake.posts().len(), 3, "the earlier request alone was sent");
    same_people(&fake.posts()[2].ids(), &ids[..4]);
    let name = request["id"].as_str().unwrap();
    let settled = operator.run(&["resume", name, "--json"]);
    let request = settled.exits_with(0).request();
    assert_eq!(states(&request), ["accepted", "accepted"]);
    assert_eq!(fake.posts().len(), 3, "linked, not sent\n{settled}");
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
    // Nobody has asked since.
    model.end_all();
    let outcome = operator.run(&ALL);
    let request = outcome.exits_with(0).request();
    same_people(&model.fake.posts()[1].ids(), &ids);
    assert_eq!(states(&request), ["accepted"], "{outcome}");
    // What was asked on the way is known now.
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
    // The older one's task is about others than were sent: nobody knows what it erases.
    let requests = operator.requests();
    let older = requests.iter().find(|r| r["id"] != request["id"]);
    assert_eq!(states(older.expect("two")), ["unknown"]);
}
