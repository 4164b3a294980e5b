use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{ProjectKey, Rate};

use super::{Ledger, LedgerError, prepare};

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

/// The longest a server can make us wait: what `Retry-After` may ask for.
const MAX_BLOCK: TimeDelta = TimeDelta::hours(24);

impl Ledger {
    /// Takes the project's next slot, if it is free: at most one call an interval over all
    /// processes that share the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_slot(
        &mut self,
        project: &ProjectKey,
        rate: Rate,
        now: DateTime<Utc>,
    ) -> Result<Slot, LedgerError> {
        let tx = self.write()?;
        let slot = take(&tx, project, rate, now)?;
        tx.commit()?;
        Ok(slot)
    }

    /// Notes that the call that took the last slot has been answered.
    ///
    /// The server saw the call at some moment before its answer; counting the interval from the
    /// answer keeps calls apart at the server's end, whatever the network's delay.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_answered(
        &mut self,
        project: &ProjectKey,
        rate: Rate,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        push_back(&tx, project, rate, now)?;
        tx.commit()?;
        Ok(())
    }

    /// Lets questions about the project go on: this process has no more jobs to send. Another that
    /// has some keeps them back again with its next one.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_all_sent(&mut self, project: &ProjectKey) -> Result<(), LedgerError> {
        let tx = self.write()?;
        prepare(
            &tx,
            "UPDATE pace SET sending_until = 0 WHERE project_key = $1",
        )?
        .execute([project.as_str()])?;
        tx.commit()?;
        Ok(())
    }

    /// Notes that the server wants no call of the project for a while; every process obeys. The
    /// longest wait that was asked for holds.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_block(
        &mut self,
        project: &ProjectKey,
        until: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        block(&tx, project, until)?;
        tx.commit()?;
        Ok(())
    }
}

/// Keeps questions about the project back, since there are jobs to send.
pub(super) fn reserve(
    tx: &Transaction<'_>,
    project: &ProjectKey,
    rate: Rate,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let until = now.timestamp_micros().saturating_add(held(rate));
    prepare(
        tx,
        "UPDATE pace SET sending_until = $1 WHERE project_key = $2",
    )?
    .execute(params![until, project.as_str()])?;
    Ok(())
}

/// Whether a question must let jobs go first, and after how long to try again.
pub(super) fn yields(
    tx: &Transaction<'_>,
    project: &ProjectKey,
    rate: Rate,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, LedgerError> {
    let now = now.timestamp_micros();
    let row: Option<(i64, i64)> = prepare(
        tx,
        "SELECT sending_until, asked_at FROM pace WHERE project_key = $1",
    )?
    .query_row([project.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()?;
    let (until, asked_at) = row.unwrap_or_default();
    let left = until.saturating_sub(now);
    let least = LEAST_BETWEEN.num_microseconds().unwrap_or(i64::MAX);
    let between = microseconds(rate)
        .saturating_mul(SLOTS_A_QUESTION)
        .max(least);
    // What lies further off than we write was written before the clock was set back.
    let is_held = left > 0 && left <= held(rate);
    let was_asked = now.saturating_sub(asked_at).saturating_abs() < between;
    Ok((is_held && was_asked).then(|| {
        let left = Duration::from_micros(left.unsigned_abs());
        left.min(LOOK_AGAIN)
    }))
}

/// Notes that a question took the slot.
pub(super) fn note_asked(
    tx: &Transaction<'_>,
    project: &ProjectKey,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    prepare(tx, "UPDATE pace SET asked_at = $1 WHERE project_key = $2")?
        .execute(params![now.timestamp_micros(), project.as_str()])?;
    Ok(())
}

fn held(rate: Rate) -> i64 {
    let hold = HOLD.num_microseconds().unwrap_or(i64::MAX);
    microseconds(rate).saturating_add(hold)
}

/// Takes the slot inside a transaction of the caller's, who commits it whatever the answer.
pub(super) fn take(
    tx: &Transaction<'_>,
    project: &ProjectKey,
    rate: Rate,
    now: DateTime<Utc>,
) -> Result<Slot, LedgerError> {
    let interval = microseconds(rate);
    let now = now.timestamp_micros();
    let row = prepare(
        tx,
        "SELECT next_at, blocked_until FROM pace WHERE project_key = $1",
    )?
    .query_row([project.as_str()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })
    .optional()?;
    let (next_at, blocked_until) = row.unwrap_or_default();
    // A moment further off than any we write means that the clock was set back. It is brought
    // near, or it would stay as far off until the clock is where it was.
    let longest = MAX_BLOCK.num_microseconds().unwrap_or(i64::MAX);
    let near_next = next_at.min(now.saturating_add(interval));
    let near_block = blocked_until.min(now.saturating_add(longest));
    let wait = near_next.max(near_block).saturating_sub(now);
    let (slot, next_at) = match u64::try_from(wait) {
        Ok(wait @ 1..) => (Slot::Wait(Duration::from_micros(wait)), near_next),
        Ok(0) | Err(_) => (Slot::Yours, now.saturating_add(interval)),
    };
    if row != Some((next_at, near_block)) {
        prepare(
            tx,
            "INSERT INTO pace (project_key, next_at, blocked_until) VALUES ($1, $2, $3)
             ON CONFLICT (project_key) DO UPDATE
             SET next_at = excluded.next_at, blocked_until = excluded.blocked_until",
        )?
        .execute(params![project.as_str(), next_at, near_block])?;
    }
    Ok(slot)
}

pub(super) fn push_back(
    tx: &Transaction<'_>,
    project: &ProjectKey,
    rate: Rate,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let next_at = now.timestamp_micros().saturating_add(microseconds(rate));
    prepare(tx, "UPDATE pace SET next_at = $1 WHERE project_key = $2")?
        .execute(params![next_at, project.as_str()])?;
    Ok(())
}

pub(super) fn block(
    tx: &Transaction<'_>,
    project: &ProjectKey,
    until: DateTime<Utc>,
) -> Result<(), LedgerError> {
    prepare(
        tx,
        "INSERT INTO pace (project_key, next_at, blocked_until) VALUES ($1, 0, $2)
         ON CONFLICT (project_key) DO UPDATE SET blocked_until =
             CASE WHEN pace.blocked_until > excluded.blocked_until
                  THEN pace.blocked_until ELSE excluded.blocked_until END",
    )?
    .execute(params![project.as_str(), until.timestamp_micros()])?;
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
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn key() -> ProjectKey {
        ProjectKey::restore("k".to_owned())
    }

    fn open(folder: &tempfile::TempDir) -> Ledger {
        Ledger::open(&folder.path().join("ledger.db"), SECOND).unwrap()
    }

    fn take(ledger: &mut Ledger, now: DateTime<Utc>) -> Slot {
        ledger.record_slot(&key(), Rate::default(), now).unwrap()
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
    fn a_block_lasts_a_day_at_most_however_the_clock_jumps() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = open(&folder);
        let until = noon() + TimeDelta::hours(1);
        ledger.record_block(&key(), until).unwrap();
        assert_eq!(take(&mut ledger, noon()), Slot::Wait(3600 * SECOND));
        let long_ago = noon() - TimeDelta::days(4000);
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(take(&mut ledger, long_ago), Slot::Wait(day));
        assert_eq!(take(&mut ledger, long_ago + day), Slot::Yours);
    }

    /// What keeps a question back at that moment.
    fn kept_back(ledger: &mut Ledger, rate: Rate, now: DateTime<Utc>) -> Option<Duration> {
        let tx = ledger.write().unwrap();
        yields(&tx, &key(), rate, now).unwrap()
    }

    fn reserve_at(ledger: &mut Ledger, rate: Rate, now: DateTime<Utc>) {
        let tx = ledger.write().unwrap();
        super::take(&tx, &key(), rate, now).unwrap();
        reserve(&tx, &key(), rate, now).unwrap();
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
