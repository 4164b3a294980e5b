//! Who is sending: the processes of this host by their lock files, those of other hosts by what the
//! server knows of their sessions.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::sender::{self, LockState, ProcessRecord, Sender};
use crate::domain::JobId;
use crate::ledger::columns::{job_id, moment};
use crate::ledger::engine::Connection;
use crate::ledger::{Ledger, LedgerError, sql};

/// Marks this process as a sender, here and with the server.
pub(crate) fn start(
    conn: &Connection,
    path: &Path,
    command: &str,
    now: DateTime<Utc>,
) -> Result<Sender, LedgerError> {
    loop {
        let sender = Sender::start(path, command, now).map_err(LedgerError::Sender)?;
        match conn.server() {
            Some(server) if !server.take_presence(key_of(sender.id()))? => {}
            Some(_) | None => return Ok(sender),
        }
    }
}

/// What is known of the sender of an attempt that has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SenderState {
    Sending,
    /// Nobody sees it any more, but its POST may be under way until this time.
    Vanished(DateTime<Utc>),
    Ended,
}

impl Ledger {
    /// Whether the dsr that began an attempt at `started` may still send it.
    ///
    /// A lock file on this host decides at once. A server releases the lock of a session that it
    /// lost while its process lives on, so without the lock the lease has to pass as well.
    pub(crate) fn find_sender(
        &self,
        sender: &str,
        started: DateTime<Utc>,
    ) -> Result<SenderState, LedgerError> {
        if self.sender.as_ref().is_some_and(|own| own.id() == sender) {
            return Ok(SenderState::Sending);
        }
        match sender::find(&self.path, sender).map_err(LedgerError::Sender)? {
            LockState::Held => return Ok(SenderState::Sending),
            LockState::Left => return Ok(SenderState::Ended),
            LockState::Nowhere => {}
        }
        let (Some(server), Some(sharing)) = (self.conn.server(), self.sharing) else {
            return Ok(SenderState::Ended);
        };
        let present = server.list_present()?;
        if present.iter().any(|(key, _)| *key == key_of(sender)) {
            return Ok(SenderState::Sending);
        }
        self.conn.read_clock()?;
        let now = self.conn.time();
        let until = started + sharing.lease;
        // A start in the future is by a clock that was set back since.
        let is_over = |now: DateTime<Utc>| now > until || started > now + sharing.lease;
        Ok(match now.is_some_and(is_over) {
            true => SenderState::Ended,
            false => SenderState::Vanished(until),
        })
    }

    /// The jobs that a dsr on another host was sending when it vanished, and the time from which
    /// the last of them can be settled. `None` if there are none.
    pub fn find_vanished(&self) -> Result<Option<(usize, DateTime<Utc>)>, LedgerError> {
        let vanished = self.list_vanished()?;
        let last = vanished.iter().map(|(_, until)| *until).max();
        Ok(last.map(|until| (vanished.len(), until)))
    }

    /// These jobs, each with the time from which it can be settled.
    pub fn list_vanished(&self) -> Result<Vec<(JobId, DateTime<Utc>)>, LedgerError> {
        let mut vanished = Vec::new();
        for (job, sender, started) in list_sending(&self.conn)? {
            if let SenderState::Vanished(until) = self.find_sender(&sender, started)? {
                vanished.push((job, until));
            }
        }
        Ok(vanished)
    }

    /// The number of jobs that a dsr was sending when it ended or vanished.
    pub fn count_interrupted(&self) -> Result<usize, LedgerError> {
        let mut count = 0;
        for (_, sender, started) in list_sending(&self.conn)? {
            count += usize::from(self.find_sender(&sender, started)? != SenderState::Sending);
        }
        Ok(count)
    }

    /// The other processes that are sending from this ledger, on any host.
    pub fn list_senders(&self) -> Result<Vec<ProcessRecord>, LedgerError> {
        let (Some(server), Some(_)) = (self.conn.server(), self.sharing) else {
            return sender::list_living(&self.path).map_err(LedgerError::Sender);
        };
        let own = self.sender.as_ref().map(|own| key_of(own.id()));
        let present = server.list_present()?.into_iter();
        let others = present.filter(|(key, _)| Some(*key) != own);
        Ok(others
            .map(|(_, name)| ProcessRecord::named(&name))
            .collect())
    }
}

/// The jobs with an open attempt, its sender and when it began.
pub(crate) fn list_sending(
    conn: &Connection,
) -> Result<Vec<(JobId, String, DateTime<Utc>)>, LedgerError> {
    let sql = "SELECT request, number, sender, started_at FROM attempts
         WHERE ended_at IS NULL
           AND EXISTS (SELECT 1 FROM jobs WHERE request = attempts.request
                       AND number = attempts.number AND state = 'sending')
         ORDER BY request, number, attempt";
    sql::list(conn, sql, [], |row| {
        Ok((job_id(row)?, row.get(2)?, moment(row, "started_at")?))
    })
}

/// How the hosts of a shared ledger keep apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// How long after its claim a POST may still leave.
    pub(crate) fence: TimeDelta,
    /// After this time since its claim, a POST has certainly ended.
    pub(crate) lease: TimeDelta,
}

pub(crate) fn find_sharing(conn: &Connection) -> Result<Sharing, LedgerError> {
    let sql = "SELECT fence_ms, lease_ms FROM sharing";
    let found = sql::find(conn, sql, [], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
    })?;
    let found = found.filter(|(fence, lease)| *fence > 0 && lease > fence);
    let (fence, lease) =
        found.ok_or_else(|| crate::ledger::columns::unreadable("the times of sharing"))?;
    Ok(Sharing {
        fence: TimeDelta::milliseconds(fence),
        lease: TimeDelta::milliseconds(lease),
    })
}

/// The number of a sender's lock: the first 32 bits of its id.
fn key_of(sender: &str) -> u32 {
    let digits = sender.get(..8).unwrap_or_default();
    u32::from_str_radix(digits, 16).unwrap_or(0)
}
