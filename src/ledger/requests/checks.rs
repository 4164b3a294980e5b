//! Checks whether the people of a deletion are gone, and the copies of their data that the operator
//! dealt with. Only the trail keeps them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::{CheckedPeople, CopyName, CopyTick, ErasureCheck, ProfilesFound, RequestId};

use super::history::doer;
use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{moment, unreadable};
use crate::ledger::engine::{Connection, params_from_iter};
use crate::ledger::sql;
use crate::ledger::{Ledger, LedgerError};

/// The copies that an entry of the trail names.
#[derive(Serialize, Deserialize)]
struct ToldCopies {
    done: Vec<String>,
    withdrawn: Vec<String>,
}

impl Ledger {
    /// Records what a check found. Once a whole check found that nobody has a profile, the ids of the
    /// deletion need not stay.
    pub fn record_erasure_check(
        &mut self,
        request: &RequestId,
        found: &CheckedPeople,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        audit::demand_held(&tx, request)?;
        if found.not_done == 0 && found.with_profile == 0 && found.is_whole_of_profiles() {
            let sql = "UPDATE requests SET to_verify = 0 WHERE id = $1 AND to_verify <> 0";
            sql::execute(&tx, sql, [request.as_str()])?;
        }
        let (event, subject) = (AuditEvent::ErasureChecked, EntrySubject::Request(request));
        audit::tell(&tx, event, subject, json!(found), now)?;
        tx.commit()
    }

    /// The profiles that checks of a request found, and that no later check shows to be gone. Of
    /// several checks, the one that found the most counts.
    pub fn find_profiles_found(
        &self,
        request: &RequestId,
    ) -> Result<Option<ProfilesFound>, LedgerError> {
        let sql = "SELECT at, details FROM audit
             WHERE request = $1 AND job IS NULL AND event = $2 ORDER BY seq";
        let values = [request.as_str(), AuditEvent::ErasureChecked.as_str()];
        let checks: Vec<(DateTime<Utc>, CheckedPeople)> =
            sql::list(&self.conn, sql, values, |row| {
                let found = serde_json::from_str(&row.get::<String>("details")?);
                let found: CheckedPeople = found.map_err(|_| unreadable("a check"))?;
                Ok((moment(row, "at")?, found))
            })?;
        let mut open: Option<ProfilesFound> = None;
        for (at, found) in checks {
            let count = found.with_profile;
            if found.is_whole_of_profiles() || open.is_none_or(|open| open.count <= count) {
                open = (count > 0).then_some(ProfilesFound { at, count });
            }
        }
        Ok(open)
    }

    /// The last check of a request.
    pub fn find_erasure_check(
        &self,
        request: &RequestId,
    ) -> Result<Option<ErasureCheck>, LedgerError> {
        let sql = "SELECT at, actor_user, actor_host, details FROM audit
             WHERE request = $1 AND job IS NULL AND event = $2 ORDER BY seq DESC LIMIT 1";
        let values = [request.as_str(), AuditEvent::ErasureChecked.as_str()];
        let found = sql::find(&self.conn, sql, values, |row| {
            let (user, host): (String, String) = (row.get("actor_user")?, row.get("actor_host")?);
            let found = serde_json::from_str(&row.get::<String>("details")?);
            Ok(found
                .ok()
                .map(|found| (user, host, found, moment(row, "at"))))
        })?;
        let Some((user, host, found, at)) = found.flatten() else {
            return Ok(None);
        };
        let by = format!("{user}@{host}");
        Ok(Some(ErasureCheck { at: at?, by, found }))
    }

    /// Records which copies of the data the operator dealt with, and which were recorded by mistake.
    pub fn record_copies(
        &mut self,
        request: &RequestId,
        done: &[CopyName],
        withdrawn: &[CopyName],
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        audit::demand_held(&tx, request)?;
        let (event, subject) = (AuditEvent::CopiesRecorded, EntrySubject::Request(request));
        let told = ToldCopies {
            done: done.iter().map(CopyName::to_string).collect(),
            withdrawn: withdrawn.iter().map(CopyName::to_string).collect(),
        };
        audit::tell(&tx, event, subject, json!(told), now)?;
        tx.commit()
    }
}

/// The copies that were dealt with for each request, each since it was first recorded.
pub(crate) fn list_copies(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, Vec<CopyTick>>, LedgerError> {
    // Bound values belong to the condition.
    let sql = format!(
        "SELECT request, at, actor_user, actor_host, details FROM audit
             WHERE request IN (SELECT id FROM requests WHERE {condition})
                 AND job IS NULL AND event = '{}' ORDER BY seq",
        AuditEvent::CopiesRecorded.as_str()
    );
    let damaged = || unreadable("the copies that were dealt with");
    let mut statement = sql::prepare(conn, &sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut copies: HashMap<RequestId, Vec<CopyTick>> = HashMap::new();
    while let Some(row) = &rows.next()? {
        let told = serde_json::from_str(&row.get::<String>("details")?);
        let told: ToldCopies = told.map_err(|_| damaged())?;
        let (at, by) = (moment(row, "at")?, doer(row)?.ok_or_else(damaged)?);
        let ticks = copies.entry(RequestId::restore(row.get("request")?));
        let ticks = ticks.or_default();
        ticks.retain(|tick| !told.withdrawn.iter().any(|name| name == tick.name.as_str()));
        for name in told.done {
            let name = CopyName::new(&name).map_err(|_| damaged())?;
            if !ticks.iter().any(|tick| tick.name == name) {
                let by = by.clone();
                ticks.push(CopyTick { name, at, by });
            }
        }
    }
    Ok(copies)
}
