//! The part of the state that the ingestion API fills: imported events, and deleted profiles.

use std::collections::BTreeSet;

use rusqlite::params;
use serde_json::Value;

use super::clock::Moment;
use super::store::{Store, immediate};
use crate::sandbox::SandboxError;

/// An event that was imported. Of several with the same four fields, the last one counts.
#[derive(Debug)]
pub(crate) struct ImportedEvent {
    pub(crate) event: String,
    /// In Unix seconds.
    pub(crate) time: i64,
    pub(crate) distinct_id: String,
    pub(crate) insert_id: String,
    pub(crate) json: Value,
}

impl Store {
    pub(crate) fn record_events(
        &mut self,
        project: &str,
        events: &[ImportedEvent],
        now: Moment,
    ) -> Result<(), SandboxError> {
        let tx = immediate(&mut self.connection)?;
        let mut insert = tx.prepare(
            "INSERT OR REPLACE INTO imported (project, event, time, distinct_id, insert_id, json, imported_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for event in events {
            insert.execute(params![
                project,
                event.event,
                event.time,
                event.distinct_id,
                event.insert_id,
                event.json.to_string(),
                now.0
            ])?;
        }
        drop(insert);
        Ok(tx.commit()?)
    }

    /// The imported events of some seconds, and when each came.
    pub(crate) fn list_imported(
        &self,
        project: &str,
        seconds: std::ops::Range<i64>,
    ) -> Result<Vec<(ImportedEvent, Moment)>, SandboxError> {
        let mut listed = self.connection.prepare(
            "SELECT event, time, distinct_id, insert_id, json, imported_at FROM imported
             WHERE project = ?1 AND time >= ?2 AND time < ?3 ORDER BY time, insert_id",
        )?;
        let mut rows = listed.query(params![project, seconds.start, seconds.end])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let event = ImportedEvent {
                event: row.get(0)?,
                time: row.get(1)?,
                distinct_id: row.get(2)?,
                insert_id: row.get(3)?,
                json: serde_json::from_str(&row.get::<_, String>(4)?)?,
            };
            found.push((event, Moment(row.get(5)?)));
        }
        Ok(found)
    }

    /// Deletes profiles, each of a project and an id.
    pub(crate) fn record_deleted_profiles(
        &mut self,
        profiles: &[(String, String)],
    ) -> Result<(), SandboxError> {
        let tx = immediate(&mut self.connection)?;
        for (project, id) in profiles {
            tx.execute(
                "INSERT OR IGNORE INTO deleted_profile (project, distinct_id) VALUES (?1, ?2)",
                [project, id],
            )?;
        }
        Ok(tx.commit()?)
    }

    pub(crate) fn list_deleted_profiles(
        &self,
        project: &str,
    ) -> Result<BTreeSet<String>, SandboxError> {
        let sql = "SELECT distinct_id FROM deleted_profile WHERE project = ?1";
        let mut listed = self.connection.prepare(sql)?;
        let ids = listed.query_map([project], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}
