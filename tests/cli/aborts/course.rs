//! The expected result of each cell: the tables of docs/design/doubt.md for two jobs of two ids.
//! The first job's POST meets the reply. Written by hand, so that it checks the program.

use super::reply::Means;
use super::{Cell, Step};

/// How a job stands in the ledger, with its note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    Planned,
    Deferred,
    /// A dsr that was killed was sending it.
    Sending,
    Unknown,
    Refused,
    Accepted,
    /// Accepted, and noted as a possible duplicate.
    Double,
    /// Accepted: Mixpanel named the task.
    Recovered,
    /// Accepted: its ids are in a task that was not made for this job.
    Linked,
    Revoked,
}

use Stand::{Accepted, Deferred, Double, Linked, Planned, Recovered, Refused, Sending, Unknown};

/// What one command does: its calls, the jobs' states after it, and its exit status.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) posts: usize,
    pub(super) gets: usize,
    pub(super) stands: Vec<Stand>,
    pub(super) status: i32,
}

impl Course {
    fn of(posts: usize, gets: usize, stands: &[Stand], status: i32) -> Self {
        Self {
            posts,
            gets,
            stands: stands.to_vec(),
            status,
        }
    }

    fn and(mut self, posts: usize, stands: &[Stand]) -> Self {
        self.posts += posts;
        self.stands.extend(stands);
        self
    }
}

/// How the first job stands when dsr is killed; the second is planned.
pub(super) fn at_the_kill(cell: &Cell) -> Course {
    let decided = match cell.reply.means() {
        Means::Unreachable => 0,
        _ => 1,
    };
    let first = match cell.step {
        Step::Unrecorded => return Course::of(0, 0, &[], 0),
        Step::Planned => Course::of(0, 0, &[Planned], 0),
        Step::Intent | Step::Unread | Step::PartRead | Step::Read => {
            Course::of(0, 0, &[Sending], 0)
        }
        Step::Decided | Step::Head | Step::Half | Step::Answered => {
            Course::of(decided, 0, &[Sending], 0)
        }
        Step::Apart => Course::of(1, gets_of_a_link(cell), &[Planned], 0),
        Step::Recorded => Course::of(decided, gets_of_a_link(cell), recorded(cell), 0),
    };
    first.and(0, &[Planned])
}

/// dsr asks each named task which ids it has.
fn gets_of_a_link(cell: &Cell) -> usize {
    match cell.reply.means() {
        Means::ConflictTwo => 2,
        Means::ConflictAll | Means::ConflictSome => 1,
        _ => 0,
    }
}

/// What the ledger records of the first answer.
fn recorded(cell: &Cell) -> &'static [Stand] {
    match cell.reply.means() {
        Means::Task => &[Accepted],
        Means::Unread | Means::LostTaken | Means::LostEnded | Means::LostIdle => &[Unknown],
        Means::Refused => &[Refused],
        Means::TooLarge => &[Planned, Planned],
        Means::ConflictAll => &[Linked],
        Means::ConflictSome => &[Linked, Planned],
        Means::ConflictTwo => &[Linked, Linked],
        Means::Foreign | Means::NotAllowed | Means::Unreachable => &[Planned],
        Means::Limited => &[Deferred],
    }
}

/// What `dsr resume` does; if nothing was recorded, the same command once more.
pub(super) fn resumed(cell: &Cell) -> Course {
    match cell.step {
        Step::Unrecorded | Step::Planned | Step::Apart => sent(cell),
        Step::Intent | Step::Unread | Step::PartRead | Step::Read => settled_ahead(cell),
        Step::Decided | Step::Head | Step::Half | Step::Answered => settled_behind(cell),
        Step::Recorded => after_the_record(cell),
    }
}

/// Both jobs are sent, and the reply is still to come.
fn sent(cell: &Cell) -> Course {
    let course = match cell.reply.means() {
        Means::Task => Course::of(1, 0, &[Accepted], 0),
        Means::Unread | Means::LostTaken if cell.asked.is_deletion() => {
            Course::of(2, 1, &[Recovered], 0)
        }
        // An export that Mixpanel certainly accepted is not sent again.
        Means::Unread => Course::of(1, 0, &[Unknown], 6),
        Means::LostTaken | Means::LostEnded | Means::LostIdle => Course::of(2, 0, &[Double], 0),
        Means::Refused => Course::of(1, 0, &[Refused], 3),
        // Two ids are too few to learn a limit from: the second job is refused whole, too.
        Means::TooLarge => return Course::of(3 + 3, 0, &[Accepted; 4], 0),
        Means::ConflictAll => Course::of(1, 1, &[Linked], 0),
        Means::ConflictSome => Course::of(2, 1, &[Linked, Accepted], 0),
        Means::ConflictTwo => Course::of(1, 2, &[Linked, Linked], 0),
        Means::Limited => Course::of(2, 0, &[Accepted], 0),
        // These replies end the run before the second job's turn.
        Means::Foreign => return Course::of(1, 0, &[Planned; 2], 3),
        Means::NotAllowed => return Course::of(1, 0, &[Planned; 2], 4),
        Means::Unreachable => return Course::of(0, 0, &[Planned; 2], 75),
    };
    course.and(1, &[Accepted])
}

/// The first job is unknown and the peer never had it: the repeat meets the reply. The second job
/// is sent meanwhile.
fn settled_ahead(cell: &Cell) -> Course {
    let deletion = cell.asked.is_deletion();
    let means = cell.reply.means();
    // dsr repeats a deletion up to three times, an export once.
    let course = match means {
        Means::Task => Course::of(1, 0, &[Double], 0),
        Means::TooLarge => return settled_behind(cell),
        Means::ConflictAll | Means::ConflictSome | Means::ConflictTwo => {
            return settled_behind(cell);
        }
        Means::Foreign | Means::NotAllowed => Course::of(1, 0, &[Unknown], 6),
        Means::Unreachable => unreachable!("listed as impossible"),
        _ if !deletion => Course::of(1, 0, &[Unknown], 6),
        // Two answers are lost by now, and the task explains only one of them.
        Means::Unread | Means::LostTaken => Course::of(2, 1, &[Double], 0),
        Means::LostEnded | Means::LostIdle | Means::Refused | Means::Limited => {
            Course::of(2, 0, &[Double], 0)
        }
    };
    course.and(1, &[Accepted])
}

/// The first job is unknown, and the peer has decided about it.
fn settled_behind(cell: &Cell) -> Course {
    let deletion = cell.asked.is_deletion();
    let course = match cell.reply.means() {
        Means::Task | Means::Unread | Means::LostTaken if deletion => {
            Course::of(1, 1, &[Recovered], 0)
        }
        // The second job is sent first and learns the limit by its own POST. Its refusal does not
        // show whether the first one was accepted whole.
        Means::TooLarge => {
            let repeats = if deletion { 3 } else { 1 };
            return Course::of(repeats, 0, &[Unknown], 6).and(3, &[Accepted; 2]);
        }
        // Another task that has all of its ids looks like its own.
        Means::ConflictAll => Course::of(1, 1, &[Recovered], 0),
        // A task with only some of its ids proves that no task was made for it. The rest is still
        // unknown, and repeated.
        Means::ConflictSome => Course::of(2, 1, &[Linked, Double], 0),
        Means::ConflictTwo => Course::of(1, 2, &[Linked, Linked], 0),
        _ => Course::of(1, 0, &[Double], 0),
    };
    course.and(1, &[Accepted])
}

/// Whether its first POST met the reply and no other was made.
fn is_sent_once(cell: &Cell) -> bool {
    let again = [Step::Intent, Step::Unread, Step::PartRead, Step::Read];
    !again.contains(&cell.step)
}

fn after_the_record(cell: &Cell) -> Course {
    let course = match cell.reply.means() {
        Means::Task => Course::of(0, 0, &[Accepted], 0),
        Means::Unread if !cell.asked.is_deletion() => Course::of(0, 0, &[Unknown], 6),
        Means::Unread | Means::LostTaken | Means::LostEnded | Means::LostIdle => {
            return settled_behind(cell);
        }
        Means::Refused => Course::of(0, 0, &[Refused], 3),
        Means::TooLarge => return Course::of(2 + 3, 0, &[Accepted; 4], 0),
        Means::ConflictAll => Course::of(0, 0, &[Linked], 0),
        Means::ConflictSome => Course::of(1, 0, &[Linked, Accepted], 0),
        Means::ConflictTwo => Course::of(0, 0, &[Linked, Linked], 0),
        Means::Foreign | Means::Limited | Means::NotAllowed | Means::Unreachable => {
            Course::of(1, 0, &[Accepted], 0)
        }
    };
    course.and(1, &[Accepted])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// `dsr resume`: nothing is left, or only what was held up.
    None,
    /// `--task`, with the one task that the peer has for the job.
    Task,
    SendAgain,
}

pub(super) fn finished(cell: &Cell) -> (Word, Course) {
    let before = resumed(cell);
    let rest: Vec<Stand> = before.stands.clone();
    let others: Vec<Stand> = rest.iter().copied().filter(|s| *s != Unknown).collect();
    if rest == [Planned; 2] {
        return (Word::None, Course::of(2, 0, &[Accepted; 2], 0));
    }
    if !rest.contains(&Unknown) {
        return (Word::None, Course::of(0, 0, &rest, before.status));
    }
    let means = cell.reply.means();
    let (word, course) = match means {
        // The first POST of the whole job may have been accepted, whatever a later refusal says.
        Means::TooLarge => (Word::SendAgain, Course::of(3, 0, &[Double; 2], 0)),
        Means::Foreign | Means::NotAllowed if cell.asked.is_deletion() => {
            (Word::None, Course::of(1, 0, &[Double], 0))
        }
        Means::Unread if is_sent_once(cell) => (Word::Task, Course::of(0, 1, &[Accepted], 0)),
        // It was sent twice, so there may be another task beside the named one.
        Means::Unread | Means::LostTaken | Means::LostEnded => {
            (Word::Task, Course::of(0, 1, &[Double], 0))
        }
        _ => (Word::SendAgain, Course::of(1, 0, &[Double], 0)),
    };
    (word, course.and(0, &others))
}
