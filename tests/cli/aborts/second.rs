//! Kills dsr around the second POST of a job whose first POST certainly created nothing: while a
//! job is cut, while ids are linked, and after a rate limit. The first POST must count neither as
//! lost nor as a repeat.

use super::course::{Course, Stand};
use super::reply::{Means, Reply};
use super::stage::Stage;
use super::{AT_ONCE, Asked};
use crate::support::{Gate, Halt, Hold, in_turns, people};

use Stand::{Accepted, Double, Linked, Planned, Recovered, Sending};

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
    reply: Reply,
    /// How far the second POST gets.
    hold: Hold,
}

impl Cell {
    fn is_decided(&self) -> bool {
        let before = [Hold::Unconnected, Hold::Unread, Hold::PartRead, Hold::Read];
        !before.contains(&self.hold)
    }

    /// The jobs beside the one that dsr is sending.
    fn others(&self) -> &'static [Stand] {
        match self.reply.means() {
            // The other half, and the second job, which is not cut yet.
            Means::TooLarge => &[Planned, Planned],
            Means::ConflictSome => &[Linked, Planned],
            _ => &[Planned],
        }
    }

    /// dsr asks about the task that a conflict names before it links ids to it.
    fn gets(&self) -> usize {
        usize::from(self.reply.means() == Means::ConflictSome)
    }

    fn at_the_kill(&self) -> Course {
        Course {
            posts: 1 + usize::from(self.is_decided()),
            gets: self.gets(),
            stands: [&[Sending][..], self.others()].concat(),
            status: 0,
        }
    }

    fn resumed(&self) -> Course {
        let recovers = self.asked.is_deletion() && self.is_decided();
        let first = if recovers { Recovered } else { Double };
        let (posts, others): (usize, &[Stand]) = match self.reply.means() {
            Means::TooLarge => (4, &[Accepted; 3]),
            Means::ConflictSome => (1, &[Linked, Accepted]),
            _ => (1, &[Accepted]),
        };
        Course {
            posts: 1 + posts,
            gets: usize::from(recovers),
            stands: [&[first][..], others].concat(),
            status: 0,
        }
    }
}

#[test]
fn a_kill_at_the_second_post_of_a_job_is_no_matter_of_its_first() {
    let replies = [Reply::TooLarge413, Reply::ConflictSome, Reply::LimitedFor];
    let mut cells = Vec::new();
    for asked in [Asked::DeleteGdpr, Asked::ExportCcpa] {
        // Mixpanel reports no conflicts for retrievals.
        let known = |reply: &Reply| asked.is_deletion() || *reply != Reply::ConflictSome;
        for reply in replies.into_iter().filter(known) {
            cells.extend(HOLDS.map(|hold| Cell { asked, reply, hold }));
        }
    }
    in_turns(&cells, AT_ONCE, play);
    println!("{} cells ran", cells.len());
    assert_eq!(cells.len(), (3 + 2) * HOLDS.len());
}

fn play(cell: &Cell) {
    let ids = people(4);
    let model = cell.reply.model(&ids[..2]);
    let mut stage = Stage::new(cell.asked, model, ids);
    if cell.hold == Hold::Answered {
        stage.operator.halts_at(Halt::OutcomeOf(2));
    }
    let gate = Gate::before(&stage.model.fake, 1 + cell.gets(), cell.hold);
    let running = stage.starts(cell.asked.command(), &gate.url());
    gate.wait_until_held();
    stage.kills(running);
    let mut expected = cell.at_the_kill();
    stage.agrees("after the kill", &expected, 1);

    let url = stage.model.fake.url();
    stage.runs(&["resume"], &url);
    expected = stage.continues(&expected, &cell.resumed());
    stage.agrees("after the resume", &expected, 1);
    stage.runs(&["resume"], &url);
    stage.agrees("at the end", &expected, 1);
}
