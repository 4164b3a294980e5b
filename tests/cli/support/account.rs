//! The ledger's account of every id, read from the disk and held against what a model accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::{Model, Operator};

/// One job as the ledger has it.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) request: String,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) task: String,
    pub(crate) reason: String,
    pub(crate) ids: BTreeSet<String>,
}

impl Job {
    /// Mixpanel has taken it, as far as the ledger knows.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.state.as_str(), "accepted" | "running" | "done")
    }

    pub(crate) fn may_be_double(&self) -> bool {
        self.reason.contains("possible duplicate")
    }
}

impl Job {
    /// Its task is another one's, and its reason says how it came to it.
    fn is_in_a_larger_task(&self) -> bool {
        self.reason.contains("linked") || self.reason.contains("recovered")
    }
}

/// All jobs of all requests, in their order.
pub(crate) fn account(operator: &Operator) -> Vec<Job> {
    let mut kept = operator.kept_ids();
    // Unit separators: a reason may hold anything else.
    let query = "SELECT jobs.request || char(31) || jobs.number || char(31) || state || char(31)
                 || COALESCE(task_id, '') || char(31) || COALESCE(reason, '')
                 FROM jobs ORDER BY jobs.request, jobs.number";
    let rows = operator.ledger_texts(query);
    let job = |row: &String| {
        let mut fields = row.splitn(5, '\u{1f}').map(str::to_owned);
        let mut next = || fields.next().expect("five fields");
        let (request, number, state) = (next(), next(), next());
        let (task, reason) = (next(), next());
        let key = (request.clone(), number.parse().expect("a number"));
        let ids = kept.remove(&key).unwrap_or_default();
        Job {
            request,
            number,
            state,
            task,
            reason,
            ids: ids.into_iter().collect(),
        }
    };
    rows.iter().map(job).collect()
}

/// Everything in which the ledger, the model and what was asked disagree.
///
/// `asked` has the ids of each request; which is which does not matter.
pub(crate) fn disagreements(
    operator: &Operator,
    model: &Model,
    asked: &[BTreeSet<String>],
) -> Vec<String> {
    let jobs = account(operator);
    let mut found = Vec::new();
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
                if tasks.values().any(|ids| !ids.is_disjoint(&its)) {
                    found.push(format!("{name}: the server has its ids"));
                }
            }
            _ => {}
        }
    }
    for (task, ids) in &tasks {
        let claims = |job: &&Job| {
            job.task == *task
                || (job.ids == *ids && (job.may_be_double() || job.state == "unknown"))
        };
        if !jobs.iter().any(|job| claims(&job)) {
            found.push(format!("nobody knows of task {task}"));
        }
    }
    for (id, times) in model.times() {
        let says = |job: &Job| job.may_be_double() || job.state == "unknown";
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
