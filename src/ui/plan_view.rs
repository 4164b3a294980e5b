use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use crate::domain::Kind;
use crate::intake::{HashExample, Hashed, LetterCase};
use crate::workflow::Plan;

use super::deadlines::{Dates, NOT_ADVICE};
use super::json as shapes;
use super::readings;
use super::views::one_or_several;
use super::words::{duration, number, plural, printable, rate_text};
use super::{Paper, View};

/// Plans of one command, one for each project; nothing has been sent.
pub struct PlanView<'a> {
    pub plans: &'a [Plan],
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
}

impl View for PlanView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = String::new();
        for plan in self.plans {
            text.push_str(&plan_text(plan));
            text.push_str(&Dates::of_plan(plan).lines(self.today, paper));
            text.push('\n');
        }
        text.push_str(&format!("{NOT_ADVICE} Nothing was sent.\n"));
        text
    }

    fn json(&self) -> Value {
        let shape = |plan| shapes::plan(plan, self.now, self.today);
        let plans = self.plans.iter().map(shape);
        one_or_several(plans.collect())
    }
}

fn plan_text(plan: &Plan) -> String {
    let operation = plan.order.operation;
    let what = match operation.kind() {
        Kind::Export => "Export",
        Kind::Delete => "Deletion",
    };
    let disclosure = operation
        .disclosure()
        .map_or_else(String::new, |d| format!(", disclosing {}", d.as_str()));
    let limit = number(plan.limit().get());
    let sizes = sizes_text(plan);
    let hashed = plan.hashed.as_ref().map_or_else(String::new, |hashed| {
        let text = hashed_text(hashed).replace('\n', "\n              ");
        format!("\x20 Hashed      {text}\n")
    });
    format!(
        "{what} under {law}{disclosure}\n\
         \x20 Project     {project} ({region})\n\
         \x20 Ids         {read} read from {source}: {unique} unique, {duplicates}\n\
         {excluded}\
         {readings}\
         {hashed}\
         \x20 Jobs        {jobs} of at most {limit} ids{sizes}\n\
         \x20 Time        {time} at {rate} a second; Mixpanel then needs up to 30 days\n",
        law = operation.law().title(),
        project = plan.project.name,
        region = plan.project.region.as_str(),
        read = number(plan.counts.read),
        source = printable(&plan.order.source),
        unique = number(plan.counts.unique),
        duplicates = plural(plan.counts.duplicates(), "duplicate", "duplicates"),
        excluded = excluded_text(plan)
            .map_or_else(String::new, |text| format!("\x20 Excluded    {text}\n")),
        readings = readings::lines(&plan.readings, &plan.excluded_readings),
        jobs = plural(plan.job_count(), "job", "jobs"),
        time = duration(plan.time()),
        rate = rate_text(plan.project.rate.per_second()),
    )
}

/// How ids are made, and below it one to compare with Mixpanel's.
pub fn hashed_text(hashed: &Hashed) -> String {
    let mut text = format!("{} of each value", hashed.function);
    if hashed.case == LetterCase::Lowered {
        text.push_str(", lower-cased");
    }
    if !hashed.prefix.is_empty() {
        text.push_str(&format!(", after `{}`", printable(&hashed.prefix)));
    }
    if let Some(example) = &hashed.example {
        text.push_str(&format!("\n{}", example_text(example)));
    }
    text
}

fn example_text(example: &HashExample) -> String {
    let line = example
        .line
        .map_or_else(String::new, |line| format!(", line {line}"));
    let (source, value, id) = (&example.source, &example.value, &example.id);
    printable(&format!("{source}{line}: {value} -> {id}"))
}

/// How many ids are left out and why, if any were to be.
pub fn excluded_text(plan: &Plan) -> Option<String> {
    let files = &plan.order.excluded;
    let ids = plural(plan.counts.excluded, "id", "ids");
    (!files.is_empty()).then(|| format!("{ids}, by {}", printable(files)))
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
