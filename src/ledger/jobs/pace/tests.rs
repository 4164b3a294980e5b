use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use super::*;
use crate::ledger::{Opening, SteadyClock};

const SECOND: Duration = Duration::from_secs(1);

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn key() -> ProjectKey {
    ProjectKey::restore("k".to_owned())
}

fn lane(rate: Rate) -> Lane {
    Lane {
        project: key(),
        rate,
    }
}

fn open(folder: &tempfile::TempDir) -> Ledger {
    Ledger::open(&folder.path().join("ledger.db"), SECOND).unwrap()
}

fn take(ledger: &mut Ledger, now: DateTime<Utc>) -> Slot {
    ledger.record_slot(&lane(Rate::default()), now).unwrap()
}

#[test]
fn time_asleep_allows_no_extra_calls() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    assert_eq!(take(&mut ledger, noon()), Slot::Yours);
    for asleep in [TimeDelta::hours(1), TimeDelta::days(400)] {
        let woken = noon() + asleep;
        assert_eq!(take(&mut ledger, woken), Slot::Yours);
        assert_eq!(take(&mut ledger, woken), Slot::Wait(SECOND), "one call");
        let later = woken + TimeDelta::milliseconds(999);
        let left = Duration::from_millis(1);
        assert_eq!(take(&mut ledger, later), Slot::Wait(left));
    }
}

#[test]
fn a_clock_jump_costs_at_most_one_interval() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let hours = [0, 5, -3, 24 * 365, 0, -24 * 365, 1];
    for now in hours.map(|hours| noon() + TimeDelta::hours(hours)) {
        if let Slot::Wait(wait) = take(&mut ledger, now) {
            assert!(wait <= SECOND, "{wait:?}");
            let waited = now + TimeDelta::from_std(wait).unwrap();
            assert_eq!(take(&mut ledger, waited), Slot::Yours);
        }
    }
}

#[test]
fn a_block_lasts_no_longer_than_the_server_asked_however_the_clock_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let until = noon() + TimeDelta::hours(1);
    ledger.record_block(&key(), until, noon()).unwrap();
    let hour = Duration::from_secs(60 * 60);
    assert_eq!(take(&mut ledger, noon()), Slot::Wait(hour));
    let long_ago = noon() - TimeDelta::days(4000);
    assert_eq!(take(&mut ledger, long_ago), Slot::Wait(hour));
}

#[test]
fn passed_time_is_measured_by_the_steady_clock() {
    let folder = tempfile::tempdir().unwrap();
    let steady = Arc::new(AtomicI64::new(7_000_000));
    let opening = Opening {
        steady: SteadyClock::set_by(&steady),
        ..Opening::default()
    };
    let path = folder.path().join("ledger.db");
    let mut ledger = Ledger::open_by(&opening, &path, SECOND).unwrap();
    let pass = |seconds: i64| steady.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    assert_eq!(take(&mut ledger, noon()), Slot::Yours);
    let until = noon() + TimeDelta::seconds(100);
    ledger.record_block(&key(), until, noon()).unwrap();
    for hours in [0, 5, -3, 24 * 365, -24 * 365] {
        let now = noon() + TimeDelta::hours(hours);
        pass(10);
        // Setting the clock causes neither a burst nor a wait of hours.
        let Slot::Wait(wait) = take(&mut ledger, now) else {
            panic!("{hours} h: the block was let go");
        };
        assert!(wait <= 90 * SECOND, "{hours} h: {wait:?}");
    }
    pass(49);
    assert_eq!(take(&mut ledger, noon()), Slot::Wait(SECOND));
    pass(1);
    assert_eq!(take(&mut ledger, noon()), Slot::Yours);
    assert_eq!(
        take(&mut ledger, noon() + TimeDelta::hours(1)),
        Slot::Wait(SECOND),
        "a clock set ahead is no credit"
    );
    // After a reboot the wall clock counts.
    drop(ledger);
    let mut other = open(&folder);
    let later = noon() + TimeDelta::hours(2);
    assert_eq!(take(&mut other, later), Slot::Yours);
}

fn kept_back(ledger: &mut Ledger, rate: Rate, now: DateTime<Utc>) -> Option<Duration> {
    let tx = ledger.write().unwrap();
    yields(&tx, &lane(rate), now).unwrap()
}

fn reserve_at(ledger: &mut Ledger, rate: Rate, now: DateTime<Utc>) {
    let tx = ledger.write().unwrap();
    super::take(&tx, &lane(rate), now).unwrap();
    reserve(&tx, &lane(rate), now).unwrap();
    tx.commit().unwrap();
}

fn ask_at(ledger: &mut Ledger, now: DateTime<Utc>) {
    let tx = ledger.write().unwrap();
    note_asked(&tx, &key(), now).unwrap();
    tx.commit().unwrap();
}

#[test]
fn questions_wait_for_jobs_except_one_in_twenty() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let rate = Rate::default();
    let at = |seconds| noon() + TimeDelta::seconds(seconds);
    assert_eq!(kept_back(&mut ledger, rate, noon()), None, "nobody sends");
    reserve_at(&mut ledger, rate, noon());
    assert_eq!(kept_back(&mut ledger, rate, noon()), None, "the first one");
    ask_at(&mut ledger, noon());
    for second in 0..19 {
        reserve_at(&mut ledger, rate, at(second));
        assert_eq!(kept_back(&mut ledger, rate, at(second)), Some(SECOND));
    }
    assert_eq!(kept_back(&mut ledger, rate, at(20)), None, "its turn");
    ask_at(&mut ledger, at(20));
    reserve_at(&mut ledger, rate, at(20));
    assert_eq!(kept_back(&mut ledger, rate, at(21)), Some(SECOND));
    ledger.record_all_sent(&key()).unwrap();
    assert_eq!(kept_back(&mut ledger, rate, at(21)), None, "all is sent");
}

#[test]
fn the_mark_of_a_killed_sender_expires_even_if_the_clock_was_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let rate = Rate::default();
    ask_at(&mut ledger, noon());
    reserve_at(&mut ledger, rate, noon());
    ask_at(&mut ledger, noon());
    let later = noon() + TimeDelta::seconds(10);
    assert_eq!(kept_back(&mut ledger, rate, later), Some(SECOND));
    assert_eq!(
        kept_back(&mut ledger, rate, later + TimeDelta::seconds(1)),
        None
    );
    let long_ago = noon() - TimeDelta::days(400);
    assert_eq!(kept_back(&mut ledger, rate, long_ago), None);
}
