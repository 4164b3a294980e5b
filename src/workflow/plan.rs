use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use chrono::NaiveDate;

use crate::domain::{
    Confirmed, Deadline, Disclosure, DistinctId, Exclusion, Operation, Period, PlanRecord, Project,
    confirmation_date, due_date,
};
use crate::intake::{Batches, Counts, Hashed, Intake, Reading, UniqueIds};
use crate::ledger::NewRequest;
use crate::plan_file::Warned;

/// What the operator ordered, for each of the projects.
#[derive(Debug, Clone)]
pub struct RequestTerms {
    pub operation: Operation,
    /// The operator's own ticket number.
    pub reference: Option<String>,
    /// The day the person asked; the legal clock starts there.
    pub received: NaiveDate,
    /// What the ids were read from; never an id.
    pub source: String,
    /// The id that was typed as a bare word: shown to whoever typed it, recorded nowhere.
    pub named_id: Option<DistinctId>,
}

/// What will be done in one project: shown before it is done, and done as shown.
#[derive(Debug, Clone)]
pub struct Plan {
    pub order: RequestTerms,
    pub project: Project,
    pub deadline: Deadline,
    /// The last day to confirm receipt, where the law asks for that.
    pub confirm_by: Option<NaiveDate>,
    pub counts: Counts,
    /// How the ids were made of what was read, if they were hashed.
    pub hashed: Option<Hashed>,
    /// How the sources were read, and those of the ids that are left out.
    pub readings: Vec<Reading>,
    pub excluded_readings: Vec<Reading>,
    /// What became of each file whose ids are left out.
    pub exclusions: Vec<Exclusion>,
    /// What looked suspicious about the ids.
    pub warned: Vec<Warned>,
    /// The plan file it was taken from.
    pub made_of: Option<PlanRecord>,
    /// A job holds no more, whatever the project allows.
    at_most: Option<NonZeroUsize>,
    /// None where the plan is only shown.
    ids: Option<Rc<UniqueIds>>,
}

/// A plan that may be carried out. A deletion becomes one only with the operator's word for it.
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
    ids: Rc<UniqueIds>,
}

/// Why a plan may not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotApproved {
    #[error("a deletion of {planned} ids was planned, and one of {confirmed:?} was confirmed")]
    NotConfirmed {
        planned: usize,
        confirmed: Option<usize>,
    },
    #[error("the plan was made to be shown only")]
    ShownOnly,
}

impl Plan {
    /// Plans the order for one project. Where the ids were not kept, it can be shown and not be
    /// carried out.
    pub fn new(order: RequestTerms, project: Project, intake: &Intake) -> Self {
        let law = order.operation.law();
        Self {
            deadline: due_date(law, Period::First, order.received, &project.holidays),
            confirm_by: confirmation_date(law, order.received, &project.holidays),
            counts: intake.counts,
            hashed: intake.hashed.clone(),
            readings: intake.readings.clone(),
            excluded_readings: intake.excluded_readings.clone(),
            exclusions: intake.exclusions.clone(),
            warned: warned(intake),
            made_of: None,
            at_most: None,
            ids: intake.ids.clone(),
            order,
            project,
        }
    }

    /// Lets no job hold more ids than this.
    pub fn allow_at_most(&mut self, limit: NonZeroUsize) {
        self.at_most = self.at_most.into_iter().chain([limit]).min();
    }

    /// Why a job holds one id, whatever the project allows.
    ///
    /// Mixpanel delivers categories as lists of names, without any id: those of several people could
    /// not be told apart (End User Data Management).
    pub fn why_one_id_a_job(&self) -> Option<&'static str> {
        let is_categories = self.order.operation.disclosure() == Some(Disclosure::Categories);
        is_categories.then_some(
            "a categories export names no id, so the categories of several people cannot be told apart",
        )
    }

    /// The most ids that one job may hold.
    pub fn limit(&self) -> NonZeroUsize {
        let allowed = match self.why_one_id_a_job() {
            Some(_) => NonZeroUsize::MIN,
            None => self.project.limits.for_kind(self.order.operation.kind()),
        };
        self.at_most.map_or(allowed, |limit| limit.min(allowed))
    }

    /// The ids themselves.
    ///
    /// # Errors
    /// When they were not kept.
    pub(super) fn ids(&self) -> Result<Rc<UniqueIds>, NotApproved> {
        self.ids.clone().ok_or(NotApproved::ShownOnly)
    }

    pub fn job_count(&self) -> usize {
        self.counts.unique.div_ceil(self.limit().get())
    }

    /// How many ids each job has, in their order.
    pub fn job_sizes(&self) -> impl ExactSizeIterator<Item = usize> {
        let (unique, limit) = (self.counts.unique, self.limit().get());
        (0..self.job_count()).map(move |job| limit.min(unique - job * limit))
    }

    /// How long the submission takes at the project's rate.
    pub fn time(&self) -> Duration {
        self.project.rate.time_for(self.job_count())
    }

    /// Approves an export as it is, and a deletion if it is what the operator confirmed.
    ///
    /// # Errors
    /// When a deletion was not confirmed, or another number of ids was; or when the ids are not
    /// there, since the plan was made to be shown only.
    pub fn approve(self, confirmed: Option<&Confirmed>) -> Result<Approved, NotApproved> {
        let planned = self.counts.unique;
        match (self.order.operation, confirmed.map(Confirmed::ids)) {
            (Operation::Export(_), _) => {}
            (Operation::Delete(_), Some(ids)) if ids == planned => {}
            (Operation::Delete(_), confirmed) => {
                return Err(NotApproved::NotConfirmed { planned, confirmed });
            }
        }
        let ids = self.ids()?;
        Ok(Approved { plan: self, ids })
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
            confirm_by: self.confirm_by,
            source: self.order.source.clone(),
            read: self.counts.read,
            unique: self.counts.unique,
            excluded: self.counts.excluded,
            plan: self.made_of.clone(),
        }
    }
}

impl Approved {
    pub fn job_count(&self) -> usize {
        self.plan.job_count()
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The ids of each job, in their order.
    pub(super) fn batches(&self) -> Batches<'_> {
        self.ids.batches(self.plan.limit())
    }
}

fn warned(intake: &Intake) -> Vec<Warned> {
    let warnings = intake.warnings.iter().map(|warning| Warned {
        kind: warning.kind.word().to_owned(),
        message: warning.kind.to_string(),
        count: warning.count,
    });
    warnings.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::*;
    use crate::intake::{self, Keep, ReadOptions, Source};

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
            zone: ProjectZone::default(),
            auth: None,
        };
        let order = RequestTerms {
            operation,
            reference: None,
            received: "2026-11-20".parse().unwrap(),
            source: String::new(),
            named_id: None,
        };
        let ids: Vec<Source> = (0..ids)
            .chain(0..3)
            .map(|n| Source::Id(format!("user-{n}")))
            .collect();
        let options = ReadOptions::default();
        let keep = Keep::Ids(Path::new("/nowhere"));
        let intake = intake::read(&ids, &[], &options, keep, &mut |_| ()).unwrap();
        Plan::new(order, project, &intake)
    }

    #[test]
    fn a_deletion_and_an_export_are_cut_by_their_own_limits() {
        let sizes = |plan: &Plan| -> Vec<usize> {
            let approved = plan
                .clone()
                .approve(Confirmed::by_typed_count("1234", 1234).as_ref());
            let approved = approved.unwrap();
            let batches: Vec<usize> = approved.batches().map(|b| b.unwrap().count()).collect();
            assert_eq!(batches, plan.job_sizes().collect::<Vec<_>>());
            batches
        };
        let deletion = plan(Operation::Delete(Law::Gdpr), 1234);
        assert_eq!(sizes(&deletion), [500, 500, 234]);
        assert_eq!(
            (deletion.counts.unique, deletion.counts.duplicates()),
            (1234, 3)
        );
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

    #[test]
    fn a_plan_without_its_ids_is_shown_and_not_carried_out() {
        let mut shown = plan(Operation::Export(RetrievalScope::Gdpr), 7);
        shown.ids = None;
        assert_eq!(shown.job_sizes().collect::<Vec<_>>(), [7]);
        let error = shown.approve(None).unwrap_err();
        assert!(matches!(error, NotApproved::ShownOnly), "{error}");
    }
}
