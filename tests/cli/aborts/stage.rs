//! Runs one cell: a truthful peer, an operator, and everything that dsr printed.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime};

use super::Asked;
use super::course::{Course, Stand};
use crate::support::{
    Held, Job, Model, Operator, Outcome, Running, account, csv_of, disagreements,
};

/// The time between an unclear POST and its repeat, from the answer or the restart.
const APART: Duration = Duration::from_secs(2);
/// An uncommitted write leaves no trace, so read the ledger at least this often.
const SELDOM: Duration = Duration::from_millis(40);
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) struct Stage {
    asked: Asked,
    pub(super) model: Model,
    pub(super) operator: Operator,
    ids: Vec<String>,
    /// Every command so far, with its output.
    said: String,
    last: Option<Outcome>,
}

fn stand(job: &Job) -> Stand {
    let said = |text| job.reason.contains(text);
    match job.state.as_str() {
        "planned" => Stand::Planned,
        "deferred" => Stand::Deferred,
        "sending" => Stand::Sending,
        "unknown" => Stand::Unknown,
        "refused" => Stand::Refused,
        "revoked" => Stand::Revoked,
        _ if !job.is_accepted() => panic!("a job is {}", job.state),
        _ if job.may_be_double() => Stand::Double,
        _ if said("recovered") => Stand::Recovered,
        _ if said("linked") => Stand::Linked,
        _ => Stand::Accepted,
    }
}

pub(super) fn stands(jobs: &[Job]) -> Vec<Stand> {
    sorted(&jobs.iter().map(stand).collect::<Vec<_>>())
}

pub(super) fn sorted(stands: &[Stand]) -> Vec<Stand> {
    let mut stands = stands.to_vec();
    stands.sort();
    stands
}

impl Stage {
    /// `ids` go into jobs of two.
    pub(super) fn new(asked: Asked, model: Model, ids: Vec<String>) -> Self {
        let settings = "rate = 1000\ndelete_batch = 2\nexport_batch = 2";
        let operator = Operator::in_memory(&model.fake, settings);
        operator.file("ids.csv", csv_of(&ids, None));
        Self {
            asked,
            model,
            operator,
            ids,
            said: String::new(),
            last: None,
        }
    }

    pub(super) fn jobs(&self) -> Vec<Job> {
        match self.operator.has_ledger() {
            true => account(&self.operator),
            // dsr has only just started.
            false => Vec::new(),
        }
    }

    pub(super) fn starts(&mut self, args: &[&str], url: &str) -> Running {
        self.operator.set("DSR_API_URL", url);
        self.operator.start(args)
    }

    /// Waits until a running dsr reaches a point.
    pub(super) fn wait_until(&self, is_there: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        let (mut seen, mut looked) = (None, start);
        loop {
            let trace = Some(self.trace());
            // To ask a server costs more.
            let pause = SELDOM * if self.operator.is_on_server() { 8 } else { 1 };
            if trace != seen || looked.elapsed() > pause {
                if is_there(self) {
                    return;
                }
                (seen, looked) = (trace, Instant::now());
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it does not come: {:#?}",
                self.jobs()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Changes with each write to the ledger's file and each call. Cheaper than reading the ledger.
    fn trace(&self) -> (Option<(u64, SystemTime)>, usize) {
        let log = self.operator.dsr_home().join("ledger.db-wal");
        let log = std::fs::metadata(log).ok();
        let log = log.and_then(|log| Some((log.len(), log.modified().ok()?)));
        (log, self.model.fake.calls().len())
    }

    pub(super) fn kills(&mut self, running: Running) {
        let killed = running.kill();
        self.keep(killed);
        self.operator.goes_on();
    }

    pub(super) fn kills_while_held(&mut self, running: Running, held: Held) {
        let killed = running.kill();
        drop(held);
        self.keep(killed);
    }

    pub(super) fn ends_while_held(&mut self, running: Running, held: Held) {
        let ended = running.end();
        drop(held);
        self.keep(ended);
    }

    fn keep(&mut self, outcome: Outcome) {
        writeln!(self.said, "{outcome}").expect("a text takes text");
        outcome.never_says(&self.ids[0]).never_says("panicked at");
        self.last = Some(outcome);
    }

    pub(super) fn was_killed(&self) {
        let last = self.last.as_ref().expect("a command ran");
        assert_eq!(last.status, None, "no signal ended it\n{}", self.said);
    }

    pub(super) fn ended_with(&self, status: i32) {
        let last = self.last.as_ref().expect("a command ran");
        assert_eq!(last.status, Some(status), "the status\n{}", self.said);
    }

    pub(super) fn runs(&mut self, args: &[&str], url: &str) {
        let ended = self.starts(args, url).end();
        self.keep(ended);
    }

    /// Runs `dsr resume REQUEST` with the operator's decision.
    pub(super) fn runs_for_the_request(&mut self, word: &[&str], url: &str) {
        let request = self.jobs()[0].request.clone();
        self.runs(&[&["resume", &request], word].concat(), url);
    }

    pub(super) fn only_task_of_the_first(&self) -> String {
        let tasks = self.model.tasks().into_iter();
        let mut its = tasks.filter(|task| task.ids.contains(&self.ids[0]));
        let found = its.next();
        assert!(its.next().is_none(), "it has several");
        found.expect("it has one").id
    }

    /// The newest task that the peer has for the first job.
    pub(super) fn last_task_of_the_first(&self) -> String {
        let tasks = self.model.tasks().into_iter();
        let mut its = tasks.filter(|task| task.ids.contains(&self.ids[0]));
        its.next_back().expect("it has one").id
    }

    /// Returns the total after a command did `course`; checks its exit status.
    pub(super) fn continues(&self, before: &Course, course: &Course) -> Course {
        self.ended_with(course.status);
        Course {
            posts: before.posts + course.posts,
            gets: before.gets + course.gets,
            ..course.clone()
        }
    }

    /// Compares the ledger, the peer and what was asked (as this many requests).
    pub(super) fn agrees(&self, when: &str, expected: &Course, requests: usize) {
        let jobs = self.jobs();
        let tasks = self.model.tasks();
        let told = || {
            let posts = self.model.fake.posts();
            let posts: Vec<_> = posts.iter().map(|post| post.body.to_string()).collect();
            format!("{when}\n{}\n{jobs:#?}\n{tasks:#?}\n{posts:#?}", self.said)
        };
        let posts = self.model.fake.posts();
        assert_eq!(stands(&jobs), sorted(&expected.stands), "{}", told());
        assert_eq!(posts.len(), expected.posts, "POSTs {}", told());
        let gets = self.model.fake.gets().len();
        assert_eq!(gets, expected.gets, "GETs {}", told());

        let whole: BTreeSet<String> = self.ids.iter().cloned().collect();
        let asked = vec![whole.clone(); requests];
        let found = disagreements(&self.operator, &self.model, &asked);
        assert!(found.is_empty(), "{found:#?} {}", told());

        let of = |meant: &dyn Fn(&Job) -> bool| -> BTreeSet<String> {
            let meant = jobs.iter().filter(|job| meant(job));
            meant.flat_map(|job| job.ids.clone()).collect()
        };
        let claimed = of(&Job::is_accepted);
        let unknown = of(&Job::is_unknown);
        let linked = of(&|job| stand(job) == Stand::Linked);
        let noted = of(&Job::may_be_double);
        let ours = tasks.iter();
        let ours = ours.filter(|task| !self.model.is_of_somebody(&task.id));
        let ours: Vec<&String> = ours.flat_map(|task| &task.ids).collect();
        let taken: BTreeSet<String> = ours.iter().copied().cloned().collect();
        let known: BTreeSet<String> = claimed.union(&unknown).cloned().collect();
        assert!(taken.is_subset(&known), "taken, and not known {}", told());
        let somebodys: BTreeSet<String> = self.model.times().into_keys().collect();
        assert!(claimed.is_subset(&somebodys), "not taken {}", told());
        for id in &whole {
            let times = ours.iter().filter(|taken| **taken == id).count();
            let said = noted.contains(id) || unknown.contains(id);
            assert!(times <= 1 || said, "taken {times} times {}", told());
            assert!(times == 0 || !linked.contains(id), "{}", told());
        }
        if let Some(last) = &self.last
            && unknown.len() > of(&|job| job.state == "sending").len()
        {
            let honest = [None, Some(6)].contains(&last.status);
            assert!(honest, "unknown, and not said {}", told());
        }
        let (path, law, disclosure) = self.asked.words();
        for post in &posts {
            let body = &post.body;
            let right = post.path.contains(path)
                && body["compliance_type"] == law
                && body.get("disclosure_type").and_then(|d| d.as_str()) == disclosure;
            assert!(right, "it asks for something else {}", told());
        }
    }

    /// Checks that no two POSTs of the first job came too close together.
    pub(super) fn kept_its_distance(&self) {
        let posts = self.model.fake.posts().into_iter();
        let about: Vec<_> = posts.filter(|post| post.ids() == self.ids[..2]).collect();
        for pair in about.windows(2) {
            let gap = pair[1].arrived - pair[0].arrived;
            assert!(gap >= APART, "once more after {gap:?}\n{}", self.said);
        }
    }
}
