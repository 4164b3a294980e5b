//! Jobs that Mixpanel does not accept as they are: some ids are in a deletion already, or there are
//! too many. dsr links the former and sends the rest; nothing is sent twice.

use serde_json::{Value, json};

use crate::support::{
    Call, Fake, Fault, Habits, Model, Operator, Reply, account, csv_of, disagreements, people,
    same_people, states, usual,
};

const DELETE: [&str; 4] = ["delete", "--gdpr", "--yes", "ids.csv"];

fn operator_with(fake: &Fake, ids: &[String], batch: usize) -> Operator {
    let settings = format!("rate = 1000\ndelete_batch = {batch}\nexport_batch = {batch}");
    let operator = Operator::at_with(fake, &settings);
    operator.file("ids.csv", csv_of(ids, None));
    operator
}

#[track_caller]
fn all_agree(operator: &Operator, model: &Model, ids: &[String]) {
    let asked = [ids.iter().cloned().collect()];
    let found = disagreements(operator, model, &asked);
    assert!(found.is_empty(), "{found:#?}\n{:#?}", account(operator));
    assert!(model.times().values().all(|times| *times == 1));
}

fn linked_to(operator: &Operator, task: &str) -> Vec<String> {
    let jobs = account(operator).into_iter();
    let its = jobs.filter(|job| job.task == task && job.reason.contains("linked"));
    its.flat_map(|job| job.ids).collect()
}

#[test]
fn ids_in_one_other_task_are_linked_to_it_if_it_has_them() {
    let ids = people(6);
    let model = Model::start();
    let task = model.somebody_deletes(&ids[1..3]);
    let operator = operator_with(&model.fake, &ids, 6);
    operator.run(&DELETE).exits_with(0);
    assert_eq!(model.fake.posts().len(), 2);
    same_people(
        &model.fake.posts()[1].ids(),
        &[&ids[..1], &ids[3..]].concat(),
    );
    assert_eq!(model.fake.gets().len(), 1);
    same_people(&linked_to(&operator, &task), &ids[1..3]);
    all_agree(&operator, &model, &ids);
}

#[test]
fn ids_in_several_other_tasks_are_linked_each_to_its_own() {
    let ids = people(8);
    let model = Model::start();
    let first = model.somebody_deletes(&ids[1..3]);
    let second = model.somebody_deletes(&[ids[5].clone(), "stranger".to_owned()]);
    let operator = operator_with(&model.fake, &ids, 4);
    operator.run(&DELETE).exits_with(0);
    let crossing = operator_with(&model.fake, &ids, 8);
    all_agree(&operator, &model, &ids);
    same_people(&linked_to(&operator, &first), &ids[1..3]);
    same_people(&linked_to(&operator, &second), &ids[5..6]);
    let tasks = model.tasks().len();

    // Another ledger knows none of it: now all ids are in four tasks, and dsr asks about each.
    crossing.run(&DELETE).exits_with(0);
    assert_eq!(model.tasks().len(), tasks, "nothing new was created");
    // Somebody's two tasks were asked about before, too.
    assert_eq!(model.fake.gets().len(), tasks + 2);
    let mut linked = Vec::new();
    for task in model.tasks() {
        linked.extend(linked_to(&crossing, &task.id));
    }
    same_people(&linked, &ids);
    all_agree(&crossing, &model, &ids);
}

#[test]
fn a_job_whose_ids_are_all_in_another_task_is_linked_and_nothing_is_sent_for_it() {
    let ids = people(6);
    let model = Model::start();
    let task = model.somebody_deletes(&ids[2..4]);
    let operator = operator_with(&model.fake, &ids, 2);
    operator.run(&DELETE).exits_with(0);
    same_people(&linked_to(&operator, &task), &ids[2..4]);
    assert_eq!(model.fake.posts().len(), 3);
    assert_eq!(states(&operator.only_request()), ["accepted"; 3]);
    all_agree(&operator, &model, &ids);
}

#[test]
fn a_conflict_over_some_ids_of_an_unknown_job_links_them_and_settles_the_rest() {
    let ids = people(6);
    let model = Model::striking(0, Fault::Unavailable);
    let task = model.somebody_deletes(&ids[1..3]);
    let operator = operator_with(&model.fake, &ids, 6);
    operator.run(&DELETE).exits_with(0);
    let posts = model.fake.posts();
    assert_eq!(posts.len(), 3);
    assert_eq!(posts[0].body, posts[1].body);
    same_people(&posts[2].ids(), &[&ids[..1], &ids[3..]].concat());
    same_people(&linked_to(&operator, &task), &ids[1..3]);
    assert_eq!(states(&operator.only_request()), ["accepted"; 2]);
    all_agree(&operator, &model, &ids);
}

#[test]
fn the_operators_word_to_send_again_meets_no_dead_end_at_a_conflict() {
    let ids = people(6);
    let model = Model::striking(0, Fault::Unanswered);
    let operator = operator_with(&model.fake, &ids, 6);
    let running = operator.start(&DELETE);
    model.fake.wait_for_posts(1);
    running.kill();
    // It was accepted and has ended; then somebody deletes two of its ids again.
    model.end_all();
    model.somebody_deletes(&ids[4..]);
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().expect("a name");
    let outcome = operator.run(&["resume", name, "--send-again"]);
    outcome.exits_with(0);
    assert_eq!(states(&operator.only_request()), ["accepted"; 2]);
    let notes = account(&operator).into_iter();
    let notes = notes.filter(|job| job.reason.contains("possible duplicate"));
    let doubled: Vec<String> = notes.flat_map(|job| job.ids).collect();
    same_people(&doubled, &ids[..4]);
}

#[test]
fn a_conflict_over_ids_that_were_not_sent_stops_the_run() {
    let body = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ["somebody@example.test"],
        "conflicting_task_ids": ["t-other"],
    }});
    let fake = Fake::answering_post(1, Reply::json(409, &body));
    let operator = operator_with(&fake, &people(6), 2);
    let outcome = operator.run(&DELETE);
    outcome.exits_with(3).never_says("somebody@example.test");
    assert_eq!(fake.posts().len(), 2, "nothing after it\n{outcome}");
    let request = operator.only_request();
    assert_eq!(states(&request), ["accepted", "planned", "planned"]);
    assert_eq!(request["jobs"][1]["task_id"], Value::Null);
}

#[test]
fn ids_that_no_named_task_owns_up_to_are_unknown_and_named_by_their_tasks() {
    let ids = people(4);
    let body = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": [ids[0], ids[1]],
        "conflicting_task_ids": ["t-one", "t-two"],
    }});
    let tasks = |call: &Call| {
        let results = json!({ "status": "PENDING", "result": "", "distinct_ids": [] });
        match call.is_post() {
            true => usual(call),
            false => Reply::json(200, &json!({ "status": "ok", "results": results })),
        }
    };
    let fake = Fake::answering(move |call| match call.is_post() && call.place == 0 {
        true => Reply::json(409, &body),
        false => tasks(call),
    });
    let operator = operator_with(&fake, &ids, 4);
    operator.run(&DELETE).exits_with(6).says("--task");
    let jobs = account(&operator);
    let refused: Vec<_> = jobs.iter().filter(|job| job.state == "unknown").collect();
    assert_eq!(refused.len(), 1, "{jobs:#?}");
    assert_eq!(refused[0].ids.len(), 2);
    assert!(refused[0].reason.contains("t-one") && refused[0].reason.contains("t-two"));
    same_people(&fake.posts()[1].ids(), &ids[2..]);
}

fn taking_at_most(largest: usize) -> Model {
    Model::behaving(Habits {
        largest,
        ..Habits::default()
    })
}

#[test]
fn a_job_that_is_too_large_is_cut_until_it_fits_and_the_limit_is_remembered() {
    for kind in ["delete", "export"] {
        let ids = people(400);
        let model = taking_at_most(60);
        let operator = operator_with(&model.fake, &ids, 200);
        let mut args = vec![kind, "--gdpr", "ids.csv"];
        args.extend((kind == "delete").then_some("--yes"));
        operator.run(&args).exits_with(0);
        let sizes: Vec<_> = model.fake.posts().iter().map(|p| p.ids().len()).collect();
        assert_eq!(sizes[..2], [200, 100], "{sizes:?}");
        assert!(sizes[2..].iter().all(|size| *size <= 60), "{sizes:?}");
        all_agree(&operator, &model, &ids);

        let before = model.fake.posts().len();
        let later: Vec<String> = (0..130).map(|n| format!("later-{n}")).collect();
        operator.file("ids.csv", csv_of(&later, None));
        operator.run(&args).exits_with(0);
        let posts = model.fake.posts();
        assert!(
            posts[before..].iter().all(|post| post.ids().len() <= 60),
            "known from the first on"
        );
        let sent: Vec<_> = posts[before..].iter().flat_map(Call::ids).collect();
        same_people(&sent, &later);
    }
}

#[test]
fn a_413_cuts_as_a_400_does_and_one_kind_does_not_teach_the_other() {
    let fake = Fake::answering(|call| match call.is_post() && call.ids().len() > 60 {
        true if call.path.contains("data-deletions") => {
            Reply::text(413, "text/html", "<html>Request Entity Too Large</html>")
        }
        _ => usual(call),
    });
    let operator = operator_with(&fake, &people(400), 200);
    operator.run(&DELETE).exits_with(0);
    let sizes: Vec<_> = fake.posts().iter().map(|p| p.ids().len()).collect();
    assert_eq!(sizes, [200, 100, 50, 50, 50, 50, 50, 50, 50, 50]);
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(0);
    let sizes: Vec<_> = fake.posts()[10..].iter().map(|p| p.ids().len()).collect();
    assert_eq!(sizes, [200, 200]);
}
