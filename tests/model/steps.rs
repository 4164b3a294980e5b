//! What an operator may do next, and what may happen meanwhile.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::run::{How, Said, Signal};
use crate::truth::Kind;
use crate::weather::Fault;
use crate::world::{Request, World, array, text};

const FAST: [&str; 4] = ["--json", "--no-input", "--max-wait", "3s"];

/// How often each kind of step is taken, in the order of `one_step`.
pub(crate) const WEIGHTS: [usize; 11] = [25, 6, 10, 12, 11, 10, 3, 8, 2, 4, 3];

impl World {
    pub(crate) fn one_step(&mut self) {
        if self.step == 1 {
            let all = self.universe.join("\n");
            std::fs::write(self.folder.path().join("all.txt"), all).expect("room");
        }
        if self.rng.percent(60) {
            self.advance(20, false);
        }
        if self.rng.percent(8) {
            let ids = self.some_ids(3);
            let mut inside = self.fake.lock();
            let free = |ids: &BTreeSet<String>| {
                !inside
                    .truth
                    .tasks
                    .iter()
                    .any(|task| task.status.active() && !task.ids.is_disjoint(ids))
            };
            if free(&ids) {
                let now = inside.truth.now();
                inside
                    .truth
                    .log
                    .push(format!("      {now} ms: somebody else deletes {ids:?}"));
                inside.add_task(Kind::Delete, ids, None);
            }
        }
        let weights = self.weights.clone();
        let mut left = self.rng.below(weights.iter().sum::<usize>());
        let mut what = 0;
        while left >= weights[what] {
            left -= weights[what];
            what += 1;
        }
        match what {
            0 => self.submit(Kind::Delete),
            1 => self.submit(Kind::Export),
            2 => self.status(),
            3 => self.resume(),
            4 => self.settle(),
            5 => self.cancel(),
            6 => self.note(),
            7 => self.pair(),
            8 => self.purge(),
            9 => self.backup(),
            _ => self.set_back(),
        }
    }

    pub(crate) fn some_ids(&mut self, most: usize) -> BTreeSet<String> {
        let count = 1 + self.rng.below(most);
        (0..count)
            .map(|_| self.rng.pick(&self.universe).clone())
            .collect()
    }

    fn how(&mut self) -> How {
        let clock = if self.jumps && self.rng.percent(40) {
            *self.rng.pick(&[1_200, -1_200, 7_200, 90_000])
        } else {
            0
        };
        let mut signal = None;
        if self.signals && self.rng.percent(25) {
            let kind = *self.rng.pick(&[
                Signal::Kill,
                Signal::Kill,
                Signal::Kill,
                Signal::Term,
                Signal::Int,
            ]);
            if kind == Signal::Kill && self.rng.percent(40) {
                let held = *self.rng.pick(&[Fault::HoldBefore, Fault::HoldAfter]);
                self.fake.lock().weather.next_post = Some(held);
                signal = Some((800, kind));
            } else {
                signal = Some((5 + self.rng.next() % 250, kind));
            }
        }
        How { signal, clock }
    }

    pub(crate) fn submission(&mut self, kind: Kind) -> (Vec<String>, Request) {
        let again = (self.rng.percent(25)).then(|| {
            let with: Vec<&Request> = self
                .requests
                .iter()
                .filter(|ours| ours.kind == kind)
                .collect();
            (!with.is_empty()).then(|| with[self.rng.clone().below(with.len())].ids.clone())
        });
        let ids = again.flatten().unwrap_or_else(|| self.some_ids(7));
        let tag = format!("T-{}", self.requests.len() + 1);
        let file = format!("{tag}.txt");
        let lines: Vec<&str> = ids.iter().map(String::as_str).collect();
        std::fs::write(self.folder.path().join(&file), lines.join("\n")).expect("room");
        let mut args = vec![
            kind.name(),
            if self.rng.percent(70) {
                "--gdpr"
            } else {
                "--ccpa"
            },
        ];
        args.extend(FAST);
        args.extend(["--format", "text", "--ref", &tag]);
        if kind == Kind::Delete {
            args.push("--yes");
        }
        if self.rng.percent(30) {
            args.push("--new");
        }
        if self.rng.percent(15) {
            args.extend(["--wait", "--timeout", "1s"]);
        }
        args.push(&file);
        let args = args.into_iter().map(str::to_owned).collect();
        let began = self.fake.lock().truth.now();
        (
            args,
            Request {
                tag,
                kind,
                ids,
                began,
                id: None,
                gone: false,
                purged: false,
            },
        )
    }

    fn submit(&mut self, kind: Kind) {
        let how = self.how();
        let (args, request) = self.submission(kind);
        let tag = request.tag.clone();
        self.requests.push(request);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = self.dsr(&args, how, Some(&tag));
        self.judge(&said, &[0, 2, 3, 4, 6, 7, 8, 75]);
    }

    /// Checks that the exit status fits what the same command printed.
    pub(crate) fn judge(&mut self, said: &Said, may: &[i32]) {
        self.fake.lock().weather.next_post = None;
        let Some(code) = said.code else { return };
        if said.killed && matches!(code, 130 | 143) {
            return;
        }
        if !may.contains(&code) && said.error()["error"]["kind"] != "no_ledger" {
            let kind = format!("exit status {code} where it cannot be");
            self.wrong(&kind, &said.line, said.short(), format!("one of {may:?}"));
        }
        let answer = said.json();
        let requests: Vec<&Value> = if answer["request"].is_object() {
            vec![&answer["request"]]
        } else {
            array(&answer["requests"]).iter().collect()
        };
        let jobs: Vec<&Value> = requests
            .iter()
            .flat_map(|request| array(&request["jobs"]))
            .collect();
        let any = |state: &str| {
            jobs.iter()
                .any(|job| job["state"] == state && job["abandoned_at"].is_null())
        };
        let doubt = jobs
            .iter()
            .any(|job| job["carried_out"] == "possibly" || job["possible_duplicate"] == true);
        let sends = said.line.starts_with("delete") || said.line.starts_with("export");
        if sends && any("unknown") && code != 6 {
            self.wrong(
                &format!("exit status {code} with an unknown job"),
                &said.line,
                said.short(),
                "6".into(),
            );
        }
        if sends && code == 6 && !any("unknown") && !doubt {
            self.wrong(
                "exit status 6 with nothing unknown",
                &said.line,
                said.short(),
                "-".into(),
            );
        }
        let open = ["planned", "deferred", "refused", "sending"]
            .into_iter()
            .find(|state| any(state));
        if let Some(state) = open
            && code == 0
            && (sends || said.line.starts_with("resume"))
            && (sends || state != "refused")
        {
            self.wrong(
                &format!("exit status 0 with a {state} job"),
                &said.line,
                said.short(),
                "-".into(),
            );
        }
    }

    fn status(&mut self) {
        let how = How {
            signal: None,
            ..self.how()
        };
        let args: &[&str] = match self.rng.below(5) {
            0 => &["status", "--json"],
            1 => &["status", "--changes", "--json"],
            _ => &["status", "--refresh", "--json"],
        };
        let said = self.dsr(args, how, None);
        self.judge(&said, &[0, 4, 6, 7, 75]);
    }

    fn resume(&mut self) {
        let how = self.how();
        let mut args = vec!["resume"];
        args.extend(FAST);
        let id = self
            .any_request(|_| true)
            .map(|request| text(&request["id"]));
        let about = id.filter(|_| self.rng.percent(40));
        if let Some(id) = &about {
            args.push(id);
        }
        let said = self.dsr(&args, how, about.as_deref());
        self.judge(&said, &[0, 2, 3, 4, 6, 7, 8, 75]);
    }

    pub(crate) fn any_request(&mut self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let with: Vec<&Value> = self.view.iter().filter(|request| fits(request)).collect();
        if with.is_empty() {
            None
        } else {
            Some((*self.rng.pick(&with)).clone())
        }
    }

    /// Settles an unknown job by the operator's decision.
    fn settle(&mut self) {
        let unknown = |request: &Value| {
            array(&request["jobs"])
                .iter()
                .any(|job| job["state"] == "unknown")
        };
        let Some(request) = self.any_request(unknown) else {
            self.resume();
            return;
        };
        let jobs: Vec<&Value> = array(&request["jobs"])
            .iter()
            .filter(|job| job["state"] == "unknown")
            .collect();
        let job = *self.rng.pick(&jobs);
        let id = text(&request["id"]);
        let number = text(&job["id"])
            .rsplit('-')
            .next()
            .unwrap_or_default()
            .to_owned();
        let subject = text(&job["subject_request_id"]);
        let (right, others) = {
            let inside = self.fake.lock();
            let truth = &inside.truth;
            let right =
                truth.posts.iter().rev().find(|post| {
                    post.subject.as_deref() == Some(&subject) && !post.tasks.is_empty()
                });
            let others: Vec<String> = truth
                .tasks
                .iter()
                .filter(|task| task.shows_ids && task.kind.name() == text(&request["kind"]))
                .map(|task| task.id.clone())
                .collect();
            (right.map(|post| post.tasks[0].clone()), others)
        };
        let mut args = vec!["resume", &id, "--job", &number];
        args.extend(FAST);
        let task;
        match (self.rng.below(10), right) {
            (0..4, Some(right)) => {
                task = right;
                args.extend(["--task", &task]);
            }
            (4, _) if !others.is_empty() => {
                task = self.rng.pick(&others).clone();
                args.extend(["--task", &task]);
            }
            (5, _) => args.push("--abandon"),
            (_, _) => args.push("--send-again"),
        }
        let how = self.how();
        let said = self.dsr(&args, how, Some(&id));
        self.judge(&said, &[0, 2, 3, 4, 6, 7, 8, 75]);
    }

    fn cancel(&mut self) {
        let Some(request) = self.any_request(|request| request["kind"] == "delete") else {
            return;
        };
        let id = text(&request["id"]);
        let tasks: Vec<String> = array(&request["jobs"])
            .iter()
            .filter_map(|job| job["task_id"].as_str().map(str::to_owned))
            .collect();
        let what = if !tasks.is_empty() && self.rng.percent(30) {
            self.rng.pick(&tasks).clone()
        } else {
            id.clone()
        };
        let mut args = vec!["cancel", &what, "--json", "--no-input"];
        if self.rng.percent(70) {
            args.push("--yes");
        }
        let how = self.how();
        let said = self.dsr(&args, how, Some(&id));
        self.judge(&said, &[0, 2, 3, 4, 6, 7, 75]);
        let ours = self
            .requests
            .iter()
            .find(|ours| ours.id.as_deref() == Some(&id))
            .cloned();
        if let Some(ours) = ours
            && said.code == Some(0)
            && what == id
        {
            for person in &ours.ids {
                let own = self.own_tasks(&ours.tag, person);
                let runs: Vec<_> = own
                    .into_iter()
                    .filter(|task| {
                        task.status.active() || task.status == crate::truth::Status::Success
                    })
                    .collect();
                if !runs.is_empty() {
                    let truth = self.tell(&runs);
                    self.wrong(
                        "cancel ends with 0, and a task runs or ran",
                        &id,
                        said.short(),
                        truth,
                    );
                }
            }
        }
    }

    /// Records an answer or an extension; asks nobody.
    fn note(&mut self) {
        let Some(request) = self.any_request(|_| true) else {
            return;
        };
        let id = text(&request["id"]);
        let args: &[&str] = if self.rng.percent(40) {
            &[
                "extend",
                &id,
                "--json",
                "--no-input",
                "--reason",
                "over 400 requests",
            ]
        } else {
            &[
                "answered",
                &id,
                "--json",
                "--no-input",
                "--manner",
                "by e-mail",
            ]
        };
        let said = self.dsr(args, How::default(), None);
        self.judge(&said, &[0, 2]);
    }

    /// Runs two or three commands at once.
    fn pair(&mut self) {
        // With a clock far ahead of the file system's, dsr would misjudge the age of leftovers.
        let how = self.how();
        let how = How {
            clock: how.clock.clamp(-1_200, 1_200),
            ..how
        };
        let mut running = Vec::new();
        let many = 2 + self.rng.below(2);
        for _ in 0..many {
            let (args, about) = match self.rng.below(5) {
                0 | 1 => {
                    let (mut args, request) = self.submission(Kind::Delete);
                    if let Some(last) = self.requests.last()
                        && self.rng.percent(40)
                        && last.kind == Kind::Delete
                    {
                        // The same people as just before.
                        let lines: Vec<&str> = last.ids.iter().map(String::as_str).collect();
                        let file = self.folder.path().join(format!("{}.txt", request.tag));
                        std::fs::write(file, lines.join("\n")).expect("room");
                        let ids = last.ids.clone();
                        self.requests.push(Request {
                            ids,
                            ..request.clone()
                        });
                    } else {
                        self.requests.push(request.clone());
                    }
                    args.retain(|arg| arg != "--new");
                    (args, Some(request.tag))
                }
                2 => (
                    ["status", "--refresh", "--json"]
                        .map(str::to_owned)
                        .to_vec(),
                    None,
                ),
                3 => {
                    let id = self.any_request(|request| request["kind"] == "delete");
                    let Some(id) = id.map(|request| text(&request["id"])) else {
                        continue;
                    };
                    let args = ["cancel", &id, "--yes", "--json", "--no-input"]
                        .map(str::to_owned)
                        .to_vec();
                    (args, Some(id))
                }
                _ => {
                    let mut args = vec!["resume".to_owned()];
                    args.extend(FAST.map(str::to_owned));
                    (args, None)
                }
            };
            let how = if running.is_empty() {
                how
            } else {
                How {
                    signal: None,
                    ..how
                }
            };
            running.push(self.begin(&args, how, about.as_deref()));
        }
        let said: Vec<Said> = running.into_iter().map(crate::run::Running::end).collect();
        for mut said in said {
            self.hold(&said);
            // Ignores what another dsr is sending just now.
            said.out = said
                .out
                .replace("\"state\":\"sending\"", "\"state\":\"accepted\"");
            self.judge(&said, &[0, 2, 3, 4, 6, 7, 8, 75]);
        }
    }
}
