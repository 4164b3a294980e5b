//! Who is connected. A sender holds a session lock, which the server releases when its session ends,
//! and so does a query under way.

use rusqlite::types::Value;

use super::LedgerServer;
use super::session::Unlocking;
use crate::ledger::engine::Answer;

/// The class of senders' session locks: `dsr` in ASCII.
const SENDERS: i64 = 0x64_73_72;
/// The class of the session locks of queries under way: `dsq`.
const QUERIES: i64 = 0x64_73_71;

/// The session lock of a query under way, until it is dropped or its session ends.
#[must_use]
#[derive(Debug)]
pub(crate) struct PlaceLock(#[expect(dead_code, reason = "its drop unlocks")] Unlocking);

impl LedgerServer {
    /// Takes a sender's lock until this session ends; `false` if another session holds it.
    pub(crate) fn take_presence(&self, key: u32) -> Answer<bool> {
        self.try_lock(SENDERS, i64::from(key.cast_signed()))
    }

    fn try_lock(&self, class: i64, key: i64) -> Answer<bool> {
        let sql = "SELECT pg_try_advisory_lock($1::bigint::int, $2::bigint::int)::int::bigint";
        let found = self.prepare(sql)?.query(&[class, key])?.next();
        Ok(found.is_some_and(|row| row.values == [Value::Integer(1)]))
    }

    /// Takes the first free one of so many places of `name`, which all hosts share; `None` if other
    /// sessions have all of them. A session has one at a time: the server would give it the same
    /// place twice.
    pub(crate) fn take_place(&self, name: &str, places: usize) -> Answer<Option<PlaceLock>> {
        for number in 0..places {
            let sql = "SELECT hashtext(current_schema() || '/' || $1)::bigint";
            let key = self
                .prepare(sql)?
                .query(&[format!("{name}-{number}")])?
                .next();
            let Some([Value::Integer(key)]) = key.as_ref().map(|row| &row.values[..]) else {
                return Err(rusqlite::Error::QueryReturnedNoRows.into());
            };
            if self.try_lock(QUERIES, *key)? {
                return Ok(Some(PlaceLock(self.session.unlocking(QUERIES, *key))));
            }
        }
        Ok(None)
    }

    /// How the session names itself that holds the write lock, if another one does. Who waits for the
    /// lock has the table's lock, too. A copy of a database has tables with the same numbers.
    pub(crate) fn find_writer(&self) -> Answer<Option<String>> {
        let sql = "SELECT COALESCE(application_name, '')
             FROM pg_locks held LEFT JOIN pg_stat_activity USING (pid)
             WHERE held.locktype = 'relation' AND held.relation = to_regclass('audit_head')
               AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND held.mode = 'RowShareLock' AND held.granted AND pid <> pg_backend_pid()
               AND NOT EXISTS (SELECT 1 FROM pg_locks waits
                               WHERE waits.pid = held.pid AND NOT waits.granted)
             ORDER BY pid";
        let row = self.prepare(sql)?.query(&[])?.next();
        Ok(row.and_then(|row| match row.values.into_iter().next() {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        }))
    }

    /// The sessions with a sender's lock: its key, and how the session names itself.
    pub(crate) fn list_present(&self) -> Answer<Vec<(u32, String)>> {
        let sql = "SELECT objid::bigint, application_name
             FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
             WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = $1
               AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             ORDER BY pid";
        let rows = self.prepare(sql)?.query(&[SENDERS])?;
        let read = |row: crate::ledger::engine::row::ServerRow| match &row.values[..] {
            [Value::Integer(key), name] => {
                let name = match name {
                    Value::Text(name) => name.clone(),
                    _ => String::new(),
                };
                u32::try_from(*key).ok().map(|key| (key, name))
            }
            _ => None,
        };
        Ok(rows.filter_map(read).collect())
    }
}
