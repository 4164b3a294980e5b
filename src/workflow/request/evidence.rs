//! Collects the facts of a report, from the ledger alone.

use std::ops::RangeInclusive;

use chrono::NaiveDate;

use crate::domain::{IngestionKind, JobState, Kind, Law, Operation, RequestId};
use crate::ledger::{
    Course, IngestionRecord, JobGroup, JobHistory, JobRecord, KeptIds, Ledger, LedgerError,
    RequestRecord, Standing,
};
use crate::report::{
    Answer, Asked, AuditFact, DownloadFact, ExtensionFact, FetchFact, GroupFact, IdCounts,
    ImportFact, JobFacts, PackagesFact, PeriodFacts, PersonalData, ProfileDeletionFact,
    RequestFacts, RowFacts, SetBackFact, Told, period_limits, request_limits, right,
};

/// The most audit entries that a report has of a request, besides the steps of its jobs.
const MOST_DEEDS: usize = 200;

/// The head of the audit trail, or that the trail is damaged.
pub fn audit_fact(ledger: &Ledger) -> Result<AuditFact, LedgerError> {
    match ledger.audit_head() {
        Ok(head) => Ok(AuditFact::Head {
            entries: head.count,
            hash: head.hash,
            at: head.at,
        }),
        Err(LedgerError::Trail(what)) => Ok(AuditFact::Damaged { what }),
        Err(error) => Err(error),
    }
}

/// The facts of one request, without its jobs.
pub fn request_facts(ledger: &Ledger, course: &Course) -> Result<RequestFacts, LedgerError> {
    let request = &course.request;
    let operation = request.asked.operation;
    let row = row_facts(course);
    let (deeds, other_deeds) = ledger.list_deeds(&request.id, MOST_DEEDS)?;
    let fetching = FetchFact {
        finished_jobs: request.jobs_in(JobState::Done),
        fetched_jobs: course.fetched.jobs,
        last_fetched_at: course.fetched.last,
    };
    Ok(RequestFacts {
        id: row.id,
        asked: row.asked,
        answer: row.answer,
        ids: row.ids,
        jobs_count: request.count_jobs(|_| true),
        moments: ledger.list_passages(&request.id)?,
        groups: groups(request),
        setbacks: row.setbacks,
        other_setbacks: row.other_setbacks,
        fetching: (operation.kind() == Kind::Export).then_some(fetching),
        plan: request.asked.plan.clone(),
        set_backs: list_set_backs(ledger)?
            .into_iter()
            .filter(|set_back| set_back.accepted_at > request.created)
            .collect(),
        limits: request_limits(operation),
        deeds,
        other_deeds,
        erasure_check: ledger.find_erasure_check(&request.id)?,
        copies: request.copies.clone(),
        imports: list_imports(ledger, &request.id)?,
    })
}

fn list_imports(ledger: &Ledger, request: &RequestId) -> Result<Vec<ImportFact>, LedgerError> {
    let ingestions = ledger.list_ingestions_after(request)?.into_iter();
    let facts = ingestions.map(|ingestion| ImportFact {
        id: ingestion.id.as_str().to_owned(),
        at: ingestion.created,
        imported: ingestion.taken(),
        refused: ingestion.refused().len(),
        is_done: ingestion.is_done(),
        by: ingestion.by,
        source: ingestion.asked.source,
        sha256: ingestion.asked.source_digest,
        events: ingestion.records,
    });
    Ok(facts.collect())
}

/// The facts of one request in a report on a period.
pub fn row_facts(course: &Course) -> RowFacts {
    let request = &course.request;
    let asked = &request.asked;
    let ids = count_ids(course);
    let ended = match asked.operation {
        Operation::Delete(_) => course.ended,
        // An export is complete only once it is fetched.
        Operation::Export(_) => course.ended.max(course.fetched.last),
    };
    let told = request.answer.as_ref().map(|answer| Told {
        day: answer.day,
        manner: answer.manner.clone(),
    });
    RowFacts {
        id: request.id.as_str().to_owned(),
        asked: asked_facts(course),
        answer: Answer::of(&ids, asked.received, asked.due, ended, told),
        ids,
        setbacks: course.setbacks.clone(),
        other_setbacks: course.other_setbacks,
    }
}

/// The facts of a period, without its requests.
pub fn period_facts(
    ledger: &Ledger,
    from: NaiveDate,
    to: NaiveDate,
    projects: &[String],
) -> Result<PeriodFacts, LedgerError> {
    let [received_before, _, received_after] = ledger.count_received(from, to)?;
    Ok(PeriodFacts {
        from,
        to,
        projects: (!projects.is_empty()).then(|| projects.to_vec()),
        received_before,
        received_after,
        purges: ledger.list_purges()?,
        profile_deletions: list_profile_deletions(ledger, from..=to, projects)?,
        set_backs: list_set_backs(ledger)?,
        limits: period_limits(),
    })
}

fn list_profile_deletions(
    ledger: &Ledger,
    days: RangeInclusive<NaiveDate>,
    projects: &[String],
) -> Result<Vec<ProfileDeletionFact>, LedgerError> {
    let all = ledger.list_ingestions(IngestionKind::ProfileDeletion)?;
    let is_meant = |one: &IngestionRecord| {
        let project = one.asked.project.as_str();
        let is_named = projects.is_empty() || projects.iter().any(|name| name == project);
        is_named && days.contains(&one.created.date_naive())
    };
    let facts = all
        .into_iter()
        .filter(is_meant)
        .map(|one| ProfileDeletionFact {
            id: one.id.as_str().to_owned(),
            at: one.created,
            deleted: one.taken(),
            by: one.by,
            project: one.asked.project.to_string(),
            source: one.asked.source,
            profiles: one.records,
        });
    Ok(facts.collect())
}

fn list_set_backs(ledger: &Ledger) -> Result<Vec<SetBackFact>, LedgerError> {
    let lost = ledger.list_lost_times()?.into_iter();
    let facts = lost.map(|lost| SetBackFact {
        since: lost.since,
        accepted_at: lost.accepted_at,
        entries: lost.entries(),
        accepted_by: lost.by,
        reviewed: lost.review,
    });
    Ok(facts.collect())
}

/// The jobs of a request with their history, in order, read one at a time.
pub fn job_facts<'l>(
    ledger: &'l Ledger,
    request: &RequestId,
    personal_data: PersonalData,
) -> impl Iterator<Item = Result<JobFacts, LedgerError>> + use<'l> {
    let jobs = ledger.jobs(request, Standing::Any);
    jobs.map(move |job| job_fact(ledger, job?, personal_data))
}

fn job_fact(
    ledger: &Ledger,
    job: JobRecord,
    personal_data: PersonalData,
) -> Result<JobFacts, LedgerError> {
    let distinct_ids = match personal_data {
        PersonalData::Ids => ledger.find_kept_batch(&job.id)?.map(|batch| {
            let ids = batch.ids().iter();
            ids.map(|id| id.expose().to_owned()).collect()
        }),
        PersonalData::None | PersonalData::Gone => None,
    };
    let history = ledger.find_history(job)?;
    let ended = history.steps.iter().rfind(|step| step.to.is_final());
    let ended_at = ended.map(|step| step.at);
    let download = download_fact(&history);
    let carried_out = history.job.carried_out();
    let JobHistory {
        job,
        steps,
        attempts,
        kept,
        ..
    } = history;
    Ok(JobFacts {
        id: job.id.to_string(),
        ids: job.ids,
        state: job.state,
        reason: job.reason,
        task_id: job.task.map(|task| task.as_str().to_owned()),
        subject_request_id: job.subject.to_string(),
        mixpanel_status: job.mixpanel_status,
        linked: job.is_linked,
        carried_out: carried_out.as_str(),
        submitted_at: job.submitted_at,
        // An open job has no stable time: each check changes it.
        checked_at: job.checked_at.filter(|_| job.next_check.is_none()),
        ended_at,
        given_up_at: job.abandoned_at,
        attempts,
        steps,
        download,
        kept_ids: match kept {
            KeptIds::Raw => "raw",
            KeptIds::Hashed => "hashed",
            KeptIds::None => "none",
        },
        distinct_ids,
    })
}

fn download_fact(history: &JobHistory) -> Option<DownloadFact> {
    let download = history.download.as_ref()?;
    Some(DownloadFact {
        bytes: download.bytes,
        sha256: download.sha256.clone(),
        first_fetched_at: history.first_fetched_at,
        fetched_at: download.fetched_at,
        packages: history
            .packages
            .as_ref()
            .map(|(made_at, made)| PackagesFact {
                packages: made.packages,
                without_data: made.without_data,
                records: made.records,
                made_at: *made_at,
                not_in_packages: made.not_in_packages,
                released_by_operator: made.released_by_operator,
            }),
    })
}

fn asked_facts(course: &Course) -> Asked {
    let request = &course.request;
    let (asked, deadline) = (&request.asked, request.deadline());
    let operation = asked.operation;
    let law: Law = operation.law();
    Asked {
        kind: operation.kind(),
        law,
        disclosure: operation.disclosure(),
        right: right(operation),
        project: asked.project.to_string(),
        region: asked.region.as_str(),
        reference: asked.reference.clone(),
        source: asked.source.clone(),
        received: asked.received,
        created: request.created,
        submitted_at: course.submitted,
        due: deadline.due,
        due_rule: deadline.rule,
        confirm_by: asked.confirm_by,
        extension: request.extension.clone().map(|taken| ExtensionFact {
            taken,
            rule: law.notice_rule(),
        }),
    }
}

fn count_ids(course: &Course) -> IdCounts {
    let request = &course.request;
    let asked = &request.asked;
    let in_state = |state| request.count_ids(|group| group.state == state && !group.is_lost());
    let done = in_state(JobState::Done);
    let carried_out = match asked.operation {
        Operation::Delete(_) => done,
        Operation::Export(_) => course.fetched.ids.min(done),
    };
    IdCounts {
        read: asked.read,
        unique: asked.unique,
        duplicates: asked.read.saturating_sub(asked.unique + asked.excluded),
        excluded: asked.excluded,
        carried_out,
        not_fetched: done - carried_out,
        refused: in_state(JobState::Refused),
        failed: in_state(JobState::Failed),
        revoked: in_state(JobState::Revoked),
        given_up: request.count_ids(JobGroup::is_lost),
        open: request.count_ids(|group| !group.state.is_final() && !group.is_lost()),
        unsettled: request.count_ids(|group| group.is_unsettled()),
        linked: request.count_ids(|group| group.is_linked),
    }
}

fn groups(request: &RequestRecord) -> Vec<GroupFact> {
    let groups = request.groups.iter();
    groups
        .map(|group| GroupFact {
            state: group.state,
            mixpanel_status: group.mixpanel_status.clone(),
            given_up: group.is_abandoned,
            linked: group.is_linked,
            carried_out: group.carried_out().as_str(),
            jobs: group.jobs,
            ids: group.ids,
        })
        .collect()
}
