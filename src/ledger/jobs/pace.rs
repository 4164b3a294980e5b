use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{JobId, Lane, ProjectKey, Rate};

use super::call_of;
use super::row::read_one;
use crate::ledger::engine::{OptionalExtension, Question, params};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, Write};

/// Whether a project's call may go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Yes, and no other call for one interval.
    Yours,
    /// No: ask again after this time.
    Wait(Duration),
}

/// How long a query counts, in microseconds from when it is recorded: an hour, and the longest call,
/// since Mixpanel counts from when it sees the query. From its answer on it counts for an hour.
pub(crate) const COUNTS_FOR: i64 = AN_HOUR + 140_000_000;
pub(crate) const AN_HOUR: i64 = 3_600_000_000;
/// How long beyond its next slot a sending process delays the questions of others. It renews this
/// with each job and releases it at its end. The limit matters only if it is killed.
const HOLD: TimeDelta = TimeDelta::seconds(10);
/// One question in so many slots goes before the jobs to send. A long submission takes hours, and
/// other people should see some progress meanwhile.
const SLOTS_A_QUESTION: i64 = 20;
/// The least time between two such questions; at a high rate the answers take the time.
const LEAST_BETWEEN: TimeDelta = TimeDelta::seconds(10);
/// How long the next call of a shared ledger waits for the last one's answer, in microseconds: on
/// the way to Mixpanel two hosts' calls could come together. Also if the sender is dead: its call
/// may still be under way.
const IN_FLIGHT: i64 = 5_000_000;
/// When to look for that answer again, at the earliest.
const LOOK_FOR_ANSWER: Duration = Duration::from_millis(50);
/// The name of every call that asks.
const QUESTION: &str = "question";
/// How early a slot is taken at most, in microseconds.
const MOST_EARLY: i64 = 250_000;
/// When to try a delayed question again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Ledger {
    /// Takes the project's next slot if it is free: at most one call an interval over all processes
    /// that share the ledger.
    pub fn record_slot(&mut self, lane: &Lane, now: DateTime<Utc>) -> Result<Slot, LedgerError> {
        let tx = self.write()?;
        let slot = take(&tx, lane, now)?;
        tx.commit()?;
        Ok(slot)
    }

    /// Restarts the interval when the last call is answered: the POST of `job`, or a question.
    ///
    /// The server saw the call at some moment before its answer. Counting from the answer keeps
    /// calls apart at the server, whatever the network's delay.
    pub fn record_answered(
        &mut self,
        lane: &Lane,
        job: Option<&JobId>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let call = match job {
            Some(job) => call_of(job, read_one(&tx, job)?.attempts),
            None => QUESTION.to_owned(),
        };
        let left = after_answer(&tx, lane, &call, now)?;
        write(&tx, &lane.project, left, now)?;
        tx.commit()
    }

    /// Releases the questions about the project: this process has no more jobs to send. Another
    /// sending process delays them again with its next job.
    pub fn record_all_sent(&mut self, project: &ProjectKey) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let sql = "UPDATE pace SET sending_until = 0 WHERE project_key = $1";
        sql::execute(&tx, sql, [project.as_str()])?;
        tx.commit()
    }

    /// Records that the server wants no call of the project until `until`, from any process. The
    /// longest wait counts.
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

const PACE: &str =
    "SELECT slot, block, at, era, steady, last_call, queries, sending_until, asked_at
     FROM pace WHERE project_key = $1";

/// What taking a slot asks, and whether to yield.
pub(crate) fn question(project: &ProjectKey) -> Result<Question, LedgerError> {
    Ok(Question::new(PACE, [project.as_str()])?)
}

/// Delays questions about the project while there are jobs to send.
pub(crate) fn reserve(tx: &Write<'_>, lane: &Lane, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let until = now.timestamp_micros().saturating_add(held(lane.rate));
    let sql = "UPDATE pace SET sending_until = $1 WHERE project_key = $2";
    sql::execute(tx, sql, params![until, lane.project.as_str()])
}

/// Whether a question must wait for jobs, and when to try again.
pub(crate) fn yields(
    tx: &Write<'_>,
    lane: &Lane,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, LedgerError> {
    let now = now.timestamp_micros();
    let row: Option<(i64, i64)> = prepare(tx, PACE)?
        .query_row([lane.project.as_str()], |row| {
            Ok((row.get("sending_until")?, row.get("asked_at")?))
        })
        .optional()?;
    let (until, asked_at) = row.unwrap_or_default();
    let left = until.saturating_sub(now);
    let least = LEAST_BETWEEN.num_microseconds().unwrap_or(i64::MAX);
    let between = microseconds(lane.rate)
        .saturating_mul(SLOTS_A_QUESTION)
        .max(least);
    // A longer time was written before the clock was set back.
    let is_held = left > 0 && left <= held(lane.rate);
    let was_asked = now.saturating_sub(asked_at).saturating_abs() < between;
    Ok((is_held && was_asked).then(|| {
        let left = Duration::from_micros(left.unsigned_abs());
        left.min(LOOK_AGAIN)
    }))
}

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

/// How long a project's calls must wait, in microseconds. The ledger stores the time left at one
/// moment, so that a changed clock cannot make a wait longer. The steady clock counts from there,
/// or after a reboot the wall clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Until the rate allows the next call.
    slot: i64,
    /// Until the server allows any call.
    block: i64,
    /// The name of the last call until it is answered, then empty.
    last_call: String,
    /// Until each query of the last hour does not count any more; sorted.
    pub(crate) queries: Vec<i64>,
}

impl Left {
    /// Until the server allows any call.
    pub(crate) fn block(&self) -> i64 {
        self.block
    }
}

/// Takes the slot in the caller's transaction. The caller commits whatever the answer.
pub(crate) fn take(tx: &Write<'_>, lane: &Lane, now: DateTime<Utc>) -> Result<Slot, LedgerError> {
    let taken = take_early(tx, lane, (QUESTION, Duration::ZERO), now)?;
    Ok(taken.map_or_else(Slot::Wait, |_| Slot::Yours))
}

/// Like `take` for the call of this name, and also takes a slot that begins within `early`. But not
/// before the last call was answered, since the interval counts from its answer. Returns how long
/// the call must still wait for its slot, or else when to ask again.
pub(crate) fn take_early(
    tx: &Write<'_>,
    lane: &Lane,
    (call, early): (&str, Duration),
    now: DateTime<Utc>,
) -> Result<Result<Duration, Duration>, LedgerError> {
    let (left, goes_on) = read(tx, &lane.project, now)?;
    let is_answered = left.last_call.is_empty();
    let early = match is_answered {
        true => early,
        false => Duration::ZERO,
    };
    let held = match tx.is_shared() {
        true => IN_FLIGHT,
        false => 0,
    };
    let interval = microseconds(lane.rate);
    // The rate may be higher now.
    let slot = match held {
        0 => left.slot.min(interval),
        held => left.slot.min(interval.saturating_add(held + MOST_EARLY)),
    };
    let wait = slot.max(left.block).max(0);
    let wait_time = Duration::from_micros(wait.unsigned_abs());
    if wait_time > early {
        if !goes_on {
            write(tx, &lane.project, Left { slot, ..left }, now)?;
        }
        let wait = wait_time - early;
        return Ok(Err(match held > 0 && !is_answered {
            // The answer may come at any moment.
            true => {
                let interval = lane.rate.interval();
                wait.min(LOOK_FOR_ANSWER.min(interval).max(interval / 4))
            }
            false => wait,
        }));
    }
    let taken = Left {
        slot: interval.saturating_add(wait).saturating_add(held),
        last_call: call.to_owned(),
        ..left
    };
    write(tx, &lane.project, taken, now)?;
    Ok(Ok(wait_time))
}

/// What is left once this call is answered. The caller writes it.
pub(crate) fn after_answer(
    tx: &Write<'_>,
    lane: &Lane,
    call: &str,
    now: DateTime<Utc>,
) -> Result<Left, LedgerError> {
    let (mut left, _) = read(tx, &lane.project, now)?;
    let is_last = left.last_call == call;
    left.slot = match tx.is_shared() && !is_last {
        // Another call has the slot already.
        true => microseconds(lane.rate).max(left.slot),
        false => microseconds(lane.rate),
    };
    if is_last {
        left.last_call.clear();
    }
    Ok(left)
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

/// The time left now, and whether the stored clock still counts. If not, the caller stores it
/// again.
pub(crate) fn read(
    tx: &Write<'_>,
    project: &ProjectKey,
    now: DateTime<Utc>,
) -> Result<(Left, bool), LedgerError> {
    let row = prepare(tx, PACE)?.query_row([project.as_str()], |row| {
        let left = Left {
            slot: row.get(0)?,
            block: row.get(1)?,
            last_call: row.get(5)?,
            queries: read_queries(&row.get::<String>(6)?),
        };
        let (at, era, steady): (i64, String, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok((left, at, era, steady))
    });
    let Some((left, at, era, steady)) = row.optional()? else {
        return Ok((Left::default(), true));
    };
    let moment = tx.steady();
    let same_era = moment.filter(|moment| moment.era == era);
    let passed = match same_era {
        Some(moment) => moment.micros.saturating_sub(steady),
        None => now.timestamp_micros().saturating_sub(at),
    };
    // A wall clock that was set back shows no passed time.
    let passed = passed.max(0);
    let left = Left {
        slot: left.slot.saturating_sub(passed).max(0),
        block: left.block.saturating_sub(passed).max(0),
        queries: {
            let queries = left.queries.iter().map(|left| left.saturating_sub(passed));
            queries.filter(|left| *left > 0).collect()
        },
        ..left
    };
    let is_told_by_the_day = moment.is_none() && now.timestamp_micros() >= at;
    // Even a server's clock is set back at times.
    let goes_on = same_era.is_some_and(|moment| moment.micros >= steady);
    Ok((left, goes_on || is_told_by_the_day))
}

pub(crate) fn write(
    tx: &Write<'_>,
    project: &ProjectKey,
    left: Left,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let moment = tx.steady();
    let sql = "INSERT INTO pace (project_key, slot, block, at, era, steady, last_call, queries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (project_key) DO UPDATE SET slot = excluded.slot, block = excluded.block,
             at = excluded.at, era = excluded.era, steady = excluded.steady,
             last_call = excluded.last_call, queries = excluded.queries";
    sql::execute(
        tx,
        sql,
        params![
            project.as_str(),
            left.slot,
            left.block,
            now.timestamp_micros(),
            moment.map_or("", |moment| moment.era),
            moment.map_or(0, |moment| moment.micros),
            left.last_call,
            left.queries
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        ],
    )
}

/// What cannot be read counts as a query that was just sent.
fn read_queries(text: &str) -> Vec<i64> {
    let queries = text.split_whitespace();
    let queries = queries.map(|left| left.parse().unwrap_or(COUNTS_FOR).min(COUNTS_FOR));
    queries.collect()
}

/// Rounds up: a slot that is a fraction early brings a 429.
fn microseconds(rate: Rate) -> i64 {
    let exact = (1_000_000.0 / rate.per_second()).ceil();
    exact as i64
}

#[cfg(test)]
mod tests;
