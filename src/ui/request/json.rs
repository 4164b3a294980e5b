//! The JSON shapes of requests and jobs; scripts rely on them.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::domain::{JobState, Kind};
use crate::ledger::{AnswerAge, JobRecord, RequestRecord};
use crate::ui::drawing::json::{SCHEMA, time};

use super::dates::{Dates, days_late};
use super::shown::Polling;

/// A request as the ledger has it, without its jobs.
pub(crate) fn request(request: &RequestRecord, today: NaiveDate) -> Map<String, Value> {
    let asked = &request.asked;
    let value = json!({
        "id": request.id.as_str(),
        "kind": asked.operation.kind(),
        "law": asked.operation.law(),
        "disclosure": asked.operation.disclosure(),
        "project": asked.project.as_str(),
        "ref": asked.reference,
        "received": asked.received.to_string(),
        "due": asked.due.to_string(),
        "created": time(request.created),
        "ids": {
            "read": asked.read,
            "unique": asked.unique,
            "duplicates": asked.read.saturating_sub(asked.unique + asked.excluded),
            "excluded": asked.excluded,
            "refused": request.count_ids(|group| group.state == JobState::Refused),
        },
        "linked_ids": request.count_ids(|group| group.is_linked),
        "state": request.state().as_str(),
        "plan": asked.plan,
        "answered": request.answer.as_ref().map(|answer| json!({
            "on": answer.day.to_string(),
            "manner": answer.manner,
            "days_late": days_late(request),
            "recorded_at": time(answer.at),
        })),
        "copies": (asked.operation.kind() == Kind::Delete).then_some(&request.copies),
        "checked_at": match request.answered {
            AnswerAge::At(oldest) => Some(time(oldest)),
            AnswerAge::Never | AnswerAge::NotOpen => None,
        },
    });
    Dates::of_request(request).added_to(value, today)
}

pub(crate) fn job(job: &JobRecord) -> Value {
    json!({
        "id": job.id.to_string(),
        "ids": job.ids,
        "state": job.state,
        "reason": job.reason,
        "possible_duplicate": job.is_possible_duplicate(),
        "carried_out": job.carried_out().as_str(),
        "task_id": job.task.as_ref().map(|task| task.as_str()),
        "subject_request_id": job.subject.to_string(),
        "attempts": job.sent,
        "mixpanel_status": job.mixpanel_status,
        "submitted_at": job.submitted_at.map(time),
        "checked_at": job.checked_at.map(time),
        "next_check_at": job.next_check.map(time),
        "not_before": job.not_before.map(time),
        "abandoned_at": job.abandoned_at.map(time),
        "linked": job.is_linked,
    })
}

pub(crate) fn polling(polling: Polling) -> Value {
    json!({ "due": polling.due, "seconds": polling.time.as_secs_f64() })
}

/// A changed job, on a line of its own.
pub(crate) fn job_line(record: &JobRecord) -> Value {
    let request = record.id.request.as_str();
    json!({ "schema": SCHEMA, "request_id": request, "job": job(record) })
}
