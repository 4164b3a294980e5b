use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use chrono::NaiveDate;

use crate::domain::{
    CarriedOut, Confirmed, Deadline, Disclosure, DistinctId, Exclusion, IdsDigest, IdsKept, Kind,
    Operation, Period, PlanRecord, Project, RequestId, confirmation_date, due_date,
};
use crate::intake::{Batches, Counts, Hashed, Intake, IntakeError, Reading, UniqueIds};
use crate::ledger::NewRequest;
use crate::plan_file::Warned;
use crate::workflow::Preflight;

/// What the operator asks for in each of the projects.
#[derive(Debug, Clone)]
pub struct RequestTerms {
    pub operation: Operation,
    /// The operator's own ticket number.
    pub reference: Option<String>,
    /// The day the person asked, from which the law counts.
    pub received: NaiveDate,
    /// The name of the ids' source; never an id.
    pub source: String,
    /// An id typed as a bare word: shown to the operator, never recorded.
    pub named_id: Option<DistinctId>,
}

/// What dsr will do in one project. The operator sees it first.
#[derive(Debug, Clone)]
pub struct Plan {
    pub order: RequestTerms,
    pub project: Project,
    pub deadline: Deadline,
    /// The last day to confirm receipt, if the law requires it.
    pub confirm_by: Option<NaiveDate>,
    pub counts: Counts,
    /// How dsr hashed the ids, if it did.
    pub hashed: Option<Hashed>,
    /// How dsr read the sources, and below the sources of the ids to leave out.
    pub readings: Vec<Reading>,
    pub excluded_readings: Vec<Reading>,
    /// The result of each file of ids to leave out.
    pub exclusions: Vec<Exclusion>,
    /// What looked suspicious about the ids.
    pub warned: Vec<Warned>,
    /// Who has a profile, if Mixpanel was asked.
    pub preflight: Option<Preflight>,
    /// What earlier requests did with some of the ids, the newest first.
    pub earlier: Vec<Earlier>,
    /// The plan file behind this plan.
    pub made_of: Option<PlanRecord>,
    /// The most ids of a job, in addition to the project's limit.
    at_most: Option<NonZeroUsize>,
    /// `None` if the plan can only be shown.
    ids: Option<Rc<UniqueIds>>,
}

/// People of a plan who are in an earlier request, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub request: RequestId,
    pub kind: Kind,
    /// Whether it was carried out for them. `No` is a job that is still to be sent.
    pub carried_out: CarriedOut,
    pub people: usize,
    /// When the last of their jobs ended, or else when the request was made.
    pub day: NaiveDate,
}

/// A plan that may be carried out. A deletion needs the operator's confirmation.
#[derive(Debug)]
pub struct ReadyPlan {
    plan: Plan,
    ids: Rc<UniqueIds>,
}

/// Why a plan may not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("the plan has {planned} ids, but the confirmation is for {confirmed:?}")]
    NotConfirmed {
        planned: usize,
        confirmed: Option<usize>,
    },
    #[error("the plan was made by a dry run and cannot be sent")]
    ShownOnly,
}

impl Plan {
    /// Plans the request for one project. If the ids were not kept, the plan can only be shown.
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
            preflight: None,
            earlier: Vec::new(),
            made_of: None,
            at_most: None,
            ids: intake.ids.clone(),
            order,
            project,
        }
    }

    /// Limits the ids of a job further.
    pub fn allow_at_most(&mut self, limit: NonZeroUsize) {
        self.at_most = self.at_most.into_iter().chain([limit]).min();
    }

    /// Why a job may hold only one id, whatever the project allows.
    ///
    /// Mixpanel delivers categories as names without ids, so several people cannot be told apart
    /// (End User Data Management).
    pub fn why_one_id_a_job(&self) -> Option<&'static str> {
        let is_categories = self.order.operation.disclosure() == Some(Disclosure::Categories);
        is_categories.then_some(
            "a categories export names no id, so the categories of several people cannot be told apart",
        )
    }

    /// The most ids of one job.
    pub fn limit(&self) -> NonZeroUsize {
        let allowed = match self.why_one_id_a_job() {
            Some(_) => NonZeroUsize::MIN,
            None => self.project.limits.for_kind(self.order.operation.kind()),
        };
        self.at_most.map_or(allowed, |limit| limit.min(allowed))
    }

    /// # Errors
    /// When the plan can only be shown.
    pub(crate) fn ids(&self) -> Result<Rc<UniqueIds>, NotReady> {
        self.ids.clone().ok_or(NotReady::ShownOnly)
    }

    /// The digest of the ids, by which the ledger knows a repeated request; `None` if they were not
    /// kept.
    ///
    /// # Errors
    /// When the kept ids cannot be read.
    pub fn ids_digest(&self) -> Result<Option<String>, IntakeError> {
        let Some(ids) = &self.ids else {
            return Ok(None);
        };
        let mut digest = IdsDigest::default();
        for batch in ids.batches(self.limit()) {
            batch?.ids().for_each(|id| digest.add(id));
        }
        Ok(Some(digest.to_string()))
    }

    pub fn job_count(&self) -> usize {
        self.counts.unique.div_ceil(self.limit().get())
    }

    /// The number of ids in each job, in order.
    pub fn job_sizes(&self) -> impl ExactSizeIterator<Item = usize> {
        let (unique, limit) = (self.counts.unique, self.limit().get());
        (0..self.job_count()).map(move |job| limit.min(unique - job * limit))
    }

    /// How long sending takes at the project's rate.
    pub fn time(&self) -> Duration {
        self.project.rate.time_for(self.job_count())
    }

    /// Approves an export as it is, and a deletion that the operator confirmed.
    ///
    /// # Errors
    /// When it is a deletion, or the plan can only be shown.
    pub fn export(self) -> Result<ReadyPlan, NotReady> {
        self.ready(None)
    }

    fn ready(self, confirmed: Option<usize>) -> Result<ReadyPlan, NotReady> {
        let planned = self.counts.unique;
        match self.order.operation {
            Operation::Delete(_) if confirmed != Some(planned) => {
                Err(NotReady::NotConfirmed { planned, confirmed })
            }
            Operation::Export(_) | Operation::Delete(_) => Ok(ReadyPlan {
                ids: self.ids()?,
                plan: self,
            }),
        }
    }

    /// The request to record in the ledger.
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
            ids_kept: match self.order.operation {
                Operation::Delete(_) => self.project.ids_kept,
                Operation::Export(_) => IdsKept::UntilDone,
            },
        }
    }
}

impl ReadyPlan {
    /// Takes the deletions that the operator confirmed, one for each project.
    ///
    /// # Errors
    /// When a plan does not have the confirmed number of ids, or as [`Plan::export`].
    pub fn confirmed(plans: Confirmed<Vec<Plan>>) -> Result<Vec<Self>, NotReady> {
        let (plans, count) = plans.into_parts();
        let ready = plans.into_iter().map(|plan| plan.ready(Some(count)));
        ready.collect()
    }

    pub fn job_count(&self) -> usize {
        self.plan.job_count()
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn batches(&self) -> Batches<'_> {
        self.ids.batches(self.plan.limit())
    }
}

fn warned(intake: &Intake) -> Vec<Warned> {
    let warnings = intake.warnings.iter().map(|warning| Warned {
        kind: warning.kind.word().to_owned(),
        message: warning.kind.text(warning.count),
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
            id: None,
            queries: HourlyQueries::default(),
            callbacks: Vec::new(),
            holidays: Vec::new(),
            zone: ProjectZone::default(),
            auth: None,
            ids_kept: IdsKept::default(),
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
            let plans = vec![plan.clone()];
            let confirmed = Confirmed::by_typed_count("1234", 1234, plans).unwrap();
            let [ready] = &ReadyPlan::confirmed(confirmed).unwrap()[..] else {
                panic!("one plan was confirmed");
            };
            let batches: Vec<usize> = ready.batches().map(|b| b.unwrap().count()).collect();
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
    fn a_deletion_is_carried_out_only_as_it_was_confirmed() {
        let deletion = || plan(Operation::Delete(Law::Ccpa), 7);
        assert!(deletion().export().is_err());
        let other = Confirmed::by_typed_count("8", 8, vec![deletion()]).unwrap();
        assert!(ReadyPlan::confirmed(other).is_err());
        let same = Confirmed::by_typed_count("7", 7, vec![deletion()]).unwrap();
        assert!(ReadyPlan::confirmed(same).is_ok());
        assert!(
            plan(Operation::Export(RetrievalScope::Gdpr), 7)
                .export()
                .is_ok()
        );
    }

    #[test]
    fn a_plan_without_its_ids_is_shown_and_not_carried_out() {
        let mut shown = plan(Operation::Export(RetrievalScope::Gdpr), 7);
        shown.ids = None;
        assert_eq!(shown.job_sizes().collect::<Vec<_>>(), [7]);
        let error = shown.export().unwrap_err();
        assert!(matches!(error, NotReady::ShownOnly), "{error}");
    }
}
