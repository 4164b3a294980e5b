//! Reads the ledger's account of every id from the disk, and compares it with what a model
//! accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::{Model, Operator};

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) request: String,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) task: String,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
    pub(crate) ids: BTreeSet<String>,
}

impl Job {
    /// Whether Mixpanel has accepted it, as far as the ledger knows.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.state.as_str(), "accepted" | "running" | "done")
    }

    pub(crate) fn may_be_double(&self) -> bool {
        self.reason.contains("possible duplicate")
    }

    /// Whether it is unknown if Mixpanel has accepted it; includes jobs that a killed dsr was
    /// sending.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.state.as_str(), "unknown" | "sending")
    }
}

impl Job {
    /// Whether its task was made for another job, as its reason says.
    fn is_in_a_larger_task(&self) -> bool {
        self.reason.contains("linked") || self.reason.contains("recovered")
    }
}

pub(crate) fn account(operator: &Operator) -> Vec<Job> {
    let mut kept = operator.kept_ids();
    let query = "SELECT request, number, state, COALESCE(task_id, ''), COALESCE(reason, ''),
                        attempts
                 FROM jobs ORDER BY request, number";
    operator.ledger_rows(query, |row| {
        let (request, number): (String, u32) = (row.get(0)?, row.get(1)?);
        let kept = kept.remove(&(request.clone(), number)).unwrap_or_default();
        let ids: BTreeSet<String> = kept.iter().cloned().collect();
        assert_eq!(ids.len(), kept.len(), "a job has an id twice");
        Ok(Job {
            request,
            number: number.to_string(),
            state: row.get(2)?,
            task: row.get(3)?,
            reason: row.get(4)?,
            attempts: row.get(5)?,
            ids,
        })
    })
}

/// Everything in which the ledger, the model and what was asked disagree.
///
/// `asked` has the ids of each request, in any order.
pub(crate) fn disagreements(
    operator: &Operator,
    model: &Model,
    asked: &[BTreeSet<String>],
) -> Vec<String> {
    let jobs = account(operator);
    let mut found = [operator.trail_faults(), operator.untold_jobs()].concat();
    missing(&jobs, asked, &mut found);
    let tasks: BTreeMap<_, _> = model
        .tasks()
        .into_iter()
        .map(|task| (task.id, task.ids))
        .collect();
    for job in &jobs {
        let name = format!(
            "job {}-{} ({}; {})",
            job.request, job.number, job.state, job.reason
        );
        match tasks.get(&job.task) {
            None if job.is_accepted() => found.push(format!("{name} has no task")),
            Some(_) if !job.is_accepted() => found.push(format!("{name} has a task")),
            Some(ids) if !ids.is_superset(&job.ids) => {
                found.push(format!("{name}: its task is about other ids"));
            }
            Some(ids) if *ids != job.ids && !job.is_in_a_larger_task() => {
                found.push(format!("{name}: its task has more ids, and no word of it"));
            }
            None if matches!(job.state.as_str(), "planned" | "deferred" | "refused") => {
                // Another request may have them in a task.
                let others =
                    |id: &&String| asked.iter().filter(|ids| ids.contains(*id)).count() > 1;
                let its = job.ids.iter().filter(|id| !others(id));
                let its: BTreeSet<_> = its.cloned().collect();
                let mut ours = tasks.iter().filter(|(id, _)| !model.is_of_somebody(id));
                if ours.any(|(_, ids)| !ids.is_disjoint(&its)) {
                    found.push(format!("{name}: the server has its ids"));
                }
            }
            _ => {}
        }
    }
    for (task, ids) in &tasks {
        let claims = |job: &&Job| {
            job.task == *task || (job.ids == *ids && (job.may_be_double() || job.is_unknown()))
        };
        if !model.is_of_somebody(task) && !jobs.iter().any(|job| claims(&job)) {
            found.push(format!("nobody knows of task {task}"));
        }
    }
    for (id, times) in model.times() {
        let says = |job: &Job| job.may_be_double() || job.is_unknown();
        let askers = asked.iter().filter(|ids| ids.contains(&id)).count();
        if times > askers.max(1) && !jobs.iter().any(|job| job.ids.contains(&id) && says(job)) {
            found.push(format!("{id} is in {times} tasks, and no word of it"));
        }
    }
    found
}

fn missing(jobs: &[Job], asked: &[BTreeSet<String>], found: &mut Vec<String>) {
    let mut held: BTreeMap<&str, (BTreeSet<String>, usize)> = BTreeMap::new();
    for job in jobs {
        let (ids, count) = held.entry(&job.request).or_default();
        ids.extend(job.ids.iter().cloned());
        *count += job.ids.len();
    }
    for (request, (ids, count)) in &held {
        if !asked.contains(ids) {
            found.push(format!(
                "request {request} has other ids than were asked for"
            ));
        }
        if ids.len() != *count {
            found.push(format!("request {request} has an id in two jobs"));
        }
    }
    if held.len() != asked.len() {
        found.push(format!(
            "{} requests instead of {}",
            held.len(),
            asked.len()
        ));
    }
}
