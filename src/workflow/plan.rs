use std::time::Duration;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::domain::{Batch, Confirmed, Deadline, Operation, Project, cut, due_date};
use crate::intake::{Hashed, Intake};
use crate::ledger::NewRequest;

/// What the operator ordered, for each of the projects.
#[derive(Debug, Clone)]
pub struct Order {
    pub operation: Operation,
    /// The operator's own ticket number.
    pub reference: Option<String>,
    /// The day the person asked; the legal clock starts there.
    pub received: NaiveDate,
    /// What the ids were read from; never an id.
    pub source: String,
}

/// What will be done in one project: shown before it is done, and done as shown.
#[derive(Debug, Clone)]
pub struct Plan {
    pub order: Order,
    pub project: Project,
    pub deadline: Deadline,
    /// Values read, repeated ones included.
    pub read: usize,
    /// How the ids were made of what was read, if they were hashed.
    pub hashed: Option<Hashed>,
    pub batches: Vec<Batch>,
}

/// A plan that may be carried out. A deletion becomes one only with the operator's word for it.
#[derive(Debug)]
pub struct Approved(Plan);

/// The confirmation does not fit the plan.
#[derive(Debug, thiserror::Error)]
#[error("a deletion of {planned} ids was planned, and one of {confirmed:?} was confirmed")]
pub struct NotApproved {
    planned: usize,
    confirmed: Option<usize>,
}

impl Plan {
    /// Cuts the ids into jobs by the project's limits.
    pub fn new(order: Order, project: Project, intake: &Intake) -> Self {
        let limit = project.limits.for_kind(order.operation.kind());
        let law = order.operation.law();
        Self {
            deadline: due_date(law, order.received, &project.holidays),
            read: intake.read,
            hashed: intake.hashed.clone(),
            batches: cut(intake.ids.clone(), limit),
            order,
            project,
        }
    }

    pub fn unique(&self) -> usize {
        self.batches.iter().map(Batch::count).sum()
    }

    pub fn duplicates(&self) -> usize {
        self.read - self.unique()
    }

    /// How long the submission takes at the project's rate.
    pub fn time(&self) -> Duration {
        self.project.rate.time_for(self.batches.len())
    }

    /// Approves an export as it is, and a deletion if it is what the operator confirmed.
    ///
    /// # Errors
    /// When a deletion was not confirmed, or another number of ids was.
    pub fn approve(self, confirmed: Option<&Confirmed>) -> Result<Approved, NotApproved> {
        match (self.order.operation, confirmed.map(Confirmed::ids)) {
            (Operation::Export(_), _) => Ok(Approved(self)),
            (Operation::Delete(_), Some(ids)) if ids == self.unique() => Ok(Approved(self)),
            (Operation::Delete(_), confirmed) => Err(NotApproved {
                planned: self.unique(),
                confirmed,
            }),
        }
    }

    /// SHA-256 over the ids in their order as texts: the same for the same set, however it came.
    fn ids_digest(&self) -> String {
        let ids = self.batches.iter().flat_map(|batch| batch.ids());
        let mut ids: Vec<&str> = ids.map(|id| id.expose()).collect();
        ids.sort_unstable();
        let mut hash = Sha256::new();
        for id in ids {
            hash.update(id);
            // No id holds a line break, so no two sets run together.
            hash.update("\n");
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The plan as the ledger records it.
    pub fn to_request(&self) -> NewRequest {
        NewRequest {
            operation: self.order.operation,
            project: self.project.name.clone(),
            project_key: self.project.key(),
            region: self.project.region,
            reference: self.order.reference.clone(),
            received: self.order.received,
            due: self.deadline.due,
            source: self.order.source.clone(),
            read: self.read,
            unique: self.unique(),
            ids_digest: self.ids_digest(),
        }
    }
}

impl Approved {
    pub fn job_count(&self) -> usize {
        self.0.batches.len()
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::*;
    use indexmap::IndexSet;

    fn plan(operation: Operation, ids: usize) -> Plan {
        let api_url = ApiUrl::parse("http://127.0.0.1:1").unwrap();
        let project = Project {
            name: ProjectName::new("acme").unwrap(),
            token: ProjectToken::new("0123456789abcdef0123456789abcdef").unwrap(),
            region: Region::Us,
            api_url,
            limits: BatchLimits::default(),
            rate: Rate::default(),
            callbacks: Vec::new(),
            holidays: Vec::new(),
        };
        let order = Order {
            operation,
            reference: None,
            received: "2026-11-20".parse().unwrap(),
            source: String::new(),
        };
        let ids: IndexSet<_> = (0..ids)
            .map(|n| DistinctId::new(&format!("user-{n}")).unwrap())
            .collect();
        let read = ids.len() + 3;
        let intake = Intake {
            ids,
            read,
            ..Intake::default()
        };
        Plan::new(order, project, &intake)
    }

    #[test]
    fn a_deletion_and_an_export_are_cut_by_their_own_limits() {
        let sizes = |plan: &Plan| -> Vec<usize> { plan.batches.iter().map(Batch::count).collect() };
        let deletion = plan(Operation::Delete(Law::Gdpr), 1234);
        assert_eq!(sizes(&deletion), [500, 500, 234]);
        assert_eq!((deletion.unique(), deletion.duplicates()), (1234, 3));
        assert_eq!(deletion.time(), Duration::from_secs(2));
        let export = plan(Operation::Export(RetrievalScope::Gdpr), 1234);
        assert_eq!(sizes(&export), [1234]);
    }

    #[test]
    fn a_deletion_is_approved_only_as_it_was_confirmed() {
        let deletion = || plan(Operation::Delete(Law::Ccpa), 7);
        assert!(deletion().approve(None).is_err());
        let other = Confirmed::by_typed_count("8", 8);
        assert!(deletion().approve(other.as_ref()).is_err());
        let same = Confirmed::by_typed_count("7", 7);
        assert!(deletion().approve(same.as_ref()).is_ok());
        assert!(
            plan(Operation::Export(RetrievalScope::Gdpr), 7)
                .approve(None)
                .is_ok()
        );
    }
}
