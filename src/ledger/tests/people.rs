use super::*;
use serde_json::json;

use crate::ledger::audit::{AuditEvent, EntrySubject, tell};
use crate::ledger::engine::params;

fn ledger_key() -> LedgerKey {
    LedgerKey::restore([7; 32])
}

fn accept(ledger: &mut Ledger, job: &JobId, task: &str) {
    assert!(matches!(send(ledger, job), Claim::Send { .. }));
    let accepted = Outcome::Accepted(TaskId::new(task).unwrap());
    end(ledger, job, &accepted).unwrap();
    // The next job need not wait for a slot.
    ledger.conn.execute("DELETE FROM pace", []).unwrap();
}

fn finish(ledger: &mut Ledger, job: &JobId, task: &str, at: chrono::DateTime<chrono::Utc>) {
    accept(ledger, job, task);
    ledger.record_check(job, &TaskStatus::Success, at).unwrap();
}

fn sweep(ledger: &mut Ledger, at: chrono::DateTime<chrono::Utc>) -> Swept {
    ledger.record_digests_blank().unwrap();
    ledger.record_hashed(&ledger_key(), at).unwrap()
}

fn wanted(key: Option<&LedgerKey>, ids: &[&str]) -> WantedPeople {
    let mut wanted = WantedPeople::new(key);
    for id in ids {
        wanted.add(id).unwrap();
    }
    wanted
}

fn digest(ledger: &Ledger, request: &RequestId) -> String {
    let sql = "SELECT ids_digest FROM requests WHERE id = $1";
    let digest = ledger
        .conn
        .query_row(sql, [request.as_str()], |row| row.get(0));
    digest.unwrap()
}

fn as_export(ledger: &mut Ledger, request: &RequestId) {
    let sql = "UPDATE requests SET kind = 'export'";
    ledger.conn.execute(sql, []).unwrap();
    let tx = ledger.write().unwrap();
    let (event, subject) = (AuditEvent::RequestRecorded, EntrySubject::Request(request));
    tell(&tx, event, subject, json!({}), noon()).unwrap();
    tx.commit().unwrap();
}

#[test]
fn sorted_hashes_replace_the_ids_of_an_ended_job() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let (first, second) = (nth(&record.id, 1), nth(&record.id, 2));
    finish(&mut ledger, &first, "t-1", noon());
    assert_eq!(ledger.count_ids_to_hash(noon()).unwrap(), 1);
    let swept = sweep(&mut ledger, noon());
    assert_eq!((swept.jobs, swept.ids, swept.unreadable), (1, 2, 0));
    let hashes: Vec<u8> = ledger
        .conn
        .query_row("SELECT hashes FROM people", [], |row| row.get(0))
        .unwrap();
    let hasher = ledger_key().hasher();
    let mut expected = [hasher.hash("user-0"), hasher.hash("user-1")];
    expected.sort();
    let expected: Vec<u8> = expected.iter().flat_map(|hash| *hash.as_bytes()).collect();
    assert_eq!(hashes, expected);
    let error = ledger.find_batch(&first).unwrap_err();
    assert!(
        matches!(&error, LedgerError::IdsHashed(job) if *job == first),
        "{error:?}"
    );
    // The unsent job keeps its ids, and a second run changes nothing.
    assert_eq!(ledger.find_batch(&second).unwrap().count(), 2);
    assert_eq!(ledger.count_ids_to_hash(noon()).unwrap(), 0);
    assert_eq!(sweep(&mut ledger, noon()), Swept::default());
}

#[test]
fn only_what_has_ended_for_good_loses_its_ids() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let id = record(&mut ledger, &batches(10, 1), noon());
    let job = |number| nth(&id, number);
    let say = |state: &str, number: u32, abandoned: Option<&str>| {
        let sql = "UPDATE jobs SET state = $1, abandoned_at = $2 WHERE number = $3";
        let changed = ledger.conn.execute(sql, params![state, abandoned, number]);
        assert_eq!(changed.unwrap(), 1);
    };
    let at = Some("2026-11-22T12:00:00.000Z");
    for (place, state) in JobState::ALL.into_iter().enumerate() {
        say(state.as_str(), place as u32 + 1, None);
    }
    seal(&mut ledger, "1 = 1");
    sweep(&mut ledger, noon());
    for (place, state) in JobState::ALL.into_iter().enumerate() {
        let read = ledger.find_batch(&job(place as u32 + 1));
        assert_eq!(read.is_err(), state.is_final(), "{state:?}");
    }
    let say = |state: &str, number: u32| {
        let sql = "UPDATE jobs SET state = $1, abandoned_at = $2 WHERE number = $3";
        let values = params![state, at, number];
        ledger.conn.execute(sql, values).unwrap();
    };
    // An unknown job that was given up is final; one settled later by a receipt is not.
    say("unknown", 1);
    say("accepted", 2);
    seal(&mut ledger, "1 = 1");
    sweep(&mut ledger, noon());
    assert!(ledger.find_batch(&job(1)).is_err());
    assert!(ledger.find_batch(&job(2)).is_ok());
}

#[test]
fn a_finished_export_keeps_its_ids_while_its_link_may_live() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    as_export(&mut ledger, &record.id);
    let (first, second) = (nth(&record.id, 1), nth(&record.id, 2));
    finish(&mut ledger, &first, "t-1", noon());
    accept(&mut ledger, &second, "t-2");
    ledger
        .record_check(&second, &TaskStatus::Failure, noon())
        .unwrap();
    let later = |days| noon() + TimeDelta::days(days);
    // A failed export has nothing to split.
    assert_eq!(sweep(&mut ledger, later(29)).jobs, 1);
    assert!(ledger.find_batch(&second).is_err());
    assert!(ledger.find_batch(&first).is_ok());
    assert_eq!(ledger.count_ids_to_hash(later(29)).unwrap(), 0);
    assert_eq!(ledger.count_ids_to_hash(later(30)).unwrap(), 1);
    assert_eq!(sweep(&mut ledger, later(30)).jobs, 1);
    assert!(ledger.find_batch(&first).is_err());
}

#[test]
fn another_key_is_refused_and_never_mixed_in() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    if ledger.conn.lazy_seal().is_none() {
        assert_eq!(ledger.find_people_key().unwrap(), None);
    }
    finish(&mut ledger, &nth(&record.id, 1), "t-1", noon());
    sweep(&mut ledger, noon());
    let known = ledger.find_people_key().unwrap().unwrap();
    assert_eq!(known, ledger_key().fingerprint());
    finish(&mut ledger, &nth(&record.id, 2), "t-2", noon());
    let other = LedgerKey::restore([8; 32]);
    let error = ledger.record_hashed(&other, noon()).unwrap_err();
    assert!(matches!(error, LedgerError::OtherKey { .. }), "{error:?}");
    assert!(ledger.demand_people_key(&other).is_err());
    assert_eq!(ledger.find_people_key().unwrap(), Some(known));
    assert_eq!(ledger.find_batch(&nth(&record.id, 2)).unwrap().count(), 2);
    assert_eq!(sweep(&mut ledger, noon()).jobs, 1);
}

#[test]
fn damaged_ids_stay_and_do_not_stop_other_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    finish(&mut ledger, &nth(&record.id, 1), "t-1", noon());
    finish(&mut ledger, &nth(&record.id, 2), "t-2", noon());
    let damage = "UPDATE payloads SET packed = $1 WHERE number = 1";
    ledger.conn.execute(damage, [vec![0_u8]]).unwrap();
    let swept = sweep(&mut ledger, noon());
    assert_eq!((swept.jobs, swept.unreadable), (1, 1));
    assert_eq!(ledger.count_ids_to_hash(noon()).unwrap(), 1);
}

#[test]
fn somebody_is_found_by_the_id_first_and_by_the_hash_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let key = ledger_key();
    let asked = ["user-3", "nobody", "user-0", "User-0"];
    let find = |ledger: &Ledger, key: Option<&LedgerKey>| {
        let mut found = ledger.find_people(&wanted(key, &asked)).unwrap();
        found.sort_by_key(|sighting| sighting.person);
        found
    };
    let sighting = |person, number| Sighting {
        person,
        job: nth(&record.id, number),
    };
    let both = [sighting(0, 2), sighting(2, 1)];
    assert_eq!(find(&ledger, None), both);
    finish(&mut ledger, &nth(&record.id, 1), "t-1", noon());
    sweep(&mut ledger, noon());
    assert_eq!(find(&ledger, Some(&key)), both);
    assert_eq!(find(&ledger, None), both[..1], "without a key");
    let ended = |number| ledger.find_ended(&nth(&record.id, number)).unwrap();
    assert_eq!((ended(1), ended(2)), (Some(noon()), None));
    let mut twice = WantedPeople::new(Some(&key));
    assert!(twice.add("a").unwrap().is_some());
    assert_eq!((twice.add("b").is_ok(), twice.add("a")), (true, Err(0)));
}

#[test]
fn the_digest_of_a_request_goes_with_its_last_job() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let before = digest(&ledger, &record.id);
    finish(&mut ledger, &nth(&record.id, 1), "t-1", noon());
    sweep(&mut ledger, noon());
    assert_eq!(digest(&ledger, &record.id), before, "one job is open");
    let again = |ledger: &mut Ledger| {
        let batches = batches(4, 2);
        let asked = [(request(), planned(&batches))];
        ledger
            .record_requests(asked, Again::Refuse, noon())
            .unwrap()
    };
    let there = Recorded::There(record.id.clone());
    assert_eq!(again(&mut ledger), there);
    finish(&mut ledger, &nth(&record.id, 2), "t-2", noon());
    // This needs no key.
    ledger.record_digests_blank().unwrap();
    let blank = digest(&ledger, &record.id);
    assert_eq!(blank.len(), before.len());
    assert!(blank.bytes().all(|byte| byte == b'0'), "{blank}");
    assert!(matches!(again(&mut ledger), Recorded::New(_)));
}

#[test]
fn two_sweeps_at_once_hash_each_job_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let id = record(&mut ledger, &batches(300, 1), noon());
    let sql = "UPDATE jobs SET state = 'done'";
    ledger.conn.execute(sql, []).unwrap();
    seal(&mut ledger, "1 = 1");
    let path = folder.path().join("ledger.db");
    let patience = Duration::from_secs(60);
    let both = std::thread::scope(|scope| {
        let sweeper = || {
            let mut ledger = Ledger::open(&path, patience).unwrap();
            sweep(&mut ledger, noon())
        };
        let (one, other) = (scope.spawn(sweeper), scope.spawn(sweeper));
        [one.join().unwrap(), other.join().unwrap()]
    });
    assert_eq!(both.iter().map(|swept| swept.jobs).sum::<usize>(), 300);
    let wanted = wanted(Some(&ledger_key()), &["user-299"]);
    let found = ledger.find_people(&wanted).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].job, nth(&id, 300));
}

#[test]
fn a_sweep_that_was_killed_is_cleaned_up_after_later() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    if ledger.conn.skips_files("a server's copies are sealed") {
        return;
    }
    kill_the_sweep(&mut ledger, &record);
    ledger.record_clean().unwrap();
    assert_eq!(unclean(&ledger), 0);
    assert_eq!(ledger.find_batch(&nth(&record.id, 2)).unwrap().count(), 2);
}

/// Hashes the ids of the first job, and fails while it writes the others anew.
fn kill_the_sweep(ledger: &mut Ledger, record: &RequestRecord) {
    finish(ledger, &nth(&record.id, 1), "t-1", noon());
    // As if dsr were killed here: what `stop` refers to cannot be deleted.
    let stop = "CREATE TABLE stop (request TEXT, number BIGINT,
                    FOREIGN KEY (request, number) REFERENCES payloads (request, number));
                INSERT INTO stop SELECT request, number FROM payloads WHERE number = 2";
    ledger.conn.execute_batch(stop).unwrap();
    assert!(ledger.record_hashed(&ledger_key(), noon()).is_err());
    assert_eq!(ledger.count_ids_to_hash(noon()).unwrap(), 0);
    assert_eq!(unclean(ledger), 1);
    ledger.conn.execute_batch("DROP TABLE stop").unwrap();
}

fn unclean(ledger: &Ledger) -> i64 {
    let sql = "SELECT unclean FROM people_key";
    ledger.conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_sweep_that_a_reader_disturbed_is_cleaned_up_after_later() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    if ledger.conn.skips_files("a server has no log to empty") {
        return;
    }
    let log = || {
        let log = folder.path().join("ledger.db-wal");
        std::fs::metadata(log).map_or(0, |found| found.len())
    };
    kill_the_sweep(&mut ledger, &record);
    // A reader keeps the log from being emptied.
    let reader = open(&folder);
    let view = reader.conn.view().unwrap();
    let one = "SELECT COUNT(*) FROM jobs";
    let _: i64 = view.query_row(one, [], |row| row.get(0)).unwrap();
    ledger.record_clean().unwrap();
    assert_eq!(unclean(&ledger), 1);
    assert!(log() > 0);
    drop(view);
    ledger.record_clean().unwrap();
    assert_eq!(unclean(&ledger), 0);
    assert_eq!(ledger.find_batch(&nth(&record.id, 2)).unwrap().count(), 2);
    let pages = log();
    ledger.record_clean().unwrap();
    assert_eq!(
        log(),
        pages,
        "nothing is written where nothing is to be done"
    );
}

#[test]
fn the_order_of_hashes_does_not_reveal_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let id = record(&mut ledger, &batches(40, 40), noon());
    finish(&mut ledger, &nth(&id, 1), "t-1", noon());
    assert_eq!(sweep(&mut ledger, noon()).ids, 40);
    let sql = "SELECT hashes FROM people";
    let hashes: Vec<u8> = ledger.conn.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(hashes.chunks(16).is_sorted());
    assert_eq!(hashes.len(), 40 * 16);
}

/// With jobs of any size that end in any order, next to others that stay.
#[test]
fn no_copy_of_an_id_is_left_on_any_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    if ledger.conn.skips_files("a server's pages are its own") {
        return;
    }
    let mut seed: u64 = 7;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    // Too short to be compressed, so they are readable on the pages.
    let mut ids = |_: usize| {
        let parts = random() % 12 + 1;
        let noise: String = (0..parts).map(|_| format!("{:016x}", random())).collect();
        DistinctId::new(&format!("{noise}@person")).unwrap()
    };
    let batches: Vec<Batch> = (0..2000)
        .map(|place| Batch::restore(vec![ids(place)]).unwrap())
        .collect();
    let request = record(&mut ledger, &batches, noon());
    let count = |needle: &[u8]| {
        let files = std::fs::read_dir(folder.path()).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.is_file());
        let bytes: Vec<u8> = files
            .flat_map(|path| std::fs::read(path).unwrap())
            .collect();
        bytes
            .windows(needle.len())
            .filter(|part| *part == needle)
            .count()
    };
    assert!(count(b"@person") > 500, "the search itself finds them");
    // Jobs shrink, and end in another order than they were created.
    for step in 0..10_u32 {
        for number in (1..=2000).filter(|number| number % 3 != 0) {
            if number * 7 % 10 == step {
                let sql = "UPDATE jobs SET state = 'done' WHERE request = $1 AND number = $2";
                let values = params![request.as_str(), number];
                ledger.conn.execute(sql, values).unwrap();
            }
        }
        let is_new = "state = 'done' AND EXISTS (SELECT 1 FROM payloads
             WHERE request = jobs.request AND number = jobs.number)";
        seal(&mut ledger, is_new);
        sweep(&mut ledger, noon());
    }
    let kept = "SELECT packed FROM payloads ORDER BY request, number";
    let kept: Vec<Vec<u8>> = {
        let mut statement = ledger.conn.prepare(kept).unwrap();
        statement.list([], |row| row.get(0)).unwrap()
    };
    assert_eq!(kept.len(), 666);
    let visible = |packed: &&Vec<u8>| packed.windows(7).any(|part| part == b"@person");
    assert_eq!(count(b"@person"), kept.iter().filter(visible).count());
}
