//! Shows the plans of a command before anything is sent.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::domain::{CarriedOut, DistinctId, JobState, Kind};
use crate::intake::{HashExample, Hashed, LetterCase};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{duration, number, plural, printable, rate_text};
use crate::ui::people::sources::{self, exclusion_text};
use crate::ui::request::dates::{Dates, NOT_ADVICE};
use crate::workflow::Plan;

use super::known;

/// The plans of one command, one for each project; nothing has been sent.
pub struct PlanView<'a> {
    pub plans: &'a [Plan],
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
}

impl View for PlanView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = String::new();
        for plan in self.plans {
            text.push_str(&plan_text(plan, paper));
            text.push_str(&Dates::of_plan(plan).lines(self.today, paper));
            text.push('\n');
        }
        text.push_str(&paper.wrapped("", &format!("{NOT_ADVICE} Nothing was sent.")));
        text
    }

    fn json(&self) -> Value {
        let shape = |plan| plan_object(plan, self.now, self.today);
        let plans = self.plans.iter().map(shape);
        one_or_several(plans.collect())
    }
}

fn plan_text(plan: &Plan, paper: &Paper) -> String {
    let operation = plan.order.operation;
    let what = match operation.kind() {
        Kind::Export => "Export",
        Kind::Delete => "Deletion",
    };
    let disclosure = operation
        .disclosure()
        .map_or_else(String::new, |d| format!(", disclosing {}", d.as_str()));
    let limit = plural(plan.limit().get(), "id", "ids");
    let sizes = sizes_text(plan);
    let law = operation.law().title();
    let heading = format!("{what} under {law}{disclosure}");
    let mut facts = paper.facts(2, 10);
    let (project, region) = (&plan.project.name, plan.project.region.as_str());
    facts.add("Project", &format!("{project} ({region})"));
    facts.add(
        "Ids",
        &format!(
            "{} read from {}: {}",
            number(plan.counts.read),
            printable(&plan.order.source),
            counts_text(
                plan.counts.unique,
                plan.counts.duplicates(),
                plan.counts.excluded
            ),
        ),
    );
    if let Some(id) = &plan.order.named_id {
        facts.add("Id", &format!("`{}`", printable(id.expose())));
    }
    if !plan.exclusions.is_empty() {
        let excluded = plural(plan.counts.excluded, "id", "ids");
        facts.add("Excluded", &excluded);
        for exclusion in &plan.exclusions {
            facts.add_below("Exclusion", &exclusion_text(exclusion));
        }
    }
    sources::add(&mut facts, &plan.readings, &plan.excluded_readings);
    if let Some(hashed) = &plan.hashed {
        facts.add("Hashed", &hashed_text(hashed));
        if let Some(example) = &hashed.example {
            facts.add_below("Example", &example_text(example));
        }
    }
    known::add(&mut facts, plan);
    let jobs = plural(plan.job_count(), "job", "jobs");
    match plan.why_one_id_a_job() {
        Some(why) => {
            facts.add("Jobs", &format!("{jobs} of 1 id each"));
            facts.add_below("Why", &format!("{why}."));
        }
        None => facts.add("Jobs", &format!("{jobs} of at most {limit}{sizes}")),
    }
    let time = duration(plan.time());
    let rate = rate_text(plan.project.rate.per_second());
    facts.add(
        "Time",
        &format!("{time} at {rate} a second; Mixpanel then needs up to 30 days"),
    );
    let begin = match paper.layout {
        Layout::Columns => "",
        Layout::Plain => "Plan: ",
    };
    format!("{begin}{heading}\n{}", facts.into_text())
}

/// Counts the values that were read: `7 unique, 0 duplicates, 1 excluded`.
pub(crate) fn counts_text(unique: usize, duplicates: usize, excluded: usize) -> String {
    let duplicates = plural(duplicates, "duplicate", "duplicates");
    let excluded = match excluded {
        0 => String::new(),
        excluded => format!(", {} excluded", number(excluded)),
    };
    format!("{} unique, {duplicates}{excluded}", number(unique))
}

fn hashed_text(hashed: &Hashed) -> String {
    let mut text = format!("{} of each value", hashed.function);
    if hashed.case == LetterCase::Lowered {
        text.push_str(", lower-cased");
    }
    if !hashed.prefix.is_empty() {
        text.push_str(&format!(", after `{}`", printable(&hashed.prefix)));
    }
    text
}

/// Says how ids are made, with one to compare with Mixpanel's.
pub fn hashing_text(hashed: &Hashed) -> String {
    let example = hashed.example.as_ref();
    let example = example.map_or_else(String::new, |one| format!("; {}", example_text(one)));
    format!("{}{example}", hashed_text(hashed))
}

fn example_text(example: &HashExample) -> String {
    let line = example
        .line
        .map_or_else(String::new, |line| format!(", line {line}"));
    let (source, value, id) = (&example.source, &example.value, &example.id);
    printable(&format!("{source}{line}: {value} -> {id}"))
}

fn sizes_text(plan: &Plan) -> String {
    let sizes: Vec<usize> = plan.job_sizes().collect();
    match sizes.as_slice() {
        [] | [_] => String::new(),
        [.., last] if sizes.len() > 4 => {
            let full = number(sizes.len() - 1);
            format!(": {full} full ones and one of {}", number(*last))
        }
        few => {
            let few: Vec<String> = few.iter().map(|size| number(*size)).collect();
            format!(": {}", few.join(", "))
        }
    }
}

fn one_or_several(mut requests: Vec<Value>) -> Value {
    match requests.len() {
        1 => json!({ "request": requests.remove(0) }),
        _ => json!({ "requests": requests }),
    }
}

/// A planned request, which has no id of its own yet.
fn plan_object(plan: &Plan, now: DateTime<Utc>, today: NaiveDate) -> Value {
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
        "sources": plan.readings.iter().map(sources::object).collect::<Vec<_>>(),
        "excluded_sources": plan.excluded_readings.iter().map(sources::object).collect::<Vec<_>>(),
        "exclusions": plan.exclusions,
        "named_id": plan.order.named_id.as_ref().map(DistinctId::expose),
        "hashing": plan.hashed.as_ref().map(hashed),
        "preflight": plan.preflight.as_ref().map(known::profiles_object),
        "earlier": known::earlier_objects(&plan.earlier),
        "linked_ids": 0,
        "state": JobState::Planned,
        "plan": null,
        "answered": null,
        "checked_at": null,
        "submission_seconds": plan.time().as_secs_f64(),
        "one_id_a_job": plan.why_one_id_a_job(),
    });
    let mut fields = Dates::of_plan(plan).added_to(value, today);
    fields.insert("jobs".to_owned(), jobs.collect());
    fields.into()
}

fn hashed(hashed: &Hashed) -> Value {
    json!({
        "function": hashed.function,
        "prefix": hashed.prefix,
        "lowercase": hashed.case == LetterCase::Lowered,
        "example": hashed.example,
    })
}
