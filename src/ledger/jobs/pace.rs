use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, params};

use crate::domain::{Lane, ProjectKey, Rate};

use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, Write};

/// Whether a call of a project may leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It may, and nobody else's may for one interval.
    Yours,
    /// Not for so long; ask again then.
    Wait(Duration),
}

/// For how long beyond its next slot a process that sends keeps others' questions back. It renews
/// that with each job, and takes it back at its end; this bounds what a killed one leaves.
const HOLD: TimeDelta = TimeDelta::seconds(10);
/// One question in so many slots goes before the jobs to send: a long submission takes hours, and
/// whoever looks meanwhile should see something.
const SLOTS_A_QUESTION: i64 = 20;
/// The least time between two such questions: at a high rate it is the answers that take time.
const LEAST_BETWEEN: TimeDelta = TimeDelta::seconds(10);
/// After how long a question that is kept back is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Ledger {
    /// Takes the project's next slot, if it is free: at most one call an interval over all
    /// processes that share the ledger.
    pub fn record_slot(&mut self, lane: &Lane, now: DateTime<Utc>) -> Result<Slot, LedgerError> {
        let tx = self.write()?;
        let slot = take(&tx, lane, now)?;
        tx.commit()?;
        Ok(slot)
    }

    /// Notes that the call that took the last slot has been answered.
    ///
    /// The server saw the call at some moment before its answer; counting the interval from the
    /// answer keeps calls apart at the server's end, whatever the network's delay.
    pub fn record_answered(&mut self, lane: &Lane, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let tx = self.write()?;
        push_back(&tx, lane, now)?;
        tx.commit()
    }

    /// Lets questions about the project go on: this process has no more jobs to send. Another that
    /// has some keeps them back again with its next one.
    pub fn record_all_sent(&mut self, project: &ProjectKey) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let sql = "UPDATE pace SET sending_until = 0 WHERE project_key = $1";
        sql::execute(&tx, sql, [project.as_str()])?;
        tx.commit()
    }

    /// Notes that the server wants no call of the project for a while; every process obeys. The
    /// longest wait that was asked for holds.
    pub fn record_block(
        &mut self,
        project: &ProjectKey,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        block(&tx, project, until, now)?;
        tx.commit()
    }
}

/// Keeps questions about the project back, since there are jobs to send.
pub(crate) fn reserve(tx: &Write<'_>, lane: &Lane, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let until = now.timestamp_micros().saturating_add(held(lane.rate));
    let sql = "UPDATE pace SET sending_until = $1 WHERE project_key = $2";
    sql::execute(tx, sql, params![until, lane.project.as_str()])
}

/// Whether a question must let jobs go first, and after how long to try again.
pub(crate) fn yields(
    tx: &Write<'_>,
    lane: &Lane,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, LedgerError> {
    let now = now.timestamp_micros();
    let sql = "SELECT sending_until, asked_at FROM pace WHERE project_key = $1";
    let row: Option<(i64, i64)> = prepare(tx, sql)?
        .query_row([lane.project.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (until, asked_at) = row.unwrap_or_default();
    let left = until.saturating_sub(now);
    let least = LEAST_BETWEEN.num_microseconds().unwrap_or(i64::MAX);
    let between = microseconds(lane.rate)
        .saturating_mul(SLOTS_A_QUESTION)
        .max(least);
    // What lies further off than we write was written before the clock was set back.
    let is_held = left > 0 && left <= held(lane.rate);
    let was_asked = now.saturating_sub(asked_at).saturating_abs() < between;
    Ok((is_held && was_asked).then(|| {
        let left = Duration::from_micros(left.unsigned_abs());
        left.min(LOOK_AGAIN)
    }))
}

/// Notes that a question took the slot.
pub(crate) fn note_asked(
    tx: &Write<'_>,
    project: &ProjectKey,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let sql = "UPDATE pace SET asked_at = $1 WHERE project_key = $2";
    sql::execute(tx, sql, params![now.timestamp_micros(), project.as_str()])
}

fn held(rate: Rate) -> i64 {
    let hold = HOLD.num_microseconds().unwrap_or(i64::MAX);
    microseconds(rate).saturating_add(hold)
}

/// What a project's calls wait for, in microseconds from now on.
///
/// Kept as what was left at one moment, so that no wait is longer than it was meant to be, whatever
/// becomes of a clock. What has passed since is told by a clock that nobody can set; only where that
/// began anew meanwhile, by the clock of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Left {
    /// Until the next call may leave, by the project's rate.
    slot: i64,
    /// Until the server wants any at all.
    block: i64,
}

/// Takes the slot inside a transaction of the caller's, who commits it whatever the answer.
pub(crate) fn take(tx: &Write<'_>, lane: &Lane, now: DateTime<Utc>) -> Result<Slot, LedgerError> {
    let (left, goes_on) = read(tx, &lane.project, now)?;
    let interval = microseconds(lane.rate);
    // The rate may have been raised since.
    let slot = left.slot.min(interval);
    if let Ok(wait @ 1..) = u64::try_from(slot.max(left.block)) {
        if !goes_on {
            write(tx, &lane.project, Left { slot, ..left }, now)?;
        }
        return Ok(Slot::Wait(Duration::from_micros(wait)));
    }
    let slot = interval;
    write(tx, &lane.project, Left { slot, ..left }, now)?;
    Ok(Slot::Yours)
}

pub(crate) fn push_back(
    tx: &Write<'_>,
    lane: &Lane,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let (left, _) = read(tx, &lane.project, now)?;
    let slot = microseconds(lane.rate);
    write(tx, &lane.project, Left { slot, ..left }, now)
}

pub(crate) fn block(
    tx: &Write<'_>,
    project: &ProjectKey,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let (left, _) = read(tx, project, now)?;
    let asked = (until - now).num_microseconds().unwrap_or(i64::MAX);
    let block = left.block.max(asked);
    write(tx, project, Left { block, ..left }, now)
}

/// What is left now, and whether the clock that told it goes on telling; else it begins anew.
fn read(
    tx: &Write<'_>,
    project: &ProjectKey,
    now: DateTime<Utc>,
) -> Result<(Left, bool), LedgerError> {
    let sql = "SELECT slot, block, at, era, steady FROM pace WHERE project_key = $1";
    let row = prepare(tx, sql)?.query_row([project.as_str()], |row| {
        let left = Left {
            slot: row.get(0)?,
            block: row.get(1)?,
        };
        let (at, era, steady): (i64, String, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok((left, at, era, steady))
    });
    let Some((left, at, era, steady)) = row.optional()? else {
        return Ok((Left::default(), true));
    };
    let moment = tx.opening.steady.now();
    let same_era = moment.filter(|moment| moment.era == era);
    let passed = match same_era {
        Some(moment) => moment.micros.saturating_sub(steady),
        None => now.timestamp_micros().saturating_sub(at),
    };
    // A clock of the day that was set back tells nothing.
    let passed = passed.max(0);
    let left = Left {
        slot: left.slot.saturating_sub(passed).max(0),
        block: left.block.saturating_sub(passed).max(0),
    };
    let is_told_by_the_day = moment.is_none() && now.timestamp_micros() >= at;
    Ok((left, same_era.is_some() || is_told_by_the_day))
}

fn write(
    tx: &Write<'_>,
    project: &ProjectKey,
    left: Left,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let moment = tx.opening.steady.now();
    let sql = "INSERT INTO pace (project_key, slot, block, at, era, steady)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (project_key) DO UPDATE SET slot = excluded.slot, block = excluded.block,
             at = excluded.at, era = excluded.era, steady = excluded.steady";
    prepare(tx, sql)?.execute(params![
        project.as_str(),
        left.slot,
        left.block,
        now.timestamp_micros(),
        moment.map_or("", |moment| moment.era),
        moment.map_or(0, |moment| moment.micros),
    ])?;
    Ok(())
}

/// Rounded up: a slot that comes a fraction early is a 429.
fn microseconds(rate: Rate) -> i64 {
    let exact = (1_000_000.0 / rate.per_second()).ceil();
    // Saturates, as `as` does from float to integer.
    exact as i64
}

#[cfg(test)]
mod tests {
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
    fn time_that_passed_asleep_is_no_credit() {
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
    fn a_clock_that_jumps_costs_an_interval_at_most() {
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
    fn what_has_passed_is_told_by_the_clock_that_nobody_can_set() {
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
            // Neither a burst ahead nor a wait for the hours that the clock was set back by.
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
        // After the machine was started anew, by the clock of the day.
        drop(ledger);
        let mut other = open(&folder);
        let later = noon() + TimeDelta::hours(2);
        assert_eq!(take(&mut other, later), Slot::Yours);
    }

    /// What keeps a question back at that moment.
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
    fn questions_wait_while_there_are_jobs_to_send_but_for_one_in_twenty() {
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
    fn what_a_killed_sender_leaves_passes_and_so_does_a_clock_that_was_ahead() {
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
}
