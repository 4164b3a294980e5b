//! What comes after a run that went well.

use crate::domain::{JobState, Kind};
use crate::ledger::{JobGroup, RequestRecord};
use crate::ui::number;

pub(crate) const AFTER_DELETION: &str =
    "Deleting does not stop collection: `dsr guide after-deletion` lists what is left to do.";

/// Whether something was deleted, and nothing remains to be deleted.
pub(crate) fn has_deleted(request: &RequestRecord) -> bool {
    request.asked.operation.kind() == Kind::Delete
        && !request.state().is_open()
        && request.jobs_in(JobState::Done) > 0
}

/// How to fetch finished exports. For several requests: the command without a name, which fetches
/// all of them.
fn fetch_hint(requests: &[RequestRecord]) -> String {
    let is_there = |request: &&RequestRecord| {
        request.asked.operation.kind() == Kind::Export && request.jobs_in(JobState::Done) > 0
    };
    let exports: Vec<_> = requests.iter().filter(is_there).collect();
    let jobs: usize = exports.iter().map(|one| one.jobs_in(JobState::Done)).sum();
    let name = match exports.as_slice() {
        [] => return String::new(),
        [one] => format!(" {}", one.id.short()),
        _ => String::new(),
    };
    let them = if jobs == 1 { "it" } else { "them" };
    format!(" Fetch {them} with `dsr download{name}`.")
}

/// Whether `dsr cancel REQUEST` may cancel these jobs. It leaves the tasks of other requests alone.
fn is_cancellable(group: &JobGroup) -> bool {
    group.state == JobState::Accepted && !group.is_linked
}

pub(super) fn next_step(requests: &[RequestRecord], are_fetched: bool) -> String {
    let abandoned = requests
        .iter()
        .map(|request| request.jobs_in(JobState::Unknown))
        .sum::<usize>();
    if abandoned > 0 {
        return match abandoned {
            1 => "1 job is abandoned. It stays unknown.".to_owned(),
            many => format!("{} jobs are abandoned. They stay unknown.", number(many)),
        };
    }
    let all_done = requests.iter().all(|request| !request.state().is_open());
    let deletes = |request: &RequestRecord| request.asked.operation.kind() == Kind::Delete;
    if all_done {
        let mut text = "All jobs are done.".to_owned();
        if !are_fetched {
            text.push_str(&fetch_hint(requests));
        }
        if requests.iter().any(deletes) {
            text.push_str(&format!(" {AFTER_DELETION}"));
        }
        return text;
    }
    let mut text = match requests {
        [one] => format!("Follow it with `dsr status {}`.", one.id.short()),
        _ => "Follow them with `dsr status`.".to_owned(),
    };
    let cancellable = requests
        .iter()
        .filter(|request| deletes(request) && request.count_jobs(is_cancellable) > 0);
    let names: Vec<&str> = cancellable.map(|request| request.id.short()).collect();
    if !names.is_empty() {
        text.push_str(&format!(
            " Until Mixpanel starts it: `dsr cancel {}`.",
            names.join("`, `dsr cancel ")
        ));
    }
    if requests.iter().any(deletes) {
        text.push_str(&format!(" {AFTER_DELETION}"));
    }
    text
}
