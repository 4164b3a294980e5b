//! Now and then, and at the end: checks the suppression list, reports, the audit trail, and what is
//! left when everything is at rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::run::How;
use crate::truth::{Kind, Status};
use crate::world::{World, array, text};

impl World {
    pub(crate) fn look_closely(&mut self, at_all: bool) {
        if self.requests.iter().all(|ours| ours.id.is_none()) {
            return;
        }
        let verified = self.ask(&["audit", "verify", "--json"]);
        if verified.code != Some(0) || verified.json()["audit"]["whole"] != true {
            self.wrong(
                "audit verify finds something",
                "",
                verified.short(),
                "nobody tampered".into(),
            );
        }
        self.look_at_suppressions();
        let one = self.rng.below(self.view.len().max(1));
        for (number, request) in self.view.clone().iter().enumerate() {
            if number == one || (at_all && self.rng.percent(30)) {
                self.look_at_report(request);
                self.look_at_exit_status(request);
                self.look_at_ids(request);
            }
        }
    }

    fn look_at_suppressions(&mut self) {
        let found = self
            .ask(&["find", "--json", "--format", "text", "all.txt"])
            .json();
        let said = self.ask(&["suppressions", "export", "--json"]);
        if said.code != Some(0) {
            self.wrong("suppressions export fails", "", said.short(), "-".into());
            return;
        }
        let list: BTreeMap<String, String> = array(&said.json()["people"])
            .iter()
            .map(|person| {
                (
                    text(&person["person_hash"])[..8].to_owned(),
                    text(&person["erasure"]),
                )
            })
            .collect();
        let mut known = BTreeSet::new();
        for (person, id) in array(&found["people"]).iter().zip(self.universe.clone()) {
            let hash = text(&person["hash"]);
            known.insert(hash.clone());
            let jobs: Vec<&Value> = array(&person["jobs"])
                .iter()
                .filter(|job| job["kind"] == "delete")
                .collect();
            let words = |word: &str| jobs.iter().any(|job| job["carried_out"] == word);
            let expected = words("yes") || words("under_way") || words("possibly");
            let purged = array(&person["purged"]);
            let listed = list.get(&hash);
            if (expected || !purged.is_empty()) != listed.is_some() {
                let said = format!("{id}: on the list as {listed:?}, find says {person}");
                self.wrong(
                    "find and the suppression list differ",
                    &id,
                    said,
                    "-".into(),
                );
            }
            for ours in self.requests.clone() {
                if ours.kind != Kind::Delete || ours.id.is_none() || (ours.gone && !ours.purged) {
                    continue;
                }
                let own = self.own_tasks(&ours.tag, &id);
                let may: Vec<_> = own
                    .iter()
                    .filter(|task| task.status.active() || task.status == Status::Success)
                    .cloned()
                    .collect();
                if !may.is_empty() && listed.is_none() {
                    let said = format!("{id} is not on the list; find says {person}");
                    let truth = self.tell(&may);
                    self.wrong(
                        "an erased person is not on the suppression list",
                        &id,
                        said,
                        truth,
                    );
                }
            }
            let inside = self.fake.lock();
            let with = |status: Option<Status>| {
                inside.truth.tasks.iter().any(|task| {
                    task.kind == Kind::Delete
                        && task.ids.contains(&id)
                        && status.is_none_or(|status| task.status == status)
                })
            };
            let (success, any) = (with(Some(Status::Success)), with(None));
            drop(inside);
            if let Some(word) = listed
                && ((word == "done" && !success) || (word == "under_way" && !any))
            {
                let said = format!("{id} is on the list as {word}; find says {person}");
                self.wrong(
                    "on the suppression list without a task",
                    &id,
                    said,
                    format!("task: {any}"),
                );
            }
        }
        if let Some(stranger) = list.keys().find(|hash| !known.contains(*hash)).cloned() {
            self.wrong(
                "a stranger on the suppression list",
                &stranger,
                said.short(),
                "-".into(),
            );
        }
    }

    fn look_at_report(&mut self, request: &Value) {
        let id = text(&request["id"]);
        let first = self.ask(&["report", &id, "--json"]);
        let clock = if self.jumps { 90_000 } else { 0 };
        let second = self.dsr(
            &["report", &id, "--json"],
            How {
                clock,
                signal: None,
            },
            None,
        );
        if first.code != Some(0) {
            self.wrong("report fails", &id, first.short(), "-".into());
            return;
        }
        let (first, second) = (first.json(), second.json());
        if first["report"]["digest"] != second["report"]["digest"] {
            let (one, two) = (&first["report"]["evidence"], &second["report"]["evidence"]);
            let said = format!("{one}\n      and {two} (clock {clock:+} s)");
            self.wrong(
                "two reports of the same facts differ",
                &id,
                said,
                "nothing happened between".into(),
            );
        }
        let evidence = &first["report"]["evidence"];
        let facts = &evidence["request"];
        let (ours, theirs) = (array(&request["jobs"]), array(&evidence["jobs"]));
        for (job, reported) in ours.iter().zip(theirs) {
            let same = [
                "id",
                "ids",
                "state",
                "task_id",
                "mixpanel_status",
                "carried_out",
                "linked",
                "submitted_at",
            ]
            .iter()
            .all(|key| job[key] == reported[key]);
            let attempts = job["attempts"].as_u64();
            // An attempt that may have been made in a lost time is listed, and counts as no POST.
            let listed = array(&reported["attempts"]).iter();
            let listed = listed.filter(|attempt| attempt["certain"] != false);
            let listed = u64::try_from(listed.count()).ok();
            if !same || attempts != listed {
                let said = format!("status: {job}\n      report: {reported}");
                self.wrong(
                    "report and status differ",
                    &text(&job["id"]),
                    said,
                    "-".into(),
                );
            }
        }
        let count = |name: &str| facts["ids"][name].as_u64().unwrap_or(0);
        let places = [
            "carried_out",
            "not_fetched",
            "refused",
            "failed",
            "revoked",
            "given_up",
            "open",
        ];
        let sum: u64 = places.iter().map(|name| count(name)).sum();
        if ours.len() != theirs.len() || sum != count("unique") {
            let said = format!("{} of {sum} ids", facts["ids"]);
            self.wrong(
                "a report's ids do not add up",
                &id,
                said,
                format!("{} jobs", ours.len()),
            );
        }
        let nature = text(&facts["answer"]["nature"]);
        let every = |word: &str| ours.iter().all(|job| job["carried_out"] == word);
        let fits = match nature.as_str() {
            "whole" => every("yes"),
            "not_carried_out" => every("no"),
            "part" => ours.iter().any(|job| job["carried_out"] == "yes") && !every("yes"),
            _ => !every("yes") || request["kind"] == "export",
        };
        if !fits {
            let said = format!("answer {nature}, jobs {}", request["jobs"]);
            self.wrong(
                &format!("a report's answer `{nature}` does not fit its jobs"),
                &id,
                said,
                "-".into(),
            );
        }
    }

    /// Compares the ids that each job still has with those of its task.
    fn look_at_ids(&mut self, request: &Value) {
        let id = text(&request["id"]);
        let said = self.ask(&["status", &id, "--show-ids", "--json"]);
        let Some(ours) = self
            .requests
            .iter()
            .find(|ours| ours.id.as_deref() == Some(&id))
            .cloned()
        else {
            return;
        };
        let mut all = BTreeSet::new();
        let shown = said.json();
        for (held, job) in array(&shown["request"]["jobs"])
            .iter()
            .zip(array(&request["jobs"]))
        {
            let ids: BTreeSet<String> = array(&held["distinct_ids"]).iter().map(text).collect();
            if ids.is_empty() {
                continue;
            }
            let twice = ids.iter().any(|id| !all.insert(id.clone()));
            if twice || !ids.is_subset(&ours.ids) {
                self.wrong(
                    "ids twice, or of nobody",
                    &id,
                    said.short(),
                    format!("{:?}", ours.ids),
                );
            }
            let task = job["task_id"].as_str().unwrap_or_default();
            let found = self.fake.lock().truth.task(task).cloned();
            if let Some(task) = found.filter(|task| task.siblings.is_empty())
                && matches!(text(&job["state"]).as_str(), "accepted" | "running")
            {
                let fits = if job["linked"] == true {
                    ids.is_subset(&task.ids)
                } else {
                    ids == task.ids
                };
                if !fits {
                    let truth = self.tell(&[task]);
                    self.wrong(
                        "a job's ids are not its task's",
                        &text(&job["id"]),
                        said.short(),
                        truth,
                    );
                }
            }
        }
    }

    fn look_at_exit_status(&mut self, request: &Value) {
        let id = text(&request["id"]);
        let jobs = array(&request["jobs"]);
        let any = |words: &[&str]| {
            jobs.iter()
                .any(|job| words.iter().any(|word| job["state"] == *word))
        };
        let doubt = |key: &str, value: bool| jobs.iter().any(|job| job[key] == value);
        let abandoned = jobs.iter().any(|job| !job["abandoned_at"].is_null());
        if abandoned
            || doubt("possible_duplicate", true)
            || jobs.iter().any(|job| job["carried_out"] == "possibly")
        {
            return;
        }
        // Mixpanel may know it later; in its last answer there was no such task.
        let is_not_found = any(&["accepted", "running"])
            && jobs.iter().any(|job| job["mixpanel_status"] == "NOT_FOUND");
        let expected = if any(&["unknown"]) {
            6
        } else if any(&["failed", "revoked"]) || is_not_found {
            7
        } else if any(&["refused"]) {
            3
        } else if any(&["planned", "deferred"]) {
            75
        } else if any(&["accepted", "running"]) {
            8
        } else {
            0
        };
        let said = self.ask(&["status", &id, "--cached", "--exit-status", "--json"]);
        if said.code != Some(expected) {
            let kind = format!("status --exit-status is {:?}, not {expected}", said.code);
            self.wrong(&kind, &id, said.short(), "as the states are".into());
        }
    }
}
