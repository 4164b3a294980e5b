//! The JSON shapes of requests and jobs; scripts rely on them.

use std::io::{self, Write};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value, json};

use crate::domain::{CarriedOut, DistinctId, JobState};
use crate::intake::{Hashed, LetterCase};
use crate::ledger::{Answered, JobRecord, RequestRecord};
use crate::workflow::Plan;

use super::deadlines::{Dates, days_late};
use super::plan_file_view;
use super::readings;
use super::requests::Polling;
use super::words::steers;

/// A request as the ledger has it, without its jobs.
pub(super) fn request(request: &RequestRecord, today: NaiveDate) -> Map<String, Value> {
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
        "plan": asked.plan.as_ref().map(plan_file_view::record_object),
        "answered": request.answer.as_ref().map(|answer| json!({
            "on": answer.day.to_string(),
            "manner": answer.manner,
            "days_late": days_late(request),
            "recorded_at": time(answer.at),
        })),
        "checked_at": match request.answered {
            Answered::At(oldest) => Some(time(oldest)),
            Answered::Never | Answered::NotOpen => None,
        },
    });
    with_dates(value, &Dates::of_request(request), today)
}

fn with_dates(value: Value, dates: &Dates<'_>, today: NaiveDate) -> Map<String, Value> {
    match value {
        Value::Object(mut fields) => {
            fields.extend(dates.object(today));
            fields
        }
        _ => Map::new(),
    }
}

pub(super) fn job(job: &JobRecord) -> Value {
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

pub(super) fn polling(polling: Polling) -> Value {
    json!({ "due": polling.due, "seconds": polling.time.as_secs_f64() })
}

/// A request that is planned only: it has no ids of its own yet.
pub(super) fn plan(plan: &Plan, now: DateTime<Utc>, today: NaiveDate) -> Value {
    let jobs = plan.job_sizes().map(|ids| {
        json!({
            "id": null,
            "ids": ids,
            "state": JobState::Planned,
            "reason": null,
            "possible_duplicate": false,
            "carried_out": CarriedOut::No.as_str(),
            "task_id": null,
            "subject_request_id": null,
            "attempts": 0,
            "mixpanel_status": null,
            "submitted_at": null,
            "checked_at": null,
            "next_check_at": null,
            "not_before": null,
            "abandoned_at": null,
            "linked": false,
        })
    });
    let value = json!({
        "id": null,
        "kind": plan.order.operation.kind(),
        "law": plan.order.operation.law(),
        "disclosure": plan.order.operation.disclosure(),
        "project": plan.project.name.as_str(),
        "ref": plan.order.reference,
        "received": plan.order.received.to_string(),
        "due": plan.deadline.due.to_string(),
        "created": time(now),
        "ids": {
            "read": plan.counts.read,
            "unique": plan.counts.unique,
            "duplicates": plan.counts.duplicates(),
            "excluded": plan.counts.excluded,
            "refused": 0,
        },
        "sources": plan.readings.iter().map(readings::object).collect::<Vec<_>>(),
        "excluded_sources": plan.excluded_readings.iter().map(readings::object).collect::<Vec<_>>(),
        "exclusions": plan.exclusions,
        "named_id": plan.order.named_id.as_ref().map(DistinctId::expose),
        "hashing": plan.hashed.as_ref().map(hashed),
        "linked_ids": 0,
        "state": JobState::Planned,
        "plan": null,
        "answered": null,
        "checked_at": null,
        "submission_seconds": plan.time().as_secs_f64(),
        "one_id_a_job": plan.why_one_id_a_job(),
    });
    let mut fields = with_dates(value, &Dates::of_plan(plan), today);
    fields.insert("jobs".to_owned(), jobs.collect());
    fields.into()
}

fn hashed(hashed: &Hashed) -> Value {
    let example = hashed.example.as_ref();
    json!({
        "function": hashed.function,
        "prefix": hashed.prefix,
        "lowercase": hashed.case == LetterCase::Lowered,
        "example": example.map(|example| json!({
            "source": example.source,
            "line": example.line,
            "value": example.value,
            "id": example.id,
        })),
    })
}

/// A job on a line of its own, as it changes.
pub fn job_line(record: &JobRecord) -> Value {
    let request = record.id.request.as_str();
    json!({ "schema": super::SCHEMA, "request_id": request, "job": job(record) })
}

/// RFC 3339 in UTC.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// One line of JSON, as it is written anywhere.
pub(super) fn line(value: &Value) -> String {
    let mut line = Vec::new();
    // A vector takes everything, and what a value holds can be written.
    write(&mut line, value).ok();
    let mut line = String::from_utf8(line).unwrap_or_default();
    line.push('\n');
    line
}

/// Writes JSON that does not steer the terminal it may be written to. Every reader of JSON reads
/// the same.
pub(super) fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Printable);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(place) = rest.find(steers) {
            let (before, from) = rest.split_at(place);
            out.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            let code = chars.next().map_or(0, u32::from);
            write!(out, "\\u{code:04x}")?;
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}
