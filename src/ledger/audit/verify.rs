//! Verifies the trail: reads it once, in order, with the memory of one entry. Anyone who can write
//! the file can rewrite it with matching hashes and head. Only a head saved elsewhere, an
//! [`Anchor`], reveals that.

use std::collections::BTreeMap;

use super::anchor::KeptHead;
use super::chain::{COLUMNS, NOTHING_BEFORE, RawEntry};
use super::finding::{Audit, Finding, Glance, LostHead};
use super::rows::check_rows;
use super::{AuditEvent, AuditHead, head_row};
use crate::ledger::columns::{parse_time, unreadable};
use crate::ledger::engine::{Connection, EngineTrouble};
use crate::ledger::open::accept::{LostTime, list_lost};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// How many of the last entries a quick check reads.
const QUICK: i64 = 1000;

impl Ledger {
    /// Reads the whole trail in one snapshot, and compares it with the anchors and the ledger's
    /// records. `show` receives the rows read and their total.
    ///
    /// # Errors
    /// When the ledger cannot be read. A problem of the trail is a finding, not an error.
    pub fn verify_audit(
        &self,
        anchors: &[KeptHead],
        show: &mut dyn FnMut(u64, u64),
    ) -> Result<Audit, LedgerError> {
        verify(&*self.conn.view()?, anchors, show).map_err(|error| match error {
            LedgerError::Damaged(error) => match error.trouble() {
                EngineTrouble::WrongType(column) => unreadable(&format!("the column `{column}`")),
                _ => LedgerError::Damaged(error),
            },
            error => error,
        })
    }
}

/// The same, in the caller's transaction.
pub(crate) fn verify(
    conn: &Connection,
    anchors: &[KeptHead],
    show: &mut dyn FnMut(u64, u64),
) -> Result<Audit, LedgerError> {
    let sql = "SELECT (SELECT COUNT(*) FROM audit) + (SELECT COUNT(*) FROM jobs)";
    let total: i64 = sql::value(conn, sql, [])?;
    let total = u64::try_from(total).unwrap_or(0);
    let mut audit = Audit::default();
    check_chain(conn, anchors, &mut audit, &mut |read| show(read, total))?;
    let read = audit.entries;
    check_rows(conn, &mut audit, &mut |rows| show(read + rows, total))?;
    Ok(audit)
}

/// The same for the trail alone, without the rows of other tables.
pub(crate) fn verify_chain(conn: &Connection) -> Result<Audit, LedgerError> {
    let mut audit = Audit::default();
    check_chain(conn, &[], &mut audit, &mut |_| {})?;
    Ok(audit)
}

pub(crate) fn look(conn: &Connection) -> Result<Glance, LedgerError> {
    let mut audit = Audit::default();
    let head = read_head(conn)?;
    let first = head.as_ref().map_or(0, |(count, _)| *count - QUICK);
    let mut walk = Walk::from(conn, first, head, &[])?;
    walk.through(conn, &mut audit, &mut |_| {})?;
    Ok(Glance {
        entries: walk.next - 1,
        finding: audit.findings.into_iter().next(),
    })
}

/// `None` if the head is missing or unreadable.
fn read_head(conn: &Connection) -> Result<Option<(i64, String)>, LedgerError> {
    match head_row(conn) {
        Err(LedgerError::Trail(_)) => Ok(None),
        head => head,
    }
}

fn check_chain(
    conn: &Connection,
    anchors: &[KeptHead],
    audit: &mut Audit,
    show: &mut dyn FnMut(u64),
) -> Result<(), LedgerError> {
    let mut walk = Walk::from(conn, 0, read_head(conn)?, anchors)?;
    walk.through(conn, audit, show)
}

/// One pass over the chain, entry by entry.
struct Walk {
    first: i64,
    head: Option<(i64, String)>,
    next: u64,
    /// The previous hash as stored and, if that is wrong, as it should be. Empty if it is unknown.
    before: Vec<String>,
    last: Option<AuditHead>,
    anchors: BTreeMap<u64, Vec<KeptHead>>,
    /// The lost times of the ledger, read only if there are anchors.
    lost: Vec<LostTime>,
}

impl Walk {
    /// Starts after an entry that is taken as correct.
    fn from(
        conn: &Connection,
        after: i64,
        head: Option<(i64, String)>,
        anchors: &[KeptHead],
    ) -> Result<Self, LedgerError> {
        let after = after.max(0);
        let mut before = Vec::new();
        if after == 0 {
            before.push(NOTHING_BEFORE.to_owned());
        } else {
            let mut statement = prepare(conn, "SELECT hash FROM audit WHERE seq = $1")?;
            let mut rows = statement.query([after])?;
            if let Some(row) = &rows.next()? {
                before.extend(row.get::<String>(0).ok());
            }
        }
        let mut by_count: BTreeMap<u64, Vec<KeptHead>> = BTreeMap::new();
        for kept in anchors {
            let of_entry = by_count.entry(kept.head.count).or_default();
            of_entry.push(kept.clone());
        }
        Ok(Self {
            // Entries with wrong numbers sort before the first.
            first: match after {
                0 => i64::MIN,
                _ => after + 1,
            },
            head,
            next: u64::try_from(after).unwrap_or(0) + 1,
            before,
            last: None,
            lost: match by_count.is_empty() {
                true => Vec::new(),
                false => list_lost(conn)?,
            },
            anchors: by_count,
        })
    }

    fn through(
        &mut self,
        conn: &Connection,
        audit: &mut Audit,
        show: &mut dyn FnMut(u64),
    ) -> Result<(), LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq >= $1 ORDER BY seq");
        let mut statement = prepare(conn, &sql)?;
        let mut rows = statement.query([self.first])?;
        while let Some(row) = &rows.next()? {
            audit.entries += 1;
            if audit.entries.is_multiple_of(256) {
                show(audit.entries);
            }
            // A value that is not a number sorts last, and is reported as the next entry.
            let seq: i64 = row.get(0).unwrap_or(i64::MAX);
            self.take(seq, RawEntry::read(row), audit);
        }
        self.end(audit);
        Ok(())
    }

    fn take(&mut self, seq: i64, read: Option<(RawEntry, String)>, audit: &mut Audit) {
        let place = match u64::try_from(seq) {
            Ok(place) if place >= self.next => place,
            _ => return audit.find(Finding::OutOfOrder { entry: seq }),
        };
        let count = self.head.as_ref().map(|(count, _)| *count);
        if count.is_some_and(|count| seq > count) {
            return self.find_past_head(place, audit);
        }
        if place > self.next {
            audit.find(Finding::Missing {
                first: self.next,
                last: place - 1,
            });
            self.before.clear();
        }
        self.next = place.saturating_add(1);
        match read {
            Some((raw, hash)) => self.check(place, &raw, hash, audit),
            None => {
                audit.find(Finding::Unreadable { entry: place });
                self.before.clear();
                self.last = None;
            }
        }
    }

    fn check(&mut self, place: u64, raw: &RawEntry, hash: String, audit: &mut Audit) {
        let expected: Vec<String> = self.before.iter().map(|before| raw.hash(before)).collect();
        let follows = expected.iter().position(|expected| *expected == hash);
        self.before = vec![hash.clone()];
        match (follows, expected.into_iter().next()) {
            (Some(0), _) | (None, None) => {}
            // It follows the previous entry's correct hash, so only the stored hash was changed.
            (Some(_), _) => only_the_hash(place - 1, audit),
            (None, Some(expected)) => {
                audit.find(Finding::Changed { entry: place });
                self.before.push(expected);
            }
        }
        for anchored in self.anchors.remove(&place).unwrap_or_default() {
            match anchored.head.hash == hash {
                true => audit.anchored.push(anchored.head),
                false => {
                    let differs = Finding::AnchorDiffers {
                        count: place,
                        place: anchored.place.clone(),
                    };
                    self.miss(anchored, differs, audit);
                }
            }
        }
        if place == 1 {
            note_start(raw, audit);
        }
        self.last = parse_time(&raw.at).ok().map(|at| AuditHead {
            count: place,
            hash,
            at,
        });
    }

    /// An anchor is missing: it was lost when the ledger was set back, or it is a finding.
    fn miss(&self, kept: KeptHead, otherwise: Finding, audit: &mut Audit) {
        let KeptHead {
            head: anchor, at, ..
        } = kept;
        let mut times = self.lost.iter();
        if let Some(lost) = times.find(|lost| lost.seen.as_ref() == Some(&anchor)) {
            return audit.lost.push(LostHead {
                head: anchor,
                accepted_at: lost.accepted_at,
                by: lost.by.clone(),
            });
        }
        let around = self.lost.iter();
        let around = around.rev().find(|lost| lost.covers(anchor.count, at));
        audit.find(match around {
            Some(lost) => Finding::AnchorLost {
                count: anchor.count,
                by: lost.by.clone(),
                day: lost.accepted_at.date_naive(),
            },
            None => otherwise,
        });
    }

    fn find_past_head(&self, place: u64, audit: &mut Audit) {
        match audit.findings.last_mut() {
            Some(Finding::PastHead { last, .. }) if *last + 1 == place => *last = place,
            _ => audit.find(Finding::PastHead {
                first: place,
                last: place,
            }),
        }
    }

    /// Compares the end of the trail with the head and the remaining anchors.
    fn end(&mut self, audit: &mut Audit) {
        let read = self.next - 1;
        match &self.head {
            None => audit.find(Finding::NoHead),
            Some((count, hash)) => {
                let count = u64::try_from(*count).unwrap_or(0);
                let place = self.before.iter().position(|before| before == hash);
                if count > read {
                    audit.find(Finding::Missing {
                        first: self.next,
                        last: count,
                    });
                } else if count == 0 {
                    audit.find(Finding::NoHead);
                } else if place == Some(1) {
                    only_the_hash(read, audit);
                } else if place.is_none() && !self.before.is_empty() {
                    audit.find(Finding::HeadDiffers { entry: count });
                }
            }
        }
        if read == 0 {
            audit.find(Finding::NoStart);
        }
        for (count, heads) in std::mem::take(&mut self.anchors) {
            for head in heads {
                self.miss(head, Finding::AnchorMissing { count }, audit);
            }
        }
        if audit.is_whole() {
            audit.head = self.last.take();
        }
    }
}

/// Replaces the finding on an entry: only its hash was changed.
fn only_the_hash(entry: u64, audit: &mut Audit) {
    let wrong = Finding::Changed { entry };
    if let Some(told) = audit.findings.iter_mut().find(|told| **told == wrong) {
        *told = Finding::HashChanged { entry };
    }
}

fn note_start(raw: &RawEntry, audit: &mut Audit) {
    if raw.event != AuditEvent::TrailStarted.as_str() {
        return audit.find(Finding::NoStart);
    }
    audit.started = parse_time(&raw.at).ok();
}
