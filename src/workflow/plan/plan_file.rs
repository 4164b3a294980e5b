//! Writes a plan to a file for others to approve, and reads it back.

use std::num::NonZeroUsize;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{
    Actor, LedgerKey, Operation, Period, PlanDigest, PlanRecord, Project, Region,
    confirmation_date, due_date,
};
use crate::intake::{Counts, Intake, IntakeError, LetterCase, Restoring};
use crate::plan_file::{self, Header, HowHashed, PlanFile, PlanFileError};

use super::ready::{Plan, RequestTerms};
use crate::workflow::{MAX_SKEW, NotReady};

/// Why a plan was not written or read. Nothing was recorded or sent.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    #[error(transparent)]
    File(#[from] PlanFileError),
    #[error(transparent)]
    Ids(#[from] IntakeError),
    #[error(transparent)]
    Shown(#[from] NotReady),
}

/// What no longer fits a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Outdated {
    #[error("project `{project}` is in the region {now}, and the plan was made for {planned}")]
    Region {
        project: String,
        planned: &'static str,
        now: &'static str,
    },
    #[error("project `{project}` is at {now}, and the plan was made for {planned}")]
    Service {
        project: String,
        planned: String,
        now: String,
    },
    #[error("the project token of `{project}` has changed since the plan was made")]
    Token { project: String },
    #[error("with the project's holidays, the due date is {now}; the plan has {planned}")]
    Due { planned: NaiveDate, now: NaiveDate },
    #[error("with the project's holidays, the day to confirm receipt is not the day in the plan")]
    ConfirmBy,
    #[error("the plan was made on {made}, which is in the future by this machine's clock ({now})")]
    Future { made: String, now: String },
    #[error("the plan was made on {made} and expired on {until}")]
    Expired { made: NaiveDate, until: NaiveDate },
    #[error("the plan needs {} and has {}", approvals_by_others(*.needed), given_text(*.given))]
    NotEnoughApprovals { needed: usize, given: usize },
}

fn given_text(given: usize) -> String {
    match given {
        0 => "none".to_owned(),
        _ => format!("{given}"),
    }
}

fn approvals_by_others(needed: usize) -> String {
    match needed {
        1 => "1 approval by another person".to_owned(),
        _ => format!("{needed} approvals by other people"),
    }
}

/// Writes a plan to a new file.
///
/// # Errors
/// When it cannot be written, or the plan can only be shown.
pub fn write_plan(
    path: &Path,
    plan: &Plan,
    key: &LedgerKey,
    by: &Actor,
    at: DateTime<Utc>,
) -> Result<PlanDigest, PlanningError> {
    let ids = plan.ids()?;
    let header = header_of(plan, by, at);
    plan_file::write(path, &header, key, || {
        ids.batches(plan.limit())
            .map(|batch| batch.map_err(PlanningError::Ids))
    })
}

fn header_of(plan: &Plan, by: &Actor, at: DateTime<Utc>) -> Header {
    let project = &plan.project;
    Header {
        operation: plan.order.operation,
        project: project.name.clone(),
        region: project.region,
        service: project.api_url.service().to_owned(),
        project_key: project.key(),
        reference: plan.order.reference.clone(),
        received: plan.order.received,
        due: plan.deadline.due,
        confirm_by: plan.confirm_by,
        source: plan.order.source.clone(),
        excluded_source: excluded_labels(plan).join(", "),
        exclusions: plan.exclusions.clone(),
        read: plan.counts.read,
        unique: plan.counts.unique,
        excluded: plan.counts.excluded,
        hashed: plan.hashed.as_ref().map(|hashed| HowHashed {
            function: hashed.function.to_owned(),
            prefix: hashed.prefix.clone(),
            lowercase: hashed.case == LetterCase::Lowered,
        }),
        warnings: plan.warned.clone(),
        batch: plan.limit(),
        rate: project.rate,
        created: at,
        created_by: by.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn excluded_labels(plan: &Plan) -> Vec<&str> {
    let exclusions = plan.exclusions.iter();
    exclusions.map(|exclusion| &*exclusion.source).collect()
}

/// Checks that a plan file still fits its project's settings, its due date and its approvals.
/// `needed` is the number of approvals that a deletion must have.
///
/// # Errors
/// The first difference.
pub fn check_fit(
    file: &PlanFile,
    project: &Project,
    needed: usize,
    now: DateTime<Utc>,
) -> Result<(), Outdated> {
    let header = file.header();
    let name = || project.name.to_string();
    let service = project.api_url.service();
    if project.region != header.region {
        return Err(Outdated::Region {
            project: name(),
            planned: Region::as_str(header.region),
            now: project.region.as_str(),
        });
    }
    if service != header.service {
        return Err(Outdated::Service {
            project: name(),
            planned: header.service.clone(),
            now: service.to_owned(),
        });
    }
    if project.key() != header.project_key {
        return Err(Outdated::Token { project: name() });
    }
    let law = header.operation.law();
    let due = due_date(law, Period::First, header.received, &project.holidays).due;
    if due != header.due {
        return Err(Outdated::Due {
            planned: header.due,
            now: due,
        });
    }
    if confirmation_date(law, header.received, &project.holidays) != header.confirm_by {
        return Err(Outdated::ConfirmBy);
    }
    if header.created > now + MAX_SKEW {
        let text = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC").to_string();
        return Err(Outdated::Future {
            made: text(header.created),
            now: text(now),
        });
    }
    if now > header.expires() {
        return Err(Outdated::Expired {
            made: header.created.date_naive(),
            until: header.expires().date_naive(),
        });
    }
    let given = file.approvals().len();
    match header.operation {
        Operation::Delete(_) if given < needed => {
            Err(Outdated::NotEnoughApprovals { needed, given })
        }
        Operation::Delete(_) | Operation::Export(_) => Ok(()),
    }
}

/// Restores the plan in a file whose approvals and fit were checked. A job holds no more ids than
/// planned. The project and `learned` (the server's known limit) may allow fewer now. Ids that do
/// not fit into memory go to an unnamed file in `folder`.
///
/// # Errors
/// When the ids do not match the header, or cannot be kept.
pub fn restore_plan(
    file: &PlanFile,
    project: Project,
    key: &LedgerKey,
    learned: Option<NonZeroUsize>,
    folder: &Path,
) -> Result<Plan, PlanningError> {
    let header = file.header();
    let mut restoring = Restoring::new(folder);
    file.read_ids(key, &mut |id| restoring.put(id).map_err(PlanningError::Ids))?;
    let order = RequestTerms {
        operation: header.operation,
        reference: header.reference.clone(),
        received: header.received,
        source: header.source.clone(),
        named_id: None,
    };
    let restored = Intake {
        counts: Counts {
            read: header.read,
            unique: header.unique,
            excluded: header.excluded,
        },
        ids: Some(restoring.finish()?),
        exclusions: header.exclusions.clone(),
        ..Intake::default()
    };
    let mut plan = Plan::new(order, project, &restored);
    plan.allow_at_most(header.batch);
    if let Some(learned) = learned {
        plan.allow_at_most(learned);
    }
    let approvals = file.approvals().iter();
    plan.made_of = Some(PlanRecord {
        digest: *file.digest(),
        created: header.created,
        created_by: header.created_by.clone(),
        approvals: approvals.map(|a| (a.by.clone(), a.at)).collect(),
    });
    Ok(plan)
}
