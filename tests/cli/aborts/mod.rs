//! Every abort: kills dsr at each step between the ledger and the wire, for each reply of the peer
//! and each kind of request; then starts it again.
//!
//! A cell is a step, a reply and a kind. A gate on the wire or a trigger in the ledger holds a real
//! process at the step; dsr has no switch for it. The test kills the process, runs `dsr resume`
//! once, and then the operator's decision if one is due. After each of the three it compares ledger
//! and peer: every id is in exactly one job, the ledger calls accepted or unknown what the peer
//! accepted, nothing is sent twice without a decision, and the number of POSTs and GETs is exactly
//! what [`course`] says.
//!
//! GDPR deletions and CCPA exports (with a disclosure) go through every cell. The other two kinds
//! differ from them in two fields of the body, which dsr reads back from the ledger whatever the
//! reply was. So they go through each step with one reply, and through each reply at one step.
//! `skipped` lists every cell that does not run, with its reason.

mod cancelling;
mod course;
mod receipts;
mod reply;
mod second;
mod settling;
mod stage;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use course::{Word, at_the_kill, finished, resumed};
use reply::{Means, Reply};
use stage::{Stage, sorted, stands};

use crate::support::{
    Gate, Halt, Hold, NOWHERE, few_on_postgres, in_turns, is_on_postgres, people,
};

/// Many at once, since cells mostly wait 2.5 s for the repeat of an unknown job.
const AT_ONCE: usize = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    DeleteGdpr,
    DeleteCcpa,
    ExportGdpr,
    ExportCcpa,
}

/// The moment in the life of the first job's first POST at which dsr is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// The request is not in the ledger yet.
    Unrecorded,
    /// The request is in the ledger, the intent is not.
    Planned,
    /// The intent is in the ledger, and there is no connection.
    Intent,
    /// There is a connection, and the peer has read nothing.
    Unread,
    /// The peer has read a part of the POST.
    PartRead,
    /// The peer has read the whole POST and not acted on it.
    Read,
    /// The peer has decided, and sent nothing of its answer.
    Decided,
    /// The peer has sent the head of its answer.
    Head,
    /// The peer has sent half of the body, too.
    Half,
    /// dsr has read the whole answer, and the outcome is not in the ledger yet.
    Answered,
    /// The ledger has that nothing was created, and the job is not divided yet.
    Apart,
    /// The outcome is in the ledger, and the next intent is not.
    Recorded,
}

const KINDS: [Asked; 4] = [
    Asked::DeleteGdpr,
    Asked::DeleteCcpa,
    Asked::ExportGdpr,
    Asked::ExportCcpa,
];

const STEPS: [Step; 12] = [
    Step::Unrecorded,
    Step::Planned,
    Step::Intent,
    Step::Unread,
    Step::PartRead,
    Step::Read,
    Step::Decided,
    Step::Head,
    Step::Half,
    Step::Answered,
    Step::Apart,
    Step::Recorded,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Cell {
    asked: Asked,
    step: Step,
    reply: Reply,
}

impl Asked {
    fn is_deletion(self) -> bool {
        matches!(self, Self::DeleteGdpr | Self::DeleteCcpa)
    }

    fn command(self) -> &'static [&'static str] {
        match self {
            Self::DeleteGdpr => &["delete", "--gdpr", "ids.csv", "--yes"],
            Self::DeleteCcpa => &["delete", "--ccpa", "ids.csv", "--yes"],
            Self::ExportGdpr => &["export", "--gdpr", "ids.csv"],
            Self::ExportCcpa => &["export", "--ccpa", "--disclosure", "sources", "ids.csv"],
        }
    }

    fn words(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::DeleteGdpr => ("data-deletions", "GDPR", None),
            Self::DeleteCcpa => ("data-deletions", "CCPA", None),
            Self::ExportGdpr => ("data-retrievals", "GDPR", None),
            Self::ExportCcpa => ("data-retrievals", "CCPA", Some("Sources")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Skipped {
    /// The case cannot occur.
    Impossible(&'static str),
    Same(&'static str),
}

fn skipped(cell: &Cell) -> Option<Skipped> {
    use Step::{Answered, Apart, Decided, Half, Head, Intent, PartRead, Read, Unread};
    let means = cell.reply.means();
    let conflict = matches!(
        means,
        Means::ConflictAll | Means::ConflictSome | Means::ConflictTwo | Means::Foreign
    );
    let taken_apart = matches!(
        means,
        Means::TooLarge | Means::ConflictAll | Means::ConflictSome | Means::ConflictTwo
    );
    let reset = matches!(cell.reply, Reply::ResetTaken | Reply::ResetIdle);
    let on_the_wire = [Intent, Unread, PartRead, Read, Decided, Head, Half];
    let impossible = match cell.step {
        _ if conflict && !cell.asked.is_deletion() => "Mixpanel knows no conflicts of retrievals",
        step if means == Means::Unreachable && on_the_wire.contains(&step) => {
            "without a connection there is nothing on the wire"
        }
        Head | Half if reset => "a reset is no answer that could be sent in part",
        Apart if !taken_apart => "the job stays whole",
        _ if matches!(cell.asked, Asked::DeleteCcpa | Asked::ExportGdpr)
            && cell.reply != Reply::Task
            && cell.step != Answered =>
        {
            return Some(Skipped::Same("the other law is sent the same way"));
        }
        _ => return None,
    };
    Some(Skipped::Impossible(impossible))
}

fn product() -> Vec<Cell> {
    let mut cells = Vec::new();
    // The slowest cells come first.
    let longest = |reply: &Reply| match reply.means() {
        Means::Unreachable => 0,
        Means::TooLarge => 1,
        _ => 2,
    };
    let mut replies = Reply::ALL;
    replies.sort_by_key(longest);
    for reply in replies {
        for step in STEPS {
            cells.extend(KINDS.map(|asked| Cell { asked, step, reply }));
        }
    }
    cells
}

/// With a server, the ids of a refused job are hashed, since there is a key. And the repeat of the
/// first job may come before the second job, which is not sent after an answer that ends the run.
fn differs_on_postgres(cell: &Cell) -> bool {
    let differs = matches!(
        cell.reply.means(),
        Means::Refused | Means::Foreign | Means::NotAllowed
    );
    is_on_postgres() && differs
}

#[test]
fn after_a_kill_at_any_step_every_id_is_in_one_known_place() {
    let start = Instant::now();
    let all = product();
    assert_eq!(all.len(), KINDS.len() * STEPS.len() * Reply::ALL.len());
    let (cells, left): (Vec<Cell>, Vec<Cell>) =
        all.iter().partition(|cell| skipped(cell).is_none());
    assert_eq!(cells.len() + left.len(), all.len());
    let cells = few_on_postgres(cells, 48);
    let cells = cells.into_iter().filter(|cell| !differs_on_postgres(cell));
    let cells: Vec<Cell> = cells.collect();
    let ran = Mutex::new(BTreeMap::<String, usize>::new());
    let posts = AtomicUsize::new(0);
    in_turns(&cells, AT_ONCE, |cell| {
        posts.fetch_add(play(cell), Ordering::Relaxed);
        let mut ran = ran.lock().expect("it is not held while a cell runs");
        *ran.entry(format!("{cell:?}")).or_default() += 1;
    });
    let mut reasons = BTreeMap::<Skipped, usize>::new();
    for reason in left.iter().filter_map(skipped) {
        *reasons.entry(reason).or_default() += 1;
    }
    let ran = ran.into_inner().expect("all cells have ended");
    println!(
        "{} cells of {} ran in {:?} with {posts:?} POSTs; not run: {reasons:#?}",
        ran.len(),
        all.len(),
        start.elapsed(),
    );
    assert_eq!(ran.len(), cells.len(), "a cell was left out");
    assert!(ran.values().all(|times| *times == 1));
}

/// Kills and restarts dsr as the cell says. Returns the number of POSTs that the peer read.
fn play(cell: &Cell) -> usize {
    let ids = people(4);
    let model = cell.reply.model(&ids[..2]);
    let mut stage = Stage::new(cell.asked, model, ids);
    kill_at(cell, &mut stage);
    let asked = usize::from(cell.step != Step::Unrecorded);
    let mut expected = at_the_kill(cell);
    stage.agrees("after the kill", &expected, asked);

    let again: &[&str] = match cell.step {
        Step::Unrecorded => cell.asked.command(),
        _ => &["resume"],
    };
    // dsr has asked nobody yet, so the peer need not exist yet.
    let unreached = matches!(cell.step, Step::Unrecorded | Step::Planned);
    let nowhere = unreached && cell.reply == Reply::Unreachable;
    let url = match nowhere {
        true => NOWHERE.to_owned(),
        false => stage.model.fake.url(),
    };
    stage.runs(again, &url);
    expected = stage.continues(&expected, &resumed(cell));
    stage.agrees("after the resume", &expected, 1);

    let (word, course) = finished(cell);
    let url = stage.model.fake.url();
    match word {
        Word::None => stage.runs(&["resume"], &url),
        Word::Task => {
            let task = stage.only_task_of_the_first();
            stage.runs_for_the_request(&["--task", &task], &url);
        }
        Word::SendAgain => stage.runs_for_the_request(&["--send-again"], &url),
    }
    expected = stage.continues(&expected, &course);
    stage.agrees("at the end", &expected, 1);
    if is_repeated(cell) {
        stage.kept_its_distance();
    }
    expected.posts
}

/// Whether each later POST of the first job repeats an unclear one.
fn is_repeated(cell: &Cell) -> bool {
    let lost = matches!(
        cell.reply.means(),
        Means::Unread | Means::LostTaken | Means::LostEnded | Means::LostIdle
    );
    let is_sent_first = matches!(cell.step, Step::Unrecorded | Step::Planned | Step::Apart);
    lost || !(is_sent_first || cell.step == Step::Recorded)
}

fn hold_of(step: Step) -> Option<Hold> {
    match step {
        Step::Intent => Some(Hold::Unconnected),
        Step::Unread => Some(Hold::Unread),
        Step::PartRead => Some(Hold::PartRead),
        Step::Read => Some(Hold::Read),
        Step::Decided => Some(Hold::Decided),
        Step::Head => Some(Hold::Head),
        Step::Half => Some(Hold::Half),
        Step::Answered => Some(Hold::Answered),
        Step::Unrecorded | Step::Planned | Step::Apart | Step::Recorded => None,
    }
}

fn halt_of(step: Step) -> Option<Halt> {
    match step {
        Step::Unrecorded => Some(Halt::Request),
        Step::Planned => Some(Halt::IntentAfter(0)),
        Step::Answered => Some(Halt::OutcomeOf(1)),
        Step::Apart => Some(Halt::Apart),
        Step::Recorded => Some(Halt::IntentAfter(1)),
        _ => None,
    }
}

fn kill_at(cell: &Cell, stage: &mut Stage) {
    if let Some(halt) = halt_of(cell.step) {
        stage.operator.halts_at(halt);
    }
    let reachable = cell.reply != Reply::Unreachable;
    let hold = hold_of(cell.step).filter(|_| reachable);
    let gate = hold.map(|hold| Gate::before(&stage.model.fake, 0, hold));
    let url = match &gate {
        Some(gate) => gate.url(),
        None if reachable => stage.model.fake.url(),
        None => NOWHERE.to_owned(),
    };
    let running = stage.starts(cell.asked.command(), &url);
    if let Some(gate) = &gate {
        gate.wait_until_held();
    }
    let wanted = at_the_kill(cell);
    let attempts = match cell.step {
        Step::Unrecorded => None,
        Step::Planned => Some(0),
        _ => Some(1),
    };
    stage.wait_until(|stage| {
        let jobs = stage.jobs();
        let is_there = stands(&jobs) == sorted(&wanted.stands)
            && (jobs.first().map(|job| job.attempts) == attempts
                || hold == Some(Hold::Unconnected))
            && stage.model.fake.gets().len() == wanted.gets;
        // An unrecorded request shows only in that dsr holds the ledger. On a busy machine dsr may
        // try a connection again after 15 s.
        is_there && (attempts.is_some() || stage.operator.is_held())
    });
    stage.kills(running);
}
