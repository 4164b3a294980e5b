use super::*;

fn extension(due_after: &str) -> Extension {
    Extension {
        at: noon(),
        day: "2026-11-23".parse().unwrap(),
        reason: "many requests".to_owned(),
        due_before: "2026-12-21".parse().unwrap(),
        due_after: due_after.parse().unwrap(),
    }
}

#[test]
fn an_extension_moves_the_due_date_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, before) = with_request(&folder);
    let other = record(&mut ledger, &batches(1, 1), noon());
    assert_eq!(before.extension, None);
    let taken = extension("2027-02-22");
    let recorded = ledger.record_extension(&before.id, &taken).unwrap();
    assert_eq!(recorded, Extended::Recorded);
    let after = open(&folder).find_request(&before.id).unwrap().unwrap();
    assert_eq!(after.asked.due, taken.due_after);
    assert_eq!(after.extension, Some(taken));
    assert_ne!(after.deadline().rule, before.deadline().rule);
    let other = ledger.find_request(&other).unwrap().unwrap();
    assert_eq!(other.extension, None);
    assert_eq!(other.asked.due, before.asked.due);
}

#[test]
fn a_request_is_extended_once_whoever_comes_second() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = with_request(&folder);
    let first = extension("2027-02-22");
    ledger.record_extension(&request.id, &first).unwrap();
    let mut second = open(&folder);
    let again = second.record_extension(&request.id, &extension("2027-05-20"));
    assert_eq!(again.unwrap(), Extended::There(first.clone()));
    let found = ledger.find_request(&request.id).unwrap().unwrap();
    assert_eq!(found.asked.due, first.due_after);
    assert_eq!(found.extension, Some(first));
}

#[test]
fn finished_exports_wait_until_they_are_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let export = NewRequest {
        operation: Operation::Export(RetrievalScope::Gdpr),
        ..request()
    };
    let deletion = record(&mut ledger, &batches(2, 1), noon());
    let recorded =
        ledger.record_requests([(export, planned(&batches(3, 1)))], Again::Allow, noon());
    let Ok(Recorded::New(ids)) = recorded else {
        panic!("{recorded:?}");
    };
    let id = &ids[0];
    let at = |hours| noon() + TimeDelta::hours(hours);
    for (place, job) in [nth(id, 1), nth(id, 2), nth(&deletion, 1)]
        .iter()
        .enumerate()
    {
        let place = i64::try_from(place).unwrap();
        let claim = ledger.record_sending(job, Purpose::Submit, &lane(), at(place));
        assert!(matches!(claim.unwrap(), Claim::Send { .. }));
        let task = TaskId::new(&format!("t-{place}")).unwrap();
        let accepted = Outcome::Accepted(task);
        ledger
            .record_outcome(job, &lane(), &accepted, None, at(place))
            .unwrap();
        ledger
            .record_check(job, &TaskStatus::Success, at(10 + place))
            .unwrap();
    }
    let unfetched = |ledger: &Ledger| ledger.find_request(id).unwrap().unwrap().unfetched;
    let waiting = |jobs, hours| {
        let finished_by = at(hours);
        Some(Unfetched { jobs, finished_by })
    };
    let listed = |ledger: &Ledger| ledger.list_requests(Which::Unfetched).unwrap().len();
    assert_eq!(unfetched(&ledger), waiting(2, 10), "the first of them");
    assert_eq!(listed(&ledger), 1, "a deletion has nothing to fetch");
    let fetch = |ledger: &mut Ledger, number| {
        ledger
            .record_download(&DownloadRecord {
                job: nth(id, number),
                path: "/a.zip".into(),
                bytes: 1,
                sha256: "0".repeat(64),
                fetched_at: at(20),
            })
            .unwrap();
    };
    fetch(&mut ledger, 1);
    assert_eq!(unfetched(&ledger), waiting(1, 11));
    fetch(&mut ledger, 2);
    assert_eq!(unfetched(&ledger), None);
    assert_eq!(listed(&ledger), 0, "the third job is not done");
}

#[test]
fn the_last_submission_is_that_of_a_job_mixpanel_has_not_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = with_request(&folder);
    let last = |ledger: &Ledger| ledger.find_last_submission(&request.id).unwrap();
    assert_eq!(last(&ledger), None);
    let at = |hours| noon() + TimeDelta::hours(hours);
    for number in [1, 2] {
        let job = nth(&request.id, number);
        let hour = at(i64::from(number));
        ledger
            .record_sending(&job, Purpose::Submit, &lane(), hour)
            .unwrap();
        let accepted = Outcome::Accepted(TaskId::new(&format!("t-{number}")).unwrap());
        ledger
            .record_outcome(&job, &lane(), &accepted, None, hour)
            .unwrap();
        assert_eq!(last(&ledger), Some(hour));
    }
    let second = nth(&request.id, 2);
    ledger
        .record_check(&second, &TaskStatus::Success, at(3))
        .unwrap();
    assert_eq!(last(&ledger), Some(at(1)), "the second has ended");
}

#[test]
fn copies_belong_to_one_request_and_count_since_their_first_record() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = with_request(&folder);
    let other = record(&mut ledger, &batches(1, 1), noon());
    let names = |texts: &[&str]| {
        let names = texts.iter().map(|text| CopyName::new(text).unwrap());
        names.collect::<Vec<_>>()
    };
    let at = |hours| noon() + TimeDelta::hours(hours);
    for (done, withdrawn, hours) in [
        (names(&["bucket", "laptops"]), names(&[]), 1),
        (names(&["laptops"]), names(&["bucket"]), 2),
        (names(&["bucket"]), names(&[]), 3),
    ] {
        let recorded = ledger.record_copies(&request.id, &done, &withdrawn, at(hours));
        recorded.unwrap();
    }
    let found = |id| open(&folder).find_request(id).unwrap().unwrap().copies;
    let copies = found(&request.id);
    let copies: Vec<_> = copies
        .iter()
        .map(|tick| (tick.name.as_str(), tick.at))
        .collect();
    assert_eq!(copies, [("laptops", at(1)), ("bucket", at(3))]);
    assert_eq!(found(&other), []);
}
