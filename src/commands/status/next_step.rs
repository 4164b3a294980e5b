//! What comes after a run that went well.

use crate::domain::{JobState, Kind};
use crate::ledger::{JobGroup, RequestRecord};
use crate::ui::number;
use crate::workflow::{RunTally, SubmitReport};

/// How far dsr followed the jobs after it sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FollowEnd {
    No,
    ToTheEnd,
    /// Followed to the end, and fetched their exports.
    AndFetched,
    /// Nothing was sent; dsr only watched.
    Watched,
}

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

pub(super) fn next_step(report: &SubmitReport, followed: FollowEnd) -> String {
    let requests = report.requests.as_slice();
    let abandoned = requests
        .iter()
        .map(|request| request.jobs_in(JobState::Unknown))
        .sum::<usize>();
    let given_up = match abandoned {
        0 => String::new(),
        1 => "1 job is abandoned. It stays unknown.".to_owned(),
        many => format!("{} jobs are abandoned. They stay unknown.", number(many)),
    };
    let all_ended = !requests.iter().any(RequestRecord::is_open);
    if all_ended && abandoned > 0 {
        return given_up;
    }
    let deletes = |request: &RequestRecord| request.asked.operation.kind() == Kind::Delete;
    if all_ended {
        let mut text = "All jobs are done.".to_owned();
        if followed != FollowEnd::AndFetched {
            text.push_str(&fetch_hint(requests));
        }
        if requests.iter().any(deletes) {
            text.push_str(&format!(" {AFTER_DELETION}"));
        }
        return text;
    }
    let follow = match requests {
        [one] => format!("Follow it with `dsr status {}`.", one.id.short()),
        _ => "Follow them with `dsr status`.".to_owned(),
    };
    if abandoned > 0 {
        return format!("{given_up} {follow}");
    }
    // Only `dsr resume` can have sent nothing. How to cancel was said when the jobs were sent.
    if followed == FollowEnd::No && report.tally == RunTally::default() {
        return format!("Nothing was left to send. {follow}");
    }
    let mut text = follow;
    let cancellable = requests
        .iter()
        .filter(|request| deletes(request) && request.count_jobs(is_cancellable) > 0);
    let names: Vec<&str> = cancellable.map(|request| request.id.short()).collect();
    match names.as_slice() {
        [] => {}
        [one] => text.push_str(&format!(
            " You can cancel until Mixpanel starts: `dsr cancel {one}`."
        )),
        _ => text.push_str(" You can cancel each until Mixpanel starts it: `dsr cancel REQUEST`."),
    }
    if requests.iter().any(deletes) {
        text.push_str(&format!(" {AFTER_DELETION}"));
    }
    text
}
