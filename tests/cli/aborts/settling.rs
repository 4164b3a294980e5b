//! Kills dsr while it settles an unknown job: around the repeat, 2.5 s after the first POST, and
//! around the question about the task that a conflict names.
//!
//! By then all that counts of the first answer is whether the peer has a task, and whether the task
//! is active. So three replies stand for all that say nothing, and two kinds for all four.

use std::collections::BTreeSet;

use super::course::{Course, Stand, Word};
use super::reply::{Means, Reply};
use super::stage::{Stage, stands};
use super::{AT_ONCE, Asked};
use crate::support::{Gate, Halt, Hold, few_on_postgres, in_turns, people};

use Stand::{Accepted, Double, Recovered, Sending, Unknown};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Both jobs were sent, one is unknown, and the intent of its repeat is not in the ledger.
    Unrepeated,
    Repeat(Hold),
    /// The repeat met a conflict; the question about its task is held at this point.
    Question(Hold),
}

const HOLDS: [Hold; 8] = [
    Hold::Unconnected,
    Hold::Unread,
    Hold::PartRead,
    Hold::Read,
    Hold::Decided,
    Hold::Head,
    Hold::Half,
    Hold::Answered,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    asked: Asked,
    step: Step,
    reply: Reply,
}

impl Cell {
    /// The repeat meets the task that the first POST made.
    fn meets_a_conflict(&self) -> bool {
        self.asked.is_deletion() && self.reply.means() == Means::LostTaken
    }

    /// The peer has read the whole repeat and decided about it.
    fn is_decided(&self) -> bool {
        match self.step {
            Step::Unrepeated => false,
            Step::Repeat(hold) => is_decided(hold),
            Step::Question(_) => true,
        }
    }

    fn impossible(&self) -> Option<&'static str> {
        match self.step {
            Step::Question(_) if !self.meets_a_conflict() => Some("no task is named"),
            Step::Repeat(Hold::Answered) if self.meets_a_conflict() => {
                Some("the outcome is not due before the question")
            }
            Step::Question(Hold::PartRead) => Some("a question has no body"),
            _ => None,
        }
    }

    fn at_the_kill(&self) -> Course {
        let first = match self.step {
            Step::Unrepeated => Unknown,
            _ => Sending,
        };
        let asked = matches!(self.step, Step::Question(hold) if is_decided(hold));
        Course {
            posts: 2 + usize::from(self.is_decided()),
            gets: usize::from(asked),
            stands: vec![first, Accepted],
            status: 0,
        }
    }

    fn resumed(&self) -> Course {
        let course = |posts, gets, stand, status| Course {
            posts,
            gets,
            stands: vec![stand, Accepted],
            status,
        };
        if !self.asked.is_deletion() {
            return match self.step {
                Step::Unrepeated => course(1, 0, Double, 0),
                // An export is repeated once, and that has happened.
                _ => course(0, 0, Unknown, 6),
            };
        }
        // Mixpanel names the task to the second or the third POST. Nobody can tell any more which
        // earlier POST made it, and whether it is the only one.
        let sent_twice = self.step != Step::Unrepeated;
        let named = if sent_twice { Double } else { Recovered };
        match self.reply.means() {
            Means::LostTaken => course(1, 1, named, 0),
            _ if self.is_decided() => course(1, 1, named, 0),
            _ => course(1, 0, Double, 0),
        }
    }

    /// The operator's decision about what is left, and its expected result.
    fn finished(&self) -> (Word, Course) {
        let before = self.resumed();
        let course = |posts, gets, stands: &[Stand]| Course {
            posts,
            gets,
            stands: stands.to_vec(),
            status: 0,
        };
        if !before.stands.contains(&Unknown) {
            return (Word::None, course(0, 0, &before.stands));
        }
        // It was sent twice, so there may be another task beside the named one.
        match self.reply.means() == Means::LostIdle && !self.is_decided() {
            true => (Word::SendAgain, course(1, 0, &[Double, Accepted])),
            false => (Word::Task, course(0, 1, &[Double, Accepted])),
        }
    }
}

fn is_decided(hold: Hold) -> bool {
    matches!(
        hold,
        Hold::Decided | Hold::Head | Hold::Half | Hold::Answered
    )
}

fn product() -> Vec<Cell> {
    let repeats = HOLDS.map(Step::Repeat);
    let questions = HOLDS.map(Step::Question);
    let steps = [&[Step::Unrepeated][..], &repeats, &questions].concat();
    let mut cells = Vec::new();
    for asked in [Asked::DeleteGdpr, Asked::ExportCcpa] {
        for reply in [Reply::Failed500, Reply::Ended, Reply::Idle500] {
            let steps = steps.iter();
            cells.extend(steps.map(|&step| Cell { asked, step, reply }));
        }
    }
    cells
}

#[test]
fn a_kill_while_an_unknown_job_is_settled_is_settled_by_the_next_resume() {
    let all = product();
    assert_eq!(all.len(), 2 * 3 * 17);
    let (cells, left): (Vec<Cell>, Vec<Cell>) =
        all.iter().partition(|cell| cell.impossible().is_none());
    assert_eq!(cells.len() + left.len(), all.len());
    let cells = few_on_postgres(cells, 24);
    in_turns(&cells, AT_ONCE, play);
    let reasons: BTreeSet<_> = left.iter().filter_map(Cell::impossible).collect();
    println!(
        "{} cells ran; {} are not there: {reasons:?}",
        cells.len(),
        left.len()
    );
}

fn play(cell: &Cell) {
    let ids = people(4);
    let model = cell.reply.model(&ids[..2]);
    let mut stage = Stage::new(cell.asked, model, ids);
    kill_at(cell, &mut stage);
    let mut expected = cell.at_the_kill();
    stage.agrees("after the kill", &expected, 1);

    let url = stage.model.fake.url();
    stage.runs(&["resume"], &url);
    expected = stage.continues(&expected, &cell.resumed());
    stage.agrees("after the resume", &expected, 1);

    let (word, course) = cell.finished();
    match word {
        Word::None => stage.runs(&["resume"], &url),
        Word::Task => {
            let task = stage.last_task_of_the_first();
            stage.runs_for_the_request(&["--task", &task], &url);
        }
        Word::SendAgain => stage.runs_for_the_request(&["--send-again"], &url),
    }
    expected = stage.continues(&expected, &course);
    stage.agrees("at the end", &expected, 1);
    stage.kept_its_distance();
}

fn kill_at(cell: &Cell, stage: &mut Stage) {
    // The POSTs of both jobs, the repeat, the question.
    let (place, hold) = match cell.step {
        // No call reaches this hold.
        Step::Unrepeated => (4, Hold::Read),
        Step::Repeat(hold) => (2, hold),
        Step::Question(hold) => (3, hold),
    };
    match (cell.step, hold) {
        (Step::Unrepeated, _) => stage.operator.halts_at(Halt::IntentAfter(2)),
        (_, Hold::Answered) => stage.operator.halts_at(Halt::OutcomeOf(3)),
        _ => {}
    }
    let gate = Gate::before(&stage.model.fake, place, hold);
    let running = stage.starts(cell.asked.command(), &gate.url());
    match cell.step {
        Step::Unrepeated => {
            stage.model.fake.wait_for_posts(2);
            stage.wait_until(|stage| stands(&stage.jobs()) == [Unknown, Accepted]);
        }
        _ => gate.wait_until_held(),
    }
    stage.kills(running);
}
