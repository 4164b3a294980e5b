//! Checks what is left when everything is at rest.

use serde_json::Value;

use crate::run::How;
use crate::truth::Kind;
use crate::world::{World, array, text};

impl World {
    /// Brings everything to rest; the fake is truthful from now on.
    pub(crate) fn end(&mut self) {
        self.fake.lock().weather.fair = true;
        self.fake.lock().weather.next_post = None;
        self.at_rest = self.fake.lock().truth.now();
        for round in 0..5 {
            if round > 1 && !self.somebody_waits() {
                break;
            }
            self.dsr(
                &["resume", "--json", "--no-input", "--max-wait", "30s"],
                How::default(),
                None,
            );
            self.advance(100, true);
            let said = self.ask(&["status", "--refresh", "--json"]);
            if said.code != Some(0) {
                self.wrong(
                    "status --refresh fails in fair weather",
                    "",
                    said.short(),
                    "all is well".into(),
                );
            }
        }
        self.look(true);
        self.look_closely(true);
        for request in self.view.clone() {
            for job in array(&request["jobs"]) {
                let state = text(&job["state"]);
                self.look_at_what_is_left(job);
                let waits = text(&job["reason"]).contains("had its ids and no task yet");
                if waits && self.somebody_unknown() {
                    continue;
                }
                if matches!(
                    state.as_str(),
                    "planned" | "deferred" | "sending" | "accepted" | "running"
                ) {
                    let kind = format!("still `{state}` after resume and status in fair weather");
                    let task = job["task_id"].as_str().unwrap_or_default();
                    let found = self.fake.lock().truth.task(task).cloned();
                    let truth =
                        found.map_or_else(|| "no such task".into(), |task| self.tell(&[task]));
                    self.wrong(&kind, &text(&job["id"]), job.to_string(), truth);
                }
            }
        }
        self.look_at_the_rate();
    }

    fn somebody_unknown(&self) -> bool {
        self.view
            .iter()
            .flat_map(|request| array(&request["jobs"]))
            .any(|job| job["state"] == "unknown" && job["abandoned_at"].is_null())
    }

    fn somebody_waits(&self) -> bool {
        self.view
            .iter()
            .flat_map(|request| array(&request["jobs"]))
            .any(|job| job["state"] == "planned")
    }

    /// `dsr resume` settles a deletion whose one task was active within 15 minutes of the attempt.
    fn look_at_what_is_left(&mut self, job: &Value) {
        let subject = text(&job["subject_request_id"]);
        let plain = !self.was_set_back && !self.jumps && job["abandoned_at"].is_null();
        if !plain || job["state"] != "unknown" {
            return;
        }
        let (posts, tasks) = {
            let inside = self.fake.lock();
            let posts: Vec<_> = inside
                .truth
                .posts
                .iter()
                .filter(|post| {
                    post.kind == Kind::Delete && post.subject.as_deref() == Some(&subject)
                })
                .cloned()
                .collect();
            let made = posts.iter().flat_map(|post| &post.tasks);
            let tasks: Vec<_> = made
                .filter_map(|task| inside.truth.task(task))
                .cloned()
                .collect();
            (posts, tasks)
        };
        // A 2xx without an id is probed once, if nothing contradicted Mixpanel's answers.
        let odd = [
            "SameId",
            "Several",
            "Odd",
            "Refused",
            "ErrorIn200",
            "TooLarge",
        ];
        let no_id = ["NoId", "Cut", "Html200"];
        let any = |words: &[&str]| {
            posts
                .iter()
                .any(|post| words.iter().any(|word| post.fault.contains(word)))
        };
        let alone = |task: &crate::truth::Task| {
            let inside = self.fake.lock();
            inside
                .truth
                .posts
                .iter()
                .filter(|post| post.answer.contains(&task.id))
                .count()
                < 2
        };
        let kind = if any(&no_id) {
            "resume does not probe again after a 2xx without an id and a probe that told nothing"
        } else {
            "resume does not settle an unknown deletion"
        };
        let simple = !any(&odd) && job["task_id"].is_null() && tasks.iter().all(alone);
        let ends = tasks.first().and_then(|task| task.ended);
        if simple
            && tasks.len() == 1
            && ends.is_some_and(|ended| ended >= self.at_rest)
            && tasks[0].shows_ids
        {
            let said = format!("{job}");
            let truth = format!("{}; POSTs {posts:?}", self.tell(&tasks));
            self.wrong(kind, &text(&job["id"]), said, truth);
        }
    }

    /// No window of any length has more calls than the rate allows, plus a second of delay on the
    /// way.
    fn look_at_the_rate(&mut self) {
        let calls = self.fake.lock().truth.calls.clone();
        let rate = self.rate;
        let mut worst = None;
        for (first, start) in calls.iter().enumerate() {
            for (last, end) in calls.iter().enumerate().skip(first + 1) {
                let made = u128::try_from(last - first).expect("fits");
                let allowed = (end - start + 1_000) * rate / 1_000 + 2;
                if made > allowed && worst.is_none() {
                    worst = Some(format!(
                        "{made} calls in {} ms, {rate} a second are allowed",
                        end - start
                    ));
                }
            }
        }
        if let Some(worst) = worst {
            let said = format!("clocks jumped: {}", self.jumps);
            self.wrong("faster than the rate", "", said, worst);
        }
    }
}
