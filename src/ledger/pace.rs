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

/// Takes the slot inside a transaction of the caller's.
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
    if let Some((next_at, blocked_until)) = row {
        // A moment further off than any we write means that the clock was set back.
        let for_pace = (next_at - now).min(interval);
        let longest = MAX_BLOCK.num_microseconds().unwrap_or(i64::MAX);
        let for_block = (blocked_until - now).min(longest);
        if let Ok(wait @ 1..) = u64::try_from(for_pace.max(for_block)) {
            return Ok(Slot::Wait(Duration::from_micros(wait)));
        }
    }
    prepare(
        tx,
        "INSERT INTO pace (project_key, next_at, blocked_until) VALUES ($1, $2, 0)
         ON CONFLICT (project_key) DO UPDATE SET next_at = excluded.next_at",
    )?
    .execute(params![project.as_str(), now.saturating_add(interval)])?;
    Ok(Slot::Yours)
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
