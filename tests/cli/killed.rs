//! SIGKILL at each step between the ledger and the wire, then `dsr resume`.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::support::{
    Fake, Fault, Model, Operator, Reply, account, at_once, csv_of, disagreements, object_reply,
    people,
};

/// The moment in the life of the second of three POSTs at which dsr is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The intent is on the disk, and the server has not read the POST.
    Intent,
    /// The server has read it, and does nothing with it.
    Read,
    /// The server has carried it out, and not answered yet.
    Accepted,
    /// The answer is on the wire, and dsr has not read it.
    Answered,
}

const STEPS: [Step; 4] = [Step::Intent, Step::Read, Step::Accepted, Step::Answered];

fn args_of(kind: &'static str) -> Vec<&'static str> {
    let mut args = vec![kind, "--gdpr", "ids.csv"];
    args.extend((kind == "delete").then_some("--yes"));
    args
}

fn states_on_disk(operator: &Operator) -> Vec<String> {
    let jobs = account(operator).into_iter();
    jobs.map(|job| job.state).collect()
}

fn kill_at(step: Step, kind: &'static str) -> (Model, Operator, Vec<String>) {
    let model = match step {
        Step::Intent => Model::start(),
        Step::Read => Model::striking(1, Fault::Ignored),
        Step::Accepted => Model::striking(1, Fault::Unanswered),
        Step::Answered => Model::striking(1, Fault::Late),
    };
    let settings = "rate = 1000\ndelete_batch = 2\nexport_batch = 2";
    let operator = Operator::at_with(&model.fake, settings);
    let ids = people(6);
    operator.file("ids.csv", csv_of(&ids, None));
    let running = operator.start(&args_of(kind));
    model.fake.wait_for_posts(2);
    if step == Step::Answered {
        running.signal("STOP");
        thread::sleep(Duration::from_millis(900));
    }
    running.kill();
    (model, operator, ids)
}

/// The connection stays in the backlog of a server that never reads.
fn kill_before_it_is_read(kind: &'static str) -> (Model, Operator, Vec<String>) {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = deaf.local_addr().expect("a bound socket has an address");
    let model = Model::start();
    let settings = "rate = 1000\ndelete_batch = 2\nexport_batch = 2";
    let operator = Operator::at_with(&model.fake, settings)
        .with("DSR_API_URL", &format!("http://{address}/api/app"));
    let ids = people(6);
    operator.file("ids.csv", csv_of(&ids, None));
    let running = operator.start(&args_of(kind));
    let unread = deaf
        .accept()
        .expect("dsr connects once the intent is on the disk");
    running.kill();
    drop(unread);
    let operator = operator.with("DSR_API_URL", &model.fake.url());
    (model, operator, ids)
}

fn check(step: Step, kind: &'static str) {
    let (model, operator, ids) = match step {
        Step::Intent => kill_before_it_is_read(kind),
        _ => kill_at(step, kind),
    };
    let place = usize::from(step != Step::Intent);
    let before = states_on_disk(&operator);
    assert_eq!(before[place], "sending", "{kind} {step:?}");
    let seen = operator.run(&["status", "--cached"]);
    seen.exits_with(0).says("unknown");
    assert_eq!(states_on_disk(&operator)[place], "unknown");

    let posts = model.fake.posts().len();
    let resumed = operator.run(&["resume"]);
    resumed.exits_with(0);
    let jobs = account(&operator);
    assert!(jobs.iter().all(|job| job.state == "accepted"), "{resumed}");
    let again = model.fake.posts().len() - posts;
    assert_eq!(again, 2 + usize::from(place == 0), "{kind} {step:?}");
    let was_taken = matches!(step, Step::Accepted | Step::Answered);
    let recovers = kind == "delete" && was_taken;
    assert_eq!(jobs[place].reason.contains("recovered"), recovers);
    // Nobody can know whether the first POST was accepted, unless Mixpanel names its task.
    assert_eq!(jobs[place].may_be_double(), !recovers, "{kind} {step:?}");
    let twice = model.times().values().filter(|times| **times == 2).count();
    let doubled = kind == "export" && was_taken;
    assert_eq!(twice, 2 * usize::from(doubled), "{kind} {step:?}");
    let found = disagreements(&operator, &model, &[ids.into_iter().collect()]);
    assert!(found.is_empty(), "{kind} {step:?}: {found:#?}");
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(model.fake.posts().len(), posts + again, "nothing is left");
}

#[test]
fn a_kill_at_any_step_is_settled_by_one_resume() {
    let cases = STEPS.into_iter();
    let cases = cases.flat_map(|step| ["delete", "export"].map(|kind| (step, kind)));
    at_once(cases, |(step, kind)| check(step, kind));
}

#[test]
fn the_doctor_and_the_ledgers_status_name_a_job_whose_sender_was_killed() {
    let model = Model::striking(1, Fault::Unanswered);
    let operator = Operator::at_with(&model.fake, "rate = 1000\ndelete_batch = 2");
    operator.file("ids.csv", csv_of(&people(6), None));
    let running = operator.start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    model.fake.wait_for_posts(2);
    let looks = || [operator.doctor(), operator.run(&["ledger", "status"])];
    for look in looks() {
        assert!(!look.stdout.contains("being sent"), "{look}");
    }
    running.kill();
    for look in looks() {
        let shown = look.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("1 job was being sent"), "{look}");
        assert!(shown.contains("`dsr resume`"), "{look}");
    }
    let json = operator.run(&["ledger", "status", "--json"]).json();
    assert_eq!(json["ledger"]["interrupted"], 1);
}

#[test]
fn a_sender_that_is_killed_while_another_resumes_is_reported_by_that_resume() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(429, "later"),
        1 => Reply::After(Duration::from_secs(60), Box::new(object_reply("lost"))),
        place => {
            let reply = object_reply(&format!("task-{place}"));
            Reply::After(Duration::from_secs(4), Box::new(reply))
        }
    });
    let operator = Operator::at_with(&fake, "rate = 1000");
    let delete = ["delete", "--gdpr", "--yes", "--id"];
    let planned = [&delete[..], &["person-1", "--max-wait", "0s"]].concat();
    operator.run(&planned).exits_with(75);
    thread::sleep(Duration::from_millis(2100));
    let killed = operator.start(&[&delete[..], &["person-2"]].concat());
    fake.wait_for_posts(2);
    let resuming = operator.start(&["resume"]);
    fake.wait_for_posts(3);
    killed.kill();
    resuming.end().exits_with(6).says("unknown");
    assert_eq!(fake.posts().len(), 3);
    let states = states_on_disk(&operator);
    assert!(states.contains(&"unknown".to_owned()), "{states:?}");
}
