//! What a server says about itself that matters to a ledger.

use std::time::{Duration, Instant};

use rusqlite::types::Value;

use super::LedgerServer;
use crate::ledger::engine::Answer;

/// What the doctor wants to know of a ledger's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    pub version: String,
    pub user: String,
    pub may: ServerRights,
    /// The shortest of three round trips.
    pub round_trip: Duration,
    /// The server writes to its disk before it says so.
    pub is_durable: bool,
    pub standby: StandbyState,
}

/// The standby that the server waits for at each commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandbyState {
    /// It waits for none.
    NotDemanded,
    Connected,
    /// It waits for one, and none is connected: no commit ends.
    Missing,
}

/// What the user may do with the ledger's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRights {
    /// Anything, in every database of the server.
    Superuser,
    /// Also change their format.
    Owner,
    Write,
    Read,
}

impl LedgerServer {
    pub(crate) fn report(&self) -> Answer<ServerReport> {
        let sql = "SELECT current_setting('server_version'), current_user::text,
             (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)::int::bigint,
             pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = 'jobs'::regclass),
                         'USAGE')::int::bigint,
             has_table_privilege('jobs', 'INSERT')::int::bigint,
             (current_setting('fsync') = 'on'
              AND current_setting('full_page_writes') = 'on')::int::bigint";
        let mut round_trip = Duration::MAX;
        let mut row = None;
        for _ in 0..3 {
            let started = Instant::now();
            self.execute_batch("SELECT 1")?;
            round_trip = round_trip.min(started.elapsed());
            row = self.prepare(sql)?.query(&[])?.next();
        }
        let values = row.map(|row| row.values).unwrap_or_default();
        let is = |place: usize| values.get(place) == Some(&Value::Integer(1));
        let text = |place: usize| match values.get(place) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        Ok(ServerReport {
            version: text(0),
            user: text(1),
            may: match (is(2), is(3), is(4)) {
                (true, _, _) => ServerRights::Superuser,
                (_, true, _) => ServerRights::Owner,
                (_, _, true) => ServerRights::Write,
                _ => ServerRights::Read,
            },
            round_trip,
            is_durable: is(5),
            standby: self.find_standby()?,
        })
    }

    /// A user without `pg_monitor` sees that standbys are connected, and not which are synchronous.
    pub(crate) fn find_standby(&self) -> Answer<StandbyState> {
        let sql = "SELECT (current_setting('synchronous_standby_names') <> '')::int::bigint
                 + EXISTS (SELECT 1 FROM pg_stat_replication
                           WHERE sync_state IS NULL OR sync_state IN ('sync', 'quorum'))::int::bigint
                 * 2";
        Ok(match self.number(sql)? {
            1 => StandbyState::Missing,
            3 => StandbyState::Connected,
            _ => StandbyState::NotDemanded,
        })
    }
}
