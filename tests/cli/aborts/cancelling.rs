//! Kills dsr around the three steps of a cancellation: withdrawing what was never sent, the DELETE,
//! and the GET that decides. Then the same command runs once more.

use super::Asked;
use super::course::Stand;
use super::reply::Reply;
use super::stage::{Stage, sorted, stands};
use crate::support::{Gate, Halt, Hold, in_turns, people};

use Stand::{Accepted, Planned, Revoked};

/// Few cells at once, since they wait only for dsr.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// What was never sent is not withdrawn yet.
    Withdrawal,
    Delete(Hold),
    Question(Hold),
}

/// A DELETE, a GET and a 204 have no body, so these have fewer steps.
const DELETES: [Hold; 4] = [Hold::Unconnected, Hold::Unread, Hold::Read, Hold::Decided];
const QUESTIONS: [Hold; 7] = [
    Hold::Unconnected,
    Hold::Unread,
    Hold::Read,
    Hold::Decided,
    Hold::Head,
    Hold::Half,
    Hold::Answered,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Waiting,
    Ended,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    step: Step,
    task: Task,
}

#[test]
fn a_kill_while_a_request_is_cancelled_leaves_nothing_that_is_called_revoked_and_is_not() {
    let deletes = DELETES.map(Step::Delete);
    let questions = QUESTIONS.map(Step::Question);
    let steps = [&[Step::Withdrawal][..], &deletes, &questions].concat();
    let cells = steps.iter().flat_map(|&step| {
        let tasks = [Task::Waiting, Task::Ended];
        tasks.map(|task| Cell { step, task })
    });
    let cells: Vec<Cell> = cells.collect();
    in_turns(&cells, AT_ONCE, play);
    println!("{} cells ran", cells.len());
    assert_eq!(cells.len(), 2 * (1 + 4 + 7));
}

fn deletes(stage: &Stage) -> usize {
    let calls = stage.model.fake.calls().into_iter();
    calls.filter(|call| call.method == "DELETE").count()
}

fn play(cell: &Cell) {
    let ids = people(4);
    let mut stage = Stage::new(Asked::DeleteGdpr, Reply::Task.model(&ids[..2]), ids);
    send_the_first_job_only(&mut stage);
    if cell.task == Task::Ended {
        stage.model.end_all();
    }
    let request = stage.jobs()[0].request.clone();
    let cancel = ["cancel", request.as_str()];

    kill_at(cell, &mut stage, &cancel);
    let other = match cell.step {
        Step::Withdrawal => Planned,
        _ => Revoked,
    };
    let reached = |hold| !matches!(hold, Hold::Unconnected | Hold::Unread | Hold::Read);
    let (made, asked) = match cell.step {
        Step::Withdrawal => (0, 0),
        Step::Delete(hold) => (usize::from(reached(hold)), 0),
        Step::Question(hold) => (1, usize::from(reached(hold))),
    };
    let told = format!("{cell:?} {:#?}", stage.jobs());
    // Whatever Mixpanel did, dsr has not heard that the task is revoked.
    assert_eq!(stands(&stage.jobs()), sorted(&[Accepted, other]), "{told}");
    let revoked = |made: usize| usize::from(made > 0 && cell.task == Task::Waiting);
    assert_eq!(stage.model.revoked(), revoked(made), "{told}");
    assert_eq!(deletes(&stage), made, "{told}");
    assert_eq!(stage.model.fake.gets().len(), asked, "{told}");

    let url = stage.model.fake.url();
    stage.runs(&cancel, &url);
    let (first, status) = match cell.task {
        Task::Waiting => (Revoked, 0),
        // The task has ended, so it is too late.
        Task::Ended => (Accepted, 3),
    };
    stage.ended_with(status);
    assert_eq!(stands(&stage.jobs()), sorted(&[first, Revoked]), "{told}");
    assert_eq!(stage.model.revoked(), revoked(1), "{told}");
    assert_eq!(deletes(&stage), made + 1, "{told}");
    assert_eq!(stage.model.fake.gets().len(), asked + 1, "{told}");

    stage.runs(&["resume"], &url);
    stage.ended_with(0);
    assert_eq!(stage.model.fake.posts().len(), 1, "{told}");
    assert_eq!(deletes(&stage), made + 1, "{told}");
}

fn send_the_first_job_only(stage: &mut Stage) {
    stage.operator.halts_at(Halt::IntentAfter(1));
    let url = stage.model.fake.url();
    let running = stage.starts(Asked::DeleteGdpr.command(), &url);
    stage.model.fake.wait_for_posts(1);
    stage.wait_until(|stage| stands(&stage.jobs()) == [Planned, Accepted]);
    stage.kills(running);
}

fn kill_at(cell: &Cell, stage: &mut Stage, cancel: &[&str]) {
    let (place, hold) = match cell.step {
        Step::Withdrawal => {
            stage.operator.halts_at(Halt::Withdrawal);
            let url = stage.model.fake.url();
            let running = stage.starts(cancel, &url);
            stage.wait_until(|stage| stage.operator.is_held());
            return stage.kills(running);
        }
        Step::Delete(hold) => (0, hold),
        Step::Question(hold) => (1, hold),
    };
    if hold == Hold::Answered {
        stage.operator.halts_at(Halt::Check);
    }
    let gate = Gate::before(&stage.model.fake, place, hold);
    let running = stage.starts(cancel, &gate.url());
    gate.wait_until_held();
    stage.kills(running);
}
