// The tests keep the plan open that they approve, which Windows does not allow.
#[cfg(unix)]
mod approvals;
mod files;
mod tampering;

use std::num::NonZeroUsize;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::*;
use crate::domain::{
    Actor, IdLines, Law, LedgerKey, Operation, PlanDigest, ProjectKey, ProjectName, Rate, Region,
};

fn key(byte: u8) -> LedgerKey {
    LedgerKey::restore([byte; 32])
}

fn actor(user: &str) -> Actor {
    Actor::new(user, "desk-1")
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn header(ids: usize) -> Header {
    Header {
        operation: Operation::Delete(Law::Gdpr),
        project: ProjectName::new("shop").unwrap(),
        region: Region::Eu,
        service: "https://eu.mixpanel.com/api/app".to_owned(),
        project_key: ProjectKey::restore("0123456789abcdef".repeat(2)),
        reference: Some("T-1".to_owned()),
        received: "2026-11-20".parse().unwrap(),
        due: "2026-12-21".parse().unwrap(),
        confirm_by: None,
        source: "`ids.csv`".to_owned(),
        excluded_source: String::new(),
        exclusions: Vec::new(),
        read: ids + 1,
        unique: ids,
        excluded: 0,
        hashed: None,
        warnings: vec![Warned {
            kind: "date".to_owned(),
            message: "in the form of a date".to_owned(),
            count: 1,
        }],
        batch: NonZeroUsize::new(500).unwrap(),
        rate: Rate::default(),
        created: moment("2026-11-22T10:00:00Z"),
        created_by: actor("anna"),
        version: "0.1.0".to_owned(),
    }
}

fn batches(ids: &[String]) -> impl Iterator<Item = Result<IdLines, PlanFileError>> {
    ids.chunks(500).map(|batch| {
        let text = batch.iter().map(|id| format!("{id}\n")).collect();
        Ok(IdLines::new(text).unwrap())
    })
}

fn write_ids(path: &Path, ids: &[String]) -> PlanDigest {
    write(path, &header(ids.len()), &key(7), || batches(ids)).unwrap()
}

fn users(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("user-{n}@x.test")).collect()
}

fn read_all(plan: &PlanFile, key: &LedgerKey) -> Result<Vec<String>, PlanFileError> {
    let mut ids = Vec::new();
    plan.read_ids(key, &mut |id| {
        ids.push(id.to_owned());
        Ok::<_, PlanFileError>(())
    })?;
    Ok(ids)
}
