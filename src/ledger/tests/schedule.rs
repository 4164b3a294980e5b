use super::*;
use crate::ledger::{Asking, Scope, Turn};

/// A ledger with one request of two jobs, both accepted at noon.
fn accepted(folder: &tempfile::TempDir) -> (Ledger, RequestId) {
    let (mut ledger, record) = with_request(folder);
    for number in [1, 2] {
        let job = nth(&record.id, number);
        let at = noon() + TimeDelta::seconds(i64::from(number) * 2);
        let claim = ledger.record_sending(&job, Purpose::Submit, &lane(), at);
        assert!(matches!(claim, Ok(Claim::Send { .. })), "{claim:?}");
        let task = TaskId::new(&format!("t-{number}")).unwrap();
        end(&mut ledger, &job, &Outcome::Accepted(task)).unwrap();
    }
    (ledger, record.id)
}

fn ask(ledger: &mut Ledger, job: &JobId, turn: Turn, now: chrono::DateTime<chrono::Utc>) -> Asking {
    ledger.record_asking(job, turn, &lane(), now).unwrap()
}

fn next_check(ledger: &Ledger, job: &JobId) -> Option<chrono::DateTime<chrono::Utc>> {
    ledger.find_job(job).unwrap().next_check
}

fn next_number(ledger: &Ledger, scope: &Scope, now: chrono::DateTime<chrono::Utc>) -> Option<u32> {
    let next = ledger.find_next_check(scope, Turn::Due, &[], now).unwrap();
    next.map(|next| next.job.number)
}

#[test]
fn a_job_is_due_when_it_is_accepted_and_never_again_when_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let job = nth(&request, 1);
    assert_eq!(next_check(&ledger, &job), Some(noon()));
    for status in [TaskStatus::Pending, TaskStatus::Started] {
        ledger.record_check(&job, &status, noon()).unwrap();
        let next = next_check(&ledger, &job);
        assert_eq!(next, Some(noon() + TimeDelta::seconds(1)), "{status:?}");
    }
    ledger
        .record_check(&job, &TaskStatus::Success, noon())
        .unwrap();
    assert_eq!(next_check(&ledger, &job), None);
}

#[test]
fn a_job_that_was_just_asked_about_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let mut other = open(&folder);
    let job = nth(&request, 1);
    let now = noon() + TimeDelta::seconds(10);
    assert_eq!(ask(&mut ledger, &job, Turn::Due, now), Asking::Yours);
    assert_eq!(ask(&mut other, &job, Turn::Due, now), Asking::Taken);
    // The first process dies here: for a minute nobody asks.
    let next = next_check(&other, &job).unwrap();
    assert_eq!(next - now, TimeDelta::seconds(60));
    assert_eq!(ask(&mut other, &job, Turn::Due, next), Asking::Yours);
}

#[test]
fn a_stale_look_at_the_clock_does_not_ask_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let job = nth(&request, 1);
    // So old that it is checked once an hour, the longest pause.
    let looked = noon() + TimeDelta::days(10);
    let asked = looked + TimeDelta::milliseconds(80);
    assert_eq!(ask(&mut ledger, &job, Turn::Due, asked), Asking::Yours);
    ledger
        .record_check(&job, &TaskStatus::Pending, asked)
        .unwrap();
    let next = next_check(&ledger, &job).unwrap();
    assert_eq!(next - asked, TimeDelta::hours(1));
    let mut other = open(&folder);
    assert_eq!(ask(&mut other, &job, Turn::Due, looked), Asking::Taken);
    let first = next_number(&other, &Scope::All, looked);
    assert_eq!(first, Some(2), "the one that was not asked about");
}

#[test]
fn a_slot_that_is_not_free_moves_no_job() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    ledger.record_all_sent(&key()).unwrap();
    let now = noon() + TimeDelta::seconds(10);
    let (one, two) = (nth(&request, 1), nth(&request, 2));
    assert_eq!(ask(&mut ledger, &one, Turn::Due, now), Asking::Yours);
    let second = Duration::from_secs(1);
    assert_eq!(ask(&mut ledger, &two, Turn::Due, now), Asking::Wait(second));
    assert_eq!(next_check(&ledger, &two), Some(noon()));
    let later = now + TimeDelta::seconds(1);
    assert_eq!(ask(&mut ledger, &two, Turn::Due, later), Asking::Yours);
}

#[test]
fn all_are_asked_about_due_or_not_but_not_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let job = nth(&request, 1);
    let pending = TaskStatus::Pending;
    ledger.record_check(&job, &pending, noon()).unwrap();
    let start = noon() + TimeDelta::milliseconds(1);
    assert_eq!(ask(&mut ledger, &job, Turn::Due, start), Asking::Taken);
    let turn = Turn::AfterAll(start);
    let now = start + TimeDelta::seconds(2);
    assert_eq!(ask(&mut ledger, &job, turn, now), Asking::Yours);
    ledger.record_check(&job, &pending, now).unwrap();
    let later = start + TimeDelta::seconds(9);
    assert_eq!(ask(&mut ledger, &job, turn, later), Asking::Taken);
    let next = ledger
        .find_next_check(&Scope::All, turn, &[], later)
        .unwrap();
    assert_eq!(
        next.unwrap().job,
        nth(&request, 2),
        "the one without an answer"
    );
}

#[test]
fn the_longest_waiting_job_comes_first_even_after_a_clock_change() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let (one, two) = (nth(&request, 1), nth(&request, 2));
    let pending = TaskStatus::Pending;
    ledger.record_check(&two, &pending, noon()).unwrap();
    ledger
        .record_check(&one, &pending, noon() + TimeDelta::minutes(1))
        .unwrap();
    let now = noon() + TimeDelta::hours(1);
    assert_eq!(next_number(&ledger, &Scope::All, now), Some(2));
    // As if the clock had been a year ahead at the last check.
    let ahead = noon() + TimeDelta::days(365);
    ledger.record_check(&one, &pending, ahead).unwrap();
    assert_eq!(next_number(&ledger, &Scope::All, now), Some(1));
    assert_eq!(ask(&mut ledger, &one, Turn::Due, now), Asking::Yours);
    let backlogs = ledger.list_backlogs(&Scope::All, Turn::Due, now).unwrap();
    assert_eq!(backlogs.len(), 1);
    assert_eq!(backlogs[0].jobs, 1, "the other one");
}

#[test]
fn a_scope_names_projects_or_requests_and_leaves_out_those_on_hold() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, request) = accepted(&folder);
    let other = Scope::Requests(vec![RequestId::restore("q0".to_owned())]);
    let both = Scope::Requests(vec![RequestId::restore("q0".to_owned()), request]);
    let named = |name: &str| Scope::Projects(vec!["x".to_owned(), name.to_owned()]);
    for (scope, found) in [
        (Scope::All, true),
        (both, true),
        (other, false),
        (named("acme"), true),
        (named("shop"), false),
    ] {
        assert_eq!(
            next_number(&ledger, &scope, noon()).is_some(),
            found,
            "{scope:?}"
        );
        assert_eq!(ledger.has_followed(&scope).unwrap(), found, "{scope:?}");
        let backlogs = ledger.list_backlogs(&scope, Turn::Due, noon()).unwrap();
        let jobs: usize = backlogs.iter().map(|backlog| backlog.jobs).sum();
        assert_eq!(jobs, if found { 2 } else { 0 }, "{scope:?}");
        let held = [ProjectKey::restore("z".to_owned()), key()];
        let next = ledger.find_next_check(&scope, Turn::Due, &held, noon());
        assert_eq!(next.unwrap(), None, "{scope:?}");
    }
}

#[test]
fn a_job_that_moves_while_it_is_printed_is_printed_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let mut other = open(&folder);
    let untold = ledger.list_untold().unwrap().remove(&request).unwrap();
    assert_eq!(untold.len(), 2);
    // One of them moves while they are printed.
    other
        .record_check(&nth(&request, 2), &TaskStatus::Started, noon())
        .unwrap();
    ledger.record_told(&untold).unwrap();
    let left = ledger.list_untold().unwrap().remove(&request).unwrap();
    let left: Vec<u32> = left.iter().map(|untold| untold.job.number).collect();
    assert_eq!(left, [2]);
    let listed = ledger.jobs(&request, Standing::Untold);
    assert_eq!(
        listed.map(|job| job.unwrap().id.number).collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn only_a_different_answer_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = accepted(&folder);
    let job = nth(&request, 1);
    let mut told = |status: TaskStatus| {
        ledger.record_check(&job, &status, noon()).unwrap();
        let untold = ledger.list_untold().unwrap();
        let count = untold.values().map(Vec::len).sum::<usize>();
        ledger.record_told(untold.values().flatten()).unwrap();
        count
    };
    assert_eq!(told(TaskStatus::Pending), 2, "never told of");
    assert_eq!(told(TaskStatus::Pending), 0);
    assert_eq!(told(TaskStatus::Staging), 1);
    assert_eq!(told(TaskStatus::Success), 1);
    assert_eq!(told(TaskStatus::Success), 0);
}

#[test]
fn states_are_counted_without_reading_the_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = accepted(&folder);
    let sql = crate::ledger::requests::listing::standings("1 = 1");
    let plan = ledger.conn.explain(&sql);
    let (only_index, sorting) = match ledger.conn.is_typed() {
        false => ("COVERING INDEX jobs_by_standing", "TEMP B-TREE"),
        true => ("Index Only Scan using jobs_by_standing", "Sort"),
    };
    assert!(plan.contains(only_index), "{plan}");
    assert!(!plan.contains(sorting), "{plan}");
}
