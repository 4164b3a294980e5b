//! One seed: a home, a fake, what was asked, and what dsr said.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::Violation;
use crate::fake::Fake;
use crate::rng::Rng;
use crate::run::{self, How, PROJECT_TOKEN, Said, TOKEN};
use crate::steps;
use crate::truth::{Kind, Post, Status, Task};
use crate::weather::Weather;

/// A request as the model gave it to dsr.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) tag: String,
    pub(crate) kind: Kind,
    pub(crate) ids: BTreeSet<String>,
    /// When its command began, by the fake's clock.
    pub(crate) began: u128,
    pub(crate) id: Option<String>,
    /// No longer in the ledger: set back, or purged.
    pub(crate) gone: bool,
    pub(crate) purged: bool,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) step: usize,
    pub(crate) rng: Rng,
    pub(crate) fake: Arc<Fake>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) universe: Vec<String>,
    pub(crate) requests: Vec<Request>,
    /// The request of each `subject_request_id` that dsr has shown.
    pub(crate) subjects: BTreeMap<String, String>,
    /// The tag, or the id, of the request that a run was about.
    pub(crate) runs: BTreeMap<String, String>,
    pub(crate) runs_made: usize,
    /// The requests as dsr last showed them.
    pub(crate) view: Vec<Value>,
    /// The last result of `dsr find` for everybody.
    pub(crate) found: Value,
    pub(crate) weights: Vec<usize>,
    /// When the weather became fair.
    pub(crate) at_rest: u128,
    pub(crate) rate: u128,
    pub(crate) jumps: bool,
    pub(crate) signals: bool,
    pub(crate) was_set_back: bool,
    pub(crate) set_back_now: bool,
    pub(crate) backups: Vec<(PathBuf, String, usize)>,
    pub(crate) history: Vec<String>,
    pub(crate) seen: BTreeSet<String>,
    pub(crate) violations: Vec<Violation>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let weather = Weather::of(&mut rng);
        let folder = tempfile::Builder::new()
            .prefix("dsr-model-")
            .tempdir()
            .expect("a folder");
        let home = folder.path().join("dsr");
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&home)
            .expect("a home");
        let rate = *rng.pick(&[12, 40, 40, 60]);
        let mut config = format!(
            "default_project = \"shop\"\n[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"eu\"\n\
             delete_batch = {}\nexport_batch = {}\nrate = {rate}\n",
            1 + rng.below(4),
            1 + rng.below(5)
        );
        if !rng.percent(20) {
            config.push_str("callbacks = [\"https://privacy.example/mixpanel\"]\n");
        }
        let private = |name: PathBuf, text: &str| {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(name)
                .expect("a file");
            std::io::Write::write_all(&mut file, text.as_bytes()).expect("room");
        };
        private(home.join("config.toml"), &config);
        let key: String = (0..4).map(|_| format!("{:016x}", rng.next())).collect();
        private(folder.path().join("ledger.key"), &format!("{key}\n"));
        let history = vec![config.trim().to_owned(), weather.told()];
        let fake = Fake::start(weather, Rng::new(seed ^ 0x00FA_CADE));
        let people = *rng.pick(&[3, 6, 6, 12]);
        // Each seed prefers some kinds of steps.
        let weights: Vec<usize> = steps::WEIGHTS
            .iter()
            .map(|most| most * *rng.pick(&[1, 1, 2, 5]))
            .collect();
        let jumps = run::has_faketime() && rng.percent(30);
        let signals = rng.percent(60);
        Self {
            seed,
            step: 0,
            rng,
            fake,
            folder,
            universe: (1..=people)
                .map(|number| format!("usr-k7q9x-{number:04}"))
                .collect(),
            requests: Vec::new(),
            subjects: BTreeMap::new(),
            runs: BTreeMap::new(),
            runs_made: 0,
            view: Vec::new(),
            found: Value::Null,
            weights,
            at_rest: 0,
            rate,
            jumps,
            signals,
            was_set_back: false,
            set_back_now: false,
            backups: Vec::new(),
            history,
            seen: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn live(mut self) -> Vec<Violation> {
        let steps = 5 + self.rng.below(8);
        while self.step < steps {
            self.step += 1;
            self.one_step();
            let closely = self.rng.percent(12);
            let everybody = closely || self.rng.percent(45);
            self.look(everybody);
            if closely {
                self.look_closely(false);
            }
        }
        self.step += 1;
        self.end();
        crate::POSTS.fetch_add(self.fake.lock().truth.posts.len(), Ordering::Relaxed);
        self.fake.stop();
        self.violations
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("dsr")
    }

    fn next_run(&mut self) -> String {
        self.runs_made += 1;
        format!("{TOKEN}-{}-{}", self.seed, self.runs_made)
    }

    pub(crate) fn begin(&mut self, args: &[String], how: How, about: Option<&str>) -> run::Running {
        let run = self.next_run();
        if let Some(about) = about {
            self.runs.insert(run.clone(), about.to_owned());
        }
        let now = self.fake.lock().truth.now();
        self.fake.lock().truth.log.push(format!(
            "  step {}, {now} ms: dsr {} ({run})",
            self.step,
            args.join(" ")
        ));
        run::spawn(self.folder.path(), self.fake.port, &run, args, how)
    }

    /// Runs a command to its end, and checks what must never be in its output.
    pub(crate) fn dsr(&mut self, args: &[&str], how: How, about: Option<&str>) -> Said {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let said = self.begin(&args, how, about).end();
        self.hold(&said);
        said
    }

    pub(crate) fn ask(&mut self, args: &[&str]) -> Said {
        self.dsr(args, How::default(), None)
    }

    /// Checks what must hold for every command.
    pub(crate) fn hold(&mut self, said: &Said) {
        let now = self.fake.lock().truth.now();
        let code = said
            .code
            .map_or_else(|| "-".to_owned(), |code| code.to_string());
        let log = format!(
            "      {now} ms: dsr {} -> {code} {}",
            said.line,
            said.err.trim()
        );
        self.fake.lock().truth.log.push(log);
        if said.hung {
            self.wrong(
                "no end after 120 s",
                &said.line,
                said.short(),
                "-".to_owned(),
            );
        }
        let all = format!("{}\n{}", said.out, said.err);
        for word in [
            "panicked",
            "RUST_BACKTRACE",
            "damaged",
            "corrupt",
            "is a bug",
            "restore the newest",
            "restore a ledger",
        ] {
            if all.to_lowercase().contains(&word.to_lowercase()) && !self.set_back_now {
                self.wrong(
                    &format!("says `{word}`"),
                    &said.line,
                    said.short(),
                    "nobody touched the ledger".into(),
                );
            }
        }
        if all.contains("k7q9x") && !said.line.contains("--show-ids") {
            self.wrong(
                "an id in an output",
                &said.line,
                said.short(),
                "-".to_owned(),
            );
        }
        if all.contains("zq81v") || all.contains(PROJECT_TOKEN) {
            self.wrong(
                "a token in an output",
                &said.line,
                said.short(),
                "-".to_owned(),
            );
        }
        let code = said.code.unwrap_or(0);
        let known = self.requests.iter().any(|ours| ours.id.is_some());
        if said.error()["error"]["kind"] == "no_ledger" && known {
            self.wrong(
                "the ledger is gone",
                &said.line,
                said.short(),
                "nobody removed it".into(),
            );
        }
        if matches!(code, 1 | 5 | 11)
            || (code == 74 && !self.set_back_now && said.error()["error"]["kind"] != "no_ledger")
            || code > 143
        {
            let kind = format!("exit status {code} of {}", word(&said.line));
            self.wrong(
                &kind,
                &said.line,
                said.short(),
                "nothing calls for it".into(),
            );
        }
        if said.line.contains("--json") && !said.killed {
            let whole = said
                .out
                .lines()
                .all(|line| serde_json::from_str::<Value>(line).is_ok());
            if !whole || (!said.err.trim().is_empty() && said.error().is_null()) {
                self.wrong(
                    "output that is no JSON",
                    &said.line,
                    said.short(),
                    "-".to_owned(),
                );
            }
        }
    }

    /// Notes a violation, once for each seed.
    pub(crate) fn wrong(&mut self, kind: &str, about: &str, said: String, truth: String) {
        if !self.seen.insert(format!("{kind} {about}")) {
            return;
        }
        let inside = self.fake.lock();
        let log: Vec<&str> = inside.truth.log.iter().map(String::as_str).collect();
        let history = format!("    {}\n{}", self.history.join("\n    "), log.join("\n"));
        drop(inside);
        let (seed, step) = (self.seed, self.step);
        self.violations.push(Violation {
            kind: kind.to_owned(),
            seed,
            step,
            said,
            truth,
            history,
        });
    }

    /// Asks how everything stands, and notes new requests.
    pub(crate) fn sync(&mut self) {
        let said = self.ask(&["status", "--all", "--cached", "--json"]);
        if said.code != Some(0) {
            self.wrong(
                "status --cached fails",
                "",
                said.short(),
                "the ledger is there".into(),
            );
            return;
        }
        self.view = said.json()["requests"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for request in &self.view {
            let id = text(&request["id"]);
            if let Some(ours) = self
                .requests
                .iter_mut()
                .find(|ours| request["ref"] == ours.tag.as_str())
            {
                ours.id = Some(id.clone());
            }
            for job in array(&request["jobs"]) {
                self.subjects
                    .insert(text(&job["subject_request_id"]), id.clone());
            }
        }
    }

    /// The request that a POST was made for, as far as that is clear.
    pub(crate) fn request_of(&self, post: &Post) -> Option<&Request> {
        let by_id = |id: &str| {
            self.requests
                .iter()
                .find(|ours| ours.id.as_deref() == Some(id))
        };
        if let Some(id) = post
            .subject
            .as_ref()
            .and_then(|subject| self.subjects.get(subject))
        {
            return by_id(id);
        }
        if let Some(about) = self.runs.get(&post.run) {
            let found = self
                .requests
                .iter()
                .find(|ours| ours.tag == *about)
                .or_else(|| by_id(about));
            if found.is_some_and(|ours| post.ids.is_subset(&ours.ids)) {
                return found;
            }
        }
        let mut may = self.requests.iter().filter(|ours| {
            ours.kind == post.kind && ours.began <= post.at && post.ids.is_subset(&ours.ids)
        });
        let one = may.next();
        if may.next().is_some() { None } else { one }
    }

    /// The accepted tasks with this id that were made for this request.
    pub(crate) fn own_tasks(&self, tag: &str, id: &str) -> Vec<Task> {
        let inside = self.fake.lock();
        let truth = &inside.truth;
        truth
            .tasks
            .iter()
            .filter(|task| task.ids.contains(id))
            .filter(|task| {
                let post = task.post.map(|post| &truth.posts[post]);
                post.and_then(|post| self.request_of(post))
                    .is_some_and(|ours| ours.tag == tag)
            })
            .cloned()
            .collect()
    }

    pub(crate) fn advance(&mut self, chance: usize, to_the_end: bool) {
        let mut inside = self.fake.lock();
        let open: Vec<(String, Status, Kind)> = inside
            .truth
            .tasks
            .iter()
            .filter(|task| task.status.active())
            .map(|task| (task.id.clone(), task.status, task.kind))
            .collect();
        for (id, status, kind) in open {
            if !self.rng.percent(chance) {
                continue;
            }
            let next = match (status, self.rng.below(10)) {
                (Status::Pending, 0) if kind == Kind::Delete => Status::Revoked,
                (Status::Pending, _) if !to_the_end => Status::Started,
                (_, 1) => Status::Failure,
                _ => Status::Success,
            };
            inside.truth.set(&id, next);
        }
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(line: &str) -> &str {
    line.split_whitespace()
        .find(|word| !word.starts_with('-'))
        .unwrap_or_default()
}
