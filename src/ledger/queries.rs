//! The queries of profiles and events: how many a project has left in any hour, over all processes that share
//! the ledger, how many may be under way at once, and the entry of the trail that says that people were
//! asked about.

use std::collections::VecDeque;
use std::fs::File;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::audit::{self, AuditEvent, EntrySubject};
use super::engine::PlaceLock;
use super::jobs::pace::{self, AN_HOUR, COUNTS_FOR, Left};
use super::open::sender;
use super::{Ledger, LedgerError};
use crate::domain::{ExportWindow, HourlyQueries, Project, ProjectId, ProjectKey, ProjectName};

/// How many queries of a project may be under way at once, over all processes that share the ledger,
/// on any host. Mixpanel allows 5, also to the other programs of the company.
const AT_ONCE: usize = 3;

/// Whether a query may leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryTurn {
    Yours,
    /// No: ask again after this time.
    Wait(Duration),
}

/// A query's place among those under way, or the claim on the next ones, until it is dropped. The kernel or the ledger's server frees
/// it however its process ends.
#[must_use]
#[derive(Debug)]
#[expect(dead_code, reason = "the drop of a lock frees it")]
pub struct QueryPlace(QueryLock);

#[derive(Debug)]
#[expect(dead_code, reason = "the drop of a lock frees it")]
enum QueryLock {
    File(File),
    Server(PlaceLock),
}

/// Where a project's queries wait for their turn.
#[derive(Debug, Clone)]
pub struct QueryLane {
    name: ProjectName,
    /// Not the key of the project's other calls, which have a pace of their own.
    key: ProjectKey,
    id: ProjectId,
    limit: HourlyQueries,
}

impl QueryLane {
    /// The budget belongs to Mixpanel's `id` of the project, under whatever token.
    pub fn of(project: &Project, id: ProjectId) -> Self {
        let service = project.api_url.service();
        Self {
            name: project.name.clone(),
            key: ProjectKey::restore(format!("{service}/{}/queries", id.get())),
            id,
            limit: project.queries,
        }
    }

    /// Until the next query may leave, in microseconds.
    fn wait(&self, left: &Left) -> i64 {
        let limit = self.limit.per_hour() as usize;
        let over = left.queries.len().checked_sub(limit);
        // Sorted: this many must stop counting first.
        let budget = over.map_or(0, |over| left.queries[over]);
        budget.max(left.block()).max(0)
    }
}

impl Ledger {
    /// Takes one of the few places for a query under way; `None` if others have all of them.
    pub fn take_query_place(&self, lane: &QueryLane) -> Result<Option<QueryPlace>, LedgerError> {
        self.take_one_of(&format!("query-{}", lane.id.get()), AT_ONCE)
    }

    /// Takes the claim on the hour's next queries, so that no other process takes one of them; `None`
    /// if another process has it.
    pub fn claim_queries(&self, lane: &QueryLane) -> Result<Option<QueryPlace>, LedgerError> {
        self.take_one_of(&format!("claim-{}", lane.id.get()), 1)
    }

    fn take_one_of(&self, name: &str, places: usize) -> Result<Option<QueryPlace>, LedgerError> {
        let lock = match self.conn.server() {
            Some(server) => server.take_place(name, places)?.map(QueryLock::Server),
            None => sender::lock_one_of(&self.path, name, places)
                .map_err(LedgerError::Sender)?
                .map(QueryLock::File),
        };
        Ok(lock.map(QueryPlace))
    }

    /// Takes one of the hour's queries, if one is left. It is recorded before it may be sent.
    pub fn record_query(
        &mut self,
        lane: &QueryLane,
        now: DateTime<Utc>,
    ) -> Result<QueryTurn, LedgerError> {
        let tx = self.write()?;
        let (mut left, _) = pace::read(&tx, &lane.key, now)?;
        let turn = match lane.wait(&left) {
            0 => QueryTurn::Yours,
            wait => QueryTurn::Wait(Duration::from_micros(wait.unsigned_abs())),
        };
        if turn == QueryTurn::Yours {
            left.queries.push(COUNTS_FOR);
        }
        pace::write(&tx, &lane.key, left, now)?;
        tx.commit()?;
        Ok(turn)
    }

    /// Records that a query was answered: Mixpanel has seen it, and it counts for an hour from now.
    pub fn record_query_answered(
        &mut self,
        lane: &QueryLane,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let (mut left, _) = pace::read(&tx, &lane.key, now)?;
        // Whichever it was: the oldest one ends no later.
        let mut queries = left.queries.iter_mut();
        if let Some(query) = queries.find(|left| **left > AN_HOUR) {
            *query = AN_HOUR;
        }
        pace::write(&tx, &lane.key, left, now)?;
        tx.commit()
    }

    /// Gives back the last query taken, which never left.
    pub fn record_query_unsent(
        &mut self,
        lane: &QueryLane,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let (mut left, _) = pace::read(&tx, &lane.key, now)?;
        left.queries.pop();
        pace::write(&tx, &lane.key, left, now)?;
        tx.commit()
    }

    /// Records that the server wants no query of the project until `until`, from any process.
    pub fn record_query_block(
        &mut self,
        lane: &QueryLane,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.record_block(&lane.key, until, now)
    }

    /// How long the server wants no query of the project.
    pub fn find_query_block(
        &mut self,
        lane: &QueryLane,
        now: DateTime<Utc>,
    ) -> Result<Duration, LedgerError> {
        self.find_block(&lane.key, now)
    }

    /// How long the server wants no call under this key.
    pub fn find_block(
        &mut self,
        key: &ProjectKey,
        now: DateTime<Utc>,
    ) -> Result<Duration, LedgerError> {
        let tx = self.write()?;
        let (left, _) = pace::read(&tx, key, now)?;
        Ok(Duration::from_micros(left.block().max(0).unsigned_abs()))
    }

    /// How long so many queries take from now: until the last one may leave.
    pub fn find_query_time(
        &mut self,
        lane: &QueryLane,
        queries: usize,
        now: DateTime<Utc>,
    ) -> Result<Duration, LedgerError> {
        let tx = self.write()?;
        let (left, _) = pace::read(&tx, &lane.key, now)?;
        let limit = lane.limit.per_hour() as usize;
        let mut time = left.block();
        let mut counting = VecDeque::from(left.queries);
        // Each full hour is like the one before.
        let hours = queries.saturating_sub(limit) / limit;
        for _ in 0..queries - hours * limit {
            if counting.len() >= limit {
                let over = counting.len() - limit;
                time = time.max(counting.drain(..=over).next_back().unwrap_or(0));
            }
            counting.push_back(time.saturating_add(COUNTS_FOR));
        }
        let time = time.saturating_add(COUNTS_FOR.saturating_mul(hours as i64));
        Ok(Duration::from_micros(time.unsigned_abs()))
    }

    /// Records in the trail that Mixpanel is about to be asked for all events of these days, before
    /// the query leaves.
    pub fn record_events_asked(
        &mut self,
        lane: &QueryLane,
        window: ExportWindow,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let details =
            json!({ "project": lane.name.as_str(), "from": window.from, "to": window.to });
        self.tell_asked(AuditEvent::EventsAsked, details, now)
    }

    /// Records in the trail that Mixpanel is about to be asked which of so many people have a
    /// profile. One entry for all queries of a command, before the first one leaves: the trail then
    /// shows the most that was asked, also after a kill.
    pub fn record_profiles_asked(
        &mut self,
        lane: &QueryLane,
        (ids, queries): (usize, usize),
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let details = json!({ "project": lane.name.as_str(), "ids": ids, "queries": queries });
        self.tell_asked(AuditEvent::ProfilesAsked, details, now)
    }

    /// The same for so many values of a property, whose profiles Mixpanel is about to be asked for.
    /// The name of the property may be a value by mistake, so the entry does not have it.
    pub fn record_values_asked(
        &mut self,
        lane: &QueryLane,
        (values, queries): (usize, usize),
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let details =
            json!({ "project": lane.name.as_str(), "values": values, "queries": queries });
        self.tell_asked(AuditEvent::ValuesAsked, details, now)
    }

    /// The same for all profiles of the project, whose number nobody knows yet.
    pub fn record_all_profiles_asked(
        &mut self,
        lane: &QueryLane,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let details = json!({ "project": lane.name.as_str() });
        self.tell_asked(AuditEvent::AllProfilesAsked, details, now)
    }

    fn tell_asked(
        &mut self,
        event: AuditEvent,
        details: Value,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        audit::tell(&tx, event, EntrySubject::Ledger, details, now)?;
        tx.commit_seen()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::*;
    use crate::ledger::Slot;

    const SECOND: Duration = Duration::from_secs(1);

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn lane(per_hour: u32) -> QueryLane {
        QueryLane {
            name: ProjectName::new("shop").unwrap(),
            key: ProjectKey::restore("k/queries".to_owned()),
            id: ProjectId::new(42).unwrap(),
            limit: HourlyQueries::new(per_hour).unwrap(),
        }
    }

    fn hour() -> Duration {
        Duration::from_micros(COUNTS_FOR.unsigned_abs())
    }

    #[test]
    fn no_hour_has_more_queries_than_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut sent: Vec<DateTime<Utc>> = Vec::new();
        let mut now = noon();
        for number in 0..40 {
            // Another process opens the ledger each time.
            let mut ledger = Ledger::open(&path, SECOND).unwrap();
            match ledger.record_query(&lane(3), now).unwrap() {
                QueryTurn::Yours => sent.push(now),
                QueryTurn::Wait(wait) => {
                    assert!(wait <= hour());
                    now += TimeDelta::from_std(wait).unwrap();
                }
            }
            now += TimeDelta::minutes(number % 7);
        }
        assert!(sent.len() > 12, "{}", sent.len());
        for some in sent.windows(4) {
            assert!(some[3] - some[0] > TimeDelta::hours(1), "{sent:?}");
        }
    }

    #[test]
    fn a_clock_jump_costs_at_most_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.db"), SECOND).unwrap();
        let hours = [24 * 365, 0, -24 * 365, -3, 1];
        for now in hours.map(|hours| noon() + TimeDelta::hours(hours)) {
            if let QueryTurn::Wait(wait) = ledger.record_query(&lane(1), now).unwrap() {
                assert!(wait <= hour(), "{wait:?}");
                let waited = now + TimeDelta::from_std(wait).unwrap();
                let slot = ledger.record_query(&lane(1), waited).unwrap();
                assert_eq!(slot, QueryTurn::Yours);
            }
        }
    }

    #[test]
    fn the_time_is_what_the_queries_then_take() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.db"), SECOND).unwrap();
        let lane = lane(30);
        let mut time = |queries| ledger.find_query_time(&lane, queries, noon()).unwrap();
        assert_eq!(time(30), Duration::ZERO);
        assert_eq!(time(31), hour());
        assert_eq!(time(120), hour() * 3);
        assert_eq!(time(121), hour() * 4);
        assert_eq!(time(30 * 1_000_000_000), hour() * 999_999_999);
        for _ in 0..30 {
            let slot = ledger.record_query(&lane, noon()).unwrap();
            assert_eq!(slot, QueryTurn::Yours);
            ledger.record_query_answered(&lane, noon()).unwrap();
        }
        let later = noon() + TimeDelta::minutes(10);
        let left = Duration::from_secs(3600 - 600);
        assert_eq!(ledger.find_query_time(&lane, 1, later).unwrap(), left);
        let slot = ledger.record_query(&lane, later).unwrap();
        assert_eq!(slot, QueryTurn::Wait(left));
    }

    #[test]
    fn few_queries_are_under_way_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledgers: Vec<Ledger> = (0..5)
            .map(|_| Ledger::open(&path, SECOND).unwrap())
            .collect();
        let take = |ledger: &Ledger| ledger.take_query_place(&lane(30)).unwrap();
        let mut places: Vec<Option<QueryPlace>> = ledgers.iter().map(take).collect();
        let taken: Vec<bool> = places.iter().map(Option::is_some).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        let other = QueryLane {
            id: ProjectId::new(43).unwrap(),
            ..lane(30)
        };
        let of_other = ledgers[4].take_query_place(&other).unwrap();
        assert!(of_other.is_some(), "another project's");
        places[1] = None;
        let next = take(&ledgers[3]);
        assert!(next.is_some(), "it is free at once");
        assert!(take(&ledgers[4]).is_none());
    }

    #[test]
    fn an_answered_query_counts_in_the_hour_from_its_answer() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.db"), SECOND).unwrap();
        let lane = lane(1);
        assert_eq!(
            ledger.record_query(&lane, noon()).unwrap(),
            QueryTurn::Yours
        );
        let until_free = |ledger: &mut Ledger| ledger.find_query_time(&lane, 1, noon()).unwrap();
        assert_eq!(until_free(&mut ledger), hour());
        ledger.record_query_answered(&lane, noon()).unwrap();
        assert_eq!(until_free(&mut ledger), Duration::from_secs(3600));
    }

    #[test]
    fn a_429_holds_the_queries_of_every_process_and_no_other_call() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = Ledger::open(&path, SECOND).unwrap();
        let until = noon() + TimeDelta::minutes(5);
        ledger.record_query_block(&lane(30), until, noon()).unwrap();
        let mut other = Ledger::open(&path, SECOND).unwrap();
        let slot = other.record_query(&lane(30), noon()).unwrap();
        assert_eq!(slot, QueryTurn::Wait(Duration::from_secs(300)));
        let calls = Lane {
            project: ProjectKey::restore("k".to_owned()),
            rate: Rate::default(),
        };
        assert_eq!(other.record_slot(&calls, noon()).unwrap(), Slot::Yours);
    }
}
