//! Kills dsr around a receipt: Mixpanel has accepted, and the ledger cannot record it. The kill
//! comes before, during or after the writing of the receipt, or while the next dsr reads it.
//!
//! Once the receipt is on the disk, its writer ends by itself.

use std::fs;
use std::process::Command;

use super::course::{Course, Stand};
use super::reply::Reply;
use super::stage::Stage;
use super::{AT_ONCE, Asked};
use crate::support::{Gate, Halt, Hold, Operator, Running, in_turns, people};

use Stand::{Accepted, Double, Planned, Recovered, Sending};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// dsr waits for the ledger, and has written the receipt before.
    Waiting,
    /// A part of the receipt is on the disk.
    Torn,
    /// The whole receipt is on the disk.
    Written,
    /// The whole receipt is on the disk, and the next dsr is about to record it.
    Found,
}

const STEPS: [Step; 4] = [Step::Waiting, Step::Torn, Step::Written, Step::Found];

/// Which POST of the first job the receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Post {
    First,
    /// The repeat of a first POST that the peer carried out to its end.
    Repeat,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    asked: Asked,
    step: Step,
    post: Post,
}

impl Cell {
    fn is_kept(&self) -> bool {
        self.step != Step::Torn
    }

    fn at_the_kill(&self) -> Course {
        let (posts, other) = match self.post {
            Post::First => (1, Planned),
            Post::Repeat => (3, Accepted),
        };
        Course {
            posts,
            gets: 0,
            stands: vec![Sending, other],
            status: 6,
        }
    }

    fn resumed(&self) -> Course {
        let rest = usize::from(self.post == Post::First);
        let deletion = self.asked.is_deletion();
        let (posts, gets, first, status) = match (self.is_kept(), self.post) {
            (true, Post::First) => (0, 0, Accepted, 0),
            (true, Post::Repeat) => (0, 0, Double, 0),
            (false, Post::First) if deletion => (1, 1, Recovered, 0),
            (false, Post::Repeat) if deletion => (1, 1, Double, 0),
            (false, Post::First) => (1, 0, Double, 0),
            (false, Post::Repeat) => (0, 0, Stand::Unknown, 6),
        };
        Course {
            posts: posts + rest,
            gets,
            stands: vec![first, Accepted],
            status,
        }
    }
}

#[test]
fn a_kill_around_a_receipt_loses_no_task_and_doubles_none_without_a_word() {
    let mut cells = Vec::new();
    for asked in [Asked::DeleteGdpr, Asked::ExportCcpa] {
        for step in STEPS {
            let posts = [Post::First, Post::Repeat];
            cells.extend(posts.map(|post| Cell { asked, step, post }));
        }
    }
    in_turns(&cells, AT_ONCE, play);
    println!("{} cells ran", cells.len());
    assert_eq!(cells.len(), 2 * 4 * 2);
}

fn play(cell: &Cell) {
    let ids = people(4);
    let (reply, place) = match cell.post {
        Post::First => (Reply::Task, 0),
        Post::Repeat => (Reply::Ended, 2),
    };
    let mut stage = Stage::new(cell.asked, reply.model(&ids[..2]), ids);
    let gate = Gate::before(&stage.model.fake, place, Hold::Decided);
    let patience = match cell.step {
        Step::Waiting => "1h",
        _ => "1s",
    };
    let args = [cell.asked.command(), &["--lock-timeout", patience]].concat();
    let running = stage.starts(&args, &gate.url());
    gate.wait_until_held();
    let held = stage.operator.holds_the_ledger();
    if cell.step == Step::Torn {
        let_files_grow_to(20, &running);
    }
    gate.lets_go();
    match cell.step {
        Step::Waiting => {
            stage.wait_until(|stage| has_receipt(&stage.operator));
            stage.kills_while_held(running, held);
        }
        _ => stage.ends_while_held(running, held),
    }
    let mut expected = cell.at_the_kill();
    match cell.step {
        Step::Waiting => stage.was_killed(),
        Step::Torn | Step::Written | Step::Found => stage.ended_with(6),
    }
    stage.agrees("after the kill", &expected, 1);

    let url = stage.model.fake.url();
    if cell.step == Step::Found {
        let attempts = if cell.post == Post::First { 1 } else { 3 };
        stage.operator.halts_at(Halt::OutcomeOf(attempts));
        let running = stage.starts(&["resume"], &url);
        stage.wait_until(|stage| stage.operator.is_held());
        stage.kills(running);
        stage.agrees("after the second kill", &expected, 1);
    }
    stage.runs(&["resume"], &url);
    expected = stage.continues(&expected, &cell.resumed());
    stage.agrees("after the resume", &expected, 1);
    if !expected.stands.contains(&Stand::Unknown) {
        stage.runs(&["resume"], &url);
        stage.agrees("at the end", &expected, 1);
    }
}

/// Whether a whole receipt is on the disk.
fn has_receipt(operator: &Operator) -> bool {
    let Ok(files) = fs::read_dir(operator.beside_ledger("receipts")) else {
        return false;
    };
    let text = files.flatten().map(|file| fs::read_to_string(file.path()));
    text.flatten().any(|text| text.contains("}\n"))
}

/// Limits the size of files: a longer write fails in the middle, as on a full disk.
fn let_files_grow_to(bytes: usize, running: &Running) {
    let process = running.id().to_string();
    let limited = Command::new("prlimit")
        .args(["--pid", &process, &format!("--fsize={bytes}")])
        .status();
    assert!(limited.expect("prlimit is there").success());
}
