//! What the fake answers, and what becomes true by it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fake::{Call, Inside, Reply};
use crate::truth::{Kind, Post, Status, Task};
use crate::weather::Fault;

impl Inside {
    pub(crate) fn answer(&mut self, call: &Call) -> (Reply, u64) {
        let path = call.path.split('?').next().unwrap_or_default().to_owned();
        let kind = if path.starts_with("/data-deletions/v3.0/") {
            Kind::Delete
        } else if path.starts_with("/data-retrievals/v3.0/") {
            Kind::Export
        } else {
            self.truth
                .complaints
                .push(("path", format!("{} {}", call.method, call.path)));
            return (Reply::Whole(404, vec![], "{}".to_owned()), 0);
        };
        if !call.path.contains("token=") || call.run.is_empty() {
            self.truth
                .complaints
                .push(("credentials missing", call.method.clone()));
        }
        let task = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        match call.method.as_str() {
            "POST" => self.create(call, kind),
            "GET" => self.status(call, kind, &task),
            "DELETE" if kind == Kind::Delete => self.cancel(call, &task),
            _ => (
                Reply::Whole(405, vec![], "{\"status\":\"error\"}".to_owned()),
                0,
            ),
        }
    }

    fn create(&mut self, call: &Call, kind: Kind) -> (Reply, u64) {
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let ids: BTreeSet<String> = body["distinct_ids"]
            .as_array()
            .map(|ids| {
                ids.iter()
                    .filter_map(|id| id.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default();
        if ids.is_empty() || body["distinct_ids"].as_array().map(Vec::len) != Some(ids.len()) {
            self.truth
                .complaints
                .push(("ids empty or repeated in one POST", call.run.clone()));
        }
        let at = self.truth.now();
        let away = self
            .truth
            .turned_away
            .iter()
            .find(|(run, then, _)| *run == call.run && *then < at);
        if let Some((_, _, method)) = away {
            let kind = match method.as_str() {
                "POST" => "POST after 401 or 403 to a POST in the same run",
                "GET" => "POST after 401 or 403 to a GET in the same run",
                _ => "POST after 401 or 403 to a DELETE in the same run",
            };
            self.truth.complaints.push((kind, call.run.clone()));
        }
        let fault = self.weather.post(&mut self.rng);
        let index = self.truth.posts.len();
        let subject = body["subject_request_id"].as_str().map(str::to_owned);
        self.truth.posts.push(Post {
            at,
            run: call.run.clone(),
            kind,
            ids: ids.clone(),
            subject,
            fault: format!("{fault:?}"),
            answer: String::new(),
            tasks: Vec::new(),
        });
        let (reply, delay) = self.create_as(kind, &ids, index, fault);
        let post = &mut self.truth.posts[index];
        post.answer = match &reply {
            Reply::Whole(status, heads, body) => format!("{status} {heads:?} {body}"),
            Reply::Cut(status, body) => format!("{status} cut off in the middle: {body}"),
            other => format!("{other:?}"),
        };
        let line = format!(
            "      {at} ms: POST {} {:?} by {} -> {fault:?}, made {:?}, answered {} after {delay} ms",
            kind.name(),
            post.ids,
            post.run,
            post.tasks,
            post.answer
        );
        self.truth.log.push(line);
        (reply, delay)
    }

    fn create_as(
        &mut self,
        kind: Kind,
        ids: &BTreeSet<String>,
        post: usize,
        fault: Fault,
    ) -> (Reply, u64) {
        if let Some(reply) = self.before(fault, ids) {
            return (reply, 0);
        }
        if kind == Kind::Delete {
            let clash: Vec<&Task> = self
                .truth
                .tasks
                .iter()
                .filter(|task| {
                    task.kind == kind && task.status.active() && !task.ids.is_disjoint(ids)
                })
                .collect();
            if !clash.is_empty() {
                let mut named: BTreeSet<String> = clash
                    .iter()
                    .flat_map(|task| task.ids.intersection(ids))
                    .cloned()
                    .collect();
                let mut tasks: Vec<String> = clash.iter().map(|task| task.id.clone()).collect();
                match fault {
                    Fault::DropAfter => return (Reply::Dropped, 0),
                    Fault::HoldAfter => return (Reply::Never, 0),
                    Fault::Conflict409Odd => match self.rng.below(3) {
                        0 => tasks.clear(),
                        1 => drop(named.insert("usr-k7q9x-9999".to_owned())),
                        _ => tasks = vec![self.rng.uuid()],
                    },
                    _ => {}
                }
                let body = json!({"status": "error", "error": {
                    "conflicting_distinct_ids": named, "conflicting_task_ids": tasks,
                    "error": format!("active deletion for {named:?}")}});
                return (Reply::Whole(409, vec![], body.to_string()), 0);
            }
        }
        self.accept(kind, ids, post, fault)
    }

    /// Faults by which nothing is accepted.
    fn before(&mut self, fault: Fault, ids: &BTreeSet<String>) -> Option<Reply> {
        let error = |text: &str| json!({"status": "error", "error": text}).to_string();
        let html = "<!DOCTYPE html><html><body>Bad gateway</body></html>".to_owned();
        let html_head = vec![("content-type", "text/html".to_owned())];
        Some(match fault {
            Fault::TooMany(retry) => {
                let heads = retry
                    .map(|after| ("retry-after", after.to_owned()))
                    .into_iter()
                    .collect();
                Reply::Whole(429, heads, error("This endpoint is limited to 1 req/s"))
            }
            Fault::ServerErrorBefore => Reply::Whole(503, vec![], error("try later")),
            Fault::HtmlBefore => Reply::Whole(502, html_head, html),
            Fault::Refused => Reply::Whole(400, vec![], error(&format!("cannot process {ids:?}"))),
            Fault::TooLarge if ids.len() > 1 => {
                Reply::Whole(400, vec![], error("too many distinct_ids in one request"))
            }
            Fault::TooLarge413 => Reply::Whole(413, vec![], error("payload too large")),
            Fault::Unauthorized => Reply::Whole(401, vec![], error("Unauthorized")),
            Fault::Forbidden => Reply::Whole(403, vec![], error("Forbidden")),
            Fault::Redirect => Reply::Whole(
                307,
                vec![("location", "http://127.0.0.1:9/".to_owned())],
                String::new(),
            ),
            Fault::DropBefore => Reply::Dropped,
            Fault::HoldBefore => Reply::Never,
            Fault::ErrorIn200 => Reply::Whole(200, vec![], error("no such project")),
            _ => return None,
        })
    }

    pub(crate) fn add_task(
        &mut self,
        kind: Kind,
        ids: BTreeSet<String>,
        post: Option<usize>,
    ) -> String {
        let id = if self.rng.percent(30) {
            format!("16{:017}", self.rng.next() % 100_000_000_000_000_000)
        } else {
            self.rng.uuid()
        };
        let accepted = self.truth.now();
        let shows_ids = post.is_none() || !self.rng.percent(15);
        self.truth.tasks.push(Task {
            id: id.clone(),
            kind,
            ids,
            status: Status::Pending,
            accepted,
            ended: None,
            post,
            siblings: Vec::new(),
            shows_ids,
        });
        if let Some(post) = post {
            self.truth.posts[post].tasks.push(id.clone());
        }
        id
    }

    fn accept(
        &mut self,
        kind: Kind,
        ids: &BTreeSet<String>,
        post: usize,
        fault: Fault,
    ) -> (Reply, u64) {
        // A task that an earlier answer has named: dsr can know that it is not this one.
        let told = |task: &&Task| {
            let post = task.post.map(|post| &self.truth.posts[post]);
            task.kind == kind
                && post.is_some_and(|post| {
                    post.answer.starts_with("20") && post.answer.contains(&task.id)
                })
        };
        let older = self
            .truth
            .tasks
            .iter()
            .rev()
            .find(told)
            .map(|task| task.id.clone());
        if fault == Fault::Several && ids.len() > 1 {
            let half = ids.len() / 2;
            let a = self.add_task(kind, ids.iter().take(half).cloned().collect(), Some(post));
            let b = self.add_task(kind, ids.iter().skip(half).cloned().collect(), Some(post));
            for task in &mut self.truth.tasks {
                if task.id == a || task.id == b {
                    task.siblings = vec![a.clone(), b.clone()];
                    task.shows_ids = true;
                }
            }
            let body = json!({"status": "ok", "results": [{"task_id": a}, {"task_id": b}]});
            return (Reply::Whole(201, vec![], body.to_string()), 0);
        }
        let id = self.add_task(kind, ids.clone(), Some(post));
        if self.weather.forget_tasks {
            self.truth.tasks.pop();
        }
        let shape = self.rng.below(4);
        let body = match shape {
            0 => json!({"status": "ok", "results": {"task_id": id}}),
            1 => json!({"status": "ok", "results": [{"tracking_id": id, "status": "PENDING",
                "project_id": 4242, "destination_url": null, "distinct_id_count": ids.len()}]}),
            2 => {
                json!({"status": "ok", "results": {"tracking_id": id, "id": 77, "distinct_ids": ids}})
            }
            _ => json!({"status": "ok", "task_id": id}),
        };
        let mut body = body.to_string();
        if id.starts_with("16") && !id.contains('-') && self.rng.percent(50) {
            body = body.replace(&format!("\"{id}\""), &id);
        }
        match fault {
            Fault::NoId => (
                Reply::Whole(201, vec![], "{\"status\":\"ok\",\"results\":{}}".to_owned()),
                0,
            ),
            Fault::Cut => (Reply::Cut(201, body), 0),
            Fault::Html200 => (
                Reply::Whole(200, vec![], "<html>welcome</html>".to_owned()),
                0,
            ),
            Fault::ServerErrorAfter => (Reply::Whole(504, vec![], "gateway timeout".to_owned()), 0),
            Fault::DropAfter => (Reply::Dropped, 0),
            Fault::HoldAfter => (Reply::Never, 0),
            Fault::Late => (Reply::Whole(201, vec![], body), 300 + self.rng.next() % 900),
            Fault::SameId => {
                let body = match older {
                    Some(older) => {
                        json!({"status": "ok", "results": {"task_id": older}}).to_string()
                    }
                    None => body,
                };
                (Reply::Whole(201, vec![], body), 0)
            }
            _ => (Reply::Whole(201, vec![], body), 0),
        }
    }

    fn status(&mut self, call: &Call, kind: Kind, id: &str) -> (Reply, u64) {
        let fault = self.weather.get(&mut self.rng);
        let found = self
            .truth
            .task(id)
            .filter(|task| task.kind == kind)
            .cloned();
        if let Some(reply) = self.before(fault, &BTreeSet::new()) {
            self.note(call, fault, "");
            return (reply, 0);
        }
        let mut word = found
            .as_ref()
            .map_or("NOT_FOUND", |task| task.status.name())
            .to_owned();
        if self.weather.wrong_ends {
            word = word
                .replace("FAILURE", "SUCCESS")
                .replace("REVOKED", "FAILURE");
        }
        let mut results = json!({});
        if let Some(task) = &found {
            if task.shows_ids {
                results["distinct_ids"] = json!(task.ids);
            }
            if self.rng.percent(50) {
                results["tracking_id"] = json!(id);
                results["project_id"] = json!(4242);
            }
        }
        match fault {
            Fault::NotFound => {
                word = "NOT_FOUND".to_owned();
                results = json!({});
            }
            Fault::UnknownWord => word = "UNKNOWN".to_owned(),
            Fault::OtherIds => results["distinct_ids"] = json!(["usr-k7q9x-9998"]),
            Fault::Html200 => {
                self.note(call, fault, "");
                return (
                    Reply::Whole(200, vec![], "<html>welcome</html>".to_owned()),
                    0,
                );
            }
            _ => {}
        }
        if kind == Kind::Export && word == "SUCCESS" {
            results["result"] = json!("https://127.0.0.1:9/never.zip");
        }
        if self.rng.percent(20) {
            word = word.to_lowercase();
        }
        self.note(call, fault, &word);
        results["status"] = json!(word);
        let status = if word.eq_ignore_ascii_case("not_found") && self.rng.percent(50) {
            404
        } else {
            200
        };
        let body = json!({"status": "ok", "results": results}).to_string();
        (Reply::Whole(status, vec![], body), 0)
    }

    fn note(&mut self, call: &Call, fault: Fault, word: &str) {
        let path = call.path.split('?').next().unwrap_or_default();
        let line = format!(
            "      {} ms: {} {path} by {} -> {fault:?} {word}",
            self.truth.now(),
            call.method,
            call.run
        );
        self.truth.log.push(line);
    }

    fn cancel(&mut self, call: &Call, id: &str) -> (Reply, u64) {
        let fault = self.weather.cancel(&mut self.rng);
        self.note(call, fault, "");
        if let Some(reply) = self.before(fault, &BTreeSet::new()) {
            return (reply, 0);
        }
        let state = self
            .truth
            .task(id)
            .filter(|task| task.kind == Kind::Delete)
            .map(|task| task.status);
        let error = json!({"status": "error", "error": "no"}).to_string();
        let reply = match state {
            None => Reply::Whole(404, vec![], error),
            Some(Status::Pending) => {
                if fault != Fault::HollowCancel {
                    self.truth.set(id, Status::Revoked);
                }
                Reply::Whole(204, vec![], String::new())
            }
            Some(_) => Reply::Whole(405, vec![], error),
        };
        match fault {
            Fault::DropAfter => (Reply::Dropped, 0),
            Fault::ServerErrorAfter => (Reply::Whole(504, vec![], "gateway timeout".to_owned()), 0),
            _ => (reply, 0),
        }
    }
}
