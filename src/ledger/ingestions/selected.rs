//! The trail of retention windows: which profiles they ended for, by counts.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use crate::domain::{ProjectName, RetentionWindow};
use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::{Ledger, LedgerError};

/// A selection to record. Has no id and no value.
#[derive(Debug, Clone, Copy)]
pub struct ProfilesSelected<'a> {
    pub project: &'a ProjectName,
    pub window: RetentionWindow,
    /// The property with the time.
    pub by: &'a str,
    pub limit: NaiveDate,
    pub profiles: usize,
    pub selected: usize,
    pub not_judged: usize,
}

impl Ledger {
    /// Records a selection in the trail, and returns the number of its entry.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_profiles_selected(
        &mut self,
        found: &ProfilesSelected<'_>,
        now: DateTime<Utc>,
    ) -> Result<u64, LedgerError> {
        let details = json!({
            "project": found.project.as_str(),
            "window": found.window.to_string(),
            "by": found.by,
            "limit": found.limit.to_string(),
            "profiles": found.profiles,
            "selected": found.selected,
            "not_judged": found.not_judged,
        });
        let tx = self.write()?;
        let (event, subject) = (AuditEvent::ProfilesSelected, EntrySubject::Ledger);
        audit::tell(&tx, event, subject, details, now)?;
        tx.commit_seen()?;
        Ok(self.audit_head()?.count)
    }
}
