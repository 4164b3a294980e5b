//! Measurements that take minutes: run them with `cargo test --test cli measure:: -- --ignored
//! --nocapture --test-threads=1`.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{
    Chance, Habits, Model, Operator, Rules, account, csv_of, disagreements, people,
};

const DELETE: [&str; 4] = ["delete", "--gdpr", "--yes", "ids.csv"];
const IDS: usize = 10_000;

fn prepared(rate: u32, batch: usize, seed: u64) -> (Model, Operator, BTreeSet<String>) {
    let habits = Habits {
        rules: Rules::PerSecond(rate),
        delay: Duration::from_millis(40),
        ..Habits::default()
    };
    let model = Model::in_bad_weather(habits, seed);
    let settings = format!("rate = {rate}\ndelete_batch = {batch}");
    let operator = Operator::at_with(&model.fake, &settings);
    let ids = people(IDS);
    operator.file("ids.csv", csv_of(&ids, None));
    (model, operator, ids.into_iter().collect())
}

fn report(start: Instant, resumes: usize, model: &Model, operator: &Operator) -> String {
    let jobs = account(operator);
    let with = |text: &str| jobs.iter().filter(|job| job.reason.contains(text)).count();
    let times = model.times();
    let tally = model.tally();
    let doubled = times.values().filter(|times| **times > 1).count();
    let accepted = jobs.iter().filter(|job| job.is_accepted()).count();
    [
        ("POSTs", model.fake.posts().len()),
        ("GETs", model.fake.gets().len()),
        ("429 by chance", tally.limited),
        ("429 for the pace", model.fake.limited()),
        ("503", tally.unavailable),
        ("resets after accepting", tally.lost),
        ("409", tally.conflicts),
        ("jobs recovered", with("recovered")),
        (
            "jobs noted as possible duplicates",
            with("possible duplicate"),
        ),
        ("resumes", resumes),
        ("ids lost", IDS - times.len()),
        ("ids in two tasks", doubled),
        ("jobs", jobs.len()),
        ("jobs accepted", accepted),
    ]
    .map(|(name, count)| format!("{name}: {count}\n"))
    .concat()
        + &format!("seconds: {:.1}", start.elapsed().as_secs_f64())
}

#[test]
#[ignore = "takes a minute"]
fn ten_thousand_ids_at_one_a_second_are_all_accepted_after_at_most_one_resume() {
    let (model, operator, ids) = prepared(1, 500, 7);
    let start = Instant::now();
    let first = operator.run(&DELETE);
    let mut resumes = 0;
    if first.status != Some(0) {
        resumes = 1;
        operator.run(&["resume"]);
    }
    println!("At 1/s\n{}", report(start, resumes, &model, &operator));
    let found = disagreements(&operator, &model, &[ids]);
    assert!(found.is_empty(), "{found:#?}");
    assert!(account(&operator).iter().all(|job| job.is_accepted()));
    assert_eq!(model.fake.limited(), 0, "the pace was kept");
}

#[test]
#[ignore = "takes a minute"]
fn fifty_kills_lose_nothing_and_double_nothing_without_a_word() {
    let (model, operator, ids) = prepared(20, 100, 11);
    let mut chance = Chance::new(50);
    let mut struck = 0;
    let start = Instant::now();
    let mut running = operator.start(&DELETE);
    model.fake.wait_for_posts(1);
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(30 + chance.below(220)));
        struck += usize::from(running.kill().status.is_none());
        running = operator.start(&["resume"]);
    }
    let mut last = running.end();
    let mut resumes = 51;
    while last.status != Some(0) && resumes < 60 {
        last = operator.run(&["resume"]);
        resumes += 1;
    }
    println!("{struck} of 50 kills struck a run that had work to do");
    println!("At 20/s\n{}", report(start, resumes, &model, &operator));
    let found = disagreements(&operator, &model, &[ids]);
    assert!(found.is_empty(), "{found:#?}");
    assert!(account(&operator).iter().all(|job| job.is_accepted()));
}
