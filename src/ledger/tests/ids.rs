use super::audit::check;
use super::*;
use crate::ledger::people::key::find_seal;

/// What a server holds of ids, and who can read it.
mod sealed;

/// Puts other ids in the first job's place.
fn put(ledger: &Ledger, record: &RequestRecord, text: &str) {
    let mut packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    if let Some(seal) = find_seal(&ledger.conn).unwrap() {
        packed = seal.seal(&nth(&record.id, 1), packed);
    }
    let sql = "UPDATE payloads SET packed = $1 WHERE number = 1";
    assert_eq!(ledger.conn.execute(sql, [packed]).unwrap(), 1);
}

#[test]
fn ids_that_do_not_unpack_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    ledger
        .conn
        .execute(
            "UPDATE payloads SET packed = $1 WHERE number = 2",
            [vec![0_u8]],
        )
        .unwrap();
    let error = ledger.find_batch(&nth(&record.id, 2)).unwrap_err();
    assert!(matches!(error, LedgerError::Unreadable { .. }), "{error:?}");
}

#[test]
fn ids_that_are_more_or_fewer_than_the_job_has_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    let job = nth(&record.id, 1);
    for ids in [
        "user-0\n",
        "user-0\nuser-1\nuser-2\n",
        "user-0\nuser-1\nuser-2",
    ] {
        put(&ledger, &record, ids);
        let error = ledger.find_batch(&job).unwrap_err();
        assert!(matches!(error, LedgerError::Unreadable { .. }), "{error:?}");
    }
    put(&ledger, &record, "user-0\n");
    let one = "UPDATE jobs SET ids_count = 1 WHERE number = 1";
    assert_eq!(ledger.conn.execute(one, []).unwrap(), 1);
    assert_eq!(ledger.find_batch(&job).unwrap().count(), 1);
}

#[test]
fn ids_that_unpack_to_too_much_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    let line = "x".repeat(MAX_ID_BYTES);
    let lines: Vec<String> = (0..3000).map(|n| format!("{n:04}{}", &line[4..])).collect();
    put(&ledger, &record, &(lines.join("\n") + "\n"));
    let sql = "UPDATE jobs SET ids_count = 3000 WHERE number = 1";
    ledger.conn.execute(sql, []).unwrap();
    let error = ledger.find_batch(&nth(&record.id, 1)).unwrap_err();
    assert!(matches!(error, LedgerError::Unreadable { .. }), "{error:?}");
}

#[test]
fn a_request_whose_ids_cannot_all_be_read_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let damaged = || LedgerError::Unreadable {
        what: "a test".to_owned(),
    };
    let batches = batches(3, 1);
    let asked = planned(&batches);
    let asked = asked.chain([Err(damaged())]);
    let result = ledger.record_requests([(request(), asked)], Again::Allow, noon());
    assert!(matches!(result, Err(LedgerError::Unreadable { .. })));
    assert!(ledger.list_requests(Which::All).unwrap().is_empty());
    let kept = "SELECT count(*) FROM payloads";
    let kept: i64 = ledger.conn.query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 0);
}

#[test]
fn ids_that_another_deletion_has_are_found_with_their_earliest_owner() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let at = |minutes| noon() + TimeDelta::minutes(minutes);
    let first = record(&mut ledger, &batches(6, 2), at(0));
    let second = record(&mut ledger, &batches(4, 4), at(1));
    let own = record(&mut ledger, &batches(9, 3), at(2));
    let all = &batches(9, 9)[0];
    let owner_of = |ledger: &Ledger, own: &RequestId, place: usize| {
        let shared = ledger.find_shared(std::slice::from_ref(own)).unwrap();
        let elsewhere = shared.elsewhere(own);
        let owner = elsewhere.owner_of(&all.ids()[place])?;
        Some(elsewhere.owner(owner).job.request.clone())
    };
    for place in 0..6 {
        assert_eq!(owner_of(&ledger, &own, place).as_ref(), Some(&first));
    }
    for place in 6..9 {
        assert_eq!(owner_of(&ledger, &own, place), None);
    }
    // In the other direction, only a possibly sent job counts.
    assert_eq!(owner_of(&ledger, &first, 0), None);
    send(&mut ledger, &nth(&own, 1));
    assert_eq!(owner_of(&ledger, &second, 0).as_ref(), Some(&first));
    assert_eq!(owner_of(&ledger, &second, 3).as_ref(), Some(&first));
    assert_eq!(owner_of(&ledger, &first, 0).as_ref(), Some(&own));
    // Of several deletions sent together, each sees the others.
    let requests = [first.clone(), second.clone(), own.clone()];
    let shared = ledger.find_shared(&requests).unwrap();
    let sees = |own: &RequestId, place: usize| {
        let elsewhere = shared.elsewhere(own);
        let owner = elsewhere.owner_of(&all.ids()[place])?;
        Some(elsewhere.owner(owner).job.request.clone())
    };
    assert_eq!(sees(&own, 3).as_ref(), Some(&first));
    assert_eq!(sees(&second, 3).as_ref(), Some(&first));
    assert_eq!(sees(&first, 3), None);
    assert_eq!(sees(&first, 0).as_ref(), Some(&own));
    assert_eq!(sees(&own, 8), None);
}

#[test]
fn ids_of_which_one_bit_has_changed_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    let job = nth(&record.id, 1);
    let written = ledger.find_batch(&job).unwrap();
    let packed = "SELECT packed FROM payloads WHERE number = 1";
    let packed: Vec<u8> = ledger.conn.query_row(packed, [], |row| row.get(0)).unwrap();
    for place in 0..packed.len() {
        for bit in 0..8 {
            let mut damaged = packed.clone();
            damaged[place] ^= 1 << bit;
            let put = "UPDATE payloads SET packed = $1 WHERE number = 1";
            ledger.conn.execute(put, [damaged]).unwrap();
            // A changed bit of the zstd header may mean nothing; one of the ids never does.
            if let Ok(read) = ledger.find_batch(&job) {
                assert_eq!(read, written, "bit {bit} of byte {place}");
            }
        }
    }
}

#[test]
fn a_line_end_that_no_id_has_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    put(&ledger, &record, "user-1\r\nuser-2\n");
    let error = ledger.find_batch(&nth(&record.id, 1)).unwrap_err();
    assert!(matches!(error, LedgerError::Unreadable { .. }), "{error:?}");
}

#[test]
fn one_task_for_two_jobs_leaves_both_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let lane = lane_at(Rate::new(1000.0).unwrap());
    for (second, job) in (0..).zip(jobs(&ledger, &record.id)) {
        let at = noon() + TimeDelta::seconds(second);
        ledger
            .record_sending(&job.id, Purpose::Submit, &lane, at)
            .unwrap();
        let same = Outcome::Accepted(TaskId::new("job-tracking-id").unwrap());
        ledger
            .record_outcome(&job.id, &lane, &same, None, at)
            .unwrap();
    }
    assert_eq!(
        ledger
            .find_request(&record.id)
            .unwrap()
            .unwrap()
            .jobs_in(JobState::Unknown),
        2
    );
}
