//! Moves a ledger from a file to a server, so that at no moment two of them can be used.
//!
//! The file is marked as moved before the server commits. A move that was killed between leaves no
//! ledger that can be used, and the next one finds out which side has it.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::config::create_private_folder;
use crate::ledger::audit::{self, Anchor, AuditEvent, EntrySubject};
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Access, Connection};
use crate::ledger::jobs::receipts;
use crate::ledger::open::moved::{self, MoveMark};
use crate::ledger::open::seen::{self, NextHead};
use crate::ledger::open::set_back::{Seen, SetBack};
use crate::ledger::open::shared::identity_of;
use crate::ledger::{
    Ledger, LedgerError, Patience, SharedLedger, list_senders, people, refuse_what_others_share,
    sql,
};

use super::refusal::MoveRefusal;
use super::rows;

/// What moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovePlan {
    pub requests: usize,
    pub jobs: usize,
    pub ids: usize,
    /// The last entry of the audit trail: of the file's, or after the move of the server's.
    pub head: Anchor,
}

/// What became of an interrupted move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveSettled {
    /// The server has the ledger. With the entry of the move.
    Complete(Anchor),
    /// The server does not have it. The file can be used again.
    Undone,
}

impl Ledger {
    /// What a move of this ledger, which is in a file, would take to `server`.
    ///
    /// # Errors
    /// As for [`Self::move_to`].
    pub fn plan_move(&self, server: &Self, shared: &SharedLedger) -> Result<MovePlan, LedgerError> {
        seen::demand(&self.conn, &self.path)?;
        refuse_unready(&self.path)?;
        refuse_used(&server.conn, shared)?;
        self.in_one_view(|ledger| describe(&ledger.conn))
    }

    /// Moves this ledger, which is in a file, to a new ledger on a server. The audit trail stays
    /// the same, and gets one entry more. Afterwards no dsr uses the file.
    ///
    /// # Errors
    /// When the file is damaged, was set back, or another dsr is sending from it; when the server's
    /// ledger is not new. Then nothing has changed. [`LedgerError::MoveStopped`] if only
    /// [`Self::settle_move`] can tell which side has the ledger.
    pub fn move_to(
        &mut self,
        server: &mut Self,
        shared: &SharedLedger,
        now: DateTime<Utc>,
    ) -> Result<MovePlan, LedgerError> {
        let path = self.path.clone();
        // Held to the end: nobody writes to the file meanwhile.
        let file = self.write()?;
        refuse_unready(&path)?;
        if let Some(damage) = file.list_damage(1)?.pop() {
            return Err(MoveRefusal::Damaged(damage).into());
        }
        if let Some(finding) = audit::verify(&file, &[], &mut |_, _| {})?.findings.first() {
            return Err(MoveRefusal::Trail(finding.to_string()).into());
        }
        let identity = identity_of(&file)?;
        let beside = shared.beside(&identity);
        if seen::read(&beside)? != Seen::Nothing {
            return Err(MoveRefusal::MovedBefore.into());
        }
        let mut plan = describe(&file)?;
        let on_server = server.write()?;
        refuse_used(&on_server, shared)?;
        rows::copy(&file, &on_server)?;
        let copied = audit::verify_chain(&on_server)?.head;
        if copied.is_none_or(|copied| copied.hash != plan.head.hash) {
            return Err(unreadable("the audit trail that was copied to the server"));
        }
        if let Some(seal) = people::begin_sealing(&on_server, now)? {
            audit::reseal(&on_server, seal, now)?;
        }
        let details =
            json!({ "from": on_server.opening.actor.host(), "to": shared.without_user() });
        let event = AuditEvent::LedgerMoved;
        audit::tell(&on_server, event, EntrySubject::Ledger, details, now)?;
        plan.head = find_head(&on_server)?;
        let folder = beside.parent().unwrap_or(Path::new("."));
        create_private_folder(folder).map_err(LedgerError::Seen)?;
        let (here, there) = (
            NextHead::write(&path, &plan.head)?,
            NextHead::write(&beside, &plan.head)?,
        );
        let mark = MoveMark {
            to: shared.to_string(),
            head: plan.head.clone(),
            is_complete: false,
        };
        moved::set(&file, &mark)?;
        file.commit()?;
        let finish = || {
            // From here on no copy of the file is taken for the newest ledger, and no older dsr
            // that has the file open writes to it.
            here.publish()?;
            on_server.commit()?;
            shared.note_trail(&identity).map_err(LedgerError::Seen)?;
            there.publish()
        };
        finish().map_err(|error| LedgerError::MoveStopped(Box::new(error)))?;
        server.path = beside;
        Ok(plan)
    }

    /// Finds out which side has the ledger of the marked file at `path`, and completes the move or
    /// undoes it. `self` is the ledger on the server.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] or [`LedgerError::MoveUnfinished`] if the file's ledger went to another
    /// server, and [`LedgerError::SetBack`] if this host has seen more than what is there.
    pub fn settle_move(
        &mut self,
        path: &Path,
        shared: &SharedLedger,
        patience: impl Into<Patience>,
    ) -> Result<MoveSettled, LedgerError> {
        refuse_what_others_share(path)?;
        let mut patience = patience.into();
        let mut file = Connection::open(path, Access::ReadWrite)?;
        file.make_durable(|tries| patience.goes_on(tries))?;
        file.wait_while(move |tries| patience.goes_on(tries))?;
        // Waits for a dsr that was killed while the server committed its move. Only then does the
        // server tell which ledger it has.
        let on_server = self.conn.write()?;
        let identity = identity_of(&on_server)?;
        let there = shared.beside(&identity);
        seen::demand(&on_server, &there)?;
        let file = file.write()?;
        let Some(mark) = moved::find(&file)? else {
            // Another dsr was faster.
            return Ok(MoveSettled::Undone);
        };
        let head = mark.head.clone();
        if has_entry(&on_server, &head)? {
            let folder = there.parent().unwrap_or(Path::new("."));
            create_private_folder(folder).map_err(LedgerError::Seen)?;
            shared.note_trail(&identity).map_err(LedgerError::Seen)?;
            for ledger in [path, &there] {
                seen::catch_up(&on_server, ledger)?;
            }
            return Ok(MoveSettled::Complete(head));
        }
        // The trail came to that server with the entry, or not at all.
        let own_identity = identity_of(&file)?;
        if !mark.is_to(shared) || identity == own_identity {
            return Err(mark.refusal(&path.display()));
        }
        let own = find_head(&file)?;
        let seen_there = seen::read(&shared.beside(&own_identity))?;
        let seen_here = seen::read(path)?;
        let is_known = match &seen_here {
            Seen::Head(seen) => *seen == head || has_entry(&file, seen)?,
            Seen::Nothing | Seen::Unreadable => false,
        };
        for (seen, is_fine) in [
            (seen_there.clone(), seen_there == Seen::Nothing),
            (seen_here, is_known),
        ] {
            if !is_fine {
                return Err(LedgerError::SetBack(Box::new(SetBack {
                    seen,
                    head: Some(own),
                    known_since: None,
                })));
            }
        }
        NextHead::write(path, &own)?.publish()?;
        moved::clear(&file)?;
        file.commit()?;
        Ok(MoveSettled::Undone)
    }
}

fn refuse_unready(path: &Path) -> Result<(), LedgerError> {
    if let Some(sender) = list_senders(path)?.into_iter().next() {
        return Err(MoveRefusal::Sending {
            command: sender.command,
            process: sender.process,
        }
        .into());
    }
    match receipts::list_ended(path)
        .map_err(LedgerError::Receipt)?
        .len()
    {
        0 => Ok(()),
        left => Err(MoveRefusal::Receipts(left).into()),
    }
}

/// A ledger moves only into a new one, which has nothing but the first entry of its trail.
fn refuse_used(server: &Connection, shared: &SharedLedger) -> Result<(), LedgerError> {
    match is_new(server)? {
        true => Ok(()),
        false => Err(MoveRefusal::InUse {
            to: shared.to_string(),
            entries: find_head(server)?.count,
        }
        .into()),
    }
}

fn is_new(server: &Connection) -> Result<bool, LedgerError> {
    let has_requests = sql::exists(server, "SELECT 1 FROM requests LIMIT 1", [])?;
    Ok(!has_requests && find_head(server)?.count == 1)
}

fn describe(conn: &Connection) -> Result<MovePlan, LedgerError> {
    let count = |sql| -> Result<usize, LedgerError> {
        let count: i64 = sql::value(conn, sql, [])?;
        Ok(usize::try_from(count).unwrap_or(0))
    };
    Ok(MovePlan {
        requests: count("SELECT COUNT(*) FROM requests")?,
        jobs: count("SELECT COUNT(*) FROM jobs")?,
        ids: count("SELECT CAST(COALESCE(SUM(ids_count), 0) AS BIGINT) FROM jobs")?,
        head: find_head(conn)?,
    })
}

fn find_head(conn: &Connection) -> Result<Anchor, LedgerError> {
    audit::find_head(conn)?.ok_or_else(|| unreadable("the audit trail's head"))
}

fn has_entry(conn: &Connection, entry: &Anchor) -> Result<bool, LedgerError> {
    let sequence = i64::try_from(entry.count).unwrap_or(i64::MAX);
    let sql = "SELECT hash FROM audit WHERE seq = $1";
    let hash: Option<String> = sql::find_value(conn, sql, [sequence])?;
    Ok(hash.as_deref() == Some(&entry.hash))
}
