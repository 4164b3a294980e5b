//! Checks whether the people of a deletion are gone. Only the trail keeps what they found.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{CheckedPeople, ErasureCheck, RequestId};

use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::moment;
use crate::ledger::sql;
use crate::ledger::{Ledger, LedgerError};

impl Ledger {
    /// Records what a check found. Once Mixpanel was asked about the profile of everyone, the ids of
    /// the deletion need not stay.
    pub fn record_erasure_check(
        &mut self,
        request: &RequestId,
        found: &CheckedPeople,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        audit::demand_held(&tx, request)?;
        if found.not_done == 0 && found.profile_not_asked() == 0 {
            let sql = "UPDATE requests SET to_verify = 0 WHERE id = $1 AND to_verify <> 0";
            sql::execute(&tx, sql, [request.as_str()])?;
        }
        let (event, subject) = (AuditEvent::ErasureChecked, EntrySubject::Request(request));
        audit::tell(&tx, event, subject, json!(found), now)?;
        tx.commit()
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
}
