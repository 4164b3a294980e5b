//! After each step: is what dsr says of every id and job true?

use serde_json::Value;

use crate::truth::{Kind, Status, Task};
use crate::world::{Request, World, array, text};

impl World {
    pub(crate) fn look(&mut self, for_everybody: bool) {
        self.sync();
        let complaints = std::mem::take(&mut self.fake.lock().truth.complaints);
        for (kind, what) in complaints {
            self.wrong(kind, &what.clone(), what, "as the fake saw it".into());
        }
        for request in self.view.clone() {
            self.look_at_request(&request);
        }
        if for_everybody {
            self.look_for_everybody();
        }
    }

    fn look_at_request(&mut self, request: &Value) {
        let id = text(&request["id"]);
        let Some(ours) = self
            .requests
            .iter()
            .find(|ours| ours.id.as_deref() == Some(&id))
            .cloned()
        else {
            self.wrong(
                "a request that nobody made",
                &id,
                request.to_string(),
                "-".into(),
            );
            return;
        };
        let jobs = array(&request["jobs"]);
        let sum: u64 = jobs.iter().filter_map(|job| job["ids"].as_u64()).sum();
        let unique = u64::try_from(ours.ids.len()).expect("fits");
        if sum != unique || request["ids"]["unique"] != unique {
            self.wrong(
                "ids of the jobs do not add up",
                &id,
                request.to_string(),
                format!("{unique} ids went in"),
            );
        }
        for job in jobs {
            self.look_at_job(&ours, job);
        }
    }

    fn look_at_job(&mut self, ours: &Request, job: &Value) {
        let (name, state) = (text(&job["id"]), text(&job["state"]));
        if state == "sending" {
            let truth = "no dsr is running".to_owned();
            self.wrong(
                "`sending` while nobody sends",
                &name,
                job.to_string(),
                truth,
            );
        }
        let subject = text(&job["subject_request_id"]);
        let (posts, tasks) = {
            let inside = self.fake.lock();
            let ours = |subject_of: &Option<String>| subject_of.as_deref() == Some(&subject);
            let posts: Vec<_> = inside
                .truth
                .posts
                .iter()
                .filter(|post| ours(&post.subject))
                .collect();
            let tasks: Vec<String> = posts.iter().flat_map(|post| post.tasks.clone()).collect();
            (posts.len(), tasks)
        };
        let attempts = job["attempts"].as_u64().unwrap_or(0);
        if !self.was_set_back && u64::try_from(posts).expect("fits") > attempts {
            let truth =
                format!("{posts} POSTs arrived under its subject_request_id, tasks {tasks:?}");
            self.wrong("fewer attempts than POSTs", &name, job.to_string(), truth);
        }
        let Some(task) = job["task_id"].as_str() else {
            if matches!(state.as_str(), "accepted" | "running" | "done") {
                self.wrong(
                    "accepted without a task",
                    &name,
                    job.to_string(),
                    "-".into(),
                );
            }
            return;
        };
        let found = self.fake.lock().truth.task(task).cloned();
        if found.is_none_or(|task| task.kind != ours.kind) && state != "unknown" {
            self.wrong(
                "a task that is not there",
                &name,
                job.to_string(),
                "Mixpanel has no such task".into(),
            );
        }
    }

    fn look_for_everybody(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let said = self.ask(&["find", "--json", "--format", "text", "all.txt"]);
        if said.code != Some(0) {
            self.wrong("find fails", "", said.short(), "-".into());
            return;
        }
        let answer = said.json();
        self.found = answer.clone();
        for (person, id) in array(&answer["people"]).iter().zip(self.universe.clone()) {
            for ours in self.requests.clone() {
                let Some(request_id) = ours.id.clone() else {
                    continue;
                };
                let jobs: Vec<&Value> = array(&person["jobs"])
                    .iter()
                    .filter(|job| job["request_id"] == request_id.as_str())
                    .collect();
                let expected = usize::from(ours.ids.contains(&id) && !ours.gone);
                if jobs.len() != expected {
                    let truth =
                        format!("{id} is in {expected} job of {} ({})", request_id, ours.tag);
                    let about = format!("{id} {request_id}");
                    self.wrong(
                        "an id is not in exactly one place",
                        &about,
                        person.to_string(),
                        truth,
                    );
                    continue;
                }
                for job in jobs {
                    self.look_at_person(&ours, &id, job);
                }
            }
            for old in array(&person["purged"]) {
                let done = self.fake.lock().truth.tasks.iter().any(|task| {
                    task.kind == Kind::Delete
                        && task.ids.contains(&id)
                        && task.status == Status::Success
                });
                if old["erasure"] == "done" && !done {
                    self.wrong(
                        "purged as done, and was not",
                        &id,
                        person.to_string(),
                        self.tell(&[]),
                    );
                }
            }
        }
    }

    pub(crate) fn tell(&self, tasks: &[Task]) -> String {
        let told: Vec<String> = tasks
            .iter()
            .map(|task| {
                format!(
                    "task {} of {:?} accepted at {} ms is {} (ended {:?}; POST {:?})",
                    task.id,
                    task.ids,
                    task.accepted,
                    task.status.name(),
                    task.ended,
                    task.post
                )
            })
            .collect();
        if told.is_empty() {
            "no such task".into()
        } else {
            told.join("; ")
        }
    }

    fn look_at_person(&mut self, ours: &Request, id: &str, entry: &Value) {
        let (state, carried) = (text(&entry["state"]), text(&entry["carried_out"]));
        let about = format!("{} {id}", text(&entry["job_id"]));
        let own = self.own_tasks(&ours.tag, id);
        let said = format!("of {id} in {} ({}): {entry}", ours.tag, ours.kind.name());
        let named: Vec<Task> = {
            let inside = self.fake.lock();
            let found = entry["task_id"]
                .as_str()
                .and_then(|task| inside.truth.task(task))
                .cloned();
            let siblings = found.iter().flat_map(|task| task.siblings.clone());
            let more: Vec<Task> = siblings
                .filter_map(|id| inside.truth.task(&id).cloned())
                .collect();
            if more.is_empty() {
                found.into_iter().collect()
            } else {
                more
            }
        };
        let with: Vec<Task> = named
            .iter()
            .filter(|task| task.ids.contains(id))
            .cloned()
            .collect();
        let done = state == "done" || carried == "yes";
        if done && !with.iter().any(|task| task.status == Status::Success) {
            let truth = format!("named: {}; own: {}", self.tell(&named), self.tell(&own));
            self.wrong(
                "done, and no task with this id succeeded",
                &about,
                said.clone(),
                truth,
            );
        } else if done
            && !with
                .iter()
                .any(|task| task.ended.is_some_and(|ended| ended >= ours.began))
        {
            let truth = format!("asked at {} ms; {}", ours.began, self.tell(&with));
            self.wrong(
                "done by a task that ended before the request",
                &about,
                said.clone(),
                truth,
            );
        }
        if matches!(state.as_str(), "accepted" | "running") && with.is_empty() && !named.is_empty()
        {
            let truth = format!("named: {}; own: {}", self.tell(&named), self.tell(&own));
            self.wrong(
                "in a task that does not have this id",
                &about,
                said.clone(),
                truth,
            );
        }
        let ran: Vec<Task> = own
            .iter()
            .filter(|task| task.status.active() || task.status == Status::Success)
            .cloned()
            .collect();
        if carried == "no" && !ran.is_empty() {
            let kind = format!("`no` ({state}), and an accepted task runs or ran");
            self.wrong(&kind, &about, said.clone(), self.tell(&ran));
        }
        let doubt = state == "unknown" || carried == "possibly" || self.says_double(entry);
        if own.len() > 1 && !doubt && own[0].post != own[1].post {
            let kind = format!("two tasks of one request, and no word of it ({state})");
            self.wrong(&kind, &about, said.clone(), self.tell(&own));
        }
        if state == "revoked"
            && !with.is_empty()
            && with.iter().any(|task| task.status != Status::Revoked)
        {
            self.wrong(
                "revoked, and was not",
                &about,
                said.clone(),
                self.tell(&with),
            );
        }
        if state == "failed"
            && !with.is_empty()
            && with.iter().any(|task| task.status != Status::Failure)
        {
            self.wrong(
                "failed, and did not",
                &about,
                said.clone(),
                self.tell(&with),
            );
        }
        let arrived = {
            let inside = self.fake.lock();
            inside
                .truth
                .posts
                .iter()
                .any(|post| post.ids.contains(id) && post.kind == ours.kind)
        };
        if carried == "possibly" && !arrived && !self.signals && !self.was_set_back {
            self.wrong(
                "possibly, and nothing was ever sent",
                &about,
                said,
                "no POST arrived".into(),
            );
        }
    }

    fn says_double(&self, entry: &Value) -> bool {
        self.view
            .iter()
            .flat_map(|request| array(&request["jobs"]))
            .any(|job| job["id"] == entry["job_id"] && job["possible_duplicate"] == true)
    }
}
