use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::domain::*;

/// The audit trail: its entries, and changes that only a saved head reveals.
mod audit;
/// Receipts that a failing disk has damaged.
mod damaged_receipts;
/// Every column is part of the trail.
mod evidence;
/// More time to answer, and exports to fetch.
mod extensions;
/// The ids of jobs: their storage, and other requests with the same ids.
mod ids;
/// What goes to Mixpanel in batches.
mod ingestions;
/// Which ledgers are opened, and with which rights.
mod opened;
/// Rows come in one order from every engine.
mod order;
/// What is kept of people after their jobs are done.
mod people;
mod plans;
/// Records old enough to purge.
mod purge;
/// When jobs are checked, and what was reported of them.
mod schedule;
/// Changes to the trail, or to records behind its back, that are found.
mod tampering;

fn noon() -> chrono::DateTime<chrono::Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn record(ledger: &mut Ledger, batches: &[Batch], at: chrono::DateTime<chrono::Utc>) -> RequestId {
    match ledger
        .record_requests([(request(), planned(batches))], Again::Allow, at)
        .unwrap()
    {
        Recorded::New(mut ids) => ids.remove(0),
        Recorded::There(id) | Recorded::Applied(id) => panic!("{id} is there"),
    }
}

/// Seals the jobs that a test changed, as dsr seals what it changes.
fn seal(ledger: &mut Ledger, which: &str) {
    let sql = format!("SELECT request, number FROM jobs WHERE {which} ORDER BY request, number");
    let read = |row: &engine::Row<'_>| Ok(columns::job_id(row)?);
    let jobs: Vec<JobId> = sql::list(&ledger.conn, &sql, [], read).unwrap();
    let tx = ledger.write().unwrap();
    for job in jobs {
        super::audit::note(&tx, &job, super::audit::Why::Status, noon()).unwrap();
    }
    tx.commit().unwrap();
}

fn planned(batches: &[Batch]) -> impl Iterator<Item = Result<IdLines, LedgerError>> {
    batches.iter().map(|batch| Ok(batch.into()))
}

fn open(folder: &tempfile::TempDir) -> Ledger {
    Ledger::open(&folder.path().join("ledger.db"), Duration::from_millis(200)).unwrap()
}

fn lane() -> Lane {
    lane_at(Rate::default())
}

fn lane_at(rate: Rate) -> Lane {
    let project = key();
    Lane { project, rate }
}

fn key() -> ProjectKey {
    ProjectKey::restore("k".to_owned())
}

fn request() -> NewRequest {
    NewRequest {
        operation: Operation::Delete(Law::Gdpr),
        project: ProjectName::new("acme").unwrap(),
        project_key: key(),
        region: Region::Eu,
        reference: Some("T-1".to_owned()),
        received: "2026-11-20".parse().unwrap(),
        due: "2026-12-21".parse().unwrap(),
        confirm_by: None,
        source: "`ids.csv`".to_owned(),
        read: 5,
        unique: 4,
        excluded: 0,
        plan: None,
        ids_kept: IdsKept::UntilDone,
    }
}

fn batches(count: usize, limit: usize) -> Vec<Batch> {
    let id = |n: &usize| DistinctId::new(&format!("user-{n}")).unwrap();
    let all: Vec<usize> = (0..count).collect();
    let cut = all.chunks(limit).map(|part| part.iter().map(id).collect());
    cut.map(|ids| Batch::restore(ids).unwrap()).collect()
}

fn with_request(folder: &tempfile::TempDir) -> (Ledger, RequestRecord) {
    let mut ledger = open(folder);
    let id = record(&mut ledger, &batches(4, 2), noon());
    let record = ledger.find_request(&id).unwrap().unwrap();
    (ledger, record)
}

fn send(ledger: &mut Ledger, job: &JobId) -> Claim {
    ledger
        .record_sending(job, Purpose::Submit, &lane(), noon())
        .unwrap()
}

fn end(ledger: &mut Ledger, job: &JobId, outcome: &Outcome) -> Result<(), LedgerError> {
    ledger.record_outcome(job, &lane(), outcome, Some("why"), noon())
}

fn state(ledger: &Ledger, job: &JobId) -> JobState {
    ledger.find_job(job).unwrap().state
}

/// The number of entries before the first request's. A server's ledger also records its key.
fn entries_before(ledger: &Ledger) -> u64 {
    1 + u64::from(ledger.conn.lazy_seal().is_some())
}

fn nth(request: &RequestId, number: u32) -> JobId {
    JobId {
        request: request.clone(),
        number,
    }
}

fn jobs(ledger: &Ledger, request: &RequestId) -> Vec<JobRecord> {
    let jobs = ledger.jobs(request, Standing::Any);
    jobs.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_request_is_read_back_as_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    assert_eq!(record.created, noon());
    assert_eq!(record.asked.operation, request().operation);
    assert_eq!(record.asked.reference.as_deref(), Some("T-1"));
    assert_eq!(
        (record.asked.received, record.asked.due),
        (request().received, request().due)
    );
    assert_eq!((record.asked.read, record.asked.unique), (5, 4));
    assert_eq!(record.count_jobs(|_| true), 2);
    assert_eq!(
        record.count_ids(|group| group.state == JobState::Planned),
        4
    );
    let jobs = jobs(&ledger, &record.id);
    let ids: Vec<_> = jobs
        .iter()
        .flat_map(|job| ledger.find_batch(&job.id).unwrap().ids().to_vec())
        .collect();
    assert_eq!(ids, batches(4, 4)[0].ids());
    assert_ne!(jobs[0].subject, jobs[1].subject);
}

#[test]
fn an_intent_is_on_disk_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let job = &nth(&record.id, 1);
    assert!(matches!(send(&mut ledger, job), Claim::Send(claimed) if claimed.attempt() == 1));
    let other = open(&folder);
    assert_eq!(state(&other, job), JobState::Sending);
}

#[test]
fn a_job_is_claimed_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let job = &nth(&record.id, 1);
    assert!(matches!(send(&mut ledger, job), Claim::Send(claimed) if claimed.attempt() == 1));
    let mut other = open(&folder);
    assert_eq!(send(&mut other, job), Claim::Taken(JobState::Sending));
    end(
        &mut ledger,
        job,
        &Outcome::Accepted(TaskId::new("t").unwrap()),
    )
    .unwrap();
    assert_eq!(send(&mut other, job), Claim::Taken(JobState::Accepted));
}

#[test]
fn what_a_killed_dsr_was_sending_becomes_unknown_and_what_a_living_one_sends_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (mut killed, record) = with_request(&folder);
    let job = &nth(&record.id, 1);
    send(&mut killed, job);
    let mut other = open(&folder);
    assert_eq!(other.record_interrupted(noon()).unwrap(), 0);
    assert_eq!(state(&other, job), JobState::Sending);
    drop(killed);
    assert_eq!(other.record_interrupted(noon()).unwrap(), 1);
    assert_eq!(state(&other, job), JobState::Unknown);
    assert_eq!(state(&other, &nth(&record.id, 2)), JobState::Planned);
    assert_eq!(send(&mut other, job), Claim::Taken(JobState::Unknown));
}

#[test]
fn each_outcome_leaves_the_job_where_it_belongs() {
    let later = noon() + TimeDelta::seconds(30);
    for (outcome, wanted) in [
        (Outcome::NotCreated, JobState::Planned),
        (
            Outcome::Accepted(TaskId::new("t-1").unwrap()),
            JobState::Accepted,
        ),
        (Outcome::Refused, JobState::Refused),
        (Outcome::Deferred(later), JobState::Deferred),
        (Outcome::Unknown, JobState::Unknown),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, record) = with_request(&folder);
        let job = &nth(&record.id, 1);
        assert!(
            end(&mut ledger, job, &outcome).is_err(),
            "nothing was being sent"
        );
        send(&mut ledger, job);
        end(&mut ledger, job, &outcome).unwrap();
        let after = ledger.find_job(job).unwrap();
        assert_eq!((after.state, after.attempts), (wanted, 1));
        assert_eq!(after.reason.as_deref(), Some("why"));
        let accepted = wanted == JobState::Accepted;
        assert_eq!(after.task.is_some(), accepted);
        assert_eq!(after.submitted_at.is_some(), accepted);
        assert_eq!(
            after.not_before,
            (wanted == JobState::Deferred).then_some(later)
        );
        assert_eq!(ledger.find_batch(job).unwrap().count(), 2);
    }
}

#[test]
fn a_project_has_one_slot_an_interval_over_all_connections() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut two) = (open(&folder), open(&folder));
    let at = |ms| noon() + TimeDelta::milliseconds(ms);
    assert_eq!(one.record_slot(&lane(), at(0)).unwrap(), Slot::Yours);
    let wait = |ms| Slot::Wait(Duration::from_millis(ms));
    assert_eq!(two.record_slot(&lane(), at(400)).unwrap(), wait(600));
    one.record_answered(&lane(), None, at(250)).unwrap();
    assert_eq!(two.record_slot(&lane(), at(1000)).unwrap(), wait(250));
    assert_eq!(two.record_slot(&lane(), at(1250)).unwrap(), Slot::Yours);
    let other = Lane {
        project: ProjectKey::restore("other".to_owned()),
        ..lane()
    };
    assert_eq!(two.record_slot(&other, at(1250)).unwrap(), Slot::Yours);
}

#[test]
fn once_a_post_is_answered_its_own_questions_wait_for_the_interval_only() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let job = nth(&record.id, 1);
    send(&mut ledger, &job);
    ledger.record_answered(&lane(), Some(&job), noon()).unwrap();
    let Slot::Wait(wait) = ledger.record_slot(&lane(), noon()).unwrap() else {
        panic!("the interval begins with the answer");
    };
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    ledger.record_slot(&lane(), noon()).unwrap();
    let earlier = noon() - TimeDelta::days(3);
    let wait = ledger.record_slot(&lane(), earlier).unwrap();
    assert_eq!(wait, Slot::Wait(Duration::from_secs(1)));
}

#[test]
fn a_block_holds_for_every_job_of_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    send(&mut ledger, &nth(&record.id, 1));
    let later = noon() + TimeDelta::seconds(30);
    end(&mut ledger, &nth(&record.id, 1), &Outcome::Deferred(later)).unwrap();
    for job in jobs(&ledger, &record.id) {
        assert_eq!(
            send(&mut ledger, &job.id),
            Claim::Wait(Duration::from_secs(30))
        );
    }
}

#[test]
fn a_status_moves_a_job_only_where_it_says_something() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let job = &nth(&record.id, 1);
    send(&mut ledger, job);
    end(
        &mut ledger,
        job,
        &Outcome::Accepted(TaskId::new("t").unwrap()),
    )
    .unwrap();
    for (word, wanted) in [
        ("PENDING", JobState::Accepted),
        ("NOT_FOUND", JobState::Accepted),
        ("STARTED", JobState::Running),
        ("UNKNOWN", JobState::Running),
        ("half done", JobState::Running),
        ("PENDING", JobState::Running),
        ("SUCCESS", JobState::Done),
        ("FAILURE", JobState::Done),
    ] {
        ledger
            .record_check(job, &TaskStatus::parse(word), noon())
            .unwrap();
        let after = ledger.find_job(job).unwrap();
        assert_eq!(after.state, wanted, "{word}");
        assert_eq!(after.mixpanel_status.as_deref(), Some(word));
        assert_eq!(after.checked_at, Some(noon()));
        assert_eq!(after.task.unwrap().as_str(), "t");
    }
}

#[test]
fn a_request_is_found_by_what_people_type() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let found = |ledger: &Ledger, name: &str| match ledger.find_named(name).unwrap() {
        Found::One(found) => Some(found.id),
        Found::Nothing | Found::Several(_) | Found::Linked(_) => None,
    };
    assert_eq!(found(&ledger, record.id.as_str()), Some(record.id.clone()));
    assert_eq!(found(&ledger, record.id.short()), Some(record.id.clone()));
    for nothing in ["", "%", "_", "zzzzzzzzzzzzzzzzz", "' OR 1=1 --"] {
        assert_eq!(found(&ledger, nothing), None, "{nothing}");
    }
    let job = &nth(&record.id, 2);
    send(&mut ledger, job);
    end(
        &mut ledger,
        job,
        &Outcome::Accepted(TaskId::new("3e0b7f52-77").unwrap()),
    )
    .unwrap();
    assert_eq!(found(&ledger, "3e0b7f52-77"), Some(record.id.clone()));
}

#[test]
fn the_same_request_is_recorded_once_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let first = record(&mut ledger, &batches(1, 1), noon());
    let mut other = open(&folder);
    let again_with = |ledger: &mut Ledger, asked: &NewRequest, ids: usize| {
        let batches = batches(ids, 1);
        let asked = [(asked.clone(), planned(&batches))];
        ledger
            .record_requests(asked, Again::Refuse, noon())
            .unwrap()
    };
    let again = |ledger: &mut Ledger, asked: &NewRequest| again_with(ledger, asked, 1);
    assert_eq!(
        again(&mut other, &request()),
        Recorded::There(first.clone())
    );
    let export = NewRequest {
        operation: Operation::Delete(Law::Ccpa),
        ..request()
    };
    assert!(matches!(again(&mut other, &export), Recorded::New(_)));
    assert!(matches!(
        again_with(&mut other, &request(), 2),
        Recorded::New(_)
    ));
    let job = nth(&first, 1);
    send(&mut ledger, &job);
    end(&mut ledger, &job, &Outcome::Refused).unwrap();
    assert!(
        matches!(again(&mut other, &request()), Recorded::New(_)),
        "the first is closed"
    );
}

#[test]
fn open_requests_are_those_that_wait_for_something() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let at = |s| noon() + TimeDelta::seconds(s);
    let first = record(&mut ledger, &batches(1, 2), at(0));
    let second = record(&mut ledger, &batches(1, 2), at(1));
    let ids = |ledger: &Ledger, which| -> Vec<RequestId> {
        ledger
            .list_requests(which)
            .unwrap()
            .into_iter()
            .map(|r| r.id)
            .collect()
    };
    assert_eq!(
        ids(&ledger, Which::Open),
        [second.clone(), first.clone()],
        "newest first"
    );
    let job = nth(&second, 1);
    send(&mut ledger, &job);
    end(&mut ledger, &job, &Outcome::Refused).unwrap();
    assert_eq!(ids(&ledger, Which::Open), std::slice::from_ref(&first));
    assert_eq!(ids(&ledger, Which::All), [second, first]);
}

#[test]
fn jobs_are_read_page_by_page_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let request = record(&mut ledger, &batches(600, 1), noon());
    let ended = nth(&request, 300);
    send(&mut ledger, &ended);
    end(&mut ledger, &ended, &Outcome::Refused).unwrap();
    let numbers = |standing| -> Vec<u32> {
        let jobs = ledger.jobs(&request, standing);
        jobs.map(|job| job.unwrap().id.number).collect()
    };
    assert_eq!(numbers(Standing::Any), (1..=600).collect::<Vec<_>>());
    let unsent: Vec<u32> = (1..=600).filter(|number| *number != 300).collect();
    assert_eq!(numbers(Standing::Unsent), unsent);
    assert_eq!(numbers(Standing::Exceptional), [300]);
    assert!(numbers(Standing::Followed).is_empty());
    let next = |after| ledger.find_unsent(&request, after).unwrap();
    assert_eq!(next(0), Some(nth(&request, 1)));
    assert_eq!(next(299), Some(nth(&request, 301)), "300 has ended");
    assert_eq!(next(600), None);
}

#[test]
fn one_view_shows_requests_and_jobs_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, request) = with_request(&folder);
    let mut other = open(&folder);
    let first = nth(&request.id, 1);
    let planned = |ledger: &Ledger| {
        let request = ledger.find_request(&request.id).unwrap().unwrap();
        request.jobs_in(JobState::Planned)
    };
    let seen = reader.in_one_view(|ledger| {
        let before = planned(ledger);
        send(&mut other, &first);
        Ok::<_, LedgerError>((before, planned(ledger), state(ledger, &first)))
    });
    assert_eq!(seen.unwrap(), (2, 2, JobState::Planned));
    assert_eq!(planned(&reader), 1);
}

/// Each takes as long as the way to the server and back, and other hosts wait meanwhile.
#[test]
fn a_job_costs_few_round_trips_to_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let Some(server) = ledger.conn.server() else {
        return;
    };
    server.share(migrations::known());
    ledger.sharing = Some(presence::find_sharing(&ledger.conn).unwrap());
    let lane = lane_at(Rate::new(1000.0).unwrap());
    let mut counts = Vec::new();
    for number in [1, 2] {
        let job = nth(&record.id, number);
        let task = TaskId::new(&format!("t{number}")).unwrap();
        let count = |ledger: &Ledger| ledger.conn.server().unwrap().round_trips();
        let before = count(&ledger);
        let claim = ledger.record_sending(&job, Purpose::Submit, &lane, noon());
        assert!(matches!(claim, Ok(Claim::Send(_))), "{claim:?}");
        let claimed = count(&ledger);
        ledger
            .record_outcome(&job, &lane, &Outcome::Accepted(task), None, noon())
            .unwrap();
        counts.push((claimed - before, count(&ledger) - claimed));
    }
    // The first job also prepares the statements.
    assert!(counts[0].0 > 4, "{counts:?}");
    assert_eq!(counts[1], (4, 3));
}
